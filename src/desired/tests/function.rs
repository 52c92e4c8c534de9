//! `[function.NAME]`.

use insta::assert_snapshot;

use super::{MINIMAL, PRODUCTION, SPEC, graph, problems, spec, typed, with};
use crate::graph::{Address, Input};
use crate::kinds::function::Function;
use crate::kinds::function_url::FunctionUrl;
use crate::kinds::log_group::LogGroup;
use crate::kinds::role::Role;

#[test]
fn a_number_out_of_range_is_told_with_the_range() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nmemory = 64\nreserved-concurrency = -1"), @r#"
    × spec.toml has 2 problems

    Error: drctl::spec::range

      × `memory` is 64, outside of what AWS takes
        ╭─[spec.toml:17:10]
     16 │ source = "pay"
     17 │ memory = 64
        ·          ─┬
        ·           ╰── here
     18 │ reserved-concurrency = -1
        ╰────
      help: write a number from 128 to 10240 (megabytes)

    Error: drctl::spec::range

      × `reserved-concurrency` is -1, outside of what AWS takes
        ╭─[spec.toml:18:24]
     17 │ memory = 64
     18 │ reserved-concurrency = -1
        ·                        ─┬
        ·                         ╰── here
        ╰────
      help: write a number from 0 to 100000; leave it out to share the account's concurrency
    "#);
}

#[test]
fn a_reference_to_nothing_comes_with_what_there_is() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nuses = { table.paymets = \"write\" }"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::unknown_name

      × there is no table named `paymets`
        ╭─[spec.toml:17:16]
     16 │ source = "pay"
     17 │ uses = { table.paymets = "write" }
        ·                ───┬───
        ·                   ╰── named here
        ╰────
      help: did you mean `payments`?
    "#);
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nuses = { table.ledger = \"read\" }"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::unknown_name

      × there is no table named `ledger`
        ╭─[spec.toml:17:16]
     16 │ source = "pay"
     17 │ uses = { table.ledger = "read" }
        ·                ───┬──
        ·                   ╰── named here
        ╰────
      help: use one of: payments; or add a `[table.ledger]` table
    "#);
}

#[test]
fn a_table_with_problems_is_there_all_the_same_for_those_who_use_it() {
    let spec = SPEC.replace("key = \"id\"", "").replace("\"pay\"", "\"pay\"\nuses = { table.payments = \"read\" }");
    assert!(problems(&spec).starts_with("× spec.toml has 1 problem\n"));
}

#[test]
fn an_access_that_there_is_not_comes_with_those_there_are() {
    assert_snapshot!(
        with("source = \"pay\"", "source = \"pay\"\nuses = { table.payments = \"admin\", function.pay = \"write\" }"),
        @r#"
    × spec.toml has 2 problems

    Error: drctl::spec::value

      × `function.pay.uses.table.payments` says no access that there is
        ╭─[spec.toml:17:27]
     16 │ source = "pay"
     17 │ uses = { table.payments = "admin", function.pay = "write" }
        ·                           ───┬───
        ·                              ╰── here
        ╰────
      help: write "read" or "write"

    Error: drctl::spec::value

      × `function.pay.uses.function.pay` says no access that there is
        ╭─[spec.toml:17:51]
     16 │ source = "pay"
     17 │ uses = { table.payments = "admin", function.pay = "write" }
        ·                                                   ───┬───
        ·                                                      ╰── here
        ╰────
      help: write "read"
    "#
    );
}

#[test]
fn a_use_of_an_unknown_kind_is_told() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nuses = { tables.payments = \"read\" }"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::unknown_key

      × `[function.pay.uses]` has no key `tables`
        ╭─[spec.toml:17:10]
     16 │ source = "pay"
     17 │ uses = { tables.payments = "read" }
        ·          ───┬──
        ·             ╰── unknown key
        ╰────
      help: did you mean `table`?
    "#);
}

#[test]
fn a_duration_needs_its_unit() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\ntimeout = 10"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `timeout` in `[function.pay]`: expected a duration, found an integer
        ╭─[spec.toml:17:11]
     16 │ source = "pay"
     17 │ timeout = 10
        ·           ─┬
        ·            ╰── here
        ╰────
      help: write it with its unit, in quotes: "10s", "5m", "2h" or "30d"
    "#);
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\ntimeout = \"10 seconds\""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `timeout` in `[function.pay]`: `10 seconds` is no duration
        ╭─[spec.toml:17:11]
     16 │ source = "pay"
     17 │ timeout = "10 seconds"
        ·           ──────┬─────
        ·                 ╰── here
        ╰────
      help: write a whole number and s, m, h or d: "10s", "5m", "2h", "30d"
    "#);
}

#[test]
fn a_timeout_has_the_bounds_of_lambda() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\ntimeout = \"16m\""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::range

      × `timeout` is 960 s, outside of what AWS takes
        ╭─[spec.toml:17:11]
     16 │ source = "pay"
     17 │ timeout = "16m"
        ·           ──┬──
        ·             ╰── here
        ╰────
      help: write "1s" to "15m"
    "#);
}

