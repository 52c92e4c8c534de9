//! What cannot be known, and what is not changed, while a place does not answer.

use std::collections::{BTreeMap, BTreeSet};

use super::{Basis, Sight};
use crate::graph::{Address, AnsweredBy, Properties, Site};

/// What a dark place may still need: neither deleted nor replaced. With the place that is waited for.
pub(super) type Needed = BTreeMap<Address, Site>;

impl Basis<'_> {
    /// The dark place that alone could tell of `address`.
    pub(super) fn unknown(&self, address: &Address) -> Option<Site> {
        match self.observed.seen.get(address) {
            Some(Sight::Dark(site)) => Some(site.clone()),
            _ => self.site(address).filter(|site| self.observed.dark.contains_key(site)),
        }
    }

    /// The dark place without which `address` is not changed. What is in several regions can be read
    /// in one of them, and is changed only while all of them answer.
    pub(super) fn frozen(&self, address: &Address) -> Option<Site> {
        let region = || {
            let dark = self.observed.dark.keys().find(|site| matches!(site, Site::Region(_)));
            dark.filter(|_| self.site(address).is_none()).cloned()
        };
        self.unknown(address).or_else(region)
    }

    fn site(&self, address: &Address) -> Option<Site> {
        let answered_by = self.kind(address).map_or(AnsweredBy::ItsRegion, |meta| meta.answered_by);
        answered_by.site(&address.place)
    }

    /// Everything that something frozen may need, directly or not.
    pub(super) fn needed_by_the_frozen(&self) -> Needed {
        let known = self.desired.iter().map(|(address, _)| address);
        let known = known.chain(self.recorded.resources.keys()).chain(self.observed.seen.keys());
        let mut needed = Needed::new();
        for address in known.collect::<BTreeSet<_>>() {
            if let Some(site) = self.frozen(address) {
                self.add_needs(address, &site, &mut needed);
            }
        }
        needed
    }

    /// Adds what `address` needs, and what that needs.
    pub(super) fn add_needs(&self, address: &Address, site: &Site, needed: &mut Needed) {
        for need in self.needs(address) {
            if !needed.contains_key(&need) {
                needed.insert(need.clone(), site.clone());
                self.add_needs(&need, site, needed);
            }
        }
    }
}

impl super::decide::Draft<'_> {
    /// The dark place for whose sake `address` is not made or changed into `after`.
    pub(super) fn keeps_back(&self, address: &Address, after: &Properties) -> Option<Site> {
        let held = |address: &Address| self.changes.get(address).and_then(|change| change.dark.clone());
        let unresolved = || after.references().iter().find_map(|reference| held(&reference.address));
        self.basis.frozen(address).or_else(unresolved)
    }

    /// The dark place for whose sake `address` is not made: what it needs is not there, or nobody knows.
    pub(super) fn lacks(&self, address: &Address) -> Option<Site> {
        let part_of = self.basis.kind(address).and_then(|meta| meta.part_of);
        let lacking = |need: &Address| {
            let change = self.changes.get(need)?;
            let site = change.dark.clone()?;
            let was_there = self.basis.unknown(need).is_some() && self.basis.recorded.resources.contains_key(need);
            let is_there = (change.before.is_some() || was_there) && part_of != Some(need.kind.as_str());
            (!is_there).then_some(site)
        };
        self.basis.desired.needs(address).iter().find_map(lacking)
    }

    /// The dark place for whose sake what is live at `address` stays. Of what nobody has recorded, nobody
    /// knows either what needs it.
    pub(super) fn keeps(&self, address: &Address) -> Option<Site> {
        let recorded = self.basis.recorded.resources.contains_key(address);
        let part_of = self.basis.kind(address).and_then(|meta| meta.part_of);
        let whole = || {
            let wholes = part_of.map(|kind| address.wholes(kind)).into_iter().flatten();
            wholes.filter_map(|whole| self.changes.get(&whole)).find_map(|whole| whole.dark.clone())
        };
        let any = || self.basis.observed.dark.keys().next().filter(|_| !recorded).cloned();
        self.basis.frozen(address).or_else(|| self.needed.get(address).cloned()).or_else(whole).or_else(any)
    }
}
