//! One name for both regions: it leads where the system is well, and only drctl decides how.

use aws_sdk_cloudwatch::types::StateValue;
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, HealthCheckConfig, HealthCheckType, ResourceRecord, ResourceRecordSet, RrType,
};
use drctl::aws::Clients;
use drctl::graph::{Address, Owner, Region};
use drctl::ops::set_concurrency;

use super::world::{EAST, WEST, World};

const NAME: &str = "api.payment-system.example.com";
const DESTROY: &str = "destroy --confirm prod-001 --lift-protection --empty-buckets";

/// The host that name servers would answer now.
fn answer(world: &World, clients: &Clients, zone: &str) -> String {
    let ask = clients.route53.test_dns_answer().hosted_zone_id(zone).record_name(NAME).record_type(RrType::Cname);
    world.block_on(ask.send()).unwrap().record_data().join(" ")
}

/// What the alarm on a region's health check says; it is in us-east-1 for either.
fn alarm(world: &World, clients: &Clients, region: &str) -> Option<StateValue> {
    let name = format!("health-check-status-{region}-prod-001");
    let call = clients.regions[&Region::new(EAST)].cloudwatch.describe_alarms().alarm_names(name);
    world.block_on(call.send()).unwrap().metric_alarms().first()?.state_value().cloned()
}

/// Every set of the name.
fn sets(world: &World, clients: &Clients, zone: &str) -> Vec<ResourceRecordSet> {
    let answer = world.block_on(clients.route53.list_resource_record_sets().hosted_zone_id(zone).send()).unwrap();
    answer.resource_record_sets().iter().filter(|set| set.name().starts_with(NAME)).cloned().collect()
}

fn change(world: &World, clients: &Clients, zone: &str, action: ChangeAction, set: ResourceRecordSet) {
    let change = Change::builder().action(action).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    let call = clients.route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
    world.block_on(call.send()).unwrap();
}

fn foreign(name: &str, kind: RrType, value: &str) -> ResourceRecordSet {
    let value = ResourceRecord::builder().value(value).build().unwrap();
    ResourceRecordSet::builder().name(name).r#type(kind).ttl(300).resource_records(value).build().unwrap()
}

/// Batches of record changes since this was last asked.
fn batches(world: &World) -> u64 {
    let calls = world.calls();
    let calls = calls.as_array().expect("calls are a list").iter();
    calls.filter(|call| call["operation"] == "ChangeResourceRecordSets").filter_map(|call| call["count"].as_u64()).sum()
}

/// Makes a zone past drctl.
fn create_zone(world: &World, clients: &Clients, reference: &str) -> String {
    let call = clients.route53.create_hosted_zone().name("payment-system.example.com");
    let made = world.block_on(call.caller_reference(reference).send()).unwrap();
    made.hosted_zone().unwrap().id().rsplit('/').next().unwrap_or_default().to_owned()
}

#[test]
fn the_name_leads_to_the_secondary_while_the_primary_is_red() {
    let world = World::new();
    world.write_spec(|spec| spec.replace("interval = \"30s\"", "interval = \"10s\""));
    world.apply();
    world.is_in_sync();
    let (clients, zone) = (world.clients(), world.output("HostedZoneId", EAST));
    let hosts: Vec<_> =
        sets(&world, &clients, &zone).iter().map(|set| set.resource_records()[0].value().to_owned()).collect();
    let (primary, secondary) = (&hosts[0], &hosts[1]);
    assert_eq!(&answer(&world, &clients, &zone), primary);
    let east = Region::new(EAST);
    world.block_on(set_concurrency(&clients, &east, "payment-processor-prod-001", 0)).unwrap();
    world.eventually("the secondary", || (answer(&world, &clients, &zone) == *secondary).then_some(()));
    world.eventually("an alarm", || (alarm(&world, &clients, EAST) == Some(StateValue::Alarm)).then_some(()));
    assert_ne!(alarm(&world, &clients, WEST), Some(StateValue::Alarm));
    world.apply();
    world.eventually("the primary again", || (answer(&world, &clients, &zone) == *primary).then_some(()));
    world.eventually("no alarm", || (alarm(&world, &clients, EAST) == Some(StateValue::Ok)).then_some(()));
}

#[test]
fn what_others_do_to_the_name_is_seen_and_undone() {
    let world = World::new();
    world.apply();
    let (clients, zone) = (world.clients(), world.output("HostedZoneId", EAST));
    let mut set = sets(&world, &clients, &zone)[0].clone();
    set.weight = Some(7);
    change(&world, &clients, &zone, ChangeAction::Upsert, set.clone());
    set.set_identifier = Some("somewhere-else".into());
    change(&world, &clients, &zone, ChangeAction::Create, set);
    world
        .drctl("plan --detailed-exitcode")
        .ends_with(2)
        .says("~ global/record.api drifted: changed outside drctl")
        .says("sets.us-east-1-prod-001.weight: 7 -> 100");
    batches(&world);
    world.apply();
    assert_eq!(batches(&world), 1);
    world.is_in_sync();
    assert_eq!(sets(&world, &clients, &zone).len(), 2);

    world.write_spec(|spec| spec.replace("primary = 100, secondary = 0", "primary = 70, secondary = 30"));
    world.drctl("plan").ends_with(0).says("~ global/record.api spec changed").says("0 to create, 1 to update");
    world.apply();
    world.is_in_sync();

    world.write_spec(|spec| spec.replace("weight = { primary = 100, secondary = 0 }", "routing = \"failover\""));
    batches(&world);
    world.apply();
    assert_eq!(batches(&world), 1, "the way of routing changes in one batch");
    world.is_in_sync();
    let roles: Vec<_> = sets(&world, &clients, &zone).iter().filter_map(|set| set.failover().cloned()).collect();
    assert_eq!(roles.len(), 2);
}

