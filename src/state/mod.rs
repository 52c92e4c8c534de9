//! The index of what drctl has made: address to physical id. AWS is the truth;
//! this index can be lost, and is then found again through the ownership marks.
//! Beside it lie the overrides: what somebody changed on purpose and wants kept.
//!
//! All of it is kept in files on this machine or in S3, in a bucket in each region.

mod all;
mod buckets;
mod error;
mod folder;
#[cfg(test)]
mod fuzz;
mod held;
mod operator;
mod overrides;
mod report;
mod store;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use all::AllStates;
pub use buckets::{Buckets, Lease, PERMISSIONS, Remarks};
pub use error::StateError;
pub use folder::{Folder, replace};
pub use held::{Saving, State};
pub use operator::operator;
pub use overrides::{Override, new_id};
pub use report::{Content, Locked, Report};
pub use store::{Reach, Store};

use crate::graph::{Address, Attributes, Owner};

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
    /// What it told others then: known also while its place does not answer.
    #[serde(default)]
    pub attributes: Attributes,
    /// When it was last applied.
    pub applied_at: Timestamp,
    /// Whether it was adopted as it was, and not applied since: what it is then was never said by a spec.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopted: bool,
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

/// What drctl knows of a system before it looks at AWS.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// What is recorded.
    pub index: Index,
    /// What is overridden, the eldest first.
    pub overrides: Vec<Override>,
}

impl Index {
    /// An index that knows nothing yet, with a lineage of its own.
    pub fn new(owner: &Owner) -> Self {
        Self::empty(owner, uuid::Uuid::new_v4().to_string())
    }

    /// An index of this lineage that knows nothing yet.
    pub fn empty(owner: &Owner, lineage: String) -> Self {
        Self { format_version: FORMAT_VERSION, owner: owner.clone(), lineage, serial: 0, resources: BTreeMap::new() }
    }

    fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).expect("an index is plain data")
    }

    /// Reads an index back, or says what is wrong with it.
    fn from_text(text: &str, owner: &Owner) -> Result<Self, String> {
        let index: Index = document(text, FORMAT_VERSION)?;
        if index.owner.system != owner.system || index.owner.suffix != owner.suffix {
            return Err(format!("it belongs to {}, suffix {}", index.owner.system, index.owner.suffix));
        }
        Ok(index)
    }
}

/// Reads a document that says its format, of which this drctl knows the ones up to `newest`.
fn document<T: DeserializeOwned>(text: &str, newest: u32) -> Result<T, String> {
    let value: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match value.get("format_version").and_then(serde_json::Value::as_u64) {
        Some(version) if version > u64::from(newest) => Err(format!(
            "it has format {version}, and this drctl knows up to {newest}; use the newer drctl that wrote it"
        )),
        _ => serde_json::from_value(value).map_err(|error| error.to_string()),
    }
}
