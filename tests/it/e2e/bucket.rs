//! Buckets: made, copied in both directions, repaired, and emptied before they go.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CreateBucketConfiguration, ReplicationStatus, Tag};
use drctl::graph::Region;

use super::world::{EAST, WEST, World};

const EAST_BUCKET: &str = "transaction-logs-us-east-1-prod-001";
const WEST_BUCKET: &str = "transaction-logs-us-west-2-prod-001";

/// A system of buckets only, so that nothing has to be built.
const SPEC: &str = r#"[bucket.transaction-logs]
lifecycle = [{ after = "30d", class = "STANDARD_IA" }, { after = "90d", class = "GLACIER" }]
"#;

fn world() -> World {
    let world = World::new();
    world.write_small_spec(SPEC);
    world
}

fn clients(world: &World) -> (Client, Client) {
    let clients = world.clients();
    let s3 = |region: &str| clients.regions[&Region::new(region)].s3.clone();
    (s3(EAST), s3(WEST))
}

fn put(world: &World, s3: &Client, bucket: &str, key: &str) {
    let body = ByteStream::from_static(b"{}");
    world.block_on(s3.put_object().bucket(bucket).key(key).body(body).send()).unwrap();
}

/// Waits until an object is there as a copy.
fn is_copied(world: &World, s3: &Client, bucket: &str, key: &str) {
    world.eventually(&format!("{key} in {bucket}"), || {
        let head = world.block_on(s3.head_object().bucket(bucket).key(key).send()).ok()?;
        (head.replication_status == Some(ReplicationStatus::Replica)).then_some(())
    });
}

/// How many versions and delete markers a bucket holds.
fn entries(world: &World, s3: &Client, bucket: &str) -> (usize, usize) {
    let answer = world.block_on(s3.list_object_versions().bucket(bucket).send()).unwrap();
    (answer.versions().len(), answer.delete_markers().len())
}

#[test]
fn what_is_written_in_one_region_is_there_in_the_other() {
    let world = world();
    world.drctl("plan").ends_with(0).says("5 to create");
    world.apply();
    world.is_in_sync();
    assert_eq!(world.output("S3BucketName", EAST), EAST_BUCKET);
    assert_eq!(world.output("S3BucketArn", WEST), format!("arn:aws:s3:::{WEST_BUCKET}"));

    let (east, west) = clients(&world);
    put(&world, &east, EAST_BUCKET, "from-east");
    put(&world, &west, WEST_BUCKET, "from-west");
    is_copied(&world, &west, WEST_BUCKET, "from-east");
    is_copied(&world, &east, EAST_BUCKET, "from-west");
    world.block_on(east.delete_object().bucket(EAST_BUCKET).key("from-east").send()).unwrap();
    world.eventually("a delete marker", || (entries(&world, &west, WEST_BUCKET) == (2, 1)).then_some(()));
    world.is_in_sync();
}

#[test]
fn a_lifecycle_and_a_direction_change_in_place() {
    let world = world();
    world.apply();
    let (east, _) = clients(&world);
    put(&world, &east, EAST_BUCKET, "kept");
    let colder =
        SPEC.replace("{ after = \"90d\", class = \"GLACIER\" }", "{ after = \"60d\", class = \"GLACIER_IR\" }");
    world.write_small_spec(&format!("{colder}minimum-size = \"0B\"\n"));
    world
        .drctl("plan")
        .ends_with(0)
        .says("~ us-east-1/bucket.transaction-logs spec changed")
        .says("lifecycle.drctl-transitions.larger_than: 131071 -> 0")
        .says("{days: 60, class: GLACIER_IR}")
        .says("0 to create, 2 to update, 0 to replace, 0 to delete");
    world.apply();
    world.is_in_sync();

    world.write_small_spec(&format!("{SPEC}replication = \"to-secondary\"\n"));
    world.drctl("plan").ends_with(0).says("- us-west-2/bucket_replication.transaction-logs removed from the spec");
    world.apply();
    world.is_in_sync();
    assert_eq!(entries(&world, &east, EAST_BUCKET), (1, 0), "the object is still there");
}

