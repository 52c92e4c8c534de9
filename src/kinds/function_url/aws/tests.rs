use serde_json::json;

use super::FunctionUrl;
use crate::aws::canned::Canned;
use crate::graph::Attributes;
use crate::kinds::Found;
use crate::kinds::tests::{Case, tags};

const FUNCTION: &str = "payment-processor-prod-001";
const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:payment-processor-prod-001";
const URL: &str = "https://abc123.lambda-url.us-east-1.on.aws/";

/// The statements of drctl and one of somebody else.
fn policy() -> String {
    let statement = |sid: &str, action: &str, condition| json!({ "Sid": sid, "Effect": "Allow", "Principal": "*", "Action": action, "Resource": ARN, "Condition": condition });
    let url = json!({ "StringEquals": { "lambda:FunctionUrlAuthType": "NONE" } });
    let invoke = json!({ "Bool": { "lambda:InvokedViaFunctionUrl": "true" } });
    let policy = json!({ "Version": "2012-10-17", "Id": "default", "Statement": [
        statement("DrctlUrlInvokeFunctionUrl", "lambda:InvokeFunctionUrl", url),
        statement("DrctlUrlInvokeFunction", "lambda:InvokeFunction", invoke),
        statement("theirs", "lambda:GetFunction", json!({})),
    ] });
    policy.to_string()
}

fn aws() -> Canned {
    Canned::default()
        .json(
            "GetFunctionUrlConfig",
            json!({
                "FunctionUrl": URL, "FunctionArn": ARN, "AuthType": "NONE", "InvokeMode": "BUFFERED",
                "CreationTime": "2026-11-24T10:00:00.000Z", "LastModifiedTime": "2026-11-24T10:00:00.000Z",
            }),
        )
        .json("GetPolicy", json!({ "Policy": policy(), "RevisionId": "6f2c" }))
}

fn case() -> Case<FunctionUrl> {
    Case::regional("lambda", FUNCTION, aws())
}

#[test]
fn a_url_is_read_with_the_statements_of_drctl_alone() {
    let resource = FunctionUrl::public(FUNCTION, ARN);
    let attributes: Attributes = tags(&[("url", URL), ("host", "abc123.lambda-url.us-east-1.on.aws")]);
    assert_eq!(case().found(), Found { resource, attributes });
}

#[test]
fn a_function_without_a_policy_lets_nobody_in() {
    let found = case().found_in(|aws| aws.refusing("GetPolicy", "ResourceNotFoundException", "there is none"));
    assert!(found.resource.permissions.is_empty());
}

#[test]
fn a_url_that_is_not_there_is_absent() {
    case().is_absent_after(&[("GetFunctionUrlConfig", "ResourceNotFoundException")]);
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case().fails_with_every_operation();
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    case().needs(&[
        ("GetFunctionUrlConfig", "/FunctionUrl", "FunctionUrl"),
        ("GetFunctionUrlConfig", "/AuthType", "AuthType"),
        ("GetPolicy", "/Policy", "policy"),
    ]);
    case().is_malformed_in(|aws| aws.json("GetPolicy", json!({ "Policy": "{" })), "the policy is not JSON");
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case().bears_any_answer();
}
