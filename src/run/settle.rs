//! The last look: everything touched is read again, because what AWS answers to a
//! change is not what is there, and reads may lag behind writes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::cloud::{Cloud, Freshness};
use super::events::Event;
use super::options::Options;
use crate::graph::{Address, Meta, Properties, Site};
use crate::kinds::Target;
use crate::plan::{FieldDiff, Live, Sight, diff};

/// How long reads may lag behind writes before a difference counts.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// What the last look came to.
#[derive(Default)]
pub(super) struct LastLook {
    /// What still is not as applied, and how it differs.
    pub(super) different: Vec<(Address, Vec<FieldDiff>)>,
    /// What nobody can tell of any more.
    pub(super) unseen: Vec<(Address, Site)>,
}

/// Reads everything touched again until it is as applied. An interrupt makes this look the last one.
pub(super) async fn settle<C: Cloud>(
    cloud: &C,
    mut targets: Vec<Target>,
    applied: &BTreeMap<Address, Properties>,
    options: &Options<'_>,
) -> LastLook {
    let mut unseen = Vec::new();
    if targets.is_empty() {
        return LastLook::default();
    }
    (options.events)(Event::Rereading { count: targets.len() });
    let mut patience = SETTLED_WITHIN;
    let mut pause = Duration::from_millis(500);
    loop {
        let seen = cloud.observe(targets.clone(), Freshness::Strict).await;
        targets.retain(|target| match seen.get(&target.address) {
            Some(Sight::Dark(site)) => {
                unseen.push((target.address.clone(), site.clone()));
                false
            }
            _ => true,
        });
        let different: Vec<_> = targets
            .iter()
            .filter_map(|target| {
                Some((
                    target.address.clone(),
                    differences(&target.address, seen.get(&target.address), applied, options)?,
                ))
            })
            .collect();
        let settled = |target: &Target| !different.iter().any(|(address, _)| *address == target.address);
        for target in targets.iter().filter(|target| settled(target)) {
            if let Some(what) = seen.get(&target.address).and_then(Sight::live).and_then(Live::waiting) {
                (options.events)(Event::Outstanding { address: target.address.clone(), what: what.to_owned() });
            }
        }
        if different.is_empty() || pause > patience || (options.stopping)() {
            return LastLook { different, unseen };
        }
        targets.retain(|target| !settled(target));
        cloud.pause(pause).await;
        patience -= pause;
        pause = (pause * 2).min(Duration::from_secs(8));
    }
}

/// How a resource differs from what was applied; `None` if it does not.
fn differences(
    address: &Address,
    sight: Option<&Sight>,
    applied: &BTreeMap<Address, Properties>,
    options: &Options<'_>,
) -> Option<Vec<FieldDiff>> {
    let meta = Meta::find(options.kinds, address);
    let nothing = Properties::of(&serde_json::json!({}));
    let documents = meta.map_or(&[] as &[_], |meta| meta.documents);
    let wanted = applied.get(address).map(|after| Meta::managed_of(options.kinds, address, after));
    let goes = |live: &&Live| live.lapses() || live.is_unmarked();
    let is = sight.and_then(Sight::live).filter(|live| wanted.is_some() || !goes(live));
    let is = is.map(|live| Meta::managed_of(options.kinds, address, &live.properties));
    match (&is, &wanted) {
        (None, None) => None,
        (is, wanted) => {
            let fields = diff(is.as_ref().unwrap_or(&nothing), wanted.as_ref().unwrap_or(&nothing), documents);
            (!fields.is_empty()).then_some(fields)
        }
    }
}
