//! What scripts see of `apply` and `destroy`.

use serde_json::Value;

use super::world::{Run, World};

const DESTROY: &str = "destroy --json --confirm prod-001 --lift-protection --empty-buckets";

/// Every line of standard output as the object that it has to be.
#[track_caller]
fn lines(run: &Run) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    run.stdout.lines().map(parse).collect()
}

/// The lines about one event.
fn about<'a>(lines: &'a [Value], event: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["event"] == event).collect()
}

#[test]
fn runs_are_told_to_scripts_line_by_line() {
    let world = World::new();
    let refused = lines(&world.drctl("apply --json").ends_with(5));
    assert_eq!((refused.len(), &refused[0]["event"]), (2, &Value::from("plan")));
    let outcome = &refused[1];
    assert_eq!((&outcome["event"], &outcome["exit_code"]), (&"outcome".into(), &5.into()));
    assert_eq!(outcome["error"]["message"], "there is no terminal to ask on; nothing was changed");
    assert_eq!(outcome["error"]["next"], "add `--yes` to apply without being asked");

    let applied = lines(&world.drctl("apply --json --yes --parallelism 64").ends_with(0));
    let planned = applied[0]["plan"]["summary"]["create"].as_u64().unwrap();
    assert_eq!(applied[0]["plan"]["suffix"], "prod-001");
    assert_eq!(about(&applied, "started").len() as u64, planned);
    assert_eq!(about(&applied, "finished").len() as u64, planned);
    assert!(about(&applied, "finished").iter().all(|line| line["milliseconds"].is_u64() && line["action"] == "create"));
    assert!(!about(&applied, "waiting").is_empty(), "a global table takes its time");
    assert_eq!(about(&applied, "rereading")[0]["count"].as_u64(), Some(planned));
    let outstanding = about(&applied, "outstanding");
    assert!(
        outstanding.iter().any(|line| line["address"] == "us-east-1/subscription.ops@example.com"),
        "{outstanding:?}"
    );
    let last = applied.last().unwrap();
    assert_eq!((&last["event"], &last["exit_code"]), (&"outcome".into(), &0.into()));
    assert_eq!(last["done"].as_u64(), Some(planned));

    let destroyed = lines(&world.drctl(DESTROY).ends_with(0));
    let losses = about(&destroyed, "loss");
    let secret = losses.iter().find(|line| line["address"] == "global/secret.payment-api-keys").unwrap();
    assert!(secret["recoverable_until"].is_string(), "{secret}");
    assert!(losses.iter().any(|line| line["address"] == "global/table.payment-transactions"));
    assert_eq!(destroyed.last().unwrap()["exit_code"], 0);

    let nothing = lines(&world.drctl(DESTROY).ends_with(0));
    assert_eq!((nothing.len(), &nothing[0]["plan"]["has_changes"]), (2, &false.into()));
}
