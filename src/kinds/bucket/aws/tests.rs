use super::Bucket;
use crate::aws::canned::Canned;
use crate::graph::Attributes;
use crate::kinds::Found;
use crate::kinds::bucket::{Encryption, LifecycleRule, PublicAccessBlock, Transition};
use crate::kinds::tests::{Case, tags};

const NAME: &str = "transaction-logs-us-east-1-prod-001";

/// S3 may turn lists of one into scalars.
const POLICY: &str = r#"{"Version":"2012-10-17","Statement":{"Sid":"OnlyByTls","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::transaction-logs-us-east-1-prod-001/*","arn:aws:s3:::transaction-logs-us-east-1-prod-001"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}}"#;

const RULE: &str = "<Rule><ID>drctl</ID><Filter><ObjectSizeGreaterThan>131072</ObjectSizeGreaterThan></Filter>\
                    <Status>Enabled</Status>\
                    <Transition><Days>90</Days><StorageClass>GLACIER</StorageClass></Transition>\
                    <Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition></Rule>";

const HOUSEKEEPING: &str = "<Rule><ID>housekeeping</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>\
     <Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>\
     <NoncurrentVersionExpiration><NoncurrentDays>90</NoncurrentDays></NoncurrentVersionExpiration>\
     <AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload>\
     </Rule>";

const ALGORITHM: &str = "<SSEAlgorithm>AES256</SSEAlgorithm>";

fn named(name: &str, inside: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{name} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inside}</{name}>"
    )
}

fn aws() -> Canned {
    let encryption = format!(
        "<Rule><ApplyServerSideEncryptionByDefault>{ALGORITHM}</ApplyServerSideEncryptionByDefault>\
         <BucketKeyEnabled>true</BucketKeyEnabled>\
         <BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule>"
    );
    let block = "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>\
                 <BlockPublicPolicy>true</BlockPublicPolicy><RestrictPublicBuckets>false</RestrictPublicBuckets>";
    let tags = "<TagSet><Tag><Key>cost-center</Key><Value>payments</Value></Tag></TagSet>";
    Canned::default()
        .text("GetBucketVersioning", named("VersioningConfiguration", "<Status>Enabled</Status>"))
        .text("GetBucketEncryption", named("ServerSideEncryptionConfiguration", &encryption))
        .text("GetPublicAccessBlock", named("PublicAccessBlockConfiguration", block))
        .text(
            "GetBucketOwnershipControls",
            named("OwnershipControls", "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>"),
        )
        .text("GetBucketPolicy", POLICY)
        .text("GetBucketLifecycleConfiguration", named("LifecycleConfiguration", &format!("{RULE}{HOUSEKEEPING}")))
        .text("GetBucketTagging", named("Tagging", tags))
}

fn case() -> Case<Bucket> {
    Case::regional("s3", NAME, aws())
}

#[test]
fn a_bucket_is_put_together_from_seven_answers() {
    let transitions =
        [(30, "STANDARD_IA"), (90, "GLACIER")].map(|(days, class)| Transition { days, class: class.into() });
    let tiering = LifecycleRule {
        enabled: true,
        larger_than: Some(131_072),
        transitions: transitions.into(),
        ..LifecycleRule::default()
    };
    let housekeeping = LifecycleRule {
        enabled: true,
        noncurrent_days: Some(90),
        unfinished_upload_days: Some(7),
        lone_markers: true,
        ..LifecycleRule::default()
    };
    let resource = Bucket {
        name: NAME.into(),
        versioning: "Enabled".into(),
        encryption: Encryption { algorithm: "AES256".into(), key: None, bucket_key: true },
        public_access_block: PublicAccessBlock { restrict: false, ..PublicAccessBlock::ALL },
        ownership: "BucketOwnerEnforced".into(),
        policy: Some(Bucket::tls_only(NAME)),
        lifecycle: [("drctl".to_owned(), tiering), ("housekeeping".to_owned(), housekeeping)].into(),
        tags: tags(&[("cost-center", "payments")]),
    };
    let arn = "arn:aws:s3:::transaction-logs-us-east-1-prod-001";
    let attributes = Attributes::from([("name".into(), NAME.into()), ("arn".into(), arn.into())]);
    assert_eq!(case().found(), Found { resource, attributes });
}

