//! From nothing to a system that takes payments, through every accident, and back to nothing.

use drctl::graph::Region;
use drctl::ops::count_items;

use super::world::{EAST, WEST, World};

const TABLE: &str = "payment-transactions-prod-001";

#[test]
fn a_system_takes_payments_in_both_regions_and_goes_without_a_trace() {
    let world = World::new();
    let clients = world.clients();
    world.drctl("plan --detailed-exitcode").ends_with(2).says("49 to create, 0 to update, 0 to replace, 0 to delete");
    world.apply().says("live as the spec says");
    world.is_in_sync();

    let items = |region: &str| world.block_on(count_items(&clients, &Region::new(region), TABLE)).unwrap();
    let east = world.pay(EAST, Some("order-1"));
    assert_eq!(east.status, 201, "{}", east.body);
    world.eventually("the payment in the other region", || (items(WEST) == 1).then_some(()));
    let again = world.pay(EAST, Some("order-1"));
    assert_eq!(again.status, 200, "{}", again.body);
    assert!(again.body.contains(r#""replayed":true"#), "{}", again.body);
    let west = world.pay(WEST, None);
    assert_eq!(west.status, 201, "{}", west.body);
    world.eventually("both payments in both regions", || (items(EAST) == 2 && items(WEST) == 2).then_some(()));
    assert_eq!(world.drctl("health").ends_with(0).stdout.matches(r#""status":"healthy""#).count(), 2);

    world
        .drctl("destroy --confirm prod-001 --lift-protection --empty-buckets")
        .ends_with(0)
        .says("data lost")
        .says("nothing left");
    world.holds_nothing();
    assert!(!world.state().join("payment-dr-prod-001.json").exists(), "the index of nothing is gone too");
    world.drctl("destroy --confirm prod-001").ends_with(0).says("nothing to destroy");
}

#[test]
fn a_lost_state_is_found_again_through_the_marks() {
    let world = World::new();
    world.apply();
    std::fs::remove_dir_all(world.state()).unwrap();
    world.is_in_sync();
    world.drctl("apply --yes").ends_with(0).says("no changes");

    // Also for what the spec no longer says: the marks alone tell that it is ours, and what goes first.
    std::fs::remove_dir_all(world.state()).unwrap();
    world.write_spec(without_health_check);
    world.drctl("plan").ends_with(0).says("0 to create, 0 to update, 0 to replace, 14 to delete");
    world.drctl("apply --yes --allow global/zone.main").ends_with(0);
    world.is_in_sync();
    world.eventually("no trace of the health check", || {
        (!world.things().iter().any(|name| name.contains("health-check"))).then_some(())
    });
}

fn without_health_check(spec: String) -> String {
    let from = spec.find("[function.health-check]").expect("the spec has one");
    let to = spec.find("[guard]").expect("the spec has one");
    format!("{}{}", &spec[..from], &spec[to..])
}

#[test]
fn a_plan_of_nothing_is_cheap_and_writes_nothing() {
    let world = World::new();
    world.apply();
    world.calls();
    world.is_in_sync();
    let calls = world.calls();
    let total: u64 = counts(&calls).iter().map(|(_, count)| count).sum();
    assert!(total <= 70, "{total} calls: {calls:#}");
    for (operation, _) in counts(&calls) {
        assert!(["Get", "List", "Describe"].iter().any(|read| operation.starts_with(read)), "{operation} is no read");
    }
}

/// Every operation with its count, wherever in the document it stands.
fn counts(calls: &serde_json::Value) -> Vec<(String, u64)> {
    let entries = calls.as_array().unwrap_or_else(|| panic!("an unknown form: {calls:#}"));
    let entry = |entry: &serde_json::Value| Some((entry["operation"].as_str()?.to_owned(), entry["count"].as_u64()?));
    entries.iter().map(|value| entry(value).unwrap_or_else(|| panic!("an unknown form: {value:#}"))).collect()
}
