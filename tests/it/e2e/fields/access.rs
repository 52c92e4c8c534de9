//! Roles, log groups, functions and their URLs.

use std::io::{Cursor, Write};

use aws_sdk_iam::types::Tag;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    Architecture, Environment, FunctionUrlAuthType, LastUpdateStatus, Runtime, TracingConfig, TracingMode,
};

use super::{Outside, Row, a_moment, at_creation, drifts, fixed};

const ROLE: &str = "global/role.payment-processor-us-east-1";
const GROUP: &str = "us-east-1/log_group.payment-processor";
const FUNCTION: &str = "us-east-1/function.payment-processor";
const URL: &str = "us-west-2/function_url.payment-processor";

pub(super) const ROWS: &[Row] = &[
    fixed("role", "name", "IAM knows a role by its name"),
    at_creation("role", "description", "the call that reads all roles at once does not tell it"),
    drifts("role", "trust", ROLE, "trust"),
    drifts("role", "policies", ROLE, "policies"),
    drifts("role", "attached", ROLE, "attached"),
    drifts("role", "tags.*", ROLE, "tags.stranger"),
    fixed("log_group", "name", "CloudWatch Logs knows a group by its name"),
    drifts("log_group", "retention_days", GROUP, "retention_days"),
    drifts("log_group", "kms_key", GROUP, "kms_key"),
    drifts("log_group", "tags.*", GROUP, "tags.stranger"),
    fixed("function", "name", "Lambda knows a function by its name"),
    drifts("function", "description", FUNCTION, "description"),
    drifts("function", "code_sha256", FUNCTION, "code_sha256"),
    drifts("function", "architecture", FUNCTION, "architecture"),
    drifts("function", "runtime", FUNCTION, "runtime"),
    drifts("function", "handler", FUNCTION, "handler"),
    drifts("function", "role", FUNCTION, "role"),
    drifts("function", "memory", FUNCTION, "memory"),
    drifts("function", "timeout", FUNCTION, "timeout"),
    drifts("function", "environment.*", FUNCTION, "environment.STRANGER"),
    drifts("function", "kms_key", FUNCTION, "kms_key"),
    drifts("function", "reserved_concurrency", FUNCTION, "reserved_concurrency"),
    drifts("function", "tracing", FUNCTION, "tracing"),
    drifts("function", "tags.*", FUNCTION, "tags.stranger"),
    fixed("function_url", "function", "a URL belongs to one function"),
    drifts("function_url", "auth", URL, "auth"),
    drifts("function_url", "permissions", URL, "permissions"),
];

const ROLE_NAME: &str = "payment-processor-us-east-1-prod-001";
const NAME: &str = "payment-processor-prod-001";

/// A statement of a function's policy that is none of drctl's.
const THEIRS: &str = "theirs";

pub(super) async fn change(outside: &Outside) {
    futures::join!(role(outside), log_group(outside), function(outside), url(outside));
}

async fn role(outside: &Outside) {
    let iam = &outside.clients.iam;
    let anybody = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
        "Principal":{"Service":"lambda.amazonaws.com"}}]}"#;
    iam.update_assume_role_policy().role_name(ROLE_NAME).policy_document(anybody).send().await.unwrap();
    let everything = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    for policy in ["least-privilege", "foreign"] {
        let put = iam.put_role_policy().role_name(ROLE_NAME).policy_name(policy).policy_document(everything);
        put.send().await.unwrap();
    }
    let made = iam.create_policy().policy_name("foreign").policy_document(everything).send().await.unwrap();
    let arn = made.policy().and_then(|policy| policy.arn()).expect("a policy has an ARN").to_owned();
    iam.attach_role_policy().role_name(ROLE_NAME).policy_arn(arn).send().await.unwrap();
    let tag = Tag::builder().key("stranger").value("1").build().unwrap();
    iam.tag_role().role_name(ROLE_NAME).tags(tag).send().await.unwrap();
}

async fn log_group(outside: &Outside) {
    let (logs, name) = (&outside.east().logs, format!("/aws/lambda/{NAME}"));
    logs.put_retention_policy().log_group_name(&name).retention_in_days(7).send().await.unwrap();
    logs.disassociate_kms_key().log_group_name(&name).send().await.unwrap();
    let arn = outside.arn("logs", "us-east-1", &format!("log-group:{name}"));
    logs.tag_resource().resource_arn(arn).tags("stranger", "1").send().await.unwrap();
}

async fn function(outside: &Outside) {
    let lambda = &outside.east().lambda;
    let before = lambda.get_function_configuration().function_name(NAME).send().await.unwrap();
    let variables = before.environment().and_then(|environment| environment.variables()).cloned();
    let environment = Environment::builder().set_variables(variables).variables("STRANGER", "1").build();
    let role = format!("arn:aws:iam::{}:role/health-check-us-east-1-prod-001", outside.clients.account);
    let update = lambda.update_function_configuration().function_name(NAME).description("mine").handler("other");
    let update = update.runtime(Runtime::from("provided.al2")).role(role).memory_size(128).timeout(3).kms_key_arn("");
    let tracing = TracingConfig::builder().mode(TracingMode::Active).build();
    update.environment(environment).tracing_config(tracing).send().await.unwrap();
    settled(outside).await;
    let update = lambda.update_function_code().function_name(NAME).architectures(Architecture::Arm64);
    update.zip_file(Blob::new(zip())).send().await.unwrap();
    settled(outside).await;
    lambda.put_function_concurrency().function_name(NAME).reserved_concurrent_executions(7).send().await.unwrap();
    let arn = outside.arn("lambda", "us-east-1", &format!("function:{NAME}"));
    lambda.tag_resource().resource(arn).tags("stranger", "1").send().await.unwrap();
    let theirs = lambda.add_permission().function_name(NAME).statement_id(THEIRS).action("lambda:InvokeFunction");
    theirs.principal(&outside.clients.account).send().await.unwrap();
}

async fn settled(outside: &Outside) {
    let look = || outside.east().lambda.get_function_configuration().function_name(NAME).send();
    while look().await.unwrap().last_update_status() != Some(&LastUpdateStatus::Successful) {
        a_moment().await;
    }
}

/// Other code.
fn zip() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let executable = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    archive.start_file("bootstrap", executable).unwrap();
    archive.write_all(b"#!/bin/sh\n").unwrap();
    archive.finish().unwrap().into_inner()
}

async fn url(outside: &Outside) {
    let lambda = &outside.west().lambda;
    let update = lambda.update_function_url_config().function_name(NAME).auth_type(FunctionUrlAuthType::AwsIam);
    update.send().await.unwrap();
    let remove = lambda.remove_permission().function_name(NAME).statement_id("DrctlUrlInvokeFunction");
    remove.send().await.unwrap();
}

/// What somebody else lets call a function is theirs to say.
pub(super) async fn others_are_left_alone(outside: &Outside) {
    let policy = outside.east().lambda.get_policy().function_name(NAME).send().await.unwrap();
    let policy = policy.policy.unwrap_or_default();
    assert!(policy.contains(&format!("\"{THEIRS}\"")), "{policy}");
}
