//! What holds of a system that somebody made by hand, and that drctl then takes over.

use std::collections::BTreeSet;

use futures::executor::block_on;
use proptest::prelude::*;

use super::{Lab, assert_complete, few, specs, text};
use crate::graph::Address;
use crate::plan::{Action, Plan, Stacks, adopt};
use crate::run::fake::{Fault, System};
use crate::run::observe_lookalikes;

impl Lab {
    /// Plans to take over whatever is there.
    fn plan_adoption(&self, system: &System) -> Plan {
        let known = self.known(system);
        let subject = system.subject(&known.index);
        let asked: BTreeSet<Address> = system.graph.iter().map(|(address, _)| address.clone()).collect();
        let observed = block_on(observe_lookalikes(&self.cloud, subject, &asked)).unwrap();
        let adoption = adopt(&subject.basis(&observed), &asked, Stacks::Refuse);
        assert_eq!(adoption.hindrances, []);
        adoption.plan
    }
}

/// A system as `spec` describes it, made without drctl.
fn by_hand(system: &System) -> Lab {
    let lab = Lab::new();
    assert_complete(lab.apply(system));
    lab.lose_state(system);
    lab.cloud.unmark();
    lab
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn what_is_adopted_is_the_same_thing_and_as_the_spec_says(
        spec in specs(), killed in 0..40usize, parallelism in 1..20usize,
    ) {
        let system = System::new(&spec);
        let lab = Lab { parallelism, ..by_hand(&system) };
        let before = lab.cloud.things();
        if killed > 0 {
            lab.cloud.fail(killed, Fault::Killed);
            lab.carry_out(&system, &lab.plan_adoption(&system), usize::MAX);
        }
        let plan = lab.plan_adoption(&system);
        assert_complete(lab.carry_out(&system, &plan, usize::MAX));
        prop_assert_eq!(lab.cloud.things(), before);
        prop_assert!(!lab.plan_adoption(&system).has_changes());
        let left = lab.plan(&system);
        prop_assert!(!left.has_changes() && left.conflicts.is_empty(), "{}", text(&left));
        assert_complete(lab.apply(&system));
        lab.assert_converged(&system);
    }

    #[test]
    fn what_differs_is_changed_in_place_by_the_next_apply(first in specs(), second in specs()) {
        let (made, system) = (System::new(&first), System::new(&second));
        let lab = by_hand(&made);
        let known = lab.known(&system);
        let subject = system.subject(&known.index);
        let asked: BTreeSet<Address> = system.graph.iter().map(|(address, _)| address.clone()).collect();
        let observed = block_on(observe_lookalikes(&lab.cloud, subject, &asked)).unwrap();
        let adoption = adopt(&subject.basis(&observed), &asked, Stacks::Refuse);
        if adoption.hindrances.is_empty() {
            assert_complete(lab.carry_out(&system, &adoption.plan, usize::MAX));
            let left = lab.plan(&system);
            prop_assert!(left.conflicts.is_empty(), "{}", text(&left));
            for change in &adoption.plan.changes {
                let next = left.get(&change.address).expect("it is in the spec");
                prop_assert!(matches!(next.action, Action::NoOp | Action::Update), "{}", text(&left));
                prop_assert_eq!(next.fields.is_empty(), change.fields.is_empty(), "{}", text(&left));
            }
        }
    }
}
