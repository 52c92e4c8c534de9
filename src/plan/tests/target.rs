//! Plans limited to a part.

use insta::assert_snapshot;

use super::{SPEC, applied, at, nothing, order, replan, text};
use crate::graph::{Failure, FailureClass};
use crate::kinds;
use crate::plan::target::{Target, UnknownTarget, limit};
use crate::plan::{Plan, Sight};

fn limited(plan: &Plan, targets: &[&str]) -> Result<Plan, UnknownTarget> {
    let targets: Vec<Target> = targets.iter().map(|target| target.parse().unwrap()).collect();
    limit(plan, &targets, &kinds::metas())
}

#[track_caller]
fn only(plan: &Plan, targets: &[&str]) -> Plan {
    limited(plan, targets).unwrap()
}

/// What a plan changes, on one line.
fn changed(plan: &Plan) -> String {
    plan.pending().map(|change| change.address.to_string()).collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_asked_for_comes_with_what_it_needs_and_says_what_was_left_out() {
    let plan = only(&nothing().plan(SPEC), &["us-east-1/function.pay"]);
    assert_snapshot!(text(&plan), @"
    + global/role.pay-us-east-1  new
    + us-east-1/function.pay     new
    + us-east-1/log_group.pay    new

    3 to create, 0 to update, 0 to replace, 0 to delete
    warning: 8 other changes are left out by `--target`; run without it to see everything
    ");
}

#[test]
fn one_other_change_is_told_as_one() {
    let plan = replan(SPEC, &SPEC.replace("10s", "20s"));
    assert_snapshot!(text(&only(&plan, &["us-east-1"])), @"
    ~ us-east-1/function.pay  spec changed
        timeout: 10 -> 20

    0 to create, 1 to update, 0 to replace, 0 to delete
    warning: 1 other change is left out by `--target`; run without it to see everything
    ");
}

#[test]
fn without_anything_left_out_there_is_no_warning() {
    let plan = replan(SPEC, &SPEC.replace("10s", "20s"));
    assert_eq!(only(&plan, &["function"]).warnings, [""; 0]);
}

#[test]
fn a_target_is_an_address_a_place_a_kind_or_a_name() {
    let plan = nothing().plan(SPEC);
    let of = |targets: &[&str]| changed(&only(&plan, targets));
    assert_snapshot!(of(&["us-east-1/log_group.pay"]), @"us-east-1/log_group.pay");
    assert_snapshot!(of(&["us-west-2/log_group"]), @"us-west-2/log_group.pay");
    assert_snapshot!(of(&["log_group.pay"]), @"us-east-1/log_group.pay us-west-2/log_group.pay");
    assert_snapshot!(of(&["log_group", "table"]), @"global/table.payments us-east-1/log_group.pay us-west-2/log_group.pay");
    assert_snapshot!(of(&["global"]), @"global/role.pay-us-east-1 global/role.pay-us-west-2 global/table.payments");
    assert_snapshot!(of(&["us-west-2"]), @"global/role.pay-us-west-2 global/table.payments us-west-2/function.pay us-west-2/function_url.pay us-west-2/log_group.pay us-west-2/table_replica.payments");
}

#[test]
fn what_names_nothing_comes_back_with_what_there_is() {
    let plan = nothing().plan(SPEC);
    for target in ["us-east-1/function.pya", "eu-west-1", "functoin", "", "/", "us-east-1/"] {
        let unknown = limited(&plan, &["global", target]).unwrap_err();
        assert_eq!(unknown.target, target);
        assert!(unknown.known.contains("us-east-1/function.pay") && unknown.known.contains("function"));
    }
}

#[test]
fn what_is_deleted_takes_along_what_has_to_go_first() {
    let plan = replan(SPEC, super::without_the_function());
    assert_snapshot!(order(&only(&plan, &["global/role.pay-us-east-1"])), @"
    delete global/role.pay-us-east-1 after [us-east-1/function.pay]
    delete us-east-1/function.pay after [us-east-1/function_url.pay]
    delete us-east-1/function_url.pay after []
    ");
}

#[test]
fn a_table_made_anew_gets_its_settings_again() {
    let plan = replan(SPEC, &SPEC.replace("key = \"id\"", "key = \"number\""));
    assert_snapshot!(changed(&only(&plan, &["table"])), @"global/table.payments us-east-1/table_replica.payments us-west-2/table_replica.payments");
}

#[test]
fn what_could_not_be_read_matters_only_where_it_is_needed() {
    let denied = Sight::Failed(Failure::new(FailureClass::Denied, "iam:GetRole", "no"));
    let plan = applied(SPEC).look("global/role.pay-us-east-1", denied).plan(&SPEC.replace("10s", "20s"));
    assert_eq!(only(&plan, &["us-west-2/function.pay"]).failures, []);
    let [(address, _)] = &only(&plan, &["us-east-1/function.pay"]).failures[..] else { panic!("it is needed") };
    assert_eq!(*address, at("global/role.pay-us-east-1"));
}
