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

/// Tags without AWS's own, which nobody can write.
pub fn own(tags: impl IntoIterator<Item = (String, String)>) -> Tags {
    tags.into_iter().filter(|(key, _)| !key.starts_with("aws:")).collect()
}
