//! `[encryption]`.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{PRODUCTION, graph, problems, swapped, typed};
use crate::graph::{Document, Graph, Region};
use crate::kinds::bucket_replication::BucketReplication;
use crate::kinds::key::Key;
use crate::kinds::role::Role;

const ENCRYPTED: &str = include_str!("../../../specs/encrypted.toml");

fn with(key: &str) -> Graph {
    graph(&format!("{PRODUCTION}[encryption]\nkey = \"{key}\"\n"))
}

/// What refers to the key, without the names of regions.
fn users(graph: &Graph) -> BTreeSet<String> {
    let uses = graph.iter().filter(|(address, _)| graph.needs(address).contains(&Key::address()));
    uses.map(|(address, _)| address.kind.clone()).collect()
}

#[test]
fn a_customer_key_encrypts_whatever_is_stored() {
    let graph = graph(&format!("{PRODUCTION}{ENCRYPTED}"));
    let kinds = ["bucket", "bucket_replication", "function", "log_group", "role", "secret", "table", "topic"];
    assert_eq!(users(&graph), kinds.map(str::to_owned).into());
}

#[test]
fn without_one_there_is_no_key() {
    for without in [graph(PRODUCTION), with("aws")] {
        assert!(without.get(&Key::address()).is_none());
    }
}

#[test]
fn a_retired_one_encrypts_nothing_and_what_is_encrypted_with_it_can_be_read_and_copied() {
    let (retired, customer) = (with("retired"), with("customer"));
    assert!(retired.get(&Key::address()).is_some());
    assert_eq!(users(&retired), ["bucket_replication", "role"].map(str::to_owned).into());
    for (address, wanted) in
        customer.iter().filter(|(address, _)| ["bucket_replication", "role"].contains(&&*address.kind))
    {
        assert_eq!(retired.get(address).map(|node| &node.properties), Some(&wanted.properties), "{address}");
    }
}

#[test]
fn who_needs_the_key_is_allowed_to_use_it_before_anything_is_encrypted_with_it() {
    let roles = |graph: &Graph, address: &str| {
        let needs = graph.needs(&address.parse().unwrap());
        needs.iter().filter(|need| need.kind == "role").map(|need| need.name.clone()).collect::<Vec<_>>()
    };
    let graph = with("customer");
    let everywhere = ["payment-processor-us-east-1", "payment-processor-us-west-2"];
    assert_eq!(roles(&graph, "global/secret.payment-api-keys"), everywhere);
    let table = ["health-check-us-east-1", "health-check-us-west-2", everywhere[0], everywhere[1]];
    assert_eq!(roles(&graph, "global/table.payment-transactions"), table);
    // The health check does not read what is in the bucket.
    assert_eq!(roles(&graph, "us-west-2/bucket.transaction-logs"), ["payment-processor-us-west-2"]);
    for without in [with("retired"), with("aws")] {
        assert_eq!(roles(&without, "global/table.payment-transactions"), [""; 0]);
    }
}

