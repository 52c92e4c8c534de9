//! Retrying what AWS refuses only for now.
//!
//! The SDK retries throttling and server errors by itself. It does not know that
//! a new role becomes assumable in some seconds, or that a function still being
//! updated will take the next update soon: AWS says so in the message only.

use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};

use crate::graph::Failure;

/// A failure that passes: its code, and a part of its message where the code alone is ambiguous.
pub type Transient = (&'static str, &'static str);

/// Calls again, with growing pauses of 0.3 to 5 seconds, while the failure is one of `transient`.
pub async fn retry<T, F>(deadline: Duration, transient: &[Transient], call: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let pauses = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(300))
        .with_max_delay(Duration::from_secs(5))
        .with_jitter()
        .without_max_times()
        .with_total_delay(Some(deadline));
    call.retry(pauses).when(|failure| transient.iter().any(|(code, part)| failure.says(code, part))).await
}
