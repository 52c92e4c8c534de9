//! What the calls in `aws.rs` need to be allowed.

use super::Subscription;
use crate::iam::{Condition, Grant, Permissions};
use crate::kinds::Permitted;

const TOPIC: &[&str] = &["arn:aws:sns:{region}:{account}:{topic}"];

impl Permitted for Subscription {
    const PERMISSIONS: Permissions = Permissions {
        look: &[Grant::calls(&["sns:ListSubscriptionsByTopic", "sns:ListTagsForResource"], TOPIC)],
        change: &[Grant::calls(&["sns:Subscribe"], TOPIC)
            .only(&[Condition::equals("sns:Endpoint", "{endpoint}"), Condition::equals("sns:Protocol", "{protocol}")])],
        remove: &[Grant::everywhere(&["sns:Unsubscribe"])],
        ..Permissions::NONE
    };
}
