//! Every request passes here: counted, logged, held to AWS's rate limits, and kept from places that do not answer.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, Metadata};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::time::timeout;

use super::reach::Reach;
use crate::graph::Site;

/// A service's operation in one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Request {
    /// Where it goes.
    pub(super) site: Site,
    /// As the SDK names it: `DynamoDB`, `Route 53`.
    pub(super) service: String,
    /// As the API names it: `DescribeTable`.
    pub(super) operation: String,
}

/// Counts requests, and holds them to the account's rate limits.
#[derive(Clone, Debug)]
pub struct Meter {
    inner: Arc<Inner>,
}

struct Inner {
    counts: Mutex<BTreeMap<Request, usize>>,
    limiters: Mutex<BTreeMap<(Site, &'static str), Arc<DefaultDirectRateLimiter>>>,
    limited: bool,
    reach: Reach,
    patience: Duration,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter").field("limited", &self.limited).finish_non_exhaustive()
    }
}

impl Meter {
    /// A meter that only counts, or one that also keeps AWS's rate limits. A request that has no answer after
    /// `patience` has failed; the time in which it waited for its turn is not counted.
    pub fn new(limited: bool, reach: Reach, patience: Duration) -> Self {
        let (counts, limiters) = (Mutex::default(), Mutex::default());
        Self { inner: Arc::new(Inner { counts, limiters, limited, reach, patience }) }
    }

    /// How many requests were sent, retries included.
    pub fn total(&self) -> usize {
        self.inner.counts.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    /// Which places answer.
    pub(super) fn reach(&self) -> &Reach {
        &self.inner.reach
    }

    /// The client that all services share, metered.
    pub(super) fn wrap(&self, client: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(Metered { client, meter: self.clone() })
    }

    fn count(&self, request: &Request) {
        let mut counts = self.inner.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(request.clone()).or_default() += 1;
    }

    async fn admit(&self, request: &Request) {
        let Some(limit) = self.inner.limited.then(|| limit(&request.service, &request.operation)).flatten() else {
            return;
        };
        let limiter = {
            let mut limiters = self.inner.limiters.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = || Arc::new(RateLimiter::direct(Quota::per_second(limit.per_second).allow_burst(limit.burst)));
            limiters.entry((request.site.clone(), limit.bucket)).or_insert_with(fresh).clone()
        };
        limiter.until_ready().await;
    }
}

/// What comes from a gateway, and not from the service behind it.
pub(super) const GATEWAY: [u16; 3] = [502, 503, 504];

fn unanswered(patience: Duration) -> ConnectorError {
    ConnectorError::timeout(format!("no answer within {} s", patience.as_secs_f64()).into())
}

/// The cause at the end of a chain of them, which is what says something.
fn innermost(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), innermost)
}

struct Limit {
    bucket: &'static str,
    per_second: NonZeroU32,
    burst: NonZeroU32,
}

/// Default limits per account and region, from AWS's documentation of quotas; IAM publishes
/// none, and 10 a second is what larger tools settled on.
fn limit(service: &str, operation: &str) -> Option<Limit> {
    let (bucket, per_second, burst) = match (service, operation) {
        ("Lambda", "GetFunction") => ("lambda:GetFunction", 100, 100),
        ("Lambda", "GetPolicy") => ("lambda:GetPolicy", 15, 15),
        ("Lambda", _) => ("lambda", 15, 15),
        ("CloudWatch Logs", "DescribeLogGroups") => ("logs:DescribeLogGroups", 10, 10),
        ("DynamoDB", "DescribeContinuousBackups") => ("dynamodb:DescribeContinuousBackups", 10, 10),
        ("DynamoDB", "TagResource" | "UntagResource") => ("dynamodb:TagResource", 5, 5),
        ("DynamoDB", "DescribeTimeToLive") => ("dynamodb:DescribeTimeToLive", 1, 4),
        ("CloudWatch", "DescribeAlarms") => ("cloudwatch:DescribeAlarms", 9, 9),
        ("CloudWatch", "PutMetricAlarm") => ("cloudwatch:PutMetricAlarm", 3, 3),
        ("Secrets Manager", operation) if !operation.starts_with("Describe") => ("secretsmanager", 50, 50),
        ("SNS", "TagResource" | "UntagResource" | "ListTagsForResource") => ("sns:TagResource", 10, 10),
        ("SNS", "ListSubscriptionsByTopic") => ("sns:ListSubscriptionsByTopic", 30, 30),
        ("Route 53", "CreateHealthCheck") => ("route53:CreateHealthCheck", 1, 50),
        ("Route 53", "GetHealthCheckStatus" | "GetHealthCheckLastFailureReason") => {
            ("route53:GetHealthCheckStatus", 1, 4)
        }
        ("Route 53", _) => ("route53", 10, 50),
        ("IAM", _) => ("iam", 10, 20),
        _ => return None,
    };
    Some(Limit { bucket, per_second: NonZeroU32::new(per_second)?, burst: NonZeroU32::new(burst)? })
}

/// Writes place, service and operation on each request, where the connector can read them.
#[derive(Debug)]
pub(super) struct Label {
    /// The region, or the global service.
    pub(super) site: Site,
}

