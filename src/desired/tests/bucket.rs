//! `[bucket.NAME]`.

use insta::assert_snapshot;
use serde_json::json;

use super::{SPEC, addresses, graph, problems, swapped, typed};
use crate::graph::{Input, Region};
use crate::kinds::bucket::{Bucket, Transition};
use crate::kinds::bucket_replication::BucketReplication;
use crate::kinds::function::Function;
use crate::kinds::role::Role;

/// [`SPEC`] with a bucket, and what its table says.
fn with_bucket(says: &str) -> String {
    SPEC.replace("[function.pay]", &format!("[bucket.logs]\n{says}\n\n[function.pay]"))
}

#[test]
fn a_bucket_is_in_both_regions_and_copied_both_ways() {
    let spec = with_bucket("");
    let ours: Vec<_> = addresses(&spec).into_iter().filter(|address| address.contains(".logs")).collect();
    assert_eq!(
        ours,
        [
            "global/role.logs-replication",
            "us-east-1/bucket.logs",
            "us-east-1/bucket_replication.logs",
            "us-west-2/bucket.logs",
            "us-west-2/bucket_replication.logs"
        ]
    );
    let graph = graph(&spec);
    let bucket = typed::<Bucket>(&graph, "us-west-2/bucket.logs");
    assert_eq!(bucket.name, "logs-us-west-2-t1");
    assert_eq!(bucket.tags["drctl:address"], "us-west-2/bucket.logs");
    let replication = typed::<BucketReplication>(&graph, "us-west-2/bucket_replication.logs");
    let Input::From(role) = replication.role else { panic!("the role is a reference") };
    assert_eq!(role.to_string(), "global/role.logs-replication.arn");
    let rule = &replication.rules[&BucketReplication::rule_id("logs", &Region::new("us-east-1"))];
    assert_eq!(rule.destination, "arn:aws:s3:::logs-us-east-1-t1");
    assert!(rule.enabled && rule.delete_markers && rule.replica_modifications && rule.metrics);
    assert_eq!((rule.time_control, &rule.prefix), (Some(15), &None));
    let needs = graph.needs(&"us-west-2/bucket_replication.logs".parse().unwrap());
    let needs: Vec<_> = needs.iter().map(ToString::to_string).collect();
    assert_eq!(needs, ["global/role.logs-replication", "us-east-1/bucket.logs", "us-west-2/bucket.logs"]);
}

#[test]
fn exchanging_the_regions_moves_a_one_way_replication_and_nothing_else() {
    let one_way = with_bucket("replication = \"to-secondary\"");
    let of = |text: &str| addresses(text).into_iter().filter(|address| address.contains("bucket")).collect::<Vec<_>>();
    assert_eq!(of(&one_way), ["us-east-1/bucket.logs", "us-east-1/bucket_replication.logs", "us-west-2/bucket.logs"]);
    let other = ["us-east-1/bucket.logs", "us-west-2/bucket.logs", "us-west-2/bucket_replication.logs"];
    assert_eq!(of(&swapped(&one_way)), other);
    let rule = |text: &str, address: &str| {
        typed::<BucketReplication>(&graph(text), address).rules.into_values().next().unwrap()
    };
    assert!(!rule(&one_way, "us-east-1/bucket_replication.logs").replica_modifications);
    let two_way = with_bucket("");
    let address = "us-east-1/bucket_replication.logs";
    assert_eq!(rule(&two_way, address), rule(&swapped(&two_way), address));
}

