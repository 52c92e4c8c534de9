//! What the calls in `aws.rs` need to be allowed.

use super::Function;
use crate::iam::{Condition, Grant, Permissions};
use crate::kinds::Permitted;

const FUNCTION: &[&str] = &["arn:aws:lambda:{region}:{account}:function:{name}"];

impl Permitted for Function {
    const PERMISSIONS: Permissions = Permissions {
        look: &[
            Grant::calls(&["lambda:GetFunction"], FUNCTION),
            // Without it, the answer has no tags.
            Grant::implied(&["lambda:ListTags"], FUNCTION),
        ],
        change: &[
            Grant::calls(
                &[
                    "lambda:CreateFunction",
                    "lambda:DeleteFunctionConcurrency",
                    "lambda:PutFunctionConcurrency",
                    "lambda:TagResource",
                    "lambda:UntagResource",
                    "lambda:UpdateFunctionCode",
                    "lambda:UpdateFunctionConfiguration",
                ],
                FUNCTION,
            ),
            Grant::implied(&["iam:PassRole"], &["arn:aws:iam::{account}:role/{role.name}"])
                .only(&[Condition::equals("iam:PassedToService", "lambda.amazonaws.com")]),
        ],
        remove: &[Grant::calls(&["lambda:DeleteFunction"], FUNCTION)],
        // A function that reserves nothing is started again by taking back what stopped it.
        operate: &[Grant::calls(&["lambda:DeleteFunctionConcurrency", "lambda:PutFunctionConcurrency"], FUNCTION)],
        ..Permissions::NONE
    };
}
