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
use error::Wrong;
pub use folder::{Folder, replace};
pub use held::{Saving, State};
pub use operator::operator;
pub use overrides::{Override, new_id};
pub use report::{Content, Locked, Report};
pub use store::{Reach, Store};

use crate::graph::{Address, Attributes, Owner};

/// The layout of the state file; a file with a higher number is refused.
pub const FORMAT_VERSION: u32 = 1;

/// The highest serial that is believed: it leaves room for every write to come.
const LAST_SERIAL: u64 = 1 << 53;

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
    /// Fingerprint of what comes of building code, for kinds that have some: commands that build none compare it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub built: Option<String>,
}

/// What one run of drctl wrote of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Names the run: random.
    pub by: String,
    /// The serial of its last write.
    pub serial: u64,
}

/// How many runs an index remembers: far more than a copy misses before it is healed.
const REMEMBERED: usize = 64;

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
    /// Who wrote it, the last one last: tells a copy that is behind from one that was written apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Written>,
    /// The saved plan that was being carried out when this was written, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_plan: Option<String>,
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
        Self {
            format_version: FORMAT_VERSION,
            owner: owner.clone(),
            lineage,
            serial: 0,
            history: Vec::new(),
            saved_plan: None,
            resources: BTreeMap::new(),
        }
    }

    /// The next write, by this run.
    fn write_by(&mut self, run: &str) {
        self.serial += 1;
        match self.history.last_mut() {
            Some(last) if last.by == run => last.serial = self.serial,
            _ => self.history.push(Written { by: run.to_owned(), serial: self.serial }),
        }
        self.remember();
    }

    /// Forgets the oldest runs.
    fn remember(&mut self) {
        self.history.drain(..self.history.len().saturating_sub(REMEMBERED));
    }

    /// Whether `earlier`, of the same lineage and a lower serial, is a former version of this index: nothing was
    /// written to it that this one has not. One without a history is taken at its serial.
    pub fn goes_on_from(&self, earlier: &Index) -> bool {
        let Some(last) = earlier.history.last().filter(|_| !self.history.is_empty()) else { return true };
        self.history.iter().any(|written| written.by == last.by && written.serial >= last.serial)
    }

    fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).expect("an index is plain data")
    }

    /// Reads an index back, or says what is wrong with it.
    fn from_text(text: &str, owner: &Owner) -> Result<Self, Wrong> {
        let index: Index = document(text, FORMAT_VERSION)?;
        if index.owner.system != owner.system || index.owner.suffix != owner.suffix {
            let Owner { system, suffix, .. } = index.owner;
            return Err(Wrong::Anothers { system, suffix });
        }
        if index.serial > LAST_SERIAL {
            return Err(Wrong::Damaged(format!("nobody has written it {} times", index.serial)));
        }
        Ok(index)
    }
}

/// Reads a document that says its format, of which this drctl knows the ones up to `newest`.
fn document<T: DeserializeOwned>(text: &str, newest: u32) -> Result<T, Wrong> {
    let damaged = |error: serde_json::Error| Wrong::Damaged(error.to_string());
    let value: serde_json::Value = serde_json::from_str(text).map_err(damaged)?;
    match value.get("format_version").and_then(serde_json::Value::as_u64) {
        Some(version) if version > u64::from(newest) => Err(Wrong::Newer { version, newest }),
        _ => serde_json::from_value(value).map_err(damaged),
    }
}
