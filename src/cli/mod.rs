//! The command line: one file per command, each gathers, decides and shows.

mod adopt;
mod apply;
mod buckets;
mod degraded;
mod demo;
mod destroy;
mod drift;
mod error;
mod exit;
mod graph;
mod health;
mod iam_policy;
mod interrupt;
mod limit;
mod observe;
mod output;
mod package;
mod pay;
mod plan;
mod sandbox;
mod saved;
mod secret;
mod session;
mod snapshot;
mod spec;
mod state;
mod telling;
mod ui;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use exit::Exit;
use ui::Ui;

use crate::iam::Task;
use crate::render::say;

/// One TOML spec, one reconciler for a two-region disaster-recovery system on AWS
#[derive(Debug, Parser)]
#[command(name = "drctl", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// Show each AWS call with its place and time, and the total
    #[arg(short, long, global = true)]
    verbose: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Plan(plan::PlanArgs),
    Apply(apply::ApplyArgs),
    Adopt(adopt::AdoptArgs),
    Destroy(destroy::DestroyArgs),
    Drift(drift::DriftArgs),
    Observe(observe::ObserveArgs),
    Output(output::OutputArgs),
    Pay(pay::PayArgs),
    Health(health::HealthArgs),
    Package(package::PackageArgs),
    /// Look at the spec itself; AWS is not asked
    #[command(subcommand)]
    Spec(spec::SpecCommand),
    Graph(graph::GraphArgs),
    IamPolicy(iam_policy::IamPolicyArgs),
    /// Set values of secrets, and see where which version is
    #[command(subcommand)]
    Secret(secret::SecretCommand),
    /// Look after what drctl remembers: where it is, who has it locked, whether it is whole
    #[command(subcommand)]
    State(state::StateCommand),
    /// Work with the embedded AWS that `--sandbox` uses
    #[command(subcommand)]
    Sandbox(sandbox::SandboxCommand),
    Demo(demo::DemoArgs),
}

impl Command {
    /// Whose policy its caller should have.
    fn task(&self) -> Task {
        match self {
            Command::Apply(_) | Command::Adopt(_) | Command::Demo(_) => Task::Apply,
            Command::Destroy(_) => Task::Destroy,
            Command::Secret(secret::SecretCommand::Set(_)) | Command::Pay(_) | Command::Health(_) => Task::Operate,
            _ => Task::Plan,
        }
    }
}

/// Runs drctl and says how it ended.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    log(arguments.verbose);
    // The terminal wraps by itself, and what it wraps can still be copied in one piece.
    let whole_lines = || Box::new(miette::MietteHandlerOpts::new().wrap_lines(false).build());
    miette::set_hook(Box::new(move |_| whole_lines())).expect("nothing was reported yet");
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            say(&format!("drctl cannot start: {error}"));
            return Exit::Failed.into();
        }
    };
    runtime.block_on(run(arguments)).into()
}

async fn run(arguments: Arguments) -> Exit {
    tokio::spawn(interrupt::listen());
    let mut ui = Ui::new(arguments.verbose);
    let result = match &arguments.command {
        Command::Plan(args) => plan::run(args, &mut ui).await,
        Command::Apply(args) => apply::run(args, &mut ui).await,
        Command::Adopt(args) => adopt::run(args, &mut ui).await,
        Command::Destroy(args) => destroy::run(args, &mut ui).await,
        Command::Drift(args) => drift::run(args, &mut ui).await,
        Command::Observe(args) => observe::run(args, &mut ui).await,
        Command::Output(args) => output::run(args, &mut ui).await,
        Command::Pay(args) => pay::run(args, &mut ui).await,
        Command::Health(args) => health::run(args, &mut ui).await,
        Command::Package(args) => package::run(args, &mut ui),
        Command::Spec(command) => spec::run(command, &ui),
        Command::Graph(args) => graph::run(args, &ui),
        Command::IamPolicy(args) => iam_policy::run(args, &ui).await,
        Command::Secret(command) => secret::run(command, &mut ui).await,
        Command::State(command) => state::run(command, &mut ui).await,
        Command::Sandbox(command) => sandbox::run(command, &mut ui).await,
        Command::Demo(args) => demo::run(args, &mut ui).await,
    };
    interrupt::left_alone().await;
    result.unwrap_or_else(|error| {
        let exit = error.exit();
        say(&format!("{:?}", miette::Report::new(error.during(arguments.command.task()))));
        exit
    })
}

/// Help and version are answers; everything else is a wrong command line.
fn usage(error: &clap::Error) -> ExitCode {
    // Without a terminal to write to there is nobody to tell.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Exit::Done.into(),
        _ => Exit::Usage.into(),
    }
}

/// Sends drctl's own log to standard error: each AWS call with `-v`, or what `DRCTL_LOG` asks for.
/// Whatever it asks for, libraries say no more than their notices: in detail, the SDK shows bodies of
/// requests, and one of them holds the value of a secret.
fn log(verbose: bool) {
    use tracing::level_filters::LevelFilter;
    use tracing_subscriber::filter::{EnvFilter, filter_fn};
    use tracing_subscriber::fmt;
    use tracing_subscriber::prelude::*;
    let wanted =
        std::env::var("DRCTL_LOG").unwrap_or_else(|_| if verbose { "drctl::aws=debug".into() } else { "off".into() });
    let discreet = filter_fn(|meta| meta.target().starts_with("drctl") || *meta.level() <= LevelFilter::INFO);
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(false).with_target(false).without_time();
    tracing_subscriber::registry().with(lines.with_filter(discreet)).with(EnvFilter::new(wanted)).init();
}
