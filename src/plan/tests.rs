//! Plans of small specs, shown as people see them.

mod adopt;
mod dark;
mod document;
mod drift;
mod guard;
mod held;
mod notices;
mod stale;
mod target;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{Action, Basis, Observation, Plan, Sight};
use crate::graph::{Failure, FailureClass};
use crate::run::fake::{System, with};
use crate::state::{Index, Override};
use crate::tests::{SPEC, at, text};

/// A world, and what drctl remembers of it.
struct World {
    observed: Observation,
    recorded: Index,
    overrides: Vec<Override>,
}

/// The world in which `spec` has just been applied.
fn applied(spec: &str) -> World {
    let (observed, recorded) = System::new(spec).applied();
    World { observed, recorded, overrides: Vec::new() }
}

/// A world without anything in it.
fn nothing() -> World {
    World { observed: Observation::default(), recorded: System::new(SPEC).unrecorded(), overrides: Vec::new() }
}

impl World {
    /// Sets a property from outside.
    #[track_caller]
    fn set(mut self, address: &str, field: &str, value: Value) -> Self {
        match self.observed.seen.get_mut(&at(address)) {
            Some(Sight::Live(live)) => live.properties = with(&live.properties, field, value),
            other => panic!("{address} is not there: {other:?}"),
        }
        self
    }

    fn look(mut self, address: &str, sight: Sight) -> Self {
        self.observed.seen.insert(at(address), sight);
        self
    }

    fn without(self, address: &str) -> Self {
        self.look(address, Sight::Absent)
    }

    fn with_the_state_lost(mut self) -> Self {
        self.recorded.resources.clear();
        self
    }

    #[track_caller]
    fn plan(&self, spec: &str) -> Plan {
        super::plan(&self.basis(&System::new(spec)))
    }

    #[track_caller]
    fn destroy(&self, spec: &str) -> Plan {
        super::destroy(&self.basis(&System::new(spec)))
    }

    fn basis<'a>(&'a self, system: &'a System) -> Basis<'a> {
        Basis { overrides: &self.overrides, ..system.subject(&self.recorded).basis(&self.observed) }
    }
}

/// Plans `spec` against a world where `before` has just been applied.
#[track_caller]
fn replan(before: &str, spec: &str) -> Plan {
    applied(before).plan(spec)
}

/// What each change waits for.
fn order(plan: &Plan) -> String {
    let line = |change: &super::Change| {
        let waits: Vec<_> = change.waits_for.iter().map(ToString::to_string).collect();
        let action = format!("{:?}", change.action).to_lowercase();
        format!("{action} {} after [{}]", change.address, waits.join(", "))
    };
    plan.pending().map(line).collect::<Vec<_>>().join("\n")
}

fn without_the_function() -> &'static str {
    SPEC.split_once("[function.pay]").unwrap().0
}

