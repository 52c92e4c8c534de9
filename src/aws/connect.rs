//! From credentials to clients.

use std::time::Duration;

use aws_config::{AppName, BehaviorVersion, Region as SdkRegion, SdkConfig};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use miette::Diagnostic;
use thiserror::Error;

use super::call::Call;
use super::clients::{Clients, sts};
use super::meter::Meter;
use crate::graph::{Failure, FailureClass, Region};

/// Which AWS to talk to.
#[derive(Clone, Debug)]
pub enum Target {
    /// The real one, with the caller's credentials.
    Aws,
    /// The sandbox at a loopback address, with credentials that mean nothing elsewhere.
    Sandbox {
        /// `http://127.0.0.1:PORT`
        endpoint: String,
        /// Whether it is as strict as AWS; then drctl keeps AWS's rate limits there too.
        strict: bool,
    },
}

/// Why there is no connection.
#[derive(Debug, Error, Diagnostic)]
pub enum ConnectError {
    /// The environment would send real credentials somewhere else, or sandbox work to AWS.
    #[error("AWS_ENDPOINT_URL is set to {0}, so this would not talk to AWS")]
    #[diagnostic(help(
        "run `unset AWS_ENDPOINT_URL` to work on AWS, or add `--sandbox` to work on drctl's own sandbox"
    ))]
    ForeignEndpoint(String),
    /// The sandbox is not where it must be.
    #[error("the sandbox endpoint {0} is not on this machine")]
    #[diagnostic(help("this is a mistake in drctl; please report it"))]
    NotLoopback(String),
    /// STS did not say who the caller is.
    #[error("AWS does not say which account this is: {0}")]
    #[diagnostic(help("log in (`aws sso login`) or set AWS_PROFILE, and check with `aws sts get-caller-identity`"))]
    Identity(Failure),
}

impl ConnectError {
    /// Whether AWS did not answer at all.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, ConnectError::Identity(failure) if failure.class == FailureClass::Unreachable)
    }
}

/// Connects to both regions and asks who the caller is.
///
/// The answer comes from the first region that gives one, so that a region that is down
/// does not stop drctl (STS is regional; `GetCallerIdentity` needs no permission).
pub async fn connect(target: &Target, regions: &[Region]) -> Result<Clients, ConnectError> {
    let meter = Meter::new(match target {
        Target::Aws => true,
        Target::Sandbox { strict, .. } => *strict,
    });
    let shared = config(target, &meter, &regions[0]).await?;
    let mut answer = Err(Failure::new(FailureClass::Other, "sts:GetCallerIdentity", "no region was asked"));
    for region in regions {
        let config = shared.to_builder().region(SdkRegion::new(region.as_str().to_owned())).build();
        answer = sts(&config).get_caller_identity().send().await.call("sts:GetCallerIdentity");
        if answer.is_ok() {
            break;
        }
    }
    let account = answer.and_then(|identity| {
        identity.account.ok_or_else(|| Failure::malformed("sts:GetCallerIdentity", "no account in the answer"))
    });
    Ok(Clients::of(account.map_err(ConnectError::Identity)?, &shared, regions, meter))
}

async fn config(target: &Target, meter: &Meter, home: &Region) -> Result<SdkConfig, ConnectError> {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(30))
        .operation_timeout(Duration::from_secs(120))
        .build();
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(SdkRegion::new(home.as_str().to_owned()))
        .http_client(meter.wrap(http))
        .retry_config(RetryConfig::standard().with_max_attempts(8))
        .timeout_config(timeouts)
        .app_name(AppName::new("drctl").expect("drctl is a legal name"));
    match target {
        Target::Aws => match std::env::var("AWS_ENDPOINT_URL") {
            Ok(endpoint) if !endpoint.is_empty() => Err(ConnectError::ForeignEndpoint(endpoint)),
            _ => Ok(loader.load().await),
        },
        Target::Sandbox { endpoint, .. } if !endpoint.starts_with("http://127.0.0.1:") => {
            Err(ConnectError::NotLoopback(endpoint.clone()))
        }
        Target::Sandbox { endpoint, .. } => {
            let nobody = aws_credential_types::Credentials::new("test", "test", None, None, "drctl sandbox");
            Ok(loader.endpoint_url(endpoint).credentials_provider(nobody).load().await)
        }
    }
}
