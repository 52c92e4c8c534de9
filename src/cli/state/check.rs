//! `drctl state check`

use miette::Diagnostic;

use crate::aws::Clients;
use crate::cli::degraded::all_answered;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::session::{Code, Session, SystemArgs, complete};
use crate::cli::ui::Ui;
use crate::desired::Spec;
use crate::iam::Task;
use crate::ops::state_bucket_lacks;
use crate::plan::{Action, Plan, plan};
use crate::render::{Style, amount, next_step};
use crate::run::leave_code;
use crate::state::{Content, Index, Known, Report, StateError};

/// Check that the state is whole: every copy, the buckets' protection, and whether what is recorded is live
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CheckArgs {
    #[command(flatten)]
    system: SystemArgs,
}

/// One thing that was looked at.
struct Finding {
    what: String,
    /// What to do, if it is not as it should be.
    next: Option<String>,
}

impl Finding {
    fn good(what: String) -> Self {
        Self { what, next: None }
    }

    fn bad(what: String, next: impl Into<String>) -> Self {
        Self { what, next: Some(next.into()) }
    }

    fn of(error: &dyn Diagnostic) -> Self {
        let next = error.help().map(|help| help.to_string());
        Self::bad(error.to_string(), next.unwrap_or_default())
    }
}

pub(super) async fn run(args: &CheckArgs, ui: &Ui) -> Result<Exit, CliError> {
    let mut session = Session::open(&args.system, Code::Leave, ui).await?;
    let (copies, known) = (session.store.look().await, session.store.read().await);
    let newest = known.as_ref().ok().map(|known| &known.index);
    let mut findings: Vec<Finding> = copies.iter().map(|copy| of_copy(copy, newest)).collect();
    findings.extend(of_buckets(session.cloud.clients(), &session.spec).await);
    let mut unknown = None;
    match &known {
        Ok(known) => match of_records(&mut session, known, ui).await {
            Ok(of_records) => findings.extend(of_records),
            Err(error) => unknown = Some(error),
        },
        Err(error) if is_told(error, &findings) => {}
        Err(error) => findings.push(Finding::of(error)),
    }
    let told = tell(&findings, ui);
    // What was found is told all the same.
    match unknown {
        Some(error) => Err(error),
        None => told,
    }
}

/// Whether a finding about a copy says what is wrong with the whole.
fn is_told(error: &StateError, findings: &[Finding]) -> bool {
    let of_a_copy =
        matches!(error, StateError::Damaged { .. } | StateError::DamagedCopy { .. } | StateError::NoBuckets { .. });
    of_a_copy || findings.iter().any(|finding| finding.what == error.to_string())
}

fn tell(findings: &[Finding], ui: &Ui) -> Result<Exit, CliError> {
    let style = Style::for_stdout();
    for Finding { what, next } in findings {
        ui.answer(&match next {
            None => style.good(&format!("✓ {what}")),
            Some(next) => format!("{}\n  {next}", style.bad(&format!("✗ {what}"))),
        })?;
    }
    match findings.iter().filter(|finding| finding.next.is_some()).count() {
        0 => Ok(Exit::Done),
        count => Err(CliError::Failed {
            what: format!("the state needs looking after: {}", amount(count, "finding")),
            next: "do what stands below each".into(),
        }),
    }
}

fn of_copy(copy: &Report, newest: Option<&Index>) -> Finding {
    let at = &copy.at;
    match (&copy.content, newest) {
        (Content::Index(index), Some(newest)) if index.serial < newest.serial => Finding::bad(
            format!("{at} has serial {}, and the newest copy has {}", index.serial, newest.serial),
            "the next `drctl apply` brings it up to date",
        ),
        (Content::Index(index), _) => Finding::good(format!("{at} has serial {}", index.serial)),
        (Content::Nothing, Some(newest)) if newest.serial > 0 => {
            Finding::bad(format!("{at} is not there"), "the next `drctl apply` writes it")
        }
        (Content::Nothing, _) => Finding::good(format!("{at} is not there, and nothing is recorded")),
        (Content::NoBucket, _) => Finding::bad(format!("{at}: there is no such bucket"), "run `drctl state init`"),
        (Content::Damaged(reason), _) => {
            Finding::bad(format!("{at} is damaged: {reason}"), "run `drctl state rebuild`")
        }
        (Content::Unreadable(error), _) => Finding::of(error.as_ref()),
    }
}

/// Whether each bucket is as safe as it should be. One that is not there was told of.
async fn of_buckets(clients: &Clients, spec: &Spec) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (region, wanted) in spec.state.buckets(spec) {
        let name = &wanted.name;
        match state_bucket_lacks(clients, &region, &wanted).await {
            Ok(Some(lacks)) if lacks.is_empty() => findings.push(Finding::good(format!("{name} is protected"))),
            Ok(Some(lacks)) => findings.push(Finding::bad(
                format!("{name} lacks {}", lacks.join(", ")),
                "run `drctl state init`, which mends what drctl made",
            )),
            Ok(None) => {}
            Err(failure) => findings.push(Finding::bad(
                format!("nobody can say whether {name} is protected: {failure}"),
                next_step(&failure, Task::Plan),
            )),
        }
    }
    findings
}

/// Whether what is recorded is live, and what is live is recorded.
async fn of_records(session: &mut Session, known: &Known, ui: &Ui) -> Result<Vec<Finding>, CliError> {
    let observed = session.observe(known, ui).await?;
    ui.calls(session.cloud.calls());
    all_answered(&observed, "nobody can say whether what is recorded there is live")?;
    leave_code(&mut session.graph, &observed);
    let plan = complete(plan(&session.subject(known).basis(&observed)))?;
    let findings = untrue(&plan, &known.index);
    if findings.is_empty() {
        let records = amount(known.index.resources.len(), "resource");
        return Ok(vec![Finding::good(format!("{records} recorded, and live"))]);
    }
    Ok(findings)
}

fn untrue(plan: &Plan, index: &Index) -> Vec<Finding> {
    let findings = plan.changes.iter().filter_map(|change| {
        let address = &change.address;
        let is_recorded = index.resources.contains_key(address);
        match (change.action, is_recorded, change.before.is_some()) {
            (Action::Forget, ..) => {
                Some(Finding::bad(format!("{address} is recorded, and gone"), "the next `drctl apply` forgets it"))
            }
            (_, true, false) => {
                Some(Finding::bad(format!("{address} is recorded, and gone"), "the next `drctl apply` makes it again"))
            }
            (_, false, true) => {
                Some(Finding::bad(format!("{address} is live, and not recorded"), "run `drctl state rebuild`"))
            }
            _ => None,
        }
    });
    findings.collect()
}
