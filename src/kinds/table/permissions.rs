//! What the calls in `aws.rs` need to be allowed.

use super::Table;
use crate::iam::{Condition, Grant, Permissions};
use crate::kinds::Permitted;

const TABLE: &[&str] = &["arn:aws:dynamodb:{region}:{account}:table/{name}"];

/// The role with which DynamoDB copies items; it makes it with the account's first replica.
const REPLICATION: &[&str] = &[
    "arn:aws:iam::{account}:role/aws-service-role/replication.dynamodb.amazonaws.com/AWSServiceRoleForDynamoDBReplication",
];

impl Permitted for Table {
    const PERMISSIONS: Permissions = Permissions {
        look: &[Grant::calls(
            &["dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive", "dynamodb:ListTagsOfResource"],
            TABLE,
        )],
        change: &[
            Grant::calls(&["dynamodb:CreateTable", "dynamodb:UpdateTable", "dynamodb:UpdateTimeToLive"], TABLE),
            // A replica is filled in the caller's name.
            Grant::implied(
                &[
                    "dynamodb:BatchWriteItem",
                    "dynamodb:CreateTableReplica",
                    "dynamodb:DeleteItem",
                    "dynamodb:GetItem",
                    "dynamodb:PutItem",
                    "dynamodb:Query",
                    "dynamodb:Scan",
                    "dynamodb:TagResource",
                    "dynamodb:UpdateItem",
                ],
                TABLE,
            ),
            Grant::implied(&["iam:CreateServiceLinkedRole"], REPLICATION)
                .only(&[Condition::equals("iam:AWSServiceName", "replication.dynamodb.amazonaws.com")]),
        ],
        remove: &[
            Grant::calls(&["dynamodb:DeleteTable", "dynamodb:UpdateTable"], TABLE),
            Grant::implied(&["dynamodb:DeleteTableReplica"], TABLE),
        ],
        ..Permissions::NONE
    };
}
