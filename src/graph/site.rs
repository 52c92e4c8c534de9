//! What answers by itself, and may stop answering by itself.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Place, Region};

/// A part of AWS that is up or down as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Site {
    /// Every service of one region.
    Region(Region),
    /// IAM, one for all regions.
    Iam,
    /// Route 53, likewise.
    Route53,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Site::Region(region) => region.fmt(f),
            Site::Iam => f.write_str("IAM"),
            Site::Route53 => f.write_str("Route 53"),
        }
    }
}

impl Serialize for Site {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Site {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let global = [Site::Iam, Site::Route53].into_iter().find(|site| site.to_string() == text);
        Ok(global.unwrap_or_else(|| Site::Region(Region::new(text))))
    }
}

/// Who has to answer before a resource can be read and changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnsweredBy {
    /// The region of its address.
    ItsRegion,
    /// It is in several regions: any of them tells what it is, and all have to answer before it is changed.
    EveryRegion,
    /// IAM.
    Iam,
    /// Route 53.
    Route53,
}

impl AnsweredBy {
    /// The one part of AWS that tells of a resource at `place`; `None` if several do.
    pub fn site(self, place: &Place) -> Option<Site> {
        match (self, place) {
            (AnsweredBy::Iam, _) => Some(Site::Iam),
            (AnsweredBy::Route53, _) => Some(Site::Route53),
            (_, Place::Region(region)) => Some(Site::Region(region.clone())),
            (_, Place::Global) => None,
        }
    }
}
