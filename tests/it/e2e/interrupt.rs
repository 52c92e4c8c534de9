//! Ctrl-C: the first lets a run finish what it has begun, the second stops it at once, and the next run continues.

use std::io::{BufRead, BufReader};
use std::process::Child;

use drctl::sandbox::{faults, set_faults};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::world::World;

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("it runs");
}

/// Sends `signal` as soon as a line holds `after`, and reads on to the end.
fn run_and_send(mut child: Child, after: &str, signal: Signal) -> (Option<i32>, String) {
    let (mut said, mut sent) = (String::new(), false);
    for line in BufReader::new(child.stderr.take().expect("it is piped")).lines().map_while(Result::ok) {
        said += &format!("{line}\n");
        if !sent && line.contains(after) {
            send(&child, signal);
            sent = true;
        }
    }
    assert!(sent, "`{after}` is not in\n{said}");
    (child.wait().expect("it ends").code(), said)
}

#[test]
fn the_first_interrupt_finishes_what_runs_and_the_next_apply_continues() {
    let world = World::new();
    for signal in [Signal::INT, Signal::TERM] {
        let (code, said) = run_and_send(world.start("apply --yes"), " created in ", signal);
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("stopping: finishing what runs"), "{said}");
        assert!(said.contains("not started: interrupted"), "{said}");
        assert!(!said.contains('✗'), "nothing was cut in half: {said}");
    }
    world.apply();
    world.is_in_sync();
}

#[test]
fn a_run_that_nobody_listens_to_any_more_goes_on() {
    let world = World::new();
    world.write_small_spec("[table.payments]\nkey = \"id\"\n");
    let mut child = world.start("apply --yes");
    drop(child.stderr.take());
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    world.is_in_sync();
}

#[test]
fn the_second_interrupt_stops_at_once() {
    let world = World::new();
    let hold = json!([{"action": "hold", "service": "dynamodb", "operation": "CreateTable"}]);
    world.block_on(set_faults(world.endpoint(), Some(&hold))).unwrap();
    let mut child = world.start("apply --yes");
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines().map_while(Result::ok);
    world.eventually("a step under way", || {
        let active = world.block_on(faults(world.endpoint())).unwrap();
        (active[0]["held"].as_u64() > Some(0)).then_some(())
    });
    send(&child, Signal::INT);
    assert!(lines.any(|line| line.contains("press Ctrl-C again to stop at once")));
    send(&child, Signal::INT);
    let said: Vec<_> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{said:#?}");
    assert!(said.iter().any(|line| line.contains("stopped: run the same command again")), "{said:#?}");
    world.block_on(set_faults(world.endpoint(), None)).unwrap();
    world.apply();
    world.is_in_sync();
}

#[test]
fn an_interrupt_before_anything_is_changed_ends_at_once() {
    let world = World::new();
    let hold = json!([{"action": "hold", "service": "route53"}]);
    for (command, signal) in [("plan", Signal::INT), ("apply --yes", Signal::INT), ("plan", Signal::TERM)] {
        world.block_on(set_faults(world.endpoint(), Some(&hold))).unwrap();
        let mut child = world.start(command);
        world.eventually("a look at AWS", || {
            let active = world.block_on(faults(world.endpoint())).unwrap();
            (active[0]["held"].as_u64() > Some(0)).then_some(())
        });
        send(&child, signal);
        let said: Vec<_> =
            BufReader::new(child.stderr.take().expect("it is piped")).lines().map_while(Result::ok).collect();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{said:#?}");
        assert!(said.iter().any(|line| line == "interrupted: nothing in AWS was changed"), "{said:#?}");
    }
    assert!(!world.state().join("payment-dr-prod-001.json").exists(), "nothing was made");
}
