//! The tables of permissions and the calls of the code say the same.

use std::collections::BTreeSet;
use std::path::Path;

use drctl::desired::{self, CodeHashes, Spec};
use drctl::iam::{Grant, MANAGED_POLICY, Permissions, Policy, System, Task};
use drctl::kinds::{self, Kind, REGISTRY, SYSTEM};
use drctl::ops::iam_policy;
use drctl::state;
use serde_json::{Value, json};

use super::floors::{Source, imports, sources};

/// How operations begin in the code, as IAM writes them.
const SERVICES: [&str; 11] =
    ["cloudwatch", "dynamodb", "iam", "kms", "lambda", "logs", "route53", "s3", "secretsmanager", "sns", "tag"];

/// What only the demonstration and the tests ask, which have a sandbox.
const DEMONSTRATION: [&str; 12] = [
    "cloudwatch:DescribeAlarms",
    "dynamodb:ListTables",
    "dynamodb:Scan",
    "iam:ListRoles",
    "kms:DescribeKey",
    "kms:ListAliases",
    "lambda:ListFunctions",
    "logs:DescribeLogGroups",
    "route53:ListHealthChecks",
    "s3:ListAllMyBuckets",
    "secretsmanager:ListSecrets",
    "sns:ListTopics",
];

/// The operations that files name which call AWS.
fn called<'a>(files: impl Iterator<Item = &'a Source>) -> BTreeSet<String> {
    let is_operation = |text: &&str| {
        text.split_once(':').is_some_and(|(service, name)| {
            SERVICES.contains(&service)
                && name.starts_with(|c: char| c.is_ascii_uppercase())
                && name.chars().all(|c| c.is_ascii_alphanumeric())
        })
    };
    files.flat_map(|source| source.code.split('"').filter(is_operation).map(str::to_owned)).collect()
}

/// The files of one kind that call AWS.
fn of_kind<'a>(files: &'a [Source], kind: &'a str) -> impl Iterator<Item = &'a Source> {
    files.iter().filter(move |source| {
        source.module[0] == "kinds" && source.module.get(1).is_some_and(|name| name == kind) && calls_aws(source)
    })
}

fn calls_aws(source: &Source) -> bool {
    source.module.last().is_some_and(|name| name == "aws")
}

/// The kinds whose calls this one makes, too.
fn shared_with(files: &[Source], kind: &str) -> BTreeSet<String> {
    let named = of_kind(files, kind).flat_map(imports).filter(|import| import[0] == "kinds");
    named.filter_map(|import| import.get(1).cloned()).chain([kind.to_owned()]).collect()
}

fn actions(permissions: &Permissions, implied: bool) -> BTreeSet<&'static str> {
    permissions.all().filter(|grant| implied || !grant.implied).flat_map(|grant| grant.actions).copied().collect()
}

/// What a kind's table names, granted or not.
fn named(kind: &Kind) -> BTreeSet<&'static str> {
    actions(&kind.permissions, true).into_iter().chain(kind.permissions.spared.iter().copied()).collect()
}

#[test]
fn every_call_of_a_kind_is_in_a_table() {
    let files = sources();
    for owner in REGISTRY.iter().map(|kind| kind.meta.kind) {
        let callers = REGISTRY.iter().filter(|kind| shared_with(&files, kind.meta.kind).contains(owner));
        let allowed: BTreeSet<_> = callers.flat_map(named).collect();
        for operation in called(of_kind(&files, owner)) {
            assert!(allowed.contains(operation.as_str()), "{operation} is called by {owner}, and in no table");
        }
    }
}

#[test]
fn every_entry_of_a_table_is_a_call() {
    let files = sources();
    let by_hand = called(files.iter().filter(|source| source.module[0] == "ops" && calls_aws(source)));
    for kind in &REGISTRY {
        let made: BTreeSet<_> =
            shared_with(&files, kind.meta.kind).iter().flat_map(|owner| called(of_kind(&files, owner))).collect();
        let Permissions { operate, spared, .. } = kind.permissions;
        let operated: BTreeSet<_> = actions(&Permissions { operate, ..Permissions::NONE }, false);
        for action in actions(&kind.permissions, false).into_iter().chain(spared.iter().copied()) {
            let is_call = made.contains(action) || operated.contains(action) && by_hand.contains(action);
            assert!(is_call, "{} never calls {action}", kind.meta.kind);
        }
    }
}

