//! Seeing what is live: everything desired, recorded or marked, in one go.

use std::collections::{BTreeMap, BTreeSet};

use super::cloud::{Cloud, Freshness};
use crate::graph::{Address, Failure, Graph, Meta, Owner};
use crate::kinds::Target;
use crate::plan::{Basis, Observation, plan};
use crate::state::Index;

/// What is looked at: a system as the spec, the state and its marks know it.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// What the spec wants.
    pub desired: &'a Graph,
    /// What drctl remembers.
    pub recorded: &'a Index,
    /// Whose system it is.
    pub owner: &'a Owner,
    /// The kinds in dependency order.
    pub kinds: &'a [Meta],
}

impl<'a> Subject<'a> {
    /// The basis of a plan, with what was observed.
    pub fn basis(&self, observed: &'a Observation) -> Basis<'a> {
        Basis { desired: self.desired, observed, recorded: self.recorded, owner: self.owner, kinds: self.kinds }
    }
}

/// Observes a system. Known addresses are the union of spec, state and ownership marks,
/// so a lost state and a crash between a creation and its record both lose nothing.
pub async fn observe<C: Cloud>(cloud: &C, subject: Subject<'_>) -> Result<Observation, Failure> {
    let mut targets: BTreeMap<Address, String> = BTreeMap::new();
    for (address, node) in subject.desired.iter() {
        if let Some(id) = &node.id {
            targets.insert(address.clone(), id.clone());
        }
    }
    for (address, record) in &subject.recorded.resources {
        targets.entry(address.clone()).or_insert_with(|| record.id.clone());
    }
    let known: BTreeSet<String> = targets.values().cloned().collect();
    for found in cloud.discover(subject.owner, &known).await? {
        targets.entry(found.address).or_insert(found.id);
    }
    let targets: Vec<_> = targets.into_iter().map(|(address, id)| Target { address, id }).collect();
    let mut observed = Observation {
        account: cloud.account().to_owned(),
        seen: cloud.observe(targets.clone(), Freshness::Indexed).await,
    };
    let doubtful = doubtful(subject, &observed);
    if !doubtful.is_empty() {
        let again = targets.into_iter().filter(|target| doubtful.contains(&target.address)).collect();
        observed.seen.extend(cloud.observe(again, Freshness::Strict).await);
    }
    Ok(observed)
}

/// Differences in tags alone: the tagging API may be behind, so these are read again before anybody sees them.
fn doubtful(subject: Subject<'_>, observed: &Observation) -> BTreeSet<Address> {
    let draft = plan(&subject.basis(observed));
    let only_tags = draft
        .pending()
        .filter(|change| !change.fields.is_empty() && change.fields.iter().all(|field| field.field() == "tags"));
    only_tags
        .map(|change| change.address.clone())
        .chain(draft.conflicts.iter().map(|conflict| conflict.address.clone()))
        .collect()
}