#[test]
fn a_retention_that_cloudwatch_does_not_take_comes_with_the_next_longer_one() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nlog-retention = \"31d\""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `log-retention` in `[function.pay]`: CloudWatch Logs does not keep logs for 31 days
        ╭─[spec.toml:17:17]
     16 │ source = "pay"
     17 │ log-retention = "31d"
        ·                 ──┬──
        ·                   ╰── here
        ╰────
      help: write "60d", the next longer one
    "#);
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nlog-retention = \"4000d\""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `log-retention` in `[function.pay]`: CloudWatch Logs does not keep logs for 4000 days
        ╭─[spec.toml:17:17]
     16 │ source = "pay"
     17 │ log-retention = "4000d"
        ·                 ───┬───
        ·                    ╰── here
        ╰────
      help: write "never"
    "#);
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nlog-retention = \"36h\""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `log-retention` in `[function.pay]`: this is not a whole number of days
        ╭─[spec.toml:17:17]
     16 │ source = "pay"
     17 │ log-retention = "36h"
        ·                 ──┬──
        ·                   ╰── here
        ╰────
      help: write whole days, such as "30d"
    "#);
}

#[test]
fn a_word_that_is_no_choice_comes_with_the_choices() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nurl = { auth = \"public\" }\ntracing = \"on\""), @r#"
    × spec.toml has 2 problems

    Error: drctl::spec::value

      × `auth` is "public", which is none of its values
        ╭─[spec.toml:17:16]
     16 │ source = "pay"
     17 │ url = { auth = "public" }
        ·                ────┬───
        ·                    ╰── here
     18 │ tracing = "on"
        ╰────
      help: write "none" or "iam"

    Error: drctl::spec::value

      × `tracing` is "on", which is none of its values
        ╭─[spec.toml:18:11]
     17 │ url = { auth = "public" }
     18 │ tracing = "on"
        ·           ──┬─
        ·             ╰── here
        ╰────
      help: write "pass-through" or "active"
    "#);
}

#[test]
fn a_url_has_to_say_who_may_call_it() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nurl = {}"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::missing

      × `url` says no `auth`
        ╭─[spec.toml:17:1]
     16 │ source = "pay"
     17 │ url = {}
        · ─┬─
        ·  ╰── here
        ╰────
      help: write `url = { auth = "none" }` for a public endpoint, or `"iam"`
    "#);
}

#[test]
fn every_url_that_does_not_say_who_may_call_it_is_told() {
    let functions = "source = \"pay\"\nurl = {}\n[function.check]\nsource = \"check\"\nurl = {}";
    assert_eq!(with("source = \"pay\"", functions).matches("says no `auth`").count(), 2);
}

#[test]
fn the_longest_names_that_aws_takes_are_accepted() {
    // `pay-ap-northeast-1-SUFFIX` is a role's name, and IAM takes 64 characters.
    let longest = |suffix: usize| {
        SPEC.replace("us-west-2", "ap-northeast-1").replace("\"t1\"", &format!("\"{}\"", "s".repeat(suffix)))
    };
    let role = typed::<Role>(&graph(&longest(45)), "global/role.pay-ap-northeast-1");
    assert_eq!(role.name.len(), 64);
    assert!(problems(&longest(46)).contains("65 characters"));
}

#[test]
fn what_is_not_said_has_its_default() {
    let graph = graph(MINIMAL);
    let function = typed::<Function>(&graph, "us-east-1/function.payment-processor");
    assert_eq!((function.memory, function.timeout, function.reserved_concurrency), (256, 10, None));
    assert_eq!((function.architecture.as_str(), function.tracing.as_str()), ("x86_64", "PassThrough"));
    assert_eq!(typed::<LogGroup>(&graph, "us-east-1/log_group.payment-processor").retention_days, Some(30));
}

#[test]
fn logs_can_be_kept_for_ever() {
    let graph = graph(&SPEC.replace("source = \"pay\"", "source = \"pay\"\nlog-retention = \"never\""));
    assert_eq!(typed::<LogGroup>(&graph, "us-east-1/log_group.pay").retention_days, None);
}

#[test]
fn a_function_takes_its_role_from_its_own_region() {
    let graph = graph(PRODUCTION);
    for region in ["us-east-1", "us-west-2"] {
        let function = typed::<Function>(&graph, &format!("{region}/function.health-check"));
        let Input::From(role) = function.role else { panic!("the role is a reference") };
        assert_eq!(role.to_string(), format!("global/role.health-check-{region}.arn"));
        assert_eq!(function.environment["TABLE_PAYMENT_TRANSACTIONS"], "payment-transactions-prod-001");
        assert_eq!(function.environment["FUNCTION_PAYMENT_PROCESSOR"], "payment-processor-prod-001");
    }
}

