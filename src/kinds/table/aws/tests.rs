use serde_json::{Value, json};

use super::{Table, TableKey};
use crate::aws::canned::Canned;
use crate::graph::Attributes;
use crate::kinds::Found;
use crate::kinds::tests::{Case, region, tags};

const NAME: &str = "payment-transactions-prod-001";

/// One member as DynamoDB describes it, made at a time in seconds, with the other members it knows.
fn member(here: &str, made: f64, others: &[&str]) -> Value {
    let replica = |region: &&str| json!({ "RegionName": region, "ReplicaStatus": "ACTIVE" });
    json!({ "Table": {
        "TableName": NAME, "TableStatus": "ACTIVE", "CreationDateTime": made,
        "TableArn": format!("arn:aws:dynamodb:{here}:123456789012:table/{NAME}"),
        "AttributeDefinitions": [
            { "AttributeName": "transactionId", "AttributeType": "S" },
            { "AttributeName": "customerId", "AttributeType": "S" },
            { "AttributeName": "createdAt", "AttributeType": "S" },
        ],
        "KeySchema": [{ "AttributeName": "transactionId", "KeyType": "HASH" }],
        "BillingModeSummary": { "BillingMode": "PAY_PER_REQUEST", "LastUpdateToPayPerRequestDateTime": made },
        "ProvisionedThroughput": { "ReadCapacityUnits": 0, "WriteCapacityUnits": 0, "NumberOfDecreasesToday": 0 },
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-customer", "IndexStatus": "ACTIVE", "Projection": { "ProjectionType": "ALL" },
            "KeySchema": [
                { "AttributeName": "customerId", "KeyType": "HASH" },
                { "AttributeName": "createdAt", "KeyType": "RANGE" },
            ],
        }],
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        "Replicas": others.iter().map(replica).collect::<Vec<_>>(),
        "DeletionProtectionEnabled": true, "ItemCount": 3, "TableSizeBytes": 512,
    } })
}

/// The member in us-west-2 is older: a failover or a new spec made it the secondary, and it stays home.
fn aws() -> Canned {
    Canned::default()
        .json("us-east-1 DescribeTable", member("us-east-1", 1_700_000_100.25, &["us-west-2"]))
        .json("us-west-2 DescribeTable", member("us-west-2", 1_700_000_000.5, &["us-east-1"]))
        .json(
            "DescribeTimeToLive",
            json!({ "TimeToLiveDescription": { "TimeToLiveStatus": "ENABLED", "AttributeName": "expiresAt" } }),
        )
        .json("ListTagsOfResource", json!({ "Tags": [{ "Key": "cost-center", "Value": "payments" }] }))
}

fn case() -> Case<Table> {
    Case::global("dynamodb", NAME, aws())
}

#[test]
fn a_group_is_read_from_its_oldest_member() {
    let key =
        |partition: &str, sort: Option<&str>| TableKey { partition: partition.into(), sort: sort.map(str::to_owned) };
    let resource = Table {
        name: NAME.into(),
        key: key("transactionId", None),
        indexes: [("by-customer".to_owned(), key("customerId", Some("createdAt")))].into(),
        billing: "PAY_PER_REQUEST".into(),
        stream: Some("NEW_AND_OLD_IMAGES".into()),
        ttl: Some("expiresAt".into()),
        encryption: [].into(),
        home: region("us-west-2"),
        regions: ["us-east-1", "us-west-2"].map(region).into(),
        tags: tags(&[("cost-center", "payments")]),
    };
    let attributes = [
        ("name", NAME),
        ("arn", "arn:aws:dynamodb:us-west-2:123456789012:table/payment-transactions-prod-001"),
        ("home", "us-west-2"),
        ("items", "3"),
        ("bytes", "512"),
    ];
    let attributes: Attributes = tags(&attributes);
    assert_eq!(case().found(), Found { resource, attributes });
}

#[test]
fn what_dynamodb_leaves_out_is_its_default() {
    let operation = "us-west-2 DescribeTable";
    let found = case().found_in(|aws| {
        let parts = ["BillingModeSummary", "StreamSpecification", "GlobalSecondaryIndexes", "Replicas"];
        parts.iter().fold(aws, |aws, part| aws.without(operation, &format!("/Table/{part}")))
    });
    let Table { billing, stream, indexes, regions, .. } = found.resource;
    assert_eq!((billing.as_str(), stream, indexes.len()), ("PROVISIONED", None, 0));
    assert_eq!(regions, [region("us-west-2")].into());
}

#[test]
fn a_group_is_read_with_the_key_of_each_member() {
    let key = |region: &str| format!("arn:aws:kms:{region}:123456789012:key/mrk-1a2b");
    let mut home = member("us-west-2", 1_700_000_000.5, &["us-east-1"]);
    home["Table"]["SSEDescription"] =
        json!({ "Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key("us-west-2") });
    home["Table"]["Replicas"][0]["KMSMasterKeyId"] = key("us-east-1").into();
    let found = case().found_in(|aws| aws.json("us-west-2 DescribeTable", home));
    let keys = ["us-east-1", "us-west-2"].map(|name| (region(name), key(name).as_str().into()));
    assert_eq!(found.resource.encryption, keys.into());
}

#[test]
fn expiry_that_is_being_switched_off_is_off() {
    let description = json!({ "TimeToLiveStatus": "DISABLING", "AttributeName": "expiresAt" });
    let found = case().found_in(|aws| aws.json("DescribeTimeToLive", json!({ "TimeToLiveDescription": description })));
    assert_eq!(found.resource.ttl, None);
}

#[test]
fn a_table_in_one_region_alone_is_that_member() {
    let found =
        case().found_in(|aws| aws.refusing("us-west-2 DescribeTable", "ResourceNotFoundException", "not found"));
    assert_eq!(found.resource.home, region("us-east-1"));
}

#[test]
fn a_table_that_is_in_no_region_is_absent() {
    let gone = |aws: Canned, region: &str| {
        let message = format!("Requested resource not found: Table: {NAME} not found");
        aws.refusing(&format!("{region} DescribeTable"), "ResourceNotFoundException", &message)
    };
    case().is_absent_in(|aws| gone(gone(aws, "us-east-1"), "us-west-2"));
    let going = json!({ "Table": { "TableName": NAME, "TableStatus": "DELETING" } });
    case().is_absent_in(|aws| gone(aws, "us-east-1").json("us-west-2 DescribeTable", going));
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case().fails_with_every_operation();
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    let home = "us-west-2 DescribeTable";
    case().needs(&[
        (home, "/Table", "no table"),
        (home, "/Table/TableArn", "ARN"),
        (home, "/Table/KeySchema", "key"),
        (home, "/Table/CreationDateTime", "CreationDateTime"),
        (home, "/Table/GlobalSecondaryIndexes/0/IndexName", "name of an index"),
        (home, "/Table/GlobalSecondaryIndexes/0/KeySchema", "key"),
        ("DescribeTimeToLive", "/TimeToLiveDescription", "description"),
    ]);
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case().bears_any_answer();
}
