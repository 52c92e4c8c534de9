//! Where the state of one system is kept: the index, its lock, and the overrides beside it.

use std::fmt;
use std::time::Duration;

use super::overrides::is_id;
use super::{Buckets, Folder, Known, Override, Report, State, StateError};

/// Where the state of one system is kept.
#[derive(Clone, Debug)]
pub enum Store {
    /// In files on this machine.
    Folder(Folder),
    /// In S3, in a bucket in each region.
    Buckets(Buckets),
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

/// Where it is, for people.
impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Store::Folder(folder) => write!(f, "the folder {}", folder.path().display()),
            Store::Buckets(buckets) => write!(f, "the buckets {}", buckets.names().join(" and ")),
        }
    }
}

impl Store {
    /// Reads the state without locking it: for commands that change nothing.
    pub async fn read(&self) -> Result<Known, StateError> {
        match self {
            Store::Folder(folder) => folder.read(),
            Store::Buckets(buckets) => buckets.read().await,
        }
    }

    /// Locks and reads the state, for `operation` (the command's name); locked until it is released.
    pub async fn lock(&self, operation: &str, reach: Reach) -> Result<State, StateError> {
        match self {
            Store::Folder(folder) => {
                let lock = folder.lock(operation)?;
                Ok(State::in_folder(folder.read()?, folder.clone(), lock))
            }
            Store::Buckets(buckets) => buckets.lock(operation, reach).await,
        }
    }

    /// Locks the state to write the index anew, whether or not it can be read: what can be read of it is recorded.
    pub async fn lock_anew(&self, operation: &str) -> Result<State, StateError> {
        match self {
            Store::Folder(folder) => {
                let lock = folder.lock(operation)?;
                Ok(State::in_folder(folder.read_anew()?, folder.clone(), lock))
            }
            Store::Buckets(buckets) => buckets.lock_anew(operation).await,
        }
    }

    /// Removes the lock of this id, whoever holds it. While its lease is not over, `pause` has to wait that long: a
    /// holder that is still at work notices meanwhile. A file's lock is none that can be removed: it ends with its
    /// holder.
    pub async fn unlock(&self, id: &str, pause: impl AsyncFnOnce(Duration)) -> Result<(), StateError> {
        match self {
            Store::Folder(folder) => {
                let others = folder.look().lock.by().map(str::to_owned).into_iter().collect();
                Err(StateError::NotLocked { id: id.to_owned(), others })
            }
            Store::Buckets(buckets) => buckets.unlock(id, pause).await,
        }
    }

    /// Puts every override wherever it is missing, as after a bucket was lost.
    pub async fn spread_overrides(&self) -> Result<(), StateError> {
        match self {
            Store::Folder(_) => Ok(()),
            Store::Buckets(buckets) => buckets.spread_overrides().await,
        }
    }

    /// Removes what is left of overrides that were released. Only for whoever has the lock.
    pub async fn forget_released(&self) -> Result<(), StateError> {
        match self {
            Store::Folder(_) => Ok(()),
            Store::Buckets(buckets) => buckets.forget_released().await,
        }
    }

    /// What each copy of the state looks like.
    pub async fn look(&self) -> Vec<Report> {
        match self {
            Store::Folder(folder) => vec![folder.look()],
            Store::Buckets(buckets) => buckets.look().await,
        }
    }

    /// Every override that holds, the eldest first. Needs no lock.
    pub async fn overrides(&self) -> Result<Vec<Override>, StateError> {
        match self {
            Store::Folder(folder) => folder.overrides(),
            Store::Buckets(buckets) => buckets.overrides().await,
        }
    }

    /// Keeps an override, or puts it in the place of the one with the same id. The id of one that was released is
    /// not used again. Needs no lock.
    pub async fn put_override(&self, held: &Override) -> Result<(), StateError> {
        debug_assert!(is_id(&held.id), "{} is no id", held.id);
        match self {
            Store::Folder(folder) => folder.put_override(held),
            Store::Buckets(buckets) => buckets.put_override(held).await,
        }
    }

    /// Lets go of what an override holds; `false` if there is none of this id. Needs no lock.
    pub async fn release_override(&self, id: &str) -> Result<bool, StateError> {
        match self {
            _ if !is_id(id) => Ok(false),
            Store::Folder(folder) => folder.release_override(id),
            Store::Buckets(buckets) => buckets.release_override(id).await,
        }
    }
}
