//! A system whose key is its own: made with it, given one later, left without one, taken down and brought back.

use aws_sdk_cloudwatch::types::{Dimension, HistoryItemType, MetricDatum};
use aws_sdk_kms::types::KeyState;
use aws_sdk_s3::types::ServerSideEncryption;
use drctl::aws::{Clients, Regional};
use drctl::graph::Region;
use drctl::sandbox::{faults, set_faults};
use serde_json::{Value, json};

use super::world::{EAST, ENCRYPTED, WEST, World};

const ALIAS: &str = "alias/payment-dr-prod-001";
const TABLE: &str = "payment-transactions-prod-001";
const SECRET: &str = "payment-api-keys-prod-001";
const FUNCTION: &str = "payment-processor-prod-001";

/// A table alone, with a key.
const SMALL: &str = "[table.payments]\nkey = \"id\"\n\n[guard]\nprotect = []\n\n[encryption]\nkey = \"customer\"\n";

fn region<'a>(clients: &'a Clients, name: &str) -> &'a Regional {
    &clients.regions[&Region::new(name)]
}

fn bucket(region: &str) -> String {
    format!("transaction-logs-{region}-prod-001")
}

/// The key's id and state in a region, by its alias.
fn key(world: &World, regional: &Regional) -> (String, KeyState) {
    let answer = world.block_on(regional.kms.describe_key().key_id(ALIAS).send()).expect("the alias leads to a key");
    let key = answer.key_metadata.expect("a key");
    (key.key_id, key.key_state.expect("a state"))
}

fn arn(region: &str, id: &str) -> String {
    format!("arn:aws:kms:{region}:000000000000:key/{id}")
}

/// With whose key each thing of a region is encrypted; nobody's is AWS's own.
fn keys(world: &World, regional: &Regional) -> Vec<Option<String>> {
    let here = regional.region.as_str();
    world.block_on(async {
        let table = regional.dynamodb.describe_table().table_name(TABLE).send().await.unwrap().table.unwrap();
        let secret = regional.secrets.describe_secret().secret_id(SECRET).send().await.unwrap();
        let bucket = regional.s3.get_bucket_encryption().bucket(bucket(here)).send().await.unwrap();
        let bucket = bucket.server_side_encryption_configuration.unwrap().rules.remove(0);
        let topic = format!("arn:aws:sns:{here}:000000000000:payment-dr-alerts-prod-001");
        let topic = regional.sns.get_topic_attributes().topic_arn(topic).send().await.unwrap();
        let group = format!("/aws/lambda/{FUNCTION}");
        let group = regional.logs.describe_log_groups().log_group_name_prefix(group).send().await.unwrap();
        let function = regional.lambda.get_function_configuration().function_name(FUNCTION).send().await.unwrap();
        vec![
            table.sse_description.and_then(|sse| sse.kms_master_key_arn),
            secret.kms_key_id,
            bucket.apply_server_side_encryption_by_default.unwrap().kms_master_key_id,
            topic.attributes.unwrap().remove("KmsMasterKeyId"),
            group.log_groups()[0].kms_key_id.clone(),
            function.kms_key_arn,
        ]
        .into_iter()
        .map(|key| key.filter(|key| !key.is_empty()))
        .collect()
    })
}

#[track_caller]
fn everything_is_encrypted_with(world: &World, clients: &Clients, id: Option<&str>) {
    for name in [EAST, WEST] {
        let wanted = vec![id.map(|id| arn(name, id)); 6];
        world.eventually("these keys", || (keys(world, region(clients, name)) == wanted).then_some(()));
    }
}

/// From now on Logs does not know the key that these calls name, two times each with one of its codes.
fn logs_see_the_key_late(world: &World, operation: &str) {
    let fault = |code: &str| {
        let message = "The specified KMS key does not exist or is not allowed to be used with Arn 'a'";
        json!({"service": "logs", "operation": operation, "action": "error", "code": code, "message": message, "times": 2})
    };
    let faults = json!([fault("InvalidParameterException"), fault("AccessDeniedException")]);
    world.block_on(set_faults(world.endpoint(), Some(&faults))).unwrap();
}

