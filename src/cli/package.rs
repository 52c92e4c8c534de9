//! `drctl package`

use super::error::CliError;
use super::exit::Exit;
use super::session::{SpecArgs, build};
use super::ui::Ui;

/// Build the functions and show hash and size of each zip
#[derive(Debug, clap::Args)]
pub(super) struct PackageArgs {
    #[command(flatten)]
    spec: SpecArgs,
}

pub(super) fn run(args: &PackageArgs, ui: &mut Ui) -> Result<Exit, CliError> {
    let spec = args.spec.load()?;
    let packages = build(&spec, ui)?;
    let width = packages.keys().map(String::len).max().unwrap_or_default();
    for (name, package) in packages {
        let megabytes = package.size as f64 / 1_000_000.0;
        ui.answer(&format!("{name:width$}  {}  {megabytes:.1} MB  {}", package.sha256, package.zip.display()))?;
    }
    Ok(Exit::Done)
}
