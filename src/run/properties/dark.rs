//! What holds while a place does not answer, and once it does again.

use proptest::prelude::*;
use proptest::sample::select;

use super::{Lab, assert_complete, few, specs, text};
use crate::graph::{Region, Site};
use crate::plan::{Action, Plan, Reason};
use crate::run::fake::System;

fn sites() -> impl Strategy<Value = Site> {
    let region = |name: &str| Site::Region(Region::new(name));
    select(vec![region("us-east-1"), region("us-west-2"), Site::Iam, Site::Route53])
}

/// Nothing there is made, changed, deleted or forgotten.
fn leaves_alone(plan: &Plan, system: &System, dark: &Site) {
    assert!(plan.failures.is_empty() && plan.conflicts.is_empty(), "{}", text(plan));
    for change in &plan.changes {
        let meta = system.kinds.iter().find(|meta| meta.kind == change.address.kind).unwrap();
        let is_there = match meta.answered_by.site(&change.address.place) {
            Some(site) => site == *dark,
            None => matches!(dark, Site::Region(_)),
        };
        let is_alone = change.action == Action::NoOp && change.reason != Reason::Gone;
        assert!(!is_there || is_alone, "{}: {:?}", change.address, change.action);
    }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn what_is_in_sync_stays_so_in_the_dark(spec in specs(), dark in sites(), lost in any::<bool>()) {
        let (lab, system) = (Lab::new(), System::new(&spec));
        assert_complete(lab.apply(&system));
        if lost {
            lab.lose_state(&system);
        }
        lab.cloud.darken(&dark);
        let plan = lab.plan(&system);
        leaves_alone(&plan, &system, &dark);
        prop_assert!(!plan.has_changes(), "{}", text(&plan));
        assert_complete(lab.apply(&system));
        lab.cloud.lighten();
        prop_assert!(!lab.plan(&system).has_changes());
        assert_complete(lab.apply(&system));
        lab.assert_converged(&system);
    }

    #[test]
    fn in_the_dark_the_rest_converges_and_once_it_is_light_all_does(
        first in specs(), second in specs(), dark in sites(), lost in any::<bool>(), parallelism in 1..20usize,
    ) {
        let (lab, system) = (Lab { parallelism, ..Lab::new() }, System::new(&second));
        assert_complete(lab.apply(&System::new(&first)));
        if lost {
            lab.lose_state(&system);
        }
        lab.cloud.darken(&dark);
        leaves_alone(&lab.plan(&system), &system, &dark);
        assert_complete(lab.apply(&system));
        // What the dark may have needed, but only through something that has moved on meanwhile, goes now.
        assert_complete(lab.apply(&system));
        let again = lab.plan(&system);
        prop_assert!(!again.has_changes(), "{}", text(&again));
        lab.cloud.lighten();
        assert_complete(lab.apply(&system));
        lab.assert_converged(&system);
    }

    #[test]
    fn a_first_apply_in_the_dark_is_completed_in_the_light(spec in specs(), dark in sites()) {
        let (lab, system) = (Lab::new(), System::new(&spec));
        lab.cloud.darken(&dark);
        leaves_alone(&lab.plan(&system), &system, &dark);
        assert_complete(lab.apply(&system));
        lab.cloud.lighten();
        assert_complete(lab.apply(&system));
        lab.assert_converged(&system);
    }

    #[test]
    fn what_goes_dark_during_a_run_fails_there_and_the_next_run_converges(
        first in specs(), second in specs(), dark in sites(), nth in 1..30usize,
    ) {
        let (lab, system) = (Lab::new(), System::new(&second));
        assert_complete(lab.apply(&System::new(&first)));
        lab.cloud.darken_at(nth, &dark);
        let plan = lab.plan(&system);
        let outcome = lab.carry_out(&system, &plan, usize::MAX).unwrap();
        prop_assert_eq!(outcome.different, []);
        lab.cloud.lighten();
        assert_complete(lab.apply(&system));
        lab.assert_converged(&system);
    }

    #[test]
    fn no_destruction_touches_a_dark_place(first in specs(), second in specs(), dark in sites(), lost in any::<bool>()) {
        let (lab, now) = (Lab::new(), System::new(&second));
        assert_complete(lab.apply(&System::new(&first)));
        if lost {
            lab.lose_state(&now);
        }
        lab.cloud.darken(&dark);
        leaves_alone(&lab.plan_destroy(&now), &now, &dark);
        assert_complete(lab.destroy(&now));
        lab.cloud.lighten();
        assert_complete(lab.destroy(&now));
        lab.assert_nothing_is_left(&now);
    }
}
