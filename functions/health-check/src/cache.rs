//! Keeps a value for a bounded time, so that any number of probes costs few calls.

use std::time::{Duration, SystemTime};

use tokio::sync::Mutex;

/// The variable that shortens the lifetime, in milliseconds. The sandbox sets it, whose clocks run faster.
pub(crate) const LIFETIME: &str = "DRCTL_HEALTH_CACHE_MS";

/// Probes come every 10 s from each of Route 53's checkers at most; a longer memory would delay a failover.
const LONGEST: Duration = Duration::from_secs(10);

/// The lifetime that the variable asks for, at most [`LONGEST`], which is also the default.
pub(crate) fn lifetime(asked: Option<&str>) -> Duration {
    match asked.map(str::parse::<u64>) {
        None => LONGEST,
        Some(Ok(millis)) => LONGEST.min(Duration::from_millis(millis)),
        Some(Err(_)) => {
            tracing::warn!("{LIFETIME} is not a number of milliseconds; readings are kept for {LONGEST:?}");
            LONGEST
        }
    }
}

/// One value and the time it was made.
///
/// The time is that of the wall clock: Lambda freezes a process between requests, and a clock that freezes with it
/// would keep a value for ever.
pub(crate) struct Cache<T> {
    lifetime: Duration,
    kept: Mutex<Option<(SystemTime, T)>>,
}

impl<T: Clone> Cache<T> {
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self { lifetime, kept: Mutex::new(None) }
    }

    /// The kept value if it is young enough, else a new one. Whoever asks meanwhile waits for the same new one.
    pub(crate) async fn get_or(&self, make: impl AsyncFnOnce() -> T) -> T {
        let mut kept = self.kept.lock().await;
        match &*kept {
            Some((at, value)) if self.is_young(*at) => value.clone(),
            _ => {
                let value = make().await;
                *kept = Some((SystemTime::now(), value.clone()));
                value
            }
        }
    }

    /// A time in the future, after the clock was set back, is not young.
    fn is_young(&self, at: SystemTime) -> bool {
        at.elapsed().is_ok_and(|age| age < self.lifetime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_can_be_shortened_and_never_lengthened() {
        assert_eq!(lifetime(None), Duration::from_secs(10));
        assert_eq!(lifetime(Some("1000")), Duration::from_secs(1));
        assert_eq!(lifetime(Some("60000")), Duration::from_secs(10));
        assert_eq!(lifetime(Some("soon")), Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_young_value_is_kept_and_an_old_one_made_again() {
        let long = Cache::new(Duration::from_secs(600));
        assert_eq!((long.get_or(async || 1).await, long.get_or(async || 2).await), (1, 1));
        let none = Cache::new(Duration::ZERO);
        assert_eq!((none.get_or(async || 1).await, none.get_or(async || 2).await), (1, 2));
    }
}
