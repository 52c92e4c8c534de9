//! Policies and other documents, compared by what they mean.

use insta::assert_snapshot;
use serde_json::json;

use super::{applied, replan};
use crate::graph::Document;
use crate::plan::Plan;
use crate::tests::{SPEC, at, text};

#[test]
fn a_new_right_is_shown_as_a_line_of_its_policy() {
    let two = SPEC.replace("[function.pay]", "[table.ledger]\nkey = \"id\"\n[function.pay]");
    let plan = replan(&two, &two.replace("uses = {", "uses = { table.ledger = \"read\","));
    let role = plan.changes.into_iter().filter(|change| change.address == at("global/role.pay-us-east-1"));
    assert_snapshot!(text(&Plan { changes: role.collect(), ..replan(SPEC, SPEC) }), @r#"
    ~ global/role.pay-us-east-1  spec changed
        policies:
                  },
                  {
          +         "Sid": "TableLedger",
          +         "Effect": "Allow",
          +         "Action": [
          +           "dynamodb:GetItem"
          +         ],
          +         "Resource": [
          +           "arn:aws:dynamodb:us-east-1:123456789012:table/ledger-t1"
          +         ]
          +       },
          +       {
                    "Sid": "TablePayments",
                    "Effect": "Allow",

    0 to create, 1 to update, 0 to replace, 0 to delete
    "#);
}

#[test]
fn a_policy_that_aws_writes_differently_is_the_same_policy() {
    let role = "global/role.pay-us-east-1";
    let trust = json!({
        "Statement": {
            "Condition": {
                "ArnLike": { "aws:SourceArn": ["arn:aws:lambda:us-east-1:123456789012:function:pay-t1"] },
                "StringEquals": { "aws:SourceAccount": ["123456789012"] },
            },
            "Action": ["STS:AssumeRole"],
            "Principal": { "Service": ["lambda.amazonaws.com"] },
            "Effect": "Allow",
        },
        "Version": "2012-10-17",
    });
    let world = applied(SPEC).set(role, "trust", json!(Document::new(trust)));
    assert!(!world.plan(SPEC).has_changes());
}

#[test]
fn a_policy_widened_outside_is_drift() {
    let attached = json!(["arn:aws:iam::aws:policy/AdministratorAccess"]);
    let world = applied(SPEC).set("global/role.pay-us-east-1", "attached", attached);
    assert_snapshot!(text(&world.plan(SPEC)), @"
    ~ global/role.pay-us-east-1  drifted: changed outside drctl
        attached: [arn:aws:iam::aws:policy/AdministratorAccess] -> []

    0 to create, 1 to update, 0 to replace, 0 to delete
    ");
}
