//! What the calls in `aws.rs` need to be allowed.

use super::Zone;
use crate::iam::{Grant, Permissions};
use crate::kinds::Permitted;

/// Route 53 makes the ids, and knows no conditions on tags.
const ZONES: &[&str] = &["arn:aws:route53:::hostedzone/*"];

impl Permitted for Zone {
    const PERMISSIONS: Permissions = Permissions {
        discover: &[Grant::anything(&["route53:ListHostedZones"])],
        look: &[Grant::calls(&["route53:GetHostedZone", "route53:ListTagsForResource"], ZONES)],
        change: &[
            Grant::anything(&["route53:CreateHostedZone", "route53:ListHostedZonesByName"]),
            Grant::calls(&["route53:ChangeTagsForResource", "route53:UpdateHostedZoneComment"], ZONES),
        ],
        remove: &[Grant::calls(&["route53:DeleteHostedZone", "route53:ListResourceRecordSets"], ZONES)],
        ..Permissions::NONE
    };
}
