//! Plans that are carried out later than they were made.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{SPEC, World, applied, at, nothing, text, without_the_function};
use crate::graph::{Failure, FailureClass, Region, Site};
use crate::plan::{Action, Plan, Sight, remaining};
use crate::render::stale_text;
use crate::run::fake::System;
use crate::state::Override;

/// What of a plan for `spec` that was made in the world `then` is left to do in the world `now`.
fn left(spec: &str, then: &World, now: &World) -> Result<Plan, String> {
    // As it comes back out of a file.
    let saved: Plan = serde_json::from_str(&serde_json::to_string(&then.plan(spec)).unwrap()).unwrap();
    left_of(&saved, spec, now)
}

/// What of `saved` is left to do.
fn left_of(saved: &Plan, spec: &str, now: &World) -> Result<Plan, String> {
    let system = System::new(spec);
    let basis = now.basis(&system);
    remaining(saved, &super::super::plan(&basis), &basis)
        .map_err(|stale| stale.iter().map(stale_text).collect::<Vec<_>>().join("\n"))
}

#[track_caller]
fn stale(spec: &str, then: &World, now: &World) -> String {
    left(spec, then, now).expect_err("something has changed")
}

fn slower() -> String {
    SPEC.replace("10s", "20s")
}

fn rekeyed() -> String {
    SPEC.replace("key = \"id\"", "key = \"number\"")
}

fn failover(path: &str, value: Value) -> Override {
    Override {
        id: "drill-1".into(),
        operation: "drill".into(),
        by: "ops@laptop".into(),
        since: "2026-11-24T12:00:00Z".parse().unwrap(),
        why: "game day".into(),
        covers: [(at("us-east-1/function.pay"), [(path.to_owned(), value)].into())].into(),
    }
}

#[test]
fn a_plan_holds_in_the_world_that_it_was_made_in() {
    for (spec, world) in [(slower(), applied(SPEC)), (SPEC.into(), nothing()), (rekeyed(), applied(SPEC))] {
        assert!(left(&spec, &world, &world).unwrap().pending().eq(world.plan(&spec).pending()));
    }
}

