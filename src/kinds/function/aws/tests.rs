use serde_json::{Value, json};

use super::Function;
use crate::aws::canned::Canned;
use crate::graph::{Attributes, FailureClass, Input};
use crate::kinds::Found;
use crate::kinds::tests::{Case, erased, tags, targets};
use crate::plan::Sight;

const NAME: &str = "payment-processor-prod-001";
const ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:payment-processor-prod-001";
const KEY: &str = "arn:aws:kms:us-east-1:123456789012:key/mrk-1a2b";
const ROLE: &str = "arn:aws:iam::123456789012:role/payment-processor-us-east-1-prod-001";

fn answer() -> Value {
    json!({
        "Configuration": {
            "FunctionName": NAME, "FunctionArn": ARN, "Role": ROLE, "Runtime": "provided.al2023", "Handler": "bootstrap",
            "Description": "payment-processor of payment-dr", "CodeSize": 2_800_000, "CodeSha256": "0IzbVvFd=",
            "MemorySize": 256, "Timeout": 10, "LastModified": "2026-11-24T10:00:00.000+0000", "Version": "$LATEST",
            "Environment": { "Variables": { "TABLE_PAYMENTS": "payments-prod-001" } },
            "TracingConfig": { "Mode": "Active" }, "PackageType": "Zip", "Architectures": ["arm64"],
            "State": "Active", "LastUpdateStatus": "Successful", "EphemeralStorage": { "Size": 512 },
            "LoggingConfig": { "LogFormat": "Text", "LogGroup": "/aws/lambda/payment-processor-prod-001" },
        },
        "Code": { "RepositoryType": "S3", "Location": "https://example.com/signed" },
        "Concurrency": { "ReservedConcurrentExecutions": 100 },
        "Tags": { "cost-center": "payments", "aws:cloudformation:stack-id": "old" },
    })
}

fn case() -> Case<Function> {
    Case::regional("lambda", NAME, aws())
}

fn aws() -> Canned {
    Canned::default().json("GetFunction", answer())
}

fn function() -> Function {
    Function {
        name: NAME.into(),
        description: "payment-processor of payment-dr".into(),
        code_sha256: "0IzbVvFd=".into(),
        architecture: "arm64".into(),
        runtime: "provided.al2023".into(),
        handler: "bootstrap".into(),
        role: Input::from(ROLE),
        memory: 256,
        timeout: 10,
        environment: [("TABLE_PAYMENTS".to_owned(), "payments-prod-001".to_owned())].into(),
        kms_key: None,
        reserved_concurrency: Some(100),
        tracing: "Active".into(),
        tags: tags(&[("cost-center", "payments")]),
    }
}

#[test]
fn a_function_is_read_with_one_call() {
    let attributes = Attributes::from([("name".into(), NAME.into()), ("arn".into(), ARN.into())]);
    assert_eq!(case().found(), Found { resource: function(), attributes });
}

#[test]
fn what_lambda_leaves_out_is_its_default() {
    let found = case().found_in(|aws| {
        let parts = ["Description", "Environment", "TracingConfig", "Architectures"];
        let aws = parts.iter().fold(aws, |aws, part| aws.without("GetFunction", &format!("/Configuration/{part}")));
        aws.without("GetFunction", "/Concurrency").without("GetFunction", "/Tags")
    });
    let plain = Function {
        description: String::new(),
        environment: [].into(),
        tracing: "PassThrough".into(),
        architecture: "x86_64".into(),
        reserved_concurrency: None,
        tags: [].into(),
        ..function()
    };
    assert_eq!(found.resource, plain);
}

#[test]
fn a_key_is_told_and_an_empty_one_is_lambdas_own() {
    for (said, key) in [(KEY, Some(Input::from(KEY))), ("", None)] {
        let mut encrypted = answer();
        encrypted["Configuration"]["KMSKeyArn"] = said.into();
        let found = case().found_in(|aws| aws.json("GetFunction", encrypted));
        assert_eq!(found.resource, Function { kms_key: key, ..function() });
    }
}

