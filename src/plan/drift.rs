//! What changed outside drctl since it last applied something, told by the fingerprints it recorded then.

use std::collections::BTreeMap;

use super::decide::{Basis, plan};
use super::{Action, Change, Conflict, FieldDiff, Sight};
use crate::graph::{Address, Failure, Meta, Site};

/// What happened to one resource outside drctl.
#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
    /// It is gone.
    Deleted,
    /// It has lost drctl's marks, or carries another system's.
    Unmarked(Conflict),
    /// It is not as it was applied.
    Changed {
        /// What is not as the spec says, from live to wanted.
        fields: Vec<FieldDiff>,
        /// What the spec says by now.
        spec: SpecSince,
    },
}

/// The spec since the last apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecSince {
    /// Still says what was applied: whatever differs changed outside.
    Stands,
    /// Says something else: what differs changed on either side.
    Changed,
    /// No longer has the resource.
    Removed,
}

/// What changed outside drctl, as far as that can be told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drift {
    /// What happened, in the order of addresses.
    pub drifted: Vec<(Address, Happened)>,
    /// What happened as well, and is as the spec says by now: the next apply records it, and changes nothing.
    pub accepted: Vec<(Address, Happened)>,
    /// How many resources are as they were applied.
    pub unchanged: usize,
    /// What is live and this system's, and of which nothing is recorded: the state was lost, or a run died.
    pub untold: Vec<Address>,
    /// What could not be read.
    pub failures: Vec<(Address, Failure)>,
    /// Places that do not answer.
    pub dark: BTreeMap<Site, Failure>,
    /// How many resources are there, or not.
    pub unknown: usize,
}

/// Compares what is live with what was last applied. The spec and the overrides only explain, and tell what
/// somebody has accepted since.
pub fn drift(basis: &Basis<'_>) -> Drift {
    let plan = plan(basis);
    let mut found = Drift { dark: basis.observed.dark.clone(), ..Drift::default() };
    let current = |address: &&Address| address.current() == **address;
    for address in basis.recorded.resources.keys().filter(current) {
        if basis.unknown(address).is_some() {
            found.unknown += 1;
            continue;
        }
        let happened = match basis.observed.seen.get(address) {
            None | Some(Sight::Absent | Sight::Dark(_)) => Some(Happened::Deleted),
            Some(Sight::Failed(failure)) => {
                found.failures.push((address.clone(), failure.clone()));
                continue;
            }
            Some(Sight::Live(live)) => match basis.ours(address, live) {
                Err(belongs_to) => Some(Happened::Unmarked(Conflict::new(address, live, belongs_to))),
                Ok(()) => {
                    let change = plan.get(address);
                    let holds = change.map_or(&[] as &[_], |change| &change.held);
                    let as_applied = |properties| basis.as_applied(address, properties, holds);
                    let since = match change.and_then(|change| change.after.as_ref()) {
                        // Left alone in the dark, if the spec has it.
                        None if basis.desired.get(address).is_some() => SpecSince::Changed,
                        None => SpecSince::Removed,
                        Some(after) if as_applied(after) => SpecSince::Stands,
                        Some(_) => SpecSince::Changed,
                    };
                    let fields = change.into_iter().flat_map(|change| &change.fields);
                    let changed = || Happened::Changed {
                        fields: fields.filter(|field| !field.depends()).cloned().collect(),
                        spec: since,
                    };
                    (!as_applied(&live.properties)).then(changed)
                }
            },
        };
        let accepted = match &happened {
            Some(Happened::Deleted) => basis.desired.get(address).is_none(),
            Some(Happened::Changed { .. }) => plan.get(address).is_some_and(|change| basis.is_as_the_spec_says(change)),
            Some(Happened::Unmarked(_)) | None => false,
        };
        match happened {
            Some(happened) if accepted => found.accepted.push((address.clone(), happened)),
            Some(happened) => found.drifted.push((address.clone(), happened)),
            None => found.unchanged += 1,
        }
    }
    let seen = basis.observed.seen.iter().filter_map(|(address, sight)| Some((address, sight.live()?)));
    let unrecorded = seen.filter(|(address, _)| !basis.recorded.resources.contains_key(*address));
    found.untold =
        unrecorded.filter(|(address, live)| basis.ours(address, live).is_ok()).map(|(a, _)| a.clone()).collect();
    found
}

impl Basis<'_> {
    /// Whether what is live is what the spec says. Code is not built to be compared: that has to be the recorded one.
    fn is_as_the_spec_says(&self, change: &Change) -> bool {
        let (Action::NoOp, None, Some(after)) = (change.action, &change.dark, &change.after) else { return false };
        let built = Meta::built_of(self.kinds, &change.address, after);
        let record = self.recorded.resources.get(&change.address);
        built.is_none() || record.is_some_and(|record| record.built == built)
    }
}
