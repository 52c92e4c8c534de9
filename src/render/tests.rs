//! What people and scripts see. Most of a plan's text is shown by the tests of the planner.

mod others;

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::json;

use super::{amount, next_step, plan_json, took};
use crate::graph::{Failure, FailureClass};
use crate::iam::Task;
use crate::plan::{Observation, Plan, Sight, destroy, plan};
use crate::run::fake::{System, with};
use crate::tests::{SPEC, at, text};

/// Plans `spec` against a world where `before` was applied and then changed.
fn replan(before: &str, change: impl FnOnce(&mut Observation), spec: &str) -> Plan {
    let (mut observed, recorded) = System::new(before).applied();
    change(&mut observed);
    plan(&System::new(spec).subject(&recorded).basis(&observed))
}

fn set(observed: &mut Observation, address: &str, field: &str, value: serde_json::Value) {
    let Some(Sight::Live(live)) = observed.seen.get_mut(&at(address)) else { panic!("{address} is not there") };
    live.properties = with(&live.properties, field, value);
}

/// A plan with a bit of everything.
fn everything() -> Plan {
    let change = |observed: &mut Observation| {
        observed.seen.insert(at("global/role.pay-us-east-1"), Sight::Absent);
        observed.seen.insert(at("us-west-2/function.pay"), Sight::Absent);
        set(observed, "us-east-1/log_group.pay", "tags", json!({}));
        let marks = json!({ "drctl:system": "shop", "drctl:suffix": "s1" });
        set(observed, "us-west-2/log_group.pay", "tags", marks);
    };
    let before = SPEC.replace("key = \"id\"", "key = \"id\"\nindex.by-day = { key = \"day\" }");
    let spec = before.replace("key = \"id\"", "key = \"number\"").replace("\"day\"", "\"day\", sort = \"at\"");
    let before = before + "[function.old]\nsource = \"x\"\n";
    replan(&before, change, &spec)
}

