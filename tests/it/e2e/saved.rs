//! Plans that are saved, and carried out later exactly as they were shown, or not at all.

use std::io::{Cursor, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use drctl::graph::Region;
use drctl::sandbox::set_faults;
use serde_json::json;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::world::{EAST, WEST, World};

const FUNCTION: &str = "payment-processor-prod-001";

/// A function in both regions, with what it needs.
fn function(memory: u32, timeout: u32) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    format!(
        "[function.payment-processor]\nsource = \"{root}/functions/payment-processor\"\nmemory = {memory}\n\
         timeout = \"{timeout}s\"\n"
    )
}

/// Where a world keeps a plan.
fn file(world: &World, name: &str) -> PathBuf {
    world.home().join(format!("{name}.plan"))
}

/// Memory and time-out of the function in a region.
fn settings(world: &World, region: &str) -> (i32, i32) {
    let lambda = &world.clients().regions[&Region::new(region)].lambda;
    let call = lambda.get_function_configuration().function_name(FUNCTION).send();
    let answer = world.block_on(call).expect("the function is there");
    (answer.memory_size.expect("it has a memory"), answer.timeout.expect("it has a time-out"))
}

fn set_timeout(world: &World, region: &str, timeout: i32) {
    let lambda = &world.clients().regions[&Region::new(region)].lambda;
    let call = lambda.update_function_configuration().function_name(FUNCTION).timeout(timeout).send();
    world.block_on(call).expect("it can be set");
    world.eventually("another time-out", || (settings(world, region).1 == timeout).then_some(()));
}

/// The same archive with one of its texts changed.
fn forged(file: &Path, part: &str, change: impl Fn(&str) -> String) -> Vec<u8> {
    let mut archive = ZipArchive::new(Cursor::new(std::fs::read(file).unwrap())).unwrap();
    let mut forged = ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..archive.len() {
        let mut content = Vec::new();
        let mut entry = archive.by_index(at).unwrap();
        let name = entry.name().unwrap().into_owned();
        entry.read_to_end(&mut content).unwrap();
        if name == part {
            content = change(&String::from_utf8(content).unwrap()).into_bytes();
        }
        forged.start_file(name, SimpleFileOptions::default()).unwrap();
        forged.write_all(&content).unwrap();
    }
    forged.finish().unwrap().into_inner()
}

