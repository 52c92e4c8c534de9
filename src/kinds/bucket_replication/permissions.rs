//! What the calls in `aws.rs` need to be allowed.

use super::BucketReplication;
use crate::iam::{Condition, Grant, Permissions};
use crate::kinds::Permitted;

const BUCKET: &[&str] = &["arn:aws:s3:::{bucket}"];

impl Permitted for BucketReplication {
    const PERMISSIONS: Permissions = Permissions {
        look: &[Grant::calls(&["s3:GetReplicationConfiguration"], BUCKET)],
        change: &[
            Grant::calls(&["s3:PutReplicationConfiguration"], BUCKET),
            Grant::implied(&["iam:PassRole"], &["arn:aws:iam::{account}:role/{role.name}"])
                .only(&[Condition::equals("iam:PassedToService", "s3.amazonaws.com")]),
        ],
        remove: &[Grant::calls(&["s3:PutReplicationConfiguration"], BUCKET)],
        ..Permissions::NONE
    };
}
