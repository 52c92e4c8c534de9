//! `drctl sandbox`

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::sandbox::{self, Info, Wanted};
use crate::state::AllStates;

#[derive(Debug, clap::Subcommand)]
pub(super) enum SandboxCommand {
    /// Start the embedded AWS; does nothing if it is up. Options left out are those of its last run
    Up {
        /// As unkind as AWS: eventual consistency, pending states, conflicts; `--strict=false` ends that
        #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
        strict: Option<bool>,
        /// How many times faster than AWS its clocks run; 1 at first
        #[arg(long, value_name = "TIMES", value_parser = speed)]
        speed: Option<f64>,
    },
    /// Stop it; what it holds is there again at the next start
    Down,
    /// Show whether it is up, where and how
    Status {
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
    /// Print what a shell needs to use it with other tools: eval "$(drctl sandbox env)"
    Env,
    /// Show the end of its log
    Logs {
        /// Go on with what it writes, until it is down
        #[arg(long)]
        follow: bool,
        /// How many lines
        #[arg(long, value_name = "N", default_value_t = 50)]
        lines: usize,
    },
    /// Empty it, and forget drctl's state of the systems in it
    Reset,
    /// Make calls slow, fail, lose their answers or not arrive; without arguments, show what is in force
    Faults {
        /// JSON file with the rules, which replace those in force; sandbox/README.md shows their form
        file: Option<PathBuf>,
        /// End them all
        #[arg(long, conflicts_with = "file")]
        clear: bool,
    },
}

/// Reads how fast clocks run. They neither stand still nor run backwards.
fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed: &f64| speed.is_finite() && *speed > 0.0);
    speed.ok_or_else(|| "it is a number above 0, such as 20 or 0.5".to_owned())
}

pub(super) async fn run(command: &SandboxCommand, ui: &mut Ui) -> Result<Exit, CliError> {
    match command {
        SandboxCommand::Up { strict, speed } => {
            let working = ui.working("starting the sandbox");
            let asked = Wanted { strict: *strict, speed: *speed };
            let info = sandbox::up(asked, &mut |step| working.now(step)).await?;
            drop(working);
            ui.answer(&info.endpoint)?;
        }
        SandboxCommand::Down => {
            let was_up = sandbox::down().await?;
            ui.remark(if was_up { "the sandbox is down" } else { "the sandbox was not up" });
        }
        SandboxCommand::Status { json } => {
            let info = sandbox::status().await?;
            ui.answer(&if *json { document(info.as_ref()) } else { text(info.as_ref()) })?;
        }
        SandboxCommand::Env => ui.answer(&sandbox::shell_env(&running().await?))?,
        SandboxCommand::Logs { follow, lines } => logs(*follow, *lines, ui).await?,
        SandboxCommand::Reset => {
            let states = AllStates::lock(&sandbox::state_folder()?)?;
            sandbox::reset().await?;
            states.remove()?;
            ui.remark("the sandbox is empty");
        }
        SandboxCommand::Faults { file, clear } => faults(file.as_deref(), *clear, ui).await?,
    }
    Ok(Exit::Done)
}

/// The sandbox, which has to be up.
async fn running() -> Result<Info, CliError> {
    let not_up = || CliError::Failed { what: "the sandbox is not up".into(), next: "run `drctl sandbox up`".into() };
    sandbox::status().await?.ok_or_else(not_up)
}

fn text(info: Option<&Info>) -> String {
    let Some(info) = info else { return "the sandbox is not up".into() };
    let lines = [
        ("endpoint", info.endpoint.clone()),
        ("process", info.pid.to_string()),
        ("strict", if info.options.strict { "yes" } else { "no" }.to_owned()),
        ("speed", format!("{}", info.options.speed)),
        ("since", info.started.to_string()),
        ("folder", info.folder.display().to_string()),
    ];
    let lines = lines.map(|(name, value)| format!("  {name:8}  {value}\n"));
    format!("the sandbox is up\n{}", lines.concat())
}

fn document(info: Option<&Info>) -> String {
    let mut document = json!({ "format_version": 1, "up": info.is_some() });
    if let Some(info) = info {
        document["endpoint"] = json!(info.endpoint);
        document["pid"] = json!(info.pid);
        document["strict"] = json!(info.options.strict);
        document["speed"] = json!(info.options.speed);
        document["since"] = json!(info.started);
        document["folder"] = json!(info.folder);
    }
    serde_json::to_string_pretty(&document).expect("a document is plain data")
}

async fn logs(follow: bool, lines: usize, ui: &Ui) -> Result<(), CliError> {
    let Some(mut log) = sandbox::log()? else {
        ui.remark("there is no log: the sandbox never was up");
        return Ok(());
    };
    let show = |said: String| if said.is_empty() { Ok(()) } else { ui.answer(&said) };
    show(log.last(lines)?)?;
    let mut goes_on = follow;
    while goes_on {
        tokio::time::sleep(Duration::from_millis(300)).await;
        // Wanted first: what it wrote last is there once it is down.
        goes_on = sandbox::is_up().await?;
        show(log.more()?)?;
    }
    if follow {
        ui.remark("the sandbox is down");
    }
    Ok(())
}

async fn faults(file: Option<&Path>, clear: bool, ui: &Ui) -> Result<(), CliError> {
    let rules = file.map(read).transpose()?;
    let endpoint = running().await?.endpoint;
    if clear || rules.is_some() {
        sandbox::set_faults(&endpoint, rules.as_ref()).await?;
    }
    let rules = sandbox::faults(&endpoint).await?;
    match rules.as_array().map_or(0, Vec::len) {
        0 => ui.remark("no faults are in force"),
        1 => ui.remark("1 rule is in force; `drctl sandbox faults --clear` ends it"),
        count => ui.remark(&format!("{count} rules are in force; `drctl sandbox faults --clear` ends them")),
    }
    if file.is_none() && !clear {
        ui.answer(&serde_json::to_string_pretty(&rules).expect("JSON can be written"))?;
    }
    Ok(())
}

fn read(file: &Path) -> Result<Value, CliError> {
    let failed = |why: String| {
        CliError::Failed {
        what: format!("the faults in {} cannot be read: {why}", file.display()),
        next: r#"name a JSON file with a list of rules, such as [{"service": "dynamodb", "action": "latency", "delay_ms": 200}]"#.into(),
    }
    };
    let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| failed(format!("it is not JSON: {error}")))
}
