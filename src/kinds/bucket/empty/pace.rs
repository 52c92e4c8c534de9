//! How many calls delete at once.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::{Semaphore, SemaphorePermit};

/// `DeleteObjects` at once. One listing yields about three pages a second, and S3 deletes 3,500
/// entries a second under one prefix, so more would only be told to slow down.
pub(super) const WORKERS: u32 = 4;

/// Lets all workers ask at once, half as many each time that S3 says to slow down, and twice as many
/// each time that it does not, down to one and up to all.
pub(super) struct Pace {
    turns: Semaphore,
    /// How many turns a call takes.
    weight: AtomicU32,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { turns: Semaphore::new(WORKERS as usize), weight: AtomicU32::new(1) }
    }

    /// Waits until the pace allows one more call; it counts until the permit is dropped.
    pub(super) async fn turn(&self) -> SemaphorePermit<'_> {
        let weight = self.weight.load(Ordering::Relaxed);
        self.turns.acquire_many(weight).await.expect("nobody closes it")
    }

    /// Takes note of what a call was told.
    pub(super) fn told(&self, slow_down: bool) {
        let changed = |weight: u32| Some(if slow_down { (weight * 2).min(WORKERS) } else { (weight / 2).max(1) });
        // It never refuses a change.
        let _ = self.weight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, changed);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    /// How many calls get a turn while none of them ends.
    fn at_once(pace: &Pace) -> usize {
        let turns: Vec<_> = std::iter::from_fn(|| pace.turn().now_or_never()).collect();
        turns.len()
    }

    #[test]
    fn told_to_slow_down_half_as_many_ask_and_then_all_again() {
        let pace = Pace::new();
        assert_eq!(at_once(&pace), 4);
        let mut seen = Vec::new();
        for slow_down in [true, true, true, false, false, false] {
            pace.told(slow_down);
            seen.push(at_once(&pace));
        }
        assert_eq!(seen, [2, 1, 1, 2, 4, 4]);
    }
}
