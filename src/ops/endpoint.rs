//! Requests to a system's own endpoints, as its clients make them.

use std::time::{Duration, Instant};

use miette::Diagnostic;
use thiserror::Error;

#[cfg(feature = "aws")]
use crate::aws::Regional;
#[cfg(feature = "aws")]
use crate::graph::Failure;

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

/// A request to an endpoint.
#[derive(Clone, Debug)]
pub struct Request {
    url: String,
    headers: Vec<(String, String)>,
    /// What is posted, if something is.
    body: Option<String>,
}

impl Request {
    /// Gets a page.
    pub fn get(url: &str) -> Self {
        Self { url: url.to_owned(), headers: Vec::new(), body: None }
    }

    /// Posts a JSON document. An idempotency key makes a repeated payment one payment.
    pub fn post(url: &str, body: String, idempotency_key: Option<String>) -> Self {
        let kind = ("content-type".to_owned(), "application/json".to_owned());
        let key = idempotency_key.map(|key| ("idempotency-key".to_owned(), key));
        Self { url: url.to_owned(), headers: [kind].into_iter().chain(key).collect(), body: Some(body) }
    }

    /// The same, signed by the caller of AWS, for a URL that wants one.
    #[cfg(feature = "aws")]
    pub async fn signed(mut self, by: &Regional) -> Result<Self, Failure> {
        let method = if self.body.is_some() { "POST" } else { "GET" };
        let body = self.body.as_deref().unwrap_or_default();
        let signature = by.signature(method, &self.url, &self.headers, body).await?;
        self.headers.extend(signature);
        Ok(self)
    }

    /// Sends it.
    pub async fn send(self) -> Result<Answer, RequestError> {
        let url = self.url.clone();
        let failed = |reason: String| RequestError { url, reason };
        let sent = tokio::task::spawn_blocking(move || self.ask().map_err(|error| error.to_string()));
        sent.await.map_err(|error| error.to_string()).flatten().map_err(failed)
    }

    fn ask(self) -> Result<Answer, ureq::Error> {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(DEADLINE)).http_status_as_error(false).build().into();
        let begun = Instant::now();
        let mut response = match self.body {
            None => with(agent.get(self.url), &self.headers).call()?,
            Some(body) => with(agent.post(self.url), &self.headers).send(body)?,
        };
        let body = response.body_mut().read_to_string()?;
        Ok(Answer { status: response.status().as_u16(), body, took: begun.elapsed() })
    }
}

fn with<B>(request: ureq::RequestBuilder<B>, headers: &[(String, String)]) -> ureq::RequestBuilder<B> {
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}
