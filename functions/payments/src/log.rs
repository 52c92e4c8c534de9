//! Structured logs: one JSON object a line, on stdout, as Lambda's JSON log format wants them.

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

use crate::Environment;

/// Starts logging for the crate `function`. Its level is `AWS_LAMBDA_LOG_LEVEL`, which Lambda sets; libraries only warn.
pub fn start(environment: &Environment, function: &'static str) {
    let level = environment.get("AWS_LAMBDA_LOG_LEVEL").and_then(|level| level.parse().ok()).unwrap_or(Level::INFO);
    let layer = fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
    let targets = Targets::new().with_default(Level::WARN).with_target(function, level);
    tracing_subscriber::registry().with(layer).with(targets).init();
}
