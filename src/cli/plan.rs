//! `drctl plan`

use std::path::PathBuf;

use super::degraded::DegradedArgs;
use super::error::CliError;
use super::exit::Exit;
use super::limit::TargetArgs;
use super::saved::save;
use super::session::{Code, Session, SystemArgs, complete};
use super::snapshot::Offline;
use super::ui::Ui;
use crate::desired::Spec;
use crate::kinds;
use crate::ops;
use crate::plan::{Observation, Plan, guard, plan};
use crate::render::{Style, plan_json, plan_markdown, plan_text, refusal_next, refusal_text};
use crate::saved;

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

    /// Save the plan in this file, with all that `drctl apply FILE` needs to do exactly what it says
    #[arg(long, value_name = "FILE", conflicts_with = "observed")]
    out: Option<PathBuf>,

    /// Print the plan as one JSON document
    #[arg(long)]
    json: bool,

    /// Print the plan as Markdown, for a comment on a pull request
    #[arg(long, conflicts_with = "json")]
    markdown: bool,

    #[command(flatten)]
    degraded: DegradedArgs,

    /// Exit with code 2 if there is anything to change
    #[arg(long)]
    detailed_exitcode: bool,
}

pub(super) async fn run(args: &PlanArgs, ui: &mut Ui) -> Result<Exit, CliError> {
    if let Some(file) = &args.observed {
        let offline = Offline::open(&args.system, file)?;
        let plan = args.part(plan(&offline.basis()))?;
        return args.show(&plan, &offline.spec, &offline.snapshot.observed, ui);
    }
    if let Some(file) = &args.out {
        saved::clear(file)?;
    }
    let session = Session::open(&args.system, Code::Build, ui).await?;
    let known = session.read_state().await?;
    let observed = session.observe(&known, ui).await?;
    let plan = args.part(plan(&session.subject(&known).basis(&observed)))?;
    ui.calls(session.cloud.calls());
    let exit = args.show(&plan, &session.spec, &observed, ui)?;
    if let Some(file) = &args.out {
        save(file, plan, &session, &known, ui)?;
    }
    Ok(exit)
}

impl PlanArgs {
    /// The part of `plan` that was asked for, if everything could be read.
    fn part(&self, plan: Plan) -> Result<Plan, CliError> {
        complete(self.target.limit(plan, &kinds::metas())?)
    }

    /// Shows the plan, with what `apply` would say to it.
    fn show(&self, plan: &Plan, spec: &Spec, observed: &Observation, ui: &Ui) -> Result<Exit, CliError> {
        let refusals = guard::check(plan, &ops::guard(spec, observed), observed, &kinds::metas());
        ui.answer(&if self.json {
            plan_json(plan)
        } else if self.markdown {
            plan_markdown(plan, &refusals)
        } else {
            plan_text(plan, Style::for_stdout())
        })?;
        refuse_conflicts(plan)?;
        for refusal in refusals {
            ui.remark(&format!("`apply` will refuse: {}; {}", refusal_text(&refusal), refusal_next(&refusal)));
        }
        self.degraded.check(plan, "the plan is for the rest")?;
        Ok(if self.detailed_exitcode && plan.has_changes() { Exit::ChangesPending } else { Exit::Done })
    }
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
