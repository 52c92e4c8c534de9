//! Ctrl-C, and the TERM with which a pipeline cancels a job.
//!
//! Where nothing is changed, the first one ends drctl. During a run it starts nothing more, finishes what
//! it has begun and writes that down; only a second one ends it at once, and the next run continues from
//! what is live.

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

/// Signals are for the whole process, and so is what they mean.
static PHASE: AtomicU8 = AtomicU8::new(READING);

/// The lock that is held. Others would wait for the end of its lease although nothing was changed.
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
        match PHASE.compare_exchange(RUNNING, STOPPING, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => say("stopping: finishing what runs; press Ctrl-C again to stop at once"),
            Err(READING) => {
                give_back().await;
                end(Exit::Failed, "interrupted: nothing in AWS was changed")
            }
            Err(_) => end(Exit::Unfinished, "stopped: run the same command again, it continues from here"),
        }
    }
}

fn end(exit: Exit, why: &str) -> ! {
    say(why);
    std::process::exit(exit.code().into())
}

/// Says which lock is held, or that none is any more.
pub(super) fn holding(lease: Option<Lease>) {
    *LEASE.lock().unwrap_or_else(PoisonError::into_inner) = lease;
}

async fn give_back() {
    let lease = LEASE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(lease) = lease {
        // What cannot be given back in time ends by itself.
        let _ = tokio::time::timeout(GIVEN_BACK_WITHIN, lease.give_back()).await;
    }
}

/// From now on an interrupt is no longer harmless: something outside of a run was changed.
pub(super) fn changed() {
    PHASE.store(CHANGED, Ordering::Relaxed);
}

/// A run, which a first interrupt lets finish what it has begun.
pub(super) struct Run;

impl Run {
    pub(super) fn begin() -> Self {
        PHASE.store(RUNNING, Ordering::Relaxed);
        Self
    }

    /// Whether to start nothing more.
    pub(super) fn is_stopping(&self) -> bool {
        PHASE.load(Ordering::Relaxed) == STOPPING
    }

    /// Ends the run, which has changed something or nothing.
    pub(super) fn end(self, something: bool) {
        PHASE.store(if something { CHANGED } else { READING }, Ordering::Relaxed);
    }
}
