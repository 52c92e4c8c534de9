//! What the calls in `aws.rs` need to be allowed.

use super::Record;
use crate::iam::{Condition, Grant, Permissions};
use crate::kinds::Permitted;

/// Route 53 makes the ids, and knows no conditions on tags.
const ZONES: &[&str] = &["arn:aws:route53:::hostedzone/*"];
const CHECKS: &[&str] = &["arn:aws:route53:::healthcheck/*"];

/// Of whatever zone, only the sets of the one name.
const CHANGE: &[Grant] = &[
    Grant::calls(&["route53:ChangeResourceRecordSets"], ZONES)
        .only(&[Condition::all_equal("route53:ChangeResourceRecordSetsNormalizedRecordNames", "{name}")]),
    Grant::calls(&["route53:GetChange"], &["arn:aws:route53:::change/*"]),
];

impl Permitted for Record {
    const PERMISSIONS: Permissions = Permissions {
        discover: &[
            Grant::anything(&["route53:ListHostedZones"]),
            Grant::calls(&["route53:ListResourceRecordSets"], ZONES),
        ],
        look: &[
            Grant::anything(&["route53:ListHostedZonesByName"]),
            // The tags of a zone tell whose it is.
            Grant::calls(&["route53:ListResourceRecordSets", "route53:ListTagsForResource"], ZONES),
            // Those of a set's health check, whose the set is.
            Grant::calls(&["route53:ListTagsForResource"], CHECKS),
        ],
        change: CHANGE,
        remove: CHANGE,
        // To move traffic by hand, and back.
        operate: CHANGE,
        ..Permissions::NONE
    };
}
