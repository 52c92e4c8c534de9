//! Every call that an apply makes goes wrong in every way that AWS has, and the apply still gets there.

use std::time::Instant;

use drctl::sandbox::set_faults;
use serde_json::{Value, json};

use super::world::{Run, World};

/// A fault of the given kind for each of these calls, `times` times each.
fn faults_of(calls: &[Value], fault: &Value, times: u64) -> Value {
    let of_call = |call: &Value| {
        let mut rule = fault.clone();
        for key in ["service", "operation", "region"] {
            rule[key] = call[key].clone();
        }
        rule["times"] = times.into();
        rule
    };
    calls.iter().map(of_call).collect()
}

/// The calls that drctl itself makes in a first apply.
fn calls_of_an_apply(world: &World) -> Vec<Value> {
    world.calls();
    world.apply();
    let calls = world.calls().as_array().expect("a list").clone();
    calls.into_iter().filter(|call| call["operation"] != "InvokeFunctionUrl").collect()
}

/// Applies from nothing while `fault` strikes, at most `most` times; returns what the runs before the last one said.
fn apply_under(world: &World, fault: &Value, most: usize) -> Vec<Run> {
    world.drctl("sandbox reset").ends_with(0);
    world.block_on(set_faults(world.endpoint(), Some(fault))).unwrap();
    let mut failed = Vec::new();
    loop {
        let run = world.drctl("apply --yes");
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
        if run.code == 0 {
            world.block_on(set_faults(world.endpoint(), None)).unwrap();
            world.is_in_sync();
            return failed;
        }
        assert!([1, 3].contains(&run.code), "it ended with {}: {}", run.code, run.stderr);
        failed.push(run);
        assert!(failed.len() < most, "it does not get there: {:#?}", failed.last());
    }
}

/// The ways in which a call goes wrong that may go right when it is made again.
fn passing() -> [(&'static str, Value); 5] {
    [
        ("throttled", json!({"action": "error"})),
        ("500", json!({"action": "error", "code": "InternalFailure", "status": 500})),
        ("503", json!({"action": "error", "code": "ServiceUnavailable", "status": 503})),
        ("connection reset", json!({"action": "drop"})),
        ("answer lost after the work was done", json!({"action": "lose_answer"})),
    ]
}

#[test]
fn one_apply_gets_there_though_each_of_its_calls_goes_wrong_once() {
    let world = World::new();
    let calls = calls_of_an_apply(&world);
    for (name, fault) in passing() {
        println!("{name}");
        apply_under(&world, &faults_of(&calls, &fault, 1), 1);
    }
}

#[test]
#[ignore = "takes ten minutes, most of it the SDK's pauses between attempts"]
fn one_apply_gets_there_though_each_of_its_calls_goes_wrong_three_times() {
    let world = World::new();
    let calls = calls_of_an_apply(&world);
    let slow = json!({"action": "latency", "delay_ms": 100});
    let spikes = json!({"action": "latency", "delay_ms": 5000});
    for (name, fault, times) in passing()
        .map(|(name, fault)| (name, fault, 3))
        .into_iter()
        .chain([("100 ms a call", slow, 1_000_000), ("a spike of 5 s for each call", spikes, 1)])
    {
        let begun = Instant::now();
        apply_under(&world, &faults_of(&calls, &fault, times), 1);
        println!("{name}: {} s", begun.elapsed().as_secs());
    }
}

#[test]
fn an_answer_that_cannot_be_read_is_named_and_nothing_is_lost() {
    let world = World::new();
    let calls = calls_of_an_apply(&world);
    for action in ["truncate", "garble"] {
        let failed = apply_under(&world, &faults_of(&calls, &json!({"action": action}), 1), 40);
        println!("{action}: {} runs before the last one", failed.len());
        for run in failed {
            let named = ["the answer cannot be read", "MalformedAnswer"].iter().any(|text| run.stderr.contains(text));
            assert!(named, "{}", run.stderr);
        }
    }
}
