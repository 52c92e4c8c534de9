//! The state in S3: shared, locked, and there as long as one region is.

use std::io::{BufRead, BufReader};
use std::process::Child;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use drctl::graph::Region;
use drctl::sandbox::{faults, set_faults};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::world::{EAST, WEST, World};

/// What is made quickly, in both regions.
const SPEC: &str = r#"
[state]
bucket = "drctl-state-acme"

[timeout]
observe = "8s"

[table.ledger]
key = "id"

[secret.keys]
"#;

const INDEX: &str = "payment-dr-prod-001.json";
const LOCK: &str = "payment-dr-prod-001.lock";

/// A world whose state is to be in S3, with the buckets made.
fn shared() -> World {
    let world = World::new();
    world.write_small_spec(SPEC);
    world.drctl("state init").ends_with(0);
    world
}

/// One of the state buckets.
struct Bucket<'a> {
    world: &'a World,
    s3: Client,
    name: String,
}

impl<'a> Bucket<'a> {
    fn both(world: &'a World) -> [Self; 2] {
        let clients = world.clients();
        [EAST, WEST].map(|region| Self {
            world,
            s3: clients.regions[&Region::new(region)].s3.clone(),
            name: format!("drctl-state-acme-{region}"),
        })
    }

    fn text(&self, key: &str) -> Option<String> {
        let answer = self.world.block_on(self.s3.get_object().bucket(&self.name).key(key).send()).ok()?;
        let body = self.world.block_on(answer.body.collect()).expect("a body");
        Some(String::from_utf8(body.to_vec()).expect("it is text"))
    }

    fn put(&self, key: &str, text: &str) {
        let body = text.as_bytes().to_vec().into();
        self.world.block_on(self.s3.put_object().bucket(&self.name).key(key).body(body).send()).unwrap();
    }

    fn is_there(&self) -> bool {
        self.world.block_on(self.s3.head_bucket().bucket(&self.name).send()).is_ok()
    }

    /// Deletes it with everything in it.
    fn delete(&self) {
        let listed = self.world.block_on(self.s3.list_object_versions().bucket(&self.name).send()).unwrap();
        let versions = listed.versions().iter().map(|version| (version.key(), version.version_id()));
        let markers = listed.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
        for (key, version) in versions.chain(markers) {
            let object = ObjectIdentifier::builder().key(key.unwrap()).set_version_id(version.map(str::to_owned));
            let delete = Delete::builder().objects(object.build().unwrap()).build().unwrap();
            self.world.block_on(self.s3.delete_objects().bucket(&self.name).delete(delete).send()).unwrap();
        }
        self.world.block_on(self.s3.delete_bucket().bucket(&self.name).send()).unwrap();
    }
}

/// The serial of each copy.
fn serials(world: &World) -> [Option<u64>; 2] {
    Bucket::both(world).map(|bucket| {
        let index: Value = serde_json::from_str(&bucket.text(INDEX)?).expect("an index is JSON");
        index["serial"].as_u64()
    })
}

#[track_caller]
fn is_whole(world: &World) {
    world.drctl("state check").ends_with(0).says("4 resources recorded, and live");
    let [east, west] = serials(world);
    assert!(east.is_some() && east == west, "{east:?} {west:?}");
}

/// An apply that has the lock and makes a table for as long as the faults stay.
fn held_up(world: &World) -> Child {
    let hold = json!([{"action": "hold", "service": "dynamodb", "operation": "CreateTable"}]);
    world.block_on(set_faults(world.endpoint(), Some(&hold))).unwrap();
    let child = world.start("apply --yes");
    world.eventually("a step under way", || is_held(world).then_some(()));
    child
}

fn is_held(world: &World) -> bool {
    world.block_on(faults(world.endpoint())).unwrap()[0]["held"].as_u64() > Some(0)
}

fn go_on(world: &World) {
    world.block_on(set_faults(world.endpoint(), None)).unwrap();
}

