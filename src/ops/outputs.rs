//! What operators need to know of a deployed system, by the names they know it by.

use serde::Serialize;

use crate::desired::Spec;
use crate::graph::{Address, Region, Resource};
use crate::kinds::function::Function;
use crate::kinds::function_url::FunctionUrl;
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
    let live = |address: Option<Address>, attribute: &str| observed.live(&address?)?.attributes.get(attribute).cloned();
    let table = spec.tables.keys().next().map(|name| Address::global(Table::KIND, name));
    let function = spec.payment_function().map(|name| Address::regional(region, Function::KIND, name));
    let arn = live(table.clone(), "arn").map(|arn| in_region(&arn, region));
    vec![
        Output { name: "DynamoDBTableName", region: region.clone(), value: live(table, "name") },
        Output { name: "DynamoDBTableArn", region: region.clone(), value: arn },
        Output { name: "LambdaFunctionArn", region: region.clone(), value: live(function, "arn") },
        Output { name: "LambdaFunctionUrl", region: region.clone(), value: payment_url(spec, observed, region) },
        Output { name: "HealthCheckUrl", region: region.clone(), value: health_url(spec, observed, region) },
    ]
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
    observed.live(&Address::regional(region, FunctionUrl::KIND, function))?.attributes.get("url").cloned()
}

/// The ARN of another member of a global table: the same but for the region.
fn in_region(arn: &str, region: &Region) -> String {
    let mut parts: Vec<&str> = arn.split(':').collect();
    if let Some(part) = parts.get_mut(3) {
        *part = region.as_str();
    }
    parts.join(":")
}
