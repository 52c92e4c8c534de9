//! What overrides keep.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{SPEC, World, applied, at, nothing, text};
use crate::plan::{Action, Reason};
use crate::state::Override;

const RECORD: &str = "global/record.api";
const EAST: &str = "sets.us-east-1-t1.weight";
const WEST: &str = "sets.us-west-2-t1.weight";

fn spec() -> String {
    let dns = "[dns]\nzone = \"example.com\"\nrecord = \"api\"\nhealth-check = { function = \"pay\" }\n";
    format!("{SPEC}{dns}[state]\nbucket = \"drctl-state\"\n")
}

/// An override of the `n`th of March.
fn by(n: u8, operation: &str, address: &str, covers: &[(&str, Value)]) -> Override {
    let covers = covers.iter().map(|(path, value)| ((*path).to_owned(), value.clone())).collect();
    Override {
        id: format!("o{n}"),
        operation: operation.into(),
        by: "ops@bastion".into(),
        since: format!("2026-03-{n:02}T12:00:00Z").parse().unwrap(),
        why: "us-east-1 is down".into(),
        covers: [(at(address), covers)].into(),
    }
}

fn failover() -> Override {
    by(1, "failover", RECORD, &[(EAST, json!(0)), (WEST, json!(100))])
}

/// The world after `spec` was applied and traffic moved to the west.
fn failed_over() -> World {
    weighted(applied(&spec()), 0, 100).holding([failover()])
}

fn weighted(mut world: World, east: i64, west: i64) -> World {
    let Some(live) = world.observed.live(&at(RECORD)) else { panic!("there is no record") };
    let mut sets = live.properties.get("sets").unwrap().clone();
    sets["us-east-1-t1"]["weight"] = json!(east);
    sets["us-west-2-t1"]["weight"] = json!(west);
    world = world.set(RECORD, "sets", sets);
    world
}

impl World {
    fn holding(mut self, overrides: impl IntoIterator<Item = Override>) -> Self {
        self.overrides = overrides.into_iter().collect();
        self
    }
}