#[test]
fn a_destroy_empties_buckets_only_when_told_to() {
    let world = world();
    world.apply();
    let (east, west) = clients(&world);
    put(&world, &east, EAST_BUCKET, "a");
    put(&world, &east, EAST_BUCKET, "a");
    put(&world, &east, EAST_BUCKET, "b");
    world.block_on(async {
        east.delete_object().bucket(EAST_BUCKET).key("b").send().await.unwrap();
        west.create_multipart_upload().bucket(WEST_BUCKET).key("unfinished").send().await.unwrap();
    });
    world.eventually("copies", || (entries(&world, &west, WEST_BUCKET) == (3, 1)).then_some(()));

    world
        .drctl("destroy --confirm prod-001")
        .ends_with(5)
        .says(
            "data lost with us-east-1/bucket.transaction-logs: 1 objects, 3 older versions and delete markers, 6 bytes",
        )
        .says("1 unfinished uploads")
        .says("there are objects in us-east-1/bucket.transaction-logs, us-west-2/bucket.transaction-logs")
        .says("nothing was deleted")
        .says("add `--empty-buckets`");
    assert_eq!(entries(&world, &east, EAST_BUCKET), (3, 1), "nothing is deleted");
    world.is_in_sync();

    world.drctl("destroy --confirm prod-001 --empty-buckets").ends_with(0).says("nothing left");
    world.holds_nothing();
}

#[test]
fn a_locked_bucket_is_told_before_anything_is_deleted() {
    let world = world();
    let (east, _) = clients(&world);
    let tags = marks("us-east-1/bucket.transaction-logs");
    let configuration = CreateBucketConfiguration::builder().set_tags(Some(tags)).build();
    let call = east.create_bucket().bucket(EAST_BUCKET).object_lock_enabled_for_bucket(true);
    world.block_on(call.create_bucket_configuration(configuration).send()).unwrap();
    world.apply();
    world
        .drctl("destroy --confirm prod-001 --empty-buckets")
        .ends_with(5)
        .says("Object Lock is on for us-east-1/bucket.transaction-logs");
    world.is_in_sync();
}

#[test]
fn a_bucket_that_was_left_half_made_is_finished() {
    let world = world();
    let (east, west) = clients(&world);
    let tags = marks("us-east-1/bucket.transaction-logs");
    let configuration = CreateBucketConfiguration::builder().set_tags(Some(tags)).build();
    let call = east.create_bucket().bucket(EAST_BUCKET).create_bucket_configuration(configuration);
    world.block_on(call.send()).unwrap();
    world.drctl("plan").ends_with(0).says("versioning: Off -> Enabled").says("4 to create, 1 to update");
    world.apply();
    world.is_in_sync();
    drop(west);
}

#[test]
fn a_bucket_of_somebody_else_is_left_alone() {
    let world = world();
    let (east, _) = clients(&world);
    world.block_on(east.create_bucket().bucket(EAST_BUCKET).send()).unwrap();
    let refused = world.drctl("apply --yes").ends_with(5);
    refused.says("! us-east-1/bucket.transaction-logs").says("carries none of drctl's marks");
    world.drctl("destroy --confirm prod-001 --empty-buckets").ends_with(0).says("nothing to destroy");
    world.block_on(east.head_bucket().bucket(EAST_BUCKET).send()).unwrap();
}

/// The tags of a resource of this system.
fn marks(address: &str) -> Vec<Tag> {
    let marks = [("system", "payment-dr"), ("environment", "production"), ("suffix", "prod-001"), ("address", address)];
    marks.map(|(key, value)| Tag::builder().key(format!("drctl:{key}")).value(value).build().unwrap()).into()
}
