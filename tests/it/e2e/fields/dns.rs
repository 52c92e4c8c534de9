//! The zone, the health checks and the record.

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, ResourceRecordSetFailover, RrType, Tag,
    TagResourceType,
};

use super::{Outside, Row, at_creation, drifts, fixed};

const ZONE: &str = "global/zone.main";
const CHECK: &str = "global/health_check.us-east-1";
const RECORD: &str = "global/record.api";

macro_rules! set {
    ($field:literal) => {
        concat!("sets.us-east-1-prod-001.", $field)
    };
}

pub(super) const ROWS: &[Row] = &[
    at_creation("zone", "id", "AWS gives it"),
    at_creation("zone", "reference", "it is said once, and never taken twice"),
    fixed("zone", "name", "a zone is for one domain"),
    drifts("zone", "comment", ZONE, "comment"),
    drifts("zone", "tags.*", ZONE, "tags.stranger"),
    at_creation("health_check", "id", "AWS gives it"),
    at_creation("health_check", "reference", "it is said once, and never taken twice"),
    fixed("health_check", "protocol", "Route 53 does not change the type of a check"),
    fixed("health_check", "interval", "Route 53 does not change the interval of a check"),
    drifts("health_check", "host", CHECK, "host"),
    drifts("health_check", "port", CHECK, "port"),
    drifts("health_check", "path", CHECK, "path"),
    drifts("health_check", "sni", CHECK, "sni"),
    drifts("health_check", "failure_threshold", CHECK, "failure_threshold"),
    drifts("health_check", "inverted", CHECK, "inverted"),
    drifts("health_check", "disabled", CHECK, "disabled"),
    drifts("health_check", "tags.*", CHECK, "tags.stranger"),
    fixed("record", "zone", "a record is in one zone"),
    fixed("record", "zone_name", "a record is in one zone"),
    fixed("record", "name", "another name is another record"),
    drifts("record", "sets.*.value", RECORD, set!("value")),
    drifts("record", "sets.*.ttl", RECORD, set!("ttl")),
    drifts("record", "sets.*.weight", RECORD, set!("weight")),
    drifts("record", "sets.*.failover", RECORD, set!("failover")),
    drifts("record", "sets.*.health_check", RECORD, set!("health_check")),
];

pub(super) async fn change(outside: &Outside) {
    let route53 = &outside.clients.route53;
    let zones = route53.list_hosted_zones().send().await.unwrap();
    let zone = zones.hosted_zones()[0].id().rsplit('/').next().unwrap_or_default().to_owned();
    route53.update_hosted_zone_comment().id(&zone).comment("mine").send().await.unwrap();
    tag(outside, TagResourceType::Hostedzone, &zone).await;
    let sets = route53.list_resource_record_sets().hosted_zone_id(&zone).send().await.unwrap();
    let sets: Vec<_> = sets.resource_record_sets().iter().filter(|set| *set.r#type() == RrType::Cname).collect();
    let [east, west] = sets[..] else { panic!("the name has two sets: {sets:#?}") };
    check(outside, east.health_check_id().expect("it has a check")).await;
    failover(outside, &zone, east, west).await;
}

async fn check(outside: &Outside, id: &str) {
    let update = outside.clients.route53.update_health_check().health_check_id(id).port(8443).resource_path("/mine");
    let update = update.fully_qualified_domain_name("mine.example.com").enable_sni(false).failure_threshold(9);
    update.inverted(true).disabled(true).send().await.unwrap();
    tag(outside, TagResourceType::Healthcheck, id).await;
}

async fn tag(outside: &Outside, kind: TagResourceType, id: &str) {
    let stranger = Tag::builder().key("stranger").value("1").build();
    let call = outside.clients.route53.change_tags_for_resource().resource_type(kind).resource_id(id);
    call.add_tags(stranger).send().await.unwrap();
}

/// Another way of routing, with the checks exchanged, and another answer for a longer time.
async fn failover(outside: &Outside, zone: &str, east: &ResourceRecordSet, west: &ResourceRecordSet) {
    let rerouted = |set: &ResourceRecordSet, role, check: &ResourceRecordSet| {
        let mut set = set.clone();
        (set.weight, set.failover, set.health_check_id) = (None, Some(role), check.health_check_id.clone());
        set
    };
    let mut primary = rerouted(east, ResourceRecordSetFailover::Primary, west);
    primary.ttl = Some(300);
    primary.resource_records = Some(vec![ResourceRecord::builder().value("mine.example.com").build().unwrap()]);
    let changes = [
        (ChangeAction::Delete, east.clone()),
        (ChangeAction::Delete, west.clone()),
        (ChangeAction::Create, primary),
        (ChangeAction::Create, rerouted(west, ResourceRecordSetFailover::Secondary, east)),
    ];
    let change = |(action, set)| Change::builder().action(action).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().set_changes(Some(changes.map(change).to_vec())).build().unwrap();
    let call = outside.clients.route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch);
    call.send().await.unwrap();
}