/// Pays in a region, and returns the key of the log object that this left.
fn pay(world: &World, region_name: &str) -> String {
    let paid = world.pay(region_name, None);
    assert_eq!(paid.status, 201, "{}", paid.body);
    let paid: Value = serde_json::from_str(&paid.body).unwrap();
    let s3 = region(&world.clients(), region_name).s3.clone();
    let listed = world.block_on(s3.list_objects_v2().bucket(bucket(region_name)).send()).unwrap();
    let end = format!("/{region_name}/{}.json", paid["transactionId"].as_str().unwrap());
    let mut keys = listed.contents().iter().filter_map(|object| object.key());
    keys.find(|key| key.ends_with(&end)).expect("its log is there").to_owned()
}

/// The key with which an object is encrypted in a bucket, once it is there.
fn key_of(world: &World, clients: &Clients, name: &str, object: &str) -> Option<String> {
    let s3 = &region(clients, name).s3;
    world.eventually("the object", || {
        world.block_on(s3.get_object().bucket(bucket(name)).key(object).send()).ok().map(|object| object.ssekms_key_id)
    })
}

#[test]
fn a_system_with_a_key_of_its_own_works_and_comes_back_with_it() {
    let world = World::new();
    let clients = world.clients();
    world.write_spec(|spec| format!("{spec}{ENCRYPTED}"));
    logs_see_the_key_late(&world, "CreateLogGroup");
    world.apply();
    world.is_in_sync();
    let (id, state) = key(&world, region(&clients, EAST));
    assert_eq!(state, KeyState::Enabled);
    assert_eq!(key(&world, region(&clients, WEST)), (id.clone(), KeyState::Enabled));
    everything_is_encrypted_with(&world, &clients, Some(&id));

    // What is written in one region can be read in the other, with that one's key.
    world.drctl_given("secret set", "the-value-of-the-keys", None).ends_with(0);
    for (here, there) in [(EAST, WEST), (WEST, EAST)] {
        let object = pay(&world, here);
        assert_eq!(key_of(&world, &clients, here, &object), Some(arn(here, &id)));
        assert_eq!(key_of(&world, &clients, there, &object), Some(arn(there, &id)));
    }
    alarms_reach_their_topic(&world, region(&clients, EAST));

    let destroy = "destroy --confirm prod-001 --lift-protection --empty-buckets";
    world.drctl(destroy).ends_with(0).says("global/key.main is recoverable until").says("nothing left");
    assert_eq!(key(&world, region(&clients, EAST)), (id.clone(), KeyState::PendingReplicaDeletion));
    assert_eq!(key(&world, region(&clients, WEST)), (id.clone(), KeyState::PendingDeletion));
    world.holds_nothing();
    world.drctl(destroy).ends_with(0).says("nothing to destroy");

    world.apply();
    world.is_in_sync();
    for name in [EAST, WEST] {
        assert_eq!(key(&world, region(&clients, name)), (id.clone(), KeyState::Enabled));
    }
    everything_is_encrypted_with(&world, &clients, Some(&id));
    pay(&world, EAST);
}

/// An alarm's history tells whether its topic took what it had to say.
fn alarms_reach_their_topic(world: &World, regional: &Regional) {
    let cloudwatch = &regional.cloudwatch;
    let dimension = Dimension::builder().name("TableName").value(TABLE).build();
    let datum = MetricDatum::builder().metric_name("ReadThrottleEvents").dimensions(dimension).value(11.0).build();
    world.block_on(cloudwatch.put_metric_data().namespace("AWS/DynamoDB").metric_data(datum).send()).unwrap();
    let told = world.eventually("what the alarm did", || {
        let history = cloudwatch.describe_alarm_history().alarm_name("dynamodb-read-throttle-prod-001");
        let history = world.block_on(history.history_item_type(HistoryItemType::Action).send()).unwrap();
        history.alarm_history_items().first().and_then(|item| item.history_summary().map(str::to_owned))
    });
    assert!(told.starts_with("Successfully executed action arn:aws:sns:us-east-1"), "{told}");
}