#[test]
fn what_a_bucket_has_no_configuration_of_is_s3s_default() {
    let found = case().found_in(|aws| {
        let unset = [
            ("GetBucketEncryption", "ServerSideEncryptionConfigurationNotFoundError"),
            ("GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
            ("GetBucketOwnershipControls", "OwnershipControlsNotFoundError"),
            ("GetBucketPolicy", "NoSuchBucketPolicy"),
            ("GetBucketLifecycleConfiguration", "NoSuchLifecycleConfiguration"),
            ("GetBucketTagging", "NoSuchTagSet"),
        ];
        let aws = unset.iter().fold(aws, |aws, (operation, code)| aws.refusing(operation, code, "there is none"));
        aws.without("GetBucketVersioning", "<Status>Enabled</Status>")
    });
    let plain = Bucket {
        name: NAME.into(),
        versioning: "Off".into(),
        encryption: Encryption { algorithm: "AES256".into(), key: None, bucket_key: false },
        public_access_block: PublicAccessBlock::NONE,
        ownership: "ObjectWriter".into(),
        policy: None,
        lifecycle: [].into(),
        tags: [].into(),
    };
    assert_eq!(found.resource, plain);
}

#[test]
fn parts_of_a_rule_that_drctl_never_writes_are_told_in_words() {
    let rule = "<LifecycleConfiguration><Rule><ID>theirs</ID><Prefix>old/</Prefix><Status>Disabled</Status>\
                <Transition><Date>2027-01-01T00:00:00Z</Date><StorageClass>GLACIER</StorageClass></Transition>\
                <Expiration><Days>400</Days></Expiration></Rule></LifecycleConfiguration>";
    let found = case().found_in(|aws| aws.text("GetBucketLifecycleConfiguration", rule));
    let theirs = LifecycleRule {
        prefix: Some("old/".into()),
        foreign: vec!["a transition on a date".into(), "objects expire after 400 days".into()],
        ..LifecycleRule::default()
    };
    assert_eq!(found.resource.lifecycle, [("theirs".to_owned(), theirs)].into());
}

#[test]
fn a_bucket_that_is_not_there_is_absent_whichever_call_says_so() {
    let operations: Vec<String> = aws().operations().map(str::to_owned).collect();
    let gone: Vec<_> = operations.iter().map(|operation| (operation.as_str(), "NoSuchBucket")).collect();
    case().is_absent_after(&gone);
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case().fails_with_every_operation();
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    let status = RULE.replace("<Status>Enabled</Status>", "");
    case().needs(&[
        ("GetBucketEncryption", ALGORITHM, "algorithm"),
        ("GetPublicAccessBlock", "<BlockPublicAcls>true</BlockPublicAcls>", "BlockPublicAcls"),
        ("GetPublicAccessBlock", "<IgnorePublicAcls>true</IgnorePublicAcls>", "IgnorePublicAcls"),
        ("GetPublicAccessBlock", "<BlockPublicPolicy>true</BlockPublicPolicy>", "BlockPublicPolicy"),
        ("GetPublicAccessBlock", "<RestrictPublicBuckets>false</RestrictPublicBuckets>", "RestrictPublicBuckets"),
        ("GetBucketOwnershipControls", "<ObjectOwnership>BucketOwnerEnforced</ObjectOwnership>", "ownership"),
        (
            "GetBucketOwnershipControls",
            "<Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>",
            "no rule",
        ),
        ("GetBucketLifecycleConfiguration", "<ID>drctl</ID>", "without an id"),
    ]);
    let rule = named("LifecycleConfiguration", &status);
    case().is_malformed_in(|aws| aws.text("GetBucketLifecycleConfiguration", rule), "status of a rule");
    case().is_malformed_in(|aws| aws.text("GetBucketPolicy", "{"), "the policy is not JSON");
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case().bears_any_answer();
}
