//! Buckets and what copies their objects.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    DeleteMarkerReplication, DeleteMarkerReplicationStatus, Destination, ExpirationStatus, LifecycleExpiration,
    LifecycleRule, LifecycleRuleAndOperator, LifecycleRuleFilter, ObjectOwnership, OwnershipControls,
    OwnershipControlsRule, PublicAccessBlockConfiguration, ReplicationConfiguration, ReplicationRule,
    ReplicationRuleFilter, ReplicationRuleStatus, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, StorageClass, Tag, Tagging, TransitionStorageClass,
    VersioningConfiguration,
};

use super::{Outside, Row, WEST, a_moment, drifts, fixed};

const EAST_BUCKET: &str = "us-east-1/bucket.transaction-logs";
const WEST_BUCKET: &str = "us-west-2/bucket.transaction-logs";
const COPIES: &str = "us-east-1/bucket_replication.transaction-logs";

macro_rules! rule {
    ($field:literal) => {
        concat!("rules.drctl-transaction-logs-to-us-west-2.", $field)
    };
}

pub(super) const ROWS: &[Row] = &[
    fixed("bucket", "name", "S3 knows a bucket by its name"),
    drifts("bucket", "versioning", WEST_BUCKET, "versioning"),
    drifts("bucket", "encryption.algorithm", EAST_BUCKET, "encryption.algorithm"),
    drifts("bucket", "encryption.key", EAST_BUCKET, "encryption.key"),
    drifts("bucket", "encryption.bucket_key", EAST_BUCKET, "encryption.bucket_key"),
    drifts("bucket", "public_access_block.block_acls", EAST_BUCKET, "public_access_block.block_acls"),
    drifts("bucket", "public_access_block.ignore_acls", EAST_BUCKET, "public_access_block.ignore_acls"),
    drifts("bucket", "public_access_block.block_policy", EAST_BUCKET, "public_access_block.block_policy"),
    drifts("bucket", "public_access_block.restrict", EAST_BUCKET, "public_access_block.restrict"),
    drifts("bucket", "ownership", EAST_BUCKET, "ownership"),
    drifts("bucket", "policy", EAST_BUCKET, "policy"),
    drifts("bucket", "lifecycle.*.enabled", EAST_BUCKET, "lifecycle.drctl-transitions.enabled"),
    drifts("bucket", "lifecycle.*.enabled", WEST_BUCKET, "lifecycle.somebody-elses"),
    drifts("bucket", "lifecycle.*.prefix", EAST_BUCKET, "lifecycle.drctl-transitions.prefix"),
    drifts("bucket", "lifecycle.*.object_tags.*", EAST_BUCKET, "lifecycle.drctl-transitions.object_tags.stranger"),
    drifts("bucket", "lifecycle.*.larger_than", EAST_BUCKET, "lifecycle.drctl-transitions.larger_than"),
    drifts("bucket", "lifecycle.*.smaller_than", EAST_BUCKET, "lifecycle.drctl-transitions.smaller_than"),
    drifts("bucket", "lifecycle.*.transitions.[].days", EAST_BUCKET, "lifecycle.drctl-transitions.transitions"),
    drifts("bucket", "lifecycle.*.transitions.[].class", WEST_BUCKET, "lifecycle.drctl-transitions.transitions"),
    drifts("bucket", "lifecycle.*.noncurrent_days", EAST_BUCKET, "lifecycle.drctl-cleanup.noncurrent_days"),
    drifts(
        "bucket",
        "lifecycle.*.unfinished_upload_days",
        EAST_BUCKET,
        "lifecycle.drctl-cleanup.unfinished_upload_days",
    ),
    drifts("bucket", "lifecycle.*.lone_markers", EAST_BUCKET, "lifecycle.drctl-cleanup.lone_markers"),
    drifts("bucket", "lifecycle.*.foreign", EAST_BUCKET, "lifecycle.drctl-cleanup.foreign"),
    drifts("bucket", "tags.*", EAST_BUCKET, "tags.stranger"),
    fixed("bucket_replication", "bucket", "it is the bucket's"),
    drifts("bucket_replication", "role", COPIES, "role"),
    drifts("bucket_replication", "rules.*.enabled", COPIES, rule!("enabled")),
    drifts("bucket_replication", "rules.*.priority", COPIES, rule!("priority")),
    drifts("bucket_replication", "rules.*.prefix", COPIES, rule!("prefix")),
    drifts("bucket_replication", "rules.*.delete_markers", COPIES, rule!("delete_markers")),
    drifts("bucket_replication", "rules.*.replica_modifications", COPIES, rule!("replica_modifications")),
    drifts("bucket_replication", "rules.*.destination", COPIES, rule!("destination")),
    drifts("bucket_replication", "rules.*.kms_key", COPIES, rule!("kms_key")),
    drifts("bucket_replication", "rules.*.time_control", COPIES, rule!("time_control")),
    drifts("bucket_replication", "rules.*.metrics", COPIES, rule!("metrics")),
    drifts("bucket_replication", "rules.*.foreign", COPIES, rule!("foreign")),
];

