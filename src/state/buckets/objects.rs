//! What the state needs of S3: small objects in one bucket, written on a condition.

use std::fmt;

use futures::future::BoxFuture;
use jiff::Timestamp;

use crate::graph::Failure;

/// The objects of one bucket.
pub(super) trait Objects: fmt::Debug + Send + Sync {
    /// Reads an object.
    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Look, Trouble>>;

    /// Writes an object, and gives the tag that it has from now on.
    fn write<'a>(&'a self, key: &'a str, text: &'a str, only: &'a Only) -> BoxFuture<'a, Result<String, Trouble>>;

    /// Removes an object, if it still has this tag; without one, what is gone already is removed.
    fn remove<'a>(&'a self, key: &'a str, tag: Option<&'a str>) -> BoxFuture<'a, Result<(), Trouble>>;

    /// The keys that begin like this.
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Trouble>>;
}

/// What a look at a key came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    /// What is there.
    pub(super) object: Option<Object>,
    /// When that was, by the bucket's clock. No two machines agree on the time, but all agree on this one.
    pub(super) now: Timestamp,
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Object {
    /// What is in it.
    pub(super) text: String,
    /// Stands for this content. Writing the same once more may give the same tag, as S3 does: where that has to be
    /// noticed, the content has to differ, as a lock does by the time in it.
    pub(super) tag: String,
    /// When it was written, by the bucket's clock.
    pub(super) modified: Timestamp,
}

/// The condition of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Only {
    /// Whatever is there.
    Always,
    /// There is nothing.
    IfAbsent,
    /// What is there still has this tag.
    IfStill(String),
}

/// Why something did not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(not(any(feature = "aws", test)), expect(dead_code, reason = "S3 makes them, and the fake"))]
pub(super) enum Trouble {
    /// There is no such bucket.
    NoBucket,
    /// The condition does not hold: somebody else was faster.
    Changed,
    /// Anything else.
    Failed(Failure),
}
