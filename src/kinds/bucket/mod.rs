//! S3 buckets: versioned, encrypted, private, reached by TLS only, with a lifecycle.
//!
//! Deleting one deletes what is in it: see [`empty`]. Where its objects are copied to is
//! [`BucketReplication`](super::bucket_replication::BucketReplication).

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "aws")]
mod empty;
mod lifecycle;
mod permissions;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

#[cfg(feature = "aws")]
pub use empty::{Content, content};
pub use lifecycle::{LifecycleRule, Transition};

use crate::graph::{Document, Input, Resource, Tags};

/// The part of a bucket that drctl manages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Unique in the whole of AWS, at most 63 characters.
    pub name: String,
    /// `Enabled` or `Suspended`, or `Off` if it never was on; it cannot be taken off again.
    pub versioning: String,
    /// How objects are encrypted that do not say it themselves.
    pub encryption: Encryption,
    /// What of public access is blocked.
    pub public_access_block: PublicAccessBlock,
    /// `BucketOwnerEnforced`: access control lists mean nothing.
    pub ownership: String,
    /// Who may do what.
    pub policy: Option<Document>,
    /// Lifecycle rules by id.
    pub lifecycle: BTreeMap<String, LifecycleRule>,
    /// Tags and ownership marks.
    pub tags: Tags,
}

/// A bucket's default encryption.
///
/// That customer-provided keys are blocked is AWS's default since April 2026. drctl leaves it at
/// that, and does not compare it: older buckets do not return it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encryption {
    /// `AES256` or `aws:kms`
    pub algorithm: String,
    /// The ARN of the KMS key, where one is used.
    pub key: Option<Input>,
    /// One data key for many objects.
    pub bucket_key: bool,
}

/// The four switches against public access.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublicAccessBlock {
    /// New public access control lists are refused.
    pub block_acls: bool,
    /// Public access control lists have no effect.
    pub ignore_acls: bool,
    /// New public policies are refused.
    pub block_policy: bool,
    /// Public policies open the bucket to its own account only.
    pub restrict: bool,
}

impl PublicAccessBlock {
    /// Nothing public.
    pub const ALL: Self = Self { block_acls: true, ignore_acls: true, block_policy: true, restrict: true };
    /// As it is when nobody says anything.
    pub const NONE: Self = Self { block_acls: false, ignore_acls: false, block_policy: false, restrict: false };
}

impl Encryption {
    /// With this key, or with S3's own.
    pub fn with(key: Option<Input>) -> Self {
        Self { algorithm: if key.is_some() { "aws:kms" } else { "AES256" }.into(), key, bucket_key: true }
    }
}

impl Bucket {
    /// The versioning that replication needs and that keeps what is overwritten.
    pub const VERSIONED: &'static str = "Enabled";
    /// The versioning of a bucket that never had any.
    pub const UNVERSIONED: &'static str = "Off";
    /// Access by policies only.
    pub const OWNER_ENFORCED: &'static str = "BucketOwnerEnforced";

    /// The ARN of the bucket with this name.
    pub fn arn(name: &str) -> String {
        format!("arn:aws:s3:::{name}")
    }

    /// Nothing without TLS. Denying everybody is safe here: who asks by TLS is not meant.
    pub fn tls_only(name: &str) -> Document {
        let arn = Self::arn(name);
        Document::new(json!({ "Version": "2012-10-17", "Statement": [{
            "Sid": "OnlyByTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [&arn, format!("{arn}/*")],
            "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        }] }))
    }
}

impl Resource for Bucket {
    const KIND: &'static str = "bucket";
    const FIXED: &'static [&'static str] = &["name"];
    const DOCUMENTS: &'static [&'static str] = &["policy"];
    const HOLDS_DATA: bool = true;
    const LEFT_BEHIND: &'static [(&'static str, &'static str)] =
        &[("encryption", "objects that are there stay encrypted as they are, until they are copied onto themselves")];

    fn id(&self) -> Option<String> {
        Some(self.name.clone())
    }

    /// What is encrypted with a key before the rules say that such objects are copied, too, is never copied. While its
    /// versioning is off, a bucket takes no rules.
    fn follows_its_parts(changed: &[&str]) -> bool {
        changed.contains(&"encryption") && !changed.contains(&"versioning")
    }
}
