//! `drctl drift`

use std::path::PathBuf;

use super::degraded::all_answered;
use super::error::CliError;
use super::exit::Exit;
use super::session::{Code, Session, SystemArgs};
use super::snapshot::Offline;
use super::ui::Ui;
use crate::plan::{Basis, drift};
use crate::render::{Style, drift_json, drift_text};
use crate::run::leave_code;

/// Show what changed outside drctl since the last apply; exit with code 2 if anything did
#[derive(Debug, clap::Args)]
pub(super) struct DriftArgs {
    #[command(flatten)]
    system: SystemArgs,

    /// Tell it from what `drctl observe --json` printed (`-`: from standard input) instead of live AWS
    #[arg(long, value_name = "FILE", conflicts_with = "sandbox")]
    observed: Option<PathBuf>,

    /// Print as one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &DriftArgs, ui: &mut Ui) -> Result<Exit, CliError> {
    if let Some(file) = &args.observed {
        return tell(args, &Offline::open(&args.system, file)?.basis(), ui);
    }
    let mut session = Session::open(&args.system, Code::Leave, ui).await?;
    let known = session.read_state().await?;
    let observed = session.observe(&known, ui).await?;
    ui.calls(session.cloud.calls());
    leave_code(&mut session.graph, &observed);
    tell(args, &session.subject(&known).basis(&observed), ui)
}

fn tell(args: &DriftArgs, basis: &Basis<'_>, ui: &Ui) -> Result<Exit, CliError> {
    let drift = drift(basis);
    ui.answer(&match args.json {
        true => drift_json(&drift, basis.owner, &basis.observed.account),
        false => drift_text(&drift, Style::for_stdout()),
    })?;
    if !drift.failures.is_empty() {
        return Err(CliError::unreadable(drift.failures));
    }
    all_answered(basis.observed, "what changed there is unknown")?;
    Ok(if drift.drifted.is_empty() { Exit::Done } else { Exit::ChangesPending })
}