#[dyn_dispatch_hint]
impl Intercept for Label {
    fn name(&self) -> &'static str {
        "drctl label"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(metadata) = config.load::<Metadata>() {
            let request = Request {
                site: self.site.clone(),
                service: metadata.service().to_owned(),
                operation: metadata.name().to_owned(),
            };
            context.request_mut().add_extension(request);
        }
        Ok(())
    }
}

/// Says of each request that it is apart from the others: where they get no answer it is sent all the same, and
/// whether it gets one says nothing of the place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Apart;

#[dyn_dispatch_hint]
impl Intercept for Apart {
    fn name(&self) -> &'static str {
        "drctl apart"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        context.request_mut().add_extension(*self);
        Ok(())
    }
}

#[derive(Debug)]
struct Metered {
    client: SharedHttpClient,
    meter: Meter,
}

impl HttpClient for Metered {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let inner = self.client.http_connector(settings, components);
        SharedHttpConnector::new(MeteredConnector { inner, meter: self.meter.clone() })
    }
}

#[derive(Debug)]
struct MeteredConnector {
    inner: SharedHttpConnector,
    meter: Meter,
}

impl HttpConnector for MeteredConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, meter) = (self.inner.clone(), self.meter.clone());
        HttpConnectorFuture::new(async move {
            let Some(label) = request.extension::<Request>().cloned() else { return inner.call(request).await };
            meter.admit(&label).await;
            let reach = request.extension::<Apart>().is_none().then_some(&meter.inner.reach);
            let operation = format!("{} {}", label.service, label.operation);
            if let Some(failure) = reach.and_then(|reach| reach.refusal(&label.site, &operation)) {
                // Of no kind that the SDK would try again.
                return Err(ConnectorError::other(failure.into(), None));
            }
            meter.count(&label);
            let begun = Instant::now();
            let underway = reach.map(|reach| reach.sent(&label.site, operation));
            let answer = match timeout(meter.inner.patience, inner.call(request)).await {
                Ok(answer) => answer,
                Err(_) => Err(unanswered(meter.inner.patience)),
            };
            match (underway, &answer) {
                (None, _) => {}
                (Some(underway), Ok(response)) if GATEWAY.contains(&response.status().as_u16()) => {
                    underway.failed(&format!("HTTP {}", response.status().as_u16()));
                }
                (Some(underway), Ok(_)) => underway.answered(),
                (Some(underway), Err(error)) => underway.failed(&innermost(error)),
            }
            let status =
                answer.as_ref().map_or_else(|_| "no answer".to_owned(), |response| response.status().to_string());
            let Request { site, service, operation } = &label;
            tracing::debug!(target: "drctl::aws", "{site} {service}:{operation} {status} in {} ms", begun.elapsed().as_millis());
            answer
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::http::{Response, StatusCode};
    use aws_smithy_types::body::SdkBody;

    use super::*;

    /// Answers at once.
    #[derive(Debug)]
    struct Prompt;

    impl HttpConnector for Prompt {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::ready(Ok(Response::new(StatusCode::try_from(200).unwrap(), SdkBody::empty())))
        }
    }

    /// Says nothing.
    #[derive(Debug)]
    struct Silent;

    impl HttpConnector for Silent {
        fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
            HttpConnectorFuture::new(std::future::pending())
        }
    }

    /// Sends a request that is held to 3 a second, with no patience at all.
    async fn send(meter: &Meter, connector: impl HttpConnector + 'static) -> Result<(), ConnectorError> {
        pass(meter, connector, request()).await
    }

    fn request() -> HttpRequest {
        let mut request = HttpRequest::empty();
        request.add_extension(Request {
            site: Site::Iam,
            service: "CloudWatch".into(),
            operation: "PutMetricAlarm".into(),
        });
        request
    }

    async fn pass(
        meter: &Meter,
        connector: impl HttpConnector + 'static,
        request: HttpRequest,
    ) -> Result<(), ConnectorError> {
        let metered = MeteredConnector { inner: SharedHttpConnector::new(connector), meter: meter.clone() };
        metered.call(request).await.map(|_| ())
    }

    fn meter() -> Meter {
        Meter::new(true, Reach::new(Duration::from_secs(3_600)), Duration::ZERO)
    }

    #[tokio::test]
    async fn waiting_for_its_turn_costs_a_request_no_patience() {
        let meter = meter();
        for _ in 0..5 {
            send(&meter, Prompt).await.unwrap();
        }
        assert_eq!(meter.total(), 5);
    }

    #[tokio::test]
    async fn a_request_without_an_answer_ends() {
        let error = send(&meter(), Silent).await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        assert_eq!(innermost(&error), "no answer within 0 s");
    }

    #[tokio::test]
    async fn what_goes_on_apart_from_the_run_neither_makes_a_place_dark_nor_is_kept_from_one() {
        let meter = Meter::new(false, Reach::new(Duration::ZERO), Duration::ZERO);
        let apart = || {
            let mut request = request();
            request.add_extension(Apart);
            request
        };
        pass(&meter, Silent, apart()).await.unwrap_err();
        assert!(meter.reach().dark().is_empty());
        send(&meter, Silent).await.unwrap_err();
        assert!(meter.reach().dark().contains_key(&Site::Iam));
        let kept_back = send(&meter, Prompt).await.unwrap_err();
        assert!(innermost(&kept_back).contains("does not answer"), "{kept_back:?}");
        pass(&meter, Prompt, apart()).await.unwrap();
        assert_eq!(meter.total(), 3);
    }
}
