//! What the calls in `aws.rs` need to be allowed.

use super::Topic;
use crate::iam::{Grant, Permissions};
use crate::kinds::Permitted;

const TOPIC: &[&str] = &["arn:aws:sns:{region}:{account}:{name}"];

impl Permitted for Topic {
    const PERMISSIONS: Permissions = Permissions {
        look: &[Grant::calls(&["sns:GetTopicAttributes", "sns:ListTagsForResource"], TOPIC)],
        change: &[Grant::calls(
            &["sns:CreateTopic", "sns:SetTopicAttributes", "sns:TagResource", "sns:UntagResource"],
            TOPIC,
        )],
        remove: &[Grant::calls(&["sns:DeleteTopic"], TOPIC)],
        ..Permissions::NONE
    };
}
