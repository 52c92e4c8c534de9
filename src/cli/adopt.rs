//! `drctl adopt`

use std::collections::BTreeSet;

use super::apply::{carry_out, confirm, finish};
use super::degraded::refuse_dark;
use super::error::CliError;
use super::exit::Exit;
use super::session::{Code, Session, SystemArgs, while_locked};
use super::telling::{RunArgs, Telling};
use super::ui::Ui;
use crate::graph::{Address, Graph, Resource};
use crate::iam::Task;
use crate::kinds::function::Function;
use crate::plan::{Adoption, Hindrance, Observation, Stacks, adopt};
use crate::render::{Style, amount, hindrance_next, hindrance_text};
use crate::run::{leave_code, observe_lookalikes};
use crate::spec::did_you_mean;
use crate::state::{Known, Reach, State};

/// Take over what is live with the system's names and nobody's marks, and change nothing else of it
#[derive(Debug, clap::Args)]
pub(super) struct AdoptArgs {
    #[command(flatten)]
    system: SystemArgs,

    /// What to take over, with its parts
    #[arg(value_name = "ADDRESS", required_unless_present = "all", conflicts_with = "all")]
    addresses: Vec<Address>,

    /// Take over everything of the spec that is there
    #[arg(long)]
    all: bool,

    /// Also what a CloudFormation stack has made, which keeps it: `DeletionPolicy: Retain`
    #[arg(long)]
    stack_retained: bool,

    #[command(flatten)]
    run: RunArgs,

    /// Do not ask
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(args: &AdoptArgs, ui: &mut Ui) -> Result<Exit, CliError> {
    let mut telling = Telling::new(Task::Apply, &args.run, ui);
    let result = take_over(args, &mut telling).await;
    telling.end(result)
}

async fn take_over(args: &AdoptArgs, telling: &mut Telling<'_>) -> Result<Exit, CliError> {
    let ui = telling.ui;
    let session = Session::open(&args.system, Code::Leave, ui).await?;
    let asked = args.asked(&session.graph)?;
    let state = session.store.lock("adopt", Reach::Every).await?;
    while_locked(state, async |state| mark(args, &asked, session, state, telling).await).await
}

async fn mark(
    args: &AdoptArgs,
    asked: &BTreeSet<Address>,
    mut session: Session,
    state: &mut State,
    telling: &mut Telling<'_>,
) -> Result<Exit, CliError> {
    let ui = telling.ui;
    session.refuse_left_here(state)?;
    let observed = look(&session, state.known(), asked, ui).await?;
    leave_code(&mut session.graph, &observed);
    let stacks = if args.stack_retained { Stacks::Retained } else { Stacks::Refuse };
    let adoption = adopt(&session.subject(state.known()).basis(&observed), asked, stacks);
    refuse_dark(&adoption.plan.dark, "nothing was adopted")?;
    if !adoption.plan.failures.is_empty() {
        return Err(CliError::unreadable(adoption.plan.failures));
    }
    refuse_hindered(&adoption.hindrances)?;
    if !args.all {
        refuse_absent(&adoption)?;
    }
    telling.adoption(&adoption)?;
    tell_rest(args, &adoption, ui);
    let plan = &adoption.plan;
    if plan.has_changes() && !args.yes {
        confirm(&format!("Adopt all of this in account {}?", plan.account), "adopt", "nothing was changed", ui)?;
    }
    let outcome = carry_out(&session, plan, state, &args.run, telling).await?;
    ui.calls(session.cloud.calls());
    finish(outcome, &args.again())?;
    if plan.has_changes() {
        let adopted = amount(plan.changes.len(), "resource");
        ui.remark(&Style::for_stderr().good(&format!("adopted: {adopted}; `drctl plan` shows what is left to change")));
    }
    Ok(Exit::Done)
}

impl AdoptArgs {
    /// The same again, for a command line; `--yes` is said anew.
    fn again(&self) -> String {
        let mut words = vec!["adopt".to_owned()];
        words.extend(self.addresses.iter().map(ToString::to_string));
        words.extend(self.all.then(|| "--all".to_owned()));
        words.extend(self.system.arguments());
        words.extend(self.stack_retained.then(|| "--stack-retained".to_owned()));
        words.join(" ")
    }

    /// What of the spec is to be adopted.
    fn asked(&self, spec: &Graph) -> Result<BTreeSet<Address>, CliError> {
        let known: BTreeSet<Address> = spec.iter().map(|(address, _)| address.clone()).collect();
        if self.all {
            return Ok(known);
        }
        let unknown = self.addresses.iter().find(|address| !known.contains(*address));
        let Some(unknown) = unknown else { return Ok(self.addresses.iter().cloned().collect()) };
        let names: Vec<String> = known.iter().map(ToString::to_string).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Err(CliError::Usage {
            what: format!("the spec has no {unknown}"),
            next: did_you_mean(&unknown.to_string(), &names)
                .unwrap_or_else(|| "add it to the spec first; `drctl plan` shows what the spec has".into()),
        })
    }
}

async fn look(session: &Session, known: &Known, asked: &BTreeSet<Address>, ui: &Ui) -> Result<Observation, CliError> {
    let _working = ui.working("reading both regions");
    Ok(observe_lookalikes(&session.cloud, session.subject(known), asked).await?)
}

/// All of it is adopted, or nothing.
fn refuse_hindered(hindrances: &[(Address, Hindrance)]) -> Result<(), CliError> {
    if hindrances.is_empty() {
        return Ok(());
    }
    let what: Vec<_> = hindrances.iter().map(|(address, hindrance)| hindrance_text(address, hindrance)).collect();
    let next: BTreeSet<_> = hindrances.iter().map(|(address, hindrance)| hindrance_next(address, hindrance)).collect();
    Err(CliError::Refused {
        what: format!("{}\nnothing was adopted", what.join("\n")),
        next: Vec::from_iter(next).join("\n"),
    })
}

fn refuse_absent(adoption: &Adoption) -> Result<(), CliError> {
    if adoption.absent.is_empty() {
        return Ok(());
    }
    let absent: Vec<_> = adoption.absent.iter().map(ToString::to_string).collect();
    Err(CliError::Usage {
        what: format!("nothing is live at {}; nothing was adopted", absent.join(", ")),
        next: "leave it out: `drctl apply` makes it".into(),
    })
}

/// What is ours already, and what was not compared.
fn tell_rest(args: &AdoptArgs, adoption: &Adoption, ui: &Ui) {
    if args.all && !adoption.ours.is_empty() {
        ui.remark(&format!("this system's already: {}", amount(adoption.ours.len(), "resource")));
    }
    for address in adoption.ours.iter().filter(|_| !args.all) {
        ui.remark(&format!("this system's already: {address}"));
    }
    if adoption.plan.changes.iter().any(|change| change.address.kind == Function::KIND) {
        ui.remark("the functions' code was not built, and is not compared");
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: AdoptArgs,
    }

    #[test]
    fn the_command_that_goes_on_is_the_same_one_without_its_yes() {
        let again = |line: &str| Line::parse_from(line.split(' ')).args.again();
        for line in
            ["adopt us-east-1/function.pay global/table.payments -f a.toml", "adopt --all --sandbox --stack-retained"]
        {
            assert_eq!(again(&format!("{line} --yes --parallelism 3")), line);
        }
    }
}
