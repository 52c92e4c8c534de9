//! `drctl destroy`

use jiff::{SignedDuration, Timestamp};

use super::apply::{carry_out, finish};
use super::buckets;
use super::degraded::all_answered;
use super::error::CliError;
use super::exit::Exit;
use super::session::{Code, Session, SystemArgs, complete};
use super::telling::{RunArgs, Telling};
use super::ui::Ui;
use crate::graph::Resource;
use crate::iam::Task;
use crate::kinds::Deletion;
use crate::kinds::key::Key;
use crate::kinds::secret::Secret;
use crate::kinds::table::Table;
use crate::kinds::table_replica::TableReplica;
use crate::plan::{self, Live, Plan, Sight};
use crate::render::{Style, amount};
use crate::state::{Reach, State};

/// Delete everything that belongs to the system
#[derive(Debug, clap::Args)]
pub(super) struct DestroyArgs {
    #[command(flatten)]
    system: SystemArgs,

    #[command(flatten)]
    run: RunArgs,

    /// The system's suffix, instead of being asked for it
    #[arg(long, value_name = "SUFFIX")]
    confirm: Option<String>,

    /// Delete tables although their deletion protection is on
    #[arg(long)]
    lift_protection: bool,

    /// Delete buckets with everything in them: objects, versions, unfinished uploads
    #[arg(long)]
    empty_buckets: bool,

    /// Delete secrets at once and for ever, without the 30 days in which `apply` would restore them
    #[arg(long)]
    force_delete_secrets: bool,
}

pub(super) async fn run(args: &DestroyArgs, ui: &mut Ui) -> Result<Exit, CliError> {
    let mut telling = Telling::new(Task::Destroy, &args.run, ui);
    let result = destroy(args, &mut telling).await;
    telling.end(result)
}

async fn destroy(args: &DestroyArgs, telling: &mut Telling<'_>) -> Result<Exit, CliError> {
    let ui = telling.ui;
    let mut session = Session::open(&args.system, Code::Leave, ui).await?;
    let deletion = if args.force_delete_secrets { Deletion::Final } else { Deletion::Recoverable };
    session.cloud = session.cloud.deleting(deletion);
    session.locked("destroy", Reach::Every, async |state| remove(args, deletion, &session, state, telling).await).await
}

async fn remove(
    args: &DestroyArgs,
    deletion: Deletion,
    session: &Session,
    state: &mut State,
    telling: &mut Telling<'_>,
) -> Result<Exit, CliError> {
    let ui = telling.ui;
    session.refuse_left_here(state)?;
    let observed = session.observe(state.known(), ui).await?;
    let plan = complete(plan::destroy(&session.subject(state.known()).basis(&observed)))?;
    telling.destruction(&plan)?;
    // Of a dark place nobody can say what is there, nor when nothing is left.
    all_answered(&observed, "nothing was deleted")?;
    if plan.has_changes() {
        tell_losses(&plan, deletion, telling)?;
        refuse_protected(&plan, args.lift_protection)?;
        buckets::check(session, &plan, args.empty_buckets, telling).await?;
        confirm(args, &plan, ui)?;
    }
    let outcome = carry_out(session, &plan, state, &args.run, telling).await?;
    finish(outcome, "destroy")?;
    let left = leftovers(session, state, ui).await?;
    ui.calls(session.cloud.calls());
    if !left.is_empty() {
        return Err(CliError::Unfinished {
            what: format!("still there: {}", left.join(", ")),
            next: "run `drctl destroy` again in a minute".into(),
        });
    }
    forget(session, state).await.map_err(|error| match plan.has_changes() {
        true => CliError::Unfinished {
            what: format!("everything is deleted, and the state is still there: {error}"),
            next: "run `drctl destroy` again".into(),
        },
        false => error,
    })?;
    let gone = amount(plan.pending().count(), "resource");
    ui.remark(&Style::for_stderr().good(&if plan.has_changes() {
        format!("destroyed: {gone} deleted, nothing left")
    } else {
        "nothing to destroy".to_owned()
    }));
    if session.spec.state.is_shared() {
        ui.remark("the state buckets stay: other systems may keep their state there, too");
    }
    Ok(Exit::Done)
}

