//! `--target`: the part of a plan that was asked for.

use super::error::CliError;
use crate::graph::Meta;
use crate::plan::Plan;
use crate::plan::target::{Target, UnknownTarget, limit};
use crate::spec::did_you_mean;

/// Which part of a plan is wanted.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct TargetArgs {
    /// Only this resource and what it needs: an address, or all of a place (`us-east-1`), of a kind
    /// (`us-east-1/function`) or of a name (`function.payment-processor`)
    #[arg(long, value_name = "ADDRESS")]
    target: Vec<Target>,
}

impl TargetArgs {
    /// The same again, for a command line.
    pub(super) fn arguments(&self) -> impl Iterator<Item = String> {
        self.target.iter().flat_map(|target| ["--target".to_owned(), target.to_string()])
    }

    /// The part of `plan` that was asked for: all of it if nothing was.
    pub(super) fn limit(&self, plan: Plan, kinds: &[Meta]) -> Result<Plan, CliError> {
        if self.target.is_empty() {
            return Ok(plan);
        }
        limit(&plan, &self.target, kinds).map_err(|UnknownTarget { target, known }| {
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            CliError::Usage {
                what: format!("`{target}` names nothing in this plan"),
                next: did_you_mean(&target, &names).unwrap_or_else(|| {
                    "name a resource as the plan shows it (PLACE/KIND.NAME), or a PLACE or a KIND".into()
                }),
            }
        })
    }
}