#[test]
fn a_new_interval_is_a_new_check_before_the_old_one_goes() {
    let world = World::new();
    world.apply();
    let before = world.output("HealthCheckId", EAST);
    world.write_spec(|spec| spec.replace("failure-threshold = 3", "failure-threshold = 4"));
    world.apply().says("~ global/health_check.us-east-1 updated");
    world.is_in_sync();
    world.write_spec(|spec| spec.replace("interval = \"30s\"", "interval = \"10s\""));
    world
        .drctl("plan")
        .ends_with(0)
        .says("± global/health_check.us-east-1")
        .says(&format!("- global/health_check.us-east-1::{before}"));
    world.apply();
    world.is_in_sync();
    let after = world.output("HealthCheckId", EAST);
    assert_ne!(before, after);
    let checks = world.block_on(world.clients().route53.list_health_checks().send()).unwrap();
    assert_eq!(checks.health_checks().len(), 2);

    // Found again by their marks alone.
    std::fs::remove_dir_all(world.state()).unwrap();
    world.is_in_sync();
    assert_eq!(world.output("HealthCheckId", EAST), after);
}

#[test]
fn a_zone_with_records_of_others_is_kept_and_they_are_named() {
    let world = World::new();
    world.apply();
    let (clients, zone) = (world.clients(), world.output("HostedZoneId", EAST));
    let record = foreign("mail.payment-system.example.com", RrType::A, "192.0.2.1");
    change(&world, &clients, &zone, ChangeAction::Create, record.clone());
    world.drctl(DESTROY).ends_with(3).says("mail.payment-system.example.com A").says("is kept");
    change(&world, &clients, &zone, ChangeAction::Delete, record);
    world.drctl(DESTROY).ends_with(0);

    // References that were used once are never taken again.
    world.drctl("destroy --confirm prod-001").ends_with(0).says("nothing to destroy");
    let things = world.things();
    assert!(!things.iter().any(|name| name.starts_with("zone") || name.starts_with("health check")), "{things:#?}");
    world.apply();
    world.is_in_sync();
}

#[test]
fn a_zone_that_is_there_is_used_and_stays() {
    let world = World::new();
    let clients = world.clients();
    let zone = create_zone(&world, &clients, "a");
    world.write_spec(|spec| spec.replace("record = \"api\"", "record = \"api\"\ncreate-zone = false"));
    world.apply();
    world.is_in_sync();
    assert_eq!(world.output("HostedZoneId", EAST), zone);
    let answered = answer(&world, &clients, &zone);
    let (id, _) = answered.split_once('.').expect("an answer is a host");
    assert!(world.output("LambdaFunctionUrl", EAST).contains(id), "{answered} is the primary's");

    let other = create_zone(&world, &clients, "b");
    world.drctl("plan").ends_with(1).says(&zone).says(&other).says("delete all but one");
    world.block_on(clients.route53.delete_hosted_zone().id(&other).send()).unwrap();
    world.drctl(DESTROY).ends_with(0);
    let left = world.block_on(clients.route53.list_hosted_zones().send()).unwrap();
    assert_eq!(left.hosted_zones().len(), 1);
    assert!(sets(&world, &clients, &zone).is_empty());
}

#[test]
fn what_a_run_made_and_did_not_come_to_tag_is_taken_up() {
    let world = World::new();
    let clients = world.clients();
    let owner = Owner { system: "payment-dr".into(), environment: "production".into(), suffix: "prod-001".into() };
    let first = |kind: &str, name: &str| Owner::generation(&owner.reference(&Address::global(kind, name)), 0);
    let zone = create_zone(&world, &clients, &first("zone", "main"));
    let config = HealthCheckConfig::builder().r#type(HealthCheckType::Https).request_interval(30);
    let config = config.fully_qualified_domain_name("gone.example.com").port(443).failure_threshold(3).build().unwrap();
    let call = clients.route53.create_health_check().caller_reference(first("health_check", EAST));
    let check = world.block_on(call.health_check_config(config).send()).unwrap().health_check.unwrap().id;
    world.drctl("plan").ends_with(0).says("~ global/zone.main").says("~ global/health_check.us-east-1");
    world.apply();
    world.is_in_sync();
    assert_eq!(world.output("HostedZoneId", EAST), zone);
    assert_eq!(world.output("HealthCheckId", EAST), check);

    // What the spec no longer says is found without a state, too, and goes in the right order.
    std::fs::remove_dir_all(world.state()).unwrap();
    world.write_spec(|spec| {
        let from = spec.find("[dns]").expect("the spec has one");
        let length = spec[from..].find("\n\n").expect("it ends");
        format!("{}{}", &spec[..from], &spec[from + length..])
    });
    world.drctl("apply --yes").ends_with(5).says("--allow global/zone.main");
    world.drctl("apply --yes --allow global/zone.main").ends_with(0).says("- global/record.api");
    world.is_in_sync();
    let left = world.block_on(clients.route53.list_hosted_zones().send()).unwrap();
    assert!(left.hosted_zones().is_empty());
}

#[test]
fn the_record_moves_to_a_zone_that_is_there_before_its_own_goes() {
    let world = World::new();
    let clients = world.clients();
    world.apply();
    let other = create_zone(&world, &clients, "a");
    world.is_in_sync();
    world.write_spec(|spec| spec.replace("record = \"api\"", "record = \"api\"\ncreate-zone = false"));
    world.drctl("apply --yes --allow global/zone.main").ends_with(0);
    world.is_in_sync();
    assert_eq!(sets(&world, &clients, &other).len(), 2);
    let left = world.block_on(clients.route53.list_hosted_zones().send()).unwrap();
    assert_eq!(left.hosted_zones().len(), 1);
}
