//! What the calls in `aws.rs` need to be allowed.

use super::FunctionUrl;
use crate::iam::{Condition, Grant, Permissions};
use crate::kinds::Permitted;

const FUNCTION: &[&str] = &["arn:aws:lambda:{region}:{account}:function:{function}"];

impl Permitted for FunctionUrl {
    const PERMISSIONS: Permissions = Permissions {
        look: &[Grant::calls(&["lambda:GetFunctionUrlConfig", "lambda:GetPolicy"], FUNCTION)],
        change: &[
            // Who may make a URL for IAM callers may not make it public.
            Grant::calls(&["lambda:CreateFunctionUrlConfig", "lambda:UpdateFunctionUrlConfig"], FUNCTION)
                .only(&[Condition::equals("lambda:FunctionUrlAuthType", "{auth}")]),
            Grant::calls(&["lambda:AddPermission"], FUNCTION).given("auth", "NONE"),
            Grant::calls(&["lambda:RemovePermission"], FUNCTION),
        ],
        remove: &[Grant::calls(&["lambda:DeleteFunctionUrlConfig", "lambda:RemovePermission"], FUNCTION)],
        // A payment is a request that AWS checks, if the URL wants a caller of its account.
        operate: &[
            Grant::implied(&["lambda:InvokeFunctionUrl"], FUNCTION)
                .only(&[Condition::equals("lambda:FunctionUrlAuthType", "AWS_IAM")])
                .given("auth", "AWS_IAM"),
            Grant::implied(&["lambda:InvokeFunction"], FUNCTION)
                .only(&[Condition::holds("lambda:InvokedViaFunctionUrl")])
                .given("auth", "AWS_IAM"),
        ],
        ..Permissions::NONE
    };
}