#[test]
fn a_failover_is_kept_and_shown() {
    let plan = failed_over().plan(&spec());
    assert!(!plan.has_changes());
    assert_eq!(plan.get(&at(RECORD)).unwrap().reason, Reason::Held);
    assert_snapshot!(text(&plan), @"
    = global/record.api  held by an override
        held by failover since 2026-03-01 12:00:00 UTC by ops@bastion (us-east-1 is down)
          sets.us-east-1-t1.weight: 0 (the spec says 100)
          sets.us-west-2-t1.weight: 100 (the spec says 0)

    no changes: 14 resources live as the spec says, 1 as an override says
    ");
}

#[test]
fn everything_else_of_the_resource_is_the_specs() {
    let spec = spec().replace("record = \"api\"", "record = \"api\"\nttl = \"30s\"");
    assert_snapshot!(text(&failed_over().plan(&spec)), @"
    ~ global/record.api  spec changed
        sets.us-east-1-t1.ttl: 60 -> 30
        sets.us-west-2-t1.ttl: 60 -> 30
        held by failover since 2026-03-01 12:00:00 UTC by ops@bastion (us-east-1 is down)
          sets.us-east-1-t1.weight: 0 (the spec says 100)
          sets.us-west-2-t1.weight: 100 (the spec says 0)

    0 to create, 1 to update, 0 to replace, 0 to delete
    ");
    let spec = spec.replace("[dns]", "[dns]\nweight = { primary = 70, secondary = 30 }");
    assert_snapshot!(text(&failed_over().plan(&spec)), @"
    ~ global/record.api  spec changed, and drifted
        sets.us-east-1-t1.ttl: 60 -> 30
        sets.us-west-2-t1.ttl: 60 -> 30
        held by failover since 2026-03-01 12:00:00 UTC by ops@bastion (us-east-1 is down)
          sets.us-east-1-t1.weight: 0 (the spec says 70)
          sets.us-west-2-t1.weight: 100 (the spec says 30)

    0 to create, 1 to update, 0 to replace, 0 to delete
    ");
}

#[test]
fn what_is_changed_past_an_override_comes_back_to_it() {
    assert_snapshot!(text(&weighted(failed_over(), 100, 0).plan(&spec())), @"
    ~ global/record.api  held by an override
        sets.us-east-1-t1.weight: 100 -> 0
        sets.us-west-2-t1.weight: 0 -> 100
        held by failover since 2026-03-01 12:00:00 UTC by ops@bastion (us-east-1 is down)
          sets.us-east-1-t1.weight: 0 (the spec says 100)
          sets.us-west-2-t1.weight: 100 (the spec says 0)

    0 to create, 1 to update, 0 to replace, 0 to delete
    ");

    // Recorded by an apply since: now drctl knows that somebody else was there.
    let mut world = weighted(failed_over(), 50, 50);
    let held = failed_over().observed.live(&at(RECORD)).unwrap().properties.fingerprint();
    world.recorded.resources.get_mut(&at(RECORD)).unwrap().fingerprint = held;
    assert_eq!(world.plan(&spec()).get(&at(RECORD)).unwrap().reason, Reason::Drifted);
}

#[test]
fn an_override_that_is_gone_shows_the_way_back() {
    assert_snapshot!(text(&failed_over().holding([]).plan(&spec())), @"
    ~ global/record.api  drifted: changed outside drctl
        sets.us-east-1-t1.weight: 0 -> 100
        sets.us-west-2-t1.weight: 100 -> 0

    0 to create, 1 to update, 0 to replace, 0 to delete
    ");
}

#[test]
fn what_was_deleted_is_made_again_as_the_override_says() {
    let plan = failed_over().without(RECORD).plan(&spec());
    let change = plan.get(&at(RECORD)).unwrap();
    assert_eq!((change.action, change.held.len()), (Action::Create, 1));
    assert_eq!(change.after.as_ref().unwrap().at(EAST), Some(&json!(0)));
}

#[test]
fn losing_the_state_releases_nothing() {
    let plan = failed_over().with_the_state_lost().plan(&spec());
    assert_eq!(plan.get(&at(RECORD)).unwrap().reason, Reason::Held);
    let plan = nothing().holding([failover()]).plan(&spec());
    assert_eq!(plan.get(&at(RECORD)).unwrap().after.as_ref().unwrap().at(WEST), Some(&json!(100)));
}

#[test]
fn an_override_that_says_what_the_spec_says_is_shown_and_changes_nothing() {
    let world = applied(&spec()).holding([by(1, "traffic", RECORD, &[(EAST, json!(100))])]);
    let plan = world.plan(&spec());
    assert_eq!(plan.get(&at(RECORD)).unwrap().reason, Reason::InSync);
    assert_snapshot!(text(&plan), @"
    = global/record.api  in sync
        held by traffic since 2026-03-01 12:00:00 UTC by ops@bastion (us-east-1 is down)
          sets.us-east-1-t1.weight: 100 (the spec says 100)

    no changes: 15 resources live as the spec says
    ");
}

#[test]
fn of_two_overrides_of_one_property_the_later_counts() {
    let later = by(2, "traffic", RECORD, &[(EAST, json!(30))]);
    let plan = |overrides: [Override; 2]| weighted(failed_over(), 30, 100).holding(overrides).plan(&spec());
    let (plan, other) = (plan([failover(), later.clone()]), plan([later, failover()]));
    assert_eq!(plan, other);
    assert!(!plan.has_changes());
    assert_snapshot!(text(&plan), @"
    = global/record.api  held by an override
        held by failover since 2026-03-01 12:00:00 UTC by ops@bastion (us-east-1 is down)
          sets.us-west-2-t1.weight: 100 (the spec says 0)
        held by traffic since 2026-03-02 12:00:00 UTC by ops@bastion (us-east-1 is down)
          sets.us-east-1-t1.weight: 30 (the spec says 100)

    no changes: 14 resources live as the spec says, 1 as an override says
    warning: traffic since 2026-03-02 12:00:00 UTC (o2) covers sets.us-east-1-t1.weight of global/record.api, as failover since 2026-03-01 12:00:00 UTC does; the later counts
    ");
}

#[test]
fn what_an_override_cannot_keep_is_a_warning() {
    let function = "us-east-1/function.pay";
    let overrides = [
        by(1, "drill", "us-east-1/function.old", &[("memory", json!(1))]),
        by(2, "drill", function, &[("sets.x.weight", json!(1)), ("environment.GONE", json!("x"))]),
        by(3, "drill", function, &[("name", json!("x")), ("memory", json!("much"))]),
        by(4, "drill", function, &[("tags", json!({ "$from": "global/zone.main", "attribute": "id" }))]),
        by(5, "drill", function, &[("reserved_concurrency", json!(0))]),
    ];
    let plan = applied(SPEC).set(function, "reserved_concurrency", json!(0)).holding(overrides).plan(SPEC);
    assert!(!plan.has_changes());
    assert_snapshot!(text(&plan), @"
    = us-east-1/function.pay  held by an override
        held by drill since 2026-03-05 12:00:00 UTC by ops@bastion (us-east-1 is down)
          reserved_concurrency: 0 (not set in the spec)

    no changes: 10 resources live as the spec says, 1 as an override says
    warning: drill since 2026-03-02 12:00:00 UTC (o2) covers environment.GONE of us-east-1/function.pay, which it does not have; it keeps nothing there
    warning: drill since 2026-03-02 12:00:00 UTC (o2) covers sets.x.weight of us-east-1/function.pay, which it does not have; it keeps nothing there
    warning: drill since 2026-03-03 12:00:00 UTC (o3) covers memory of us-east-1/function.pay, with a value that does not fit; it keeps nothing there
    warning: drill since 2026-03-03 12:00:00 UTC (o3) covers name of us-east-1/function.pay, which cannot be changed; it keeps nothing there
    warning: drill since 2026-03-04 12:00:00 UTC (o4) covers tags of us-east-1/function.pay, with a value that does not fit; it keeps nothing there
    warning: drill since 2026-03-01 12:00:00 UTC (o1) covers us-east-1/function.old, which is not in the spec; it keeps nothing there
    ");
}

#[test]
fn a_destroy_ignores_overrides() {
    let (held, free) = (failed_over(), failed_over().holding([]));
    assert_eq!(held.destroy(&spec()), free.destroy(&spec()));
}
