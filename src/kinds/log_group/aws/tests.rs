use serde_json::{Value, json};

use super::LogGroup;
use crate::aws::canned::Canned;
use crate::graph::{Attributes, FailureClass, Place};
use crate::kinds::tests::{Case, observed, region, tags, targets};
use crate::kinds::{Found, Target};

const NAME: &str = "/aws/lambda/payment-processor-prod-001";

fn group(name: &str) -> Value {
    json!({
        "logGroupName": name, "creationTime": 1_700_000_000_000_i64, "retentionInDays": 30, "metricFilterCount": 0,
        "arn": format!("arn:aws:logs:us-east-1:123456789012:log-group:{name}:*"), "storedBytes": 0,
        "logGroupClass": "STANDARD", "logGroupArn": format!("arn:aws:logs:us-east-1:123456789012:log-group:{name}"),
    })
}

fn aws() -> Canned {
    let tags = json!({ "cost-center": "payments", "aws:cloudformation:stack-id": "old" });
    Canned::default()
        .json("DescribeLogGroups", json!({ "logGroups": [group(NAME)] }))
        .json("ListTagsForResource", json!({ "tags": tags }))
}

fn case() -> Case<LogGroup> {
    Case::regional("logs", NAME, aws())
}

#[test]
fn a_group_is_read_with_its_retention_and_tags() {
    let arn = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/payment-processor-prod-001";
    let resource = LogGroup {
        name: NAME.into(),
        retention_days: Some(30),
        kms_key: None,
        tags: tags(&[("cost-center", "payments")]),
    };
    let found = Found { resource, attributes: Attributes::from([("arn".into(), arn.into())]) };
    assert_eq!(case().found(), found);
}

#[test]
fn a_group_without_retention_keeps_events_for_ever() {
    let found = case().found_in(|aws| aws.without("DescribeLogGroups", "/logGroups/0/retentionInDays"));
    assert_eq!(found.resource.retention_days, None);
}

#[test]
fn a_group_tells_its_key() {
    let mut encrypted = group(NAME);
    encrypted["kmsKeyId"] = "arn:aws:kms:us-east-1:123456789012:key/mrk-1a2b".into();
    let found = case().found_in(|aws| aws.json("DescribeLogGroups", json!({ "logGroups": [encrypted] })));
    assert_eq!(found.resource.kms_key, Some("arn:aws:kms:us-east-1:123456789012:key/mrk-1a2b".into()));
}

#[test]
fn a_group_that_is_not_there_is_absent() {
    case().is_absent_in(|aws| aws.json("DescribeLogGroups", json!({ "logGroups": [group("/aws/lambda/payment")] })));
    let gone = "ResourceNotFoundException";
    case().is_absent_after(&[("DescribeLogGroups", gone), ("ListTagsForResource", gone)]);
}

#[test]
fn fifty_groups_come_with_one_call_and_each_ones_tags_with_another() {
    let names: Vec<String> = (0..60).map(|number| format!("/aws/lambda/f{number}")).collect();
    let groups: Vec<Value> = names.iter().map(|name| group(name)).collect();
    let aws = aws().json("DescribeLogGroups", json!({ "logGroups": groups }));
    let targets: Vec<Target> = targets("log_group", names.iter().map(String::as_str));
    let (seen, calls) = observed::<LogGroup>(aws, &Place::Region(region("us-east-1")), &targets);
    assert_eq!(seen.values().filter(|seen| matches!(seen, Ok(Some(_)))).count(), 60);
    assert_eq!(calls, 2 + 60);
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case().fails_with_every_operation();
    let aws = aws().refusing("DescribeLogGroups", "AccessDeniedException", "not you");
    let (seen, _) = observed::<LogGroup>(aws, &Place::Region(region("us-east-1")), &targets("log_group", ["a", "b"]));
    let classes: Vec<_> = seen.values().map(|seen| seen.as_ref().map_err(|failure| failure.class).err()).collect();
    assert_eq!(classes, [Some(FailureClass::Denied); 2]);
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    case().needs(&[("DescribeLogGroups", "/logGroups/0/logGroupName", "name")]);
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case().bears_any_answer();
}
