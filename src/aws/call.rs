//! From the SDK's many error types to the one that drctl uses.

use aws_credential_types::provider::error::CredentialsError;
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
        _ => kept_back(operation, error)
            .or_else(|| unsigned(operation, error))
            .unwrap_or_else(|| Failure::new(FailureClass::Unreachable, operation, chain(error))),
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

/// A request that was never sent because nobody can sign it. Credentials that a service issues, which does not answer,
/// are no such case: that service is as unreachable as any.
pub(super) fn unsigned(operation: &str, error: &(dyn std::error::Error + 'static)) -> Option<Failure> {
    let why = match error.downcast_ref::<CredentialsError>() {
        None => return unsigned(operation, error.source()?),
        // The SDK asks an instance for its role last, so nothing else has any credentials.
        Some(CredentialsError::CredentialsNotLoaded(_)) => None,
        Some(error) => Some(chain(error)).filter(|why| !why.contains("IMDS")),
    };
    let message = match why {
        None => "there are no AWS credentials (environment, profile, SSO and instance role were tried)".to_owned(),
        Some(why) if ["dispatch failure", "timeout", "timed out"].iter().any(|silent| why.contains(silent)) => {
            return None;
        }
        Some(why) => format!("the AWS credentials cannot be loaded: {why}"),
    };
    let failure = Failure::new(FailureClass::Denied, operation, message);
    Some(Failure { code: "NoCredentials".into(), ..failure })
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

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    /// A call that could not be sent because the SDK had no credentials to sign it with.
    fn without(credentials: CredentialsError) -> Failure {
        let error = SdkError::dispatch_failure(ConnectorError::other(credentials.into(), None));
        Err::<(), SdkError<ErrorMetadata, HttpResponse>>(error).call("sts:GetCallerIdentity").unwrap_err()
    }

    #[test]
    fn having_no_credentials_is_not_an_aws_that_does_not_answer() {
        let imds = "failed to load IMDS session token: service error: request forbidden";
        for error in [CredentialsError::not_loaded_no_source(), CredentialsError::provider_error(imds)] {
            let failure = without(error);
            assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Denied, "NoCredentials"), "{failure}");
            assert!(failure.message.contains("there are no AWS credentials"), "{failure}");
        }
        let failure = without(CredentialsError::invalid_configuration("the SSO session has expired"));
        assert_eq!(failure.class, FailureClass::Denied);
        assert!(failure.message.contains("the SSO session has expired"), "{failure}");
    }

    #[test]
    fn credentials_whose_issuer_does_not_answer_leave_the_place_unreachable() {
        for error in [
            CredentialsError::provider_timed_out(std::time::Duration::from_secs(5)),
            CredentialsError::provider_error("error returned by STS: dispatch failure"),
        ] {
            assert_eq!(without(error).class, FailureClass::Unreachable);
        }
    }
}
