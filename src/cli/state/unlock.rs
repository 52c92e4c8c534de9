//! `drctl state unlock`

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::session::{Stored, SystemArgs};
use crate::cli::ui::Ui;

/// Remove the lock of a drctl that has died, without waiting until its lease is over
///
/// One that is still at work starts nothing more.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct UnlockArgs {
    #[command(flatten)]
    system: SystemArgs,

    /// The lock's id, as `drctl state show` and whoever waits for it say it
    id: String,
}

pub(super) async fn run(args: &UnlockArgs, ui: &Ui) -> Result<Exit, CliError> {
    let stored = Stored::open(&args.system, ui).await?;
    if stored.clients.is_none() {
        ui.remark("the state lies on this machine, where a lock ends with the drctl that holds it: nothing to unlock");
        return Ok(Exit::Done);
    }
    stored.store.unlock(&args.id).await?;
    ui.remark(&format!("{} is unlocked", args.id));
    Ok(Exit::Done)
}
