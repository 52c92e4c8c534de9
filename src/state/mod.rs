//! The index of what drctl has made: address to physical id. AWS is the truth;
//! this file can be lost, and is then found again through the ownership marks.

mod all;
mod file;
mod overrides;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use all::AllStates;
pub use file::{StateError, StateFile};
pub use overrides::Override;

use crate::graph::{Address, Owner};

/// The layout of the state file; a file with a higher number is refused.
pub const FORMAT_VERSION: u32 = 1;

/// What drctl remembers of one resource. Holds no secret: a fingerprint is a hash of
/// the properties that were applied, and values of secrets are never properties.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// What AWS knows the resource by.
    pub id: String,
    /// Fingerprint of the properties last applied; tells who changed something, never whether to act.
    pub fingerprint: String,
    /// What the resource needed before it: the order for removing it once the spec no longer says.
    pub needs: BTreeSet<Address>,
    /// When it was last applied.
    pub applied_at: Timestamp,
}

/// Every recorded resource of one system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// [`FORMAT_VERSION`] of the drctl that wrote it.
    pub format_version: u32,
    /// Whose index this is.
    pub owner: Owner,
    /// Random at creation: two files with the same lineage are versions of one.
    pub lineage: String,
    /// Counts the writes.
    pub serial: u64,
    /// The records by address.
    pub resources: BTreeMap<Address, Record>,
}

impl Index {
    /// An index that knows nothing yet.
    pub fn empty(owner: &Owner, lineage: String) -> Self {
        Self { format_version: FORMAT_VERSION, owner: owner.clone(), lineage, serial: 0, resources: BTreeMap::new() }
    }
}
