//! From credentials to clients.

use std::time::Duration;

use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{AppName, BehaviorVersion, Region as SdkRegion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::future::ProvideCredentials as ProvidedCredentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use futures::stream::{FuturesUnordered, StreamExt};
use miette::Diagnostic;
use thiserror::Error;

use super::call::Call;
use super::clients::{Clients, Regional};
use super::meter::Meter;
use super::reach::Reach;
use crate::graph::{Failure, FailureClass, Region};

/// Which AWS to talk to.
#[derive(Clone, Debug)]
pub enum Target {
    /// The real one, with the caller's credentials.
    Aws,
    /// The sandbox at a loopback address, with credentials that mean nothing elsewhere: those of its root, or of a
    /// user in it that `DRCTL_SANDBOX_ACCESS_KEY_ID` and `DRCTL_SANDBOX_SECRET_ACCESS_KEY` name.
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
    #[diagnostic(help("{}", identity_help(.0)))]
    Identity(Failure),
    /// No region answers.
    #[error("AWS does not answer: {0}")]
    #[diagnostic(help("check the network and https://health.aws.amazon.com, then run the same command again"))]
    Unreachable(Failure),
}

fn identity_help(failure: &Failure) -> &'static str {
    match failure.class {
        FailureClass::Malformed => {
            "run the same command again; if it stays, see what `aws sts get-caller-identity` says"
        }
        _ => "log in (`aws sso login`) or set AWS_PROFILE, and check with `aws sts get-caller-identity`",
    }
}

impl ConnectError {
    /// Whether AWS did not answer at all.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, ConnectError::Unreachable(_))
    }
}

/// Connects to the regions and asks who the caller is. Places that say nothing for `patience` are dark.
///
/// Each region has credentials of its own, and says by itself who the caller is (STS is regional, and
/// `GetCallerIdentity` needs no permission): a region that is down stops neither drctl nor the other one.
pub async fn connect(target: &Target, regions: &[Region], patience: Duration) -> Result<Clients, ConnectError> {
    let limited = !matches!(target, Target::Sandbox { strict: false, .. });
    let places: Vec<_> = regions.iter().map(|region| (region, target)).collect();
    connect_each(&places, limited, patience).await
}

async fn connect_each(
    places: &[(&Region, &Target)],
    limited: bool,
    patience: Duration,
) -> Result<Clients, ConnectError> {
    let reach = Reach::new(patience);
    let meter = Meter::new(limited, reach.clone(), PATIENCE);
    let http = meter.wrap(Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https());
    let mut shared = Vec::new();
    for (region, target) in places {
        shared.push(config(target, &http, region).await?);
    }
    let shared = with_each_others_credentials(&shared, ISSUED_WITHIN);
    let regional: Vec<_> =
        places.iter().zip(&shared).map(|((region, _), config)| Regional::new(config, region)).collect();
    let asked = tokio::time::timeout(patience, identity(&regional)).await;
    let (place, account) = asked.unwrap_or_else(|_| Err(unanswered(patience))).map_err(|failure| {
        if failure.class == FailureClass::Unreachable {
            ConnectError::Unreachable(failure)
        } else {
            ConnectError::Identity(failure)
        }
    })?;
    Ok(Clients::of(account, regional, &shared[place], meter))
}

/// Asks each region who the caller is until one says so. Says which one did.
async fn identity(regions: &[Regional]) -> Result<(usize, String), Failure> {
    let ask = |(place, regional): (usize, &Regional)| {
        let call = regional.sts.get_caller_identity();
        async move { call.send().await.call(IDENTITY).map(|identity| (place, identity)) }
    };
    let unasked = Failure::new(FailureClass::Other, IDENTITY, "no region was asked");
    let asks = regions.iter().enumerate().map(ask);
    let (place, identity) = first_of(asks, HEAD_START, unasked, |_| false).await?;
    let account = identity.account.ok_or_else(|| Failure::malformed(IDENTITY, "no account in the answer"))?;
    Ok((place, account))
}

/// What the first of them comes to that succeeds: each next one is begun as soon as one fails or has taken its time.
/// Else the last failure, or one that is final; without any, `none`.
async fn first_of<T, E>(
    mut works: impl Iterator<Item = impl Future<Output = Result<T, E>>>,
    head_start: Duration,
    none: E,
    is_final: impl Fn(&E) -> bool,
) -> Result<T, E> {
    let mut begun = FuturesUnordered::new();
    let mut last = none;
    loop {
        let more = works.next().map(|work| begun.push(work)).is_some();
        if begun.is_empty() {
            return Err(last);
        }
        tokio::select! {
            Some(done) = begun.next() => match done {
                Err(error) if !is_final(&error) => last = error,
                done => return done,
            },
            () = tokio::time::sleep(head_start), if more => {}
        }
    }
}

