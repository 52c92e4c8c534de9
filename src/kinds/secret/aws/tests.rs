use serde_json::{Value, json};

use super::Secret;
use crate::aws::canned::Canned;
use crate::graph::Attributes;
use crate::kinds::Found;
use crate::kinds::tests::{Case, region, tags};

const NAME: &str = "payment-api-keys-prod-001";

fn arn(region: &str) -> String {
    format!("arn:aws:secretsmanager:{region}:123456789012:secret:{NAME}-a1B2c3")
}

/// The secret as its home shows it.
fn home() -> Value {
    json!({
        "ARN": arn("us-west-2"), "Name": NAME, "Description": "Payment gateway API credentials",
        "PrimaryRegion": "us-west-2", "CreatedDate": 1_700_000_000.5, "LastChangedDate": 1_700_000_100.5,
        "ReplicationStatus": [{ "Region": "us-east-1", "Status": "InSync", "KmsKeyId": "alias/aws/secretsmanager" }],
        "VersionIdsToStages": { "6f2c": ["AWSCURRENT"], "5e1b": ["AWSPREVIOUS"] },
        "Tags": [{ "Key": "cost-center", "Value": "payments" }],
    })
}

/// The secret as its replica shows it.
fn replica() -> Value {
    let mut secret = home();
    secret["ARN"] = arn("us-east-1").into();
    secret["ReplicationStatus"] = json!([]);
    secret
}

/// An AWS in which the regions answer differently.
fn aws() -> Canned {
    Canned::default().json("us-west-2 DescribeSecret", home()).json("us-east-1 DescribeSecret", replica())
}

fn case() -> Case<Secret> {
    Case::global("secretsmanager", NAME, aws())
}

fn found() -> Found<Secret> {
    let resource = Secret {
        name: NAME.into(),
        description: "Payment gateway API credentials".into(),
        home: region("us-west-2"),
        regions: ["us-east-1", "us-west-2"].map(region).into(),
        encryption: [].into(),
        tags: tags(&[("cost-center", "payments")]),
    };
    let attributes: Attributes = tags(&[("name", NAME), ("arn", &arn("us-west-2")), ("home", "us-west-2")]);
    Found { resource, attributes }
}

#[test]
fn a_secret_is_read_from_the_region_that_it_is_written_in() {
    assert_eq!(case().found(), found());
}

#[test]
fn a_secret_that_still_has_its_placeholder_waits_for_a_value() {
    let mut secret = home();
    secret["VersionIdsToStages"] = json!({ Secret::placeholder_version(NAME): ["AWSCURRENT"] });
    let seen = case().found_in(|aws| aws.json("us-west-2 DescribeSecret", secret));
    assert_eq!(seen.attributes["waiting"], "set its value with `drctl secret set`");
}

#[test]
fn a_secret_is_read_with_the_key_of_each_region() {
    let key = |region: &str| format!("arn:aws:kms:{region}:123456789012:key/mrk-1a2b");
    let keys = || ["us-east-1", "us-west-2"].map(|name| (region(name), key(name).as_str().into()));
    let (mut main, mut copy) = (home(), replica());
    main["KmsKeyId"] = key("us-west-2").into();
    main["ReplicationStatus"][0]["KmsKeyId"] = key("us-east-1").into();
    copy["KmsKeyId"] = key("us-east-1").into();
    let seen = case()
        .found_in(|aws| aws.json("us-west-2 DescribeSecret", main).json("us-east-1 DescribeSecret", copy.clone()));
    assert_eq!(seen.resource.encryption, keys().into());
    // The replica alone takes its home's for the same key.
    let gone = "ResourceNotFoundException";
    let seen = case().found_in(|aws| {
        aws.json("us-east-1 DescribeSecret", copy).refusing("us-west-2 DescribeSecret", gone, "not there")
    });
    assert_eq!(seen.resource.encryption, keys().into());
}

#[test]
fn a_replica_knows_best_with_which_key_it_is_encrypted() {
    let key = "arn:aws:kms:us-east-1:123456789012:key/mrk-1a2b";
    let (mut main, mut copy) = (home(), replica());
    copy["KmsKeyId"] = key.into();
    let seen = case().found_in(|aws| aws.json("us-east-1 DescribeSecret", copy));
    assert_eq!(seen.resource.encryption, [(region("us-east-1"), key.into())].into());
    main["ReplicationStatus"][0]["KmsKeyId"] = key.into();
    assert_eq!(case().found_in(|aws| aws.json("us-west-2 DescribeSecret", main)).resource.encryption, [].into());
}

#[test]
fn a_replica_that_failed_is_none() {
    let mut secret = home();
    secret["ReplicationStatus"][0]["Status"] = "Failed".into();
    let gone = "ResourceNotFoundException";
    let seen = case().found_in(|aws| {
        aws.json("us-west-2 DescribeSecret", secret).refusing("us-east-1 DescribeSecret", gone, "not there")
    });
    assert_eq!(seen.resource.regions, [region("us-west-2")].into());
}

#[test]
fn a_secret_is_absent_if_no_region_has_it_or_it_waits_for_its_deletion() {
    let gone = |aws: Canned, place: &str| {
        let message = "Secrets Manager can't find the specified secret.";
        aws.refusing(&format!("{place} DescribeSecret"), "ResourceNotFoundException", message)
    };
    case().is_absent_in(|aws| gone(gone(aws, "us-east-1"), "us-west-2"));
    let mut secret = home();
    secret["DeletedDate"] = json!(1_700_000_200.5);
    case().is_absent_in(|aws| gone(aws, "us-east-1").json("us-west-2 DescribeSecret", secret));
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case().fails_with_every_operation();
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    case().needs(&[("us-west-2 DescribeSecret", "/ARN", "ARN")]);
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case().bears_any_answer();
}
