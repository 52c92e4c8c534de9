use serde_json::json;

use super::TableReplica;
use crate::aws::canned::Canned;
use crate::graph::Attributes;
use crate::kinds::Found;
use crate::kinds::tests::{Case, tags};

const NAME: &str = "payment-transactions-prod-001";

fn aws() -> Canned {
    let backups = json!({ "ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": {
        "PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 35, "EarliestRestorableDateTime": 1_700_000_000.0,
    } });
    Canned::default()
        .json(
            "DescribeTable",
            json!({ "Table": { "TableName": NAME, "TableStatus": "ACTIVE", "DeletionProtectionEnabled": true } }),
        )
        .json("DescribeContinuousBackups", json!({ "ContinuousBackupsDescription": backups }))
        .json("ListTagsOfResource", json!({ "Tags": [{ "Key": "cost-center", "Value": "payments" }] }))
}

fn case() -> Case<TableReplica> {
    Case::regional("dynamodb", NAME, aws())
}

#[test]
fn a_member_is_read_with_its_own_settings() {
    let resource = TableReplica {
        name: NAME.into(),
        point_in_time_recovery: true,
        deletion_protection: true,
        tags: tags(&[("cost-center", "payments")]),
    };
    let arn = "arn:aws:dynamodb:us-east-1:123456789012:table/payment-transactions-prod-001";
    let found = Found { resource, attributes: Attributes::from([("arn".into(), arn.into())]) };
    assert_eq!(case().found(), found);
}

#[test]
fn recovery_that_is_not_available_yet_is_off() {
    let operation = "DescribeContinuousBackups";
    let found = case().found_in(|aws| aws.refusing(operation, "ContinuousBackupsUnavailableException", "not yet"));
    assert!(!found.resource.point_in_time_recovery);
}

#[test]
fn a_member_that_is_not_there_is_absent() {
    case().is_absent_after(&[("DescribeTable", "ResourceNotFoundException")]);
    let going = json!({ "Table": { "TableName": NAME, "TableStatus": "DELETING" } });
    case().is_absent_in(|aws| aws.json("DescribeTable", going));
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case().fails_with_every_operation();
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    let recovery = "/ContinuousBackupsDescription/PointInTimeRecoveryDescription";
    case().needs(&[
        ("DescribeTable", "/Table", "no table"),
        ("DescribeTable", "/Table/DeletionProtectionEnabled", "DeletionProtectionEnabled"),
        ("DescribeContinuousBackups", recovery, "PointInTimeRecoveryStatus"),
        ("DescribeContinuousBackups", &format!("{recovery}/PointInTimeRecoveryStatus"), "PointInTimeRecoveryStatus"),
    ]);
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case().bears_any_answer();
}
