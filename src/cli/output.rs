//! `drctl output`

use serde_json::{Map, Value, json};

use super::degraded::{all_answered, tell_dark};
use super::error::CliError;
use super::exit::Exit;
use super::session::{Code, Session, SystemArgs};
use super::ui::Ui;
use crate::graph::printable;
use crate::ops::{Output, outputs};
use crate::plan::Observation;
use crate::spec::did_you_mean;

/// Print the outputs of the deployed system
#[derive(Debug, clap::Args)]
pub(super) struct OutputArgs {
    #[command(flatten)]
    system: SystemArgs,

    /// One output only, its bare value
    name: Option<String>,

    /// The region to print; the primary if one output is named
    #[arg(long)]
    region: Option<String>,

    /// Print as one JSON document
    #[arg(long, conflicts_with_all = ["name", "env"])]
    json: bool,

    /// Print for a shell: eval "$(drctl output --env)"
    #[arg(long, conflicts_with = "name")]
    env: bool,
}

pub(super) async fn run(args: &OutputArgs, ui: &mut Ui) -> Result<Exit, CliError> {
    let session = Session::open(&args.system, Code::Leave, ui).await?;
    let region = region(&session, args.region.as_deref())?;
    let state = session.read_state().await?;
    let observed = session.observe(&state, ui).await?;
    ui.calls(session.cloud.calls());
    let all = outputs(&session.spec, &observed);
    let wanted: Vec<&Output> =
        all.iter().filter(|output| region.as_ref().is_none_or(|region| output.region.as_str() == region)).collect();
    tell_dark(&observed, ui);
    match &args.name {
        Some(name) => ui.answer(&one(&session, &all, name, region, &observed)?)?,
        None if args.json => {
            ui.answer(&serde_json::to_string_pretty(&document(&session, &wanted)).expect("outputs are plain data"))?
        }
        None if args.env => ui.answer(&shell(&session, &wanted))?,
        None => ui.answer(&text(&session, &wanted))?,
    }
    if args.name.is_none() && wanted.iter().any(|output| output.value.is_none()) {
        all_answered(&observed, "nobody can say whether what is missing is there")?;
    }
    Ok(Exit::Done)
}

/// A region of the spec, as the user named it.
pub(super) fn region(session: &Session, named: Option<&str>) -> Result<Option<String>, CliError> {
    let regions = session.spec.regions();
    match named {
        Some(name) if !regions.iter().any(|region| region.as_str() == name) => Err(CliError::Usage {
            what: format!("the system is not in {name}"),
            next: format!("use `--region {}` or `--region {}`", regions[0], regions[1]),
        }),
        named => Ok(named.map(str::to_owned)),
    }
}

fn one(
    session: &Session,
    all: &[Output],
    name: &str,
    region: Option<String>,
    observed: &Observation,
) -> Result<String, CliError> {
    let region = region.unwrap_or_else(|| session.spec.region.primary.to_string());
    let names: Vec<&str> = all.iter().map(|output| output.name).collect();
    let Some(output) = all.iter().find(|output| output.name == name && output.region.as_str() == region) else {
        let next = did_you_mean(name, &names).unwrap_or_else(|| "`drctl output` lists them".to_owned());
        return Err(CliError::Usage { what: format!("there is no output `{name}`"), next });
    };
    let missing = || CliError::Failed {
        what: format!("{name} has no value in {region}: its resource is not there"),
        next: "run `drctl apply` first".into(),
    };
    if output.value.is_none() {
        all_answered(observed, &format!("nobody can say whether there is a {name}"))?;
    }
    output.value.as_deref().map(|value| session.usable(value)).ok_or_else(missing)
}

fn document(session: &Session, outputs: &[&Output]) -> Value {
    let mut regions = Map::new();
    for output in outputs {
        let region = regions.entry(output.region.to_string()).or_insert_with(|| json!({}));
        region[output.name] = json!(output.value);
        if let Some(local) = local(session, output) {
            region[format!("{}OnLoopback", output.name)] = json!(local);
        }
    }
    json!({ "format_version": 1, "outputs": regions })
}

fn text(session: &Session, outputs: &[&Output]) -> String {
    let width = outputs.iter().map(|output| output.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    let mut region = None;
    for output in outputs {
        if region != Some(&output.region) {
            text.push_str(&format!("{}{}\n", if region.is_some() { "\n" } else { "" }, output.region));
            region = Some(&output.region);
        }
        text.push_str(&format!(
            "  {:width$}  {}\n",
            output.name,
            printable(output.value.as_deref().unwrap_or("(not there)"))
        ));
        if let Some(local) = local(session, output) {
            text.push_str(&format!("  {:width$}  on loopback: {local}\n", ""));
        }
    }
    text
}

/// One variable per output and region (`LambdaFunctionUrl_us_east_1`), and without a region those of the first.
fn shell(session: &Session, outputs: &[&Output]) -> String {
    let first = outputs.first().map(|output| &output.region);
    let mut text = String::new();
    for output in outputs {
        let Some(value) = output.value.as_deref().map(|value| quoted(&session.usable(value))) else { continue };
        if Some(&output.region) == first {
            text.push_str(&format!("export {}={value}\n", output.name));
        }
        text.push_str(&format!("export {}_{}={value}\n", output.name, output.region.as_str().replace('-', "_")));
    }
    text
}

/// A value that a POSIX shell takes as it is.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

/// The same URL on the loopback, if this is the sandbox.
fn local(session: &Session, output: &Output) -> Option<String> {
    let value = output.value.as_deref()?;
    Some(session.usable(value)).filter(|usable| usable != value)
}