const IDENTITY: &str = "sts:GetCallerIdentity";

/// What a region has before the next one is asked too. Few answers take longer.
const HEAD_START: Duration = Duration::from_secs(1);

fn unanswered(patience: Duration) -> Failure {
    let message = format!("no region has answered within {} s", patience.as_secs_f64());
    Failure::new(FailureClass::Unreachable, IDENTITY, message)
}

/// How long the answer to one request may take.
const PATIENCE: Duration = Duration::from_secs(30);

async fn config(target: &Target, http: &SharedHttpClient, region: &Region) -> Result<SdkConfig, ConnectError> {
    // How long an answer may take is the meter's business, which knows when a request is really sent. The SDK's own
    // time-outs, and its watch over uploads, begin while a request still waits for its turn.
    let timeouts = TimeoutConfig::builder().connect_timeout(Duration::from_secs(3)).build();
    let downloads = StalledStreamProtectionConfig::enabled().upload_enabled(false).build();
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .region(SdkRegion::new(region.as_str().to_owned()))
        .http_client(http.clone())
        .retry_config(RetryConfig::standard().with_max_attempts(8))
        .timeout_config(timeouts)
        .stalled_stream_protection(downloads)
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
            Ok(loader.endpoint_url(endpoint).credentials_provider(sandbox_credentials()).load().await)
        }
    }
}

/// Credentials are good for every region, but services issue them that are regional (STS, for roles): while one does
/// not answer, another region's will do.
fn with_each_others_credentials(configs: &[SdkConfig], head_start: Duration) -> Vec<SdkConfig> {
    let providers: Vec<_> = configs.iter().filter_map(SdkConfig::credentials_provider).collect();
    let first = |place: usize| {
        let mut in_order = providers.clone();
        in_order.rotate_left(place.min(providers.len()));
        SharedCredentialsProvider::new(Issuers { in_order, head_start })
    };
    let with = |(place, config): (usize, &SdkConfig)| config.to_builder().credentials_provider(first(place)).build();
    configs.iter().enumerate().map(with).collect()
}

/// How long the first issuer has before the next one is asked as well.
const ISSUED_WITHIN: Duration = Duration::from_secs(6);

/// Credentials of whoever issues them first.
#[derive(Debug)]
struct Issuers {
    in_order: Vec<SharedCredentialsProvider>,
    head_start: Duration,
}

impl ProvideCredentials for Issuers {
    fn provide_credentials<'a>(&'a self) -> ProvidedCredentials<'a>
    where
        Self: 'a,
    {
        ProvidedCredentials::new(self.issued())
    }
}

impl Issuers {
    async fn issued(&self) -> Result<Credentials, CredentialsError> {
        let asks = self.in_order.iter().map(ProvideCredentials::provide_credentials);
        // What is not there in one region is not there in another.
        let is_final = |error: &CredentialsError| matches!(error, CredentialsError::CredentialsNotLoaded(_));
        first_of(asks, self.head_start, CredentialsError::not_loaded_no_source(), is_final).await
    }
}

