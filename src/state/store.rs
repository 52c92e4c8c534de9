//! Where the state of one system is kept: the index, its lock, and the overrides beside it.

use super::overrides::is_id;
use super::{Folder, Known, Override, State, StateError};

/// Where the state of one system is kept.
#[derive(Clone, Debug)]
pub enum Store {
    /// In files on this machine.
    Folder(Folder),
}

/// How much of a store has to answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Every copy, so that two machines can never both hold the lock.
    #[default]
    Every,
    /// Any copy (`--degraded`): a region is lost, and work has to go on.
    Any,
}

impl Store {
    /// Reads the state without locking it: for commands that change nothing.
    pub async fn read(&self) -> Result<Known, StateError> {
        match self {
            Store::Folder(folder) => folder.read(),
        }
    }

    /// Locks and reads the state, for `operation` (the command's name); locked for as long as the value lives.
    pub async fn lock(&self, operation: &str, _reach: Reach) -> Result<State, StateError> {
        match self {
            Store::Folder(folder) => {
                let lock = folder.lock(operation)?;
                Ok(State::in_folder(folder.read()?, folder.clone(), lock))
            }
        }
    }

    /// Every override that holds, the eldest first. Needs no lock.
    pub async fn overrides(&self) -> Result<Vec<Override>, StateError> {
        match self {
            Store::Folder(folder) => folder.overrides(),
        }
    }

    /// Keeps an override, or puts it in the place of the one with the same id. Needs no lock.
    pub async fn put_override(&self, held: &Override) -> Result<(), StateError> {
        debug_assert!(is_id(&held.id), "{} is no id", held.id);
        match self {
            Store::Folder(folder) => folder.put_override(held),
        }
    }

    /// Lets go of what an override holds; `false` if there is none of this id. Needs no lock.
    pub async fn release_override(&self, id: &str) -> Result<bool, StateError> {
        match self {
            Store::Folder(folder) if is_id(id) => folder.release_override(id),
            Store::Folder(_) => Ok(false),
        }
    }
}
