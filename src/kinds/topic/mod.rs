//! SNS topics that alarms are sent to.

#[cfg(feature = "aws")]
mod aws;
mod permissions;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::graph::{Document, Input, Resource, Tags};

/// The part of a topic that drctl manages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Topic {
    /// Unique in its region.
    pub name: String,
    /// Who may publish and subscribe.
    pub policy: Document,
    /// The ARN of the key that encrypts what is stored. None of AWS's: alarms cannot publish through
    /// `alias/aws/sns`, and what they send would vanish without a word.
    pub kms_key: Option<Input>,
    /// Tags and ownership marks.
    pub tags: Tags,
}

/// What the owner's account may do with a topic that nobody gave a policy: SNS's own default.
const OWNERS_ACTIONS: [&str; 8] = [
    "SNS:GetTopicAttributes",
    "SNS:SetTopicAttributes",
    "SNS:AddPermission",
    "SNS:RemovePermission",
    "SNS:DeleteTopic",
    "SNS:Subscribe",
    "SNS:ListSubscriptionsByTopic",
    "SNS:Publish",
];

impl Topic {
    /// The ARN of a topic.
    pub fn arn(region: &str, account: &str, name: &str) -> String {
        format!("arn:aws:sns:{region}:{account}:{name}")
    }

    /// The policy that lets the account use the topic, and its alarms publish to it. A policy
    /// replaces SNS's default, so it has to say the owner's part as well.
    pub fn for_alarms(arn: &str, account: &str) -> Document {
        Document::new(json!({ "Version": "2012-10-17", "Statement": [
            {
                "Sid": "Owner",
                "Effect": "Allow",
                "Principal": { "AWS": account },
                "Action": OWNERS_ACTIONS,
                "Resource": arn,
            },
            {
                "Sid": "Alarms",
                "Effect": "Allow",
                "Principal": { "Service": "cloudwatch.amazonaws.com" },
                "Action": "SNS:Publish",
                "Resource": arn,
                "Condition": { "StringEquals": { "aws:SourceAccount": account } },
            },
        ] }))
    }
}

impl Resource for Topic {
    const KIND: &'static str = "topic";
    const FIXED: &'static [&'static str] = &["name"];
    const DOCUMENTS: &'static [&'static str] = &["policy"];

    fn id(&self) -> Option<String> {
        Some(self.name.clone())
    }
}
