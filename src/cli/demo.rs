//! `drctl demo`

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;

/// Watch the whole story on a sandbox of its own
#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {}

pub(super) async fn run(_args: &DemoArgs, _ui: &mut Ui) -> Result<Exit, CliError> {
    Ok(Exit::Done)
}
