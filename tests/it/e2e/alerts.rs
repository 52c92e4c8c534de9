//! Topics, their subscribers, and the alarms that publish to them.

use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StateValue};
use drctl::aws::Regional;
use drctl::graph::Region;
use serde_json::Value;

use super::world::{EAST, WEST, World};

const TOPIC: &str = "payment-dr-alerts-prod-001";
const READS: &str = "dynamodb-read-throttle-prod-001";
const LATENCY: &str = "dynamodb-replication-latency-prod-001";

/// The production spec with a table, and alarms on it; without functions there is nothing to build.
const SPEC: &str = r#"[alert]
emails = ["ops@example.com", "oncall@example.com"]

[table.payments]
key = "id"

[guard]
protect = []
"#;

fn world() -> World {
    let world = World::new();
    world.write_small_spec(SPEC);
    world
}

fn region<'a>(clients: &'a drctl::aws::Clients, name: &str) -> &'a Regional {
    &clients.regions[&Region::new(name)]
}

fn topic_arn(region: &str) -> String {
    format!("arn:aws:sns:{region}:000000000000:{TOPIC}")
}

fn count(calls: &Value, operation: &str) -> u64 {
    let entries = calls.as_array().expect("a list of calls");
    entries.iter().filter(|entry| entry["operation"] == operation).filter_map(|entry| entry["count"].as_u64()).sum()
}

/// Follows the link of the mail: the sandbox's token is the address itself.
fn confirm(world: &World, regional: &Regional, email: &str) {
    let call = regional.sns.confirm_subscription().topic_arn(topic_arn(regional.region.as_str())).token(email);
    world.block_on(call.send()).expect("the subscription waits for this");
}

fn endpoints(world: &World, regional: &Regional) -> Vec<String> {
    let call = regional.sns.list_subscriptions_by_topic().topic_arn(topic_arn(regional.region.as_str()));
    let answer = world.block_on(call.send()).expect("the topic is there");
    let mut found: Vec<_> =
        answer.subscriptions().iter().filter_map(|entry| entry.endpoint().map(str::to_owned)).collect();
    found.sort();
    found
}

#[test]
fn a_mail_to_confirm_is_sent_once_and_waited_for_without_end() {
    let world = world();
    world.calls();
    let waits =
        "us-east-1/subscription.ops@example.com waits for you: confirm the subscription mail sent to ops@example.com";
    world.apply().says(waits);
    assert_eq!(count(&world.calls(), "Subscribe"), 4, "two addresses in two regions");
    world.is_in_sync();
    world.drctl("plan").ends_with(0).says(waits);
    world.drctl("apply --yes").ends_with(0).says("no changes");
    let calls = world.calls();
    assert_eq!(count(&calls, "Subscribe"), 0);
    assert_eq!(count(&calls, "ListSubscriptionsByTopic") % 2, 0, "one listing for a topic");

    let clients = world.clients();
    confirm(&world, region(&clients, EAST), "ops@example.com");
    world.eventually("the confirmation", || {
        let plan = world.drctl("plan --detailed-exitcode").ends_with(0);
        (!plan.stdout.contains(waits) && !plan.stderr.contains(waits)).then_some(())
    });
}

#[test]
fn an_address_or_an_alarm_that_leaves_the_spec_goes() {
    let world = world();
    world.apply();
    let clients = world.clients();
    let (east, west) = (region(&clients, EAST), region(&clients, WEST));
    confirm(&world, east, "oncall@example.com");
    std::thread::sleep(std::time::Duration::from_millis(500));

    let off = "[alarm.dynamodb-read-throttle]\nenabled = false\n";
    world.write_small_spec(&format!("{}{off}", SPEC.replace(", \"oncall@example.com\"", "")));
    world
        .drctl("plan")
        .ends_with(0)
        .says("- us-west-2/subscription.oncall@example.com removed from the spec")
        .says("- us-east-1/alarm.dynamodb-read-throttle removed from the spec")
        .says("0 to create, 0 to update, 0 to replace, 4 to delete");
    world.apply();
    world.is_in_sync();
    assert_eq!(endpoints(&world, east), ["ops@example.com"]);
    // Nobody can take back a mail that was not answered: AWS lets it lapse.
    assert_eq!(endpoints(&world, west), ["oncall@example.com", "ops@example.com"]);
    let alarms = world.block_on(east.cloudwatch.describe_alarms().alarm_names(READS).send()).unwrap();
    assert!(alarms.metric_alarms().is_empty());

    world.drctl("destroy --confirm prod-001").ends_with(0).says("nothing left");
    for regional in [east, west] {
        let topics = world.block_on(regional.sns.list_topics().send()).unwrap();
        assert!(topics.topics().is_empty(), "{topics:#?}");
        let subscriptions = world.block_on(regional.sns.list_subscriptions().send()).unwrap();
        assert!(subscriptions.subscriptions().is_empty(), "{subscriptions:#?}");
        let alarms = world.block_on(regional.cloudwatch.describe_alarms().send()).unwrap();
        assert!(alarms.metric_alarms().is_empty(), "{alarms:#?}");
    }
}

#[test]
fn what_is_deleted_outside_is_made_again() {
    let world = world();
    world.apply();
    let clients = world.clients();
    let (east, west) = (region(&clients, EAST), region(&clients, WEST));
    world.block_on(east.sns.delete_topic().topic_arn(topic_arn(EAST)).send()).unwrap();
    world.block_on(west.cloudwatch.delete_alarms().alarm_names(LATENCY).send()).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    world
        .drctl("plan")
        .ends_with(0)
        .says("+ us-east-1/topic.alerts drifted: changed outside drctl")
        .says("+ us-east-1/subscription.ops@example.com drifted: changed outside drctl")
        .says("+ us-west-2/alarm.dynamodb-replication-latency drifted: changed outside drctl");
    world.apply();
    world.is_in_sync();
    assert_eq!(endpoints(&world, east), ["oncall@example.com", "ops@example.com"]);
}

#[test]
fn an_alarm_fires_and_is_over_when_there_is_no_more_data() {
    let world = world();
    world.write_small_spec(&format!("{SPEC}[alarm.dynamodb-read-throttle]\nover = \"1m\"\n"));
    world.apply();
    let clients = world.clients();
    let cloudwatch = &region(&clients, EAST).cloudwatch;
    let state = || {
        let answer = world.block_on(cloudwatch.describe_alarms().alarm_names(READS).send()).expect("an answer");
        answer.metric_alarms().first().and_then(|alarm| alarm.state_value().cloned())
    };
    let becomes = |wanted: StateValue| {
        world.eventually(wanted.as_str(), || (state().as_ref() == Some(&wanted)).then_some(()));
    };
    // Without data nothing was throttled, also for DynamoDB, whose alarms ignore missing data.
    becomes(StateValue::Ok);
    let dimension = Dimension::builder().name("TableName").value("payments-prod-001").build();
    let datum = MetricDatum::builder().metric_name("ReadThrottleEvents").dimensions(dimension).value(11.0).build();
    world.block_on(cloudwatch.put_metric_data().namespace("AWS/DynamoDB").metric_data(datum).send()).unwrap();
    becomes(StateValue::Alarm);
    world.is_in_sync();
    becomes(StateValue::Ok);
}
