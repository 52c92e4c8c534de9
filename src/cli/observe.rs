//! `drctl observe`

use super::degraded::all_answered;
use super::error::CliError;
use super::exit::Exit;
use super::session::{Code, Session, SystemArgs};
use super::ui::Ui;
use crate::graph::{Address, Failure};
use crate::plan::{Observation, Sight, plan};
use crate::render::{Snapshot, Style, live_text, observation_text, snapshot_json};
use crate::spec::did_you_mean;

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
    let (unreadable, answered) = (unreadable(&observed), all_answered(&observed, "what is there is unknown"));
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
    if !unreadable.is_empty() {
        return Err(CliError::unreadable(unreadable));
    }
    answered.map(|()| Exit::Done)
}

fn unreadable(observed: &Observation) -> Vec<(Address, Failure)> {
    let failed = observed.seen.iter().filter_map(|(address, sight)| match sight {
        Sight::Failed(failure) => Some((address.clone(), failure.clone())),
        Sight::Live(_) | Sight::Absent | Sight::Dark(_) => None,
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
    all_answered(observed, &format!("nobody can say what is at {address}"))?;
    let live = observed.seen.iter().filter(|(_, sight)| sight.live().is_some());
    let live: Vec<String> = live.map(|(address, _)| address.to_string()).collect();
    let live: Vec<&str> = live.iter().map(String::as_str).collect();
    Err(CliError::Usage {
        what: format!("nothing is live at {address}"),
        next: did_you_mean(&address.to_string(), &live).unwrap_or_else(|| "`drctl observe` lists what is".to_owned()),
    })
}