#[test]
fn what_is_asked_past_the_kinds_is_in_a_table_too() {
    let files = sources();
    let tags = files.iter().filter(|source| source.module == ["aws", "tags"]);
    assert_eq!(called(tags), actions(&SYSTEM, true).into_iter().map(str::to_owned).collect());

    let kept = files.iter().filter(|source| source.module[0] == "state" && calls_aws(source));
    assert_eq!(called(kept), actions(&state::PERMISSIONS, true).into_iter().map(str::to_owned).collect());

    let mut by_hand = called(files.iter().filter(|source| source.module[0] == "ops" && calls_aws(source)));
    for operation in DEMONSTRATION {
        assert!(by_hand.remove(operation), "nobody calls {operation} any more");
    }
    let operated = |kind: &Kind| Task::Operate.grants(&kind.permissions, kind.meta.holds_data).concat();
    let allowed: BTreeSet<&str> = REGISTRY.iter().flat_map(operated).flat_map(|grant| grant.actions).copied().collect();
    by_hand.retain(|operation| !allowed.contains(operation.as_str()) && operation != "route53:ListHostedZones");
    assert!(by_hand.is_empty(), "no policy for operators has {by_hand:?}");
}

/// The shipped spec, with a key of its own.
fn production(edit: impl FnOnce(String) -> String) -> Spec {
    let [path, overlay] = ["specs/production.toml", "specs/encrypted.toml"].map(Path::new);
    let [text, key] = [path, overlay].map(|path| std::fs::read_to_string(path).expect("a shipped spec"));
    desired::read_merged(&[(path, &edit(text)), (overlay, &key)], &[]).expect("a good spec")
}

#[test]
fn together_the_tasks_need_every_entry_and_none_needs_a_wildcard_action() {
    // A URL of each sort, because they need different things.
    let spec = production(|spec| {
        format!("{}[state]\nbucket = \"states\"\n", spec.replacen("auth = \"none\"", "auth = \"iam\"", 1))
    });
    let policies = Task::ALL.map(|task| iam_policy(task, &spec, "123456789012"));
    let granted: BTreeSet<_> = policies.iter().flat_map(|policy| policy.actions()).collect();
    let tables = REGISTRY.iter().map(|kind| kind.permissions).chain([SYSTEM, state::PERMISSIONS]);
    let known: BTreeSet<_> = tables.flat_map(|permissions| actions(&permissions, true)).collect();
    assert_eq!(granted, known);
    assert!(granted.iter().all(|action| !action.contains('*')), "{granted:?}");
}

#[test]
fn only_what_aws_offers_nothing_narrower_for_is_allowed_on_everything() {
    let document = iam_policy(Task::Apply, &production(|spec| spec), "123456789012").document();
    let statements = document["Statement"].as_array().expect("a list");
    let on_everything = statements.iter().filter(|statement| statement["Resource"][0] == "*");
    let actions: BTreeSet<&str> = on_everything
        .flat_map(|statement| statement["Action"].as_array())
        .flatten()
        .filter_map(|action| action.as_str())
        .collect();
    // As the Service Authorization Reference has no type of resource for them; descriptions of alarms need them all.
    let expected = BTreeSet::from([
        "cloudwatch:DescribeAlarms",
        "iam:ListRoles",
        "kms:CreateKey",
        "kms:ListAliases",
        "kms:ListKeys",
        "logs:DescribeLogGroups",
        "route53:CreateHealthCheck",
        "route53:CreateHostedZone",
        "route53:ListHealthChecks",
        "route53:ListHostedZones",
        "route53:ListHostedZonesByName",
        "sns:Unsubscribe",
        "tag:GetResources",
    ]);
    assert_eq!(actions, expected);
}

#[test]
fn deleting_what_holds_data_is_a_task_of_its_own() {
    let spec = production(|spec| spec);
    let policy = |task| iam_policy(task, &spec, "123456789012").actions();
    for deletion in [
        "dynamodb:DeleteTable",
        "kms:ScheduleKeyDeletion",
        "s3:DeleteBucket",
        "s3:DeleteObjectVersion",
        "secretsmanager:DeleteSecret",
        "route53:DeleteHostedZone",
    ] {
        assert!(policy(Task::Destroy).contains(deletion), "{deletion}");
        assert!(
            [Task::Plan, Task::Apply, Task::Operate].iter().all(|task| !policy(*task).contains(deletion)),
            "{deletion}"
        );
    }
    assert!(policy(Task::Apply).contains("lambda:DeleteFunction"));
    let reads = ["Get", "List", "Describe"];
    // Lambda decrypts variables with it, and only through Lambda it is allowed.
    for action in policy(Task::Plan).into_iter().filter(|action| *action != "kms:Decrypt") {
        let name = action.split(':').nth(1).unwrap_or_default();
        assert!(reads.iter().any(|read| name.starts_with(read)), "{action} is no read");
    }
}

