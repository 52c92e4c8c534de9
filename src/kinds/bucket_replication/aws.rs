//! The S3 calls behind [`BucketReplication`].

use std::time::Duration;

use aws_sdk_s3::types::{
    DeleteMarkerReplication, DeleteMarkerReplicationStatus, Destination, EncryptionConfiguration,
    ExistingObjectReplicationStatus, Metrics, MetricsStatus, ReplicaModifications, ReplicaModificationsStatus,
    ReplicationConfiguration, ReplicationRule as ApiRule, ReplicationRuleFilter, ReplicationRuleStatus,
    ReplicationTime, ReplicationTimeStatus, ReplicationTimeValue, SourceSelectionCriteria, SseKmsEncryptedObjects,
    SseKmsEncryptedObjectsStatus,
};

use super::{BucketReplication, ReplicationRule};
use crate::aws::{Call, Transient, given, retry};
use crate::graph::{Attributes, Failure, Input, Region, Resource};
use crate::kinds::bucket::Bucket;
use crate::kinds::{Context, Created, Found, Lifecycle, Seen, Target, each};

/// S3 does not see at once that a bucket is there and versioned.
const SETTLING: &[Transient] = &[("InvalidRequest", "versioning"), ("NoSuchBucket", ""), ("OperationAborted", "")];

/// AWS says that versioning may take a quarter of an hour; it takes seconds.
const SETTLED_WITHIN: Duration = Duration::from_secs(300);

impl Lifecycle for BucketReplication {
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        each(targets, |id| async move { read(cx, &id).await }).await
    }

    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        put(cx, self).await?;
        Ok(Created { id: self.bucket.clone(), attributes: Attributes::new() })
    }

    /// S3 replaces the whole configuration.
    async fn update(_before: &Self, after: &Self, cx: Context<'_>) -> Result<(), Failure> {
        put(cx, after).await
    }

    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        let s3 = &cx.regional()?.s3;
        retry(cx.within(SETTLED_WITHIN), &[("OperationAborted", "")], || async {
            let call = s3.delete_bucket_replication().bucket(&self.bucket);
            call.expected_bucket_owner(&cx.clients.account).send().await.gone("s3:PutReplicationConfiguration")
        })
        .await
    }

    fn beside(found: &Target, _region: &Region) -> Option<Target> {
        (found.address.kind == Bucket::KIND)
            .then(|| Target { address: found.address.with_kind(Self::KIND), id: found.id.clone() })
    }
}

async fn read(cx: Context<'_>, bucket: &str) -> Result<Option<Found<BucketReplication>>, Failure> {
    let call = cx.regional()?.s3.get_bucket_replication().bucket(bucket).expected_bucket_owner(&cx.clients.account);
    let answer = match call.send().await.call("s3:GetReplicationConfiguration") {
        Err(failure) if failure.code == "ReplicationConfigurationNotFoundError" => return Ok(None),
        Err(failure) if failure.code == "NoSuchBucket" => return Ok(None),
        other => other?,
    };
    let missing = || Failure::malformed("s3:GetReplicationConfiguration", "no configuration in the answer");
    let configuration = answer.replication_configuration.ok_or_else(missing)?;
    let rules = configuration.rules.into_iter().map(|rule| {
        let id = rule.id.clone();
        let id = id.ok_or_else(|| Failure::malformed("s3:GetReplicationConfiguration", "a rule without an id"))?;
        Ok((id, ReplicationRule::try_from(rule)?))
    });
    let resource = BucketReplication {
        bucket: bucket.to_owned(),
        role: Input::from(given("s3:GetReplicationConfiguration", "role", &configuration.role)?),
        rules: rules.collect::<Result<_, Failure>>()?,
    };
    Ok(Some(Found { resource, attributes: Attributes::new() }))
}

async fn put(cx: Context<'_>, replication: &BucketReplication) -> Result<(), Failure> {
    let rules = replication.rules.iter().map(|(id, rule)| rule.to_api(id));
    let configuration = ReplicationConfiguration::builder()
        .role(replication.role.known())
        .set_rules(Some(rules.collect::<Result<_, _>>()?))
        .build()
        .map_err(malformed)?;
    let s3 = &cx.regional()?.s3;
    retry(cx.within(SETTLED_WITHIN), SETTLING, || async {
        let call = s3.put_bucket_replication().bucket(&replication.bucket).expected_bucket_owner(&cx.clients.account);
        call.replication_configuration(configuration.clone()).send().await.call("s3:PutReplicationConfiguration")
    })
    .await
    .map(|_| ())
}

fn malformed(error: impl std::fmt::Display) -> Failure {
    Failure::malformed("s3:PutReplicationConfiguration", error)
}

impl TryFrom<ApiRule> for ReplicationRule {
    type Error = Failure;

