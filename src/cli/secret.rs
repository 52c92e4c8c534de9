//! `drctl secret`

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Read};

use zeroize::Zeroizing;

use super::error::CliError;
use super::exit::Exit;
use super::interrupt;
use super::session::{Code, Session, SystemArgs};
use super::ui::Ui;
use crate::graph::{Failure, Region};
use crate::kinds::secret::Secret;
use crate::ops::{SecretStatus, SecretValue, put_secret, secret_in, wait_for_version};
use crate::spec::did_you_mean;

/// Set values of secrets, and see where which version is
#[derive(Debug, clap::Subcommand)]
pub(super) enum SecretCommand {
    Set(SetArgs),
    Status(StatusArgs),
}

/// Give a secret its value, read from standard input, and wait until every region has it
///
/// On a terminal the value is asked for and not shown. A line break at its end is not part of it.
#[derive(Debug, clap::Args)]
pub(super) struct SetArgs {
    #[command(flatten)]
    system: SystemArgs,

    /// The secret's name in the spec; without it, the only one
    name: Option<String>,

    /// Read the value from this open file descriptor instead
    #[arg(long, value_name = "N")]
    fd: Option<u32>,
}

/// Show versions, stages and replication of a secret in each region, and never its value
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    system: SystemArgs,

    /// The secret's name in the spec; without it, all
    name: Option<String>,
}

pub(super) async fn run(command: &SecretCommand, ui: &mut Ui) -> Result<Exit, CliError> {
    match command {
        SecretCommand::Set(args) => set(args, ui).await,
        SecretCommand::Status(args) => status(args, ui).await,
    }
}

async fn set(args: &SetArgs, ui: &Ui) -> Result<Exit, CliError> {
    let session = Session::open(&args.system, Code::Leave, ui).await?;
    let name = match names(&session, args.name.as_deref())?.as_slice() {
        [only] => only.clone(),
        several => {
            return Err(CliError::Usage {
                what: format!("the spec has {} secrets", several.len()),
                next: format!("name one: {}", several.join(", ")),
            });
        }
    };
    let aws_name = session.suffixed(&name);
    let home = home(&session, &name, &aws_name).await?;
    let value = read_value(args.fd, &name)?;
    let clients = session.cloud.clients();
    let version = put_secret(clients, &home, &aws_name, &value).await?;
    interrupt::changed();
    drop(value);
    ui.answer(&format!("{home}: version {version} is current"))?;
    for region in session.spec.regions().into_iter().filter(|region| *region != home) {
        let working = ui.working(&format!("waiting for {region}"));
        let waited = wait_for_version(clients, &home, &region, &aws_name, &version, &|what| working.now(&what)).await;
        drop(working);
        waited.map_err(|failure| CliError::Unfinished {
            what: format!("the value is set in {home}, and {region} does not have it: {failure}"),
            next: "run `drctl secret status` to see when it has come; the value need not be set again".into(),
        })?;
        ui.answer(&format!("{region}: version {version} is current"))?;
    }
    ui.calls(session.cloud.calls());
    Ok(Exit::Done)
}

/// Where the secret can be written, if it is there and ours.
async fn home(session: &Session, name: &str, aws_name: &str) -> Result<Region, CliError> {
    let found = async |region: &Region| secret_in(session.cloud.clients(), region, aws_name).await;
    let [first, second] = session.spec.regions();
    let status = match found(&first).await? {
        Some(status) => Some(status),
        None => found(&second).await?,
    };
    match status {
        Some(status) if !session.owner.owns(&status.tags) => Err(CliError::Refused {
            what: format!("drctl did not make the secret {aws_name}, and leaves it alone"),
            next: "choose another `suffix` in `[system]`, or set the value yourself".into(),
        }),
        Some(SecretStatus { deletion: None, home, .. }) => Ok(home),
        _ => Err(CliError::Failed {
            what: format!("the secret {name} is not there"),
            next: "run `drctl apply` first".into(),
        }),
    }
}

