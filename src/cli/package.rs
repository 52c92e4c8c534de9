//! `drctl package`

use std::path::PathBuf;

use super::error::CliError;
use super::exit::Exit;
use super::session::build;
use super::ui::Ui;
use crate::desired;

/// Build the functions and show hash and size of each zip
#[derive(Debug, clap::Args)]
pub(super) struct PackageArgs {
    /// Spec of the system; without it, the only one in specs/
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    file: Option<PathBuf>,
}

pub(super) fn run(args: &PackageArgs, ui: &mut Ui) -> Result<Exit, CliError> {
    let spec = desired::load(args.file.as_deref())?;
    let packages = build(&spec, ui)?;
    let width = packages.keys().map(String::len).max().unwrap_or_default();
    for (name, package) in packages {
        let megabytes = package.size as f64 / 1_000_000.0;
        ui.answer(&format!("{name:width$}  {}  {megabytes:.1} MB  {}", package.sha256, package.zip.display()))?;
    }
    Ok(Exit::Done)
}
