//! What the calls in `aws.rs` need to be allowed.

use super::HealthCheck;
use crate::iam::{Grant, Permissions};
use crate::kinds::Permitted;

/// Route 53 makes the ids, and knows no conditions on tags.
const CHECKS: &[&str] = &["arn:aws:route53:::healthcheck/*"];

impl Permitted for HealthCheck {
    const PERMISSIONS: Permissions = Permissions {
        discover: &[Grant::anything(&["route53:ListHealthChecks"])],
        look: &[Grant::calls(
            &["route53:GetHealthCheck", "route53:GetHealthCheckStatus", "route53:ListTagsForResource"],
            CHECKS,
        )],
        change: &[
            Grant::anything(&["route53:CreateHealthCheck"]),
            Grant::calls(&["route53:ChangeTagsForResource", "route53:UpdateHealthCheck"], CHECKS),
        ],
        remove: &[Grant::calls(&["route53:DeleteHealthCheck"], CHECKS)],
        ..Permissions::NONE
    };
}
