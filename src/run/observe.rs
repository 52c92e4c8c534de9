//! Seeing what is live: everything desired, recorded or marked, in one go.

use std::collections::{BTreeMap, BTreeSet};

use super::cloud::{Cloud, Freshness};
use super::options::is_created_first;
use crate::graph::{Address, Failure, Graph, Meta, Owner, Reference};
use crate::kinds::Target;
use crate::plan::{Basis, Live, Observation, Sight, plan};
use crate::state::{Index, Override};

/// What is looked at: a system as the spec, the state and its marks know it.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// What the spec wants.
    pub desired: &'a Graph,
    /// What drctl remembers.
    pub recorded: &'a Index,
    /// What was changed on purpose and is to stay.
    pub overrides: &'a [Override],
    /// Whose system it is.
    pub owner: &'a Owner,
    /// The kinds in dependency order.
    pub kinds: &'a [Meta],
}

impl<'a> Subject<'a> {
    /// The basis of a plan, with what was observed.
    pub fn basis(&self, observed: &'a Observation) -> Basis<'a> {
        let Self { desired, recorded, overrides, owner, kinds } = *self;
        Basis { desired, observed, recorded, overrides, owner, kinds }
    }
}

/// Observes a system. Known addresses are the union of spec, state and ownership marks,
/// so a lost state and a crash between a creation and its record both lose nothing.
pub async fn observe<C: Cloud>(cloud: &C, subject: Subject<'_>) -> Result<Observation, Failure> {
    let mut known = Known { subject, ids: BTreeMap::new() };
    for (address, node) in subject.desired.iter() {
        if let Some(id) = &node.id {
            known.add(address, id);
        }
    }
    for (address, record) in &subject.recorded.resources {
        known.add(address, &record.id);
    }
    let sure: BTreeSet<String> = known.ids.values().flatten().cloned().collect();
    for found in cloud.discover(subject.owner, &sure).await? {
        known.add(&found.address, &found.id);
    }
    let mut targets = known.targets();
    let mut observed = Observation {
        account: cloud.account().to_owned(),
        seen: cloud.observe(targets.clone(), Freshness::Indexed).await,
        dark: cloud.dark(),
        remembered: BTreeMap::new(),
    };
    if known.settle(&observed) {
        targets = known.targets();
        observed.seen = cloud.observe(targets.clone(), Freshness::Indexed).await;
    }
    let doubtful = doubtful(subject, &observed);
    if !doubtful.is_empty() {
        let again = targets.into_iter().filter(|target| doubtful.contains(&target.address)).collect();
        observed.seen.extend(cloud.observe(again, Freshness::Strict).await);
    }
    observed.dark = cloud.dark();
    let dark = observed.seen.iter().filter(|(_, sight)| matches!(sight, Sight::Dark(_)));
    let remembered = dark.filter_map(|(address, _)| {
        let record = subject.recorded.resources.get(address)?;
        Some((address.clone(), record.attributes.clone()))
    });
    observed.remembered = remembered.collect();
    Ok(observed)
}

/// Every id an address may mean, the likeliest first.
struct Known<'a> {
    subject: Subject<'a>,
    ids: BTreeMap<Address, Vec<String>>,
}

impl Known<'_> {
    /// Most kinds have one object for an address; of those made first and deleted later there may be several.
    fn add(&mut self, address: &Address, id: &str) {
        let current = address.current();
        let several = is_created_first(self.subject.kinds, address);
        let ids = self.ids.entry(if several { current } else { address.clone() }).or_default();
        if ids.is_empty() || several && !ids.iter().any(|known| known == id) {
            ids.push(id.to_owned());
        }
    }

    /// The likeliest under the address, the others as former objects.
    fn targets(&self) -> Vec<Target> {
        let of_one = |(address, ids): (&Address, &Vec<String>)| {
            let address = address.clone();
            let target = move |(place, id): (usize, String)| Target {
                address: if place == 0 { address.clone() } else { address.former(&id) },
                id,
            };
            ids.clone().into_iter().enumerate().map(target)
        };
        self.ids.iter().flat_map(of_one).collect()
    }

    /// Puts first what is there and as the spec wants it, as far as that cannot be changed: an
    /// earlier run may have died between making it and noting it down. Says whether that moved anything.
    fn settle(&mut self, observed: &Observation) -> bool {
        let subject = self.subject;
        let mut moved = false;
        for (address, ids) in self.ids.iter_mut().filter(|(_, ids)| ids.len() > 1) {
            let unfit = |place: usize, id: &str| {
                let seen = if place == 0 { address.clone() } else { address.former(id) };
                observed.live(&seen).map_or(2, |live| if subject.fits(address, live) { 0 } else { 1 })
            };
            let ranks: Vec<u8> = ids.iter().enumerate().map(|(place, id)| unfit(place, id)).collect();
            let best = (0..ids.len()).min_by_key(|place| ranks[*place]).unwrap_or_default();
            moved |= best != 0;
            ids[..=best].rotate_right(1);
        }
        moved
    }
}

impl Subject<'_> {
    /// Whether a live object can become what the spec wants without being replaced.
    fn fits(&self, address: &Address, live: &Live) -> bool {
        let (Some(meta), Some(node)) = (Meta::find(self.kinds, address), self.desired.get(address)) else {
            return true;
        };
        let known = |value: &&serde_json::Value| Reference::of(value).is_none();
        meta.fixed.iter().all(|field| match node.properties.get(field).filter(known) {
            Some(wanted) => live.properties.get(field).unwrap_or(&serde_json::Value::Null) == wanted,
            None => true,
        })
    }
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
