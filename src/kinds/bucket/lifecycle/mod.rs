//! What happens to the objects of a bucket as they grow old.

#[cfg(feature = "aws")]
mod aws;

use serde::{Deserialize, Serialize};

use crate::graph::Tags;

/// What happens to some objects as they grow old.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LifecycleRule {
    /// Whether it is in force.
    pub enabled: bool,
    /// Only for keys that begin like this.
    pub prefix: Option<String>,
    /// Only for objects with these tags.
    pub object_tags: Tags,
    /// Only for objects of more bytes than this. Without any size, S3 leaves objects under 128 KB
    /// where they are, so a rule with transitions always says one.
    pub larger_than: Option<i64>,
    /// Only for objects of fewer bytes than this.
    pub smaller_than: Option<i64>,
    /// To cheaper storage, the soonest first.
    pub transitions: Vec<Transition>,
    /// Days after which a version is deleted that is no longer the current one.
    pub noncurrent_days: Option<i32>,
    /// Days after which an unfinished upload is given up.
    pub unfinished_upload_days: Option<i32>,
    /// Whether a delete marker goes once no version is left behind it.
    pub lone_markers: bool,
    /// Parts that drctl never writes, in words: somebody else's.
    pub foreign: Vec<String>,
}

/// How the words begin for a rule that deletes objects as they are, and no older versions of them.
const EXPIRY: &str = "objects expire";

impl LifecycleRule {
    /// Whether it is in force for every object of the bucket.
    pub fn is_for_all(&self) -> bool {
        let Self { enabled, prefix, object_tags, larger_than, smaller_than, .. } = self;
        *enabled && prefix.is_none() && object_tags.is_empty() && larger_than.is_none() && smaller_than.is_none()
    }

    /// Whether it is in force and deletes objects as they are, and no older versions of them.
    pub fn deletes_current(&self) -> bool {
        self.enabled && self.foreign.iter().any(|part| part.starts_with(EXPIRY))
    }

    /// Whether drctl can write it as it is.
    pub fn is_writable(&self) -> bool {
        let Self { prefix, object_tags, smaller_than, foreign, .. } = self;
        prefix.is_none() && object_tags.is_empty() && smaller_than.is_none() && foreign.is_empty()
    }
}

/// From when on objects are kept in another storage class.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Transition {
    /// Days after the object was written.
    pub days: i32,
    /// The storage class, as S3 calls it.
    pub class: String,
}
