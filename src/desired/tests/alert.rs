//! `[alert]`: who is told.

use insta::assert_snapshot;

use super::{PRODUCTION, SPEC, addresses, graph, problems, typed};
use crate::kinds::subscription::Subscription;
use crate::kinds::topic::Topic;

/// [`SPEC`] with somebody to tell, and a function whose concurrency is its own.
pub(super) fn told(rest: &str) -> String {
    format!("{SPEC}reserved-concurrency = 10\n\n[alert]\nemails = [\"ops@example.com\"]\n\n{rest}")
}

#[test]
fn a_topic_in_each_region_lets_the_accounts_alarms_publish() {
    let graph = graph(PRODUCTION);
    let topic = typed::<Topic>(&graph, "us-west-2/topic.alerts");
    assert_eq!((topic.name.as_str(), topic.kms_key), ("payment-dr-alerts-prod-001", None));
    assert_eq!(topic.tags["drctl:address"], "us-west-2/topic.alerts");
    assert_snapshot!(serde_json::to_string_pretty(&topic.policy).unwrap(), @r#"
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "Alarms",
          "Effect": "Allow",
          "Principal": {
            "Service": [
              "cloudwatch.amazonaws.com"
            ]
          },
          "Action": [
            "sns:Publish"
          ],
          "Resource": [
            "arn:aws:sns:us-west-2:123456789012:payment-dr-alerts-prod-001"
          ],
          "Condition": {
            "StringEquals": {
              "aws:SourceAccount": [
                "123456789012"
              ]
            }
          }
        },
        {
          "Sid": "Owner",
          "Effect": "Allow",
          "Principal": {
            "AWS": [
              "arn:aws:iam::123456789012:root"
            ]
          },
          "Action": [
            "sns:AddPermission",
            "sns:DeleteTopic",
            "sns:GetTopicAttributes",
            "sns:ListSubscriptionsByTopic",
            "sns:Publish",
            "sns:RemovePermission",
            "sns:SetTopicAttributes",
            "sns:Subscribe"
          ],
          "Resource": [
            "arn:aws:sns:us-west-2:123456789012:payment-dr-alerts-prod-001"
          ]
        }
      ]
    }
    "#);
}

#[test]
fn every_address_is_subscribed_in_both_regions() {
    let text = PRODUCTION.replace("emails = [", "emails = [\"a+b@mail.example.org\", ");
    let graph = graph(&text);
    for region in ["us-east-1", "us-west-2"] {
        for email in ["a+b@mail.example.org", "ops@example.com"] {
            let address = format!("{region}/subscription.{email}");
            let subscription = typed::<Subscription>(&graph, &address);
            assert_eq!(subscription, Subscription::email("payment-dr-alerts-prod-001", email));
            let needs = graph.needs(&address.parse().unwrap());
            assert_eq!(needs.iter().map(ToString::to_string).collect::<Vec<_>>(), [format!("{region}/topic.alerts")]);
        }
    }
}

#[test]
fn without_alert_nobody_is_told() {
    assert!(!addresses(SPEC).iter().any(|address| address.contains("topic") || address.contains("alarm")));
}

#[test]
fn an_address_has_to_be_one_and_to_be_there_once() {
    let text = told("").replace(
        "\"ops@example.com\"",
        "\"ops@example.com\", \"OPS@example.com\", \"ops\", \"ops@localhost\", \"a b@example.com\", 5",
    );
    assert_snapshot!(problems(&text), @r#"
    × spec.toml has 5 problems

    Error: drctl::spec::twice

      × `OPS@example.com` is listed twice
        ╭─[spec.toml:20:30]
     19 │ [alert]
     20 │ emails = ["ops@example.com", "OPS@example.com", "ops", "ops@localhost", "a b@example.com", 5]
        ·                              ────────┬────────
        ·                                      ╰── here
     21 │
        ╰────
      help: remove one of the two: every mail would come twice

    Error: drctl::spec::email

      × `ops` is no e-mail address
        ╭─[spec.toml:20:49]
     19 │ [alert]
     20 │ emails = ["ops@example.com", "OPS@example.com", "ops", "ops@localhost", "a b@example.com", 5]
        ·                                                 ──┬──
        ·                                                   ╰── here
     21 │
        ╰────
      help: write it as in "ops@example.com"

    Error: drctl::spec::email

      × `ops@localhost` is no e-mail address
        ╭─[spec.toml:20:56]
     19 │ [alert]
     20 │ emails = ["ops@example.com", "OPS@example.com", "ops", "ops@localhost", "a b@example.com", 5]
        ·                                                        ───────┬───────
        ·                                                               ╰── here
     21 │
        ╰────
      help: write it as in "ops@example.com"

    Error: drctl::spec::email

      × `a b@example.com` is no e-mail address
        ╭─[spec.toml:20:73]
     19 │ [alert]
     20 │ emails = ["ops@example.com", "OPS@example.com", "ops", "ops@localhost", "a b@example.com", 5]
        ·                                                                         ────────┬────────
        ·                                                                                 ╰── here
     21 │
        ╰────
      help: write it as in "ops@example.com"

    Error: drctl::spec::value

      × `emails`: expected a string, found an integer
        ╭─[spec.toml:20:92]
     19 │ [alert]
     20 │ emails = ["ops@example.com", "OPS@example.com", "ops", "ops@localhost", "a b@example.com", 5]
        ·                                                                                            ┬
        ·                                                                                            ╰── here
     21 │
        ╰────
      help: write it in quotes: "…"
    "#);
}

#[test]
fn an_alert_without_addresses_is_told() {
    assert_snapshot!(problems(&told("").replace("\"ops@example.com\"", "")), @"
    × spec.toml has 1 problem

    Error: drctl::spec::missing

      × `emails` is empty, so nobody would be told
        ╭─[spec.toml:19:2]
     18 │
     19 │ [alert]
        ·  ──┬──
        ·    ╰── here
     20 │ emails = []
        ╰────
      help: write at least one address, or leave `[alert]` out
    ");
    assert_snapshot!(problems(&format!("{SPEC}[alert]\nemail = \"ops@example.com\"\n")), @r#"
    × spec.toml has 2 problems

    Error: drctl::spec::missing

      × `[alert]` has no `emails`
        ╭─[spec.toml:17:2]
     16 │ source = "pay"
     17 │ [alert]
        ·  ──┬──
        ·    ╰── this table
     18 │ email = "ops@example.com"
        ╰────
      help: add `emails = ["ops@example.com"]`

    Error: drctl::spec::unknown_key

      × `[alert]` has no key `email`
        ╭─[spec.toml:18:1]
     17 │ [alert]
     18 │ email = "ops@example.com"
        · ──┬──
        ·   ╰── unknown key
        ╰────
      help: did you mean `emails`?
    "#);
}
