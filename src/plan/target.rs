//! Part of a plan: what was asked for, and what that needs.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use super::{Action, Plan};
use crate::graph::{Address, Meta};

/// Which resources are meant: one by its address, or all of a place, of a kind, or of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target(String);

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Target {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// A target that means nothing in a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownTarget {
    /// What was asked for.
    pub target: String,
    /// Everything that could have been.
    pub known: BTreeSet<String>,
}

/// The plan with nothing in it but what `targets` name and what that needs, and a warning of what was left out.
pub fn limit(plan: &Plan, targets: &[Target], kinds: &[Meta]) -> Result<Plan, UnknownTarget> {
    let known: BTreeSet<&Address> = plan
        .changes
        .iter()
        .map(|change| &change.address)
        .chain(plan.conflicts.iter().map(|conflict| &conflict.address))
        .chain(plan.failures.iter().map(|(address, _)| address))
        .collect();
    let mut wanted = BTreeSet::new();
    for Target(target) in targets {
        let meant = known.iter().filter(|address| names(&address.current()).contains(target));
        let meant: Vec<Address> = meant.map(|address| (*address).clone()).collect();
        if meant.is_empty() {
            let known = known.iter().flat_map(|address| names(address)).collect();
            return Err(UnknownTarget { target: target.clone(), known });
        }
        wanted.extend(meant);
    }
    Ok(part(plan, &needed(plan, wanted, kinds), "left out by `--target`; run without it to see everything"))
}

/// The plan with nothing in it but what is said of `wanted`, and a warning that `says` why there is more.
pub(super) fn part(plan: &Plan, wanted: &BTreeSet<Address>, says: &str) -> Plan {
    let (changes, others): (Vec<_>, Vec<_>) =
        plan.changes.iter().cloned().partition(|change| wanted.contains(&change.address));
    let mut warnings = plan.warnings.clone();
    let missed = others.iter().filter(|change| change.action.changes_aws()).count();
    if missed > 0 {
        let changes = if missed == 1 { "1 other change is".into() } else { format!("{missed} other changes are") };
        warnings.push(format!("{changes} {says}"));
    }
    let stays = others.iter().filter(|change| !matches!(change.action, Action::Create | Action::Forget));
    Plan {
        owner: plan.owner.clone(),
        account: plan.account.clone(),
        left_out: plan.left_out + stays.count(),
        changes,
        conflicts: plan.conflicts.iter().filter(|conflict| wanted.contains(&conflict.address)).cloned().collect(),
        outstanding: plan.outstanding.iter().filter(|(address, _)| wanted.contains(address)).cloned().collect(),
        warnings,
        failures: plan.failures.iter().filter(|(address, _)| wanted.contains(address)).cloned().collect(),
        dark: plan.dark.clone(),
    }
}

/// These resources with everything they need or wait for, and the parts of what is replaced, which have to
/// be made again.
pub fn needed(plan: &Plan, of: BTreeSet<Address>, kinds: &[Meta]) -> BTreeSet<Address> {
    let (mut found, mut new) = (BTreeSet::new(), Vec::from_iter(of));
    while let Some(address) = new.pop() {
        if !found.insert(address.clone()) {
            continue;
        }
        let Some(change) = plan.get(&address) else { continue };
        new.extend(change.needs.iter().chain(&change.waits_for).cloned());
        if change.action == Action::Replace {
            new.extend(plan.made_again_with(&address, kinds).map(|part| part.address.clone()));
        }
    }
    found
}

/// Everything that means `address`: `us-east-1/function.pay`, `us-east-1/function`, `us-east-1`,
/// `function.pay` and `function`.
fn names(address: &Address) -> [String; 5] {
    let Address { place, kind, .. } = address;
    [address.to_string(), format!("{place}/{kind}"), place.to_string(), address.without_place(), kind.clone()]
}
