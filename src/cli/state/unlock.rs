//! `drctl state unlock`

use std::time::Duration;

use tokio::time::sleep;

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::interrupt;
use crate::cli::session::{Stored, SystemArgs};
use crate::cli::ui::Ui;

/// Remove the lock of a drctl that has died, without waiting until its lease is over
///
/// One that is still at work notices within 25 seconds, for which this waits, and starts nothing more.
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
    let pause = async |pause: Duration| {
        let (id, seconds) = (&args.id, pause.as_secs());
        ui.remark(&format!("waiting {seconds} s, in which {id} notices if it is still at work"));
        // A lock of ours is in its place.
        interrupt::changed();
        let _working = ui.working("waiting");
        sleep(pause).await;
    };
    stored.store.unlock(&args.id, pause).await?;
    ui.remark(&format!("{} is unlocked", args.id));
    Ok(Exit::Done)
}
