//! Each payment leaves one log object in the bucket of its region, and names the credentials it was authorised with.

use drctl::graph::Region;
use drctl::ops::secret_in;
use serde_json::Value;

use super::world::{EAST, WEST, World};

const SECRET: &str = "payment-api-keys-prod-001";

fn bucket(region: &str) -> String {
    format!("transaction-logs-{region}-prod-001")
}

/// The keys of the log objects that a region wrote itself, wherever replication has taken them since.
fn keys(world: &World, region: &str) -> Vec<String> {
    let s3 = world.clients().regions[&Region::new(region)].s3.clone();
    let listed = world.block_on(s3.list_objects_v2().bucket(bucket(region)).send()).unwrap();
    let keys = listed.contents().iter().filter_map(|object| object.key().map(str::to_owned));
    keys.filter(|key| key.contains(&format!("/{region}/"))).collect()
}

fn log(world: &World, region: &str, key: &str) -> Value {
    let s3 = world.clients().regions[&Region::new(region)].s3.clone();
    let bytes = world.block_on(async {
        let object = s3.get_object().bucket(bucket(region)).key(key).send().await.unwrap();
        object.body.collect().await.unwrap().into_bytes()
    });
    serde_json::from_slice(&bytes).unwrap()
}

#[test]
fn a_payment_leaves_one_log_object_in_its_regions_bucket() {
    let world = World::new();
    world.apply();
    world.drctl_given("secret set", "the-value-of-the-keys", None).ends_with(0);
    for region in [EAST, WEST] {
        let paid = world.pay(region, Some("order-1"));
        assert!(paid.status < 300, "{}", paid.body);
        let paid: Value = serde_json::from_str(&world.pay(region, None).body).unwrap();
        let id = paid["transactionId"].as_str().unwrap();
        let keys = keys(&world, region);
        let key = keys.iter().find(|key| key.ends_with(&format!("/{region}/{id}.json"))).expect("its log is there");
        let log = log(&world, region, key);
        assert_eq!(
            (&log["transactionId"], &log["amount"], &log["region"]),
            (&id.into(), &"99.99".into(), &region.into())
        );
        let secret = world.block_on(secret_in(&world.clients(), &Region::new(region), SECRET)).unwrap().unwrap();
        assert_eq!(log["credentialsVersion"].as_str(), secret.current());
        assert!(!log.to_string().contains("the-value-of-the-keys"));
    }
    // Sent again in the same region, a payment is the same one, and so is its log.
    let before = keys(&world, EAST);
    assert_eq!(world.pay(EAST, Some("order-1")).status, 200);
    assert_eq!(keys(&world, EAST), before);
}

#[test]
fn a_bucket_that_is_gone_turns_the_region_red_and_payments_go_on() {
    let world = World::new();
    world.apply();
    world.health_becomes(WEST, 200);
    let s3 = world.clients().regions[&Region::new(WEST)].s3.clone();
    world.block_on(s3.delete_bucket().bucket(bucket(WEST)).send()).unwrap();
    let red = world.health_becomes(WEST, 503);
    assert!(red.body.contains("bucket.transaction-logs does not exist"), "{}", red.body);
    assert_eq!(world.pay(WEST, None).status, 201);
    world.health_becomes(EAST, 200);
}
