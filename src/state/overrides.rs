//! What somebody changed on purpose and wants kept: a failover, a shift of weights, a drill.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

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

#[derive(Serialize, Deserialize)]
struct Document {
    format_version: u32,
    #[serde(flatten)]
    held: Override,
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

    /// Reads back what was kept under `id`, or says what is wrong with it.
    pub(super) fn from_text(id: &str, text: &str) -> Result<Self, String> {
        let document: Document = super::document(text, FORMAT_VERSION)?;
        if document.held.id != id {
            return Err(format!("it is kept as `{id}` and calls itself `{}`", document.held.id));
        }
        Ok(document.held)
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
