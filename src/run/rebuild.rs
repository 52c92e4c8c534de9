//! Recording what is live without having applied it: the index when it was lost or cannot be used.

use std::collections::BTreeMap;

use super::execute::record;
use crate::graph::{Address, Meta};
use crate::plan::{Action, Plan};
use crate::state::Record;

/// A record of everything live that is the system's, as if it had just been applied the way it is. What differs from
/// the spec then counts as changed in the spec: nobody remembers whether it was.
pub fn recorded_as_live(plan: &Plan, kinds: &[Meta]) -> BTreeMap<Address, Record> {
    let records = plan.changes.iter().filter_map(|change| {
        let live = change.before.as_ref()?;
        // The former object of a replacement that is yet to come is the current one.
        let current = change.address.current();
        let is_current = plan.get(&current).and_then(|change| change.before.as_ref()).map(|live| &live.id);
        if current != change.address && is_current == Some(&live.id) {
            return None;
        }
        let applied = match (change.action, &change.after) {
            (Action::NoOp, Some(after)) => after,
            _ => &live.properties,
        };
        Some((change.address.clone(), record(change, &live.id, &live.attributes, applied, kinds)))
    });
    records.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::plan;
    use crate::run::fake::System;
    use crate::tests::{SPEC, at};

    /// What is recorded of `before`, found by a drctl that knows `after` and has lost its state.
    fn recorded(before: &System, after: &System) -> BTreeMap<Address, Record> {
        let ((observed, _), unrecorded) = (before.applied(), after.unrecorded());
        recorded_as_live(&plan(&after.subject(&unrecorded).basis(&observed)), &after.kinds)
    }

    #[test]
    fn what_was_applied_is_recorded_as_it_was() {
        let system = System::new(SPEC);
        let (_, applied) = system.applied();
        let anew = recorded(&system, &system);
        assert_eq!(anew.keys().collect::<Vec<_>>(), applied.resources.keys().collect::<Vec<_>>());
        for (address, record) in &anew {
            let before = &applied.resources[address];
            assert_eq!(
                (&record.id, &record.fingerprint, &record.needs),
                (&before.id, &before.fingerprint, &before.needs)
            );
        }
    }

    #[test]
    fn what_differs_from_the_spec_or_is_not_in_it_is_recorded_as_it_is() {
        let before = System::new(SPEC);
        let (_, applied) = before.applied();
        for edit in [SPEC.replace("10s", "20s"), SPEC.split("[function.pay]").next().unwrap().to_owned()] {
            let anew = recorded(&before, &System::new(&edit));
            let function = at("us-east-1/function.pay");
            assert_eq!(anew[&function].fingerprint, applied.resources[&function].fingerprint);
            assert_eq!(anew.len(), applied.resources.len());
        }
    }
}
