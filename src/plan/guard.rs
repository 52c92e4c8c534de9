//! What a finished plan may not do without being told so, checked apart from the planning.

use std::collections::BTreeSet;

use super::{Action, Plan};
use crate::graph::Address;

/// What is protected, and what the user has allowed all the same.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// `[guard] protect`: kinds that are not deleted or replaced.
    pub protect: BTreeSet<String>,
    /// `--allow`: addresses that may be.
    pub allow: BTreeSet<Address>,
}

/// A change that a guard stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The protected resource.
    pub address: Address,
    /// What the plan would do to it.
    pub action: Action,
    /// The properties that force a replacement.
    pub because: Vec<String>,
}

/// The changes of `plan` that `guard` stops, in the order of addresses.
pub fn check(plan: &Plan, guard: &Guard) -> Vec<Refusal> {
    plan.pending()
        .filter(|change| {
            let current = change.address.current();
            // Told of already, by the replacement that leaves a former object behind.
            let told = current != change.address && plan.get(&current).is_some_and(|change| change.action.removes());
            change.action.removes()
                && guard.protect.contains(&change.address.kind)
                && !guard.allow.contains(&current)
                && !told
        })
        .map(|change| Refusal {
            address: change.address.clone(),
            action: change.action,
            because: change.forces_replacement.clone(),
        })
        .collect()
}
