//! `[alarm.NAME]`: what people are told about.

use insta::assert_snapshot;

use super::alert::told;
use super::{PRODUCTION, SPEC, addresses, graph, problems, typed};
use crate::graph::{Graph, Input};
use crate::kinds::alarm::Alarm;

/// The alarms of a spec, one a line: region, AWS name, what is compared with what, and whom it concerns.
fn alarms(text: &str) -> String {
    let graph = graph(text);
    let alarms = graph.iter().filter(|(address, _)| address.kind == "alarm");
    let lines = alarms.map(|(address, node)| {
        let alarm: Alarm = node.properties.typed().unwrap();
        let metric = &alarm.metrics[Alarm::METRIC];
        let value = |input: &Input| match input {
            Input::Known(text) => text.clone(),
            Input::From(reference) => reference.to_string(),
        };
        let dimensions = metric.dimensions.iter().map(|(name, input)| format!("{name}={}", value(input)));
        format!(
            "{}/{}: {} = {} {} {} {} {} in {} × {} s, {}",
            address.place,
            alarm.name,
            alarm.expression,
            metric.namespace,
            metric.name,
            metric.statistic,
            if alarm.comparison == "LessThanThreshold" { "<" } else { ">" },
            alarm.threshold.unwrap(),
            alarm.periods,
            metric.period,
            alarm.missing_data,
        ) + &format!(" [{}]", dimensions.collect::<Vec<_>>().join(", "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn alarm(graph: &Graph, address: &str) -> Alarm {
    typed(graph, address)
}

#[test]
fn the_default_alarms_are_those_of_the_runbook_and_of_replication() {
    assert_snapshot!(alarms(&told("")), @"
    us-east-1/dynamodb-read-throttle-t1: FILL(m, 0) = AWS/DynamoDB ReadThrottleEvents Sum > 10 in 1 × 300 s, notBreaching [TableName=payments-t1]
    us-east-1/dynamodb-replication-latency-t1: m = AWS/DynamoDB ReplicationLatency Average > 60000 in 1 × 300 s, ignore [ReceivingRegion=us-west-2, TableName=payments-t1]
    us-east-1/dynamodb-write-throttle-t1: FILL(m, 0) = AWS/DynamoDB WriteThrottleEvents Sum > 10 in 1 × 300 s, notBreaching [TableName=payments-t1]
    us-east-1/lambda-errors-t1: m = AWS/Lambda Errors Sum > 10 in 1 × 300 s, notBreaching [FunctionName=pay-t1]
    us-east-1/lambda-throttles-t1: m = AWS/Lambda Throttles Sum > 5 in 1 × 300 s, notBreaching [FunctionName=pay-t1]
    us-west-2/dynamodb-read-throttle-t1: FILL(m, 0) = AWS/DynamoDB ReadThrottleEvents Sum > 10 in 1 × 300 s, notBreaching [TableName=payments-t1]
    us-west-2/dynamodb-replication-latency-t1: m = AWS/DynamoDB ReplicationLatency Average > 60000 in 1 × 300 s, ignore [ReceivingRegion=us-east-1, TableName=payments-t1]
    us-west-2/dynamodb-write-throttle-t1: FILL(m, 0) = AWS/DynamoDB WriteThrottleEvents Sum > 10 in 1 × 300 s, notBreaching [TableName=payments-t1]
    us-west-2/lambda-errors-t1: m = AWS/Lambda Errors Sum > 10 in 1 × 300 s, notBreaching [FunctionName=pay-t1]
    us-west-2/lambda-throttles-t1: m = AWS/Lambda Throttles Sum > 5 in 1 × 300 s, notBreaching [FunctionName=pay-t1]
    ");
}

#[test]
fn what_s3_copies_is_watched_where_it_arrives_and_what_it_fails_to_copy_where_it_is_from() {
    let bucket = |replication: &str| alarms(&told(&format!("[bucket.logs]\nreplication = \"{replication}\"\n")));
    let of_s3 = |shown: String| shown.lines().filter(|line| line.contains("/s3-")).collect::<Vec<_>>().join("\n");
    assert_snapshot!(of_s3(bucket("two-way")), @"
    us-east-1/s3-replication-failed-t1: m = AWS/S3 OperationsFailedReplication Sum > 0 in 1 × 300 s, notBreaching [DestinationBucket=logs-us-west-2-t1, RuleId=drctl-logs-to-us-west-2, SourceBucket=logs-us-east-1-t1]
    us-east-1/s3-replication-latency-t1: m = AWS/S3 ReplicationLatency Maximum > 900 in 1 × 300 s, notBreaching [DestinationBucket=logs-us-east-1-t1, RuleId=drctl-logs-to-us-east-1, SourceBucket=logs-us-west-2-t1]
    us-west-2/s3-replication-failed-t1: m = AWS/S3 OperationsFailedReplication Sum > 0 in 1 × 300 s, notBreaching [DestinationBucket=logs-us-east-1-t1, RuleId=drctl-logs-to-us-east-1, SourceBucket=logs-us-west-2-t1]
    us-west-2/s3-replication-latency-t1: m = AWS/S3 ReplicationLatency Maximum > 900 in 1 × 300 s, notBreaching [DestinationBucket=logs-us-west-2-t1, RuleId=drctl-logs-to-us-west-2, SourceBucket=logs-us-east-1-t1]
    ");
    assert_snapshot!(of_s3(bucket("to-secondary")), @"
    us-east-1/s3-replication-failed-t1: m = AWS/S3 OperationsFailedReplication Sum > 0 in 1 × 300 s, notBreaching [DestinationBucket=logs-us-west-2-t1, RuleId=drctl-logs-to-us-west-2, SourceBucket=logs-us-east-1-t1]
    us-west-2/s3-replication-latency-t1: m = AWS/S3 ReplicationLatency Maximum > 900 in 1 × 300 s, notBreaching [DestinationBucket=logs-us-west-2-t1, RuleId=drctl-logs-to-us-west-2, SourceBucket=logs-us-east-1-t1]
    ");
}

#[test]
fn health_checks_are_watched_where_route_53_tells_of_them() {
    let of_health = |text: &str| {
        let shown = alarms(text);
        shown.lines().filter(|line| line.contains("Route53")).map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(of_health(PRODUCTION), @"
    us-east-1/health-check-status-us-east-1-prod-001: m = AWS/Route53 HealthCheckStatus Minimum < 1 in 1 × 60 s, missing [HealthCheckId=global/health_check.us-east-1.id]
    us-east-1/health-check-status-us-west-2-prod-001: m = AWS/Route53 HealthCheckStatus Minimum < 1 in 1 × 60 s, missing [HealthCheckId=global/health_check.us-west-2.id]
    ");
    let added = "\n[alarm.few-checkers]\non = \"health-check.us-west-2\"\nmetric = \"HealthCheckPercentageHealthy\"\nbelow = 50\n\
                 [alarm.health-check-status]\nenabled = false\n";
    assert_snapshot!(of_health(&format!("{PRODUCTION}{added}")), @"us-east-1/few-checkers-prod-001: m = AWS/Route53 HealthCheckPercentageHealthy Average < 50 in 1 × 300 s, missing [HealthCheckId=global/health_check.us-west-2.id]");
    let graph = graph(PRODUCTION);
    assert_eq!(
        alarm(&graph, "us-east-1/alarm.health-check-status-us-west-2").description,
        "health-check.us-west-2: HealthCheckStatus (Minimum) below 1 in 1m"
    );
}

#[test]
fn away_from_route_53s_metrics_there_is_no_alarm_on_health_checks_and_a_warning() {
    let warnings = |text: &str| {
        let warnings = graph(text).warnings().to_vec();
        warnings.into_iter().filter(|warning| warning.contains("health")).collect::<Vec<_>>().join("\n")
    };
    let elsewhere = PRODUCTION.replace("us-east-1", "eu-west-1");
    assert!(!addresses(&elsewhere).iter().any(|address| address.contains("health-check-status")));
    assert_snapshot!(warnings(&elsewhere), @"there is no alarm `health-check-status`: Route 53 tells of health checks in us-east-1 only, and the system is in eu-west-1 and us-west-2");
    assert_eq!(warnings(&format!("{elsewhere}\n[alarm.health-check-status]\nenabled = false\n")), "");
    assert_eq!((warnings(PRODUCTION), warnings(&told(""))), (String::new(), String::new()));
}

#[test]
fn an_alarm_has_one_limit_and_watches_what_there_is() {
    let wrong = told(
        "[alarm.both]\non = \"function.pay\"\nmetric = \"Errors\"\nabove = 1\nbelow = 1\n\
         [alarm.neither]\non = \"function.pay\"\nmetric = \"Errors\"\n\
         [alarm.nothing]\non = \"health-check.us-east-1\"\nmetric = \"HealthCheckStatus\"\nbelow = 1\n",
    );
    assert_snapshot!(problems(&wrong), @r#"
    × spec.toml has 3 problems

    Error: drctl::spec::value

      × an alarm is on values above a number or below one, not both
        ╭─[spec.toml:26:9]
     25 │ above = 1
     26 │ below = 1
        ·         ┬
        ·         ╰── here
     27 │ [alarm.neither]
        ╰────
      help: leave one of them out, or write two alarms

    Error: drctl::spec::missing

      × `[alarm.neither]` has no `above`
        ╭─[spec.toml:27:8]
     26 │ below = 1
     27 │ [alarm.neither]
        ·        ───┬───
        ·           ╰── this table
     28 │ on = "function.pay"
        ╰────
      help: add `above = 10`; only the default alarms can do without: lambda-errors, lambda-throttles,
            dynamodb-read-throttle, dynamodb-write-throttle, dynamodb-replication-latency, s3-
            replication-latency, s3-replication-failed, health-check-status

    Error: drctl::spec::unknown_name

      × there is no health-check named `us-east-1`
        ╭─[spec.toml:31:6]
     30 │ [alarm.nothing]
     31 │ on = "health-check.us-east-1"
        ·      ────────────┬───────────
        ·                  ╰── named here
     32 │ metric = "HealthCheckStatus"
        ╰────
      help: add `[dns]`: each region then has one
    "#);
    let elsewhere = format!("{PRODUCTION}[alarm.health-check-status]\non = \"health-check.us-west-1\"\n");
    assert!(problems(&elsewhere).contains("did you mean `health-check.us-west-2`?"));
}

#[test]
fn an_alarm_tells_the_topic_of_its_region_that_it_fires_and_that_it_is_over() {
    let graph = graph(PRODUCTION);
    for region in ["us-east-1", "us-west-2"] {
        let alarm = alarm(&graph, &format!("{region}/alarm.lambda-errors"));
        for told in [&alarm.alarm_actions, &alarm.ok_actions] {
            let [Input::From(topic)] = told.as_slice() else { panic!("the topic is a reference") };
            assert_eq!(topic.to_string(), format!("{region}/topic.alerts.arn"));
        }
        assert!(alarm.actions_enabled && alarm.insufficient_data_actions.is_empty());
        assert_eq!(alarm.description, "function.payment-processor: Errors (Sum) above 10 in 5m");
        assert_eq!(alarm.tags["drctl:address"], format!("{region}/alarm.lambda-errors"));
    }
}

#[test]
fn several_targets_have_an_alarm_each() {
    let two =
        told("[function.other]\nsource = \"other\"\nreserved-concurrency = 0\n[function.third]\nsource = \"third\"\n");
    let names: Vec<_> = addresses(&two).into_iter().filter(|name| name.starts_with("us-east-1/alarm.lambda")).collect();
    assert_snapshot!(names.join("\n"), @"
    us-east-1/alarm.lambda-errors-other
    us-east-1/alarm.lambda-errors-pay
    us-east-1/alarm.lambda-throttles-other
    us-east-1/alarm.lambda-throttles-pay
    ");
    let one = format!("{two}[alarm.lambda-errors]\non = \"function.third\"\n");
    assert_eq!(alarm(&graph(&one), "us-east-1/alarm.lambda-errors").name, "lambda-errors-t1");
}

#[test]
fn a_default_alarm_is_tuned_or_switched_off_by_its_name() {
    let tuned = told(
        "[alarm.lambda-errors]\nabove = 2.5\nover = \"1m\"\nfor = 3\nstatistic = \"p99.9\"\nmissing = \"breaching\"\n\
         [alarm.lambda-throttles]\nenabled = false\n[alarm.dynamodb-read-throttle]\nmissing = \"ignore\"\n",
    );
    let graph = graph(&tuned);
    let errors = alarm(&graph, "us-east-1/alarm.lambda-errors");
    assert_eq!(errors.description, "function.pay: Errors (p99.9) above 2.5 in 1m, 3 times in a row");
    assert_eq!((errors.periods, errors.datapoints, errors.missing_data.as_str()), (3, 3, "breaching"));
    assert!(graph.get(&"us-east-1/alarm.lambda-throttles".parse().unwrap()).is_none());
    assert_eq!(alarm(&graph, "us-east-1/alarm.dynamodb-read-throttle").expression, "m");
    assert_eq!(alarm(&graph, "us-east-1/alarm.dynamodb-write-throttle").expression, "FILL(m, 0)");
}

#[test]
fn another_name_adds_an_alarm() {
    let added = told("[alarm.slow]\non = \"function.pay\"\nmetric = \"Duration\"\nabove = 3000\nover = \"10s\"\n");
    let shown = alarms(&added);
    let slow: Vec<_> = shown.lines().filter(|line| line.contains("slow")).collect();
    assert_snapshot!(slow.join("\n"), @"
    us-east-1/slow-t1: m = AWS/Lambda Duration Maximum > 3000 in 1 × 10 s, ignore [FunctionName=pay-t1]
    us-west-2/slow-t1: m = AWS/Lambda Duration Maximum > 3000 in 1 × 10 s, ignore [FunctionName=pay-t1]
    ");
}

#[test]
fn an_alarm_needs_somebody_to_tell() {
    let alone = format!("{SPEC}[alarm.lambda-errors]\nabove = 5\n[alarm.lambda-throttles]\nabove = 5\n");
    assert_snapshot!(problems(&alone), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::missing

      × `[alarm.lambda-errors]` has nobody to tell: the spec has no `[alert]`
        ╭─[spec.toml:17:8]
     16 │ source = "pay"
     17 │ [alarm.lambda-errors]
        ·        ──────┬──────
        ·              ╰── here
     18 │ above = 5
        ╰────
      help: add `[alert]` with `emails = ["ops@example.com"]`
    "#);
}

#[test]
fn every_problem_of_the_alarms_is_told() {
    let text = told(
        r#"[alarm.lamda-errors]
above = "many"

[alarm.latency]
on = "functoin.pay"
metric = "Duration"
above = 5
over = "45s"

[alarm.reads]
on = "table.payment"
metric = "ReadThrotleEvents"
above = 5
statistic = "sum"
missing = "none"

[alarm.writes]
on = "table.payments"
metric = "WriteThrottleEvents"
above = 5
missing = "breaching"
over = "1h"
for = 200

[alarm.lambda-throttles]
on = "table.payments"
enabled = "no"
"#,
    );
    assert_snapshot!(problems(&text), @r#"
    × spec.toml has 13 problems

    Error: drctl::spec::missing

      × `[alarm.lamda-errors]` has no `on`
        ╭─[spec.toml:22:8]
     21 │
     22 │ [alarm.lamda-errors]
        ·        ──────┬─────
        ·              ╰── this table
     23 │ above = "many"
        ╰────
      help: add `on = "function.NAME"`; or did you mean `[alarm.lambda-errors]`, which has one?

    Error: drctl::spec::missing

      × `[alarm.lamda-errors]` has no `metric`
        ╭─[spec.toml:22:8]
     21 │
     22 │ [alarm.lamda-errors]
        ·        ──────┬─────
        ·              ╰── this table
     23 │ above = "many"
        ╰────
      help: add `metric = "Errors"`; or did you mean `[alarm.lambda-errors]`, which has one?

    Error: drctl::spec::value

      × `above` in `[alarm.lamda-errors]`: expected a number, found a string
        ╭─[spec.toml:23:9]
     22 │ [alarm.lamda-errors]
     23 │ above = "many"
        ·         ───┬──
        ·            ╰── here
     24 │
        ╰────
      help: write one without quotes, such as 10

    Error: drctl::spec::value

      × `on` in `[alarm.latency]`: drctl has no alarms on a `functoin`
        ╭─[spec.toml:26:6]
     25 │ [alarm.latency]
     26 │ on = "functoin.pay"
        ·      ───────┬──────
        ·             ╰── here
     27 │ metric = "Duration"
        ╰────
      help: did you mean `function.pay`?

    Error: drctl::spec::value

      × `over` in `[alarm.latency]`: CloudWatch has no periods of 45 s
        ╭─[spec.toml:29:8]
     28 │ above = 5
     29 │ over = "45s"
        ·        ──┬──
        ·          ╰── here
     30 │
        ╰────
      help: write whole minutes up to a day, such as "5m"; or "10s", "20s", "30s"

    Error: drctl::spec::unknown_name

      × there is no table named `payment`
        ╭─[spec.toml:32:6]
     31 │ [alarm.reads]
     32 │ on = "table.payment"
        ·      ───────┬───────
        ·             ╰── named here
     33 │ metric = "ReadThrotleEvents"
        ╰────
      help: did you mean `table.payments`?

    Error: drctl::spec::metric

      × drctl knows no metric `ReadThrotleEvents` of a table
        ╭─[spec.toml:33:10]
     32 │ on = "table.payment"
     33 │ metric = "ReadThrotleEvents"
        ·          ─────────┬─────────
        ·                   ╰── here
     34 │ above = 5
        ╰────
      help: did you mean "ReadThrottleEvents"?

    Error: drctl::spec::value

      × `statistic` in `[alarm.reads]`: `sum` is no statistic
        ╭─[spec.toml:35:13]
     34 │ above = 5
     35 │ statistic = "sum"
        ·             ──┬──
        ·               ╰── here
     36 │ missing = "none"
        ╰────
      help: write one of: Average, Maximum, Minimum, SampleCount, Sum; or a percentile such as "p99"

    Error: drctl::spec::value

      × `missing` is "none", which is none of its values
        ╭─[spec.toml:36:11]
     35 │ statistic = "sum"
     36 │ missing = "none"
        ·           ───┬──
        ·              ╰── here
     37 │
        ╰────
      help: write "ok" or "breaching" or "ignore" or "missing"

    Error: drctl::spec::range

      × 200 periods of 1h are more than a week
        ╭─[spec.toml:38:8]
     37 │
     38 │ [alarm.writes]
        ·        ───┬──
        ·           ╰── this alarm
     39 │ on = "table.payments"
        ╰────
      help: write `for = 168` or less

    Error: drctl::spec::missing_data

      × CloudWatch always ignores missing data of DynamoDB
        ╭─[spec.toml:42:11]
     41 │ above = 5
     42 │ missing = "breaching"
        ·           ─────┬─────
        ·                ╰── here
     43 │ over = "1h"
        ╰────
      help: write "ok" or "ignore"

    Error: drctl::spec::metric

      × drctl knows no metric `Throttles` of a table
        ╭─[spec.toml:47:6]
     46 │ [alarm.lambda-throttles]
     47 │ on = "table.payments"
        ·      ────────┬───────
        ·              ╰── here
     48 │ enabled = "no"
        ╰────
      help: write one of: ReadThrottleEvents, WriteThrottleEvents, ConsumedReadCapacityUnits,
            ConsumedWriteCapacityUnits, ConditionalCheckFailedRequests, TransactionConflict,
            TimeToLiveDeletedItemCount, ReplicationLatency

    Error: drctl::spec::value

      × `enabled` in `[alarm.lambda-throttles]`: expected true or false, found a string
        ╭─[spec.toml:48:11]
     47 │ on = "table.payments"
     48 │ enabled = "no"
        ·           ──┬─
        ·             ╰── here
        ╰────
      help: write true or false, without quotes
    "#);
}

#[test]
fn two_alarms_are_never_called_the_same() {
    let text = told(
        "[function.other]\nsource = \"other\"\nreserved-concurrency = 1\n\n[alarm.lambda-errors-pay]\n\
         on = \"function.pay\"\nmetric = \"Errors\"\nabove = 1\n",
    );
    assert_snapshot!(problems(&text), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::twice

      × `[alarm.lambda-errors-pay]` and `[alarm.lambda-errors]` would both be called `lambda-errors-
      │ pay`
        ╭─[spec.toml:26:8]
     25 │
     26 │ [alarm.lambda-errors-pay]
        ·        ────────┬────────
        ·                ╰── here
     27 │ on = "function.pay"
        ╰────
      help: choose another name
    "#);
}

#[test]
fn a_name_with_the_suffix_has_to_fit() {
    let name = "n".repeat(253);
    let text = told(&format!("[alarm.{name}]\non = \"function.pay\"\nmetric = \"Errors\"\nabove = 1\n"));
    let shown = problems(&text).replace(&name, "(253 n)");
    assert!(shown.contains("CloudWatch takes") && shown.contains("choose a shorter name or suffix"), "{shown}");
}
