//! Requests to a system's own endpoints, as its clients make them.

use std::time::{Duration, Instant};

use miette::Diagnostic;
use thiserror::Error;

/// How long an endpoint may take; a payment's function times out long before.
const DEADLINE: Duration = Duration::from_secs(30);

/// What an endpoint answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// How long it took, connection included.
    pub took: Duration,
}

/// An endpoint that did not answer.
#[derive(Debug, Error, Diagnostic)]
#[error("{url} does not answer: {reason}")]
#[diagnostic(help("check that the URL is reachable from here; `drctl plan` shows whether the function is live"))]
pub struct RequestError {
    url: String,
    reason: String,
}

/// Gets a page.
pub async fn get(url: &str) -> Result<Answer, RequestError> {
    request(url, None).await
}

/// Posts a JSON document. An idempotency key makes a repeated payment one payment.
pub async fn post(url: &str, body: String, idempotency_key: Option<String>) -> Result<Answer, RequestError> {
    request(url, Some((body, idempotency_key))).await
}

async fn request(url: &str, post: Option<(String, Option<String>)>) -> Result<Answer, RequestError> {
    let address = url.to_owned();
    let work = tokio::task::spawn_blocking(move || send(&address, post));
    let failed = |reason: String| RequestError { url: url.to_owned(), reason };
    work.await.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
}

fn send(url: &str, post: Option<(String, Option<String>)>) -> Result<Answer, ureq::Error> {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(DEADLINE)).http_status_as_error(false).build().into();
    let begun = Instant::now();
    let mut response = match post {
        None => agent.get(url).call()?,
        Some((body, key)) => {
            let request = agent.post(url).header("content-type", "application/json");
            let request = key.into_iter().fold(request, |request, key| request.header("idempotency-key", key));
            request.send(body)?
        }
    };
    let body = response.body_mut().read_to_string()?;
    Ok(Answer { status: response.status().as_u16(), body, took: begun.elapsed() })
}
