//! How fast a full bucket is emptied, and with how much memory.

use std::time::{Duration, Instant};

use aws_sdk_s3::primitives::ByteStream;
use drctl::graph::Region;
use futures::stream::{self, StreamExt};

use crate::row::{Row, Table};
use crate::world::{WEST, World};

const ENTRIES: u64 = 100_000;

/// Entries that one call lists, and that one call deletes.
const PAGE: u64 = 1_000;

/// A one-way replication, so that what is put into its target stays there alone.
const SPEC: &str = "[bucket.logs]\nreplication = \"to-secondary\"\n";

pub(crate) fn measure(table: &mut Table) {
    let world = World::new();
    world.write_small_spec(SPEC);
    world.apply();
    fill(&world);
    world.calls();
    let begun = Instant::now();
    let mut destroy = world.start("destroy --confirm prod-001 --empty-buckets");
    // Progress is not read, and must not block.
    drop(destroy.stderr.take());
    let mut peak = 0;
    let status = loop {
        peak = peak.max(resident(destroy.id()).unwrap_or_default());
        match destroy.try_wait().expect("it can be waited for") {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let time = begun.elapsed();
    assert!(status.success(), "the destroy ended with {status}");
    let calls = world.calls();
    let of = |operation: &str| {
        let calls = calls.as_array().expect("a list").iter().filter(|call| call["operation"] == operation);
        calls.map(|call| call["count"].as_u64().expect("a count")).sum::<u64>()
    };
    let (lists, deletes) = (of("ListObjectVersions"), of("DeleteObjects"));
    // Beside the floor: the destroy counts up to ten pages before it asks, and looks at empty buckets once.
    let budget = 2 * ENTRIES / PAGE * 11 / 10;
    table.add(Row {
        what: format!("a bucket of {ENTRIES} entries emptied"),
        calls: Some(lists + deletes),
        time: Some(time),
        note: format!(
            "{lists} lists, {deletes} deletes, {:.0} entries/s, peak memory {peak} MB",
            ENTRIES as f64 / time.as_secs_f64()
        ),
        budget: Some((format!("at most {budget} calls"), lists + deletes <= budget)),
    });
}

fn fill(world: &World) {
    let clients = world.clients();
    let s3 = &clients.regions[&Region::new(WEST)].s3;
    let put = |number: u64| async move {
        let body = ByteStream::from_static(b"{}");
        let call = s3.put_object().bucket("logs-us-west-2-prod-001").key(format!("{number:06}")).body(body);
        call.send().await.expect("an object");
    };
    world.block_on(stream::iter(0..ENTRIES).map(put).buffer_unordered(32).collect::<()>());
}

/// The most memory that a process has held so far, in MB.
fn resident(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}
