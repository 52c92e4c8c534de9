//! The settings of one member of a DynamoDB global table.
//!
//! DynamoDB does not copy these between members, so each region has its own.
//! Members come and go with [`Table`](super::table::Table): creating this
//! resource settles a member that exists, deleting it lifts its deletion protection, and adopting it, with its
//! table, marks both.

#[cfg(feature = "aws")]
mod aws;
mod permissions;

use serde::{Deserialize, Serialize};

use super::table::Table;
use crate::graph::{Address, Resource, Tags};

/// The part of one member table that drctl manages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableReplica {
    /// The table's name.
    pub name: String,
    /// Restore to any second of the last 35 days.
    pub point_in_time_recovery: bool,
    /// DynamoDB refuses to delete the member while this is on.
    pub deletion_protection: bool,
    /// Tags and ownership marks.
    pub tags: Tags,
}

impl Resource for TableReplica {
    const KIND: &'static str = "table_replica";
    const FIXED: &'static [&'static str] = &["name"];
    const PART_OF: Option<&'static str> = Some(Table::KIND);

    fn id(&self) -> Option<String> {
        Some(self.name.clone())
    }

    /// DynamoDB takes one change of a global table at a time, whichever member it is for.
    fn locks(address: &Address) -> Address {
        Address::global(Table::KIND, &address.name)
    }
}
