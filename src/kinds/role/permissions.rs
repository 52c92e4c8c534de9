//! What the calls in `aws.rs` need to be allowed.

use super::Role;
use crate::iam::{Grant, Permissions};
use crate::kinds::Permitted;

const ROLE: &[&str] = &["arn:aws:iam::{account}:role/{name}"];

impl Permitted for Role {
    const PERMISSIONS: Permissions = Permissions {
        // Only what ends like the system's names is asked for its marks.
        discover: &[
            Grant::anything(&["iam:ListRoles"]),
            Grant::calls(&["iam:GetRole"], &["arn:aws:iam::{account}:role/*-{suffix}"]),
        ],
        look: &[Grant::calls(
            &["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"],
            ROLE,
        )],
        change: &[Grant::calls(
            &[
                "iam:CreateRole",
                "iam:DeleteRolePolicy",
                "iam:DetachRolePolicy",
                "iam:PutRolePolicy",
                "iam:TagRole",
                "iam:UntagRole",
                "iam:UpdateAssumeRolePolicy",
            ],
            ROLE,
        )],
        remove: &[Grant::calls(&["iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy"], ROLE)],
        // It tells of everybody in the account; without it, roles are read one by one.
        spared: &["iam:GetAccountAuthorizationDetails"],
        ..Permissions::NONE
    };
}
