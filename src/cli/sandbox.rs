//! `drctl sandbox`

use super::error::CliError;
use super::exit::Exit;
use super::ui::Ui;
use crate::sandbox::{self, Options};

#[derive(Debug, clap::Subcommand)]
pub(super) enum SandboxCommand {
    /// Start the embedded AWS; does nothing if it is up
    Up {
        /// As unkind as AWS: eventual consistency, pending states, conflicts
        #[arg(long)]
        strict: bool,
        /// How many times faster than AWS its clocks run
        #[arg(long, default_value_t = 1.0)]
        speed: f64,
    },
    /// Stop it; what it holds is there again at the next start
    Down,
    /// Print what a shell needs to use it with other tools: eval "$(drctl sandbox env)"
    Env,
}

pub(super) async fn run(command: &SandboxCommand, ui: &mut Ui) -> Result<Exit, CliError> {
    match command {
        SandboxCommand::Up { strict, speed } => {
            let working = ui.working("starting the sandbox");
            let info = sandbox::up(Options { strict: *strict, speed: *speed }, &mut |step| working.now(step)).await?;
            drop(working);
            ui.answer(&info.endpoint)?;
        }
        SandboxCommand::Down => {
            let was_up = sandbox::down().await?;
            ui.remark(if was_up { "the sandbox is down" } else { "the sandbox was not up" });
        }
        SandboxCommand::Env => match sandbox::status().await? {
            Some(info) => ui.answer(&sandbox::shell_env(&info))?,
            None => {
                return Err(CliError::Failed {
                    what: "the sandbox is not up".into(),
                    next: "run `drctl sandbox up`".into(),
                });
            }
        },
    }
    Ok(Exit::Done)
}