#[test]
fn a_saved_plan_is_carried_out_as_it_was_shown_or_not_at_all() {
    let world = World::new();
    world.write_small_spec(&function(256, 10));
    let first = file(&world, "first");
    let plan = format!("plan --out {}", first.display());
    world.drctl(&plan).ends_with(0).says("6 to create").says(&format!("saved: `drctl apply {}`", first.display()));
    let bytes = std::fs::read(&first).unwrap();
    assert_eq!(std::fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
    world.drctl(&plan).ends_with(0);
    assert_eq!(std::fs::read(&first).unwrap(), bytes, "the same plan is the same file");

    // The spec beside it may have moved on, and a run may be stopped in the middle.
    world.write_small_spec(&function(512, 10));
    let apply = format!("apply {} --yes", first.display());
    let west = json!([{"service": "lambda", "operation": "CreateFunction", "region": WEST, "action": "error",
        "code": "AccessDeniedException", "status": 403, "message": "not now"}]);
    world.block_on(set_faults(world.endpoint(), Some(&west))).unwrap();
    world.drctl(&apply).ends_with(3).says(&format!("run `drctl apply {} --sandbox` again", first.display()));
    world.block_on(set_faults(world.endpoint(), None)).unwrap();
    world.drctl(&apply).ends_with(0).says("1 to create, 0 to update").says("applied: 1 change done");
    world.drctl(&apply).ends_with(0).says("no changes: 6 resources live as the spec says");
    assert_eq!((settings(&world, EAST), settings(&world, WEST)), ((256, 10), (256, 10)));

    let second = file(&world, "second");
    world.drctl(&format!("plan --out {}", second.display())).ends_with(0).says("memory: 256 -> 512");
    assert!(std::fs::metadata(&second).unwrap().len() < 100_000, "another setting needs no code");
    set_timeout(&world, WEST, 42);
    let apply = format!("apply {} --yes", second.display());
    let stale = world.drctl(&apply).ends_with(5).says("is stale; nothing was changed");
    let stale = stale.says("us-west-2/function.payment-processor: timeout was 10, and is 42");
    stale.says("make a new plan with `drctl plan --out FILE`");
    assert_eq!((settings(&world, EAST), settings(&world, WEST)), ((256, 10), (256, 42)));
    set_timeout(&world, WEST, 10);
    world.drctl(&apply).ends_with(0).says("0 to create, 2 to update");
    world.is_in_sync();

    // Another state is another memory of what was made, and of what is overridden.
    let state = world.state().join("payment-dr-prod-001.json");
    let known = std::fs::read_to_string(&state).unwrap();
    world.drctl(&format!("plan --out {}", second.display())).ends_with(0);
    std::fs::remove_file(&state).unwrap();
    let other = world.drctl(&apply).ends_with(5).says("the state is another one than it was made with");
    other.says(&format!("there is none in the folder {}", world.state().display()));
    std::fs::write(&state, known).unwrap();
    world.drctl(&apply).ends_with(0);
}

#[test]
fn a_saved_plan_is_kept_from_what_a_plan_is_kept_from() {
    let world = World::new();
    world.write_small_spec("[table.ledger]\nkey = \"id\"\n[secret.key]\ndescription = \"Signs\"\n");
    let saved = file(&world, "p");
    let (plan, apply) = (format!("plan --out {}", saved.display()), format!("apply {}", saved.display()));
    world.drctl(&plan).ends_with(0);
    world.drctl(&apply).ends_with(5).says("there is no terminal to ask on");
    world.drctl(&format!("{apply} --yes --target us-east-1")).ends_with(64);
    world.drctl(&format!("{apply} --yes -f {}", world.spec().display())).ends_with(64);
    world.drctl(&format!("{apply} --yes")).ends_with(0);

    world.write_small_spec("[table.ledger]\nkey = \"id\"\nttl = \"expires\"\n");
    let loss = "deleting global/secret.key loses its data";
    world.drctl(&plan).ends_with(0).says(loss).says("saved: ");
    world.drctl(&format!("{apply} --yes")).ends_with(5).says(loss);
    world.drctl(&format!("{plan} --target global/table")).ends_with(0).says("0 to create, 1 to update");
    world.drctl(&format!("{apply} --yes")).ends_with(0).says("is not in the saved plan, and left out");
    world.drctl("plan").ends_with(0).says("0 to create, 0 to update, 0 to replace, 1 to delete");
    world.drctl(&plan).ends_with(0);
    world.drctl(&format!("{apply} --yes --allow global/secret.key")).ends_with(0);
    world.is_in_sync();
}

#[test]
fn a_plan_file_that_is_damaged_or_forged_is_refused() {
    let world = World::new();
    world.write_small_spec(&function(256, 10));
    let saved = file(&world, "p");
    let apply = format!("apply {} --yes", saved.display());
    world.drctl(&apply).ends_with(1).says("cannot be read").says("name the file that `drctl plan --out FILE` wrote");
    world.drctl(&format!("plan --out {}", saved.display())).ends_with(0);
    let whole = std::fs::read(&saved).unwrap();
    let more = |text: &str| text.replace("\"memory\": 256", "\"memory\": 512");
    let forgeries: [(&str, Vec<u8>, &str); 5] = [
        ("truncated", whole[..whole.len() / 2].to_vec(), "is no plan that drctl saved, or is damaged"),
        ("foreign", b"#!/bin/sh\n".to_vec(), "is no plan that drctl saved, or is damaged"),
        (
            "newer",
            forged(&saved, "plan.json", |text| text.replacen(": 2,", ": 7,", 1)),
            "in format 7; this one knows format 2",
        ),
        (
            "of another account",
            forged(&saved, "plan.json", |text| {
                text.replace("\"account\": \"000000000000\"", "\"account\": \"123456789012\"")
            }),
            "these credentials are for account 000000000000, and the plan is for 123456789012",
        ),
        // What is done comes from the spec in the file, and what was shown has to be the same.
        ("with another plan", forged(&saved, "plan.json", more), "memory was to be 512, and would now be 256"),
    ];
    for (how, bytes, says) in forgeries {
        assert_ne!(bytes, whole, "{how}");
        std::fs::write(&saved, &bytes).unwrap();
        world.drctl(&apply).ends_with(5).says(says);
    }
    let spec = forged(&saved, "spec.toml", |text| text.replace("memory = 256", "memory = 512"));
    std::fs::write(&saved, spec).unwrap();
    world.drctl(&apply).ends_with(5).says("its spec.toml is not the one that the plan was made of");
}

#[test]
fn a_saved_plan_finds_its_state_in_the_buckets_of_its_spec() {
    let world = World::new();
    let tables = "[state]\nbucket = \"drctl-state\"\n[secret.key]\ndescription = \"Signs\"\n";
    world.write_small_spec(tables);
    world.drctl("state init").ends_with(0);
    let saved = file(&world, "p");
    let (plan, apply) = (format!("plan --out {}", saved.display()), format!("apply {} --yes", saved.display()));
    world.drctl(&plan).ends_with(0);
    std::fs::remove_file(world.spec()).unwrap();
    world.drctl(&apply).ends_with(0).says("applied: 1 change done");
    assert!(!world.state().join("payment-dr-prod-001.json").exists(), "nothing is kept here");
    world.write_small_spec(&tables.replace("Signs", "Signs all"));
    world.drctl(&plan).ends_with(0);
    world.drctl("state rebuild --yes").ends_with(0);
    world.drctl(&apply).ends_with(5).says("something else was applied since it was made");
    world.drctl(&plan).ends_with(0);
    world.drctl(&apply).ends_with(0).says("applied: 1 change done");
    world.is_in_sync();
}

#[test]
fn an_old_plan_is_not_carried_out_again_in_a_world_that_looks_as_it_did() {
    let world = World::new();
    let (bare, with_url) = (function(256, 10), format!("{}url = {{ auth = \"iam\" }}\n", function(256, 10)));
    world.write_small_spec(&with_url);
    world.drctl("apply --yes").ends_with(0);
    let saved = file(&world, "p");
    let (plan, apply) = (format!("plan --out {}", saved.display()), format!("apply {} --yes", saved.display()));
    world.write_small_spec(&bare);
    world.drctl(&plan).ends_with(0).says("2 to delete");
    world.drctl(&apply).ends_with(0).says("applied: 2 changes done");
    world.drctl(&apply).ends_with(0).says("no changes");

    // Rolled back: the job that applied the plan is run again by mistake.
    world.write_small_spec(&with_url);
    world.drctl("apply --yes").ends_with(0);
    world.drctl(&apply).ends_with(5).says("something else was applied since it was made");
    world.is_in_sync();

    // A plan that comes to nothing leaves no old one behind.
    world.write_small_spec("[function.payment-processor]\nsource = 7\n");
    world.drctl(&plan).ends_with(4);
    world.drctl(&apply).ends_with(1).says("cannot be read");
}
