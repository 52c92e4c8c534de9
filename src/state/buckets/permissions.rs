//! What the calls in `aws.rs` need to be allowed, on a bucket called `{bucket}`.

use crate::iam::{Grant, Permissions};

const BUCKET: &[&str] = &["arn:aws:s3:::{bucket}"];

/// Index, lock and overrides of the one system.
const OBJECTS: &[&str] = &["arn:aws:s3:::{bucket}/{system}-{suffix}.*"];

const OVERRIDES: &[&str] = &["arn:aws:s3:::{bucket}/{system}-{suffix}.overrides/*"];

const WRITES: &[&str] = &["s3:DeleteObject", "s3:PutObject"];

/// To read the state, to write it for an apply or a destroy, and to hold something by hand.
pub const PERMISSIONS: Permissions = Permissions {
    // Without the right to list, S3 says of what is not there that it is denied.
    look: &[Grant::calls(&["s3:GetObject"], OBJECTS), Grant::calls(&["s3:ListBucket"], BUCKET)],
    change: &[Grant::calls(WRITES, OBJECTS)],
    remove: &[Grant::calls(WRITES, OBJECTS)],
    operate: &[Grant::calls(WRITES, OVERRIDES)],
    ..Permissions::NONE
};