#[test]
fn the_key_is_one_for_both_regions_with_a_policy_for_each() {
    let key: Key = typed(&with("customer"), "global/key.main");
    assert_eq!(key.alias, "alias/payment-dr-prod-001");
    assert_eq!(key.home, Region::new("us-east-1"));
    let policy = &key.policies[&Region::new("us-west-2")];
    let statement = |statement: &Value| {
        let Value::Object(parts) = &statement["Principal"] else { panic!("{statement} names its principal") };
        let (who, condition) = (parts.values().next().unwrap(), &statement["Condition"]);
        format!("{} lets {who} do {} if {condition}", statement["Sid"], statement["Action"])
    };
    assert_snapshot!(policy.statements().iter().map(statement).collect::<Vec<_>>().join("\n"), @r#"
    "Account" lets ["arn:aws:iam::123456789012:root"] do ["kms:*"] if null
    "Alarms" lets ["cloudwatch.amazonaws.com"] do ["kms:Decrypt","kms:GenerateDataKey*"] if null
    "Logs" lets ["logs.us-west-2.amazonaws.com"] do ["kms:Decrypt*","kms:Describe*","kms:Encrypt*","kms:GenerateDataKey*","kms:ReEncrypt*"] if {"ArnLike":{"kms:EncryptionContext:aws:logs:arn":["arn:aws:logs:us-west-2:123456789012:log-group:/aws/lambda/*-prod-001"]}}
    "#);
    // The regions change hands, and nothing but the home of a new key with them.
    let other: Key = typed(&graph(&swapped(&format!("{PRODUCTION}{ENCRYPTED}"))), "global/key.main");
    assert_eq!((&other.members, &other.policies), (&key.members, &key.policies));
}

/// The statements of a role's policy that are about keys, each with the service that it is for.
fn statements(graph: &Graph, role: &str) -> Vec<String> {
    let role: Role = typed(graph, role);
    let policy: &Document = &role.policies[Role::POLICY];
    let about_keys = policy.statements().iter().filter(|statement| statement["Action"][0].to_string().contains("kms:"));
    let line = |statement: &Value| {
        let via = &statement["Condition"]["StringEquals"]["kms:ViaService"];
        let key = &statement["Resource"][0]["attribute"];
        format!("{} {} with {key} through {via}", statement["Sid"], statement["Action"])
    };
    about_keys.map(line).collect()
}

#[test]
fn roles_may_use_the_key_of_their_region_through_what_they_use() {
    let graph = with("customer");
    assert_snapshot!(statements(&graph, "global/role.payment-processor-us-west-2").join("\n"), @r#"
    "DecryptUsWest2" ["kms:Decrypt"] with "arn.us-west-2" through ["dynamodb.us-west-2.amazonaws.com","secretsmanager.us-west-2.amazonaws.com"]
    "GenerateDataKeyUsWest2" ["kms:GenerateDataKey"] with "arn.us-west-2" through ["s3.us-west-2.amazonaws.com"]
    "#);
    assert_snapshot!(statements(&graph, "global/role.health-check-us-east-1").join("\n"), @r#""DecryptUsEast1" ["kms:Decrypt"] with "arn.us-east-1" through ["dynamodb.us-east-1.amazonaws.com"]"#);
    assert_snapshot!(statements(&graph, "global/role.transaction-logs-replication").join("\n"), @r#"
    "DecryptUsEast1" ["kms:Decrypt"] with "arn.us-east-1" through ["s3.us-east-1.amazonaws.com"]
    "DecryptUsWest2" ["kms:Decrypt"] with "arn.us-west-2" through ["s3.us-west-2.amazonaws.com"]
    "EncryptUsEast1" ["kms:Encrypt","kms:GenerateDataKey"] with "arn.us-east-1" through ["s3.us-east-1.amazonaws.com"]
    "EncryptUsWest2" ["kms:Encrypt","kms:GenerateDataKey"] with "arn.us-west-2" through ["s3.us-west-2.amazonaws.com"]
    "#);
}

#[test]
fn copies_are_encrypted_with_the_key_of_their_destination() {
    let copies: BucketReplication = typed(&with("customer"), "us-east-1/bucket_replication.transaction-logs");
    let rule = copies.rules.into_values().next().unwrap();
    assert_eq!(json!(rule.kms_key), json!({ "$from": "global/key.main", "attribute": "arn.us-west-2" }));
}

#[test]
fn a_key_is_whose_there_are() {
    assert_snapshot!(problems(&format!("{PRODUCTION}[encryption]\nkey = \"mine\"\n")), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `key` is "mine", which is none of its values
        ╭─[spec.toml:74:7]
     73 │ [encryption]
     74 │ key = "mine"
        ·       ───┬──
        ·          ╰── here
        ╰────
      help: write "aws" or "customer" or "retired"
    "#);
}