#[track_caller]
fn nobody_has_the_lock(world: &World) {
    assert_eq!(Bucket::both(world).map(|bucket| bucket.text(LOCK)), [None, None]);
}

#[test]
fn the_state_is_in_two_buckets_that_init_makes_and_nothing_removes() {
    let world = World::new();
    world.write_small_spec(SPEC);
    world.drctl("state check").ends_with(1).says("there is no such bucket").says("run `drctl state init`");
    for command in ["plan", "apply --yes"] {
        let run = world.drctl(command).ends_with(1);
        run.says("no state bucket drctl-state-acme-us-east-1 and no drctl-state-acme-us-west-2")
            .says("`drctl state init`");
    }
    let made = world.drctl("state init").ends_with(0);
    made.says("drctl-state-acme-us-east-1 made").says("drctl-state-acme-us-west-2 made");
    world.drctl("state init").ends_with(0).says("drctl-state-acme-us-west-2 is there, as it should be");

    world.apply();
    is_whole(&world);
    nobody_has_the_lock(&world);
    assert!(!world.state().join(INDEX).exists(), "nothing lies on this machine");
    world.is_in_sync();
    world.drctl("state show").ends_with(0).says("s3://drctl-state-acme-us-west-2/").says("global/table.ledger");
    let shown = world.drctl("state show --json").ends_with(0).stdout;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["copies"].as_array().map(Vec::len), Some(2));
    assert_eq!(shown["records"][1]["address"], "global/table.ledger");

    let [east, west] = Bucket::both(&world);
    world.block_on(west.s3.delete_public_access_block().bucket(&west.name).send()).unwrap();
    world.drctl("state check").ends_with(1).says("us-west-2 lacks a block of all public access");
    world.drctl("state init").ends_with(0).says("us-west-2 mended: it lacked a block of all public access");
    is_whole(&world);

    world
        .drctl("destroy --confirm prod-001 --lift-protection")
        .ends_with(0)
        .says("nothing left")
        .says("the state buckets stay");
    assert_eq!([&east, &west].map(|bucket| bucket.text(INDEX)), [None, None]);
    assert!(east.is_there() && west.is_there());
    nobody_has_the_lock(&world);
}

#[test]
fn a_bucket_that_drctl_did_not_make_has_to_be_as_safe() {
    let world = World::new();
    world.write_small_spec(SPEC);
    let [east, _] = Bucket::both(&world);
    world.block_on(east.s3.create_bucket().bucket(&east.name).send()).unwrap();
    let run = world.drctl("state init").ends_with(3).says("drctl did not make drctl-state-acme-us-east-1, which lacks");
    run.says("versioning (it is Off)").says("drctl-state-acme-us-west-2 made");
    east.delete();
    world.drctl("state init").ends_with(0).says("us-east-1 made").says("us-west-2 is there, as it should be");
}

#[test]
fn of_two_applies_at_once_one_works_and_the_other_is_told_who_does() {
    let world = shared();
    let mut first = held_up(&world);
    let second = world.drctl("apply --yes").ends_with(6);
    let process = format!("process {}", first.id());
    second.says("another drctl is at work on this system: apply by ").says(&process).says("`drctl state unlock apply-");
    world.drctl("plan").ends_with(0);
    world.drctl("state show").ends_with(0).says("locked: apply by ").says(&process);
    go_on(&world);
    assert_eq!(first.wait().unwrap().code(), Some(0));
    nobody_has_the_lock(&world);
    world.apply();
    is_whole(&world);
}

