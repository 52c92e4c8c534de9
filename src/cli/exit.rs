//! Exit codes: stable, and listed in the README.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Done, or nothing to do.
    Done,
    /// Failed, and nothing was changed.
    Failed,
    /// There are changes to make (`plan --detailed-exitcode`), or something changed outside (`drift`).
    ChangesPending,
    /// Something was changed, and it is not finished: run again.
    Unfinished,
    /// The spec is invalid.
    InvalidSpec,
    /// Refused: data would be lost, not ours, wrong account, a saved plan that is stale or no plan, declined,
    /// or nobody to ask.
    Refused,
    /// Another drctl holds the lock.
    Locked,
    /// A place did not answer.
    Unreachable,
    /// The command line is wrong.
    Usage,
}

impl Exit {
    /// The number that the shell sees.
    pub(super) fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::ChangesPending => 2,
            Exit::Unfinished => 3,
            Exit::InvalidSpec => 4,
            Exit::Refused => 5,
            Exit::Locked => 6,
            Exit::Unreachable => 7,
            Exit::Usage => 64,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
