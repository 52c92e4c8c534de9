//! DynamoDB global tables (version 2019.11.21): the group of member tables.
//!
//! What all members share is managed here, and so is which regions are members.
//! What DynamoDB never copies between members (point-in-time recovery, deletion
//! protection, tags) is [`TableReplica`](super::table_replica::TableReplica).

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "aws")]
mod encryption;
#[cfg(feature = "aws")]
pub(super) mod member;
mod permissions;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::graph::{AnsweredBy, Input, Region, Resource, Tags};

/// The part of a global table that its members share.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The same in every member region.
    pub name: String,
    /// The primary key.
    pub key: TableKey,
    /// Global secondary indexes by name; each projects all attributes.
    pub indexes: BTreeMap<String, TableKey>,
    /// `PAY_PER_REQUEST`, or what else was set outside.
    pub billing: String,
    /// The stream's view type. Replication needs `NEW_AND_OLD_IMAGES`.
    pub stream: Option<String>,
    /// The attribute that tells when an item expires.
    pub ttl: Option<String>,
    /// The ARN of the KMS key that encrypts each member; none where DynamoDB does it with its own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub encryption: BTreeMap<Region, Input>,
    /// Where the group is made: the primary at that time. Replicas are always made from here.
    pub home: Region,
    /// Where the members are.
    pub regions: BTreeSet<Region>,
    /// Tags and ownership marks for the creating request; later each member has its own.
    pub tags: Tags,
}

/// A key of text attributes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableKey {
    /// The partition key.
    pub partition: String,
    /// The sort key.
    pub sort: Option<String>,
}

impl Resource for Table {
    const KIND: &'static str = "table";
    const FIXED: &'static [&'static str] = &["name", "key"];
    const AT_CREATION: &'static [&'static str] = &["home", "tags"];
    const HOLDS_DATA: bool = true;
    const ANSWERED_BY: AnsweredBy = AnsweredBy::EveryRegion;

    fn id(&self) -> Option<String> {
        Some(self.name.clone())
    }
}