#[test]
fn what_has_nothing_to_do_with_a_plan_may_change_and_is_left_alone() {
    let then = applied(SPEC).set("us-east-1/function.pay", "memory", json!(512));
    let now = applied(SPEC).set("us-east-1/function.pay", "memory", json!(512)).set(
        "us-west-2/function.pay",
        "memory",
        json!(1024),
    );
    assert_snapshot!(text(&left(SPEC, &then, &now).unwrap()), @"
    ~ us-east-1/function.pay  drifted: changed outside drctl
        memory: 512 -> 256

    0 to create, 1 to update, 0 to replace, 0 to delete
    warning: 1 other change is not in the saved plan, and left out; run `drctl plan` to see everything
    ");
}

#[test]
fn a_property_that_was_changed_meanwhile_makes_a_plan_stale() {
    let now = applied(SPEC).set("us-east-1/function.pay", "memory", json!(1024));
    assert_snapshot!(stale(&slower(), &applied(SPEC), &now), @"us-east-1/function.pay: memory was 256, and is 1024");
    let now = applied(SPEC).set("us-east-1/function.pay", "timeout", json!(15));
    assert_snapshot!(stale(&slower(), &applied(SPEC), &now), @"us-east-1/function.pay: timeout was 10, and is 15");
}

#[test]
fn so_does_a_change_of_what_a_planned_resource_needs() {
    let now = applied(SPEC).set("us-east-1/log_group.pay", "retention_days", json!(1));
    assert_snapshot!(stale(&slower(), &applied(SPEC), &now), @"us-east-1/log_group.pay: retention_days was 30, and is 1");
    let now = applied(SPEC).without("global/role.pay-us-east-1");
    assert_snapshot!(stale(&slower(), &applied(SPEC), &now), @"global/role.pay-us-east-1: was there, and is gone");
}

#[test]
fn what_was_made_or_removed_meanwhile_makes_a_plan_stale() {
    let missing = applied(SPEC).without("us-east-1/log_group.pay");
    let other = SPEC.replace("timeout", "log-retention = \"7d\"\ntimeout");
    let strange = applied(SPEC).set("us-east-1/log_group.pay", "tags", json!({}));
    assert_snapshot!(stale(SPEC, &missing, &strange), @"us-east-1/log_group.pay: `/aws/lambda/pay-t1` exists now and carries none of drctl's marks");
    assert_snapshot!(stale(&other, &missing, &applied(SPEC)), @"us-east-1/log_group.pay: was not there, and is now, otherwise than planned");
    let gone = applied(SPEC).without("us-east-1/function.pay").without("us-east-1/function_url.pay");
    assert_snapshot!(stale(&slower(), &applied(SPEC), &gone), @"us-east-1/function.pay: was there, and is gone");
}

#[test]
fn an_override_made_or_released_meanwhile_makes_a_plan_stale() {
    let mut held = applied(SPEC);
    held.overrides.push(failover("timeout", json!(10)));
    assert_snapshot!(stale(&slower(), &applied(SPEC), &held), @"us-east-1/function.pay: was held by no override, and is held by drill since 2026-11-24 12:00:00 UTC by ops@laptop (game day)");
    held.overrides = vec![failover("memory", json!(512))];
    assert_snapshot!(stale(SPEC, &held, &applied(SPEC)), @"us-east-1/function.pay: was held by drill since 2026-11-24 12:00:00 UTC by ops@laptop (game day), and is held by no override");
}

#[test]
fn what_is_done_already_is_done_and_the_rest_goes_on() {
    let now = applied(SPEC).set("us-east-1/function.pay", "timeout", json!(20));
    assert_snapshot!(text(&left(&slower(), &applied(SPEC), &now).unwrap()), @"
    ~ us-west-2/function.pay  spec changed
        timeout: 10 -> 20

    0 to create, 1 to update, 0 to replace, 0 to delete
    ");
    let made = applied(SPEC).without("us-east-1/function_url.pay");
    assert_snapshot!(text(&left(SPEC, &nothing(), &made).unwrap()), @"
    + us-east-1/function_url.pay  drifted: changed outside drctl

    1 to create, 0 to update, 0 to replace, 0 to delete
    ");
}

#[test]
fn what_was_left_half_done_is_finished() {
    let mut half = applied(SPEC).set("us-east-1/log_group.pay", "retention_days", json!(null));
    half.recorded.resources.remove(&at("us-east-1/log_group.pay"));
    let left = left(SPEC, &nothing(), &half).unwrap();
    assert_eq!(left.get(&at("us-east-1/log_group.pay")).unwrap().action, Action::Update);
}

#[test]
fn what_somebody_else_has_finished_otherwise_makes_a_plan_stale() {
    assert_snapshot!(stale(&slower(), &nothing(), &applied(SPEC)), @"
    us-east-1/function.pay: was not there, and is now, otherwise than planned
    us-west-2/function.pay: was not there, and is now, otherwise than planned
    ");
}

#[test]
fn a_replacement_that_was_stopped_in_the_middle_goes_on() {
    let between = applied(SPEC).without("global/table.payments").without("us-east-1/table_replica.payments");
    let left = left(&rekeyed(), &applied(SPEC), &between).unwrap();
    assert_eq!(left.get(&at("global/table.payments")).unwrap().action, Action::Create);
}

#[test]
fn what_was_to_be_deleted_may_have_lost_something_and_nothing_else() {
    let spec = SPEC.split_once("[table.payments]").unwrap().0;
    let protected = |on| applied(SPEC).set("us-east-1/table_replica.payments", "deletion_protection", json!(on));
    assert!(left(spec, &applied(SPEC), &protected(false)).is_ok());
    assert_snapshot!(stale(spec, &protected(false), &applied(SPEC)), @"us-east-1/table_replica.payments: deletion_protection was false, and is true");
}

#[test]
fn a_place_that_went_dark_meanwhile_is_left_alone() {
    let mut now = applied(SPEC);
    let west = Site::Region(Region::new("us-west-2"));
    for (address, sight) in &mut now.observed.seen {
        if address.place.to_string() == "us-west-2" {
            *sight = Sight::Dark(west.clone());
        }
    }
    now.observed.dark.insert(west, Failure::new(FailureClass::Dark, "sts:GetCallerIdentity", "no answer"));
    assert_snapshot!(text(&left(&slower(), &applied(SPEC), &now).unwrap()), @"
    ~ us-east-1/function.pay  spec changed
        timeout: 10 -> 20
    ! us-west-2 does not answer (sts:GetCallerIdentity: no answer)
        us-west-2/function.pay   unknown
        us-west-2/log_group.pay  unknown

    0 to create, 1 to update, 0 to replace, 0 to delete, 2 left alone
    ");
    // What was dark when the plan was made is not planned, and no reason to refuse the rest.
    let left = left(&slower(), &now, &applied(SPEC)).unwrap();
    let planned: Vec<_> = left.pending().map(|change| change.address.to_string()).collect();
    assert_eq!(planned, ["us-east-1/function.pay"]);
}

#[test]
fn what_cannot_be_read_any_more_is_told_as_ever() {
    let denied = Failure::new(FailureClass::Denied, "lambda:GetFunction", "no");
    let now = applied(SPEC).look("us-east-1/function.pay", Sight::Failed(denied.clone()));
    assert_eq!(left(&slower(), &applied(SPEC), &now).unwrap().failures, [(at("us-east-1/function.pay"), denied)]);
}

const ROLE: &str = "global/role.pay-us-east-1";

/// The inline policies of the role, as they are.
fn policies(world: &World) -> Value {
    world.observed.live(&at(ROLE)).unwrap().properties.get("policies").unwrap().clone()
}

#[test]
fn a_role_whose_deletion_was_stopped_has_lost_policies() {
    let admin = json!(["arn:aws:iam::aws:policy/AdministratorAccess"]);
    let then = applied(SPEC).set(ROLE, "attached", admin.clone());
    let half = applied(SPEC).set(ROLE, "attached", admin.clone()).set(ROLE, "policies", json!({}));
    let gone = without_the_function();
    assert_eq!(left(gone, &then, &half).unwrap().get(&at(ROLE)).unwrap().action, Action::Delete);
    assert!(left(gone, &then, &half.set(ROLE, "attached", json!([]))).is_ok());
    let more = applied(SPEC).set(ROLE, "attached", admin);
    assert!(stale(gone, &applied(SPEC), &more).starts_with("global/role.pay-us-east-1: attached was [], and is ["));
}

#[test]
fn a_role_whose_change_was_stopped_is_on_its_way() {
    let narrow = SPEC.replace("\"write\"", "\"read\"");
    let foreign = |mut policies: Value| {
        policies["foreign"] = json!({ "Statement": [] });
        policies
    };
    let attached = json!(["arn:a", "arn:b"]);
    let then = applied(&narrow);
    let then = then.set(ROLE, "policies", foreign(policies(&applied(&narrow)))).set(ROLE, "attached", attached);
    // The policy is written, the foreign one not yet deleted, and one of two detached.
    let half = applied(&narrow).set(ROLE, "policies", foreign(policies(&applied(SPEC))));
    let half = half.set(ROLE, "attached", json!(["arn:b"]));
    assert_eq!(left(SPEC, &then, &half).unwrap().get(&at(ROLE)).unwrap().action, Action::Update);
    let other = half.set(ROLE, "policies", json!({ "other": { "Statement": [] } }));
    assert!(stale(SPEC, &then, &other).starts_with("global/role.pay-us-east-1: policies was {"));
}

/// A spec whose policies hold what is known only once the key is there.
fn encrypted() -> String {
    format!("{SPEC}[encryption]\nkey = \"customer\"\n")
}

/// What is left of a plan that was tampered with: a text in it is another one.
fn left_of_forged(spec: &str, world: &World, from: &str, to: &str) -> Result<Plan, String> {
    let honest = serde_json::to_string(&world.plan(spec)).unwrap();
    assert!(honest.contains(from), "{from} is not in {honest}");
    left_of(&serde_json::from_str(&honest.replace(from, to)).unwrap(), spec, world)
}

#[test]
fn nothing_hides_behind_what_was_not_known_yet() {
    let spec = encrypted();
    assert_eq!(left(&spec, &nothing(), &nothing()).unwrap(), nothing().plan(&spec));
    let hidden = left_of_forged(&spec, &nothing(), "\"dynamodb:PutItem\"", "\"dynamodb:GetItem\"").unwrap_err();
    assert!(hidden.contains("global/role.pay-us-east-1: policies was to be "), "{hidden}");
    let reference = "{\"$from\":\"global/key.main\",\"attribute\":\"arn.us-east-1\"}";
    let hidden = left_of_forged(&spec, &nothing(), reference, "\"arn:aws:kms:us-east-1:123456789012:key/theirs\"");
    assert!(hidden.unwrap_err().contains("policies was to be "));
    let hidden = left_of_forged(&spec, &nothing(), "\"description\":\"", "\"description\":\"Another: ").unwrap_err();
    assert!(hidden.contains("description was to be "), "{hidden}");
}

#[test]
fn what_was_not_known_yet_is_known_by_now() {
    let spec = encrypted();
    let mut now = applied(&spec);
    for address in now.observed.seen.clone().keys().filter(|address| address.kind != "key") {
        now = now.without(&address.to_string());
        now.recorded.resources.remove(address);
    }
    let left = left(&spec, &nothing(), &now).unwrap();
    assert_eq!(left.pending().count(), now.plan(&spec).pending().count());
}

#[test]
fn what_is_not_in_a_plan_is_not_done() {
    let world = applied(SPEC).without(ROLE);
    let hide = |edges: bool| {
        let mut saved = world.plan(&slower());
        saved.changes.retain(|change| change.address != at(ROLE));
        for change in saved.changes.iter_mut().filter(|_| edges) {
            change.needs.clear();
            change.waits_for.clear();
        }
        left_of(&saved, &slower(), &world).unwrap_err()
    };
    for hidden in [hide(false), hide(true)] {
        assert!(
            hidden.contains("global/role.pay-us-east-1: was to be left alone, and would now be created"),
            "{hidden}"
        );
    }
}

#[test]
fn a_plan_without_a_value_does_not_hide_it() {
    let mut saved = applied(SPEC).plan(&slower());
    for change in &mut saved.changes {
        change.after = None;
    }
    let hidden = left_of(&saved, &slower(), &applied(SPEC)).unwrap_err();
    assert!(hidden.contains("us-east-1/function.pay: timeout was to be not set, and would now be 20"), "{hidden}");
}

#[test]
fn what_only_the_state_has_to_be_told_is_kept() {
    let world = applied(SPEC).without("us-east-1/log_group.pay").set("us-west-2/log_group.pay", "tags", json!({}));
    let left = left(without_the_function(), &world, &world).unwrap();
    for address in ["us-east-1/log_group.pay", "us-west-2/log_group.pay"] {
        assert_eq!(left.get(&at(address)).unwrap().action, Action::Forget);
    }
    assert_eq!(left.get(&at("global/table.payments")).unwrap().action, Action::NoOp);
}
