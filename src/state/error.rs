//! Why a state could not be used.

use std::io;
use std::path::Path;

use miette::Diagnostic;
use thiserror::Error;

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
        "move the file away and run the same command again: the state is only an index, and drctl finds its resources again by their tags"
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
}
