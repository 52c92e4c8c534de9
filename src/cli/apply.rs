//! `drctl apply`

use std::path::PathBuf;

use super::degraded::DegradedArgs;
use super::error::CliError;
use super::exit::Exit;
use super::interrupt;
use super::limit::TargetArgs;
use super::plan::refuse_conflicts;
use super::saved::Planned;
use super::session::{Code, Session, SystemArgs, complete};
use super::telling::{RunArgs, Telling};
use super::ui::Ui;
use crate::graph::{Address, Meta};
use crate::iam::Task;
use crate::ops;
use crate::plan::guard::{self, Guard, Refusal};
use crate::plan::{Observation, Plan, plan};
use crate::render::{Style, amount, refusal_next, refusal_text};
use crate::run::{Options, Outcome, execute};
use crate::state::State;

/// Make AWS as the spec says
#[derive(Debug, clap::Args)]
pub(super) struct ApplyArgs {
    /// What `drctl plan --out` saved: does exactly that, from the spec inside of it, or refuses
    #[arg(value_name = "PLANFILE", conflicts_with_all = ["files", "values", "target"])]
    plan: Option<PathBuf>,

    #[command(flatten)]
    system: SystemArgs,

    #[command(flatten)]
    target: TargetArgs,

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten)]
    degraded: DegradedArgs,

    /// Do not ask
    #[arg(long)]
    yes: bool,

    #[command(flatten)]
    allow: AllowArgs,
}

/// What the guards let through.
#[derive(Debug, Clone, clap::Args)]
struct AllowArgs {
    /// Let this protected resource be deleted or replaced, with its data
    #[arg(long, value_name = "ADDRESS")]
    allow: Vec<Address>,

    /// Let more resources be deleted than stay
    #[arg(long)]
    allow_many_deletes: bool,
}

impl AllowArgs {
    /// The same again, for a command line.
    fn arguments(&self) -> Vec<String> {
        let allow = self.allow.iter().flat_map(|address| ["--allow".to_owned(), address.to_string()]);
        allow.chain(self.allow_many_deletes.then(|| "--allow-many-deletes".to_owned())).collect()
    }

    /// Refuses what the guards stop and the command line does not allow.
    fn refuse(&self, plan: &Plan, guard: Guard, observed: &Observation, kinds: &[Meta]) -> Result<(), CliError> {
        let allow = self.allow.iter().cloned().collect();
        let guard = Guard { allow, allow_many_deletes: self.allow_many_deletes, ..guard };
        let refusals = guard::check(plan, &guard, observed, kinds);
        if refusals.is_empty() {
            return Ok(());
        }
        let lines = |text: fn(&Refusal) -> String| refusals.iter().map(text).collect::<Vec<_>>().join("\n");
        Err(CliError::Refused { what: lines(refusal_text), next: lines(refusal_next) })
    }
}

impl ApplyArgs {
    /// The same again, for a command line; `--yes` is said anew.
    fn again(&self) -> String {
        let mut words = vec!["apply".to_owned()];
        words.extend(self.plan.as_ref().map(|file| file.display().to_string()));
        words.extend(self.system.arguments());
        words.extend(self.target.arguments());
        words.extend(self.degraded.arguments());
        words.extend(self.allow.arguments());
        words.join(" ")
    }
}

pub(super) async fn run(args: &ApplyArgs, ui: &mut Ui) -> Result<Exit, CliError> {
    let mut telling = Telling::new(Task::Apply, &args.run, ui);
    let result = apply(args, &mut telling).await;
    telling.end(result)
}

async fn apply(args: &ApplyArgs, telling: &mut Telling<'_>) -> Result<Exit, CliError> {
    let ui = telling.ui;
    let planned = args.plan.as_deref().map(Planned::read).transpose()?;
    let session = match &planned {
        Some(planned) => planned.open(args.system.sandbox, ui).await?,
        None => Session::open(&args.system, Code::Build, ui).await?,
    };
    let planned = planned.as_ref();
    session
        .locked("apply", args.degraded.reach(), async |state| converge(args, planned, &session, state, telling).await)
        .await
}

