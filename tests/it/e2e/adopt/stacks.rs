//! Two CloudFormation stacks are moved to drctl by the commands of the runbook.

use std::collections::BTreeSet;

use aws_sdk_route53::types::{HealthCheckConfig, HealthCheckType};
use drctl::aws::Clients;

use super::super::runbook::{boxes_of_the_move, run};
use super::super::world::{EAST, WEST, World};
use super::{data_is_there, east, only_marked, put_data, writes};

const TABLE: &str = "payment-transactions-prod-001";
const BUCKET: &str = "transaction-logs-us-east-1-prod-001";
const FUNCTION: &str = "payment-processor-prod-001";

/// Deploys both regions as operators did before drctl.
const DEPLOY: &str = r#"
deploy() {   # deploy NAME REGION IS_PRIMARY
  aws cloudformation create-stack --stack-name "payment-dr-$1" --region "$2" --template-body "file://$TEMPLATE" \
    --capabilities CAPABILITY_NAMED_IAM --parameters ParameterKey=EnvironmentSuffix,ParameterValue=prod-001 \
    "ParameterKey=IsPrimaryRegion,ParameterValue=$3" ParameterKey=AlertEmail,ParameterValue=ops@example.com \
    ParameterKey=HostedZoneName,ParameterValue=payment-system.example.com \
    ParameterKey=LambdaReservedConcurrency,ParameterValue=100
  until aws cloudformation describe-stacks --stack-name "payment-dr-$1" --region "$2" | grep '"CREATE_COMPLETE"'; do
    sleep 1
  done
}
deploy primary us-east-1 true
deploy secondary us-west-2 false
"#;

/// What AWS gave each of the things that would be another one had it been made anew.
fn identities(world: &World, clients: &Clients) -> Vec<String> {
    let aws = east(clients);
    let table = world.block_on(aws.dynamodb.describe_table().table_name(TABLE).send()).unwrap().table.unwrap();
    let role = clients.iam.get_role().role_name("payment-processor-us-east-1-prod-001");
    let role = world.block_on(role.send()).unwrap().role.unwrap();
    let url = world.block_on(aws.lambda.get_function_url_config().function_name(FUNCTION).send()).unwrap();
    let secret = world.block_on(aws.secrets.describe_secret().secret_id("payment-api-keys-prod-001").send()).unwrap();
    let zones = world.block_on(clients.route53.list_hosted_zones().send()).unwrap();
    let buckets = world.block_on(aws.s3.list_buckets().send()).unwrap();
    let bucket = buckets.buckets().iter().find(|bucket| bucket.name() == Some(BUCKET)).unwrap();
    vec![
        table.table_id.unwrap(),
        role.role_id,
        url.function_url,
        secret.arn.unwrap(),
        zones.hosted_zones().iter().map(|zone| zone.id()).collect(),
        format!("{:?}", bucket.creation_date),
    ]
}

/// A health check as CloudFormation makes it; the sandbox's does not know the type.
fn make_check(world: &World, clients: &Clients) -> String {
    let url = east(clients).lambda.get_function_url_config().function_name("health-check-prod-001");
    let url = world.block_on(url.send()).unwrap().function_url;
    let host = url.trim_start_matches("https://").trim_end_matches('/');
    let config = HealthCheckConfig::builder().r#type(HealthCheckType::Https).fully_qualified_domain_name(host);
    let config = config.port(443).resource_path("/health").request_interval(30).failure_threshold(2).build().unwrap();
    let call = clients.route53.create_health_check().caller_reference("of the stack").health_check_config(config);
    world.block_on(call.send()).unwrap().health_check.unwrap().id
}

#[test]
fn two_stacks_become_one_system_and_nothing_is_made_anew() {
    let world = World::at_speed(60);
    let clients = world.clients();
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/e2e/adopt/template.json");
    run(&world, &[&format!("TEMPLATE={template}"), DEPLOY]);
    let check = make_check(&world, &clients);
    put_data(&world, &clients, TABLE, BUCKET);
    let before = identities(&world, &clients);

    let boxes = boxes_of_the_move();
    let [retain, adopt, converge, delete] = boxes.as_slice() else { panic!("the chapter has {} boxes", boxes.len()) };
    let refused = world.drctl("apply --yes").ends_with(5).says("drctl adopt --all");
    refused.says("was made by the CloudFormation stack payment-dr-primary");
    let refused = world.drctl("adopt --all --yes").ends_with(5).says("nothing was adopted");
    refused.says("`DeletionPolicy: Retain`, update the stack, and add `--stack-retained`");
    run(&world, &[retain]);

    world.calls();
    let said = run(&world, &[adopt]).concat();
    only_marked(&world);
    for line in ["@ us-east-1/bucket.transaction-logs", "@ global/record.api", &check, "-> provided.al2023"] {
        assert!(said.contains(line), "`{line}` is not in\n{said}");
    }
    assert_eq!(identities(&world, &clients), before);
    world.drctl("adopt --all --yes").ends_with(0).says("nothing to adopt");
    let plan = world.drctl("plan --json").ends_with(0).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!((&plan["summary"]["replace"], &plan["summary"]["delete"]), (&0.into(), &0.into()), "{plan:#}");
    let drift = world.drctl("drift").ends_with(0);
    drift.says("no drift");

    world.calls();
    run(&world, &[converge]);
    let made = writes(&world).into_iter().filter(|write| write.starts_with("Create") || write.starts_with("Delete"));
    // The role that S3 replicates with, the secondary's health check, and the other roles' old policies.
    let expected = ["CreateHealthCheck", "CreateRole", "DeleteRolePolicy"];
    assert_eq!(made.collect::<BTreeSet<_>>(), expected.map(String::from).into());
    assert_eq!(identities(&world, &clients), before);
    assert_eq!(world.output("HealthCheckId", EAST), check);
    data_is_there(&world, &clients, TABLE, BUCKET);

    run(&world, &[delete]);
    world.is_in_sync();
    data_is_there(&world, &clients, TABLE, BUCKET);
    for region in [EAST, WEST] {
        assert_eq!(world.pay(region, None).status, 201);
    }
}
