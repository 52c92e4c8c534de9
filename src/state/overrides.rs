//! What somebody changed on purpose and wants kept: a failover, a shift of weights, a drill.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::graph::Address;

/// A deliberate change of live settings. Plans show it and keep it until it is released.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// Names it among the overrides of one system.
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
