//! A plan that was saved is carried out to its end, however often that is stopped.

use super::*;
use crate::plan::{Stale, remaining};

impl Lab {
    /// A plan as it comes back out of a file.
    fn saved(&self, system: &System) -> Plan {
        serde_json::from_str(&serde_json::to_string(&self.plan(system)).unwrap()).unwrap()
    }

    /// What is left to do of a saved plan.
    fn remaining(&self, system: &System, saved: &Plan) -> Result<Plan, Vec<Stale>> {
        let known = self.known(system);
        let subject = system.subject(&known.index);
        let observed = block_on(observe(&self.cloud, subject)).unwrap();
        let basis = subject.basis(&observed);
        remaining(saved, &plan(&basis), &basis)
    }

    /// Carries out what is left of a saved plan; `None` if it was killed.
    #[track_caller]
    fn resume(&self, system: &System, saved: &Plan) -> Option<Outcome> {
        let left = self.remaining(system, saved).unwrap_or_else(|stale| panic!("{stale:#?}\n{}", text(saved)));
        self.carry_out(system, &left, usize::MAX)
    }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn a_saved_plan_goes_on_wherever_it_was_stopped(
        first in specs(), second in specs(), nth in 1..30usize, again in 1..20usize, killed in any::<bool>(), fault in faults(),
    ) {
        let (lab, system) = (Lab::new(), System::new(&second));
        assert_complete(lab.apply(&System::new(&first)));
        let saved = lab.saved(&system);
        for nth in [nth, again] {
            lab.cloud.fail(nth, if killed { Fault::Killed } else { fault });
            lab.resume(&system, &saved);
        }
        assert_complete(lab.resume(&system, &saved));
        lab.assert_converged(&system);
        prop_assert!(!lab.remaining(&system, &saved).unwrap().has_changes(), "what is done is done");
    }

    #[test]
    fn a_saved_plan_does_nothing_that_it_does_not_say(first in specs(), second in specs(), third in specs()) {
        let (lab, system) = (Lab::new(), System::new(&second));
        assert_complete(lab.apply(&System::new(&first)));
        let saved = lab.saved(&system);
        assert_complete(lab.apply(&System::new(&third)));
        let Ok(left) = lab.remaining(&system, &saved) else { return Ok(()) };
        for change in left.pending() {
            let planned = saved.get(&change.address).filter(|planned| planned.action.changes_aws());
            prop_assert!(planned.is_some(), "{} is not in the plan", change.address);
        }
    }
}