#[test]
fn a_new_system_is_made() {
    assert_snapshot!(text(&nothing().plan(SPEC)), @"
    + global/role.pay-us-east-1         new
    + global/role.pay-us-west-2         new
    + global/table.payments             new
    + us-east-1/function.pay            new
    + us-east-1/function_url.pay        new
    + us-east-1/log_group.pay           new
    + us-east-1/table_replica.payments  new
    + us-west-2/function.pay            new
    + us-west-2/function_url.pay        new
    + us-west-2/log_group.pay           new
    + us-west-2/table_replica.payments  new

    11 to create, 0 to update, 0 to replace, 0 to delete
    ");
}

#[test]
fn a_world_just_applied_needs_nothing() {
    let plan = replan(SPEC, SPEC);
    assert!(!plan.has_changes());
    assert_snapshot!(text(&plan), @"no changes: 11 resources live as the spec says");
}

#[test]
fn a_new_timeout_is_an_update_in_place() {
    assert_snapshot!(text(&replan(SPEC, &SPEC.replace("10s", "20s"))), @"
    ~ us-east-1/function.pay  spec changed
        timeout: 10 -> 20
    ~ us-west-2/function.pay  spec changed
        timeout: 10 -> 20

    0 to create, 2 to update, 0 to replace, 0 to delete
    ");
}

#[test]
fn a_new_tag_reaches_everything_that_takes_tags() {
    let spec = SPEC.replace("suffix = \"t1\"", "suffix = \"t1\"\ntags = { team = \"payments\" }");
    assert_snapshot!(text(&replan(SPEC, &spec)), @"
    ~ global/role.pay-us-east-1         spec changed
        tags.team: (not set) -> payments
    ~ global/role.pay-us-west-2         spec changed
        tags.team: (not set) -> payments
    ~ us-east-1/function.pay            spec changed
        tags.team: (not set) -> payments
    ~ us-east-1/log_group.pay           spec changed
        tags.team: (not set) -> payments
    ~ us-east-1/table_replica.payments  spec changed
        tags.team: (not set) -> payments
    ~ us-west-2/function.pay            spec changed
        tags.team: (not set) -> payments
    ~ us-west-2/log_group.pay           spec changed
        tags.team: (not set) -> payments
    ~ us-west-2/table_replica.payments  spec changed
        tags.team: (not set) -> payments

    0 to create, 8 to update, 0 to replace, 0 to delete
    ");
}

#[test]
fn a_setting_left_out_is_unset() {
    let reserved = SPEC.replace("timeout", "reserved-concurrency = 5\ntimeout");
    assert_snapshot!(text(&replan(&reserved, SPEC)), @"
    ~ us-east-1/function.pay  spec changed
        reserved_concurrency: 5 -> (not set)
    ~ us-west-2/function.pay  spec changed
        reserved_concurrency: 5 -> (not set)

    0 to create, 2 to update, 0 to replace, 0 to delete
    ");
}

#[test]
fn a_change_outside_is_drift() {
    let world = applied(SPEC).set("us-west-2/function.pay", "reserved_concurrency", json!(0));
    assert_snapshot!(text(&world.plan(SPEC)), @"
    ~ us-west-2/function.pay  drifted: changed outside drctl
        reserved_concurrency: 0 -> (not set)

    0 to create, 1 to update, 0 to replace, 0 to delete
    ");
}

#[test]
fn a_change_on_both_sides_is_told_as_both() {
    let world = applied(SPEC).set("us-east-1/function.pay", "memory", json!(512));
    assert_snapshot!(text(&world.plan(&SPEC.replace("10s", "20s"))), @"
    ~ us-east-1/function.pay  spec changed, and drifted
        memory: 512 -> 256
        timeout: 10 -> 20
    ~ us-west-2/function.pay  spec changed
        timeout: 10 -> 20

    0 to create, 2 to update, 0 to replace, 0 to delete
    ");
}

#[test]
fn without_a_record_nobody_knows_which_side_moved() {
    let world = applied(SPEC).set("us-east-1/function.pay", "memory", json!(512)).with_the_state_lost();
    assert_snapshot!(text(&world.plan(SPEC)), @"
    ~ us-east-1/function.pay  differs from the spec
        memory: 512 -> 256

    0 to create, 1 to update, 0 to replace, 0 to delete
    ");
}

#[test]
fn losing_the_state_alone_changes_nothing() {
    assert!(!applied(SPEC).with_the_state_lost().plan(SPEC).has_changes());
}

#[test]
fn what_was_deleted_outside_is_made_again_and_its_users_follow() {
    let world = applied(SPEC).without("global/role.pay-us-east-1");
    let plan = world.plan(SPEC);
    assert_snapshot!(text(&plan), @"
    + global/role.pay-us-east-1  drifted: changed outside drctl
    ~ us-east-1/function.pay     a dependency changes
        role: arn:fake:global:role:pay-us-east-1-t1 -> (known after apply, from global/role.pay-us-east-1.arn)

    1 to create, 1 to update, 0 to replace, 0 to delete
    ");
    assert_snapshot!(order(&plan), @"
    create global/role.pay-us-east-1 after []
    update us-east-1/function.pay after [global/role.pay-us-east-1]
    ");
}

#[test]
fn what_aws_sets_at_creation_and_never_again_is_not_compared() {
    let world = applied(SPEC).set("global/table.payments", "home", json!("us-west-2"));
    assert!(!world.plan(SPEC).has_changes());
}

#[test]
fn exchanging_the_regions_changes_nothing_that_is_there() {
    let swapped = SPEC
        .replace("primary = \"us-east-1\"", "primary = \"us-west-2\"")
        .replace("secondary = \"us-west-2\"", "secondary = \"us-east-1\"");
    assert!(!replan(SPEC, &swapped).has_changes());
}

#[test]
fn what_is_removed_from_the_spec_goes_and_users_go_first() {
    let plan = replan(SPEC, without_the_function());
    assert_snapshot!(text(&plan), @"
    - global/role.pay-us-east-1   removed from the spec
    - global/role.pay-us-west-2   removed from the spec
    - us-east-1/function.pay      removed from the spec
    - us-east-1/function_url.pay  removed from the spec
    - us-east-1/log_group.pay     removed from the spec
    - us-west-2/function.pay      removed from the spec
    - us-west-2/function_url.pay  removed from the spec
    - us-west-2/log_group.pay     removed from the spec

    0 to create, 0 to update, 0 to replace, 8 to delete
    ");
    assert_snapshot!(order(&plan), @"
    delete global/role.pay-us-east-1 after [us-east-1/function.pay]
    delete global/role.pay-us-west-2 after [us-west-2/function.pay]
    delete us-east-1/function.pay after [us-east-1/function_url.pay]
    delete us-east-1/function_url.pay after []
    delete us-east-1/log_group.pay after [us-east-1/function.pay]
    delete us-west-2/function.pay after [us-west-2/function_url.pay]
    delete us-west-2/function_url.pay after []
    delete us-west-2/log_group.pay after [us-west-2/function.pay]
    ");
}

#[test]
fn with_the_state_lost_too_the_order_is_that_of_the_kinds() {
    let plan = applied(SPEC).with_the_state_lost().plan(without_the_function());
    assert_snapshot!(order(&plan), @"
    delete global/role.pay-us-east-1 after [us-east-1/function.pay, us-east-1/function_url.pay, us-east-1/log_group.pay, us-west-2/function.pay, us-west-2/function_url.pay, us-west-2/log_group.pay]
    delete global/role.pay-us-west-2 after [us-east-1/function.pay, us-east-1/function_url.pay, us-east-1/log_group.pay, us-west-2/function.pay, us-west-2/function_url.pay, us-west-2/log_group.pay]
    delete us-east-1/function.pay after [us-east-1/function_url.pay, us-west-2/function_url.pay]
    delete us-east-1/function_url.pay after []
    delete us-east-1/log_group.pay after [us-east-1/function.pay, us-east-1/function_url.pay, us-west-2/function.pay, us-west-2/function_url.pay]
    delete us-west-2/function.pay after [us-east-1/function_url.pay, us-west-2/function_url.pay]
    delete us-west-2/function_url.pay after []
    delete us-west-2/log_group.pay after [us-east-1/function.pay, us-east-1/function_url.pay, us-west-2/function.pay, us-west-2/function_url.pay]
    ");
}

#[test]
fn what_is_removed_and_gone_already_is_forgotten() {
    let world = applied(SPEC).without("us-east-1/function_url.pay").without("us-west-2/function_url.pay");
    let plan = world.plan(&SPEC.replace("url = { auth = \"none\" }\n", ""));
    assert!(!plan.has_changes());
    assert_eq!(plan.count(Action::Forget), 2);
}

#[test]
fn what_is_made_waits_for_what_it_needs() {
    assert_snapshot!(order(&replan(without_the_function(), SPEC)), @"
    create global/role.pay-us-east-1 after []
    create global/role.pay-us-west-2 after []
    create us-east-1/function.pay after [global/role.pay-us-east-1, us-east-1/log_group.pay]
    create us-east-1/function_url.pay after [us-east-1/function.pay]
    create us-east-1/log_group.pay after []
    create us-west-2/function.pay after [global/role.pay-us-west-2, us-west-2/log_group.pay]
    create us-west-2/function_url.pay after [us-west-2/function.pay]
    create us-west-2/log_group.pay after []
    ");
}

#[test]
fn a_table_that_a_function_lets_go_of_is_deleted_with_its_settings_first() {
    let spec =
        SPEC.replace("[table.payments]\nkey = \"id\"\n", "").replace("uses = { table.payments = \"write\" }", "");
    let plan = replan(SPEC, &spec);
    assert_snapshot!(text(&plan), @r#"
    ~ global/role.pay-us-east-1         spec changed
        policies:
                      "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/pay-t1:*"
                    ]
          -       },
          -       {
          -         "Sid": "TablePayments",
          -         "Effect": "Allow",
          -         "Action": [
          -           "dynamodb:PutItem"
          -         ],
          -         "Resource": [
          -           "arn:aws:dynamodb:us-east-1:123456789012:table/payments-t1"
          -         ]
                  }
                ]
    ~ global/role.pay-us-west-2         spec changed
        policies:
                      "arn:aws:logs:us-west-2:123456789012:log-group:/aws/lambda/pay-t1:*"
                    ]
          -       },
          -       {
          -         "Sid": "TablePayments",
          -         "Effect": "Allow",
          -         "Action": [
          -           "dynamodb:PutItem"
          -         ],
          -         "Resource": [
          -           "arn:aws:dynamodb:us-west-2:123456789012:table/payments-t1"
          -         ]
                  }
                ]
    - global/table.payments             removed from the spec
    ~ us-east-1/function.pay            spec changed
        environment.TABLE_PAYMENTS: payments-t1 -> (not set)
    - us-east-1/table_replica.payments  removed from the spec
    ~ us-west-2/function.pay            spec changed
        environment.TABLE_PAYMENTS: payments-t1 -> (not set)
    - us-west-2/table_replica.payments  removed from the spec

    0 to create, 4 to update, 0 to replace, 3 to delete
    "#);
    assert_snapshot!(order(&plan), @"
    update global/role.pay-us-east-1 after []
    update global/role.pay-us-west-2 after []
    delete global/table.payments after [us-east-1/table_replica.payments, us-west-2/table_replica.payments]
    update us-east-1/function.pay after [global/role.pay-us-east-1]
    delete us-east-1/table_replica.payments after []
    update us-west-2/function.pay after [global/role.pay-us-west-2]
    delete us-west-2/table_replica.payments after []
    ");
}

#[test]
fn what_its_last_user_lets_go_of_is_deleted_after_the_user_has_moved_on() {
    let mut world = applied(&format!("{SPEC}[function.old]\nsource = \"x\"\n"));
    let (user, old) = (at("us-east-1/function.pay"), at("us-east-1/log_group.old"));
    world.recorded.resources.get_mut(&user).unwrap().needs.insert(old.clone());
    let plan = world.plan(&SPEC.replace("10s", "20s"));
    assert_eq!(plan.get(&old).unwrap().waits_for, [at("us-east-1/function.old"), user].into());
}

#[test]
fn a_new_key_replaces_the_table_and_its_settings_are_made_again() {
    let plan = replan(SPEC, &SPEC.replace("key = \"id\"", "key = \"number\""));
    assert_eq!(plan.get(&at("global/table.payments")).unwrap().forces_replacement, ["key"]);
    assert_snapshot!(text(&plan), @"
    ± global/table.payments             spec changed
        cannot be changed in place: key
        key.partition: id -> number
    + us-east-1/table_replica.payments  a dependency changes
    + us-west-2/table_replica.payments  a dependency changes

    2 to create, 0 to update, 1 to replace, 0 to delete
    ");
    assert_snapshot!(order(&plan), @"
    replace global/table.payments after []
    create us-east-1/table_replica.payments after [global/table.payments]
    create us-west-2/table_replica.payments after [global/table.payments]
    ");
}

#[test]
fn what_has_our_name_and_no_marks_is_a_conflict() {
    let world = applied(SPEC).set("us-east-1/log_group.pay", "tags", json!({ "team": "other" }));
    assert_snapshot!(text(&world.plan(SPEC)), @"! us-east-1/log_group.pay  `/aws/lambda/pay-t1` exists already and carries none of drctl's marks");
}

#[test]
fn what_belongs_to_another_system_is_a_conflict_and_survives_a_destroy() {
    let marks = json!({ "drctl:system": "shop", "drctl:suffix": "t1" });
    let world = applied(SPEC).set("us-east-1/function.pay", "tags", marks);
    assert_snapshot!(text(&world.plan(&SPEC.replace("10s", "20s"))), @"
    ~ us-west-2/function.pay  spec changed
        timeout: 10 -> 20
    ! us-east-1/function.pay  `pay-t1` exists already and belongs to another system (shop, suffix t1)
    ! us-east-1/function_url.pay  `pay-t1` exists already and belongs to another system (shop, suffix t1)

    0 to create, 1 to update, 0 to replace, 0 to delete
    ");
    let destroyed: Vec<_> = world.destroy(SPEC).pending().map(|change| change.address.clone()).collect();
    assert!(!destroyed.contains(&at("us-east-1/function.pay")));
    assert!(!destroyed.contains(&at("us-east-1/function_url.pay")), "a part is its function's");
}

#[test]
fn a_member_that_is_not_settled_yet_is_its_tables() {
    let world = applied(SPEC).set("us-west-2/table_replica.payments", "tags", json!({}));
    let plan = world.plan(SPEC);
    assert_eq!(plan.conflicts, []);
    assert_eq!(plan.get(&at("us-west-2/table_replica.payments")).unwrap().action, Action::Update);
}

#[test]
fn what_cannot_be_read_is_neither_made_nor_deleted() {
    let denied = Failure::new(FailureClass::Denied, "lambda:GetFunction", "no");
    for address in ["us-east-1/function.pay", "global/table.payments"] {
        let world = applied(SPEC).look(address, Sight::Failed(denied.clone()));
        for plan in [world.plan(SPEC), world.plan(without_the_function()), world.destroy(SPEC)] {
            assert_eq!(plan.failures, [(at(address), denied.clone())]);
            assert_eq!(plan.get(&at(address)), None);
        }
    }
}

#[test]
fn destroy_deletes_everything_users_first() {
    let plan = applied(SPEC).destroy(SPEC);
    assert_eq!(plan.count(Action::Delete), System::new(SPEC).graph.iter().count());
    assert_snapshot!(order(&plan), @"
    delete global/role.pay-us-east-1 after [us-east-1/function.pay]
    delete global/role.pay-us-west-2 after [us-west-2/function.pay]
    delete global/table.payments after [us-east-1/table_replica.payments, us-west-2/table_replica.payments]
    delete us-east-1/function.pay after [us-east-1/function_url.pay]
    delete us-east-1/function_url.pay after []
    delete us-east-1/log_group.pay after [us-east-1/function.pay]
    delete us-east-1/table_replica.payments after []
    delete us-west-2/function.pay after [us-west-2/function_url.pay]
    delete us-west-2/function_url.pay after []
    delete us-west-2/log_group.pay after [us-west-2/function.pay]
    delete us-west-2/table_replica.payments after []
    ");
}

#[test]
fn destroy_covers_what_the_spec_has_forgotten() {
    let plan = applied(SPEC).with_the_state_lost().destroy(without_the_function());
    assert_eq!(plan.count(Action::Delete), System::new(SPEC).graph.iter().count());
}

#[test]
fn a_plan_tells_what_waits_for_somebody_and_what_aws_will_not_do_and_a_destroy_does_not() {
    let lifecycle = "lifecycle = [{ after = \"90d\", class = \"GLACIER\" }]";
    let spec = format!("{SPEC}[bucket.logs]\n{lifecycle}\n[alert]\nemails = [\"ops@example.com\"]\n");
    let mut world = applied(&spec);
    let subscription = at("us-east-1/subscription.ops@example.com");
    let Some(Sight::Live(live)) = world.observed.seen.get_mut(&subscription) else { panic!("nobody is subscribed") };
    live.attributes.insert("waiting".into(), "confirm the mail".into());
    let plan = world.plan(&spec);
    assert_eq!(plan.outstanding, [(subscription, "confirm the mail".to_owned())]);
    assert!(plan.warnings[0].contains("`[bucket.logs]`"), "{:?}", plan.warnings);
    let destroy = world.destroy(&spec);
    assert_eq!((destroy.outstanding, destroy.warnings), (Vec::new(), Vec::new()));
}

#[test]
fn destroy_of_nothing_is_nothing() {
    assert!(!nothing().destroy(SPEC).has_changes());
}
