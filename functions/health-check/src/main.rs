//! health-check: says whether a payment could be taken in this region now.
//!
//! [`aws`] reads, [`verdict`] judges, [`cache`] keeps a judgement for some seconds. Nothing is ever written.

mod aws;
mod cache;
mod verdict;

use std::process::ExitCode;

use lambda_runtime::{LambdaEvent, service_fn};
use payments::http::{Answer, Request};
use payments::{Environment, Missing, UtcTime, log};
use serde_json::json;

use aws::Region;
use cache::Cache;
use verdict::{Report, Verdict};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let environment = Environment::of_process();
    log::start(&environment, "health_check");
    let check = match HealthCheck::from(&environment) {
        Ok(check) => check,
        Err(missing) => {
            tracing::error!("cannot start: {missing}");
            return ExitCode::FAILURE;
        }
    };
    let handler = service_fn(|event: LambdaEvent<Request>| check.handle(event));
    match lambda_runtime::run(handler).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("the Lambda runtime stopped: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What lives as long as the execution environment.
struct HealthCheck {
    region: Region,
    cache: Cache<Report>,
}

impl HealthCheck {
    fn from(environment: &Environment) -> Result<Self, Missing> {
        let lifetime = cache::lifetime(environment.get(cache::LIFETIME));
        Ok(Self { region: Region::from(environment)?, cache: Cache::new(lifetime) })
    }

    /// Answers `GET` with any path.
    async fn handle(&self, event: LambdaEvent<Request>) -> Result<Answer, lambda_runtime::Error> {
        if event.payload.method != "GET" {
            return Ok(Answer::json(405, &json!({"error": "method_not_allowed"})).with_header("allow", "GET"));
        }
        let report = self.cache.get_or(|| self.report(&event.context.request_id)).await;
        Ok(verdict::answer(&self.region.name, &report))
    }

    /// Reads and judges anew, and writes the one line about it.
    async fn report(&self, request_id: &str) -> Report {
        let report = Report::new(self.region.read().await, UtcTime::now());
        let (region, reasons) = (&*self.region.name, report.reasons.join("; "));
        let (processor, cause) = (report.processor(), report.unknown_because());
        match (report.verdict(), cause) {
            (Verdict::Healthy, None) => {
                tracing::info!(requestId = request_id, region, processor, "healthy");
            }
            (Verdict::Healthy, Some(cause)) => {
                tracing::warn!(requestId = request_id, region, processor, cause, "healthy");
            }
            (Verdict::Unhealthy, cause) => {
                tracing::error!(requestId = request_id, region, processor, cause, reasons, "unhealthy");
            }
        }
        report
    }
}
