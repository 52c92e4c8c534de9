//! `[region]`: where the system lives.

use crate::graph::Region;
use crate::spec::{FromNode, Mismatch, Node, Problem, TableReader, nearest};

/// `[region]`
#[derive(Debug)]
pub struct RegionSection {
    /// Where traffic goes normally.
    pub primary: Region,
    /// Where it goes when the primary is lost.
    pub secondary: Region,
}

/// The regions of the `aws` partition, as of November 2026 (botocore's endpoint data).
const REGIONS: [&str; 35] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "me-west-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

impl FromNode for Region {
    fn from_node(node: &Node) -> Result<Self, Mismatch> {
        let name = String::from_node(node)?;
        if REGIONS.contains(&name.as_str()) {
            return Ok(Region::new(name));
        }
        let help = match nearest(&name, &REGIONS) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "write an AWS region, such as \"us-east-1\"".to_owned(),
        };
        Err(Mismatch::new(format!("`{name}` is no AWS region"), help))
    }
}

impl RegionSection {
    /// What cannot be read is a problem and has a stand-in, with which no other table has one.
    pub(super) fn read(mut reader: TableReader<'_>) -> Self {
        let primary = reader.required::<Region>("primary", "\"us-east-1\"");
        let secondary = reader.required::<Region>("secondary", "\"us-west-2\"");
        if let (Some(primary), Some(secondary)) = (&primary, &secondary)
            && primary.value == secondary.value
        {
            let problem =
                Problem::new("region", secondary.at, format!("primary and secondary are both {}", secondary.value));
            reader.problems().push(problem.help("name two regions: the system has to survive the loss of one"));
        }
        reader.finish();
        let Self { primary: other_primary, secondary: other_secondary } = Self::stand_in();
        Self {
            primary: primary.map_or(other_primary, |region| region.value),
            secondary: secondary.map_or(other_secondary, |region| region.value),
        }
    }

    /// The names of both, the primary's first.
    pub(super) fn names(&self) -> [&str; 2] {
        [self.primary.as_str(), self.secondary.as_str()]
    }

    /// In place of a table that is not there: no region has a shorter name.
    pub(super) fn stand_in() -> Self {
        Self { primary: Region::new("us-east-1"), secondary: Region::new("us-west-2") }
    }
}
