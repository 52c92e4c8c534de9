use super::{BucketReplication, ReplicationRule};
use crate::aws::canned::Canned;
use crate::graph::{Attributes, Input};
use crate::kinds::Found;
use crate::kinds::tests::Case;

const BUCKET: &str = "transaction-logs-us-east-1-prod-001";
const ROLE: &str = "<Role>arn:aws:iam::123456789012:role/s3-replication-prod-001</Role>";
const RULE_ID: &str = "<ID>drctl-transaction-logs-to-us-west-2</ID>";
const TO: &str = "<Bucket>arn:aws:s3:::transaction-logs-us-west-2-prod-001</Bucket>";

fn aws() -> Canned {
    let answer = format!(
        "<ReplicationConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{ROLE}<Rule>{RULE_ID}\
         <Priority>1</Priority><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>\
         <SourceSelectionCriteria><ReplicaModifications><Status>Enabled</Status></ReplicaModifications></SourceSelectionCriteria>\
         <Destination>{TO}<ReplicationTime><Status>Enabled</Status><Time><Minutes>15</Minutes></Time></ReplicationTime>\
         <Metrics><Status>Enabled</Status><EventThreshold><Minutes>15</Minutes></EventThreshold></Metrics></Destination>\
         <DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication>\
         </Rule></ReplicationConfiguration>"
    );
    Canned::default().text("GetBucketReplication", answer)
}

fn case() -> Case<BucketReplication> {
    Case::regional("s3", BUCKET, aws())
}

fn rule() -> ReplicationRule {
    ReplicationRule {
        enabled: true,
        priority: 1,
        prefix: None,
        delete_markers: true,
        replica_modifications: true,
        destination: "arn:aws:s3:::transaction-logs-us-west-2-prod-001".into(),
        kms_key: None,
        time_control: Some(15),
        metrics: true,
        foreign: vec![],
    }
}

#[test]
fn a_replication_is_read_with_its_rules() {
    let resource = BucketReplication {
        bucket: BUCKET.into(),
        role: Input::from("arn:aws:iam::123456789012:role/s3-replication-prod-001"),
        rules: [("drctl-transaction-logs-to-us-west-2".to_owned(), rule())].into(),
    };
    assert_eq!(case().found(), Found { resource, attributes: Attributes::new() });
}

#[test]
fn what_a_rule_says_nothing_of_is_off() {
    let answer = format!(
        "<ReplicationConfiguration>{ROLE}<Rule>{RULE_ID}<Prefix>old/</Prefix><Status>Disabled</Status>\
         <Destination>{TO}<StorageClass>STANDARD_IA</StorageClass></Destination></Rule></ReplicationConfiguration>"
    );
    let found = case().found_in(|aws| aws.text("GetBucketReplication", answer));
    let quiet = ReplicationRule {
        enabled: false,
        priority: 0,
        prefix: Some("old/".into()),
        delete_markers: false,
        replica_modifications: false,
        time_control: None,
        metrics: false,
        foreign: vec!["copies have another storage class".into()],
        ..rule()
    };
    assert_eq!(found.resource.rules.into_values().collect::<Vec<_>>(), [quiet]);
}

#[test]
fn copies_are_encrypted_with_the_key_of_their_region() {
    const KEY: &str = "arn:aws:kms:us-west-2:123456789012:key/mrk-1a2b";
    let criteria =
        "<SseKmsEncryptedObjects><Status>Enabled</Status></SseKmsEncryptedObjects></SourceSelectionCriteria>";
    let key = format!(
        "<EncryptionConfiguration><ReplicaKmsKeyID>{KEY}</ReplicaKmsKeyID></EncryptionConfiguration></Destination>"
    );
    let operation = "GetBucketReplication";
    let encrypted = |aws: Canned| aws.replacing(operation, "</Destination>", &key);
    let found = case().found_in(|aws| encrypted(aws).replacing(operation, "</SourceSelectionCriteria>", criteria));
    let wanted = ReplicationRule { kms_key: Some(Input::from(KEY)), ..rule() };
    assert_eq!(found.resource.rules.into_values().collect::<Vec<_>>(), std::slice::from_ref(&wanted));
    let half = ReplicationRule { foreign: vec!["objects encrypted with a key are not copied".into()], ..wanted };
    assert_eq!(case().found_in(encrypted).resource.rules.into_values().collect::<Vec<_>>(), [half]);
}

#[test]
fn a_replication_that_is_not_there_is_absent() {
    let codes = ["ReplicationConfigurationNotFoundError", "NoSuchBucket"];
    case().is_absent_after(&codes.map(|code| ("GetBucketReplication", code)));
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case().fails_with_every_operation();
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    let operation = "GetBucketReplication";
    case().needs(&[
        (operation, ROLE, "role"),
        (operation, RULE_ID, "without an id"),
        (operation, TO, "destination of a rule"),
        (operation, "<Filter><Prefix></Prefix></Filter><Status>Enabled</Status>", "status of a rule"),
    ]);
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case().bears_any_answer();
}
