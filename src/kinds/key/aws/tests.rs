use serde_json::{Value, json};

use super::{Key, Member};
use crate::aws::canned::Canned;
use crate::graph::{Attributes, Document};
use crate::kinds::Found;
use crate::kinds::tests::{Case, region, tags};

const ID: &str = "mrk-1a2b3c";
const HOME: &str = "us-west-2";
const OTHER: &str = "us-east-1";

fn arn(region: &str) -> String {
    format!("arn:aws:kms:{region}:123456789012:key/{ID}")
}

fn policy(here: &str) -> Document {
    Key::policy(&region(here), "123456789012", "prod-001")
}

/// The key as one region describes it, in this state.
fn key(here: &str, state: &str) -> Value {
    let member = |region: &str| json!({ "Arn": arn(region), "Region": region });
    json!({ "KeyMetadata": {
        "KeyId": ID, "Arn": arn(here), "AWSAccountId": "123456789012", "CreationDate": 1_700_000_000.5,
        "Enabled": state == "Enabled", "KeyState": state, "Description": "Encrypts what payment-dr prod-001 stores",
        "KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT", "Origin": "AWS_KMS", "KeyManager": "CUSTOMER",
        "MultiRegion": true,
        "MultiRegionConfiguration": {
            "MultiRegionKeyType": if here == HOME { "PRIMARY" } else { "REPLICA" },
            "PrimaryKey": member(HOME), "ReplicaKeys": [member(OTHER)],
        },
    } })
}

/// Home is us-west-2: it was the primary when the key was made.
fn aws() -> Canned {
    let policy = |here: &str| json!({ "Policy": policy(here).to_text(), "PolicyName": "default" });
    let alias = json!({ "AliasName": "alias/payment-dr-prod-001", "TargetKeyId": ID });
    Canned::default()
        .json("us-west-2 DescribeKey", key(HOME, "Enabled"))
        .json("us-east-1 DescribeKey", key(OTHER, "Enabled"))
        .json("us-west-2 GetKeyPolicy", policy(HOME))
        .json("us-east-1 GetKeyPolicy", policy(OTHER))
        .json("ListAliases", json!({ "Aliases": [{ "AliasName": "alias/mine" }, alias], "Truncated": false }))
        .json(
            "ListResourceTags",
            json!({ "Tags": [{ "TagKey": "cost-center", "TagValue": "payments" }], "Truncated": false }),
        )
        .json("GetKeyRotationStatus", json!({ "KeyId": ID, "KeyRotationEnabled": true, "RotationPeriodInDays": 365 }))
}

fn case() -> Case<Key> {
    Case::global("kms", ID, aws())
}

fn member() -> Member {
    Member {
        enabled: true,
        aliased: true,
        description: "Encrypts what payment-dr prod-001 stores".into(),
        tags: tags(&[]),
    }
}

fn found() -> Found<Key> {
    let resource = Key {
        id: Some(ID.into()),
        alias: "alias/payment-dr-prod-001".into(),
        rotation: true,
        home: region(HOME),
        members: [HOME, OTHER].map(|name| (region(name), member())).into(),
        policies: [HOME, OTHER].map(|name| (region(name), policy(name))).into(),
        tags: tags(&[("cost-center", "payments")]),
    };
    let (home, other) = (arn(HOME), arn(OTHER));
    let attributes: Attributes =
        tags(&[("id", ID), ("home", HOME), ("arn", &home), ("arn.us-west-2", &home), ("arn.us-east-1", &other)]);
    Found { resource, attributes }
}

#[test]
fn a_key_is_read_with_what_each_region_has_for_itself() {
    assert_eq!(case().found(), found());
}

#[test]
fn a_member_that_is_disabled_or_has_lost_its_alias_says_so() {
    let seen = case().found_in(|aws| {
        aws.json("us-east-1 DescribeKey", key(OTHER, "Disabled"))
            .json("us-east-1 ListAliases", json!({ "Aliases": [{ "AliasName": "alias/mine" }], "Truncated": false }))
    });
    assert_eq!(seen.resource.members[&region(OTHER)], Member { enabled: false, aliased: false, ..member() });
    assert_eq!(seen.resource.members[&region(HOME)], member());
}

#[test]
fn a_member_tells_in_which_tags_it_differs_from_home() {
    let others = json!({ "Tags": [{ "TagKey": "stranger", "TagValue": "1" }], "Truncated": false });
    let seen = case().found_in(|aws| aws.json("us-east-1 ListResourceTags", others)).resource;
    assert_eq!(seen.tags, tags(&[("cost-center", "payments")]));
    assert_eq!(seen.members[&region(HOME)].tags, tags(&[]));
    let differs = &seen.members[&region(OTHER)].tags;
    assert_eq!(*differs, tags(&[("cost-center", ""), ("stranger", "1")]));
    assert_eq!(super::tags_here(&seen.tags, differs), tags(&[("stranger", "1")]));
}

#[test]
fn a_member_that_waits_for_its_deletion_is_none() {
    let seen = case().found_in(|aws| aws.json("us-east-1 DescribeKey", key(OTHER, "PendingDeletion")));
    assert_eq!(seen.resource.members.into_keys().collect::<Vec<_>>(), [region(HOME)]);
    let seen = case().found_in(|aws| aws.json("us-west-2 DescribeKey", key(HOME, "PendingReplicaDeletion")));
    assert_eq!(seen.resource.members.into_keys().collect::<Vec<_>>(), [region(OTHER)]);
    assert_eq!(seen.resource.home, region(HOME));
}

#[test]
fn a_key_is_absent_if_no_region_has_it_or_it_waits_for_its_deletion_everywhere() {
    let gone = |aws: Canned, place: &str| {
        aws.refusing(&format!("{place} DescribeKey"), "NotFoundException", "Key 'mrk-1a2b3c' does not exist")
    };
    case().is_absent_in(|aws| gone(gone(aws, HOME), OTHER));
    let pending = |aws: Canned| {
        aws.json("us-west-2 DescribeKey", key(HOME, "PendingReplicaDeletion"))
            .json("us-east-1 DescribeKey", key(OTHER, "PendingDeletion"))
    };
    case().is_absent_in(pending);
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case().fails_with_every_operation();
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    let first = "us-east-1 DescribeKey";
    case().needs(&[
        (first, "/KeyMetadata", "no key"),
        (first, "/KeyMetadata/KeyId", "KeyId"),
        (first, "/KeyMetadata/KeyState", "KeyState"),
        (first, "/KeyMetadata/MultiRegionConfiguration", "MultiRegionConfiguration"),
        (first, "/KeyMetadata/MultiRegionConfiguration/PrimaryKey", "region of the primary key"),
        ("us-west-2 GetKeyPolicy", "/Policy", "no policy"),
    ]);
    let text = json!({ "Policy": "{", "PolicyName": "default" });
    case().is_malformed_in(|aws| aws.json("us-west-2 GetKeyPolicy", text), "the policy is not JSON");
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case().bears_any_answer();
}
