use std::collections::BTreeSet;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::*;
use crate::desired::read;

const GRANTS: &[Grant] = &[
    Grant::calls(&["lambda:GetFunction"], &["arn:aws:lambda:{region}:{account}:function:{name}"]),
    Grant::implied(&["iam:PassRole"], &["arn:aws:iam::{account}:role/{role.name}"])
        .only(&[Condition::equals("iam:PassedToService", "lambda.amazonaws.com")]),
    Grant::everywhere(&["logs:DescribeLogGroups"]),
    Grant::calls(&["lambda:AddPermission"], &["*"]).given("tracing", "Active"),
];

const SPEC: &str = r#"
schema = 1
system = { name = "s", environment = "test", suffix = "t1" }
region = { primary = "us-east-1", secondary = "us-west-2" }
table.a = { key = "id" }
function.pay = { source = "f.zip", uses = { table.a = "write" } }
"#;

/// What these grants are for every function of the spec.
fn policy(grants: &[Grant]) -> Policy {
    let spec = read("s.toml".as_ref(), SPEC).expect("a good spec");
    let graph = spec.sketch();
    let regions = spec.regions();
    let system = System { account: "123456789012", name: "s", regions: &regions, suffix: "t1", graph: &graph };
    let mut policy = Policy::default();
    for (address, node) in graph.iter().filter(|(address, _)| address.kind == "function") {
        policy.allow_on(grants, system, &address.place, &node.properties);
    }
    policy
}

#[test]
fn names_are_filled_in_and_what_is_alike_is_said_once() {
    let document = policy(GRANTS).document();
    let statements = document["Statement"].as_array().expect("a list");
    let lines: Vec<_> = statements.iter().map(ToString::to_string).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    {"Effect":"Allow","Action":["lambda:GetFunction"],"Resource":["arn:aws:lambda:us-east-1:123456789012:function:pay-t1","arn:aws:lambda:us-west-2:123456789012:function:pay-t1"]}
    {"Effect":"Allow","Action":["logs:DescribeLogGroups"],"Resource":["*"],"Condition":{"StringEquals":{"aws:RequestedRegion":["us-east-1","us-west-2"]}}}
    {"Effect":"Allow","Action":["iam:PassRole"],"Resource":["arn:aws:iam::123456789012:role/pay-us-east-1-t1","arn:aws:iam::123456789012:role/pay-us-west-2-t1"],"Condition":{"StringEquals":{"iam:PassedToService":["lambda.amazonaws.com"]}}}
    "#);
}

#[test]
fn what_is_in_no_region_is_meant_in_each() {
    const BOTH: &[Grant] = &[Grant::calls(&["dynamodb:DescribeTable"], &["arn:aws:dynamodb:{region}::table/{suffix}"])];
    let spec = read("s.toml".as_ref(), SPEC).expect("a good spec");
    let (graph, regions) = (spec.sketch(), spec.regions());
    let mut policy = Policy::default();
    policy.allow(BOTH, System { account: "123456789012", name: "s", regions: &regions, suffix: "t1", graph: &graph });
    let document = policy.document();
    let resources = &document["Statement"][0]["Resource"];
    assert_eq!(
        resources.to_string(),
        r#"["arn:aws:dynamodb:us-east-1::table/t1","arn:aws:dynamodb:us-west-2::table/t1"]"#
    );
}

/// Every action with every resource and condition that it is allowed with.
fn meaning(documents: &[serde_json::Value]) -> BTreeSet<(String, String, String)> {
    let texts =
        |value: &serde_json::Value| value.as_array().into_iter().flatten().map(ToString::to_string).collect::<Vec<_>>();
    let mut meaning = BTreeSet::new();
    for statement in documents.iter().flat_map(|document| document["Statement"].as_array().into_iter().flatten()) {
        for action in texts(&statement["Action"]) {
            for resource in texts(&statement["Resource"]) {
                meaning.insert((action.clone(), resource, statement["Condition"].to_string()));
            }
        }
    }
    meaning
}

proptest! {
    #![proptest_config(crate::fuzz::cases(64))]

    #[test]
    fn a_policy_in_parts_says_the_same_and_each_part_has_room(most in 400_usize..3_000) {
        let policy = policy(GRANTS);
        let parts = policy.documents(most);
        prop_assert_eq!(meaning(&parts), meaning(&[policy.document()]));
        for part in &parts {
            prop_assert!(part.to_string().len() <= most, "{part}");
        }
    }
}
