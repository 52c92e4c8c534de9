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
    pub holder: Option<String>,
    /// The id of that lock, by which it can be removed; a file's has none.
    pub lock_id: Option<String>,
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
