//! What happens during a run, told as it happens.

use std::time::Duration;

use crate::graph::{Address, Failure};
use crate::plan::Action;

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A step began.
    Started {
        /// Which resource.
        address: Address,
        /// What is being done to it.
        action: Action,
    },
    /// A step waits for something.
    Waiting {
        /// Which resource.
        address: Address,
        /// What it waits for.
        what: String,
    },
    /// A step is done.
    Finished {
        /// Which resource.
        address: Address,
        /// What was done to it.
        action: Action,
        /// How long it took.
        took: Duration,
    },
    /// A step failed.
    Failed {
        /// Which resource.
        address: Address,
        /// What was being done to it.
        action: Action,
        /// How long it took to fail.
        took: Duration,
        /// What AWS said.
        failure: Failure,
    },
    /// A step was left out.
    Skipped {
        /// Which resource.
        address: Address,
        /// The failed step that it depends on; `None` when the run was interrupted.
        because_of: Option<Address>,
    },
    /// Everything that was touched is read again.
    Rereading {
        /// How many resources.
        count: usize,
    },
    /// Something made waits for a person.
    Outstanding {
        /// Which resource.
        address: Address,
        /// What the person has to do.
        what: String,
    },
}