#[test]
fn every_policy_names_its_own_region_and_nothing_at_large() {
    for text in [PRODUCTION, MINIMAL] {
        let graph = graph(text);
        // What S3 copies with is of both regions.
        let of_one_region = |address: &Address| address.kind == "role" && !address.name.ends_with("-replication");
        for (address, node) in graph.iter().filter(|(address, _)| of_one_region(address)) {
            let role: Role = node.properties.typed().unwrap();
            let (own, other) = if address.name.ends_with("us-east-1") {
                ("us-east-1", "us-west-2")
            } else {
                ("us-west-2", "us-east-1")
            };
            let trust = role.trust.to_text();
            assert!(trust.contains(own) && !trust.contains(other), "{trust}");
            for statement in role.policies[Role::POLICY].statements() {
                for resource in statement["Resource"].as_array().unwrap() {
                    let resource = resource.as_str().unwrap();
                    let (in_region, bucket) =
                        (format!(":{own}:123456789012:"), format!("arn:aws:s3:::transaction-logs-{own}"));
                    assert!(resource.contains(&in_region) || resource.starts_with(&bucket), "{address}: {resource}");
                    assert!(!resource.contains(other), "{address}: {resource}");
                }
                for action in statement["Action"].as_array().unwrap() {
                    assert!(!action.as_str().unwrap().contains('*'), "{address}: {action}");
                }
            }
        }
    }
}

#[test]
fn only_tracing_needs_every_resource() {
    let traced = SPEC.replace("source = \"pay\"", "source = \"pay\"\ntracing = \"active\"");
    let role = typed::<Role>(&graph(&traced), "global/role.pay-us-east-1");
    let at_large = |statement: &&serde_json::Value| statement["Resource"] == serde_json::json!(["*"]);
    let statements: Vec<_> = role.policies[Role::POLICY].statements().iter().filter(at_large).collect();
    assert_eq!(statements.len(), 1);
    assert_eq!(statements[0]["Action"], serde_json::json!(["xray:PutTelemetryRecords", "xray:PutTraceSegments"]));
}

#[test]
fn a_function_may_do_what_its_uses_say_and_no_more() {
    let uses =
        "\"pay\"\n[function.check]\nsource = \"check\"\nuses = { table.payments = \"read\", function.pay = \"read\" }";
    let role = typed::<Role>(&graph(&SPEC.replace("\"pay\"", uses)), "global/role.check-us-west-2");
    let text = serde_json::to_string_pretty(&role.policies[Role::POLICY]).unwrap();
    assert_snapshot!(text, @r#"
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "FunctionPay",
          "Effect": "Allow",
          "Action": [
            "lambda:GetFunction"
          ],
          "Resource": [
            "arn:aws:lambda:us-west-2:123456789012:function:pay-t1"
          ]
        },
        {
          "Sid": "Logs",
          "Effect": "Allow",
          "Action": [
            "logs:CreateLogStream",
            "logs:PutLogEvents"
          ],
          "Resource": [
            "arn:aws:logs:us-west-2:123456789012:log-group:/aws/lambda/check-t1:*"
          ]
        },
        {
          "Sid": "TablePayments",
          "Effect": "Allow",
          "Action": [
            "dynamodb:GetItem"
          ],
          "Resource": [
            "arn:aws:dynamodb:us-west-2:123456789012:table/payments-t1"
          ]
        }
      ]
    }
    "#);
}

#[test]
fn a_public_url_has_both_permissions_and_an_iam_url_none() {
    let public = typed::<FunctionUrl>(&graph(PRODUCTION), "us-east-1/function_url.payment-processor");
    let sids: Vec<_> = public.permissions.keys().collect();
    assert_eq!(sids, ["DrctlUrlInvokeFunction", "DrctlUrlInvokeFunctionUrl"]);
    let iam = graph(&PRODUCTION.replacen("auth = \"none\"", "auth = \"iam\"", 1));
    let iam = typed::<FunctionUrl>(&iam, "us-east-1/function_url.payment-processor");
    assert_eq!((iam.auth.as_str(), iam.permissions.len()), ("AWS_IAM", 0));
}

#[test]
fn the_payment_and_the_health_function_are_found_by_what_they_use() {
    let production = spec(PRODUCTION);
    assert_eq!(production.payment_function(), Some("payment-processor"));
    assert_eq!(production.health_function(), Some("health-check"));
    let minimal = spec(MINIMAL);
    assert_eq!(minimal.payment_function(), Some("payment-processor"));
    assert_eq!(minimal.health_function(), None);
}

/// A function that uses this many tables.
fn with_tables(count: usize) -> String {
    let tables =
        |line: &dyn Fn(String) -> String| (0..count).map(|n| line(format!("payments-{n:03}"))).collect::<String>();
    let declared = tables(&|name| format!("[table.{name}]\nkey = \"id\"\n"));
    let used = tables(&|name| format!("table.{name} = \"write\", "));
    SPEC.replace("source = \"pay\"", &format!("source = \"pay\"\nuses = {{ {} }}", used.trim_end_matches(", ")))
        + &declared
}

#[test]
fn what_a_function_uses_has_to_fit_into_the_policy_of_its_role_and_its_environment() {
    spec(&with_tables(40));
    let told = problems(&with_tables(120));
    assert!(told.contains("the policy of the function's role would have "), "{told}");
    assert!(told.contains(" characters, and AWS takes 10240"), "{told}");
    assert!(told.contains("the function's environment would have "), "{told}");
    assert!(told.contains(" characters, and AWS takes 4096"), "{told}");
}
