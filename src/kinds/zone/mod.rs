//! Public hosted zones of Route 53.
//!
//! AWS has no unique names for zones: a second creation would make a second zone with
//! other name servers. What tells them apart is the caller reference, which AWS never takes
//! twice. The zone's own NS and SOA records are AWS's and are never touched.
//!
//! A zone that somebody made by hand is adopted by its name, if there is only one, and is known by its tags then.

#[cfg(feature = "aws")]
mod aws;
mod permissions;

use serde::{Deserialize, Serialize};

#[cfg(feature = "aws")]
pub(super) use aws::{Whose, bare, change_tags, generated, in_sync, known, settled, tags, whose, zones_of};

use crate::graph::{AnsweredBy, Resource, Tags};

/// The part of a hosted zone that drctl manages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Zone {
    /// AWS's id, without `/hostedzone/`; none while the zone is only wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The caller reference without its generation.
    pub reference: String,
    /// The domain name, lower-case and without the final dot.
    pub name: String,
    /// What the zone is for.
    pub comment: String,
    /// Tags and ownership marks.
    pub tags: Tags,
}

impl Zone {
    /// The name of the only zone in addresses.
    pub const NAME: &str = "main";
}

impl Resource for Zone {
    const KIND: &'static str = "zone";
    const FIXED: &'static [&'static str] = &["name"];
    const AT_CREATION: &'static [&'static str] = &["id", "reference"];
    const CREATE_FIRST: bool = true;
    const HOLDS_DATA: bool = true;
    const ANSWERED_BY: AnsweredBy = AnsweredBy::Route53;

    fn id(&self) -> Option<String> {
        self.id.clone()
    }
}

/// A domain name as Route 53 returns it, brought into the form of the spec.
#[cfg(feature = "aws")]
pub(super) fn domain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase().replace("\\052", "*")
}
