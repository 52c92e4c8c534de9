//! What the calls in `aws.rs` need to be allowed.

use super::TableReplica;
use crate::iam::{Grant, Permissions};
use crate::kinds::Permitted;

const MEMBER: &[&str] = &["arn:aws:dynamodb:{region}:{account}:table/{name}"];

impl Permitted for TableReplica {
    const PERMISSIONS: Permissions = Permissions {
        look: &[Grant::calls(
            &["dynamodb:DescribeContinuousBackups", "dynamodb:DescribeTable", "dynamodb:ListTagsOfResource"],
            MEMBER,
        )],
        change: &[Grant::calls(
            &[
                "dynamodb:TagResource",
                "dynamodb:UntagResource",
                "dynamodb:UpdateContinuousBackups",
                "dynamodb:UpdateTable",
            ],
            MEMBER,
        )],
        remove: &[Grant::calls(&["dynamodb:UpdateTable"], MEMBER)],
        ..Permissions::NONE
    };
}
