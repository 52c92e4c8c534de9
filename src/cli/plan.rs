//! `drctl plan`

use std::path::PathBuf;

use super::degraded::DegradedArgs;
use super::error::CliError;
use super::exit::Exit;
use super::limit::TargetArgs;
use super::session::{Code, Session, SystemArgs, complete};
use super::snapshot::Offline;
use super::ui::Ui;
use crate::kinds;
use crate::ops;
use crate::plan::{Plan, guard, plan};
use crate::render::{Style, plan_json, plan_text, refusal_next, refusal_text};

/// Show what `apply` would change, and change nothing
#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    system: SystemArgs,

    #[command(flatten)]
    target: TargetArgs,

    /// Plan from what `drctl observe --json` printed (`-`: from standard input) instead of live AWS;
    /// the functions' code is then not built and not compared
    #[arg(long, value_name = "FILE", conflicts_with = "sandbox")]
    observed: Option<PathBuf>,

    /// Print the plan as one JSON document
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    degraded: DegradedArgs,

    /// Exit with code 2 if there is anything to change
    #[arg(long)]
    detailed_exitcode: bool,
}

pub(super) async fn run(args: &PlanArgs, ui: &mut Ui) -> Result<Exit, CliError> {
    let (spec, observed, plan) = match &args.observed {
        Some(file) => {
            let offline = Offline::open(&args.system, file)?;
            let plan = plan(&offline.basis());
            (offline.spec, offline.snapshot.observed, plan)
        }
        None => {
            let session = Session::open(&args.system, Code::Build, ui).await?;
            let state = session.read_state().await?;
            let observed = session.observe(&state, ui).await?;
            let plan = plan(&session.subject(&state).basis(&observed));
            ui.calls(session.cloud.calls());
            (session.spec, observed, plan)
        }
    };
    let kinds = kinds::metas();
    let plan = complete(args.target.limit(plan, &kinds)?)?;
    if args.json {
        ui.answer(&plan_json(&plan))?;
    } else {
        ui.answer(&plan_text(&plan, Style::for_stdout()))?;
    }
    refuse_conflicts(&plan)?;
    for refusal in guard::check(&plan, &ops::guard(&spec, &observed), &observed, &kinds) {
        ui.remark(&format!("`apply` will refuse: {}; {}", refusal_text(&refusal), refusal_next(&refusal)));
    }
    args.degraded.check(&plan, "the plan is for the rest")?;
    Ok(if args.detailed_exitcode && plan.has_changes() { Exit::ChangesPending } else { Exit::Done })
}

/// Things that are not ours are never touched.
pub(super) fn refuse_conflicts(plan: &Plan) -> Result<(), CliError> {
    let Some(first) = plan.conflicts.first() else { return Ok(()) };
    let names: Vec<_> = plan.conflicts.iter().map(|conflict| conflict.address.to_string()).collect();
    let unmarked: Vec<_> = plan.conflicts.iter().filter(|conflict| conflict.belongs_to.is_none()).collect();
    let adopt = match unmarked.as_slice() {
        [] => String::new(),
        [one] => format!("take it over with `drctl adopt {}`, ", one.address),
        _ => "take over what carries nobody's marks with `drctl adopt --all`, ".into(),
    };
    Err(CliError::Refused {
        what: format!("drctl did not make what is called like {}, and leaves it alone", names.join(", ")),
        next: format!(
            "{adopt}choose another `suffix` in `[system]`, or remove `{}` yourself if nobody needs it",
            first.id
        ),
    })
}
