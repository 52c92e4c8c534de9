//! What somebody changed on purpose and wants kept: a failover, a shift of weights, a drill.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::Wrong;
use super::operator;
use crate::graph::Address;

/// The layout of an override's file; a file with a higher number is refused.
const FORMAT_VERSION: u32 = 1;

/// A deliberate change of live settings. Plans show it and keep it until it is released.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// Names it among the overrides of one system, as [`new_id`] makes it.
    pub id: String,
    /// What made it: `failover`, `traffic`, `drill`.
    pub operation: String,
    /// Who: the user and host it was done from.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
    /// Why, in the operator's words.
    pub why: String,
    /// What it covers: by address, the properties (in the form of a field difference's path:
    /// `sets.us-east-1-prod-001.weight`) with the value that each is to keep.
    pub covers: BTreeMap<Address, BTreeMap<String, Value>>,
}

/// What is kept under the id of an override.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kept {
    /// It holds.
    Held(Override),
    /// It was released, and another bucket may not know: whatever is there under this id holds no more.
    Released,
}

#[derive(Serialize, Deserialize)]
struct Document {
    format_version: u32,
    #[serde(flatten)]
    held: Override,
}

/// What is left of an override that was released.
#[derive(Serialize, Deserialize)]
struct Mark {
    format_version: u32,
    id: String,
    released: Timestamp,
    by: String,
}

impl Override {
    /// What overrides are listed by: the eldest first.
    pub fn age(&self) -> (Timestamp, &str) {
        (self.since, &self.id)
    }

    /// The text that is kept of it.
    pub(super) fn to_text(&self) -> String {
        let document = Document { format_version: FORMAT_VERSION, held: self.clone() };
        serde_json::to_string_pretty(&document).expect("an override is plain data")
    }
}

impl Kept {
    /// The text that says of an override that it was released.
    pub(super) fn released(id: &str) -> String {
        let (id, released, by) = (id.to_owned(), Timestamp::now(), operator());
        let mark = Mark { format_version: FORMAT_VERSION, id, released, by };
        serde_json::to_string_pretty(&mark).expect("a mark is plain data")
    }

    /// Reads back what was kept under `id`, or says what is wrong with it.
    pub(super) fn from_text(id: &str, text: &str) -> Result<Self, Wrong> {
        let value: Value = super::document(text, FORMAT_VERSION)?;
        let damaged = |error: serde_json::Error| Wrong::Damaged(error.to_string());
        let (kept, name) = if value.get("released").is_some() {
            let mark: Mark = serde_json::from_value(value).map_err(damaged)?;
            (Self::Released, mark.id)
        } else {
            let Document { held, .. } = serde_json::from_value(value).map_err(damaged)?;
            let name = held.id.clone();
            (Self::Held(held), name)
        };
        if name != id {
            return Err(Wrong::Damaged(format!("it is kept as `{id}` and calls itself `{name}`")));
        }
        Ok(kept)
    }
}

/// A new id for what an operation does: `failover-5e1f0c9a`. Letters, digits and hyphens only,
/// because it becomes the name of a file and of an object in S3.
pub fn new_id(operation: &str) -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    format!("{operation}-{}", &random[..8])
}

/// Whether something may be kept under this id.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The order in which overrides are listed: the eldest first.
pub(super) fn sort(overrides: &mut [Override]) {
    overrides.sort_by(|one, other| one.age().cmp(&other.age()));
}
