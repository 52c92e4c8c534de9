//! `--degraded`: going on although a place does not answer.

use std::collections::BTreeMap;

use super::error::CliError;
use super::ui::Ui;
use crate::graph::{Failure, Site};
use crate::plan::{Observation, Plan};
use crate::state::Reach;

/// What to do when a place does not answer.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct DegradedArgs {
    /// Go on although a region, IAM or Route 53 does not answer, and leave alone what cannot be known
    #[arg(long)]
    degraded: bool,
}

impl DegradedArgs {
    /// The same again, for a command line.
    pub(super) fn arguments(&self) -> Option<String> {
        self.degraded.then(|| "--degraded".to_owned())
    }

    /// How much of the state has to answer.
    pub(super) fn reach(&self) -> Reach {
        if self.degraded { Reach::Any } else { Reach::Every }
    }

    /// A plan with dark places is good enough only for those who said so.
    pub(super) fn check(&self, plan: &Plan, what: &str) -> Result<(), CliError> {
        if plan.dark.is_empty() || self.degraded {
            return Ok(());
        }
        let next =
            "run the same command again once it answers, or add `--degraded` to leave alone what cannot be known";
        Err(CliError::dark(&plan.dark, what, next))
    }
}

/// Says of which places the values are only remembered.
pub(super) fn tell_dark(observed: &Observation, ui: &Ui) {
    for site in observed.dark.keys() {
        ui.remark(&format!("{site} does not answer: what it should tell is as it was at the last apply"));
    }
}

/// What is missing is not there, unless a place does not answer that may have it: then `what`.
pub(super) fn all_answered(observed: &Observation, what: &str) -> Result<(), CliError> {
    refuse_dark(&observed.dark, what)
}

/// Goes on only if no place is dark of which something had to be known.
pub(super) fn refuse_dark(dark: &BTreeMap<Site, Failure>, what: &str) -> Result<(), CliError> {
    if dark.is_empty() { Ok(()) } else { Err(CliError::dark(dark, what, "run the same command again once it answers")) }
}
