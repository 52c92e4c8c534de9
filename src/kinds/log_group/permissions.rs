//! What the calls in `aws.rs` need to be allowed.

use super::LogGroup;
use crate::iam::{Grant, Permissions};
use crate::kinds::Permitted;

/// The calls for tags want the first form, all others the second.
const GROUP: &[&str] =
    &["arn:aws:logs:{region}:{account}:log-group:{name}", "arn:aws:logs:{region}:{account}:log-group:{name}:*"];

impl Permitted for LogGroup {
    const PERMISSIONS: Permissions = Permissions {
        look: &[Grant::everywhere(&["logs:DescribeLogGroups"]), Grant::calls(&["logs:ListTagsForResource"], GROUP)],
        change: &[Grant::calls(
            &[
                "logs:AssociateKmsKey",
                "logs:CreateLogGroup",
                "logs:DeleteRetentionPolicy",
                "logs:DisassociateKmsKey",
                "logs:PutRetentionPolicy",
                "logs:TagResource",
                "logs:UntagResource",
            ],
            GROUP,
        )],
        remove: &[Grant::calls(&["logs:DeleteLogGroup"], GROUP)],
        ..Permissions::NONE
    };
}