/// Removes the state, and the overrides beside it, of what is gone.
async fn forget(session: &Session, state: &mut State) -> Result<(), CliError> {
    state.still_locked()?;
    release_all(session).await?;
    Ok(state.remove_if_empty().await?)
}

/// Lets go of what overrides keep: what they keep it of is gone.
async fn release_all(session: &Session) -> Result<(), CliError> {
    for held in session.store.overrides().await? {
        session.store.release_override(&held.id).await?;
    }
    Ok(session.store.forget_released().await?)
}

/// Says what data goes, by what AWS last counted.
fn tell_losses(plan: &Plan, deletion: Deletion, telling: &Telling<'_>) -> Result<(), CliError> {
    let until = |days: i64| (Timestamp::now() + SignedDuration::from_hours(24 * days)).strftime("%F").to_string();
    for change in plan.pending().filter(|change| change.address.kind == Key::KIND) {
        let what = "what is still encrypted with it";
        telling.loss(&change.address, what, Some(&until(Key::PENDING_DAYS.into())))?;
    }
    for change in plan.pending().filter(|change| change.address.kind == Secret::KIND) {
        match deletion {
            Deletion::Final => telling.loss(&change.address, "its value, at once and for ever", None)?,
            Deletion::Recoverable => {
                telling.loss(&change.address, "its value", Some(&until(Secret::RECOVERY_DAYS)))?;
            }
        }
    }
    for change in plan.pending().filter(|change| change.address.kind == Table::KIND) {
        let attribute = |name: &str| {
            change.before.as_ref().and_then(|live| live.attributes.get(name)).cloned().unwrap_or_else(|| "?".into())
        };
        let (items, bytes) = (attribute("items"), attribute("bytes"));
        let what = format!("about {items} items, {bytes} bytes (DynamoDB counts every six hours)");
        telling.loss(&change.address, &what, None)?;
    }
    Ok(())
}

/// Everything that would stop the run half-way is said before anything is deleted.
fn refuse_protected(plan: &Plan, lift_protection: bool) -> Result<(), CliError> {
    let tables = plan.pending().filter(|change| change.address.kind == TableReplica::KIND);
    let protected = tables.filter(|change| change.before.as_ref().is_some_and(Live::is_protected));
    let names: Vec<_> = protected.map(|change| change.address.to_string()).collect();
    if names.is_empty() || lift_protection {
        return Ok(());
    }
    Err(CliError::Refused {
        what: format!("deletion protection is on for {}; nothing was deleted", names.join(", ")),
        next: "add `--lift-protection` if these tables really are to go".into(),
    })
}

fn confirm(args: &DestroyArgs, plan: &Plan, ui: &Ui) -> Result<(), CliError> {
    let (suffix, account) = (&plan.owner.suffix, &plan.account);
    let typed = match &args.confirm {
        Some(typed) => Some(typed.clone()),
        None => ui.ask(&format!("Delete all of this in account {account}? Type the suffix `{suffix}` to go on:"))?,
    };
    match typed {
        Some(typed) if typed == *suffix => Ok(()),
        Some(typed) => Err(CliError::Refused {
            what: format!("`{typed}` is not the suffix `{suffix}`; nothing was deleted"),
            next: "check that this is the system you mean, and run the same command again".into(),
        }),
        None => Err(CliError::Refused {
            what: "there is no terminal to ask on; nothing was deleted".into(),
            next: format!("add `--confirm {suffix}` to delete without being asked"),
        }),
    }
}

/// Looks again for everything that was the system's.
async fn leftovers(session: &Session, state: &State, ui: &Ui) -> Result<Vec<String>, CliError> {
    let observed = session.observe(state.known(), ui).await?;
    let again = complete(plan::destroy(&session.subject(state.known()).basis(&observed)))?;
    if !again.dark.is_empty() {
        let places: Vec<_> = again.dark.keys().map(ToString::to_string).collect();
        return Err(CliError::Unfinished {
            what: format!("what could be deleted is deleted, and {} does not answer any more", places.join(", ")),
            next: "run `drctl destroy` again once it answers".into(),
        });
    }
    let there = again.pending().filter(|change| matches!(observed.seen.get(&change.address), Some(Sight::Live(_))));
    Ok(there.map(|change| change.address.to_string()).collect())
}
