//! `drctl observe`, and plans from what it printed.

use std::io::Read;
use std::path::Path;

use super::error::CliError;
use super::exit::Exit;
use super::session::{Code, Session, SystemArgs};
use super::ui::Ui;
use crate::desired::Spec;
use crate::graph::{Address, Failure, Graph};
use crate::kinds;
use crate::plan::{Observation, Plan, Sight, plan};
use crate::render::{Snapshot, Style, live_text, observation_text, read_snapshot, snapshot_json};
use crate::run::{Subject, leave_code};
use crate::spec::nearest;
use crate::state::Known;

/// Show what is live, as drctl sees it
#[derive(Debug, clap::Args)]
pub(super) struct ObserveArgs {
    #[command(flatten)]
    system: SystemArgs,

    /// Show everything about these resources instead of the list of all
    #[arg(value_name = "ADDRESS", conflicts_with = "json")]
    addresses: Vec<Address>,

    /// Print as one JSON document, from which `drctl plan --observed` plans without AWS
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &ObserveArgs, ui: &mut Ui) -> Result<Exit, CliError> {
    let session = Session::open(&args.system, Code::Leave, ui).await?;
    let known = session.read_state().await?;
    let observed = session.observe(&known, ui).await?;
    ui.calls(session.cloud.calls());
    let unreadable = unreadable(&observed);
    if args.json {
        let snapshot = Snapshot { owner: session.owner.clone(), observed, known };
        ui.answer(&snapshot_json(&snapshot))?;
    } else if args.addresses.is_empty() {
        let conflicts = plan(&session.subject(&known).basis(&observed)).conflicts;
        ui.answer(&observation_text(&observed, &conflicts, Style::for_stdout()))?;
    } else {
        for address in &args.addresses {
            ui.answer(&one(address, &observed)?)?;
        }
    }
    if unreadable.is_empty() { Ok(Exit::Done) } else { Err(CliError::unreadable(unreadable)) }
}

fn unreadable(observed: &Observation) -> Vec<(Address, Failure)> {
    let failed = observed.seen.iter().filter_map(|(address, sight)| match sight {
        Sight::Failed(failure) => Some((address.clone(), failure.clone())),
        Sight::Live(_) | Sight::Absent => None,
    });
    failed.collect()
}

fn one(address: &Address, observed: &Observation) -> Result<String, CliError> {
    if let Some(live) = observed.live(address) {
        return Ok(live_text(address, live, Style::for_stdout()));
    }
    if let Some(Sight::Failed(failure)) = observed.seen.get(address) {
        return Err(failure.clone().into());
    }
    let live = observed.seen.iter().filter(|(_, sight)| sight.live().is_some());
    let live: Vec<String> = live.map(|(address, _)| address.to_string()).collect();
    let live: Vec<&str> = live.iter().map(String::as_str).collect();
    Err(CliError::Usage {
        what: format!("nothing is live at {address}"),
        next: nearest(&address.to_string(), &live)
            .map_or_else(|| "`drctl observe` lists what is".to_owned(), |near| format!("did you mean `{near}`?")),
    })
}

/// Plans from what `drctl observe --json` printed: no connection, and nothing is built.
pub(super) fn plan_from(args: &SystemArgs, file: &Path) -> Result<(Spec, Observation, Plan), CliError> {
    let spec = args.spec.load()?;
    let snapshot = read(file)?;
    fits(&spec, &snapshot, file)?;
    let (owner, kinds) = (spec.owner(), kinds::metas());
    let mut graph: Graph = spec.graph(&snapshot.observed.account, &Default::default());
    leave_code(&mut graph, &snapshot.observed);
    let Snapshot { observed, known: Known { index, overrides }, .. } = snapshot;
    let subject = Subject { desired: &graph, recorded: &index, overrides: &overrides, owner: &owner, kinds: &kinds };
    let plan = plan(&subject.basis(&observed));
    Ok((spec, observed, plan))
}

/// Reads a snapshot from a file, or with `-` from standard input.
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
    let name = |owner: &crate::graph::Owner| format!("{}, suffix {}", owner.system, owner.suffix);
    let (wanted, is) = (name(&spec.owner()), name(&snapshot.owner));
    if wanted != is {
        return Err(CliError::Refused {
            what: format!("{} shows {is}, and the spec is of {wanted}", file.display()),
            next: "name the spec that it was made with by `-f FILE`".into(),
        });
    }
    match &spec.system.account {
        Some(account) if **account != snapshot.observed.account => Err(CliError::Refused {
            what: format!(
                "{} shows account {}, and the spec is for {account}",
                file.display(),
                snapshot.observed.account
            ),
            next: format!("observe account {account}, or change `account` in `[system]`"),
        }),
        _ => Ok(()),
    }
}
