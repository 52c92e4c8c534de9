use serde_json::{Value, json};

use super::{Alarm, Metric};
use crate::aws::canned::Canned;
use crate::graph::{Attributes, FailureClass, Input, Place};
use crate::kinds::Found;
use crate::kinds::tests::{Case, observed, region, tags, targets};

const NAME: &str = "lambda-errors-prod-001";
const ARN: &str = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:lambda-errors-prod-001";
const TOPIC: &str = "arn:aws:sns:us-east-1:123456789012:payment-alerts-prod-001";

/// An alarm of one metric. CloudWatch leaves out what has its default.
fn plain(name: &str) -> Value {
    json!({
        "AlarmName": name, "AlarmArn": ARN, "AlarmDescription": "too many errors", "ActionsEnabled": true,
        "OKActions": [], "AlarmActions": [TOPIC, "arn:aws:sns:us-east-1:123456789012:a"], "InsufficientDataActions": [],
        "StateValue": "OK", "StateReason": "", "MetricName": "Errors", "Namespace": "AWS/Lambda", "Statistic": "Sum",
        "Dimensions": [{ "Name": "FunctionName", "Value": "payment-processor-prod-001" }], "Period": 300,
        "EvaluationPeriods": 1, "Threshold": 10.0, "ComparisonOperator": "GreaterThanThreshold",
    })
}

/// An alarm of an expression.
fn filled() -> Value {
    let metric = json!({
        "Namespace": "AWS/DynamoDB", "MetricName": "ReadThrottleEvents",
        "Dimensions": [{ "Name": "TableName", "Value": "payments-prod-001" }],
    });
    json!({
        "AlarmName": NAME, "AlarmArn": ARN, "ActionsEnabled": true, "StateValue": "ALARM", "EvaluationPeriods": 3,
        "DatapointsToAlarm": 2, "TreatMissingData": "notBreaching", "Threshold": 0.5,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Metrics": [
            { "Id": "e", "Expression": "FILL(m, 0)", "ReturnData": true },
            { "Id": "m", "MetricStat": { "Metric": metric, "Period": 60, "Stat": "Sum" }, "ReturnData": false },
        ],
    })
}

fn answer(alarms: &[Value]) -> Canned {
    Canned::default()
        .json("DescribeAlarms", json!({ "MetricAlarms": alarms, "CompositeAlarms": [] }))
        .json("ListTagsForResource", json!({ "Tags": [{ "Key": "cost-center", "Value": "payments" }] }))
}

fn case(alarm: Value) -> Case<Alarm> {
    Case::regional("cloudwatch", NAME, answer(&[alarm]))
}

fn metric(namespace: &str, name: &str, dimension: (&str, &str), period: i32) -> Metric {
    Metric {
        namespace: namespace.into(),
        name: name.into(),
        dimensions: [(dimension.0.to_owned(), dimension.1.into())].into(),
        statistic: "Sum".into(),
        period,
        unit: None,
    }
}

#[test]
fn an_alarm_of_one_metric_is_read_with_its_defaults_spelled_out() {
    let errors = metric("AWS/Lambda", "Errors", ("FunctionName", "payment-processor-prod-001"), 300);
    let told = ["arn:aws:sns:us-east-1:123456789012:a", TOPIC].map(Input::from);
    let resource = Alarm {
        name: NAME.into(),
        description: "too many errors".into(),
        metrics: [("m".to_owned(), errors)].into(),
        expression: "m".into(),
        comparison: "GreaterThanThreshold".into(),
        threshold: Some(10.0),
        periods: 1,
        datapoints: 1,
        missing_data: "missing".into(),
        actions_enabled: true,
        alarm_actions: told.into(),
        ok_actions: vec![],
        insufficient_data_actions: vec![],
        tags: tags(&[("cost-center", "payments")]),
    };
    let attributes = Attributes::from([("arn".into(), ARN.into()), ("state".into(), "OK".into())]);
    assert_eq!(case(plain(NAME)).found(), Found { resource, attributes });
}

#[test]
fn an_alarm_of_an_expression_has_the_same_form() {
    let Alarm { metrics, expression, periods, datapoints, missing_data, threshold, .. } =
        case(filled()).found().resource;
    let throttles = metric("AWS/DynamoDB", "ReadThrottleEvents", ("TableName", "payments-prod-001"), 60);
    assert_eq!(metrics, [("m".to_owned(), throttles)].into());
    assert_eq!((expression.as_str(), missing_data.as_str()), ("FILL(m, 0)", "notBreaching"));
    assert_eq!((periods, datapoints, threshold), (3, 2, Some(0.5)));
}

#[test]
fn an_alarm_that_is_not_there_is_absent() {
    case(plain(NAME)).is_absent_in(|_| answer(&[]));
}

#[test]
fn a_hundred_alarms_come_with_one_call_and_each_ones_tags_with_another() {
    let names: Vec<String> = (0..150).map(|number| format!("alarm-{number}")).collect();
    let alarms: Vec<Value> = names.iter().map(|name| plain(name)).collect();
    let targets = targets("alarm", names.iter().map(String::as_str));
    let (seen, calls) = observed::<Alarm>(answer(&alarms), &Place::Region(region("us-east-1")), &targets);
    assert_eq!(seen.values().filter(|seen| matches!(seen, Ok(Some(_)))).count(), 150);
    assert_eq!(calls, 2 + 150);
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case(plain(NAME)).fails_with_every_operation();
    let aws = answer(&[]).refusing("DescribeAlarms", "AccessDenied", "not you");
    let (seen, _) = observed::<Alarm>(aws, &Place::Region(region("us-east-1")), &targets("alarm", ["a", "b"]));
    let classes: Vec<_> = seen.values().map(|seen| seen.as_ref().map_err(|failure| failure.class).err()).collect();
    assert_eq!(classes, [Some(FailureClass::Denied); 2]);
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    let alarm = |field: &str| format!("/MetricAlarms/0/{field}");
    let fields = [
        ("EvaluationPeriods", "evaluation periods"),
        ("ComparisonOperator", "comparison"),
        ("Namespace", "namespace"),
        ("MetricName", "metric"),
        ("Statistic", "statistic"),
        ("Period", "period"),
    ];
    for (field, name) in fields {
        case(plain(NAME)).needs(&[("DescribeAlarms", &alarm(field), name)]);
    }
    let stat = |field: &str| format!("/MetricAlarms/0/Metrics/1/{field}");
    let fields = [
        ("Id", "id of a metric"),
        ("MetricStat/Metric", "namespace"),
        ("MetricStat/Stat", "statistic"),
        ("MetricStat/Period", "period"),
        ("MetricStat/Metric/Namespace", "namespace"),
    ];
    for (field, name) in fields {
        case(filled()).needs(&[("DescribeAlarms", &stat(field), name)]);
    }
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case(filled()).bears_any_answer();
    case(plain(NAME)).bears_any_answer();
}
