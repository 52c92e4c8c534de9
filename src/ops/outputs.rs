//! What operators need to know of a deployed system, by the names they know it by.

use serde::Serialize;

use crate::desired::{AlertSection, DnsSection, Spec};
use crate::graph::{Address, Region, Resource};
use crate::kinds::bucket::Bucket;
use crate::kinds::function::Function;
use crate::kinds::function_url::FunctionUrl;
use crate::kinds::secret::Secret;
use crate::kinds::table::Table;
use crate::plan::Observation;

/// One value in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Output {
    /// The name, as in the runbook.
    pub name: &'static str,
    /// The region it is of.
    pub region: Region,
    /// The value; `None` while the resource is not there.
    pub value: Option<String>,
}

/// Every output of both regions, the primary's first.
pub fn outputs(spec: &Spec, observed: &Observation) -> Vec<Output> {
    spec.regions().iter().flat_map(|region| of_region(spec, observed, region)).collect()
}

fn of_region(spec: &Spec, observed: &Observation, region: &Region) -> Vec<Output> {
    let live = |address: Option<Address>, attribute: &str| observed.told(&address?, attribute).map(str::to_owned);
    let table = spec.tables.keys().next().map(|name| Address::global(Table::KIND, name));
    let bucket = spec.buckets.keys().next().map(|name| Address::regional(region, Bucket::KIND, name));
    let function = spec.payment_function().map(|name| Address::regional(region, Function::KIND, name));
    let arn = live(table.clone(), "arn").map(|arn| in_region(&arn, region));
    let secret = spec.secrets.keys().next().map(|name| Address::global(Secret::KIND, name));
    let secret = live(secret, "arn").map(|arn| in_region(&arn, region));
    let mut outputs = vec![
        Output { name: "DynamoDBTableName", region: region.clone(), value: live(table, "name") },
        Output { name: "DynamoDBTableArn", region: region.clone(), value: arn },
        Output { name: "S3BucketName", region: region.clone(), value: live(bucket.clone(), "name") },
        Output { name: "S3BucketArn", region: region.clone(), value: live(bucket, "arn") },
        Output { name: "LambdaFunctionArn", region: region.clone(), value: live(function, "arn") },
        Output { name: "LambdaFunctionUrl", region: region.clone(), value: payment_url(spec, observed, region) },
        Output { name: "HealthCheckUrl", region: region.clone(), value: health_url(spec, observed, region) },
        Output { name: "SecretArn", region: region.clone(), value: secret },
        Output { name: "SNSTopicArn", region: region.clone(), value: live(Some(AlertSection::topic(region)), "arn") },
    ];
    if let Some(dns) = &spec.dns {
        let zone = live(Some(dns.record_address()), "zone").or_else(|| live(Some(DnsSection::zone_address()), "id"));
        let check = live(Some(DnsSection::check_address(region)), "id");
        outputs.push(Output { name: "HostedZoneId", region: region.clone(), value: zone });
        outputs.push(Output { name: "HealthCheckId", region: region.clone(), value: check });
        if dns.creates_zone() {
            // What the registrar of the domain, or the zone above, has to be told.
            let servers = live(Some(DnsSection::zone_address()), "name_servers");
            outputs.push(Output { name: "HostedZoneNameServers", region: region.clone(), value: servers });
        }
    }
    outputs
}

/// Where payments are taken in one region.
pub fn payment_url(spec: &Spec, observed: &Observation, region: &Region) -> Option<String> {
    url(observed, region, spec.payment_function()?)
}

/// Where one region's health is asked.
pub fn health_url(spec: &Spec, observed: &Observation, region: &Region) -> Option<String> {
    url(observed, region, spec.health_function()?)
}

fn url(observed: &Observation, region: &Region, function: &str) -> Option<String> {
    observed.told(&Address::regional(region, FunctionUrl::KIND, function), "url").map(str::to_owned)
}

/// The ARN of another member of a global table, or of a secret's replica: the same but for the region.
fn in_region(arn: &str, region: &Region) -> String {
    let mut parts: Vec<&str> = arn.split(':').collect();
    if let Some(part) = parts.get_mut(3) {
        *part = region.as_str();
    }
    parts.join(":")
}
