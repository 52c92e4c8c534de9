//! Plans from what `drctl observe --json` printed: no connection, and nothing is built.

use std::io::Read;
use std::path::Path;

use super::error::CliError;
use super::session::SystemArgs;
use crate::desired::Spec;
use crate::graph::{Graph, Meta, Owner};
use crate::kinds;
use crate::plan::Basis;
use crate::render::{Snapshot, read_snapshot};
use crate::run::{Subject, leave_code};
use crate::state::Known;

/// A system as a snapshot shows it.
pub(super) struct Offline {
    pub(super) spec: Spec,
    pub(super) snapshot: Snapshot,
    owner: Owner,
    graph: Graph,
    kinds: Vec<Meta>,
}

impl Offline {
    /// Loads the spec and reads the snapshot from a file, or with `-` from standard input.
    pub(super) fn open(args: &SystemArgs, file: &Path) -> Result<Self, CliError> {
        let spec = args.spec.load()?;
        let snapshot = read(file)?;
        fits(&spec, &snapshot, file)?;
        let mut graph = spec.graph(&snapshot.observed.account, &Default::default());
        leave_code(&mut graph, &snapshot.observed);
        Ok(Self { owner: spec.owner(), graph, kinds: kinds::metas(), spec, snapshot })
    }

    /// What a plan is made from.
    pub(super) fn basis(&self) -> Basis<'_> {
        let Snapshot { observed, known: Known { index, overrides }, .. } = &self.snapshot;
        let Self { graph, owner, kinds, .. } = self;
        Subject { desired: graph, recorded: index, overrides, owner, kinds }.basis(observed)
    }
}

fn read(file: &Path) -> Result<Snapshot, CliError> {
    let unusable = |what: String| CliError::Failed {
        what: format!("{} cannot be planned from: {what}", file.display()),
        next: "make it anew with `drctl observe --json`".into(),
    };
    let mut text = String::new();
    let read = match file.to_str() {
        Some("-") => std::io::stdin().lock().read_to_string(&mut text),
        _ => std::fs::File::open(file).and_then(|mut open| open.read_to_string(&mut text)),
    };
    read.map_err(|error| unusable(error.to_string()))?;
    read_snapshot(&text).map_err(|error| unusable(error.to_string()))
}

/// A plan from another system's snapshot would delete and make everything.
fn fits(spec: &Spec, snapshot: &Snapshot, file: &Path) -> Result<(), CliError> {
    let name = |owner: &Owner| format!("{}, suffix {}", owner.system, owner.suffix);
    let (wanted, is) = (name(&spec.owner()), name(&snapshot.owner));
    if wanted != is {
        return Err(CliError::Refused {
            what: format!("{} shows {is}, and the spec is of {wanted}", file.display()),
            next: "name the spec that it was made with by `-f FILE`".into(),
        });
    }
    let account = &snapshot.observed.account;
    match &spec.system.account {
        Some(wanted) if **wanted != *account => Err(CliError::Refused {
            what: format!("{} shows account {account}, and the spec is for {wanted}", file.display()),
            next: format!("observe account {wanted}, or change `account` in `[system]`"),
        }),
        _ => Ok(()),
    }
}
