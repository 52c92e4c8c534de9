//! `[dns]`.

use super::{PRODUCTION, graph, problems, swapped, typed};
use crate::graph::{Input, Resource};
use crate::kinds::health_check::HealthCheck;
use crate::kinds::record::Record;
use crate::kinds::zone::Zone;

const WEIGHT: &str = "weight = { primary = 100, secondary = 0 }";

/// The production spec with one part of `[dns]` written differently.
#[track_caller]
fn with(part: &str, other: &str) -> String {
    assert!(PRODUCTION.contains(part), "{part} is part of the spec");
    PRODUCTION.replace(part, other)
}

#[test]
fn a_name_has_a_zone_two_checks_and_a_set_for_each_region() {
    let graph = graph(PRODUCTION);
    let zone = typed::<Zone>(&graph, "global/zone.main");
    assert_eq!((zone.name.as_str(), zone.id()), ("payment-system.example.com", None));
    let record = typed::<Record>(&graph, "global/record.api");
    assert_eq!(record.name, "api.payment-system.example.com");
    let weights: Vec<_> = record.sets.iter().map(|(name, set)| (name.as_str(), set.weight)).collect();
    assert_eq!(weights, [("us-east-1-prod-001", Some(100)), ("us-west-2-prod-001", Some(0))]);
    let check = typed::<HealthCheck>(&graph, "global/health_check.us-west-2");
    let Input::From(host) = check.host else { panic!("{:?} is known too early", check.host) };
    assert_eq!(host.to_string(), "us-west-2/function_url.health-check.host");
    let Some(Input::From(check)) = &record.sets["us-west-2-prod-001"].health_check else { panic!("it has no check") };
    assert_eq!(check.to_string(), "global/health_check.us-west-2.id");
}

#[test]
fn references_tell_checks_and_systems_apart_and_fit() {
    let graph = graph(PRODUCTION);
    let reference = |region: &str| typed::<HealthCheck>(&graph, &format!("global/health_check.{region}")).reference;
    assert_ne!(reference("us-east-1"), reference("us-west-2"));
    let other = super::graph(&with("\"prod-001\"", "\"prod-002\""));
    assert_ne!(typed::<HealthCheck>(&other, "global/health_check.us-east-1").reference, reference("us-east-1"));
    assert!("drctl/0123456789ab/health_check.ap-southeast-1/4294967295".len() <= 64);
}

#[test]
fn exchanging_the_regions_changes_weights_and_no_address() {
    let (graph, swapped) = (graph(PRODUCTION), graph(&swapped(PRODUCTION)));
    let weights = |graph| typed::<Record>(graph, "global/record.api").sets.into_values().map(|set| set.weight);
    assert!(weights(&graph).eq(weights(&swapped).rev()));
}

#[test]
fn failover_has_a_primary_and_a_secondary_and_no_weights() {
    let record = typed::<Record>(&graph(&with(WEIGHT, "routing = \"failover\"")), "global/record.api");
    let roles: Vec<_> = record.sets.values().map(|set| (set.weight, set.failover.as_deref())).collect();
    assert_eq!(roles, [(None, Some("PRIMARY")), (None, Some("SECONDARY"))]);
}

#[test]
fn a_zone_that_is_there_is_not_made() {
    let graph = graph(&with("record = \"api\"", "record = \"api\"\ncreate-zone = false"));
    assert!(graph.get(&"global/zone.main".parse().unwrap()).is_none());
    let record = typed::<Record>(&graph, "global/record.api");
    assert_eq!(record.zone, None);
    assert_eq!(record.id().unwrap(), "existing/payment-system.example.com/api.payment-system.example.com");
}

#[test]
fn everything_wrong_with_it_is_told() {
    let spec = with("zone   = \"payment-system.example.com\"", "zone = \"Payment-System.example.com.\"")
        .replace("record = \"api\"", "record = \"api_1\"\nttl = \"3d\"")
        .replace(WEIGHT, "weight = { primary = 256 }\nrouting = \"failover\"")
        .replace("interval = \"30s\", failure-threshold = 3", "interval = \"20s\", failure-threshold = 11");
    let problems = problems(&spec);
    for problem in [
        "`Payment-System.example.com.` is not in its plain form",
        "write \"payment-system.example.com\"",
        "`api_1` is no part of a domain name",
        "`ttl` is 259200 s",
        "`primary` is 256",
        "`weight` has no meaning with `routing = \"failover\"`",
        "`interval` is \"20s\"",
        "`failure-threshold` is 11",
    ] {
        assert!(problems.contains(problem), "`{problem}` is not in\n{problems}");
    }
}

#[test]
fn the_function_has_to_be_there_and_open_to_the_checkers() {
    let unknown = problems(&with("function = \"health-check\"", "function = \"health\""));
    assert!(
        unknown.contains("there is no function named `health`") && unknown.contains("did you mean `health-check`?")
    );
    let open = "timeout = \"5s\"\nurl = { auth = \"none\" }";
    let closed = problems(&with(open, &open.replace("none", "iam")));
    assert!(closed.contains("the checkers cannot ask `health-check`: it has no public URL"), "{closed}");
}

#[test]
fn a_record_is_written_without_its_zone() {
    let spec = with("record = \"api\"", "record = \"api.payment-system.example.com\"");
    assert!(problems(&spec).contains("write \"api\""));
}
