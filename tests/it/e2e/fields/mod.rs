//! Each managed property of each kind, changed past drctl: the plan names it as drift, and an apply repairs it, each
//! by a user who may do what `drctl iam-policy` prints for that.
//!
//! The rows are complete: a property that has none fails a test. How a property changes by the spec is in
//! `src/desired/tests/keys.rs`.

mod access;
mod alerts;
mod data;
mod dns;
mod keys;
mod objects;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use drctl::aws::{Clients, Regional};
use drctl::graph::Region;
use drctl::kinds::REGISTRY;
use serde_json::Value;

use super::world::{Caller, EAST, ENCRYPTED, WEST, World};

/// One property of a kind. In its path `*` is any name, `[]` any item of a list.
struct Row {
    kind: &'static str,
    path: &'static str,
    fate: Fate,
}

/// What can become of a property past drctl.
enum Fate {
    /// It is changed by its file's `change`, and the plan shows it there, under this path.
    Drifts { address: &'static str, shown: &'static str },
    /// AWS does not change it: a new value is a new resource.
    Fixed(&'static str),
    /// Only the creating request uses it; why nobody compares it later.
    AtCreation(&'static str),
}

const fn drifts(kind: &'static str, path: &'static str, address: &'static str, shown: &'static str) -> Row {
    Row { kind, path, fate: Fate::Drifts { address, shown } }
}

const fn fixed(kind: &'static str, path: &'static str, why: &'static str) -> Row {
    Row { kind, path, fate: Fate::Fixed(why) }
}

const fn at_creation(kind: &'static str, path: &'static str, why: &'static str) -> Row {
    Row { kind, path, fate: Fate::AtCreation(why) }
}

fn rows() -> impl Iterator<Item = &'static Row> {
    [keys::ROWS, access::ROWS, data::ROWS, objects::ROWS, alerts::ROWS, dns::ROWS].into_iter().flatten()
}

/// Resources that are gone with what is changed, and made again.
const MADE_AGAIN: [&str; 2] =
    ["us-west-2/table_replica.payment-transactions", "us-west-2/bucket_replication.transaction-logs"];

/// What cannot be read whole while the key of its region is off.
const ENCRYPTED_WITH_IT: [&str; 2] = ["us-west-2/function.health-check", "us-west-2/function.payment-processor"];

/// What somebody else does with a system that runs.
struct Outside {
    clients: Clients,
}

impl Outside {
    fn east(&self) -> &Regional {
        &self.clients.regions[&Region::new(EAST)]
    }

    fn west(&self) -> &Regional {
        &self.clients.regions[&Region::new(WEST)]
    }

    fn arn(&self, service: &str, region: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{region}:{}:{resource}", self.clients.account)
    }
}

/// Waits a little between two looks.
async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(50)).await;
}

#[test]
fn every_property_changed_outside_is_seen_as_drift_and_repaired() {
    let world = World::new();
    world.write_spec(|spec| format!("{spec}{ENCRYPTED}"));
    world.apply();
    let (planner, applier) = (world.caller("plan"), world.caller("apply"));
    let outside = Outside { clients: world.clients() };
    world.block_on(async {
        futures::join!(
            access::change(&outside),
            data::change(&outside),
            objects::change(&outside),
            alerts::change(&outside),
            dns::change(&outside),
        );
        // Last, because what is encrypted cannot be changed with a key that is off.
        keys::change(&outside).await;
    });
    // Reads are behind for a moment, and tags longer.
    let deadline = Instant::now() + Duration::from_secs(60);
    let plan = loop {
        let plan = changes(&world, &planner);
        let missing: Vec<_> = rows().filter_map(|row| unseen(row, &plan)).collect();
        if missing.is_empty() {
            break plan;
        }
        assert!(Instant::now() < deadline, "the plan does not show {missing:#?}\nbut {plan:#?}");
    };
    let drifted = rows().filter_map(|row| match row.fate {
        Fate::Drifts { address, .. } => Some(address),
        _ => None,
    });
    let expected: BTreeSet<&str> = drifted.chain(MADE_AGAIN).chain(ENCRYPTED_WITH_IT).collect();
    assert_eq!(plan.keys().map(String::as_str).collect::<BTreeSet<_>>(), expected, "and nothing else");
    world.drctl_as(&applier, "apply --yes").ends_with(0);
    world.is_in_sync();
    world.block_on(async {
        access::others_are_left_alone(&outside).await;
        alerts::others_are_left_alone(&outside).await;
        objects::copies_again(&outside).await;
    });
}

/// What `plan` would change, by address.
fn changes(world: &World, caller: &Caller) -> BTreeMap<String, Value> {
    let plan = world.drctl_as(caller, "plan --json").ends_with(0).stdout;
    let plan: Value = serde_json::from_str(&plan).expect("a JSON plan");
    let changes = plan["changes"].as_array().expect("changes are a list").iter();
    let pending = changes.filter(|change| change["action"] != "no-op");
    pending.map(|change| (change["address"].as_str().expect("an address").to_owned(), change.clone())).collect()
}

/// A property that was changed and that the plan does not show as drift.
fn unseen(row: &Row, plan: &BTreeMap<String, Value>) -> Option<String> {
    let Fate::Drifts { address, shown } = row.fate else { return None };
    let change = plan.get(address);
    let fields = change.and_then(|change| change["fields"].as_array());
    let seen = fields.is_some_and(|fields| fields.iter().any(|field| field["path"] == shown));
    let drifted = change.is_some_and(|change| change["reason"] == "drifted" && change["action"] == "update");
    (!(seen && drifted)).then(|| format!("{} {}: {shown} of {address}", row.kind, row.path))
}

#[test]
fn every_property_of_every_kind_has_a_row() {
    let properties = tree::properties();
    let mut missing = Vec::new();
    for (kind, paths) in &properties {
        for path in paths {
            if !rows().any(|row| row.kind == *kind && fits(row.path, path)) {
                missing.push(format!("{kind} {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "add a row in tests/it/e2e/fields/, and what changes it: {missing:#?}");
    let unknown: Vec<_> = rows()
        .filter(|row| !properties.get(row.kind).is_some_and(|paths| paths.iter().any(|path| fits(row.path, path))))
        .map(|row| format!("{} {}", row.kind, row.path))
        .collect();
    assert!(unknown.is_empty(), "no kind has {unknown:#?}");
}

#[test]
fn what_cannot_be_changed_outside_is_what_the_kinds_say() {
    for meta in REGISTRY.iter().map(|kind| kind.meta) {
        let said = |wanted: fn(&Fate) -> bool| -> BTreeSet<&str> {
            let rows = rows().filter(|row| row.kind == meta.kind && wanted(&row.fate));
            rows.map(|row| row.path.split('.').next().unwrap_or(row.path)).collect()
        };
        let fixed = said(|fate| matches!(fate, Fate::Fixed(why) if !why.is_empty()));
        let at_creation = said(|fate| matches!(fate, Fate::AtCreation(why) if !why.is_empty()));
        assert_eq!(fixed, meta.fixed.iter().copied().collect(), "{}", meta.kind);
        assert_eq!(at_creation, meta.at_creation.iter().copied().collect(), "{}", meta.kind);
    }
}

/// Whether a row is about a property. An empty map or list has the rows of what it may hold.
fn fits(row: &str, path: &str) -> bool {
    let mut wanted = row.split('.');
    for part in path.split('.') {
        match wanted.next() {
            Some(name) if name == "*" || name == part => {}
            _ => return false,
        }
    }
    wanted.next().is_none_or(|next| ["*", "[]"].contains(&next))
}
