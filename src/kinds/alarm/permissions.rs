//! What the calls in `aws.rs` need to be allowed.

use super::Alarm;
use crate::iam::{Grant, Permissions};
use crate::kinds::Permitted;

const ALARM: &[&str] = &["arn:aws:cloudwatch:{region}:{account}:alarm:{name}"];

impl Permitted for Alarm {
    const PERMISSIONS: Permissions = Permissions {
        look: &[
            Grant::everywhere(&["cloudwatch:DescribeAlarms"]),
            Grant::calls(&["cloudwatch:ListTagsForResource"], ALARM),
        ],
        change: &[Grant::calls(
            &["cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:UntagResource"],
            ALARM,
        )],
        remove: &[Grant::calls(&["cloudwatch:DeleteAlarms"], ALARM)],
        ..Permissions::NONE
    };
}
