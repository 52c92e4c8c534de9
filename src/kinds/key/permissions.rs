//! What the calls in `aws.rs` need to be allowed, and what services ask of the key in the caller's name.

use super::Key;
use crate::iam::{Condition, Grant, Permissions};
use crate::kinds::Permitted;

/// KMS makes the ids; those of multi-Region keys begin like this.
const KEY: &[&str] = &["arn:aws:kms:{region}:{account}:key/mrk-*"];

/// The system's own keys, among all of the account's. It takes KMS up to five minutes to heed new tags, so what a
/// new key needs at once is not held to them.
const MARKED: &[Condition] = &[
    Condition::equals("aws:ResourceTag/drctl:suffix", "{suffix}"),
    Condition::equals("aws:ResourceTag/drctl:system", "{system}"),
];

/// Tags that make a key the system's.
const MARKING: &[Condition] = &[
    Condition::equals("aws:RequestTag/drctl:suffix", "{suffix}"),
    Condition::equals("aws:RequestTag/drctl:system", "{system}"),
];

/// What an alias leads to, and a key that has no id yet.
const ANY_KEY: &[&str] = &["arn:aws:kms:{region}:{account}:key/*"];

/// An alias needs to be allowed for itself and for the key that it leads to.
const ALIASED: &[&str] = &["arn:aws:kms:{region}:{account}:{alias}", "arn:aws:kms:{region}:{account}:key/mrk-*"];

/// The role with which KMS keeps the members alike; it makes it with the account's first multi-Region key.
const SYNCHRONIZATION: &[&str] = &[
    "arn:aws:iam::{account}:role/aws-service-role/mrk.kms.amazonaws.com/AWSServiceRoleForKeyManagementServiceMultiRegionKeys",
];

const BY_DYNAMODB: &[Condition] = &[Condition::equals("kms:ViaService", "dynamodb.{region}.amazonaws.com")];
const BY_LAMBDA: &[Condition] = &[Condition::equals("kms:ViaService", "lambda.{region}.amazonaws.com")];
const BY_SECRETS_MANAGER: &[Condition] =
    &[Condition::equals("kms:ViaService", "secretsmanager.{region}.amazonaws.com")];

impl Permitted for Key {
    const PERMISSIONS: Permissions = Permissions {
        look: &[
            Grant::calls(&["kms:DescribeKey"], ANY_KEY),
            Grant::calls(&["kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"], KEY),
            Grant::everywhere(&["kms:ListAliases"]),
            // Without it, Lambda tells no variables.
            Grant::implied(&["kms:Decrypt"], KEY).only(BY_LAMBDA),
        ],
        change: &[
            Grant::everywhere(&["kms:CreateKey", "kms:ListKeys"]),
            Grant::calls(&["kms:TagResource"], ANY_KEY).only(MARKING),
            Grant::calls(&["kms:CreateAlias", "kms:UpdateAlias"], ALIASED),
            // KMS takes a new key's policy from those only who may write it again, and has no tags to judge by then.
            Grant::calls(&["kms:EnableKeyRotation", "kms:PutKeyPolicy", "kms:ReplicateKey"], KEY),
            Grant::calls(
                &["kms:CancelKeyDeletion", "kms:EnableKey", "kms:UntagResource", "kms:UpdateKeyDescription"],
                KEY,
            )
            .only(MARKED),
            Grant::implied(&["iam:CreateServiceLinkedRole"], SYNCHRONIZATION)
                .only(&[Condition::equals("iam:AWSServiceName", "mrk.kms.amazonaws.com")]),
            Grant::implied(
                &[
                    "kms:CreateGrant",
                    "kms:Decrypt",
                    "kms:Encrypt",
                    "kms:GenerateDataKey",
                    "kms:ReEncryptFrom",
                    "kms:ReEncryptTo",
                ],
                KEY,
            )
            .only(BY_DYNAMODB),
            Grant::implied(&["kms:CreateGrant", "kms:Encrypt"], KEY).only(BY_LAMBDA),
            Grant::implied(&["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], KEY).only(BY_SECRETS_MANAGER),
        ],
        remove: &[Grant::calls(&["kms:ScheduleKeyDeletion"], KEY).only(MARKED)],
        operate: &[Grant::implied(&["kms:Decrypt", "kms:GenerateDataKey"], KEY).only(BY_SECRETS_MANAGER)],
        ..Permissions::NONE
    };
}
