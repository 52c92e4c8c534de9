//! `[state]`.

use insta::assert_snapshot;

use super::{PRODUCTION, SPEC, graph, spec, with};

fn state(bucket: &str) -> String {
    with("[table.payments]", &format!("[state]\nbucket = {bucket}\n[table.payments]"))
}

#[test]
fn the_state_is_in_a_bucket_of_each_region_or_on_this_machine() {
    let local = spec(SPEC);
    assert!(!local.state.is_shared() && local.state.buckets(&local).is_empty());
    let shared = spec(&format!("{SPEC}[state]\nbucket = \"drctl-state-acme\"\n"));
    let names: Vec<_> = shared.state.buckets(&shared).into_iter().map(|(_, bucket)| bucket.name).collect();
    assert_eq!(names, ["drctl-state-acme-us-east-1", "drctl-state-acme-us-west-2"]);
}

#[test]
fn a_state_bucket_has_a_name_that_s3_takes() {
    let long = format!("\"{}\"", "s".repeat(54));
    assert!(state(&long).contains("64 characters, and S3 takes 63"), "{}", state(&long));
    assert!(state("\"Drctl_State\"").contains("help: write `drctl-state`"));
    assert!(state("\"sthree-state\"").contains("S3 keeps names like this for itself"));
}

#[test]
fn a_failover_that_only_one_machine_knows_is_warned_of() {
    let warnings = |text: &str| {
        let warnings = graph(text).warnings().to_vec();
        warnings.into_iter().filter(|warning| warning.contains("the state")).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(warnings(PRODUCTION), @"the state lies on one machine: a failover that is done on another one is not seen here, and an `apply` takes it back; `[state] bucket` shares it");
    assert_eq!(warnings(&format!("{PRODUCTION}\n[state]\nbucket = \"drctl-state-acme\"\n")), "");
    assert_eq!(warnings(SPEC), "", "without `[dns]` there is no failover");
}
