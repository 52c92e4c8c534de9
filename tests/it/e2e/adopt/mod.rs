//! What somebody made by hand, or CloudFormation, becomes drctl's and stays what it is.

mod by_hand;
mod stacks;

use aws_sdk_dynamodb::types::AttributeValue;
use drctl::aws::{Clients, Regional};
use drctl::graph::Region;

use super::world::{EAST, World};

/// The calls by which resources are marked.
const MARKING: [&str; 4] = ["TagResource", "TagRole", "PutBucketTagging", "ChangeTagsForResource"];

/// The clients of us-east-1.
fn east(clients: &Clients) -> &Regional {
    &clients.regions[&Region::new(EAST)]
}

/// Every call since this was last asked that is no read.
fn writes(world: &World) -> Vec<String> {
    let calls = world.calls();
    let operations = calls.as_array().expect("a list").iter().filter_map(|call| call["operation"].as_str());
    let reads = ["Get", "List", "Describe", "Head", "Query", "Scan", "Invoke", "Batch", "Test"];
    let writes = operations.filter(|operation| !reads.iter().any(|read| operation.starts_with(read)));
    writes.map(str::to_owned).collect()
}

/// Checks that nothing was written since this was last asked but marks.
#[track_caller]
fn only_marked(world: &World) {
    let others: Vec<_> = writes(world).into_iter().filter(|write| !MARKING.contains(&write.as_str())).collect();
    assert_eq!(others, [""; 0]);
}

/// Puts an item into a table, and an object into a bucket.
fn put_data(world: &World, clients: &Clients, table: &str, bucket: &str) {
    let (put, text) =
        (east(clients).dynamodb.put_item().table_name(table), |text: &str| AttributeValue::S(text.into()));
    world.block_on(put.item("transactionId", text("t-1")).item("customerId", text("c-1")).send()).unwrap();
    let object = east(clients).s3.put_object().bucket(bucket).key("kept").body(b"as it was".to_vec().into());
    world.block_on(object.send()).unwrap();
}

/// Checks that both are still there.
#[track_caller]
fn data_is_there(world: &World, clients: &Clients, table: &str, bucket: &str) {
    let get = east(clients).dynamodb.get_item().table_name(table).key("transactionId", AttributeValue::S("t-1".into()));
    assert!(world.block_on(get.send()).unwrap().item.is_some(), "the item is gone");
    let object = world.block_on(east(clients).s3.get_object().bucket(bucket).key("kept").send()).unwrap();
    assert_eq!(world.block_on(object.body.collect()).unwrap().to_vec(), b"as it was");
}
