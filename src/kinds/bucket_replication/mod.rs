//! Where the objects of a bucket are copied to.
//!
//! Replication has no tags: the bucket's marks are its own, and the id of its rule comes from
//! its address. It needs both buckets first, and goes before either of them, because what a
//! deletion writes would be copied otherwise. It is adopted with its bucket; a rule of another id is a difference then.

#[cfg(feature = "aws")]
mod aws;
mod permissions;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::bucket::Bucket;
use crate::graph::{Address, Input, Lag, Region, Resource};

/// The replication of one bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BucketReplication {
    /// The source bucket's name.
    pub bucket: String,
    /// The role that S3 copies with. A wrong one shows only as objects that fail.
    pub role: Input,
    /// Rules by id.
    pub rules: BTreeMap<String, ReplicationRule>,
}

/// What is copied where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplicationRule {
    /// Whether it is in force.
    pub enabled: bool,
    /// Which rule wins where several fit.
    pub priority: i32,
    /// Only for keys that begin like this; `None` is the whole bucket.
    pub prefix: Option<String>,
    /// Whether the deletion of an object is copied. The deletion of a version never is.
    pub delete_markers: bool,
    /// Whether changes to tags and locks of a copy go back to where it came from.
    pub replica_modifications: bool,
    /// The ARN of the destination.
    pub destination: String,
    /// The ARN of the KMS key that encrypts the copies; without one, S3 leaves out what is encrypted with a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<Input>,
    /// Minutes within which S3 promises the copy: 15, or no promise.
    pub time_control: Option<i32>,
    /// Whether latency and backlog are measured.
    pub metrics: bool,
    /// Parts that drctl never writes, in words: somebody else's.
    pub foreign: Vec<String>,
}

impl BucketReplication {
    /// The id of the rule that copies the bucket `name` of the spec to `destination`; its
    /// metrics carry it as their dimension `RuleId`.
    pub fn rule_id(name: &str, destination: &Region) -> String {
        format!("drctl-{name}-to-{destination}")
    }
}

impl ReplicationRule {
    /// The only promise that S3 makes, in minutes.
    pub const MINUTES: i32 = 15;
}

impl Resource for BucketReplication {
    const KIND: &'static str = "bucket_replication";
    const FIXED: &'static [&'static str] = &["bucket"];
    const PART_OF: Option<&'static str> = Some(Bucket::KIND);
    /// A bucket's configuration is eventually consistent, and what an old rule leaves out is never copied. How long
    /// that takes AWS does not say.
    const LAG: Option<Lag> = Some(Lag { of: &["role", "rules"], time: Duration::from_secs(15) });

    fn id(&self) -> Option<String> {
        Some(self.bucket.clone())
    }

    /// S3 refuses two writes to the configuration of one bucket at once.
    fn locks(address: &Address) -> Address {
        address.with_kind(Bucket::KIND)
    }
}
