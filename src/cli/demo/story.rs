//! Telling the story: each step announced, timed and checked.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::sleep;

use crate::cli::error::CliError;
use crate::graph::Failure;
use crate::render::{Style, say, took};

/// The demo as it goes along. Commands run as the user would run them: this very program, in a process of its own.
pub(super) struct Story {
    program: PathBuf,
    /// What names the spec on a command line.
    spec: Vec<String>,
    /// The sandbox and the state of this story only.
    home: tempfile::TempDir,
    begun: Instant,
    step: usize,
    step_begun: Instant,
    style: Style,
}

impl Story {
    pub(super) fn begin(spec: Vec<String>) -> Result<Self, CliError> {
        Ok(Self {
            program: std::env::current_exe()?,
            spec,
            home: tempfile::Builder::new().prefix("drctl-demo-").tempdir()?,
            begun: Instant::now(),
            step: 0,
            step_begun: Instant::now(),
            style: Style::for_stderr(),
        })
    }

    /// Stops the sandbox.
    pub(super) async fn end(&self) -> Result<(), CliError> {
        let output = self.command("sandbox down").stdout(Stdio::null()).stderr(Stdio::null()).status().await?;
        if output.success() {
            return Ok(());
        }
        Err(CliError::Failed {
            what: "the demo's sandbox did not stop".into(),
            next: format!("run `DRCTL_SANDBOX_HOME={} drctl sandbox down`", self.home.path().display()),
        })
    }

    pub(super) fn took(&self) -> String {
        took(self.begun.elapsed())
    }

    /// Announces a step.
    pub(super) fn step(&mut self, title: &str) {
        self.step += 1;
        self.step_begun = Instant::now();
        say(&format!("\n{}", self.style.strong(&format!("{}. {title}", self.step))));
    }

    /// Shows what is done as a command line.
    pub(super) fn say(&self, command: &str) {
        say(&self.style.dim(&format!("$ {command}")));
    }

    /// Tells what was checked, and how long the step took.
    pub(super) fn checked(&self, what: &str) {
        say(&self.style.good(&format!("✓ {} ({})", what.trim_end(), took(self.step_begun.elapsed()))));
    }

    /// Checks something, and ends the story if it is not so.
    pub(super) fn expect(&self, is_so: bool, what: &str) -> Result<(), CliError> {
        if is_so {
            self.checked(what);
            return Ok(());
        }
        Err(self.failed(&format!("not true: {what}")))
    }

    /// Runs drctl, and ends the story if it does not end with `exit`.
    pub(super) async fn drctl(&self, arguments: &str, exit: i32) -> Result<(), CliError> {
        self.say(&self.line(arguments));
        let status = self.command(arguments).status().await?;
        self.ended(arguments, status, exit)
    }

    /// Runs drctl until it ends with `exit`; only the last run is shown.
    pub(super) async fn until(&self, deadline: Duration, arguments: &str, exit: i32) -> Result<(), CliError> {
        self.say(&self.line(arguments));
        let end = Instant::now() + deadline;
        loop {
            let output = self.command(arguments).output().await?;
            if output.status.code() == Some(exit) || Instant::now() > end {
                io::stdout().write_all(&output.stdout)?;
                return self.ended(arguments, output.status, exit);
            }
            sleep(Duration::from_millis(300)).await;
        }
    }

    /// Runs drctl and returns the last line of its answer.
    pub(super) async fn answer_of(&self, arguments: &str) -> Result<String, CliError> {
        self.say(&self.line(arguments));
        let output = self.command(arguments).stderr(Stdio::inherit()).output().await?;
        self.ended(arguments, output.status, 0)?;
        let answer = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        writeln!(io::stdout(), "{answer}")?;
        Ok(answer)
    }

    /// Runs drctl and kills it without warning once it has made `steps` things.
    pub(super) async fn drctl_killed(&self, arguments: &str, steps: usize) -> Result<(), CliError> {
        self.say(&self.line(arguments));
        let mut child = self.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let mut made = 0;
        if let Some(stderr) = child.stderr.take() {
            let mut lines = BufReader::new(stderr).lines();
            while let Some(line) = lines.next_line().await? {
                say(&line);
                made += usize::from(line.contains(" created in "));
                if made == steps {
                    break;
                }
            }
        }
        child.kill().await?;
        if made < steps {
            return Err(self.failed(&format!("`drctl {arguments}` ended before it could be killed")));
        }
        say(&self.style.bad("killed (SIGKILL)"));
        Ok(())
    }

    /// Deletes the state of the story's system.
    pub(super) fn lose_state(&self) -> Result<(), CliError> {
        self.say("rm -r state/");
        Ok(fs_err::remove_dir_all(self.home.path().join("state"))?)
    }

    fn line(&self, arguments: &str) -> String {
        format!("drctl {}", self.arguments(arguments).join(" "))
    }

    fn arguments(&self, arguments: &str) -> Vec<String> {
        let mut all: Vec<String> = arguments.split_whitespace().map(str::to_owned).collect();
        if all.first().is_none_or(|command| command != "sandbox") {
            all.extend(self.spec.iter().cloned().chain(["--sandbox".to_owned()]));
        }
        all
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(self.arguments(arguments)).env("DRCTL_SANDBOX_HOME", self.home.path()).stdin(Stdio::null());
        command
    }

    fn ended(&self, arguments: &str, status: std::process::ExitStatus, exit: i32) -> Result<(), CliError> {
        if status.code() == Some(exit) {
            return Ok(());
        }
        Err(self.failed(&format!("`drctl {arguments}` ended with {status}, not with exit code {exit}")))
    }

    fn failed(&self, what: &str) -> CliError {
        CliError::Failed {
            what: format!("the demo stopped at step {}: {what}", self.step),
            next: "read what the step said above; this should not happen, so please report it".into(),
        }
    }
}

/// Asks again until the answer is yes or the time is up.
pub(super) async fn eventually<F>(deadline: Duration, mut ask: impl FnMut() -> F) -> Result<bool, Failure>
where
    F: Future<Output = Result<bool, Failure>>,
{
    let end = Instant::now() + deadline;
    loop {
        if ask().await? {
            return Ok(true);
        }
        if Instant::now() > end {
            return Ok(false);
        }
        sleep(Duration::from_millis(200)).await;
    }
}
