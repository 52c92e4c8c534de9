//! DNS records with routing: one resource for a name and all the sets that answer for it.
//!
//! The sets of one name decide together where traffic goes, so they change together, in one
//! batch that is done whole or not at all. A set that somebody else adds to the name takes a
//! share of the traffic: it is drift and is removed. What AWS cannot tag is marked by
//! the set's identifier, which is the region and the system's suffix. A name on which drctl has no set, in a zone that
//! is not drctl's either, is somebody else's. It is adopted with that zone, or, where the zone stays
//! others', by being recorded; the next apply then gives it sets with drctl's mark. If its sets ask health checks of
//! another system of drctl's, it is that one's and stays so.

#[cfg(feature = "aws")]
mod aws;
mod permissions;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::zone::Zone;
use crate::graph::{Address, AnsweredBy, Input, Region, Resource};

/// The sets of one name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The id of the zone that drctl makes; `None` for the only other zone of this name.
    pub zone: Option<Input>,
    /// The zone's name.
    pub zone_name: String,
    /// The whole name, lower-case and without the final dot.
    pub name: String,
    /// By set identifier.
    pub sets: BTreeMap<String, RecordSet>,
}

/// One answer that Route 53 may give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordSet {
    /// The host that the name stands for.
    pub value: Input,
    /// For how many seconds resolvers keep the answer.
    pub ttl: Option<i64>,
    /// Its share among the sets, for weighted routing. With health checks, 0 stands by until all others are red.
    pub weight: Option<i64>,
    /// `PRIMARY` or `SECONDARY`, for failover routing.
    pub failover: Option<String>,
    /// What tells whether the answer is worth giving.
    pub health_check: Option<Input>,
}

impl Record {
    /// The identifier of a region's set, with drctl's mark.
    pub fn set_identifier(region: &Region, suffix: &str) -> String {
        format!("{region}-{suffix}")
    }
}

/// The first parts of a record's id: whose zone it is in.
const IN_OWN_ZONE: &str = "own";
const IN_OTHER_ZONE: &str = "existing";

impl Resource for Record {
    const KIND: &'static str = "record";
    const FIXED: &'static [&'static str] = &["zone", "zone_name", "name"];
    const CREATE_FIRST: bool = true;
    const ANSWERED_BY: AnsweredBy = AnsweredBy::Route53;

    /// AWS has no id for a name; this one says where to look: `own/ZONE/NAME`.
    fn id(&self) -> Option<String> {
        let whose = if self.zone.is_some() { IN_OWN_ZONE } else { IN_OTHER_ZONE };
        Some(format!("{whose}/{}/{}", self.zone_name, self.name))
    }

    /// Route 53 takes one change of a zone at a time.
    fn locks(_address: &Address) -> Address {
        Address::global(Zone::KIND, Zone::NAME)
    }
}