#[test]
fn a_plan_tells_everything_in_the_order_of_addresses() {
    assert_snapshot!(text(&everything()), @"
    - global/role.old-us-east-1         removed from the spec
    - global/role.old-us-west-2         removed from the spec
    + global/role.pay-us-east-1         drifted: changed outside drctl
    ± global/table.payments             spec changed
        cannot be changed in place: key
        key.partition: id -> number
        indexes.by-day.sort: (not set) -> at
    - us-east-1/function.old            removed from the spec
    ~ us-east-1/function.pay            a dependency changes
        role: arn:fake:global:role:pay-us-east-1-t1 -> (known after apply, from global/role.pay-us-east-1.arn)
    - us-east-1/log_group.old           removed from the spec
    + us-east-1/table_replica.payments  a dependency changes
    - us-west-2/function.old            removed from the spec
    + us-west-2/function.pay            drifted: changed outside drctl
    - us-west-2/log_group.old           removed from the spec
    + us-west-2/table_replica.payments  a dependency changes
    ! us-east-1/log_group.pay  `/aws/lambda/pay-t1` exists already and carries none of drctl's marks
    ! us-west-2/log_group.pay  `/aws/lambda/pay-t1` exists already and belongs to another system (shop, suffix s1)

    4 to create, 1 to update, 1 to replace, 6 to delete
    ");
}

#[test]
fn two_plans_of_the_same_world_are_the_same_byte_for_byte() {
    assert_eq!(text(&everything()), text(&everything()));
    assert_eq!(plan_json(&everything()), plan_json(&everything()));
}

#[test]
fn conflicts_alone_are_no_success() {
    let plan = replan(SPEC, |observed| set(observed, "us-east-1/function.pay", "tags", json!({})), SPEC);
    assert_snapshot!(text(&plan), @"
    ! us-east-1/function.pay  `pay-t1` exists already and carries none of drctl's marks
    ! us-east-1/function_url.pay  `pay-t1` exists already and carries none of drctl's marks
    ");
}

#[test]
fn a_plan_for_scripts_has_a_stable_form() {
    let change = |observed: &mut Observation| {
        observed.seen.insert(at("global/role.pay-us-east-1"), Sight::Absent);
        set(observed, "us-east-1/log_group.pay", "tags", json!({}));
    };
    let mut plan = replan(SPEC, change, SPEC);
    plan.changes.retain(|change| change.address.name.starts_with("pay-us-east-1") || change.address.kind == "function");
    assert_snapshot!(plan_json(&plan), @r#"
    {
      "format_version": 1,
      "system": "dr",
      "environment": "test",
      "suffix": "t1",
      "account": "123456789012",
      "has_changes": true,
      "summary": {
        "create": 1,
        "update": 1,
        "replace": 0,
        "delete": 0,
        "adopt": 0,
        "unchanged": 1,
        "left_alone": 0
      },
      "changes": [
        {
          "address": "global/role.pay-us-east-1",
          "action": "create",
          "reason": "drifted",
          "id": "pay-us-east-1-t1",
          "fields": [],
          "forces_replacement": [],
          "held": [],
          "waits_for": [],
          "dark": null
        },
        {
          "address": "us-east-1/function.pay",
          "action": "update",
          "reason": "dependency-changed",
          "id": "pay-t1",
          "fields": [
            {
              "path": "role",
              "before": "arn:fake:global:role:pay-us-east-1-t1",
              "after": {
                "$from": "global/role.pay-us-east-1",
                "attribute": "arn"
              },
              "known_after_apply": true
            }
          ],
          "forces_replacement": [],
          "held": [],
          "waits_for": [
            "global/role.pay-us-east-1"
          ],
          "dark": null
        },
        {
          "address": "us-west-2/function.pay",
          "action": "no-op",
          "reason": "in-sync",
          "id": "pay-t1",
          "fields": [],
          "forces_replacement": [],
          "held": [],
          "waits_for": [],
          "dark": null
        }
      ],
      "conflicts": [
        {
          "address": "us-east-1/log_group.pay",
          "id": "/aws/lambda/pay-t1",
          "belongs_to": null,
          "stack": null
        }
      ],
      "warnings": [],
      "outstanding": [],
      "dark": []
    }
    "#);
}

#[test]
fn a_plan_to_destroy_reads_like_any_other() {
    let system = System::new(SPEC);
    let (observed, recorded) = system.applied();
    assert_snapshot!(text(&destroy(&system.subject(&recorded).basis(&observed))), @"
    - global/role.pay-us-east-1         destroy
    - global/role.pay-us-west-2         destroy
    - global/table.payments             destroy
    - us-east-1/function.pay            destroy
    - us-east-1/function_url.pay        destroy
    - us-east-1/log_group.pay           destroy
    - us-east-1/table_replica.payments  destroy
    - us-west-2/function.pay            destroy
    - us-west-2/function_url.pay        destroy
    - us-west-2/log_group.pay           destroy
    - us-west-2/table_replica.payments  destroy

    0 to create, 0 to update, 0 to replace, 11 to delete
    ");
}

#[test]
fn durations_are_as_exact_as_people_need() {
    for (millis, text) in [
        (0, "0.0 s"),
        (440, "0.4 s"),
        (9_949, "9.9 s"),
        (12_400, "12 s"),
        (119_000, "119 s"),
        (120_000, "2 min 0 s"),
        (3_725_000, "62 min 5 s"),
    ] {
        assert_eq!(took(Duration::from_millis(millis)), text);
    }
}

#[test]
fn amounts_are_told_in_the_right_number() {
    assert_eq!((amount(0, "step"), amount(1, "step")), ("0 steps".into(), "1 step".into()));
}

fn failure(class: FailureClass, code: &str, message: &str) -> Failure {
    Failure { code: code.into(), ..Failure::new(class, "lambda:CreateFunction", message) }
}

#[test]
fn a_known_failure_comes_with_what_to_do_about_it() {
    use FailureClass::{Denied, Other};
    let steps = [
        failure(Other, "InvalidParameterValueException", "decreases account's UnreservedConcurrentExecution below 100"),
        failure(Other, "ValidationException", "Time to live has been modified multiple times within a fixed interval"),
        failure(Other, "ValidationException", "the table acted as a source region for a replica in the last 24 hours"),
        failure(
            Other,
            "LimitExceededException",
            "Subscriber limit exceeded: Encryption mode changes are limited in the 24h window",
        ),
        failure(Other, "ValidationException", "Resource cannot be deleted as it is protected: deletion protection"),
        failure(Denied, "ExpiredTokenException", "The security token is expired"),
        failure(Denied, "InvalidClientTokenId", "The token is invalid"),
        failure(Denied, "AccessDeniedException", "User: me is not authorized to perform: iam:PassRole on resource: r"),
    ];
    assert_snapshot!(steps.iter().map(|failure| next_step(failure, Task::Apply)).collect::<Vec<_>>().join("\n"), @"
    lower `reserved-concurrency`, or ask for a higher Lambda concurrency quota in this region: AWS keeps 100 unreserved
    DynamoDB takes one change of TTL in an hour: run the same command again then
    DynamoDB keeps a source region for 24 hours after its last replica was made: run the same command again then
    DynamoDB changes the encryption of a table only some times in 24 hours: run the same command again then
    somebody turned the table's deletion protection on meanwhile: if it really is to go, run the same command again, which then asks for it
    the credentials have expired: renew them and run the same command again
    AWS does not accept these credentials: check them with `aws sts get-caller-identity`
    let the caller do `iam:PassRole` (`drctl iam-policy apply` prints all that it needs), then run the same command again
    ");
}

#[test]
fn every_class_of_failure_has_a_next_step() {
    use FailureClass::{Dark, Deadline, Denied, Exists, Malformed, NotFound, Other, Throttled, Unreachable};
    let classes = [Denied, Exists, NotFound, Unreachable, Dark, Throttled, Deadline, Malformed, Other];
    let steps =
        classes.map(|class| format!("{class:?}: {}", next_step(&failure(class, "Code", "message"), Task::Apply)));
    assert_snapshot!(steps.join("\n"), @"
    Denied: let the caller do `lambda:CreateFunction` (`drctl iam-policy apply` prints all that it needs), then run the same command again
    Exists: something else has this name: choose another suffix, or remove it yourself if it is yours
    NotFound: it was removed meanwhile: run the same command again
    Unreachable: check the network and https://health.aws.amazon.com, then run the same command again
    Dark: look at https://health.aws.amazon.com; once the place answers again, run the same command again
    Throttled: AWS is busy with this account: run the same command again in a minute
    Deadline: AWS takes longer than usual: run the same command again, it continues from here
    Malformed: run the same command again; if it stays, report it with the request id
    Other: put right what the message says, then run the same command again, it continues from here
    ");
}

#[test]
fn who_is_refused_is_told_of_the_policy_of_what_they_do() {
    let refused = |action: &str, task| {
        let message = format!("User: me is not authorized to perform: {action} on resource: r");
        let failure = failure(FailureClass::Denied, "AccessDeniedException", &message);
        next_step(&failure, task).split('`').nth(3).unwrap_or("nothing").to_owned()
    };
    let told = [
        refused("lambda:GetFunction", Task::Apply),
        refused("kms:GenerateDataKey", Task::Apply),
        refused("kms:GenerateDataKey", Task::Operate),
        // A pipeline gives the lock back.
        refused("s3:DeleteObject", Task::Apply),
        refused("s3:DeleteObject", Task::Destroy),
        // What the task does not have is another one's.
        refused("dynamodb:DeleteTable", Task::Apply),
        refused("iam:CreateRole", Task::Plan),
        refused("ec2:RunInstances", Task::Plan),
    ];
    assert_snapshot!(told.join("\n"), @"
    drctl iam-policy apply
    drctl iam-policy apply
    drctl iam-policy operate
    drctl iam-policy apply
    drctl iam-policy destroy
    drctl iam-policy destroy
    drctl iam-policy apply
    nothing
    ");
}