#[test]
fn an_interrupt_gives_the_lock_back() {
    let world = shared();
    let mut child = held_up(&world);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    go_on(&world);
    assert_eq!(child.wait().unwrap().code(), Some(3));
    nobody_has_the_lock(&world);

    // While it only looks, too.
    let hold = json!([{"action": "hold", "service": "iam"}]);
    world.block_on(set_faults(world.endpoint(), Some(&hold))).unwrap();
    let mut child = world.start("apply --yes");
    world.eventually("a look at AWS", || is_held(&world).then_some(()));
    assert!(Bucket::both(&world).iter().all(|bucket| bucket.text(LOCK).is_some()));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    go_on(&world);
    nobody_has_the_lock(&world);

    // While it still waits for the other bucket.
    let silence = json!([{"action": "dark", "service": "s3", "region": WEST, "delay_ms": 600_000}]);
    world.block_on(set_faults(world.endpoint(), Some(&silence))).unwrap();
    let mut child = world.start("apply --yes");
    let [east, _] = Bucket::both(&world);
    world.eventually("a lock in one bucket", || east.text(LOCK).map(drop));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
    go_on(&world);
    nobody_has_the_lock(&world);
    world.apply();
    is_whole(&world);
}

#[test]
fn who_stops_a_run_at_once_is_told_which_lock_it_leaves() {
    let world = shared();
    let mut child = held_up(&world);
    let lock: Value = serde_json::from_str(&Bucket::both(&world)[0].text(LOCK).unwrap()).unwrap();
    let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines().map_while(Result::ok);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert!(lines.any(|line| line.contains("press Ctrl-C again to stop at once")));
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let said: Vec<_> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(3), "{said:#?}");
    let lock = format!("once the lock {} ends by itself", lock["id"].as_str().unwrap());
    assert!(said.iter().any(|line| line.contains(&lock)), "{said:#?}");
}

#[test]
fn the_lock_of_a_drctl_that_was_killed_is_removed_by_its_id() {
    let world = shared();
    let mut child = held_up(&world);
    child.kill().unwrap();
    child.wait().unwrap();
    go_on(&world);
    world.drctl("apply --yes").ends_with(6).says("if it has died, run `drctl state unlock apply-");
    world.drctl("state unlock apply-0").ends_with(1).says("there is no lock apply-0; there is apply by");
    let lock: Value = serde_json::from_str(&Bucket::both(&world)[0].text(LOCK).unwrap()).unwrap();
    let id = lock["id"].as_str().unwrap();
    let run = world.drctl(&format!("state unlock {id}")).ends_with(0).says(&format!("{id} is unlocked"));
    run.says(&format!("in which {id} notices if it is still at work"));
    nobody_has_the_lock(&world);
    world.apply();
    is_whole(&world);
}

#[test]
fn losing_one_bucket_loses_nothing() {
    let world = shared();
    world.apply();
    for bucket in Bucket::both(&world) {
        bucket.delete();
        world.drctl("plan --detailed-exitcode").ends_with(0).says("goes on without it until `drctl state init`");
        world.drctl("state check").ends_with(1).says("there is no such bucket");
        world.apply();
        world.drctl("state init").ends_with(0).says(&format!("{} made", bucket.name));
        world.drctl("state check").ends_with(1).says("the next `drctl apply` writes it");
        world.apply();
        is_whole(&world);
    }
}

#[test]
fn a_state_that_is_lost_or_damaged_is_written_anew_from_what_is_live() {
    let world = shared();
    world.apply();
    let [east, west] = Bucket::both(&world);
    east.put(INDEX, "{");
    let damaged = "s3://drctl-state-acme-us-east-1/payment-dr-prod-001.json is not a drctl state";
    world.drctl("plan").ends_with(1).says(damaged).says("`drctl state rebuild`");
    world.drctl("apply --yes").ends_with(1).says(damaged);
    nobody_has_the_lock(&world);
    world.drctl("state rebuild").ends_with(5).says("no terminal to ask on; nothing was written");
    world.drctl("state rebuild --yes").ends_with(0).says("4 resources recorded");
    is_whole(&world);

    let other = west.text(INDEX).unwrap().replace("\"lineage\": \"", "\"lineage\": \"x");
    west.put(INDEX, &other);
    world.block_on(west.s3.delete_public_access_block().bucket(&west.name).send()).unwrap();
    let check = world.drctl("state check").ends_with(1).says("different lineages");
    check.says("us-west-2 lacks a block of all public access").says("2 findings");
    world.drctl("state init").ends_with(0);
    world.drctl("plan").ends_with(1).says("do not belong together").says("different lineages");
    world.drctl("state rebuild --yes").ends_with(0);
    is_whole(&world);

    east.delete();
    west.delete();
    world.drctl("plan").ends_with(1).says("`drctl state init`");
    world.drctl("state init").ends_with(0);
    world.drctl("state rebuild --yes").ends_with(0).says("4 resources recorded");
    is_whole(&world);
    world.is_in_sync();
    world.drctl("drift").ends_with(0);
}