    #[expect(deprecated, reason = "a rule of somebody else may still say its prefix the old way")]
    fn try_from(rule: ApiRule) -> Result<Self, Failure> {
        let destination = rule
            .destination
            .ok_or_else(|| Failure::malformed("s3:GetReplicationConfiguration", "a rule without a destination"))?;
        given("s3:GetReplicationConfiguration", "status of a rule", rule.status.as_str())?;
        let bucket = given("s3:GetReplicationConfiguration", "destination of a rule", &destination.bucket)?.to_owned();
        let filter = rule.filter.unwrap_or_else(|| ReplicationRuleFilter::builder().build());
        let criteria = rule.source_selection_criteria;
        let mut foreign = Vec::new();
        let mut note = |there: bool, what: &str| foreign.extend(there.then(|| what.to_owned()));
        note(filter.tag.is_some() || filter.and.is_some(), "only objects with some tags");
        note(destination.account.is_some(), "the destination is another account's");
        note(destination.storage_class.is_some(), "copies have another storage class");
        let key = destination.encryption_configuration.and_then(|configuration| configuration.replica_kms_key_id);
        let encrypted = criteria.as_ref().and_then(|criteria| criteria.sse_kms_encrypted_objects.as_ref());
        let encrypted = encrypted.is_some_and(|encrypted| encrypted.status == SseKmsEncryptedObjectsStatus::Enabled);
        note(key.is_some() && !encrypted, "objects encrypted with a key are not copied");
        note(key.is_none() && encrypted, "objects encrypted with a key are copied");
        let existing = rule.existing_object_replication;
        note(
            existing.is_some_and(|existing| existing.status == ExistingObjectReplicationStatus::Enabled),
            "older objects are copied",
        );
        let modifications = criteria.and_then(|criteria| criteria.replica_modifications);
        let time = destination.replication_time.filter(|time| time.status == ReplicationTimeStatus::Enabled);
        Ok(Self {
            enabled: rule.status == ReplicationRuleStatus::Enabled,
            priority: rule.priority.unwrap_or_default(),
            prefix: filter.prefix.or(rule.prefix).filter(|prefix| !prefix.is_empty()),
            delete_markers: rule
                .delete_marker_replication
                .is_some_and(|markers| markers.status == Some(DeleteMarkerReplicationStatus::Enabled)),
            replica_modifications: modifications
                .is_some_and(|modifications| modifications.status == ReplicaModificationsStatus::Enabled),
            destination: bucket,
            kms_key: key.as_deref().map(Input::from),
            time_control: time.and_then(|time| time.time?.minutes),
            metrics: destination.metrics.is_some_and(|metrics| metrics.status == MetricsStatus::Enabled),
            foreign,
        })
    }
}

impl ReplicationRule {
    fn to_api(&self, id: &str) -> Result<ApiRule, Failure> {
        let minutes = |minutes: i32| ReplicationTimeValue::builder().minutes(minutes).build();
        let time = self.time_control.map(|promised| {
            ReplicationTime::builder().status(ReplicationTimeStatus::Enabled).time(minutes(promised)).build()
        });
        let metrics = self.metrics.then(|| {
            let metrics = Metrics::builder().status(MetricsStatus::Enabled);
            metrics.set_event_threshold(self.time_control.map(minutes)).build()
        });
        let encryption =
            self.kms_key.as_ref().map(|key| EncryptionConfiguration::builder().replica_kms_key_id(key.known()).build());
        let destination = Destination::builder()
            .bucket(&self.destination)
            .set_encryption_configuration(encryption)
            .set_replication_time(time.transpose().map_err(malformed)?)
            .set_metrics(metrics.transpose().map_err(malformed)?)
            .build()
            .map_err(malformed)?;
        let markers = match self.delete_markers {
            true => DeleteMarkerReplicationStatus::Enabled,
            false => DeleteMarkerReplicationStatus::Disabled,
        };
        ApiRule::builder()
            .id(id)
            .status(if self.enabled { ReplicationRuleStatus::Enabled } else { ReplicationRuleStatus::Disabled })
            .priority(self.priority)
            .filter(ReplicationRuleFilter::builder().prefix("").build())
            .delete_marker_replication(DeleteMarkerReplication::builder().status(markers).build())
            .set_source_selection_criteria(self.criteria()?)
            .destination(destination)
            .build()
            .map_err(malformed)
    }

    /// What is copied that S3 would leave out by itself.
    fn criteria(&self) -> Result<Option<SourceSelectionCriteria>, Failure> {
        let modifications = self
            .replica_modifications
            .then(|| ReplicaModifications::builder().status(ReplicaModificationsStatus::Enabled).build());
        let encrypted = self
            .kms_key
            .as_ref()
            .map(|_| SseKmsEncryptedObjects::builder().status(SseKmsEncryptedObjectsStatus::Enabled).build());
        if modifications.is_none() && encrypted.is_none() {
            return Ok(None);
        }
        let criteria = SourceSelectionCriteria::builder()
            .set_replica_modifications(modifications.transpose().map_err(malformed)?)
            .set_sse_kms_encrypted_objects(encrypted.transpose().map_err(malformed)?);
        Ok(Some(criteria.build()))
    }
}

#[cfg(test)]
mod tests;