#[test]
fn a_replication_role_may_copy_in_the_directions_that_there_are() {
    let role = typed::<Role>(&graph(&with_bucket("replication = \"to-secondary\"")), "global/role.logs-replication");
    assert_eq!(role.name, "logs-replication-t1");
    let text = serde_json::to_string_pretty(&json!({ "trust": role.trust, "policy": role.policies[Role::POLICY] }));
    assert_snapshot!(text.unwrap(), @r#"
    {
      "trust": {
        "Version": "2012-10-17",
        "Statement": [
          {
            "Effect": "Allow",
            "Principal": {
              "Service": [
                "s3.amazonaws.com"
              ]
            },
            "Action": [
              "sts:AssumeRole"
            ],
            "Condition": {
              "ArnLike": {
                "aws:SourceArn": [
                  "arn:aws:s3:::logs-us-east-1-t1"
                ]
              },
              "StringEquals": {
                "aws:SourceAccount": [
                  "123456789012"
                ]
              }
            }
          }
        ]
      },
      "policy": {
        "Version": "2012-10-17",
        "Statement": [
          {
            "Sid": "DestinationObjects",
            "Effect": "Allow",
            "Action": [
              "s3:ReplicateDelete",
              "s3:ReplicateObject",
              "s3:ReplicateTags"
            ],
            "Resource": [
              "arn:aws:s3:::logs-us-west-2-t1/*"
            ]
          },
          {
            "Sid": "Source",
            "Effect": "Allow",
            "Action": [
              "s3:GetReplicationConfiguration",
              "s3:ListBucket"
            ],
            "Resource": [
              "arn:aws:s3:::logs-us-east-1-t1"
            ]
          },
          {
            "Sid": "SourceObjects",
            "Effect": "Allow",
            "Action": [
              "s3:GetObjectVersionAcl",
              "s3:GetObjectVersionForReplication",
              "s3:GetObjectVersionTagging"
            ],
            "Resource": [
              "arn:aws:s3:::logs-us-east-1-t1/*"
            ]
          }
        ]
      }
    }
    "#);
    let role = typed::<Role>(&graph(&with_bucket("")), "global/role.logs-replication");
    for statement in role.policies[Role::POLICY].statements() {
        assert_eq!(statement["Resource"].as_array().unwrap().len(), 2, "{statement}");
    }
}

#[test]
fn a_bucket_lets_nobody_in_without_tls() {
    let bucket = typed::<Bucket>(&graph(&with_bucket("")), "us-east-1/bucket.logs");
    let policy = bucket.policy.expect("there is one");
    assert_eq!(policy.statements().len(), 1);
    let statement = &policy.statements()[0];
    assert_eq!((&statement["Effect"], &statement["Action"]), (&json!("Deny"), &json!(["s3:*"])));
    assert_eq!(statement["Resource"], json!(["arn:aws:s3:::logs-us-east-1-t1", "arn:aws:s3:::logs-us-east-1-t1/*"]));
    assert_eq!(statement["Condition"], json!({ "Bool": { "aws:SecureTransport": ["false"] } }));
}

#[test]
fn every_lifecycle_rule_has_an_id_and_every_transition_a_size() {
    let lifecycle = |says: &str| typed::<Bucket>(&graph(&with_bucket(says)), "us-east-1/bucket.logs").lifecycle;
    let cleanup = lifecycle("");
    assert_eq!(cleanup.keys().collect::<Vec<_>>(), ["drctl-cleanup"]);
    let rule = &cleanup["drctl-cleanup"];
    assert_eq!((rule.noncurrent_days, rule.unfinished_upload_days, rule.larger_than), (Some(90), Some(7), None));

    let steps = "lifecycle = [{ after = \"30d\", class = \"STANDARD_IA\" }, { after = \"90d\", class = \"GLACIER\" }]";
    let rule = &lifecycle(steps)["drctl-transitions"];
    let step = |days, class: &str| Transition { days, class: class.into() };
    assert_eq!(rule.transitions, [step(30, "STANDARD_IA"), step(90, "GLACIER")]);
    // S3's own bound: objects of 128 KB move, those of a byte less do not.
    assert_eq!(rule.larger_than, Some(131_071));
    for (size, larger_than) in [("0B", 0), ("1B", 0), ("1MB", 1_048_575)] {
        let rule = &lifecycle(&format!("{steps}\nminimum-size = \"{size}\""))["drctl-transitions"];
        assert_eq!(rule.larger_than, Some(larger_than), "{size}");
    }
}

#[test]
fn a_function_that_uses_a_bucket_comes_after_its_replication_and_reaches_its_own_regions() {
    let says = "replication = \"to-secondary\"";
    for (access, resource, action) in [("write", "/*", "s3:PutObject"), ("read", "", "s3:ListBucket")] {
        let graph = graph(&(with_bucket(says) + &format!("uses = {{ bucket.logs = \"{access}\" }}\n")));
        let function = typed::<Function>(&graph, "us-west-2/function.pay");
        assert_eq!(function.environment["BUCKET_LOGS"], "logs-us-west-2-t1");
        let role = typed::<Role>(&graph, "global/role.pay-us-west-2");
        let statement = role.policies[Role::POLICY].statements().iter().find(|one| one["Sid"] == "BucketLogs");
        let statement = statement.expect("it is there");
        assert_eq!(statement["Action"], json!([action]));
        assert_eq!(statement["Resource"], json!([format!("arn:aws:s3:::logs-us-west-2-t1{resource}")]));
        let needs = |address: &str, need: &str| graph.needs(&address.parse().unwrap()).contains(&need.parse().unwrap());
        assert!(needs("us-east-1/function.pay", "us-east-1/bucket_replication.logs"));
        assert!(needs("us-west-2/function.pay", "us-west-2/bucket.logs"), "nothing is copied from there");
    }
}

#[test]
fn what_is_wrong_with_a_bucket_is_told_at_once() {
    let says = r#"replication = "both"
minimum-size = "128 kb"
lifecycle = [
    { after = "7d", class = "STANDARD_IA" },
    { after = "90d", class = "GLACIER" },
    { after = "60d", class = "DEEP_ARCHIVE" },
    { after = "365d", class = "GLACIER_IR" },
    { after = "400d", class = "ICE" },
    { after = "500d" },
]"#;
    assert_snapshot!(problems(&with_bucket(says)), @r#"
    × spec.toml has 7 problems

    Error: drctl::spec::value

      × `replication` is "both", which is none of its values
        ╭─[spec.toml:16:15]
     15 │ [bucket.logs]
     16 │ replication = "both"
        ·               ───┬──
        ·                  ╰── here
     17 │ minimum-size = "128 kb"
        ╰────
      help: write "two-way" or "to-secondary"

    Error: drctl::spec::value

      × `minimum-size` in `[bucket.logs]`: `128 kb` is no size
        ╭─[spec.toml:17:16]
     16 │ replication = "both"
     17 │ minimum-size = "128 kb"
        ·                ────┬───
        ·                    ╰── here
     18 │ lifecycle = [
        ╰────
      help: write a whole number and B, KB, MB or GB: "128KB", "1MB" or "0B"

    Error: drctl::spec::range

      × STANDARD_IA takes objects after 30 days, not after 7
        ╭─[spec.toml:19:15]
     18 │ lifecycle = [
     19 │     { after = "7d", class = "STANDARD_IA" },
        ·               ──┬─
        ·                 ╰── here
     20 │     { after = "90d", class = "GLACIER" },
        ╰────
      help: write "30d" or more

    Error: drctl::spec::order

      × DEEP_ARCHIVE after 60 days comes after GLACIER after 90
        ╭─[spec.toml:21:15]
     20 │     { after = "90d", class = "GLACIER" },
     21 │     { after = "60d", class = "DEEP_ARCHIVE" },
        ·               ──┬──
        ·                 ╰── here
     22 │     { after = "365d", class = "GLACIER_IR" },
        ╰────
      help: put them in order of time; this one at "91d" or later

    Error: drctl::spec::order

      × S3 does not move objects from GLACIER to GLACIER_IR
        ╭─[spec.toml:22:31]
     21 │     { after = "60d", class = "DEEP_ARCHIVE" },
     22 │     { after = "365d", class = "GLACIER_IR" },
        ·                               ──────┬─────
        ·                                     ╰── here
     23 │     { after = "400d", class = "ICE" },
        ╰────
      help: move them down this list: STANDARD_IA, INTELLIGENT_TIERING, ONEZONE_IA, GLACIER_IR,
            GLACIER, DEEP_ARCHIVE

    Error: drctl::spec::value

      × `class` is "ICE", which is none of its values
        ╭─[spec.toml:23:31]
     22 │     { after = "365d", class = "GLACIER_IR" },
     23 │     { after = "400d", class = "ICE" },
        ·                               ──┬──
        ·                                 ╰── here
     24 │     { after = "500d" },
        ╰────
      help: write "STANDARD_IA" or "INTELLIGENT_TIERING" or "ONEZONE_IA" or "GLACIER_IR" or "GLACIER"
            or "DEEP_ARCHIVE"

    Error: drctl::spec::missing

      × `[bucket.logs.lifecycle]` has no `class`
        ╭─[spec.toml:24:5]
     23 │     { after = "400d", class = "ICE" },
     24 │     { after = "500d" },
        ·     ─────────┬────────
        ·              ╰── this table
     25 │ ]
        ╰────
      help: add `class = "STANDARD_IA"`
    "#);
}

#[test]
fn a_lifecycle_is_a_list_of_tables() {
    assert_snapshot!(problems(&with_bucket("lifecycle = \"30d\"")), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `lifecycle` in `[bucket.logs]`: expected an array, found a string
        ╭─[spec.toml:16:13]
     15 │ [bucket.logs]
     16 │ lifecycle = "30d"
        ·             ──┬──
        ·               ╰── here
     17 │
        ╰────
      help: write `lifecycle = [{ after = "30d", class = "STANDARD_IA" }]`
    "#);
    assert_snapshot!(problems(&with_bucket("lifecycle = [\"30d\"]")), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::type

      × `bucket.logs.lifecycle` is a string, not a table
        ╭─[spec.toml:16:14]
     15 │ [bucket.logs]
     16 │ lifecycle = ["30d"]
        ·              ──┬──
        ·                ╰── here
     17 │
        ╰────
      help: write it as a table: `[bucket.logs.lifecycle]`
    "#);
}

#[test]
fn names_that_s3_does_not_take_are_told() {
    let named = |name: &str| SPEC.replace("[table.payments]", &format!("[bucket.{name}]\n\n[table.payments]"));
    // With short regions it is the role that is too long first.
    let longest = "l".repeat(64 - "-replication-t1".len());
    assert_eq!(addresses(&named(&longest)).iter().filter(|address| address.contains("bucket.")).count(), 2);
    assert_snapshot!(problems(&named(&format!("{longest}ll"))), @r#"
    × spec.toml has 2 problems

    Error: drctl::spec::length

      × the bucket would be called `lllllllllllllllllllllllllllllllllllllllllllllllllll-us-west-2-t1`:
      │ 64 characters, and S3 takes 63
        ╭─[spec.toml:12:9]
     11 │
     12 │ [bucket.lllllllllllllllllllllllllllllllllllllllllllllllllll]
        ·         ─────────────────────────┬─────────────────────────
        ·                                  ╰── here
     13 │
        ╰────
      help: choose a shorter name or suffix

    Error: drctl::spec::length

      × the bucket's replication role would be called
      │ `lllllllllllllllllllllllllllllllllllllllllllllllllll-replication-t1`: 66 characters, and IAM
      │ takes 64
        ╭─[spec.toml:12:9]
     11 │
     12 │ [bucket.lllllllllllllllllllllllllllllllllllllllllllllllllll]
        ·         ─────────────────────────┬─────────────────────────
        ·                                  ╰── here
     13 │
        ╰────
      help: choose a shorter name or suffix
    "#);
    assert_snapshot!(problems(&named("sthree-logs")), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::name

      × the bucket would be called `sthree-logs-us-west-2-t1`, and S3 keeps names like this for itself
        ╭─[spec.toml:12:9]
     11 │
     12 │ [bucket.sthree-logs]
        ·         ─────┬─────
        ·              ╰── here
     13 │
        ╰────
      help: choose another name or suffix
    "#);
}

#[test]
fn objects_too_small_to_move_are_warned_of_where_any_move() {
    let warnings = |says: &str| graph(&with_bucket(says)).warnings().to_vec();
    let steps = "lifecycle = [{ after = \"90d\", class = \"GLACIER\" }]";
    assert_snapshot!(warnings(steps).join("\n"), @"objects of `[bucket.logs]` smaller than 128KB stay where they are, whatever `lifecycle` says; a lower `minimum-size` moves them, too");
    assert_snapshot!(warnings(&format!("{steps}\nminimum-size = \"1MB\"")).join("\n"), @"objects of `[bucket.logs]` smaller than 1MB stay where they are, whatever `lifecycle` says; a lower `minimum-size` moves them, too");
    assert_eq!(warnings(&format!("{steps}\nminimum-size = \"0B\"")), [""; 0]);
    assert_eq!(warnings("minimum-size = \"1MB\""), [""; 0]);
}
