//! What somebody made by hand becomes drctl's: all of it, or one address.

use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use aws_sdk_route53::types::{Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use drctl::aws::Clients;
use drctl::sandbox::set_faults;
use serde_json::json;

use super::super::world::{EAST, World};
use super::{data_is_there, east, only_marked, put_data};

const TABLE: &str = "payments-prod-001";
const BUCKET: &str = "logs-us-east-1-prod-001";
const SPEC: &str = "[table.payments]\nkey = \"transactionId\"\n[bucket.logs]\n";

/// A table and a bucket with none of the settings that drctl would have given them, and with data.
fn make(world: &World, clients: &Clients) {
    let key = KeySchemaElement::builder().attribute_name("transactionId").key_type(KeyType::Hash).build().unwrap();
    let text = AttributeDefinition::builder().attribute_name("transactionId").attribute_type(ScalarAttributeType::S);
    let table = east(clients).dynamodb.create_table().table_name(TABLE).key_schema(key);
    let table = table.attribute_definitions(text.build().unwrap()).billing_mode(BillingMode::PayPerRequest);
    world.block_on(table.send()).unwrap();
    world.block_on(east(clients).s3.create_bucket().bucket(BUCKET).send()).unwrap();
    world.eventually("an active table", || {
        let table = world.block_on(east(clients).dynamodb.describe_table().table_name(TABLE).send()).ok()?.table?;
        (table.table_status?.as_str() == "ACTIVE").then_some(())
    });
    put_data(world, clients, TABLE, BUCKET);
}

#[test]
fn a_table_and_a_bucket_are_adopted_one_by_one_with_their_data() {
    let world = World::new();
    world.write_small_spec(SPEC);
    let clients = world.clients();
    make(&world, &clients);
    world.drctl("plan").ends_with(5).says("drctl adopt --all");

    world.drctl("adopt").ends_with(64);
    world.drctl("adopt us-east-1/bucket.log").ends_with(64).says("did you mean `us-east-1/bucket.logs`?");
    world.drctl("adopt us-west-2/bucket.logs --yes").ends_with(64).says("nothing is live at us-west-2/bucket.logs");
    world.drctl("adopt global/table.payments").ends_with(5).says("add `--yes` to adopt without being asked");
    world.calls();
    let adopted = world.drctl("adopt global/table.payments --yes").ends_with(0);
    adopted.says("@ us-east-1/table_replica.payments").says("regions: [us-east-1] -> [us-east-1, us-west-2]");
    only_marked(&world);
    world.drctl("adopt global/table.payments --yes").ends_with(0).says("this system's already: global/table.payments");
    world.drctl("plan").ends_with(5).says("drctl adopt us-east-1/bucket.logs");

    // The bucket's marks cannot be written at first; what is done stays done.
    let denied = json!([{ "service": "s3", "operation": "PutBucketTagging", "action": "error", "code": "AccessDenied",
                          "status": 403, "times": 1 }]);
    world.block_on(set_faults(world.endpoint(), Some(&denied))).unwrap();
    world.drctl("adopt --all --yes").ends_with(1).says("AccessDenied").says("drctl adopt");
    world.drctl("adopt --all --yes").ends_with(0).says("this system's already: 2 resources");
    let plan = world.drctl("plan").ends_with(0);
    plan.says("~ us-east-1/bucket.logs differs from the spec").says("versioning: Off -> Enabled");
    world.apply();
    world.is_in_sync();
    data_is_there(&world, &clients, TABLE, BUCKET);
}

#[test]
fn what_carries_the_marks_of_another_system_is_never_adopted() {
    let world = World::new();
    world.write_small_spec(SPEC);
    let clients = world.clients();
    world.drctl("apply --yes --target us-east-1/bucket.logs --set system.name=another").ends_with(0);
    world.calls();
    let refused = world.drctl("adopt --all --yes").ends_with(5).says("nothing was adopted");
    refused.says("us-east-1/bucket.logs belongs to another system (another, suffix prod-001)");
    only_marked(&world);
    let tags = world.block_on(east(&clients).s3.get_bucket_tagging().bucket(BUCKET).send()).unwrap();
    assert!(tags.tag_set().iter().any(|tag| tag.value() == "another"));
}

#[test]
fn a_name_in_a_zone_of_others_is_adopted_by_being_recorded() {
    let world = World::new();
    let clients = world.clients();
    world.write_spec(|spec| spec.replace("record = \"api\"", "record = \"api\"\ncreate-zone = false"));
    let zone = clients.route53.create_hosted_zone().name("payment-system.example.com").caller_reference("a");
    let zone = world.block_on(zone.send()).unwrap().hosted_zone.unwrap().id;
    let value = ResourceRecord::builder().value("192.0.2.1").build().unwrap();
    let set = ResourceRecordSet::builder().name("api.payment-system.example.com").r#type(RrType::A).ttl(300);
    let set = set.resource_records(value).build().unwrap();
    let change = Change::builder().action(ChangeAction::Create).resource_record_set(set).build().unwrap();
    let batch = ChangeBatch::builder().changes(change).build().unwrap();
    let call = clients.route53.change_resource_record_sets().hosted_zone_id(&zone).change_batch(batch);
    world.block_on(call.send()).unwrap();

    let refused = world.drctl("apply --yes").ends_with(5).says("! global/record.api");
    refused.says("drctl adopt global/record.api");
    world.calls();
    world.drctl("adopt global/record.api --yes").ends_with(0).says("@ global/record.api");
    only_marked(&world);
    world.apply();
    world.is_in_sync();
    std::fs::remove_dir_all(world.state()).unwrap();
    world.is_in_sync();
    assert_eq!(world.output("HostedZoneId", EAST), zone.rsplit('/').next().unwrap_or_default());
}
