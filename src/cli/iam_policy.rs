//! `drctl iam-policy`

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde_json::{Value, json};

use super::error::CliError;
use super::exit::Exit;
use super::session::{Code, Session, SystemArgs};
use super::ui::Ui;
use crate::desired::Spec;
use crate::iam::{MANAGED_POLICY, Policy, Task};
use crate::ops::iam_policy;

/// Print the IAM policy that somebody needs who plans, applies, operates or destroys the system
///
/// It allows nothing beyond the calls that drctl makes for it, on the resources of the spec. What the spec no longer has
/// is deleted with the policy that was printed when it still had it.
#[derive(Debug, clap::Args)]
pub(super) struct IamPolicyArgs {
    /// What it is for
    #[arg(value_enum, value_name = "TASK")]
    task: Task,

    #[command(flatten)]
    system: SystemArgs,

    /// The account; without it that of the spec, else that of the credentials
    #[arg(long, value_name = "ID")]
    account: Option<String>,

    /// Write it to this folder, as one file or several that are each small enough for a managed policy
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,

    /// Print as one JSON document, with the policies that `--out` would write
    #[arg(long, conflicts_with = "out")]
    json: bool,
}

impl ValueEnum for Task {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Task::Plan => "`plan`, `drift`, `observe`, `output`, `health`: looks, and changes nothing",
            Task::Apply => "`apply`, `adopt`: makes and changes everything, and deletes what holds no data",
            Task::Operate => {
                "What is done by hand: values of secrets, stopping a function, moving traffic, calls of a URL"
            }
            Task::Destroy => "`destroy`: deletes everything, and empties buckets",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

/// A role takes this many managed policies, as long as nobody has raised the quota.
const ATTACHED: usize = 10;

pub(super) async fn run(args: &IamPolicyArgs, ui: &Ui) -> Result<Exit, CliError> {
    let spec = args.system.spec.load()?;
    let account = account(args, &spec, ui).await?;
    let task = args.task;
    let policy = iam_policy(task, &spec, &account);
    let documents = policy.documents(MANAGED_POLICY);
    if let Some(folder) = &args.out {
        let name = format!("{}-{}-{task}", spec.system.name.as_str(), spec.system.suffix.as_str());
        ui.answer(&write(folder, &name, &documents)?)?;
        for file in leftovers(folder, &name, documents.len()) {
            fs_err::remove_file(&file)?;
            ui.remark(&format!("{} was of an earlier policy, and is removed", file.display()));
        }
    } else if args.json {
        let document =
            json!({ "format_version": 1, "task": task.to_string(), "account": account, "policies": documents });
        ui.answer(&format!("{document:#}"))?;
    } else {
        show(&policy, documents.len(), ui)?;
    }
    if documents.len() > ATTACHED {
        ui.remark(&format!(
            "these are {} policies, and a role takes {ATTACHED}: ask AWS for a higher quota of managed policies for a role",
            documents.len()
        ));
    }
    Ok(Exit::Done)
}

/// Whose account: as the command line says, else the spec, else the credentials.
async fn account(args: &IamPolicyArgs, spec: &Spec, ui: &Ui) -> Result<String, CliError> {
    let wrong = |what| CliError::Usage { what, next: "write the twelve digits of the spec's account".into() };
    match (&args.account, &spec.system.account) {
        (Some(named), _) if named.len() != 12 || !named.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(wrong(format!("`{named}` is no AWS account")))
        }
        (Some(named), Some(account)) if named != account => Err(wrong(format!("the spec is for account {account}"))),
        (Some(account), _) | (None, Some(account)) => Ok(account.clone()),
        (None, None) => Ok(Session::open(&args.system, Code::Leave, ui).await?.cloud.clients().account.clone()),
    }
}

/// The whole policy to read, however long it is.
fn show(policy: &Policy, count: usize, ui: &Ui) -> Result<(), CliError> {
    ui.answer(&format!("{:#}", policy.document()))?;
    if count > 1 {
        ui.remark(&format!(
            "this is more than the {MANAGED_POLICY} characters of a managed policy; `--out FOLDER` writes it as {count}"
        ));
    }
    Ok(())
}

/// Writes the documents as numbered files, and says which.
fn write(folder: &Path, name: &str, documents: &[Value]) -> Result<String, CliError> {
    fs_err::create_dir_all(folder)?;
    let mut written = String::new();
    for (number, document) in (1..).zip(documents) {
        let file = folder.join(format!("{name}-{number}.json"));
        fs_err::write(&file, format!("{document:#}\n"))?;
        written.push_str(&format!("{}\n", file.display()));
    }
    Ok(written)
}

/// Files that an earlier run wrote and this one did not: whoever takes all of the folder would hand out their rights.
fn leftovers(folder: &Path, name: &str, count: usize) -> impl Iterator<Item = PathBuf> {
    let file = move |number: usize| folder.join(format!("{name}-{number}.json"));
    (count + 1..).map(file).take_while(|file| file.exists())
}
