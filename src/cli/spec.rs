//! `drctl spec`

use serde_json::json;

use super::error::CliError;
use super::exit::Exit;
use super::session::SpecArgs;
use super::ui::Ui;
use crate::render::amount;

#[derive(Debug, clap::Subcommand)]
pub(super) enum SpecCommand {
    /// Print the spec: what was written, merged
    Show(ShowArgs),
    /// Check the spec without AWS, and count what it describes
    Check(CheckArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    spec: SpecArgs,

    /// Print as one JSON document
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    spec: SpecArgs,
}

pub(super) fn run(command: &SpecCommand, ui: &Ui) -> Result<Exit, CliError> {
    match command {
        SpecCommand::Show(args) => show(args, ui)?,
        SpecCommand::Check(args) => check(args, ui)?,
    }
    Ok(Exit::Done)
}

fn show(args: &ShowArgs, ui: &Ui) -> Result<(), CliError> {
    let spec = args.spec.load()?;
    if args.json {
        let document = json!({ "format_version": 1, "spec": spec.merged().to_json() });
        return Ok(ui.answer(&format!("{document:#}"))?);
    }
    Ok(ui.answer(&spec.merged().to_toml())?)
}

fn check(args: &CheckArgs, ui: &Ui) -> Result<(), CliError> {
    let graph = args.spec.load()?.sketch();
    for warning in graph.warnings() {
        ui.remark(&format!("warning: {warning}"));
    }
    Ok(ui.answer(&format!("valid: {}", amount(graph.iter().count(), "resource")))?)
}
