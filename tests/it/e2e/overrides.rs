//! What operators changed on purpose stays, until it is released.

use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecordSet};
use drctl::aws::Clients;

use super::world::{EAST, World};

const NAME: &str = "api.payment-system.example.com";
const HELD: &str = "held by failover since 2026-11-24 12:00:00 UTC by ops@bastion (us-east-1 is down)";

/// Every set of the name, by its identifier.
fn sets(world: &World, clients: &Clients, zone: &str) -> Vec<ResourceRecordSet> {
    let answer = world.block_on(clients.route53.list_resource_record_sets().hosted_zone_id(zone).send()).unwrap();
    answer.resource_record_sets().iter().filter(|set| set.name().starts_with(NAME)).cloned().collect()
}

/// Gives the sets these weights, in the order of their identifiers.
fn weigh(world: &World, clients: &Clients, zone: &str, weights: [i64; 2]) {
    let changes = sets(world, clients, zone).into_iter().zip(weights).map(|(mut set, weight)| {
        set.weight = Some(weight);
        Change::builder().action(ChangeAction::Upsert).resource_record_set(set).build().unwrap()
    });
    let batch = ChangeBatch::builder().set_changes(Some(changes.collect())).build().unwrap();
    let call = clients.route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
    world.block_on(call.send()).unwrap();
}

fn weights(world: &World, clients: &Clients, zone: &str) -> Vec<i64> {
    sets(world, clients, zone).iter().filter_map(ResourceRecordSet::weight).collect()
}

#[test]
fn a_failover_outlives_every_apply_until_it_is_released() {
    let world = World::new();
    world.apply();
    let (clients, zone) = (world.clients(), world.output("HostedZoneId", EAST));
    weigh(&world, &clients, &zone, [0, 100]);
    let folder = world.state().join("payment-dr-prod-001.overrides");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("failover-1.json");
    let text = serde_json::json!({
        "format_version": 1,
        "id": "failover-1",
        "operation": "failover",
        "by": "ops@bastion",
        "since": "2026-11-24T12:00:00Z",
        "why": "us-east-1 is down",
        "covers": { "global/record.api": {
            "sets.us-east-1-prod-001.weight": 0,
            "sets.us-west-2-prod-001.weight": 100,
        } },
    });
    std::fs::write(&file, text.to_string()).unwrap();

    world
        .drctl("plan --detailed-exitcode")
        .ends_with(0)
        .says("= global/record.api held by an override")
        .says(&format!("{HELD} sets.us-east-1-prod-001.weight: 0 (the spec says 100)"))
        .says("no changes: 48 resources live as the spec says, 1 as an override says");
    let json = world.drctl("plan --json").ends_with(0).stdout;
    let plan: serde_json::Value = serde_json::from_str(&json).unwrap();
    let changes = plan["changes"].as_array().unwrap();
    let record = changes.iter().find(|change| change["address"] == "global/record.api").unwrap();
    assert_eq!((&record["reason"], &record["held"][0]["id"]), (&"held".into(), &"failover-1".into()));

    // An apply keeps it, also one that changes the record otherwise, or has lost the state.
    world.write_spec(|spec| spec.replace("record = \"api\"", "record = \"api\"\nttl = \"30s\""));
    world.apply();
    assert_eq!(weights(&world, &clients, &zone), [0, 100]);
    std::fs::remove_file(world.state().join("payment-dr-prod-001.json")).unwrap();
    world.apply();
    world.drctl("plan --detailed-exitcode").ends_with(0).says(HELD);
    assert_eq!(weights(&world, &clients, &zone), [0, 100]);

    // What is changed past it comes back to it.
    weigh(&world, &clients, &zone, [50, 50]);
    world.drctl("plan").ends_with(0).says("sets.us-east-1-prod-001.weight: 50 -> 0").says(HELD);
    world.apply();
    assert_eq!(weights(&world, &clients, &zone), [0, 100]);

    // Released, the plan shows the way back.
    let kept = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    world.drctl("plan --detailed-exitcode").ends_with(2).says("sets.us-east-1-prod-001.weight: 0 -> 100");
    world.apply();
    assert_eq!(weights(&world, &clients, &zone), [100, 0]);
    world.is_in_sync();

    // A destroy does not heed it, and nothing is left of it.
    std::fs::write(&file, kept).unwrap();
    world.drctl("destroy --confirm prod-001 --lift-protection --empty-buckets").ends_with(0);
    assert!(!file.exists());
}
