//! From the SDK's many error types to the one that drctl uses.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::meter::GATEWAY;
use crate::graph::{Failure, FailureClass};

/// Turns the result of `send()` into ours.
pub trait Call<T> {
    /// Names the operation, as IAM writes it, and keeps code, message and request id.
    fn call(self, operation: &'static str) -> Result<T, Failure>;

    /// The same, with "not there" as `None`. Being denied stays a failure.
    fn found(self, operation: &'static str) -> Result<Option<T>, Failure>;

    /// The same, for deletions: what is gone already is gone.
    fn gone(self, operation: &'static str) -> Result<(), Failure>;
}

impl<T, E> Call<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn call(self, operation: &'static str) -> Result<T, Failure> {
        self.map_err(|error| failure(operation, &error))
    }

    fn found(self, operation: &'static str) -> Result<Option<T>, Failure> {
        match self.call(operation) {
            Ok(answer) => Ok(Some(answer)),
            Err(failure) if failure.class == FailureClass::NotFound => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    fn gone(self, operation: &'static str) -> Result<(), Failure> {
        self.found(operation).map(|_| ())
    }
}

/// What AWS always sends. Where it is missing, the SDK makes up an empty text, or an enum's `no value was set`.
pub fn given<'a>(operation: &str, what: &str, text: &'a str) -> Result<&'a str, Failure> {
    match text {
        "" | "no value was set" => Err(Failure::malformed(operation, format!("no {what} in the answer"))),
        text => Ok(text),
    }
}

fn failure<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error {
        SdkError::ServiceError(context) => {
            let code = context.err().code().unwrap_or("Unknown").to_owned();
            let message = context.err().message().unwrap_or_default().to_owned();
            let header = |name| context.raw().headers().get(name).map(str::to_owned);
            let request_id = header("x-amzn-requestid").or_else(|| header("x-amz-request-id"));
            let status = context.raw().status().as_u16();
            if context.err().code().is_none() && (200..300).contains(&status) {
                return unreadable(operation, error);
            }
            let message = if message.is_empty() { format!("HTTP status {status} without a word") } else { message };
            Failure {
                class: class(&code, &message, status),
                operation: operation.to_owned(),
                code,
                message,
                request_id,
            }
        }
        SdkError::ResponseError(_) => unreadable(operation, error),
        SdkError::ConstructionFailure(_) => Failure::new(FailureClass::Other, operation, chain(error)),
        _ => kept_back(operation, error).unwrap_or_else(|| unsent(operation, chain(error))),
    }
}

/// A request to a dark place, which the meter did not let through.
fn kept_back(operation: &str, error: &(dyn std::error::Error + 'static)) -> Option<Failure> {
    match error.downcast_ref::<Failure>() {
        Some(failure) => Some(Failure { operation: operation.to_owned(), ..failure.clone() }),
        None => kept_back(operation, error.source()?),
    }
}

/// An answer that is none of this operation, whatever its status says.
fn unreadable(operation: &str, error: &dyn std::error::Error) -> Failure {
    Failure::malformed(operation, format!("the answer cannot be read: {}", chain(error)))
}

/// A request that got no answer, or was never sent because there is nobody to sign it.
fn unsent(operation: &str, why: String) -> Failure {
    if why.contains("no credentials found") || why.contains("credentials provider") {
        let message = "there are no AWS credentials (environment, profile, SSO and instance role were tried)";
        let failure = Failure::new(FailureClass::Denied, operation, message);
        return Failure { code: "NoCredentials".into(), ..failure };
    }
    Failure::new(FailureClass::Unreachable, operation, why)
}

/// What a code means. Codes are from the service models and from `aws-sdk-rust`'s retry tables.
fn class(code: &str, message: &str, status: u16) -> FailureClass {
    // "Table already exists", "Function already exist", "FunctionUrlConfig exists for this Lambda function"
    let exists = || message.to_ascii_lowercase().contains("exist");
    match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "AuthorizationError"
        | "UnauthorizedOperation"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "AuthFailure"
        | "IncompleteSignature" => FailureClass::Denied,
        "NoSuchBucket"
        | "NoSuchChange"
        | "NoSuchEntity"
        | "NoSuchHealthCheck"
        | "NoSuchHostedZone"
        | "NoSuchUpload"
        | "NotFound"
        | "NotFoundException"
        | "ReplicaNotFoundException"
        | "ResourceNotFound"
        | "ResourceNotFoundException"
        | "TableNotFoundException" => FailureClass::NotFound,
        "AlreadyExistsException"
        | "BucketAlreadyExists"
        | "BucketAlreadyOwnedByYou"
        | "EntityAlreadyExists"
        | "HealthCheckAlreadyExists"
        | "HostedZoneAlreadyExists"
        | "ResourceAlreadyExistsException"
        | "ResourceExistsException" => FailureClass::Exists,
        "ResourceConflictException" | "ResourceInUseException" if exists() => FailureClass::Exists,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "SlowDown"
        | "Throttled" => FailureClass::Throttled,
        // "Tried to create resource record set […] but it already exists"
        "InvalidChangeBatch" if exists() => FailureClass::Exists,
        // An answer to a HEAD request has no body to hold a code.
        "Unknown" if status == 403 => FailureClass::Denied,
        _ if GATEWAY.contains(&status) => FailureClass::Unreachable,
        _ if status >= 500 => FailureClass::Internal,
        _ => FailureClass::Other,
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
