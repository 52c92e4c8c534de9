//! Where a state lies and what is there, for people who look after it.

use super::{Index, StateError};

/// What one copy of the state looks like: the file, or the object in one bucket.
#[derive(Clone, Debug)]
pub struct Report {
    /// The file or object.
    pub at: String,
    /// What is in it.
    pub content: Content,
    /// Who holds the lock there, if anybody does.
    pub lock: Locked,
}

/// Who holds the lock of a copy.
#[derive(Clone, Debug)]
pub enum Locked {
    /// Nobody.
    No,
    /// Somebody.
    By {
        /// Who, for people.
        by: String,
        /// The lock's id, by which it can be removed; a file's has none.
        id: Option<String>,
    },
    /// Somebody held it, and its lease is over: it counts no longer here.
    Before {
        /// Who, for people.
        by: String,
    },
    /// Nobody can say.
    Unknown(Box<StateError>),
}

impl Locked {
    /// Who holds it, for people.
    pub fn by(&self) -> Option<&str> {
        match self {
            Self::By { by, .. } => Some(by),
            Self::No | Self::Before { .. } | Self::Unknown(_) => None,
        }
    }

    /// The id by which it can be removed.
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::By { id, .. } => id.as_deref(),
            Self::No | Self::Before { .. } | Self::Unknown(_) => None,
        }
    }
}

/// What a copy of the state holds.
#[derive(Clone, Debug)]
pub enum Content {
    /// An index.
    Index(Index),
    /// Nothing yet.
    Nothing,
    /// There is not even a bucket.
    NoBucket,
    /// Something that is no index; why not.
    Damaged(String),
    /// Nobody can say.
    Unreadable(Box<StateError>),
}