/// Never those of the environment or a profile, which are for AWS.
fn sandbox_credentials() -> Credentials {
    let named = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let user = named("DRCTL_SANDBOX_ACCESS_KEY_ID").zip(named("DRCTL_SANDBOX_SECRET_ACCESS_KEY"));
    let (key, secret) = user.unwrap_or_else(|| ("test".into(), "test".into()));
    Credentials::new(key, secret, None, None, "drctl sandbox")
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::aws::Asked;
    use crate::graph::Site;

    const SILENCE: Duration = Duration::from_secs(4);

    const IDENTITY_ANSWER: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
        <GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult>
        </GetCallerIdentityResponse>"#;

    fn sandbox(port: u16) -> Target {
        Target::Sandbox { endpoint: format!("http://127.0.0.1:{port}"), strict: false }
    }

    /// A port on which nobody listens.
    async fn closed() -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        sandbox(listener.local_addr().unwrap().port())
    }

    /// A port that takes every connection and says nothing.
    async fn silent() -> (Target, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        (sandbox(listener.local_addr().unwrap().port()), listener)
    }

    /// An STS that knows the caller; what else is asked on this port gets no answer.
    async fn sts_alone() -> Target {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream));
            }
        });
        sandbox(port)
    }

    async fn answer(mut stream: TcpStream) {
        let mut heard = vec![0; 64 << 10];
        let Ok(length) = stream.read(&mut heard).await else { return };
        if heard[..length].starts_with(b"POST / ") {
            let length = IDENTITY_ANSWER.len();
            let text =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{IDENTITY_ANSWER}");
            let _ = stream.write_all(text.as_bytes()).await; // a caller that is gone hears nothing
        }
    }

    async fn clients(east: &Target, west: &Target) -> Result<Clients, ConnectError> {
        let (east_region, west_region) = regions();
        connect_each(&[(&east_region, east), (&west_region, west)], false, SILENCE).await
    }

    fn regions() -> (Region, Region) {
        (Region::new("us-east-1"), Region::new("us-west-2"))
    }

    async fn look(clients: &Clients, region: &Region) -> Failure {
        let look = clients.regions[region].lambda.get_function().function_name("pay");
        let look = async { look.send().await.call("lambda:GetFunction") };
        clients.at(&Site::Region(region.clone()), Asked::Reading, look).await.expect_err("nobody answers that")
    }

    #[tokio::test]
    async fn a_region_that_refuses_connections_is_dark_and_is_not_asked_again() {
        let (east, west) = regions();
        let clients = clients(&sts_alone().await, &closed().await).await.unwrap();
        assert_eq!(clients.account, "123456789012");
        let failure = look(&clients, &west).await;
        assert_eq!(failure.class, FailureClass::Dark, "{failure}");
        assert!(failure.to_string().contains("failed: Dark: us-west-2 does not answer: "), "{failure}");
        assert!(failure.to_string().contains("refused"), "{failure}");
        assert_eq!(clients.reach.dark().into_keys().collect::<Vec<_>>(), [Site::Region(west.clone())]);

        let calls = clients.meter.total();
        assert_eq!(look(&clients, &west).await.class, FailureClass::Dark);
        assert_eq!(clients.meter.total(), calls, "nothing is sent there any more");
        clients.reach.begin();
        assert_eq!(look(&clients, &west).await.class, FailureClass::Dark);
        assert!(clients.meter.total() > calls, "a new round asks again");
        assert!(!clients.reach.dark().contains_key(&Site::Region(east)));
    }

    #[tokio::test]
    async fn a_region_that_takes_connections_and_says_nothing_is_dark() {
        let (_, west) = regions();
        let (target, _listener) = silent().await;
        let clients = clients(&sts_alone().await, &target).await.unwrap();
        let failure = look(&clients, &west).await;
        assert_eq!(failure.class, FailureClass::Dark, "{failure}");
        assert!(failure.message.contains("no answer within 4 s"), "{failure}");
    }

    #[tokio::test]
    async fn a_primary_that_says_nothing_does_not_keep_the_secondary_from_telling_the_account() {
        let (target, _listener) = silent().await;
        for primary in [target, closed().await] {
            assert_eq!(clients(&primary, &sts_alone().await).await.unwrap().account, "123456789012");
        }
    }

    #[tokio::test]
    async fn a_service_that_fails_alone_makes_no_dark_region() {
        let (east, _) = regions();
        let clients = clients(&sts_alone().await, &closed().await).await.unwrap();
        let failed = async { Err::<(), _>(Failure::new(FailureClass::Unreachable, "lambda:GetFunction", "reset")) };
        clients.reach.sent(&Site::Region(east.clone()), "Lambda GetFunction".into()).failed("reset");
        let failure = clients.at(&Site::Region(east), Asked::Reading, failed).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Unreachable, "STS answers there");
    }

    #[tokio::test]
    async fn where_no_region_answers_there_is_no_connection() {
        let (silent, _listener) = silent().await;
        for target in [closed().await, silent] {
            let error = clients(&target, &target).await.unwrap_err();
            assert!(error.is_unreachable(), "{error}");
        }
    }

    /// Somebody who issues credentials, or says nothing.
    #[derive(Debug)]
    struct Issuer(Option<&'static str>);

    impl ProvideCredentials for Issuer {
        fn provide_credentials<'a>(&'a self) -> ProvidedCredentials<'a>
        where
            Self: 'a,
        {
            let issued = async {
                match self.0 {
                    Some(key) => Ok(Credentials::new(key, "secret", None, None, "test")),
                    None => std::future::pending().await,
                }
            };
            ProvidedCredentials::new(issued)
        }
    }

    #[tokio::test]
    async fn an_issuer_that_says_nothing_is_stood_in_for_by_that_of_the_other_region() {
        let config = |key| {
            let issuer = SharedCredentialsProvider::new(Issuer(key));
            SdkConfig::builder().credentials_provider(issuer).build()
        };
        for (keys, head_start, expected) in [
            ([None, Some("west")], Duration::ZERO, ["west", "west"]),
            ([Some("east"), Some("west")], PATIENCE, ["east", "west"]),
        ] {
            let configs = with_each_others_credentials(&keys.map(config), head_start);
            for (config, expected) in configs.iter().zip(expected) {
                let issued = config.credentials_provider().unwrap().provide_credentials().await.unwrap();
                assert_eq!(issued.access_key_id(), expected);
            }
        }
    }
}
