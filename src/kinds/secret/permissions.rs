//! What the calls in `aws.rs` need to be allowed.

use super::Secret;
use crate::iam::{Grant, Permissions};
use crate::kinds::Permitted;

/// The ARN of a secret ends in a hyphen and six characters of AWS's own; one that is not there has none of them.
const SECRET: &[&str] = &[
    "arn:aws:secretsmanager:{region}:{account}:secret:{name}",
    "arn:aws:secretsmanager:{region}:{account}:secret:{name}-??????",
];

impl Permitted for Secret {
    const PERMISSIONS: Permissions = Permissions {
        look: &[Grant::calls(&["secretsmanager:DescribeSecret"], SECRET)],
        change: &[Grant::calls(
            &[
                "secretsmanager:CreateSecret",
                "secretsmanager:RemoveRegionsFromReplication",
                "secretsmanager:ReplicateSecretToRegions",
                "secretsmanager:RestoreSecret",
                "secretsmanager:TagResource",
                "secretsmanager:UntagResource",
                "secretsmanager:UpdateSecret",
            ],
            SECRET,
        )],
        remove: &[Grant::calls(
            &["secretsmanager:DeleteSecret", "secretsmanager:RemoveRegionsFromReplication"],
            SECRET,
        )],
        operate: &[Grant::calls(&["secretsmanager:PutSecretValue"], SECRET)],
        ..Permissions::NONE
    };
}
