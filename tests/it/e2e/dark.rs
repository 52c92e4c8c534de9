//! A place does not answer: the rest is planned and applied, nothing there is touched, and all converges once it is back.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::time::{Duration, Instant};

use drctl::sandbox::set_faults;
use serde_json::{Value, json};

use super::world::{EAST, Run, WEST, World};

/// How long a place may be silent in these tests: longer than the sandbox ever is, also on a busy machine.
const OBSERVE: u64 = 8;

/// Far above what a plan with a dark place takes, and far below what the retries of one call would.
const SOON: Duration = Duration::from_secs(60);

/// The world with the system applied, and a spec that wants something else in both regions.
fn changed_world() -> (World, BTreeSet<String>) {
    let world = World::new();
    world.apply();
    world.write_spec(|spec| {
        assert!(spec.contains("above = 10\n"));
        spec.replace("above = 10\n", "above = 20\n") + &format!("\n[timeout]\nobserve = \"{OBSERVE}s\"\n")
    });
    let things = world.things();
    (world, things)
}

fn go_dark(world: &World, fault: &Value) {
    world.block_on(set_faults(world.endpoint(), Some(&json!([fault])))).unwrap();
}

fn go_light(world: &World) {
    world.block_on(set_faults(world.endpoint(), None)).unwrap();
}

/// Runs drctl, which has to end soon.
#[track_caller]
fn soon(world: &World, arguments: &str) -> Run {
    let begun = Instant::now();
    let run = world.drctl(arguments);
    assert!(begun.elapsed() < SOON, "`{arguments}` took {:?}", begun.elapsed());
    run
}

/// The whole story of one place, which `dark` names. `unknown` is there; `lit` are the alarms that are not.
fn the_rest_converges(dark: &str, fault: &Value, unknown: &str, lit: &[&str], then: usize) {
    let (world, before) = changed_world();
    go_dark(&world, fault);
    let plan = soon(&world, "plan").ends_with(7).says(&format!("! {dark} does not answer"));
    let mut plan = plan.says(&format!("{unknown} unknown")).says("0 to create, ").says("0 to replace, 0 to delete");
    for region in lit {
        plan = plan.says(&format!("~ {region}/alarm.lambda-errors spec changed"));
    }
    plan.says("threshold: 10.0 -> 20.0").says(&format!("{} to update", lit.len())).says("add `--degraded`");

    let json = soon(&world, "plan --json --degraded --detailed-exitcode").ends_with(2);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["dark"].as_array().unwrap().len(), 1);
    assert_eq!(json["dark"][0]["place"], dark);
    let alone = |change: &&Value| change["dark"] == dark;
    let alone: Vec<&Value> = json["changes"].as_array().unwrap().iter().filter(alone).collect();
    assert_eq!(alone.len(), json["summary"]["left_alone"].as_u64().unwrap() as usize);
    assert!(alone.iter().all(|change| change["action"] == "no-op" && change["reason"] == "dark"), "{alone:#?}");

    soon(&world, "apply --yes").ends_with(7).says("nothing was changed");
    let destroy = "destroy --confirm prod-001 --lift-protection --empty-buckets";
    soon(&world, destroy).ends_with(7).says("nothing was deleted");
    soon(&world, "apply --yes --degraded")
        .ends_with(0)
        .says(&format!("applied: {} ", lit.len()))
        .says(&format!("left alone, because {dark} does not answer"));

    go_light(&world);
    world.drctl("plan").ends_with(0).says(&match then {
        0 => "no changes".to_owned(),
        then => format!("0 to create, {then} to update, 0 to replace, 0 to delete"),
    });
    world.apply();
    world.is_in_sync();
    world.holds(&before);
}

#[test]
fn without_the_secondary_the_rest_converges() {
    let fault = json!({"action": "dark", "region": WEST});
    the_rest_converges(WEST, &fault, "us-west-2/function.payment-processor", &[EAST], 1);
}

