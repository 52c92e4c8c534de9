//! One clear next step for every failure.

use crate::graph::{Failure, FailureClass};
use crate::iam::Task;
use crate::kinds::task_needing;

/// What to do about a failure of a command that does this task.
pub fn next_step(failure: &Failure, task: Task) -> String {
    known(failure).unwrap_or_else(|| by_class(failure, task))
}

/// Failures whose message names the cause.
fn known(failure: &Failure) -> Option<String> {
    let says = |part: &str| failure.message.contains(part);
    if says("UnreservedConcurrentExecution") {
        return Some("lower `reserved-concurrency`, or ask for a higher Lambda concurrency quota in this region: AWS keeps 100 unreserved".into());
    }
    if says("Time to live has been modified multiple times") {
        return Some("DynamoDB takes one change of TTL in an hour: run the same command again then".into());
    }
    if says("Encryption mode change") {
        return Some(
            "DynamoDB changes the encryption of a table only some times in 24 hours: run the same command again then"
                .into(),
        );
    }
    if says("acted as a source region") {
        return Some("DynamoDB keeps a source region for 24 hours after its last replica was made: run the same command again then".into());
    }
    if says("already exists in this region") {
        return Some("another secret has this name in that region (one made independent of its primary, too): delete it there if nobody needs it, then run the same command again".into());
    }
    if says("deletion protection") || says("Deletion protection") {
        return Some("somebody turned the table's deletion protection on meanwhile: if it really is to go, run the same command again, which then asks for it".into());
    }
    if failure.code == "NoCredentials" {
        return Some(
            "log in (`aws sso login`) or set AWS_PROFILE, and check with `aws sts get-caller-identity`".into(),
        );
    }
    if matches!(failure.code.as_str(), "ExpiredToken" | "ExpiredTokenException") {
        return Some("the credentials have expired: renew them and run the same command again".into());
    }
    if matches!(
        failure.code.as_str(),
        "InvalidClientTokenId" | "UnrecognizedClientException" | "SignatureDoesNotMatch" | "AuthFailure"
    ) {
        return Some("AWS does not accept these credentials: check them with `aws sts get-caller-identity`".into());
    }
    None
}

fn by_class(failure: &Failure, task: Task) -> String {
    match failure.class {
        FailureClass::Denied => denied(failure, task),
        FailureClass::Exists => {
            "something else has this name: choose another suffix, or remove it yourself if it is yours".into()
        }
        FailureClass::NotFound => "it was removed meanwhile: run the same command again".into(),
        FailureClass::Unreachable => {
            "check the network and https://health.aws.amazon.com, then run the same command again".into()
        }
        FailureClass::Dark => {
            "look at https://health.aws.amazon.com; once the place answers again, run the same command again".into()
        }
        FailureClass::Throttled => "AWS is busy with this account: run the same command again in a minute".into(),
        FailureClass::Internal => {
            "AWS has trouble of its own: look at https://health.aws.amazon.com, then run the same command again".into()
        }
        FailureClass::Deadline => {
            "AWS takes longer than usual: run the same command again, it continues from here".into()
        }
        FailureClass::Malformed => "run the same command again; if it stays, report it with the request id".into(),
        FailureClass::Other => {
            "put right what the message says, then run the same command again, it continues from here".into()
        }
    }
}

/// Which action is missing, and where all of them are told.
fn denied(failure: &Failure, task: Task) -> String {
    let action = denied_action(&failure.message).unwrap_or(&failure.operation);
    let next = match task_needing(action, task) {
        Some(task) => format!(
            "let the caller do `{action}` (`drctl iam-policy {task}` prints all that it needs), then run the same command again"
        ),
        None => format!("let the caller do `{action}`, then run the same command again"),
    };
    match action.starts_with("kms:") {
        true => format!("{next}; KMS heeds the tags of a key only some minutes after they were set"),
        false => next,
    }
}

/// The action that AWS names: not always that of the call, which may need others beside its own.
fn denied_action(message: &str) -> Option<&str> {
    let (_, action) = message.split_once("is not authorized to perform: ")?;
    action.split(|c: char| !c.is_ascii_alphanumeric() && c != ':').next().filter(|action| action.contains(':'))
}