/// Reads a value from where it does not show: never from an argument, which every process can see.
fn read_value(fd: Option<u32>, name: &str) -> Result<SecretValue, CliError> {
    let bytes = match fd {
        Some(fd) => read_all(fs_err::File::open(format!("/dev/fd/{fd}"))?)?,
        None if io::stdin().is_terminal() => {
            let mut terminal = console::Term::stderr();
            io::Write::write_all(&mut terminal, format!("Value of {name} (not shown): ").as_bytes())?;
            Zeroizing::new(terminal.read_secure_line()?.into_bytes())
        }
        None => read_all(io::stdin().lock())?,
    };
    SecretValue::new(bytes).map_err(|error| CliError::Usage {
        what: format!("{error}; nothing was changed"),
        next: format!("write 1 to {} bytes of text to standard input", SecretValue::LARGEST),
    })
}

/// Reads to the end, or a little past what is too much. The room is taken at once: a buffer that
/// grows leaves copies behind.
fn read_all(source: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let most = SecretValue::LARGEST + 3;
    let mut bytes = Zeroizing::new(Vec::with_capacity(most + 1));
    source.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

async fn status(args: &StatusArgs, ui: &Ui) -> Result<Exit, CliError> {
    let session = Session::open(&args.system, Code::Leave, ui).await?;
    let (mut text, mut dark) = (String::new(), None);
    for name in names(&session, args.name.as_deref())? {
        let aws_name = session.suffixed(&name);
        let mut seen = Vec::new();
        for region in session.spec.regions() {
            let found = secret_in(session.cloud.clients(), &region, &aws_name).await;
            if let Err(failure) = &found {
                dark.get_or_insert_with(|| failure.clone());
            }
            seen.push((region, found));
        }
        describe(&name, &aws_name, &seen, &mut text);
    }
    ui.answer(&text)?;
    ui.calls(session.cloud.calls());
    dark.map_or(Ok(Exit::Done), |failure| Err(failure.into()))
}

type Seen = (Region, Result<Option<SecretStatus>, Failure>);

fn describe(name: &str, aws_name: &str, seen: &[Seen], text: &mut String) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{name} ({aws_name})");
    for (region, found) in seen {
        let _ = match found {
            Err(failure) if failure.class.is_unanswered() => writeln!(text, "  {region}  does not answer"),
            Err(failure) => writeln!(text, "  {region}  cannot be read: {failure}"),
            Ok(None) => writeln!(text, "  {region}  not there"),
            Ok(Some(status)) => describe_in(region, aws_name, status, seen, text),
        };
    }
}

fn describe_in(
    region: &Region,
    aws_name: &str,
    status: &SecretStatus,
    seen: &[Seen],
    text: &mut String,
) -> std::fmt::Result {
    let standing = if status.home == *region {
        "primary".to_owned()
    } else {
        let replicas = seen.iter().filter_map(|(_, found)| found.as_ref().ok()?.as_ref()).flat_map(|at| &at.replicas);
        match replicas.into_iter().find(|(at, ..)| at == region) {
            Some((_, state, Some(reason))) => format!("replica of {}, {state}: {reason}", status.home),
            Some((_, state, None)) => format!("replica of {}, {state}", status.home),
            None => format!("replica of {}", status.home),
        }
    };
    writeln!(text, "  {region}  {standing}")?;
    for (version, stages) in &status.versions {
        let note = if *version == Secret::placeholder_version(aws_name) { "  (drctl's placeholder)" } else { "" };
        writeln!(text, "    {:<12}  {version}{note}", stages.join(", "))?;
    }
    if let Some(changed) = status.changed {
        writeln!(text, "    last changed  {changed}")?;
    }
    if let Some(deletion) = status.deletion {
        writeln!(text, "    scheduled for deletion  {deletion}; `drctl apply` restores it")?;
    }
    Ok(())
}

/// The secrets of the spec: the one that is named, or all.
fn names(session: &Session, named: Option<&str>) -> Result<Vec<String>, CliError> {
    let all: Vec<&str> = session.spec.secrets.keys().map(String::as_str).collect();
    match named {
        None if all.is_empty() => Err(CliError::Usage {
            what: "the spec has no secret".into(),
            next: "add a table such as `[secret.payment-api-keys]` and run `drctl apply`".into(),
        }),
        None => Ok(all.into_iter().map(str::to_owned).collect()),
        Some(name) if all.contains(&name) => Ok(vec![name.to_owned()]),
        Some(name) => Err(CliError::Usage {
            what: format!("there is no secret named `{name}`"),
            next: match did_you_mean(name, &all) {
                Some(question) => question,
                None if all.is_empty() => "the spec has none".into(),
                None => format!("use one of: {}", all.join(", ")),
            },
        }),
    }
}
