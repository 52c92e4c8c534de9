//! Why a state could not be used.

use std::io;
use std::path::Path;

use miette::Diagnostic;
use thiserror::Error;

use super::Reach;
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
    /// A newer drctl wrote it.
    #[error("{at} has format {version}, and this drctl knows up to {newest}")]
    #[diagnostic(help("use the drctl that wrote it, or a newer one; nothing was changed"))]
    Newer {
        /// The file or object.
        at: String,
        /// Its format.
        version: u64,
        /// The newest format that this drctl knows.
        newest: u32,
    },
    /// It is another system's.
    #[error("the state {at} is another system's: it belongs to {system}, suffix {suffix}")]
    #[diagnostic(help(
        "choose another suffix or another `[state] bucket`: the names of system and suffix, joined by a hyphen, have to be no other system's"
    ))]
    Anothers {
        /// The file or object.
        at: String,
        /// The other system.
        system: String,
        /// Its suffix.
        suffix: String,
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
    /// What there is of the state may be where nobody can look.
    #[error("no bucket that answers has a state of this system, and {bucket} may have one: {why}")]
    #[diagnostic(help(
        "run the same command again once {bucket} answers: a state that was begun without it would not belong to the one there. If that cannot be waited for, leave `[state]` out of the spec meanwhile: drctl finds everything by its tags"
    ))]
    Hidden {
        /// The bucket.
        bucket: String,
        /// Why nobody can look.
        why: String,
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

/// Why a text is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Not written by drctl, or damaged.
    Damaged(String),
    /// Written by a newer drctl, in this format.
    Newer {
        /// Its format.
        version: u64,
        /// The newest format that this drctl knows.
        newest: u32,
    },
    /// It is the state of another system.
    Anothers {
        /// The other system.
        system: String,
        /// Its suffix.
        suffix: String,
    },
}

impl Wrong {
    /// The error about what lies `at` some place; `damaged` makes it of the reason if it is damaged.
    pub(super) fn error(self, at: String, damaged: impl FnOnce(String, String) -> StateError) -> StateError {
        match self {
            Self::Damaged(reason) => damaged(at, reason),
            Self::Newer { version, newest } => StateError::Newer { at, version, newest },
            Self::Anothers { system, suffix } => StateError::Anothers { at, system, suffix },
        }
    }
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
            "run the same command again once it answers; `plan` and `apply` need only the other bucket with `--degraded`".to_owned()
        }
        class if class.is_outage() => {
            "run the same command again in a minute; `plan` and `apply` need only the other bucket with `--degraded`".to_owned()
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
        match self {
            Self::Aws { failure, .. } => failure.class.is_unanswered(),
            Self::Hidden { .. } => true,
            _ => false,
        }
    }

    /// Whether the other bucket is enough: always while this one is not there, and for [`Reach::Any`] also while S3
    /// cannot serve it.
    pub(super) fn is_tolerated(&self, reach: Reach) -> bool {
        match self {
            Self::NoBuckets { .. } => true,
            Self::Aws { failure, .. } => reach == Reach::Any && failure.class.is_outage(),
            _ => false,
        }
    }

    /// Whether somebody else has the state in hand.
    pub fn is_locked(&self) -> bool {
        matches!(self, Self::Locked { .. } | Self::Leased { .. } | Self::LeaseLost { .. } | Self::Overtaken { .. })
    }
}
