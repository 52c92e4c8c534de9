//! `drctl state show`

use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::session::{Stored, SystemArgs};
use crate::cli::ui::Ui;
use crate::render::{Style, state_json, state_text};

/// Show where the state is, who has it locked, and what is recorded
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ShowArgs {
    #[command(flatten)]
    system: SystemArgs,

    /// Print as one JSON document
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &ShowArgs, ui: &Ui) -> Result<Exit, CliError> {
    let stored = Stored::open(&args.system, ui).await?;
    let (copies, known) = (stored.store.look().await, stored.store.read().await);
    let readable = known.as_ref().ok();
    ui.answer(&match args.json {
        true => state_json(&stored.spec.owner(), &copies, readable),
        false => state_text(&copies, readable, Style::for_stdout()),
    })?;
    known?;
    Ok(Exit::Done)
}
