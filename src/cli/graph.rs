//! `drctl graph`

use super::error::CliError;
use super::exit::Exit;
use super::session::SpecArgs;
use super::ui::Ui;
use crate::render::{graph_dot, graph_mermaid};

/// Print what the spec describes and what of it needs what; AWS is not asked
#[derive(Debug, clap::Args)]
pub(super) struct GraphArgs {
    #[command(flatten)]
    spec: SpecArgs,

    /// For Graphviz or for Mermaid
    #[arg(long, value_enum, default_value_t = Format::Dot)]
    format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Dot,
    Mermaid,
}

pub(super) fn run(args: &GraphArgs, ui: &Ui) -> Result<Exit, CliError> {
    let graph = args.spec.load()?.sketch();
    ui.answer(&match args.format {
        Format::Dot => graph_dot(&graph),
        Format::Mermaid => graph_mermaid(&graph),
    })?;
    Ok(Exit::Done)
}