async fn converge(
    args: &ApplyArgs,
    planned: Option<&Planned>,
    session: &Session,
    state: &mut State,
    telling: &mut Telling<'_>,
) -> Result<Exit, CliError> {
    let ui = telling.ui;
    session.refuse_left_here(state)?;
    if let Some(planned) = planned {
        planned.check_state(&session.store, state.index())?;
    }
    let observed = session.observe(state.known(), ui).await?;
    let basis = session.subject(state.known()).basis(&observed);
    let plan = match planned {
        Some(planned) => planned.remaining(&plan(&basis), &basis)?,
        None => args.target.limit(plan(&basis), &session.kinds)?,
    };
    let plan = complete(plan)?;
    telling.plan(&plan)?;
    refuse_conflicts(&plan)?;
    args.degraded.check(&plan, "nothing was changed")?;
    args.allow.refuse(&plan, ops::guard(&session.spec, &observed), &observed, &session.kinds)?;
    if plan.has_changes() && !args.yes {
        confirm(&format!("Apply these changes in account {}?", plan.account), "apply", "nothing was changed", ui)?;
    }
    if let Some(planned) = planned {
        planned.sign(state);
    }
    let outcome = carry_out(session, &plan, state, &args.run, telling).await?;
    ui.calls(session.cloud.calls());
    finish(outcome, &args.again())?;
    if planned.is_some() && plan.dark.is_empty() {
        state.carried_out();
        state.save().await?;
    }
    if plan.has_changes() {
        ui.remark(
            &Style::for_stderr().good(&format!(
                "applied: {} done, and live as the spec says",
                amount(plan.pending().count(), "change")
            )),
        );
    }
    for site in plan.dark.keys() {
        let left_alone = amount(plan.left_alone(site).count(), "resource");
        ui.remark(&format!(
            "{left_alone} left alone, because {site} does not answer: run `drctl {}` again once it does",
            args.again()
        ));
    }
    Ok(Exit::Done)
}

/// Goes on only with a yes; `doing` is what `--yes` does without asking, `not_done` what is so without a yes.
pub(super) fn confirm(question: &str, doing: &str, not_done: &str, ui: &Ui) -> Result<(), CliError> {
    match ui.ask(&format!("{question} Type yes to go on:"))?.as_deref() {
        Some("yes") => Ok(()),
        Some(_) => Err(CliError::Refused {
            what: format!("declined; {not_done}"),
            next: "run the same command again and type yes".into(),
        }),
        None => Err(CliError::Refused {
            what: format!("there is no terminal to ask on; {not_done}"),
            next: format!("add `--yes` to {doing} without being asked"),
        }),
    }
}

/// Carries out a plan and tells about it.
pub(super) async fn carry_out(
    session: &Session,
    plan: &Plan,
    state: &mut State,
    args: &RunArgs,
    telling: &mut Telling<'_>,
) -> Result<Outcome, CliError> {
    let (run, lease) = (interrupt::Run::begin(), state.lease());
    let options = Options {
        kinds: &session.kinds,
        parallelism: args.parallelism.into(),
        stopping: &|| run.is_stopping() || lease.lost().is_some(),
        events: &*telling.listener(session),
    };
    let outcome = execute(&session.cloud, plan, state, &options).await;
    run.end(outcome.as_ref().is_ok_and(|outcome| !outcome.done.is_empty()));
    let mut outcome = outcome?;
    if !outcome.skipped.is_empty() && outcome.unsaved.is_none() {
        outcome.unsaved = lease.lost();
    }
    telling.came_to(&outcome);
    Ok(outcome)
}

/// Turns what is not finished into an error that says how to go on.
pub(super) fn finish(mut outcome: Outcome, command: &str) -> Result<(), CliError> {
    if outcome.is_complete() {
        return Ok(());
    }
    if let Some(error) = outcome.unsaved.take_if(|_| outcome.done.is_empty()) {
        return Err(error.into());
    }
    let mut parts = Vec::new();
    if !outcome.failed.is_empty() {
        parts.push(format!("{} failed", outcome.failed.len()));
    }
    if !outcome.skipped.is_empty() {
        parts.push(format!("{} left out", outcome.skipped.len()));
    }
    for (address, fields) in &outcome.different {
        let fields: Vec<_> = fields.iter().map(|field| field.path.as_str()).collect();
        parts.push(format!("{address} still differs in {}", fields.join(", ")));
    }
    for (address, site) in &outcome.unseen {
        parts.push(format!("{address} could not be read again, because {site} does not answer"));
    }
    if let Some(error) = &outcome.unsaved {
        parts.push(error.to_string());
    }
    let what = format!("not finished: {} done, {}", outcome.done.len(), parts.join(", "));
    let next = format!("put right what is named above, then run `drctl {command}` again: it continues from here");
    Err(if outcome.done.is_empty() { CliError::Failed { what, next } } else { CliError::Unfinished { what, next } })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: ApplyArgs,
    }

    #[test]
    fn the_command_that_goes_on_is_the_same_one_without_its_yes() {
        let again = |line: &str| Line::parse_from(line.split(' ')).args.again();
        for line in [
            "apply",
            "apply p.plan --sandbox --degraded --allow global/secret.key --allow-many-deletes",
            "apply -f a.toml -f b.toml --set system.suffix=x --target us-east-1",
        ] {
            assert_eq!(again(&format!("{line} --yes --parallelism 3")), line);
        }
    }
}
