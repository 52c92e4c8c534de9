//! Waiting for what AWS does in its own time.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::graph::{Failure, FailureClass};

/// What is waited for, and for how long.
pub struct Wait<'a> {
    /// The call that looks, as IAM writes it.
    pub operation: &'static str,
    /// The state that ends the wait, for people: `function Active`.
    pub until: &'a str,
    /// After this long the wait fails.
    pub deadline: Duration,
}

/// What a look came to.
pub enum Look<T> {
    /// The wait is over.
    Ready(T),
    /// Not yet; the state as AWS calls it.
    NotYet(String),
}

impl<T> Look<T> {
    /// Not yet, in this state.
    pub fn not_yet(state: impl fmt::Display) -> Self {
        Look::NotYet(state.to_string())
    }
}

/// Looks until it is ready, with pauses growing from 0.2 to 5 seconds. Passing failures of
/// `look` are its own business; any that it returns ends the wait.
pub async fn poll<T, F>(
    wait: Wait<'_>,
    progress: &(dyn Fn(String) + Sync),
    mut look: impl FnMut() -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<Look<T>, Failure>>,
{
    let end = Instant::now() + wait.deadline;
    let mut pause = Duration::from_millis(200);
    loop {
        let state = match look().await? {
            Look::Ready(value) => return Ok(value),
            Look::NotYet(state) => state,
        };
        if Instant::now() + pause > end {
            let message = format!("waited {} s for {}, and it is still {state}", wait.deadline.as_secs(), wait.until);
            return Err(Failure::new(FailureClass::Deadline, wait.operation, message));
        }
        progress(format!("waiting for {} (now {state})", wait.until));
        sleep(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_secs(5));
    }
}
