//! drctl is killed after every write it makes, before and after it has noted the result down, and always converges:
//! nothing is made twice and nothing is orphaned.

use std::io::{BufRead, BufReader};
use std::process::Child;

use drctl::sandbox::{faults, set_faults};
use serde_json::json;

use super::world::World;

/// Far more runs than any chain needs; a chain that makes no progress ends here.
const MOST_RUNS: usize = 400;

const DESTROY: &str = "destroy --confirm prod-001 --lift-protection --empty-buckets";

/// Runs a command again and again, killing it after its next write, until it has nothing left to do. Returns how
/// often it was killed.
fn chain(world: &World, arguments: &str) -> usize {
    for killed in 0..MOST_RUNS {
        let ended = if killed % 2 == 0 {
            kill_before_the_record(world, arguments)
        } else {
            kill_after_the_record(world, arguments)
        };
        if ended {
            return killed;
        }
    }
    panic!("`{arguments}` does not converge");
}

/// Kills the run as soon as a write is done of which it has not heard yet. Says whether it ended by itself.
fn kill_before_the_record(world: &World, arguments: &str) -> bool {
    let hold = json!([{"writes": true, "action": "hold_answer"}]);
    world.block_on(set_faults(world.endpoint(), Some(&hold))).unwrap();
    let mut child = world.start(arguments);
    let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
    let reader = std::thread::spawn(move || stderr.lines().map_while(Result::ok).collect::<Vec<_>>());
    let ended = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        let active = world.block_on(faults(world.endpoint())).unwrap();
        if active[0]["held"].as_u64() > Some(0) {
            break None;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    if ended.is_none() {
        kill(child);
    }
    world.block_on(set_faults(world.endpoint(), None)).unwrap();
    let said = reader.join().unwrap();
    ended.is_some_and(|status| {
        assert!(status.success(), "{status}: {said:#?}");
        true
    })
}

/// Kills the run as soon as it has said that a step is done. Says whether it ended by itself.
fn kill_after_the_record(world: &World, arguments: &str) -> bool {
    let mut child = world.start(arguments);
    let mut said = Vec::new();
    for line in BufReader::new(child.stderr.take().expect("it is piped")).lines().map_while(Result::ok) {
        let done = ["created in", "updated in", "replaced in", "deleted in"].iter().any(|done| line.contains(done));
        said.push(line);
        if done {
            kill(child);
            return false;
        }
    }
    let status = child.wait().unwrap();
    assert!(status.success(), "{status}: {said:#?}");
    true
}

fn kill(mut child: Child) {
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

/// Changes something of nearly every resource.
fn changed(spec: String) -> String {
    [
        (r#"cost-center = "payments""#, r#"cost-center = "resilience""#),
        ("memory = 256", "memory = 512"),
        ("reserved-concurrency = 100", "reserved-concurrency = 90"),
        (r#"after = "30d""#, r#"after = "60d""#),
        ("failure-threshold = 3", "failure-threshold = 2"),
        ("primary = 100, secondary = 0", "primary = 90, secondary = 10"),
        ("Payment gateway API credentials", "Credentials of the payment gateway"),
    ]
    .iter()
    .fold(spec, |spec, (from, to)| {
        assert!(spec.contains(from), "the shipped spec says `{from}`");
        spec.replace(from, to)
    })
}

#[test]
fn any_write_may_be_the_last_of_its_run() {
    a_life_of_crashes("");
}

#[test]
#[ignore = "takes some minutes: one write a run, hundreds of runs"]
fn any_single_write_may_be_the_last_of_its_run() {
    a_life_of_crashes(" --parallelism 1");
}

fn a_life_of_crashes(arguments: &str) {
    let world = World::new();
    let apply = format!("apply --yes{arguments}");
    let first = chain(&world, &apply);
    world.is_in_sync();
    let made = world.things();

    world.write_spec(changed);
    let update = chain(&world, &apply);
    world.is_in_sync();
    world.holds(&made);

    let destroy = chain(&world, &format!("{DESTROY}{arguments}"));
    world.holds_nothing();
    println!("killed {first} times while applying, {update} while updating, {destroy} while destroying");
}