#[test]
fn without_the_primary_region_the_state_in_the_other_one_is_enough() {
    let world = shared();
    world.write_small_spec(&format!("{SPEC}[bucket.logs]\nreplication = \"to-secondary\"\n"));
    world.apply();
    let before = serials(&world);
    world.write_small_spec(&format!("{SPEC}[bucket.logs]\nreplication = \"to-secondary\"\nlifecycle = [{{ after = \"40d\", class = \"STANDARD_IA\" }}]\n"));
    world.block_on(set_faults(world.endpoint(), Some(&json!([{"action": "dark", "region": EAST}])))).unwrap();
    world.drctl("plan").ends_with(7).says("the state was read without drctl-state-acme-us-east-1");
    let check = world.drctl("state check").ends_with(7).says("us-east-1 does not answer");
    check.says("✓ drctl-state-acme-us-west-2 is protected").says("nobody can say whether drctl-state-acme-us-east-1");
    let refused = world.drctl("apply --yes").ends_with(7).says("us-east-1 does not answer");
    refused.says("need only the other bucket with `--degraded`");
    let run = world.drctl("apply --yes --degraded").ends_with(0).says("applied: 1 change done");
    run.says("the state is kept without drctl-state-acme-us-east-1");
    go_on(&world);
    assert_eq!(serials(&world)[0], before[0]);
    assert!(serials(&world)[1] > before[1]);
    world.apply();
    world.is_in_sync();
    let [east, west] = serials(&world);
    assert!(east == west && east > before[0], "{east:?} {west:?}");
}

#[test]
fn a_state_on_this_machine_is_looked_after_too() {
    let world = World::new();
    world.write_small_spec("[secret.keys]\n");
    world.drctl("state init").ends_with(0).says("nothing to make");
    world.drctl("state unlock apply-0").ends_with(0).says("nothing to unlock");
    world.drctl("state show").ends_with(0).says("nothing yet");
    world.apply();
    world.drctl("state check").ends_with(0).says("1 resource recorded, and live");
    world.drctl("state show").ends_with(0).says("serial 1").says("global/secret.keys");
    let file = world.state().join(INDEX);
    std::fs::write(&file, "{").unwrap();
    world.drctl("state check").ends_with(1).says("is damaged").says("`drctl state rebuild`");
    world.drctl("state rebuild --yes").ends_with(0);
    world.drctl("state check").ends_with(0);
    world.is_in_sync();
}