#[test]
fn without_the_primary_the_rest_converges() {
    let fault = json!({"action": "dark", "region": EAST});
    the_rest_converges(EAST, &fault, "us-east-1/function.payment-processor", &[WEST], 1);
}

#[test]
fn without_iam_the_rest_converges() {
    let fault = json!({"action": "dark", "service": "iam"});
    the_rest_converges("IAM", &fault, "global/role.payment-processor-us-east-1", &[EAST, WEST], 0);
}

#[test]
fn without_route_53_the_rest_converges() {
    let fault = json!({"action": "dark", "service": "route53"});
    the_rest_converges("Route 53", &fault, "global/record.api", &[EAST, WEST], 0);
}

#[test]
fn a_place_is_dark_that_hangs_or_has_only_503_and_not_one_that_refuses() {
    let (world, _) = changed_world();
    go_dark(&world, &json!({"action": "hold", "region": EAST}));
    soon(&world, "plan").ends_with(7).says("! us-east-1 does not answer").says("no answer within 8 s");
    go_dark(&world, &json!({"action": "error", "code": "ServiceUnavailable", "status": 503, "region": WEST}));
    soon(&world, "plan").ends_with(7).says("! us-west-2 does not answer").says("HTTP 503");

    let denied = json!({"action": "error", "code": "AccessDenied", "status": 403, "service": "s3", "region": WEST});
    go_dark(&world, &denied);
    let run =
        soon(&world, "plan --degraded").ends_with(1).says("us-west-2/bucket.transaction-logs").says("AccessDenied");
    assert!(!run.stdout.contains("does not answer"), "{}", run.stdout);
}

#[test]
fn what_a_dark_region_told_is_remembered() {
    let (world, _) = changed_world();
    let url = world.output("LambdaFunctionUrl", WEST);
    go_dark(&world, &json!({"action": "dark", "region": WEST}));
    let run = world.drctl(&format!("output LambdaFunctionUrl --region {WEST}")).ends_with(0);
    assert_eq!(run.stdout.trim(), url);
    run.says("us-west-2 does not answer: what it should tell is as it was at the last apply");

    std::fs::remove_dir_all(world.state()).unwrap();
    world.drctl(&format!("output LambdaFunctionUrl --region {WEST}")).ends_with(7).says("us-west-2 does not answer");
}

#[test]
fn a_region_that_goes_dark_during_an_apply_fails_there_and_nowhere_else() {
    let world = World::new();
    world.write_spec(|spec| spec + &format!("\n[timeout]\nobserve = \"{OBSERVE}s\"\n"));
    let begun = Instant::now();
    let mut child = world.start("apply --yes");
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().expect("it is piped")).lines().map_while(Result::ok) {
        // Tables and secrets are made in both regions, so they are the first to feel it.
        if line.contains("us-west-2/log_group") {
            go_dark(&world, &json!({"action": "dark", "region": WEST}));
        }
        said += &format!("{line}\n");
    }
    assert_eq!(child.wait().unwrap().code(), Some(3), "{said}");
    assert!(begun.elapsed() < 2 * SOON, "it took {:?}", begun.elapsed());
    assert!(said.contains("us-west-2 does not answer"), "{said}");
    assert!(said.contains("us-east-1/alarm.lambda-errors created in"), "the other region goes on: {said}");
    go_light(&world);
    world.apply();
    world.is_in_sync();
}

#[test]
fn a_step_takes_no_longer_than_the_spec_gives_its_kind() {
    let world = World::new();
    world.write_spec(|spec| spec + "\n[timeout]\nfunction = \"2s\"\n");
    // Nobody answers what makes functions, so each would wait for a long time.
    go_dark(&world, &json!({"action": "hold", "service": "lambda", "operation": "CreateFunction"}));
    let run = soon(&world, "apply --yes").ends_with(3);
    let run = run.says("it took longer than the 2 s that `[timeout]` gives a function");
    assert!(run.stderr.contains("us-west-2/bucket_replication.transaction-logs created in"), "{}", run.stderr);
    go_light(&world);
    world.write_spec(|spec| spec);
    world.apply();
    world.is_in_sync();
}
