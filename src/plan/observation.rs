//! What was seen in AWS.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::graph::{Address, Attributes, Failure, Properties, Site, Tags};

/// A resource as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Live {
    /// What AWS knows it by.
    pub id: String,
    /// The managed properties, in the same form as the spec's.
    pub properties: Properties,
    /// What others may refer to, and what is worth showing.
    pub attributes: Attributes,
}

/// Attributes that change by themselves, or tell whose it is.
const PASSING: [&str; 7] = ["waiting", "lapses", "items", "bytes", Live::STACK, Live::UNMARKED, Live::ANOTHERS];

/// What a resource tells others that stays true until it is changed: worth remembering.
pub fn lasting(attributes: &Attributes) -> Attributes {
    let lasts = |(name, _): &(&String, &String)| !PASSING.contains(&name.as_str());
    attributes.iter().filter(lasts).map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl Live {
    /// The attribute that names the CloudFormation stack it is in, or was in when that was deleted.
    pub const STACK: &'static str = "stack";
    /// The attribute of what takes no tags and shows nothing that is drctl's.
    pub const UNMARKED: &'static str = "unmarked";
    /// The attribute that names another system of drctl's, of what takes no tags and shows that it is that one's.
    pub const ANOTHERS: &'static str = "anothers";

    /// Its tags; `None` for kinds that have none.
    pub fn tags(&self) -> Option<Tags> {
        self.properties.tags()
    }

    /// What a person has to do outside drctl before it works, if anything.
    pub fn waiting(&self) -> Option<&str> {
        self.attributes.get("waiting").map(String::as_str)
    }

    /// What its checkers say, if it is a health check that is red now.
    pub fn red(&self) -> Option<&str> {
        self.attributes.get("red").map(String::as_str)
    }

    /// The CloudFormation stack it was made by, if it was.
    pub fn stack(&self) -> Option<&str> {
        self.attributes.get(Self::STACK).map(String::as_str)
    }

    /// Whether nothing of it is drctl's, although it takes no tags that could say so.
    pub fn is_unmarked(&self) -> bool {
        self.attributes.contains_key(Self::UNMARKED)
    }

    /// The other system whose it is, if it takes no tags and shows that all the same.
    pub fn anothers(&self) -> Option<&str> {
        self.attributes.get(Self::ANOTHERS).map(String::as_str)
    }

    /// Whether AWS refuses to delete it, or what it is part of, until its protection is lifted.
    pub fn is_protected(&self) -> bool {
        self.properties.get("deletion_protection").is_some_and(|on| on == true)
    }

    /// Whether it cannot be deleted and goes by itself in time, as a subscription does that nobody confirmed.
    pub fn lapses(&self) -> bool {
        self.attributes.contains_key("lapses")
    }

    /// The caller reference it was made with, without its generation, for kinds that have one.
    pub fn reference(&self) -> Option<&str> {
        self.properties.text("reference")
    }
}

/// What looking for one resource came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Sight {
    /// It is not there.
    Absent,
    /// It is there.
    Live(Live),
    /// It could not be read. Being denied is this, never "absent".
    Failed(Failure),
    /// Nobody knows: the place that could tell does not answer.
    Dark(Site),
}

impl Sight {
    /// The resource, if it is there.
    pub fn live(&self) -> Option<&Live> {
        match self {
            Sight::Live(live) => Some(live),
            Sight::Absent | Sight::Failed(_) | Sight::Dark(_) => None,
        }
    }
}

/// Everything that was looked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// The AWS account that was looked at.
    pub account: String,
    /// By address.
    pub seen: BTreeMap<Address, Sight>,
    /// Places that do not answer, with what was tried there first and how it ended.
    pub dark: BTreeMap<Site, Failure>,
    /// What those resources told at the last apply of which nobody can tell now.
    pub remembered: BTreeMap<Address, Attributes>,
}

impl Observation {
    /// The resource, if it is there.
    pub fn live(&self, address: &Address) -> Option<&Live> {
        self.seen.get(address)?.live()
    }

    /// What a resource tells others; where its place is dark, what it told at the last apply.
    pub fn told(&self, address: &Address, attribute: &str) -> Option<&str> {
        let attributes = self.live(address).map(|live| &live.attributes).or_else(|| self.remembered.get(address))?;
        attributes.get(attribute).map(String::as_str)
    }
}