#[test]
fn a_state_on_this_machine_moves_into_the_buckets_with_its_overrides() {
    let world = World::new();
    let local = SPEC.replace("[state]\nbucket = \"drctl-state-acme\"", "");
    world.write_small_spec(&local);
    world.apply();
    world.drctl("state move").ends_with(1).says("the spec has no `[state]`").says("run `drctl state init`");
    let folder = world.state().join("payment-dr-prod-001.overrides");
    let held = json!({
        "format_version": 1, "id": "drill-1", "operation": "drill", "by": "ops@bastion",
        "since": "2026-11-24T12:00:00Z", "why": "game day",
        "covers": { "global/secret.keys": { "description": "out of use" } },
    });
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("drill-1.json"), held.to_string()).unwrap();

    world.write_small_spec(SPEC);
    world.drctl("state move").ends_with(1).says("there is no state bucket").says("run `drctl state init`");
    world.drctl("state init").ends_with(0);
    world.drctl("plan").ends_with(0).says("is not used any more: `drctl state move` takes it into the buckets");
    for command in ["apply --yes", "adopt --all --yes", "destroy --confirm prod-001 --lift-protection"] {
        let refused = world.drctl(command).ends_with(5).says("there is none in the buckets yet; nothing was changed");
        refused.says("run `drctl state move`");
    }
    nobody_has_the_lock(&world);
    world.drctl("state move").ends_with(0).says("the state is in S3 now: 4 resources recorded, 1 override");
    assert!(!world.state().join(INDEX).exists() && std::fs::read_dir(&folder).unwrap().next().is_none());
    is_whole(&world);
    nobody_has_the_lock(&world);
    world.drctl("plan").ends_with(0).says("held by drill");
    world.drctl("state move").ends_with(0).says("nothing to move");

    // Somebody worked on without `[state]`: which of the two counts is not for drctl to say.
    world.write_small_spec(&local);
    world.drctl("state rebuild --yes").ends_with(0);
    world.write_small_spec(SPEC);
    world.drctl("state move").ends_with(5).says("another state of this system in S3 already").says("nothing was moved");
    assert!(world.state().join(INDEX).exists());

    // Its overrides go along all the same, once it is out of the way.
    std::fs::write(folder.join("drill-2.json"), held.to_string().replace("drill-1", "drill-2")).unwrap();
    std::fs::remove_file(world.state().join(INDEX)).unwrap();
    world.drctl("state move").ends_with(0).says("0 resources recorded, 1 override");
    world
        .drctl("state show")
        .ends_with(0)
        .says("override drill-1")
        .says("override drill-2")
        .says("4 resources recorded");
    assert!(std::fs::read_dir(&folder).unwrap().next().is_none());
}

#[test]
fn an_apply_that_was_unlocked_starts_nothing_more() {
    let world = shared();
    let child = held_up(&world);
    let shown: Value = serde_json::from_str(&world.drctl("state show --json").ends_with(0).stdout).unwrap();
    let id = shown["copies"][0]["lock_id"].as_str().unwrap();
    world.calls();
    world.drctl(&format!("state unlock {id}")).ends_with(0);
    world.eventually("a look at why the lock cannot be renewed", || {
        let calls = world.block_on(drctl::sandbox::calls(world.endpoint())).unwrap();
        let looks = calls.as_array().unwrap().iter().filter(|call| call["operation"] == "GetObject");
        // Whoever unlocks looks three times, in each bucket.
        (looks.filter_map(|call| call["count"].as_u64()).sum::<u64>() >= 8).then_some(())
    });
    go_on(&world);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains(&format!("the lock {id} was lost: somebody unlocked it")), "{said}");
    assert!(said.contains("not started"), "{said}");
    world.apply();
    is_whole(&world);
}

#[test]
fn an_override_in_either_bucket_is_kept_until_it_is_released() {
    let world = shared();
    world.apply();
    let [_, west] = Bucket::both(&world);
    let key = "payment-dr-prod-001.overrides/drill-1.json";
    let text = json!({
        "format_version": 1,
        "id": "drill-1",
        "operation": "drill",
        "by": "ops@bastion",
        "since": "2026-11-24T12:00:00Z",
        "why": "game day",
        "covers": { "global/secret.keys": { "description": "out of use" } },
    });
    west.put(key, &text.to_string());
    world.drctl("plan").ends_with(0).says("held by drill since 2026-11-24 12:00:00 UTC by ops@bastion (game day)");
    world.drctl("state show").ends_with(0).says("override drill-1");
    world.drctl("state init").ends_with(0);
    let [east, _] = Bucket::both(&world);
    assert!(east.text(key).is_some(), "what one bucket lacks, it gets");
    world.drctl("state rebuild --yes").ends_with(0);
    world.drctl("plan").ends_with(0).says("held by drill");
    world.drctl("destroy --confirm prod-001 --lift-protection").ends_with(0);
    assert_eq!([east.text(key), west.text(key)], [None, None]);
}