/// A name that is misspelt in a table would allow nothing, and nobody would be told.
#[test]
fn whatever_a_grant_names_is_there() {
    const ACCOUNT: &str = "123456789012";
    let mut met = BTreeSet::new();
    // A URL of each sort, because they need different things.
    let spec = production(|spec| spec.replacen("auth = \"none\"", "auth = \"iam\"", 1));
    let (graph, regions) = (spec.graph(ACCOUNT, &CodeHashes::new()), spec.regions());
    let (name, suffix) = (spec.system.name.as_str(), spec.system.suffix.as_str());
    let system = System { account: ACCOUNT, name, regions: &regions, suffix, graph: &graph };
    for (address, node) in graph.iter() {
        let grants = kinds::find(&address.kind).expect("a kind of the registry").permissions.all();
        for (number, grant) in grants.enumerate() {
            if let Some((property, value)) = grant.given {
                let is = node.properties.text(property).unwrap_or_else(|| panic!("{address} has no {property}"));
                if is != value {
                    continue;
                }
            }
            met.insert((address.kind.clone(), number));
            for resource in grant.on {
                let (mut policy, calls) = (Policy::default(), grant.actions);
                let alone = Grant { on: std::slice::from_ref(resource), ..*grant };
                policy.allow_on(&[alone], system, &address.place, &node.properties);
                assert!(!policy.actions().is_empty(), "{calls:?} of {address}: nothing is called {resource}");
                let empty = policy.document().to_string().contains(":[]");
                assert!(!empty, "{calls:?} of {address} has an empty condition");
            }
        }
    }
    for kind in &REGISTRY {
        for (number, grant) in kind.permissions.all().enumerate() {
            let calls = grant.actions;
            assert!(met.contains(&(kind.meta.kind.to_owned(), number)), "{}: nothing needs {calls:?}", kind.meta.kind);
        }
    }
}

#[test]
fn the_rights_on_keys_end_at_the_systems_own() {
    let spec = production(|spec| spec);
    let held = [Task::Apply, Task::Destroy].map(|task| iam_policy(task, &spec, "123456789012").document());
    let statements = held.iter().flat_map(|document| document["Statement"].as_array().expect("a list"));
    for statement in statements {
        let actions: Vec<_> =
            statement["Action"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        let held_to = |key: &str, value: &str| statement["Condition"]["StringEquals"][key] == json!([value]);
        for (tag, on) in [
            ("ResourceTag", ["kms:CancelKeyDeletion", "kms:EnableKey", "kms:ScheduleKeyDeletion"].as_slice()),
            ("RequestTag", &["kms:TagResource"]),
        ] {
            if on.iter().any(|action| actions.contains(action)) {
                assert!(held_to(&format!("aws:{tag}/drctl:system"), "payment-dr"), "{statement}");
                assert!(held_to(&format!("aws:{tag}/drctl:suffix"), "prod-001"), "{statement}");
            }
        }
        let never = ["kms:DisableKey", "kms:DisableKeyRotation", "s3:DeleteBucketPolicy"];
        assert!(never.iter().all(|action| !actions.contains(action)), "{statement}");
    }
}

#[test]
fn who_stops_a_function_by_hand_can_start_it_again() {
    let actions = iam_policy(Task::Operate, &production(|spec| spec), "123456789012").actions();
    assert!(actions.contains("lambda:PutFunctionConcurrency"));
    assert!(actions.contains("lambda:DeleteFunctionConcurrency"));
}

#[test]
fn no_policy_lets_anybody_read_a_secret() {
    let spec = production(|spec| spec);
    for task in Task::ALL {
        assert!(!iam_policy(task, &spec, "123456789012").actions().contains("secretsmanager:GetSecretValue"));
    }
}

#[test]
fn in_parts_every_policy_has_room_as_a_managed_one() {
    let spec = production(|spec| spec);
    for task in Task::ALL {
        let parts = iam_policy(task, &spec, "123456789012").documents(MANAGED_POLICY);
        assert!(parts.len() <= 2, "{task}");
        assert!(parts.iter().all(|part| part.to_string().len() <= MANAGED_POLICY), "{task}");
    }
}