const EAST_NAME: &str = "transaction-logs-us-east-1-prod-001";
const WEST_NAME: &str = "transaction-logs-us-west-2-prod-001";

/// A bucket of somebody else.
const ELSEWHERE: &str = "elsewhere";

pub(super) async fn change(outside: &Outside) {
    futures::join!(east(outside), west(&outside.west().s3));
}

async fn east(outside: &Outside) {
    let s3 = &outside.east().s3;
    replication(outside).await;
    encryption(s3).await;
    let open = PublicAccessBlockConfiguration::builder().block_public_acls(false).ignore_public_acls(false);
    let open = open.block_public_policy(false).restrict_public_buckets(false).build();
    let put = s3.put_public_access_block().bucket(EAST_NAME).public_access_block_configuration(open);
    put.send().await.unwrap();
    let writer = OwnershipControlsRule::builder().object_ownership(ObjectOwnership::ObjectWriter).build().unwrap();
    let controls = OwnershipControls::builder().rules(writer).build().unwrap();
    s3.put_bucket_ownership_controls().bucket(EAST_NAME).ownership_controls(controls).send().await.unwrap();
    s3.delete_bucket_policy().bucket(EAST_NAME).send().await.unwrap();
    lifecycle(s3, EAST_NAME, |rules| {
        mangle(named(rules, "drctl-transitions"));
        spare(named(rules, "drctl-cleanup"));
    })
    .await;
    let tags = s3.get_bucket_tagging().bucket(EAST_NAME).send().await.unwrap().tag_set;
    let stranger = Tag::builder().key("stranger").value("1").build().unwrap();
    let tags = Tagging::builder().set_tag_set(Some(tags)).tag_set(stranger).build().unwrap();
    s3.put_bucket_tagging().bucket(EAST_NAME).tagging(tags).send().await.unwrap();
}

async fn encryption(s3: &Client) {
    let default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256);
    let default = default.build().unwrap();
    let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default);
    let rule = rule.bucket_key_enabled(false).build();
    let encryption = ServerSideEncryptionConfiguration::builder().rules(rule).build().unwrap();
    let put = s3.put_bucket_encryption().bucket(EAST_NAME).server_side_encryption_configuration(encryption);
    put.send().await.unwrap();
}

/// What copies from the other side has to go before versioning can be suspended.
async fn west(s3: &Client) {
    s3.delete_bucket_replication().bucket(WEST_NAME).send().await.unwrap();
    versioning(s3, WEST_NAME, BucketVersioningStatus::Suspended).await;
    lifecycle(s3, WEST_NAME, |rules| {
        cool(named(rules, "drctl-transitions"));
        rules.push(somebody_elses());
    })
    .await;
}

async fn versioning(s3: &Client, bucket: &str, status: BucketVersioningStatus) {
    let versioning = VersioningConfiguration::builder().status(status).build();
    s3.put_bucket_versioning().bucket(bucket).versioning_configuration(versioning).send().await.unwrap();
}