#[test]
fn variables_that_the_caller_may_not_decrypt_are_no_missing_ones() {
    let mut encrypted = answer();
    encrypted["Configuration"]["Environment"] =
        json!({ "Error": { "ErrorCode": "AccessDeniedException", "Message": "Lambda was unable to decrypt" } });
    let failure = case().failure_in(|aws| aws.json("GetFunction", encrypted));
    assert_eq!(failure.class, FailureClass::Denied);
    assert!(failure.message.ends_with("Lambda was unable to decrypt"), "{failure}");
}

#[test]
fn the_value_of_a_variable_that_was_set_outside_is_not_kept() {
    let mut changed = answer();
    changed["Configuration"]["Environment"]["Variables"]["API_KEY"] = "sk-live-4eC39Hq".into();
    let found = case().found_in(|aws| aws.json("GetFunction", changed)).resource;
    let expected = [("API_KEY", "(set outside, sha256 e4b8…)"), ("TABLE_PAYMENTS", "payments-prod-001")];
    let expected = expected.map(|(variable, value)| (variable.to_owned(), value.to_owned()));
    assert_eq!(found.environment, expected.into());
    assert_eq!(found.stand_in(), Some("API_KEY"));
}

#[test]
fn variables_whose_key_does_not_work_are_set_anew_once_it_does() {
    for code in ["KMSDisabledException", "DisabledException", "KMSInvalidStateException"] {
        let mut encrypted = answer();
        encrypted["Configuration"]["KMSKeyArn"] = KEY.into();
        encrypted["Configuration"]["Environment"] =
            json!({ "Error": { "ErrorCode": code, "Message": "Lambda was unable to decrypt" } });
        let found = case().found_in(|aws| aws.json("GetFunction", encrypted));
        assert_eq!(found.resource, Function { kms_key: Some(KEY.into()), environment: [].into(), ..function() });
    }
}

#[test]
fn a_concurrency_of_zero_is_one() {
    let mut stopped = answer();
    stopped["Concurrency"]["ReservedConcurrentExecutions"] = 0.into();
    assert_eq!(case().found_in(|aws| aws.json("GetFunction", stopped)).resource.reserved_concurrency, Some(0));
}

#[test]
fn a_function_that_is_not_there_is_absent() {
    case().is_absent_after(&[("GetFunction", "ResourceNotFoundException")]);
    let mut going = answer();
    going["Configuration"]["State"] = "Deleting".into();
    case().is_absent_in(|aws| aws.json("GetFunction", going));
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case().fails_with_every_operation();
}

#[test]
fn tags_that_the_caller_may_not_see_are_a_denial() {
    let mut hidden = answer();
    hidden["TagsError"] = json!({ "ErrorCode": "AccessDeniedException", "Message": "not you" });
    let failure = case().failure_in(|aws| aws.json("GetFunction", hidden));
    assert_eq!((failure.class, failure.operation.as_str()), (FailureClass::Denied, "lambda:ListTags"));
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    case().needs(&[
        ("GetFunction", "/Configuration", "configuration"),
        ("GetFunction", "/Configuration/FunctionArn", "ARN"),
        ("GetFunction", "/Configuration/CodeSha256", "CodeSha256"),
        ("GetFunction", "/Configuration/Role", "role"),
        ("GetFunction", "/Configuration/MemorySize", "MemorySize"),
        ("GetFunction", "/Configuration/Timeout", "Timeout"),
    ]);
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case().bears_any_answer();
}

#[test]
fn the_stack_that_made_a_function_is_told_and_is_none_of_its_tags() {
    let mut answer = answer();
    answer["Tags"]["aws:cloudformation:stack-name"] = json!("old");
    let target = targets("function", [NAME]).remove(0);
    let Sight::Live(live) = erased(Canned::default().json("GetFunction", answer), target) else {
        panic!("it is there")
    };
    assert_eq!(live.stack(), Some("old"));
    assert_eq!(live.tags(), Some(tags(&[("cost-center", "payments")])));
}
