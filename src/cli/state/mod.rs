//! `drctl state`: looking after what drctl remembers. One file per command.

mod check;
mod init;
mod moving;
mod rebuild;
mod show;
mod unlock;

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;

/// Look after what drctl remembers: where it is, who has it locked, whether it is whole
#[derive(Debug, clap::Subcommand)]
pub(super) enum StateCommand {
    Init(init::InitArgs),
    Show(show::ShowArgs),
    Check(check::CheckArgs),
    Move(moving::MoveArgs),
    Rebuild(rebuild::RebuildArgs),
    Unlock(unlock::UnlockArgs),
}

pub(super) async fn run(command: &StateCommand, ui: &mut Ui) -> Result<Exit, CliError> {
    match command {
        StateCommand::Init(args) => init::run(args, ui).await,
        StateCommand::Show(args) => show::run(args, ui).await,
        StateCommand::Check(args) => check::run(args, ui).await,
        StateCommand::Move(args) => moving::run(args, ui).await,
        StateCommand::Rebuild(args) => rebuild::run(args, ui).await,
        StateCommand::Unlock(args) => unlock::run(args, ui).await,
    }
}
