//! What changed outside drctl since the last apply.

use insta::assert_snapshot;
use serde_json::json;

use super::{SPEC, World, applied, at, without_the_function};
use crate::graph::{Failure, FailureClass};
use crate::plan::{Drift, Sight, drift};
use crate::render::{Style, drift_text};
use crate::run::fake::System;
use crate::run::leave_code;
use crate::state::Override;

const FUNCTION: &str = "us-east-1/function.pay";

impl World {
    fn drift(&self, spec: &str) -> Drift {
        drift(&self.basis(&System::new(spec)))
    }

    fn drift_text(&self, spec: &str) -> String {
        drift_text(&self.drift(spec), Style::PLAIN)
    }
}

#[test]
fn a_world_just_applied_has_not_drifted() {
    assert_snapshot!(applied(SPEC).drift_text(SPEC), @"no drift: 11 resources as drctl left them");
}

#[test]
fn what_was_changed_deleted_or_taken_outside_is_drift() {
    let world = applied(SPEC)
        .set(FUNCTION, "memory", json!(1024))
        .set("us-west-2/log_group.pay", "tags", json!({ "drctl:system": "shop", "drctl:suffix": "s1" }))
        .set("us-east-1/log_group.pay", "tags", json!({}))
        .without("us-west-2/function_url.pay");
    assert_snapshot!(world.drift_text(SPEC), @"
    ~ us-east-1/function.pay  changed outside drctl
        memory: 256 -> 1024
    ! us-east-1/log_group.pay  `/aws/lambda/pay-t1` now carries none of drctl's marks
    - us-west-2/function_url.pay  deleted outside drctl
    ! us-west-2/log_group.pay  `/aws/lambda/pay-t1` now belongs to another system (shop, suffix s1)

    4 resources changed outside drctl, 7 as drctl left them
    ");
}

#[test]
fn a_changed_spec_is_no_drift() {
    let world = applied(SPEC);
    assert_eq!(world.drift(&SPEC.replace("10s", "20s")).drifted, []);
    assert_eq!(world.drift(without_the_function()).drifted, []);
    assert_eq!(world.drift(&SPEC.replace("[function.pay]", "[function.sell]")).drifted, []);
}

#[test]
fn with_a_changed_spec_what_differs_may_be_of_either_side() {
    let world = applied(SPEC).set(FUNCTION, "memory", json!(1024));
    assert_snapshot!(world.drift_text(&SPEC.replace("10s", "20s")), @"
    ~ us-east-1/function.pay  changed outside drctl; the spec has changed since, too, and this is both
        memory: 256 -> 1024
        timeout: 20 -> 10

    1 resource changed outside drctl, 10 as drctl left them
    ");
    let as_the_spec_says_now = SPEC.replace("timeout", "memory = 1024\ntimeout");
    assert_snapshot!(world.drift_text(&as_the_spec_says_now), @"
    = us-east-1/function.pay  changed outside drctl, and as the spec says now: no drift; the next apply records it

    no drift: 10 resources as drctl left them
    ");
    assert_snapshot!(world.drift_text(without_the_function()), @"
    ~ us-east-1/function.pay  changed outside drctl; no longer in the spec

    1 resource changed outside drctl, 10 as drctl left them
    ");
}

#[test]
fn what_is_gone_from_the_spec_too_is_no_drift() {
    let world = applied(SPEC).without("us-east-1/log_group.pay");
    assert_eq!(world.drift(SPEC).drifted.len(), 1);
    assert_snapshot!(world.drift_text(without_the_function()), @"
    = us-east-1/log_group.pay  deleted outside drctl, and no longer in the spec: no drift; the next apply records it

    no drift: 10 resources as drctl left them
    ");
}

#[test]
fn code_that_was_changed_outside_hides_behind_no_accepted_change() {
    let accepted = SPEC.replace("timeout", "memory = 1024\ntimeout");
    let drift_without_code = |mut world: World, recorded: bool| {
        let mut system = System::new(&accepted);
        leave_code(&mut system.graph, &world.observed);
        world.recorded.resources.get_mut(&at(FUNCTION)).unwrap().built.take_if(|_| !recorded);
        let Drift { drifted, accepted, .. } = drift(&world.basis(&system));
        (drifted.len(), accepted.len())
    };
    let world = || applied(SPEC).set(FUNCTION, "memory", json!(1024));
    assert_eq!(drift_without_code(world(), true), (0, 1));
    assert_eq!(drift_without_code(world().set(FUNCTION, "code_sha256", json!("theirs")), true), (1, 0));
    assert_eq!(drift_without_code(world(), false), (1, 0), "an older drctl has not recorded the code");
}

#[test]
fn a_dependency_that_was_deleted_outside_is_the_only_one_that_drifted() {
    assert_snapshot!(applied(SPEC).without("global/role.pay-us-east-1").drift_text(SPEC), @"
    - global/role.pay-us-east-1  deleted outside drctl

    1 resource changed outside drctl, 10 as drctl left them
    ");
}

#[test]
fn what_an_override_keeps_is_no_drift() {
    let covers = [("reserved_concurrency".to_owned(), json!(0))].into();
    let held = Override {
        id: "o1".into(),
        operation: "drill".into(),
        by: "ops@bastion".into(),
        since: "2026-03-01T12:00:00Z".parse().unwrap(),
        why: "game day".into(),
        covers: [(at(FUNCTION), covers)].into(),
    };
    let mut world = applied(SPEC).set(FUNCTION, "reserved_concurrency", json!(0));
    assert_eq!(world.drift(SPEC).drifted.len(), 1);
    world.overrides.push(held);
    assert_eq!(world.drift(SPEC).drifted, []);
    assert_eq!(world.set(FUNCTION, "memory", json!(1024)).drift(SPEC).drifted.len(), 1);
}

#[test]
fn without_a_record_nobody_can_tell() {
    let world = applied(SPEC).set(FUNCTION, "memory", json!(1024)).with_the_state_lost();
    assert_snapshot!(world.drift_text(SPEC), @"of 11 live resources nothing is recorded, so nobody can tell whether anything changed there; `drctl plan` compares them with the spec");
    assert_snapshot!(super::nothing().drift_text(SPEC), @"nothing is recorded of this system, and nothing of it is live");
}

#[test]
fn what_cannot_be_read_is_neither_changed_nor_unchanged() {
    let failure = Failure::new(FailureClass::Unreachable, "lambda:GetFunction", "no answer");
    let world = applied(SPEC).look(FUNCTION, Sight::Failed(failure.clone()));
    let drift = world.drift(SPEC);
    assert_eq!((drift.drifted, drift.unchanged), (Vec::new(), 10));
    assert_eq!(drift.failures, [(at(FUNCTION), failure)]);
}
