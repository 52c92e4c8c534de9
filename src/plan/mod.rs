//! What has to change: a pure function of the desired graph, what was observed
//! and what is recorded. Knows no kind of resource, no clock, no file, no network.

mod adopt;
mod dark;
mod decide;
mod diff;
mod drift;
pub mod guard;
mod held;
mod observation;
mod stale;
pub mod target;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use adopt::{Adoption, Hindrance, Stacks, adopt};
pub use decide::{Basis, destroy, plan};
pub use diff::{FieldDiff, diff};
pub use drift::{Drift, Happened, SpecSince, drift};
pub use held::{HeldProperty, Hold};
pub use observation::{Live, Observation, Sight, lasting};
pub use stale::{Moved, Stale, remaining};

use crate::graph::{Address, Failure, Meta, Owner, Properties, Site, printable};

/// What will be done to one resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Make it.
    Create,
    /// Change it in place.
    Update,
    /// Delete it and make it anew.
    Replace,
    /// Delete it.
    Delete,
    /// Write drctl's marks on it and record it; everything else stays as it is.
    Adopt,
    /// Drop its record: it is gone, or no longer ours.
    Forget,
    /// Leave it alone.
    NoOp,
}

impl Action {
    /// Whether AWS sees a write.
    pub fn changes_aws(self) -> bool {
        !matches!(self, Action::Forget | Action::NoOp)
    }

    /// Whether what is there now goes away.
    pub fn removes(self) -> bool {
        matches!(self, Action::Replace | Action::Delete)
    }
}

/// Why. It explains a decision and is never used to make one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// In the spec and not in AWS.
    New,
    /// The spec says something else than it did at the last apply.
    SpecChanged,
    /// Changed or deleted outside drctl since the last apply.
    Drifted,
    /// Both the spec and the live resource have changed since the last apply.
    SpecChangedAndDrifted,
    /// Live and spec differ, and no record tells which of them moved.
    Differs,
    /// A value that comes from another resource will change.
    DependencyChanged,
    /// No longer in the spec.
    RemovedFromSpec,
    /// The whole system is to go.
    Destroy,
    /// Already gone from AWS.
    Gone,
    /// Live as the spec says.
    InSync,
    /// Live as an override says, and not as the spec does.
    Held,
    /// Its place does not answer: nobody knows what is there.
    Dark,
    /// It differs, and is not changed before a place answers that it depends on.
    WaitsForPlace,
    /// It has this system's name, and nobody's marks.
    Unmarked,
}

/// One resource and what will be done to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Which resource.
    pub address: Address,
    /// What AWS knows it by, or will know it by if that can be told beforehand.
    pub id: Option<String>,
    /// What will be done.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The properties that differ, in the order of the kind's struct; of what is adopted, those that the next
    /// apply will change.
    pub fields: Vec<FieldDiff>,
    /// Properties that cannot be changed in place, if any of them differ.
    pub forces_replacement: Vec<String>,
    /// The place that does not answer, if that is the reason.
    pub dark: Option<Site>,
    /// What is live now.
    pub before: Option<Live>,
    /// What is wanted; may hold references that only the run can fill in.
    pub after: Option<Properties>,
    /// What overrides keep of it.
    pub held: Vec<Hold>,
    /// Changes of this plan that have to be done first.
    pub waits_for: BTreeSet<Address>,
    /// Everything the resource needs before it, to be recorded.
    pub needs: BTreeSet<Address>,
    /// What comes of the change that one might not expect.
    pub consequence: Option<String>,
}

/// Something with our name that is not ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The address in our spec.
    pub address: Address,
    /// What AWS knows it by.
    pub id: String,
    /// The other drctl system it belongs to; `None` if it carries no marks at all.
    pub belongs_to: Option<String>,
    /// The CloudFormation stack it was made by, if it was.
    pub stack: Option<String>,
}

impl Conflict {
    pub(super) fn new(address: &Address, live: &Live, belongs_to: Option<String>) -> Self {
        let stack = live.stack().map(str::to_owned);
        Self { address: address.clone(), id: live.id.clone(), belongs_to, stack }
    }

    /// Who has it, for people: `carries none of drctl's marks`.
    pub fn whose(&self) -> String {
        match (&self.belongs_to, &self.stack) {
            (Some(system), _) => format!("belongs to another system ({})", printable(system)),
            (None, Some(stack)) => format!("was made by the CloudFormation stack {}", printable(stack)),
            (None, None) => "carries none of drctl's marks".to_owned(),
        }
    }
}

/// Every decision, in the order of addresses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Whose plan it is.
    pub owner: Owner,
    /// The AWS account it was made for.
    pub account: String,
    /// One entry for every resource wanted, recorded or found.
    pub changes: Vec<Change>,
    /// Things in the way that drctl will not touch.
    pub conflicts: Vec<Conflict>,
    /// What people have to do outside drctl, by the resource that waits for it.
    pub outstanding: Vec<(Address, String)>,
    /// What the spec asks for and AWS will not do the way one might expect.
    pub warnings: Vec<String>,
    /// Resources that could not be read; the plan is incomplete while there are any.
    pub failures: Vec<(Address, Failure)>,
    /// How many resources that are there the plan is not about, because it was limited.
    pub left_out: usize,
    /// Places that do not answer; what depends on them is left alone.
    pub dark: BTreeMap<Site, Failure>,
}

impl Plan {
    /// A plan in which nothing is decided yet.
    fn empty(basis: &Basis<'_>) -> Self {
        Self {
            owner: basis.owner.clone(),
            account: basis.observed.account.clone(),
            changes: Vec::new(),
            conflicts: Vec::new(),
            outstanding: Vec::new(),
            warnings: Vec::new(),
            failures: Vec::new(),
            left_out: 0,
            dark: basis.observed.dark.clone(),
        }
    }

    /// The changes that AWS will see.
    pub fn pending(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.action.changes_aws())
    }

    /// Whether AWS will see any change.
    pub fn has_changes(&self) -> bool {
        self.pending().next().is_some()
    }

    /// What whoever reads the plan should know: the warnings, and what comes of the changes.
    pub fn notices(&self) -> Vec<String> {
        let mut consequences: Vec<(&str, Vec<String>)> = Vec::new();
        for change in &self.changes {
            let Some(what) = change.consequence.as_deref() else { continue };
            match consequences.iter_mut().find(|(known, _)| *known == what) {
                Some((_, addresses)) => addresses.push(change.address.to_string()),
                None => consequences.push((what, vec![change.address.to_string()])),
            }
        }
        let told = consequences.into_iter().map(|(what, addresses)| format!("{}: {what}", addresses.join(", ")));
        self.warnings.iter().cloned().chain(told).collect()
    }

    /// How many changes have this action; what a dark place keeps from being known is none of them.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action && change.dark.is_none()).count()
    }

    /// What is left alone because a place does not answer.
    pub fn left_alone(&self, site: &Site) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.dark.as_ref() == Some(site))
    }

    /// The parts of `whole`, which is replaced, that have to be made again after it.
    pub fn made_again_with(&self, whole: &Address, kinds: &[Meta]) -> impl Iterator<Item = &Change> {
        self.pending().filter(move |part| {
            let meta = Meta::find(kinds, &part.address);
            meta.and_then(|meta| meta.part_of) == Some(&whole.kind) && part.needs.contains(whole)
        })
    }

    /// One change by address.
    pub fn get(&self, address: &Address) -> Option<&Change> {
        self.changes.iter().find(|change| &change.address == address)
    }
}