#[test]
fn a_system_that_runs_is_given_a_key_and_left_without_in_place() {
    let world = World::new();
    let clients = world.clients();
    world.apply();
    let old = pay(&world, EAST);
    let with = |key: &str| world.write_spec(|spec| format!("{spec}[encryption]\nkey = \"{key}\"\n"));

    with("customer");
    world
        .drctl("plan")
        .ends_with(0)
        .says("1 to create, ")
        .says(" to update, 0 to replace, 0 to delete")
        .says("objects that are there stay encrypted as they are")
        .says("what is logged already stays encrypted as it is");
    logs_see_the_key_late(&world, "AssociateKmsKey");
    world.apply();
    world.is_in_sync();
    let (id, _) = key(&world, region(&clients, EAST));
    everything_is_encrypted_with(&world, &clients, Some(&id));
    let new = pay(&world, WEST);
    assert_eq!(key_of(&world, &clients, EAST, &old), None);
    assert_eq!(key_of(&world, &clients, EAST, &new), Some(arn(EAST, &id)));

    // The key goes only when that is allowed, because objects are still encrypted with it.
    with("aws");
    let loss = "deleting global/key.main loses its data";
    world.drctl("plan").ends_with(0).says("global/key.main: cannot be used from then on").says(loss);
    world.drctl("apply --yes").ends_with(5).says(loss).says("--allow global/key.main");
    let first = "apply `[encryption] key = \"retired\"` first";
    world.drctl("apply --yes --allow global/key.main").ends_with(5).says(first);
    with("retired");
    world.apply();
    world.is_in_sync();
    everything_is_encrypted_with(&world, &clients, None);
    assert_eq!(key_of(&world, &clients, WEST, &new), Some(arn(WEST, &id)), "it can still be read");
    assert_eq!(key_of(&world, &clients, WEST, &pay(&world, EAST)), None);

    with("aws");
    world.drctl("apply --yes --allow global/key.main").ends_with(0);
    world.is_in_sync();
    assert_eq!(key(&world, region(&clients, EAST)), (id, KeyState::PendingReplicaDeletion));
}

/// Lets calls of these operations hang, and ends those that hang so far. Nobody may take a secret's replica away.
fn hold(world: &World, operations: &[&str]) {
    let held = operations.iter().map(|operation| json!({ "operation": operation, "action": "hold" }));
    let removal = json!({ "operation": "RemoveRegionsFromReplication", "action": "error", "code": "AccessDenied" });
    let faults: Value = held.chain([removal]).collect();
    world.block_on(set_faults(world.endpoint(), Some(&faults))).unwrap();
}

/// Applies the spec, and pays in both regions each time that it hangs in one of these operations and at the end.
/// Returns the logs, by the region that wrote them.
fn apply_and_pay(world: &World, operations: &[&str]) -> Vec<(&'static str, &'static str, String)> {
    let paid = || [(EAST, WEST), (WEST, EAST)].map(|(here, there)| (here, there, pay(world, here)));
    hold(world, &operations[..1]);
    let child = world.start("apply --yes");
    let mut logs = Vec::new();
    for (number, operation) in operations.iter().enumerate() {
        world.eventually(operation, || {
            let active = world.block_on(faults(world.endpoint())).unwrap();
            (active[0]["held"].as_u64() > Some(0)).then_some(())
        });
        logs.extend(paid());
        hold(world, operations.get(number + 1..number + 2).unwrap_or_default());
    }
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    logs.extend(paid());
    logs
}

#[test]
fn what_is_paid_while_a_key_comes_and_goes_is_logged_in_both_regions() {
    let world = World::new();
    let clients = world.clients();
    world.apply();
    world.drctl_given("secret set", "the-value-of-the-keys", None).ends_with(0);
    let with = |key: &str| world.write_spec(|spec| format!("{spec}[encryption]\nkey = \"{key}\"\n"));

    with("customer");
    let logs = apply_and_pay(&world, &["PutRolePolicy", "PutBucketReplication", "PutBucketEncryption"]);
    let (id, _) = key(&world, region(&clients, EAST));
    everything_is_encrypted_with(&world, &clients, Some(&id));
    for (here, there, log) in &logs {
        let written = key_of(&world, &clients, here, log);
        assert_eq!(key_of(&world, &clients, there, log).is_some(), written.is_some(), "{log}");
    }
    with("retired");
    for (_, there, log) in apply_and_pay(&world, &["PutBucketEncryption"]) {
        key_of(&world, &clients, there, &log);
    }
    everything_is_encrypted_with(&world, &clients, None);
    // Whoever still writes with the key has it copied.
    let put = region(&clients, EAST).s3.put_object().bucket(bucket(EAST)).key("late");
    let put = put.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(arn(EAST, &id));
    world.block_on(put.send()).unwrap();
    assert_eq!(key_of(&world, &clients, WEST, "late"), Some(arn(WEST, &id)));
}

