//! `drctl state rebuild`

use crate::cli::apply::confirm;
use crate::cli::degraded::all_answered;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::interrupt;
use crate::cli::session::{Code, Session, SystemArgs, complete, while_locked};
use crate::cli::ui::Ui;
use crate::plan::plan;
use crate::render::amount;
use crate::run::{leave_code, recorded_as_live};
use crate::state::State;

/// Write the state anew from what is live and carries the system's marks
///
/// For a state that is damaged, or whose copies do not belong together. What was there is not needed for it; what can
/// be read of it helps to find what carries no marks.
/// Overrides stay as they are.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RebuildArgs {
    #[command(flatten)]
    system: SystemArgs,

    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(args: &RebuildArgs, ui: &Ui) -> Result<Exit, CliError> {
    let mut session = Session::open(&args.system, Code::Leave, ui).await?;
    let state = session.store.lock_anew("state rebuild").await?;
    while_locked(state, async |state| rebuild(args, &mut session, state, ui).await).await
}

async fn rebuild(args: &RebuildArgs, session: &mut Session, state: &mut State, ui: &Ui) -> Result<Exit, CliError> {
    let observed = session.observe(state.known(), ui).await?;
    ui.calls(session.cloud.calls());
    all_answered(&observed, "what is there could not be recorded; nothing was written")?;
    leave_code(&mut session.graph, &observed);
    let plan = complete(plan(&session.subject(state.known()).basis(&observed)))?;
    let records = recorded_as_live(&plan, &session.kinds);
    let found = amount(records.len(), "resource");
    if !args.yes {
        confirm(&format!("Write the state anew, with {found} that are live?"), "write it", "nothing was written", ui)?;
    }
    state.still_locked()?;
    state.replace(records);
    interrupt::changed();
    state.save().await?;
    ui.remark(&format!("the state is written anew: {found} recorded"));
    Ok(Exit::Done)
}
