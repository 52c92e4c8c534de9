//! One SDK configuration for every service client of a function, and one way to say what failed.

use std::error::Error;
use std::iter;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
pub use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::request_id::RequestId;

use crate::{Environment, Missing};

/// Builds the configuration from what Lambda puts into the environment.
///
/// Nothing is looked up elsewhere (no profile, no metadata service): Lambda ends an execution environment before its
/// credentials expire, so they hold for as long as the process lives. Without `aws-config` a function is smaller and
/// starts faster. `AWS_ENDPOINT_URL` points all clients at an emulator.
pub fn sdk_config(
    environment: &Environment,
    timeouts: TimeoutConfig,
    retries: RetryConfig,
) -> Result<SdkConfig, Missing> {
    let credentials = Credentials::new(
        environment.require("AWS_ACCESS_KEY_ID")?,
        environment.require("AWS_SECRET_ACCESS_KEY")?,
        environment.get("AWS_SESSION_TOKEN").map(str::to_owned),
        None,
        "Lambda",
    );
    let http_client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(environment.require("AWS_REGION")?.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client)
        .timeout_config(timeouts)
        .retry_config(retries);
    config.set_endpoint_url(environment.get("AWS_ENDPOINT_URL").map(str::to_owned));
    Ok(config.build())
}

/// Says what failed: the operation, the code and the request id.
///
/// The message is left out: it can name accounts and roles, and quote what was sent.
pub fn failure<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let request = error.request_id().unwrap_or("without an id");
    match (error.as_service_error(), error.raw_response()) {
        (Some(refused), Some(response)) => match refused.code() {
            Some(code) => format!("{operation} failed: {code} (request {request})"),
            None => format!("{operation} failed: HTTP {} (request {request})", response.status()),
        },
        _ => {
            let causes = iter::successors(Some(error as &(dyn Error + 'static)), |&error| error.source());
            let causes: Vec<String> = causes.map(ToString::to_string).collect();
            format!("{operation} failed: {}", causes.join(": "))
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    use super::*;

    fn refused(code: Option<&str>) -> SdkError<ErrorMetadata, HttpResponse> {
        let mut error = ErrorMetadata::builder().message("user arn:aws:iam::123456789012:role/x may not");
        if let Some(code) = code {
            error = error.code(code);
        }
        let mut response = HttpResponse::new(400.try_into().expect("a status"), SdkBody::empty());
        response.headers_mut().insert("x-amzn-requestid", "7f3c");
        SdkError::service_error(error.build(), response)
    }

    #[test]
    fn a_refusal_is_told_by_code_and_request_and_not_by_its_message() {
        assert_eq!(
            failure("dynamodb:PutItem", &refused(Some("AccessDeniedException"))),
            "dynamodb:PutItem failed: AccessDeniedException (request 7f3c)"
        );
        assert_eq!(failure("dynamodb:PutItem", &refused(None)), "dynamodb:PutItem failed: HTTP 400 (request 7f3c)");
    }

    #[test]
    fn a_connection_that_fails_is_told_with_its_causes() {
        let refused = ConnectorError::io("connection refused".into());
        let error: SdkError<ErrorMetadata, HttpResponse> = SdkError::dispatch_failure(refused);
        assert_eq!(
            failure("dynamodb:PutItem", &error),
            "dynamodb:PutItem failed: dispatch failure: io error: connection refused"
        );
    }

    #[test]
    fn lambda_tells_everything_the_clients_need() {
        let lambda = [
            ("AWS_REGION", "us-west-2"),
            ("AWS_ACCESS_KEY_ID", "a"),
            ("AWS_SECRET_ACCESS_KEY", "b"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
        ];
        let build = |environment| sdk_config(&environment, TimeoutConfig::disabled(), RetryConfig::standard());
        let config = build(Environment::from(lambda)).expect("a complete environment");
        assert_eq!(config.region().map(AsRef::as_ref), Some("us-west-2"));
        assert_eq!(config.endpoint_url(), Some("http://127.0.0.1:4566"));
        assert!(build(Environment::default()).is_err());
    }
}
