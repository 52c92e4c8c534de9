//! The embedded AWS as its user sees it: where it is, what it says, how it is emptied and made to fail.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::world::World;

/// A system of nothing but a secret, so that nothing has to be built.
fn world() -> World {
    let world = World::new();
    world.write_spec(|spec| {
        let head = spec.find("[region]").and_then(|at| Some(at + spec[at..].find("\n\n")?)).expect("it has regions");
        format!("{}\n\n[secret.payment-api-keys]\n", &spec[..head])
    });
    world
}

/// A file with faults to inject.
fn rules(world: &World, rules: &str) -> String {
    let path: PathBuf = world.home().join("faults.json");
    std::fs::write(&path, rules).expect("a file");
    path.display().to_string()
}

#[test]
fn its_status_tells_where_and_how_it_runs() {
    let world = world();
    world.drctl("sandbox status").ends_with(0).says("the sandbox is up").says("strict yes").says("speed 4");
    let status: Value = serde_json::from_str(&world.drctl("sandbox status --json").ends_with(0).stdout).unwrap();
    assert_eq!((&status["up"], &status["strict"], &status["speed"]), (&json!(true), &json!(true), &json!(4.0)));
    assert_eq!(status["folder"], json!(world.home()));
    assert!(status["pid"].is_u64() && status["since"].is_string(), "{status:#}");
    assert_eq!(status["endpoint"].as_str(), Some(world.endpoint()));

    world.drctl("sandbox down").ends_with(0);
    world.drctl("sandbox status").ends_with(0).says("the sandbox is not up");
    let status: Value = serde_json::from_str(&world.drctl("sandbox status --json").ends_with(0).stdout).unwrap();
    assert_eq!(status, json!({ "format_version": 1, "up": false }));
    world.drctl("sandbox faults").ends_with(1).says("the sandbox is not up").says("run `drctl sandbox up`");
}

#[test]
fn it_keeps_its_options_until_others_are_asked_for_while_it_is_down() {
    let world = world();
    let status = || world.drctl("sandbox status").ends_with(0);
    world.drctl("sandbox up").ends_with(0);
    world.drctl("sandbox up --speed 4").ends_with(0);
    world
        .drctl("sandbox up --speed 2")
        .ends_with(1)
        .says("the sandbox is up with `--strict=true --speed=4`, and `--strict=true --speed=2` was asked for")
        .says("`drctl sandbox down` stops it");
    world.drctl("sandbox up --strict=false").ends_with(1).says("`--strict=false --speed=4` was asked for");

    world.drctl("sandbox down").ends_with(0);
    world.drctl("plan").ends_with(0);
    status().says("strict yes").says("speed 4");
    world.drctl("sandbox down").ends_with(0);
    world.drctl("sandbox up --strict=false").ends_with(0);
    status().says("strict no").says("speed 4");

    for speed in ["0", "-1", "inf", "nan", "fast"] {
        world.drctl(&format!("sandbox up --speed={speed}")).ends_with(64).says("it is a number above 0");
    }
}

#[test]
fn its_log_is_followed_until_it_is_down_and_can_be_read_afterwards() {
    let world = world();
    let mut follower = world.start_reading("sandbox logs --follow --lines 1000");
    let mut lines = BufReader::new(follower.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains(&format!("Running on {}", world.endpoint()))));
    world.drctl("sandbox down").ends_with(0);
    let rest: Vec<String> = lines.collect();
    assert!(follower.wait().expect("it ends").success());
    let last = world.drctl("sandbox logs --lines 1").ends_with(0).stdout;
    assert_eq!(rest.last().map(|line| format!("{line}\n")), Some(last));
}

#[test]
fn a_reset_leaves_neither_resources_nor_state() {
    let world = world();
    let nothing_left = || {
        world.holds_nothing();
        assert!(!world.state().join("payment-dr-prod-001.json").exists());
    };
    world.apply();
    let held = std::fs::File::open(world.state().join("payment-dr-prod-001.lock")).unwrap();
    held.lock().unwrap();
    world.drctl("sandbox reset").ends_with(6).says("another drctl is at work on this system");
    drop(held);
    world.is_in_sync();

    world.drctl("sandbox reset").ends_with(0).says("the sandbox is empty");
    nothing_left();
    world.apply();

    // Also when it is down, and with it what it had saved.
    world.drctl("sandbox down").ends_with(0);
    world.drctl("sandbox reset").ends_with(0);
    world.drctl("sandbox up").ends_with(0);
    nothing_left();
}

#[test]
fn losing_the_state_of_a_sandbox_that_is_down_loses_nothing_else() {
    let world = world();
    world.apply();
    world.drctl("sandbox down").ends_with(0);
    std::fs::remove_dir_all(world.state()).unwrap();
    world.drctl("sandbox up --strict --speed 4").ends_with(0);
    world.is_in_sync();
}

#[test]
fn faults_last_until_they_are_cleared() {
    let world = world();
    let fault = r#"{ "service": "secretsmanager", "action": "error", "code": "AccessDeniedException" }"#;
    let file = rules(&world, &format!("[{fault}]"));
    world.drctl(&format!("sandbox faults {file}")).ends_with(0).says("1 rule is in force");
    let listed: Value = serde_json::from_str(&world.drctl("sandbox faults").ends_with(0).stdout).unwrap();
    assert_eq!(listed, json!([serde_json::from_str::<Value>(fault).unwrap()]));
    world.drctl("plan").ends_with(1).says("AccessDeniedException");
    world.drctl("sandbox faults --clear").ends_with(0).says("no faults are in force");
    world.drctl("plan").ends_with(0);
}

#[test]
fn a_file_that_holds_no_faults_is_told_what_is_wrong_with_it() {
    let world = world();
    let wrong = |text: &str| world.drctl(&format!("sandbox faults {}", rules(&world, text))).ends_with(1);
    wrong("[{\"action\": }]").says("faults.json cannot be read: it is not JSON").says("line 1 column 13");
    wrong(r#"[{"action": "drop"}, {"action": "explode"}]"#).says("`action` in rule 2 is one of latency, error, drop");
    wrong(r#"[{"action": "drop", "servce": "s3"}]"#)
        .says("rule 1 has an unknown key `servce`")
        .says("nothing was changed");
    world.drctl("sandbox faults nowhere.json").ends_with(1).says("nowhere.json cannot be read: No such file");
    world.drctl("sandbox faults").ends_with(0).says("no faults are in force");
}