async fn lifecycle(s3: &Client, bucket: &str, edit: impl FnOnce(&mut Vec<LifecycleRule>)) {
    let answer = s3.get_bucket_lifecycle_configuration().bucket(bucket).send().await.unwrap();
    let mut rules = answer.rules.unwrap_or_default();
    edit(&mut rules);
    let rules = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().unwrap();
    let put = s3.put_bucket_lifecycle_configuration().bucket(bucket).lifecycle_configuration(rules);
    put.send().await.unwrap();
}

fn named<'a>(rules: &'a mut [LifecycleRule], id: &str) -> &'a mut LifecycleRule {
    rules.iter_mut().find(|rule| rule.id() == Some(id)).expect("drctl made it")
}

fn mangle(rule: &mut LifecycleRule) {
    let stranger = Tag::builder().key("stranger").value("1").build().unwrap();
    let only = LifecycleRuleAndOperator::builder().prefix("only/").tags(stranger);
    let only = only.object_size_greater_than(1).object_size_less_than(1_000_000).build();
    rule.filter = Some(LifecycleRuleFilter::builder().and(only).build());
    rule.status = ExpirationStatus::Disabled;
    for step in rule.transitions.iter_mut().flatten() {
        step.days = step.days.map(|days| days + 1);
    }
}

/// Keeps nothing for long, and markers for ever.
fn spare(rule: &mut LifecycleRule) {
    rule.expiration = Some(LifecycleExpiration::builder().days(700).build());
    rule.noncurrent_version_expiration.iter_mut().for_each(|versions| versions.noncurrent_days = Some(1));
    rule.abort_incomplete_multipart_upload.iter_mut().for_each(|uploads| uploads.days_after_initiation = Some(1));
}

fn cool(rule: &mut LifecycleRule) {
    let last = rule.transitions.iter_mut().flatten().last();
    last.expect("it has transitions").storage_class = Some(TransitionStorageClass::DeepArchive);
}

fn somebody_elses() -> LifecycleRule {
    LifecycleRule::builder()
        .id("somebody-elses")
        .status(ExpirationStatus::Enabled)
        .filter(LifecycleRuleFilter::builder().prefix("old/").build())
        .expiration(LifecycleExpiration::builder().days(1).build())
        .build()
        .unwrap()
}

async fn replication(outside: &Outside) {
    let place = BucketLocationConstraint::from(WEST);
    let place = CreateBucketConfiguration::builder().location_constraint(place).build();
    let west = &outside.west().s3;
    west.create_bucket().bucket(ELSEWHERE).create_bucket_configuration(place).send().await.unwrap();
    versioning(west, ELSEWHERE, BucketVersioningStatus::Enabled).await;
    let markers = DeleteMarkerReplication::builder().status(DeleteMarkerReplicationStatus::Disabled).build();
    let destination = Destination::builder().bucket(format!("arn:aws:s3:::{ELSEWHERE}"));
    let rule = ReplicationRule::builder()
        .id("drctl-transaction-logs-to-us-west-2")
        .status(ReplicationRuleStatus::Disabled)
        .priority(7)
        .filter(ReplicationRuleFilter::builder().prefix("only/").build())
        .delete_marker_replication(markers)
        .destination(destination.storage_class(StorageClass::StandardIa).build().unwrap())
        .build()
        .unwrap();
    let role = format!("arn:aws:iam::{}:role/health-check-us-east-1-prod-001", outside.clients.account);
    let rules = ReplicationConfiguration::builder().role(role).rules(rule).build().unwrap();
    let s3 = &outside.east().s3;
    let put = || s3.put_bucket_replication().bucket(EAST_NAME).replication_configuration(rules.clone()).send();
    // Versioning takes a while until replication sees it.
    while let Err(error) = put().await {
        let error = error.into_service_error();
        assert_eq!(error.meta().code(), Some("InvalidRequest"), "{error:?}");
        a_moment().await;
    }
}

/// Objects are copied again, in the direction that was cut.
pub(super) async fn copies_again(outside: &Outside) {
    let (east, west) = (&outside.east().s3, &outside.west().s3);
    let body = ByteStream::from_static(b"{}");
    west.put_object().bucket(WEST_NAME).key("after").body(body).send().await.unwrap();
    while east.head_object().bucket(EAST_NAME).key("after").send().await.is_err() {
        a_moment().await;
    }
}