#[test]
fn a_key_that_drctl_did_not_come_to_note_down_is_found_and_no_other_one_is_made() {
    let world = World::new();
    world.write_small_spec(SMALL);
    for operation in ["CreateKey", "CreateAlias", "ReplicateKey"] {
        let hold = json!([{"service": "kms", "operation": operation, "action": "hold_answer"}]);
        world.block_on(set_faults(world.endpoint(), Some(&hold))).unwrap();
        let mut child = world.start("apply --yes");
        world.eventually("the call", || {
            let active = world.block_on(faults(world.endpoint())).unwrap();
            (active[0]["held"].as_u64() > Some(0)).then_some(())
        });
        child.kill().expect("it runs");
        child.wait().expect("it ends");
        world.block_on(set_faults(world.endpoint(), None)).unwrap();
    }
    world.apply();
    world.is_in_sync();
    has_one_key(&world);
}

/// Checks that each region has one key and no other.
#[track_caller]
fn has_one_key(world: &World) {
    for name in [EAST, WEST] {
        let listed = world.block_on(region(&world.clients(), name).kms.list_keys().send()).unwrap();
        assert_eq!(listed.keys().len(), 1, "{name}: {listed:#?}");
    }
}

#[test]
fn a_key_whose_answer_was_lost_is_found_in_the_same_run_and_no_other_one_is_made() {
    let world = World::new();
    world.write_small_spec(SMALL);
    let lost = json!({"service": "kms", "operation": "CreateKey", "action": "lose_answer", "times": 1});
    let failed = json!({"service": "kms", "operation": "CreateKey", "action": "error", "code": "KMSInternalException",
                        "status": 500, "times": 1});
    world.block_on(set_faults(world.endpoint(), Some(&json!([failed, lost])))).unwrap();
    world.apply();
    world.is_in_sync();
    has_one_key(&world);
}

/// Its variables cannot be read then, nor can what it stores.
#[test]
fn a_key_that_does_not_work_is_shown_and_works_again_after_an_apply() {
    let world = World::new();
    let clients = world.clients();
    world.write_spec(|spec| format!("{spec}{ENCRYPTED}"));
    world.apply();
    let west = &region(&clients, WEST).kms;
    let (id, _) = key(&world, region(&clients, WEST));

    world.block_on(west.disable_key().key_id(&id).send()).unwrap();
    world.eventually("a disabled key", || (key(&world, region(&clients, WEST)).1 == KeyState::Disabled).then_some(()));
    world
        .drctl("plan")
        .ends_with(0)
        .says("members.us-west-2.enabled: false -> true")
        .says("~ us-west-2/function.payment-processor");
    world.apply();
    world.is_in_sync();
    pay(&world, WEST);

    for name in [WEST, EAST] {
        world.block_on(region(&clients, name).kms.schedule_key_deletion().key_id(&id).send()).unwrap();
    }
    world.eventually("a key about to go", || {
        (key(&world, region(&clients, EAST)).1 == KeyState::PendingReplicaDeletion).then_some(())
    });
    world.drctl("plan").ends_with(0).says("+ global/key.main");
    world.apply();
    world.is_in_sync();
    everything_is_encrypted_with(&world, &clients, Some(&id));
    pay(&world, EAST);
}

#[test]
fn a_key_of_somebody_else_under_our_alias_is_left_alone() {
    let world = World::new();
    world.write_small_spec(SMALL);
    let clients = world.clients();
    let kms = &region(&clients, WEST).kms;
    let theirs = world.block_on(kms.create_key().send()).unwrap().key_metadata.expect("a key").key_id;
    world.block_on(kms.create_alias().alias_name(ALIAS).target_key_id(&theirs).send()).unwrap();
    world.eventually("their alias", || world.block_on(kms.describe_key().key_id(ALIAS).send()).ok());
    // Its owner lets nobody else look at it; that it is not ours is seen without.
    let denied = json!([{"service": "kms", "operation": "ListResourceTags", "action": "error",
                         "code": "AccessDeniedException", "region": WEST}]);
    world.block_on(set_faults(world.endpoint(), Some(&denied))).unwrap();
    world.drctl("apply --yes").ends_with(1).says(&format!("leads to {theirs}, which is not this system's"));
    world.block_on(set_faults(world.endpoint(), None)).unwrap();
    assert_eq!(key(&world, region(&clients, WEST)), (theirs, KeyState::Enabled));
    let listed = world.block_on(region(&clients, EAST).kms.list_keys().send()).unwrap();
    assert!(listed.keys().is_empty(), "{listed:#?}");
}
