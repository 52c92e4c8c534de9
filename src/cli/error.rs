//! Where the errors of all floors meet and get their exit codes.

use std::collections::BTreeMap;
use std::fmt::Write;

use miette::Diagnostic;
use thiserror::Error;

use super::exit::Exit;
use crate::aws::ConnectError;
use crate::desired::LoadError;
use crate::graph::{Address, Failure, Site};
use crate::iam::Task;
use crate::ops::RequestError;
use crate::package::PackageError;
use crate::render::next_step;
use crate::sandbox::SandboxError;
use crate::saved::SavedPlanError;
use crate::state::StateError;

/// Why a command ended before it was done.
#[derive(Debug, Error, Diagnostic)]
pub(super) enum CliError {
    #[error(transparent)]
    #[diagnostic(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Package(#[from] PackageError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Saved(#[from] SavedPlanError),
    /// AWS could not be read.
    #[error("the live state cannot be read: {0}")]
    Aws(Failure, #[help] String),
    /// Some resources could not be read.
    #[error("{}", unreadable(.0))]
    Unreadable(Vec<(Address, Failure)>, #[help] String),
    /// A place does not answer.
    #[error("{what}")]
    Dark {
        what: String,
        #[help]
        next: String,
    },
    /// drctl will not do it.
    #[error("{what}")]
    Refused {
        what: String,
        #[help]
        next: String,
    },
    /// It did not work, and nothing was changed.
    #[error("{what}")]
    Failed {
        what: String,
        #[help]
        next: String,
    },
    /// Some of it is done.
    #[error("{what}")]
    Unfinished {
        what: String,
        #[help]
        next: String,
    },
    /// The command line asks for something that is not there.
    #[error("{what}")]
    Usage {
        what: String,
        #[help]
        next: String,
    },
    /// The terminal or a file could not be used.
    #[error("{0}")]
    #[diagnostic(help("check that the terminal or file can be read and written"))]
    Io(#[from] std::io::Error),
}

fn unreadable(failures: &[(Address, Failure)]) -> String {
    let mut text = String::from("the plan is incomplete, because not everything could be read");
    for (address, failure) in failures {
        let _ = write!(text, "\n{address}: {failure}");
    }
    text
}

impl CliError {
    pub(super) fn unreadable(failures: Vec<(Address, Failure)>) -> Self {
        Self::Unreadable(failures, String::new()).during(Task::Plan)
    }

    /// The same, with the next step for who was at this task.
    pub(super) fn during(self, task: Task) -> Self {
        match self {
            Self::Aws(failure, _) => {
                let next = next_step(&failure, task);
                Self::Aws(failure, next)
            }
            Self::Unreadable(failures, _) => {
                let next = failures.first().map(|(_, failure)| next_step(failure, task)).unwrap_or_default();
                Self::Unreadable(failures, next)
            }
            other => other,
        }
    }

    /// These places do not answer, which means `what`.
    pub(super) fn dark(places: &BTreeMap<Site, Failure>, what: &str, next: &str) -> Self {
        let each = places.iter().map(|(site, failure)| format!("{site} does not answer ({})", failure.brief()));
        let each: Vec<_> = each.collect();
        Self::Dark { what: format!("{}; {what}", each.join(", ")), next: next.to_owned() }
    }

    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Load(LoadError::NoneNamed(_)) | Self::Usage { .. } => Exit::Usage,
            Self::Load(_) => Exit::InvalidSpec,
            Self::Connect(ConnectError::ForeignEndpoint(_)) | Self::Refused { .. } => Exit::Refused,
            Self::Connect(error) if error.is_unreachable() => Exit::Unreachable,
            Self::Saved(SavedPlanError::Damaged { .. } | SavedPlanError::OtherFormat { .. }) => Exit::Refused,
            Self::Dark { .. } => Exit::Unreachable,
            Self::State(error) if error.is_locked() => Exit::Locked,
            Self::State(error) if error.is_unanswered() => Exit::Unreachable,
            Self::Aws(failure, _) if failure.class.is_unanswered() => Exit::Unreachable,
            Self::Unreadable(failures, _) if failures.iter().any(|(_, failure)| failure.class.is_unanswered()) => {
                Exit::Unreachable
            }
            Self::Unfinished { .. } => Exit::Unfinished,
            _ => Exit::Failed,
        }
    }
}

impl From<Failure> for CliError {
    fn from(failure: Failure) -> Self {
        Self::Aws(failure, String::new()).during(Task::Plan)
    }
}
