//! What a spec means, and what is said about one that is wrong.

mod alarm;
mod alert;
mod bucket;
mod dns;
mod encryption;
mod function;
mod guard;
mod keys;
mod overlay;
mod reading;
mod secret;
mod state;
mod system;
mod table;
mod timeout;

use std::collections::BTreeSet;
use std::path::Path;

use insta::assert_snapshot;
use miette::{GraphicalReportHandler, GraphicalTheme};

use super::{Spec, read};
use crate::graph::Graph;
use crate::spec::InvalidSpec;

const SPEC: &str = r#"schema = 1

[system]
name = "payment-dr"
environment = "test"
suffix = "t1"

[region]
primary = "us-east-1"
secondary = "us-west-2"

[table.payments]
key = "id"

[function.pay]
source = "pay"
"#;

const PRODUCTION: &str = include_str!("../../specs/production.toml");
const MINIMAL: &str = include_str!("../../specs/minimal.toml");

/// What the user sees of a spec that is wrong.
#[track_caller]
fn problems(text: &str) -> String {
    let Err(error) = read(Path::new("spec.toml"), text) else { panic!("nothing is wrong with this spec:\n{text}") };
    shown(&error)
}

/// An invalid spec as it is shown.
fn shown(error: &InvalidSpec) -> String {
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut out = String::new();
    handler.render_report(&mut out, error).expect("a string takes everything");
    out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The problems of [`SPEC`] with one part of it written differently.
#[track_caller]
fn with(part: &str, other: &str) -> String {
    assert!(SPEC.contains(part), "{part} is part of the spec");
    problems(&SPEC.replace(part, other))
}

#[track_caller]
fn spec(text: &str) -> Spec {
    read(Path::new("spec.toml"), text).unwrap_or_else(|error| panic!("{error:?}"))
}

fn graph(text: &str) -> Graph {
    spec(text).graph("123456789012", &Default::default())
}

fn addresses(text: &str) -> Vec<String> {
    graph(text).iter().map(|(address, _)| address.to_string()).collect()
}

#[track_caller]
fn typed<T: crate::graph::Resource>(graph: &Graph, address: &str) -> T {
    let node = graph.get(&address.parse().unwrap()).unwrap_or_else(|| panic!("{address} is not emitted"));
    node.properties.typed().unwrap()
}

fn swapped(text: &str) -> String {
    text.replace("us-east-1", "(primary)").replace("us-west-2", "us-east-1").replace("(primary)", "us-west-2")
}

#[test]
fn the_production_spec_emits_every_part_in_both_regions() {
    let all = addresses(PRODUCTION);
    let in_one = |region: &str| {
        let ours = all.iter().filter_map(|address| address.strip_prefix(region));
        ours.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let mut parts = in_one("us-east-1/");
    // Route 53 tells of health checks in one region.
    parts.retain(|part| !part.starts_with("alarm.health-check-status"));
    assert_eq!(parts, in_one("us-west-2/"));
    for part in ["function.payment-processor", "function_url.health-check", "table_replica.payment-transactions"] {
        assert!(parts.contains(part), "{part}");
    }
}

#[test]
fn the_minimal_spec_emits_the_least() {
    assert_snapshot!(addresses(MINIMAL).join("\n"), @"
    global/role.payment-processor-us-east-1
    global/role.payment-processor-us-west-2
    global/table.payment-transactions
    us-east-1/function.payment-processor
    us-east-1/function_url.payment-processor
    us-east-1/log_group.payment-processor
    us-east-1/table_replica.payment-transactions
    us-west-2/function.payment-processor
    us-west-2/function_url.payment-processor
    us-west-2/log_group.payment-processor
    us-west-2/table_replica.payment-transactions
    ");
}

#[test]
fn a_resource_knows_its_line_in_the_spec() {
    let graph = graph(SPEC);
    let origin = |address: &str| graph.get(&address.parse().unwrap()).unwrap().origin.to_string();
    assert_eq!(origin("us-west-2/table_replica.payments"), "spec.toml:12");
    assert_eq!(origin("us-west-2/function.pay"), "spec.toml:15");
}

#[test]
fn a_resource_needs_only_kinds_above_its_own() {
    let rank = |kind: &str| crate::kinds::REGISTRY.iter().position(|known| known.meta.kind == kind).unwrap();
    let graph = graph(PRODUCTION);
    for (address, _) in graph.iter() {
        for need in graph.needs(address) {
            assert!(graph.get(&need).is_some(), "{address} needs {need}, which is not there");
            assert!(rank(&need.kind) < rank(&address.kind), "{address} needs {need}");
        }
    }
}
