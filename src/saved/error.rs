//! Why a saved plan could not be used.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::FORMAT_VERSION;

/// Why a saved plan could not be used.
#[derive(Debug, Error, Diagnostic)]
pub enum SavedPlanError {
    /// The file cannot be written.
    #[error("the plan cannot be saved in {}: {reason}", file.display())]
    #[diagnostic(help("name a file that you may write by `--out FILE`"))]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// Code that the plan uploads is not there any more as it was planned with.
    #[error("the plan is not saved in {}: the code of the hash {hash} was removed or rewritten while it was made", file.display())]
    #[diagnostic(help("run the same command again, and nothing else meanwhile that builds the functions"))]
    OtherCode {
        /// The file.
        file: PathBuf,
        /// SHA-256 of the code in base64.
        hash: String,
    },
    /// The file cannot be read.
    #[error("the plan file {} cannot be read: {reason}", file.display())]
    #[diagnostic(help("name the file that `drctl plan --out FILE` wrote"))]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the operating system said.
        reason: String,
    },
    /// Not written by drctl, or damaged.
    #[error("{} is no plan that drctl saved, or is damaged: {reason}", file.display())]
    #[diagnostic(help("make a new plan with `drctl plan --out FILE`"))]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Made by another drctl.
    #[error("drctl {by} has saved the plan in {} in format {version}; this one knows format {FORMAT_VERSION}", file.display())]
    #[diagnostic(help("apply it with the drctl that made it, or make a new plan with `drctl plan --out FILE`"))]
    OtherFormat {
        /// The file.
        file: PathBuf,
        /// Its format.
        version: u64,
        /// The version of the drctl that made it.
        by: String,
    },
}

/// Why some bytes are no plan.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// Not written by drctl, or damaged.
    Damaged(String),
    /// Made by another drctl.
    OtherFormat {
        /// Its format.
        version: u64,
        /// The version of that drctl.
        by: String,
    },
}

impl Unusable {
    /// The same of a file.
    pub(super) fn of(self, file: &Path) -> SavedPlanError {
        let file = file.to_owned();
        match self {
            Unusable::Damaged(reason) => SavedPlanError::Damaged { file, reason },
            Unusable::OtherFormat { version, by } => SavedPlanError::OtherFormat { file, version, by },
        }
    }
}
