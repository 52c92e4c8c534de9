//! [`LifecycleRule`] as S3 has it.

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, ExpirationStatus, LifecycleExpiration, LifecycleRule as ApiRule,
    LifecycleRuleFilter, NoncurrentVersionExpiration, Tag, Transition as ApiTransition, TransitionStorageClass,
};

use super::{EXPIRY, LifecycleRule, Transition};
use crate::graph::Failure;

impl From<ApiRule> for LifecycleRule {
    #[expect(deprecated, reason = "a rule of somebody else may still say its prefix the old way")]
    fn from(rule: ApiRule) -> Self {
        let filter = rule.filter.unwrap_or_else(|| LifecycleRuleFilter::builder().build());
        let mut found = Self {
            enabled: rule.status == ExpirationStatus::Enabled,
            prefix: filter.prefix.or(rule.prefix),
            larger_than: filter.object_size_greater_than,
            smaller_than: filter.object_size_less_than,
            ..Self::default()
        };
        let mut object_tags: Vec<Tag> = filter.tag.into_iter().collect();
        if let Some(both) = filter.and {
            found.prefix = both.prefix;
            // Here S3 returns what was not set as 0.
            found.larger_than = both.object_size_greater_than.filter(|size| *size > 0);
            found.smaller_than = both.object_size_less_than.filter(|size| *size > 0);
            object_tags.extend(both.tags.unwrap_or_default());
        }
        found.prefix = found.prefix.filter(|prefix| !prefix.is_empty());
        found.object_tags = object_tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        for transition in rule.transitions.unwrap_or_default() {
            match (transition.days, transition.storage_class) {
                (Some(days), Some(class)) => {
                    found.transitions.push(Transition { days, class: class.as_str().to_owned() })
                }
                _ => found.foreign.push("a transition on a date".into()),
            }
        }
        found.transitions.sort();
        if let Some(expiration) = rule.expiration {
            found.lone_markers = expiration.expired_object_delete_marker.unwrap_or_default();
            found.foreign.extend(expiration.days.map(|days| format!("{EXPIRY} after {days} days")));
            found.foreign.extend(expiration.date.map(|date| format!("{EXPIRY} on {date}")));
        }
        if let Some(expiration) = rule.noncurrent_version_expiration {
            found.noncurrent_days = expiration.noncurrent_days;
            let kept = expiration.newer_noncurrent_versions;
            found.foreign.extend(kept.map(|kept| format!("{kept} noncurrent versions are kept")));
        }
        if rule.noncurrent_version_transitions.is_some_and(|transitions| !transitions.is_empty()) {
            found.foreign.push("noncurrent versions change their storage class".into());
        }
        let uploads = rule.abort_incomplete_multipart_upload;
        found.unfinished_upload_days = uploads.and_then(|uploads| uploads.days_after_initiation);
        found.foreign.sort();
        found
    }
}

impl LifecycleRule {
    /// The rule to send to AWS.
    pub(in crate::kinds::bucket) fn to_api(&self, id: &str) -> Result<ApiRule, Failure> {
        let filter = LifecycleRuleFilter::builder().set_object_size_greater_than(self.larger_than);
        // An empty prefix is how a filter says "all".
        let filter = if self.larger_than.is_none() { filter.prefix("") } else { filter };
        let transitions = self.transitions.iter().map(|transition| {
            let class = TransitionStorageClass::from(transition.class.as_str());
            ApiTransition::builder().days(transition.days).storage_class(class).build()
        });
        let expiration =
            self.lone_markers.then(|| LifecycleExpiration::builder().expired_object_delete_marker(true).build());
        let noncurrent =
            self.noncurrent_days.map(|days| NoncurrentVersionExpiration::builder().noncurrent_days(days).build());
        let uploads = self
            .unfinished_upload_days
            .map(|days| AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build());
        ApiRule::builder()
            .id(id)
            .status(if self.enabled { ExpirationStatus::Enabled } else { ExpirationStatus::Disabled })
            .filter(filter.build())
            .set_transitions((!self.transitions.is_empty()).then(|| transitions.collect()))
            .set_expiration(expiration)
            .set_noncurrent_version_expiration(noncurrent)
            .set_abort_incomplete_multipart_upload(uploads)
            .build()
            .map_err(|error| Failure::malformed("s3:PutLifecycleConfiguration", error))
    }
}
