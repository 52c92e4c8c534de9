//! What leaves the spec goes, and nothing else does.

use aws_sdk_cloudwatch::types::{ComparisonOperator, Statistic, Tag};
use drctl::aws::Clients;
use drctl::graph::Region;

use super::world::{EAST, WEST, World};

const SPEC: &str = r#"[alert]
emails = ["ops@example.com"]

[table.payments]
key = "id"

[table.audit]
key = "id"

[table.customers]
key = "id"

[table.merchants]
key = "id"

[guard]
protect = []
"#;

/// What the spec has for a while.
const EXTRAS: &str = r#"
[table.archive]
key = "id"

[bucket.exports]

[function.health-check]
source = "ROOT/functions/health-check"

[alarm.slow]
on = "table.audit"
metric = "ConsumedReadCapacityUnits"
above = 500
over = "5m"
"#;

fn write(world: &World, extras: &str) {
    world.write_small_spec(&format!("{SPEC}{}", extras.replace("ROOT", env!("CARGO_MANIFEST_DIR"))));
}

fn put_alarm(world: &World, clients: &Clients, region: &str, name: &str, marks: &[(&str, &str)]) {
    let tags = marks.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build()).collect();
    let call = clients.regions[&Region::new(region)].cloudwatch.put_metric_alarm().alarm_name(name);
    let call = call.namespace("AWS/DynamoDB").metric_name("SuccessfulRequestLatency").statistic(Statistic::Maximum);
    let call = call.period(60).evaluation_periods(1).threshold(1.0).set_tags(Some(tags));
    let call = call.comparison_operator(ComparisonOperator::GreaterThanThreshold);
    world.block_on(call.send()).expect("an alarm");
}

/// Things of others that look like the system's.
const STRANGERS: [&str; 4] = [
    "us-east-1 alarm very-slow-prod-001",
    "us-east-1 alarm slow2-prod-001",
    "us-east-1 log group /aws/lambda/old-health-check-prod-001",
    "us-east-1 bucket my-exports-us-east-1-prod-001",
];

fn put_strangers(world: &World, clients: &Clients) {
    let other = [("drctl:system", "shop"), ("drctl:suffix", "prod-001"), ("drctl:address", "us-east-1/alarm.slow2")];
    put_alarm(world, clients, EAST, "very-slow-prod-001", &[]);
    put_alarm(world, clients, EAST, "slow2-prod-001", &other);
    let east = &clients.regions[&Region::new(EAST)];
    let (group, bucket) = ("/aws/lambda/old-health-check-prod-001", "my-exports-us-east-1-prod-001");
    world.block_on(east.logs.create_log_group().log_group_name(group).send()).expect("a log group");
    world.block_on(east.s3.create_bucket().bucket(bucket).send()).expect("a bucket");
}

#[test]
fn what_leaves_the_spec_goes_and_what_looks_like_it_stays() {
    let world = World::new();
    let clients = world.clients();
    write(&world, "");
    world.apply();
    put_strangers(&world, &clients);
    // A read right after a write may not know of it.
    let without = world.eventually("strangers in every list", || {
        Some(world.things()).filter(|things| STRANGERS.iter().all(|stranger| things.contains(*stranger)))
    });

    write(&world, EXTRAS);
    world.apply();
    let with = world.things();
    for name in ["table archive", "bucket exports-us-west-2", "function health-check", "alarm slow"] {
        let name = format!("us-west-2 {name}-prod-001");
        assert!(with.contains(&name), "{name} is not in {with:#?}");
    }

    // One of ours was taken over meanwhile: deleted, and made again by somebody else.
    let west = &clients.regions[&Region::new(WEST)].cloudwatch;
    world.block_on(west.delete_alarms().alarm_names("slow-prod-001").send()).expect("it goes");
    put_alarm(&world, &clients, WEST, "slow-prod-001", &[]);
    write(&world, "");
    world.drctl("plan").ends_with(0).says("- us-east-1/alarm.slow removed from the spec");
    world.apply();
    let theirs = "us-west-2 alarm slow-prod-001".to_owned();
    world.holds(&without.iter().cloned().chain([theirs]).collect());
    world.is_in_sync();

    // The marks alone are enough.
    world.block_on(west.delete_alarms().alarm_names("slow-prod-001").send()).expect("it goes");
    write(&world, EXTRAS);
    world.apply();
    std::fs::remove_dir_all(world.state()).expect("there is a state");
    write(&world, "");
    world.apply();
    world.holds(&without);
    world.is_in_sync();
}
