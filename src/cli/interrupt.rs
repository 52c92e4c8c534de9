//! Ctrl-C, and the TERM with which a pipeline cancels a job.
//!
//! Where nothing is changed, the first one ends drctl. During a run it starts nothing more, finishes what
//! it has begun and writes that down; only a second one ends it at once, and the next run continues from
//! what is live. Whatever ends while no step is under way gives its lock back.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

use super::exit::Exit;
use crate::render::say;
use crate::state::Lease;

/// Nothing was changed so far.
const READING: u8 = 0;
/// Steps are under way.
const RUNNING: u8 = 1;
/// The steps under way are the last ones.
const STOPPING: u8 = 2;
/// Something was changed, and nothing is under way that could be cut in half.
const CHANGED: u8 = 3;
/// An interrupt ends drctl, and nothing else does any more.
const ENDING: u8 = 4;

/// Signals are for the whole process, and so is what they mean.
static PHASE: Phase = Phase(AtomicU8::new(READING));

struct Phase(AtomicU8);

impl Phase {
    /// Begins another phase, unless drctl ends.
    fn begin(&self, phase: u8) {
        // It ends: that is no failure.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| (now != ENDING).then_some(phase));
    }

    fn is(&self, phase: u8) -> bool {
        self.0.load(Ordering::Relaxed) == phase
    }

    /// What an interrupt meets. During a run it lets steps end; otherwise drctl does.
    fn interrupted(&self) -> u8 {
        let next = |now| Some(if now == RUNNING { STOPPING } else { ENDING });
        let (Ok(met) | Err(met)) = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        met
    }
}

/// The lock that is held, or being taken. Others would wait for the end of its lease although nothing is done under it.
static LEASE: Mutex<Option<Lease>> = Mutex::new(None);

/// Whoever interrupts does not wait for longer than this.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(3);

/// Hears signals until the process ends. Where that is not possible they end it as they always do.
pub(super) async fn listen() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        match PHASE.interrupted() {
            RUNNING => say("stopping: finishing what runs; press Ctrl-C again to stop at once"),
            READING => {
                let left = give_back().await;
                end(Exit::Failed, &interrupted(left.as_ref().and_then(Lease::id)))
            }
            // What the steps do in AWS may go on for a while: nobody else is to begin meanwhile.
            STOPPING => end(Exit::Unfinished, &stopped(lease().as_ref().and_then(Lease::id))),
            _ => {
                let left = give_back().await;
                end(Exit::Unfinished, &stopped(left.as_ref().and_then(Lease::id)))
            }
        }
    }
}

/// What is said of a run that was stopped, and of the lock that it leaves.
fn stopped(lock: Option<&str>) -> String {
    let next = "stopped: run the same command again, it continues from here";
    match lock {
        Some(id) => format!("{next} once the lock {id} ends by itself, within a minute"),
        None => next.to_owned(),
    }
}

/// What is said where nothing was changed, and of the lock that could not be given back.
fn interrupted(lock: Option<&str>) -> String {
    let what = "interrupted: nothing in AWS was changed";
    match lock {
        Some(id) => format!("{what} but the lock {id}, which ends by itself within a minute"),
        None => what.to_owned(),
    }
}

fn end(exit: Exit, why: &str) -> ! {
    say(why);
    std::process::exit(exit.code().into())
}

/// Never ends if an interrupt ends drctl: then only that says how.
pub(super) async fn left_alone() {
    if PHASE.is(ENDING) {
        std::future::pending::<()>().await;
    }
}

/// Says which lock is held or being taken, or that none is any more.
pub(super) fn holding(lease: Option<Lease>) {
    *LEASE.lock().unwrap_or_else(PoisonError::into_inner) = lease;
}

fn lease() -> Option<Lease> {
    LEASE.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Gives the lock back, or says which one could not be given back in time: it ends by itself.
async fn give_back() -> Option<Lease> {
    let lease = lease()?;
    tokio::time::timeout(GIVEN_BACK_WITHIN, lease.give_back()).await.is_err().then_some(lease)
}

/// From now on an interrupt is no longer harmless: something outside of a run was changed.
pub(super) fn changed() {
    PHASE.begin(CHANGED);
}

/// A run, which a first interrupt lets finish what it has begun.
pub(super) struct Run;

impl Run {
    pub(super) fn begin() -> Self {
        PHASE.begin(RUNNING);
        Self
    }

    /// Whether to start nothing more.
    pub(super) fn is_stopping(&self) -> bool {
        !PHASE.is(RUNNING)
    }

    /// Ends the run, which has changed something or nothing.
    pub(super) fn end(self, something: bool) {
        PHASE.begin(if something { CHANGED } else { READING });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_lets_a_run_finish_its_steps_and_the_next_one_does_not() {
        let phase = Phase(AtomicU8::new(READING));
        phase.begin(RUNNING);
        assert_eq!(phase.interrupted(), RUNNING);
        assert!(!phase.is(RUNNING), "nothing more is started");
        assert_eq!(phase.interrupted(), STOPPING);
    }

    #[test]
    fn once_an_interrupt_ends_drctl_no_run_begins_any_more() {
        for before in [READING, CHANGED] {
            let phase = Phase(AtomicU8::new(before));
            assert_eq!(phase.interrupted(), before);
            phase.begin(RUNNING);
            assert!(phase.is(ENDING));
        }
    }

    #[test]
    fn who_leaves_a_lock_says_which_and_for_how_long() {
        assert_eq!(stopped(None), "stopped: run the same command again, it continues from here");
        assert_eq!(
            stopped(Some("apply-5e1f0c9a")),
            "stopped: run the same command again, it continues from here once the lock apply-5e1f0c9a ends by itself, within a minute"
        );
    }
}
