//! Why a state could not be used.

use std::io;
use std::path::Path;

use miette::Diagnostic;
use thiserror::Error;

use crate::graph::{Failure, FailureClass};

/// Why the state could not be used.
#[derive(Clone, Debug, Error, Diagnostic)]
pub enum StateError {
    /// The operating system refused.
    #[error("the state file {at} cannot be used: {reason}")]
    #[diagnostic(help(
        "make the folder readable and writable for you; nothing was lost, and the same command continues"
    ))]
    Io {
        /// The file or its folder.
        at: String,
        /// What the operating system said.
        reason: String,
    },
    /// Not written by drctl, or damaged.
    #[error("the state {at} is not a drctl state: {reason}")]
    #[diagnostic(help(
        "run `drctl state rebuild`, or move the file away and run the same command again: the state is only an index, and drctl finds its resources again by their tags"
    ))]
    Damaged {
        /// The file.
        at: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An override that drctl cannot read. It may be what keeps traffic where an operator put it.
    #[error("the override {at} cannot be read: {reason}")]
    #[diagnostic(help(
        "look into the file for what it holds; then move it away, and repeat the failover or shift of traffic that it records if that is to stay"
    ))]
    DamagedOverride {
        /// The file.
        at: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Another drctl is at work on the same system.
    #[error("another drctl is at work on this system (it holds {at}{})", holder.as_deref().map(|who| format!(", {who}")).unwrap_or_default())]
    #[diagnostic(help("wait until it is done and run the same command again"))]
    Locked {
        /// The lock.
        at: String,
        /// Who holds it, as the holder wrote it down.
        holder: Option<String>,
    },
    /// Another drctl is at work on the same system, on whatever machine.
    #[error("another drctl is at work on this system: {holder}")]
    #[diagnostic(help("wait until it is done and run the same command again; if it has died, {unlock}"))]
    Leased {
        /// Who holds the lock.
        holder: String,
        /// How to go on without waiting.
        unlock: String,
    },
    /// The lock is gone that was held.
    #[error("the lock {id} was lost: {why}; drctl stopped when it noticed")]
    #[diagnostic(help("run the same command again, it continues from here"))]
    LeaseLost {
        /// What happened to it.
        why: String,
        /// The lock.
        id: String,
    },
    /// There is no such lock.
    #[error("there is no lock {id}{}", listed(others))]
    #[diagnostic(help("`drctl state show` says who holds the lock, and by which id"))]
    NotLocked {
        /// What was asked for.
        id: String,
        /// The locks that there are.
        others: Vec<String>,
    },
    /// Somebody wrote the state although it was locked.
    #[error("somebody else has written the state in {at} meanwhile")]
    #[diagnostic(help("find out with `drctl state show` who it is; then run the same command again"))]
    Overtaken {
        /// The bucket.
        at: String,
    },
    /// The state is to be in S3, and there are no buckets for it.
    #[error("there is no state bucket {}", names.join(" and no "))]
    #[diagnostic(help("run `drctl state init`, which makes the buckets that `[state]` names"))]
    NoBuckets {
        /// What they would be called.
        names: Vec<String>,
    },
    /// One bucket's copy is not the state that it should be.
    #[error("the state {at} is not a drctl state: {reason}")]
    #[diagnostic(help(
        "run `drctl state rebuild`: it writes the state anew from what is live; what was there stays as an older version"
    ))]
    DamagedCopy {
        /// The object.
        at: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The copies in the two buckets are not of one state.
    #[error("the two copies of the state do not belong together: {why}")]
    #[diagnostic(help("run `drctl state rebuild`: it writes both anew from what is live"))]
    Diverged {
        /// How they differ.
        why: String,
    },
    /// S3 refused, or did not answer.
    #[error("the state in {bucket} cannot be used: {failure}")]
    #[diagnostic(help("{}", way_on(failure)))]
    Aws {
        /// The bucket.
        bucket: String,
        /// What S3 said.
        failure: Box<Failure>,
    },
}

fn listed(others: &[String]) -> String {
    others.iter().map(|other| format!("; there is {other}")).collect()
}

fn way_on(failure: &Failure) -> String {
    match failure.class {
        FailureClass::Denied => format!(
            "let the caller do `{}` there, and check that the bucket is this account's: `drctl state check`",
            failure.operation
        ),
        class if class.is_unanswered() => {
            "run the same command again once it answers; with `--degraded` the other bucket is enough".to_owned()
        }
        _ => "put right what the message says, then run the same command again".to_owned(),
    }
}

impl StateError {
    /// The operating system refused something about the file or folder at `path`.
    pub(super) fn io(path: &Path, error: &io::Error) -> Self {
        Self::Io { at: path.display().to_string(), reason: error.to_string() }
    }

    /// Somebody else holds the lock file at `path`, which tells who.
    pub(super) fn locked(path: &Path) -> Self {
        let said = fs_err::read_to_string(path).ok();
        let holder = said.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Self::Locked { at: path.display().to_string(), holder }
    }

    /// S3 said this of a state bucket.
    pub(super) fn aws(bucket: &str, failure: &Failure) -> Self {
        Self::Aws { bucket: bucket.to_owned(), failure: Box::new(failure.clone()) }
    }

    /// There are no such buckets.
    pub(super) fn no_buckets<'a>(names: impl IntoIterator<Item = &'a String>) -> Self {
        Self::NoBuckets { names: names.into_iter().cloned().collect() }
    }

    /// Whether a place did not answer.
    pub fn is_unanswered(&self) -> bool {
        matches!(self, Self::Aws { failure, .. } if failure.class.is_unanswered())
    }

    /// Whether somebody else has the state in hand.
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::Leased { .. } | Self::LeaseLost { .. } | Self::Overtaken { .. })
    }
}
