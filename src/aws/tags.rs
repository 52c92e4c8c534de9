//! Tags of many resources at once, and finding resources by their tags.

use std::collections::BTreeMap;

use aws_sdk_resourcegroupstagging::types::TagFilter;

use super::call::Call;
use super::clients::Regional;
use crate::graph::{Failure, Owner, Region, Tags};

/// What the Resource Groups Tagging API knows of one system: tags by ARN, by region.
///
/// It lags behind writes by seconds to minutes, so what is missing here, or differs
/// only here, has to be confirmed by a strict read.
#[derive(Clone, Debug, Default)]
pub struct TagIndex {
    by_region: BTreeMap<Region, BTreeMap<String, Tags>>,
}

impl TagIndex {
    /// Reads one region: 100 resources a call.
    pub async fn read(regional: &Regional, owner: &Owner) -> Result<Self, Failure> {
        let filter = |key: &str, value: &str| TagFilter::builder().key(key).values(value).build();
        let mut found = BTreeMap::new();
        let mut pages = regional
            .tagging
            .get_resources()
            .tag_filters(filter(Owner::SYSTEM, &owner.system))
            .tag_filters(filter(Owner::SUFFIX, &owner.suffix))
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            for resource in page.call("tag:GetResources")?.resource_tag_mapping_list() {
                let Some(arn) = resource.resource_arn() else { continue };
                let tags = resource.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned()));
                found.insert(arn.to_owned(), own(tags));
            }
        }
        Ok(Self { by_region: BTreeMap::from([(regional.region.clone(), found)]) })
    }

    /// This index with another one's regions added.
    pub fn joined(mut self, other: Self) -> Self {
        self.by_region.extend(other.by_region);
        self
    }

    /// The tags of one resource, if they are known here.
    pub fn get(&self, region: &Region, arn: &str) -> Option<&Tags> {
        self.by_region.get(region)?.get(arn)
    }

    /// Everything that was found: region, ARN and tags.
    pub fn iter(&self) -> impl Iterator<Item = (&Region, &str, &Tags)> {
        self.by_region
            .iter()
            .flat_map(|(region, found)| found.iter().map(move |(arn, tags)| (region, arn.as_str(), tags)))
    }
}

/// The tag by which CloudFormation says which stack a resource is in.
pub const STACK: &str = "aws:cloudformation:stack-name";

/// Tags without AWS's own, which nobody can write; only the name of the stack is kept, to be told.
pub fn own(tags: impl IntoIterator<Item = (String, String)>) -> Tags {
    tags.into_iter().filter(|(key, _)| !is_aws(key) || key == STACK).collect()
}

/// Whether a tag is AWS's own: read with the others, and written by nobody.
pub fn is_aws(key: &str) -> bool {
    key.starts_with("aws:")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws::canned::{Canned, Counter};
    use crate::graph::FailureClass;

    const ARN: &str = "arn:aws:sns:us-east-1:123456789012:payment-alerts-prod-001";

    fn read(aws: Canned) -> Result<TagIndex, Failure> {
        let counter = Counter::open();
        counter.offer(aws);
        let owner = Owner { system: "payment-dr".into(), environment: "production".into(), suffix: "prod-001".into() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(TagIndex::read(&counter.clients.regions[&Region::new("us-east-1")], &owner))
    }

    #[test]
    fn tags_are_known_by_region_and_arn_without_those_of_aws() {
        let tags = json!([{ "Key": "cost-center", "Value": "payments" }, { "Key": "aws:created", "Value": "x" }]);
        let mappings =
            json!({ "ResourceTagMappingList": [{ "ResourceARN": ARN, "Tags": tags }], "PaginationToken": "" });
        let index = read(Canned::default().json("GetResources", mappings)).expect("an answer");
        let tags = Tags::from([("cost-center".into(), "payments".into())]);
        assert_eq!(index.get(&Region::new("us-east-1"), ARN), Some(&tags));
        assert_eq!(index.get(&Region::new("us-west-2"), ARN), None);
        assert_eq!(index.iter().count(), 1);
    }

    #[test]
    fn being_denied_or_throttled_is_not_an_empty_index() {
        for (code, class) in
            [("AccessDeniedException", FailureClass::Denied), ("ThrottledException", FailureClass::Throttled)]
        {
            let failure = read(Canned::default().refusing("GetResources", code, "no")).expect_err("a failure");
            assert_eq!((failure.class, failure.operation.as_str()), (class, "tag:GetResources"));
        }
    }
}
