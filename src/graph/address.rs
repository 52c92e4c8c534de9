//! Where a resource lives and what drctl calls it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::printable;

/// An AWS region, such as `us-east-1`. The spec reader checks that it exists.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Region(String);

impl Region {
    /// Wraps a region name that is known to be one.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The name as AWS writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a resource lives: in one region, or (IAM roles, the table group) in none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// Not bound to one region.
    Global,
    /// In this region only.
    Region(Region),
}

impl Place {
    /// The region, or `None` for what is global.
    pub fn region(&self) -> Option<&Region> {
        match self {
            Place::Global => None,
            Place::Region(region) => Some(region),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Global => f.write_str("global"),
            Place::Region(region) => region.fmt(f),
        }
    }
}

/// Between an address and the id of an object that was replaced; no name in a spec has it.
const FORMER: &str = "::";

/// A resource's identity, assigned by drctl: `us-east-1/function.payment-processor`.
///
/// It names the region and not its role, so that primary and secondary can
/// change hands without anything being replaced.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Where the resource lives.
    pub place: Place,
    /// The kind of resource, as listed in the registry of kinds.
    pub kind: String,
    /// The name in the spec, without the suffix.
    pub name: String,
}

impl Address {
    /// An address in one region.
    pub fn regional(region: &Region, kind: &str, name: impl Into<String>) -> Self {
        Self { place: Place::Region(region.clone()), kind: kind.to_owned(), name: name.into() }
    }

    /// An address outside any region.
    pub fn global(kind: &str, name: impl Into<String>) -> Self {
        Self { place: Place::Global, kind: kind.to_owned(), name: name.into() }
    }

    /// Where an object is kept that another one has taken the place of: the same address, with the object's id.
    pub fn former(&self, id: &str) -> Self {
        Self { name: format!("{}{FORMER}{id}", self.name), ..self.clone() }
    }

    /// The address that a former object had; any other address is its own.
    pub fn current(&self) -> Self {
        let name = self.name.split(FORMER).next().unwrap_or(&self.name);
        Self { name: name.to_owned(), ..self.clone() }
    }

    /// The same place and name, with another kind.
    pub fn with_kind(&self, kind: &str) -> Self {
        Self { kind: kind.to_owned(), ..self.clone() }
    }

    /// `KIND.NAME`
    pub fn without_place(&self) -> String {
        format!("{}.{}", self.kind, self.name)
    }

    /// Where the object of this kind may be that this one is a part of: in its own region, or in none.
    pub fn wholes(&self, kind: &str) -> [Self; 2] {
        [self.with_kind(kind), Self::global(kind, &self.name)]
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}.{}", self.place, self.kind, self.name)
    }
}

/// A text that is no address.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("`{}` is not an address; write PLACE/KIND.NAME, such as us-east-1/function.payment-processor", printable(.0))]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/').and_then(|(place, rest)| Some((place, rest.split_once('.')?)));
        match parts {
            Some((place, (kind, name)))
                if !place.is_empty() && !kind.is_empty() && !name.is_empty() && printable(text) == text =>
            {
                let place = match place {
                    "global" => Place::Global,
                    region => Place::Region(Region::new(region)),
                };
                Ok(Self { place, kind: kind.to_owned(), name: name.to_owned() })
            }
            _ => Err(AddressError(text.to_owned())),
        }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_reads_back_as_it_was_written() {
        for text in [
            "us-east-1/function.payment-processor",
            "global/table.payment-transactions",
            "eu-west-1/record.api.example.com",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_former_object_is_told_apart_and_leads_back() {
        let address = Address::global("health_check", "us-east-1");
        let former = address.former("0a1b");
        assert_eq!(former.to_string(), "global/health_check.us-east-1::0a1b");
        assert_eq!(former.to_string().parse::<Address>().unwrap().current(), address);
        assert_eq!(address.current(), address);
    }

    #[test]
    fn what_is_no_address_is_refused_with_an_example() {
        for text in [
            "",
            "function.x",
            "us-east-1/function",
            "/function.x",
            "us-east-1/.x",
            "us-east-1/function.",
            "global/role.a\nb",
        ] {
            assert!(text.parse::<Address>().unwrap_err().to_string().contains("write PLACE/KIND.NAME"));
        }
    }
}
