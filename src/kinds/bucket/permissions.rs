//! What the calls in the `aws.rs` of this folder need to be allowed.

use super::Bucket;
use crate::iam::{Grant, Permissions};
use crate::kinds::Permitted;

const BUCKET: &[&str] = &["arn:aws:s3:::{name}"];

const OBJECTS: &[&str] = &["arn:aws:s3:::{name}/*"];

impl Permitted for Bucket {
    const PERMISSIONS: Permissions = Permissions {
        look: &[Grant::calls(
            &[
                "s3:GetBucketOwnershipControls",
                "s3:GetBucketPolicy",
                "s3:GetBucketPublicAccessBlock",
                "s3:GetBucketTagging",
                "s3:GetBucketVersioning",
                "s3:GetEncryptionConfiguration",
                "s3:GetLifecycleConfiguration",
            ],
            BUCKET,
        )],
        change: &[
            Grant::calls(
                &[
                    "s3:CreateBucket",
                    "s3:ListBucket",
                    "s3:PutBucketOwnershipControls",
                    "s3:PutBucketPolicy",
                    "s3:PutBucketPublicAccessBlock",
                    "s3:PutBucketTagging",
                    "s3:PutBucketVersioning",
                    "s3:PutEncryptionConfiguration",
                    "s3:PutLifecycleConfiguration",
                ],
                BUCKET,
            ),
            Grant::implied(&["s3:TagResource"], BUCKET),
        ],
        remove: &[
            Grant::calls(
                &[
                    "s3:DeleteBucket",
                    "s3:GetBucketObjectLockConfiguration",
                    "s3:ListBucketMultipartUploads",
                    "s3:ListBucketVersions",
                ],
                BUCKET,
            ),
            Grant::calls(&["s3:AbortMultipartUpload", "s3:DeleteObject"], OBJECTS),
            Grant::implied(&["s3:DeleteObjectVersion"], OBJECTS),
        ],
        ..Permissions::NONE
    };
}
