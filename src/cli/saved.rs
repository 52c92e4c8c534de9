//! `plan --out FILE` and `apply FILE`: a plan that is made now and carried out later.

use std::path::{Path, PathBuf};

use super::error::CliError;
use super::session::Session;
use super::ui::Ui;
use crate::plan::{Basis, Plan, remaining};
use crate::render::stale_text;
use crate::saved::{Kept, SavedPlan};
use crate::state::{Index, Known, State, Store};

/// Saves a plan that was made with `known`.
pub(super) fn save(file: &Path, plan: Plan, session: &Session, known: &Known, ui: &Ui) -> Result<(), CliError> {
    let Session { spec, store, code, .. } = session;
    let mut saved = SavedPlan::new(plan, spec, code.hashes.clone(), store, &known.index);
    for hash in saved.uploads().into_iter().map(str::to_owned).collect::<Vec<_>>() {
        // What is not there any more, or is another one, keeps the plan from being written.
        if let Some(zip) = code.zips.get(&hash).and_then(|path| std::fs::read(path).ok()) {
            saved.zips.insert(hash, zip);
        }
    }
    saved.write(file)?;
    ui.remark(&format!("saved: `drctl apply {}` does exactly this, or refuses", file.display()));
    Ok(())
}

/// A plan that was saved, and its file.
pub(super) struct Planned {
    file: PathBuf,
    saved: SavedPlan,
}

impl Planned {
    pub(super) fn read(file: &Path) -> Result<Self, CliError> {
        Ok(Self { saved: SavedPlan::read(file)?, file: file.to_owned() })
    }

    /// The system that it is for, connected.
    pub(super) async fn open(&self, sandbox: bool, ui: &Ui) -> Result<Session, CliError> {
        Session::of_saved(&self.saved, &self.file, sandbox, ui).await
    }

    /// Refuses another state than the one that it was made with: `recorded`, as it is in `store`.
    pub(super) fn check_state(&self, store: &Store, recorded: &Index) -> Result<(), CliError> {
        if self.saved.knows(recorded) {
            return Ok(());
        }
        let planned = self.saved.document.lineage.as_deref().unwrap_or_default();
        let is = match recorded.serial {
            0 => format!("there is none in {store}"),
            _ => format!("the one in {store} has the lineage {}", recorded.lineage),
        };
        let why = format!("the state is another one than it was made with: {is}, and that had the lineage {planned}");
        Err(match &self.saved.document.state {
            Kept::Folder(folder) if folder.is_relative() => self.refused(
                &why,
                "run this in the folder where the plan was made, or make a new plan with `drctl plan --out FILE`",
            ),
            _ => self.stale(&why),
        })
    }

    /// What is left to do of it, as `now` plans it on `basis`.
    pub(super) fn remaining(&self, now: &Plan, basis: &Basis<'_>) -> Result<Plan, CliError> {
        let left = remaining(&self.saved.document.plan, now, basis).map_err(|stale| {
            let lines: Vec<_> = stale.iter().map(stale_text).collect();
            self.stale(&lines.join("\n"))
        })?;
        if left.has_changes() && !self.saved.is_next(basis.recorded) {
            return Err(self.stale(&format!(
                "something else was applied since it was made: the state was written {} times then, and {} times by now",
                self.saved.document.serial, basis.recorded.serial
            )));
        }
        Ok(left)
    }

    /// Signs what will be recorded as the work of this plan, so that it goes on from there if it is stopped.
    pub(super) fn sign(&self, state: &mut State) {
        if self.saved.is_next(state.index()) {
            state.carries_out(self.saved.id());
        }
    }

    fn stale(&self, why: &str) -> CliError {
        self.refused(why, "make a new plan with `drctl plan --out FILE`, and read it before you apply it")
    }

    fn refused(&self, why: &str, next: &str) -> CliError {
        CliError::Refused {
            what: format!("the plan in {} is stale; nothing was changed\n{why}", self.file.display()),
            next: next.to_owned(),
        }
    }
}
