//! Multi-Region KMS keys: the same key in every region, so that what is encrypted in one can be read in the other.
//!
//! KMS shares the material and its rotation between the regions, and nothing else: policy, alias, tags, and whether
//! it is enabled are each region's own. A deletion is only scheduled, and can be taken back until its day comes.

#[cfg(feature = "aws")]
mod aws;
mod permissions;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::graph::{Address, AnsweredBy, Document, Region, Resource, Tags};

/// The part of a multi-Region key that drctl manages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Key {
    /// KMS's id, the same in every region; none while the key is only wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name by which people find it, in every region: `alias/NAME-SUFFIX`.
    pub alias: String,
    /// Whether KMS makes new material each year.
    pub rotation: bool,
    /// Where the key was made: the primary at that time. Replicas are always made from here.
    pub home: Region,
    /// What each region has for itself.
    pub members: BTreeMap<Region, Member>,
    /// Who may use the key in each region.
    pub policies: BTreeMap<Region, Document>,
    /// Tags and ownership marks, as home has them.
    pub tags: Tags,
}

/// The key in one region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Whether it can be used.
    pub enabled: bool,
    /// Whether the alias leads to it.
    pub aliased: bool,
    /// What it is for.
    pub description: String,
    /// Tags in which it differs from home, without a value where it lacks one.
    pub tags: Tags,
}

impl Key {
    /// How long a deletion can be taken back: the longest window that KMS has. That of the key itself begins when
    /// its last replica is gone.
    pub const PENDING_DAYS: i32 = 30;

    /// The address of a system's key.
    pub fn address() -> Address {
        Address::global(Self::KIND, "main")
    }

    /// The alias of the key of a system.
    pub fn alias(system: &str, suffix: &str) -> String {
        format!("alias/{system}-{suffix}")
    }

    /// The name of the attribute that holds the key's ARN in one region.
    pub fn arn_in(region: &Region) -> String {
        format!("arn.{region}")
    }

    /// The account decides by IAM who administers and uses the key; two services come with no role that could say so.
    /// Alarms have no condition: AWS documents none for alarms that tell encrypted topics, and an alarm that one keeps
    /// out is silent. Whose alarms may publish is the topic's policy to say.
    pub fn policy(region: &Region, account: &str, suffix: &str) -> Document {
        Document::new(json!({ "Version": "2012-10-17", "Statement": [
            {
                "Sid": "Account",
                "Effect": "Allow",
                "Principal": { "AWS": account },
                "Action": "kms:*",
                "Resource": "*",
            },
            {
                "Sid": "Alarms",
                "Effect": "Allow",
                "Principal": { "Service": "cloudwatch.amazonaws.com" },
                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                "Resource": "*",
            },
            {
                "Sid": "Logs",
                "Effect": "Allow",
                "Principal": { "Service": format!("logs.{region}.amazonaws.com") },
                "Action": ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
                "Resource": "*",
                "Condition": { "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn":
                        format!("arn:aws:logs:{region}:{account}:log-group:/aws/lambda/*-{suffix}"),
                } },
            },
        ] }))
    }
}

impl Resource for Key {
    const KIND: &'static str = "key";
    const FIXED: &'static [&'static str] = &["alias"];
    const AT_CREATION: &'static [&'static str] = &["id", "home"];
    const DOCUMENTS: &'static [&'static str] = &["policies"];
    const HOLDS_DATA: bool = true;
    const ON_DELETE: Option<&'static str> = Some(
        "cannot be used from then on, and neither can what is still encrypted with it; KMS deletes it 30 days after its \
         replicas, which go after 30 days, and until then a spec that wants it brings it back",
    );
    const LET_GO_FIRST: Option<&'static str> = Some(
        "apply `[encryption] key = \"retired\"` first: what is stored goes over to other keys, and this one can be \
         used until that is done",
    );
    const ANSWERED_BY: AnsweredBy = AnsweredBy::EveryRegion;

    fn id(&self) -> Option<String> {
        self.id.clone()
    }
}
