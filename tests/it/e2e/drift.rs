//! What somebody changes behind drctl's back is seen, named, and repaired; what the spec changes is made so.

use drctl::graph::Region;
use drctl::ops::set_concurrency;

use super::world::{EAST, WEST, World};

#[test]
fn concurrency_0_turns_the_region_red_and_is_repaired() {
    let world = World::new();
    world.apply();
    world.health_becomes(EAST, 200);
    let clients = world.clients();
    world.block_on(set_concurrency(&clients, &Region::new(EAST), "payment-processor-prod-001", 0)).unwrap();
    let red = world.health_becomes(EAST, 503);
    assert!(red.body.contains("reserved concurrency of 0"), "{}", red.body);
    world.health_becomes(WEST, 200);
    assert_eq!(world.pay(EAST, None).status, 429);
    world
        .drctl("plan --detailed-exitcode")
        .ends_with(2)
        .says("~ us-east-1/function.payment-processor drifted: changed outside drctl reserved_concurrency: 0 -> 100");
    world.apply();
    world.health_becomes(EAST, 200);
    world.is_in_sync();
}

#[test]
fn changes_made_outside_are_seen_and_repaired() {
    let world = World::new();
    world.apply();
    let clients = world.clients();
    let east = &clients.regions[&Region::new(EAST)];
    let west = &clients.regions[&Region::new(WEST)];
    let role = "payment-processor-us-east-1-prod-001";
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
    world.block_on(async {
        clients
            .iam
            .put_role_policy()
            .role_name(role)
            .policy_name("foreign")
            .policy_document(policy)
            .send()
            .await
            .unwrap();
        east.logs.delete_retention_policy().log_group_name("/aws/lambda/health-check-prod-001").send().await.unwrap();
        let permission = west.lambda.remove_permission().function_name("payment-processor-prod-001");
        permission.statement_id("drctl-url-InvokeFunction").send().await.unwrap();
        let table = west.dynamodb.update_table().table_name("payment-transactions-prod-001");
        table.deletion_protection_enabled(false).send().await.unwrap();
        east.lambda.delete_function_url_config().function_name("health-check-prod-001").send().await.unwrap();
    });
    let plan = world.drctl("plan").ends_with(0);
    let plan = plan
        .says("~ global/role.payment-processor-us-east-1 drifted: changed outside drctl")
        .says("~ us-east-1/log_group.health-check drifted: changed outside drctl retention_days: (not set) -> 30")
        .says("~ us-west-2/function_url.payment-processor drifted: changed outside drctl")
        .says("~ us-west-2/table_replica.payment-transactions drifted: changed outside drctl deletion_protection: false -> true")
        .says("+ us-east-1/function_url.health-check drifted: changed outside drctl");
    plan.says("1 to create, 5 to update, 0 to replace, 0 to delete");
    world.apply();
    world.is_in_sync();
    let policies = world.block_on(clients.iam.list_role_policies().role_name(role).send()).unwrap();
    assert_eq!(policies.policy_names(), ["least-privilege"]);
}

#[test]
fn the_spec_changes_things_in_place() {
    let world = World::new();
    world.apply();
    world.write_spec(|spec| spec.replace("memory = 256", "memory = 512").replace("\"payments\" }", "\"cards\" }"));
    world
        .drctl("plan")
        .ends_with(0)
        .says("~ us-west-2/function.payment-processor spec changed memory: 256 -> 512 tags.cost-center: payments -> cards")
        .says("0 to replace, 0 to delete");
    world.apply();
    world.is_in_sync();

    world.write_spec(|spec| spec.replace("index.by-customer", "# index.by-customer").replace("ttl =", "# ttl ="));
    world.drctl("plan").ends_with(0).says("~ global/table.payment-transactions spec changed");
}

#[test]
fn drift_tells_what_changed_outside_and_nothing_else() {
    let world = World::new();
    world.drctl("drift").ends_with(0).says("nothing is recorded of this system, and nothing of it is live");
    world.apply();
    world.drctl("drift").ends_with(0).says("no drift: 47 resources as drctl left them");
    world.write_spec(|spec| spec.replace("memory = 256", "memory = 512").replace("index.by-customer", "# index"));
    world.drctl("drift").ends_with(0).says("no drift: 47 resources as drctl left them");

    let clients = world.clients();
    let (east, west) = (&clients.regions[&Region::new(EAST)], &clients.regions[&Region::new(WEST)]);
    world.block_on(async {
        set_concurrency(&clients, &Region::new(EAST), "payment-processor-prod-001", 0).await.unwrap();
        east.lambda.delete_function_url_config().function_name("health-check-prod-001").send().await.unwrap();
        let group = "arn:aws:logs:us-west-2:000000000000:log-group:/aws/lambda/health-check-prod-001";
        west.logs.untag_resource().resource_arn(group).tag_keys("drctl:system").send().await.unwrap();
    });
    let drift = world.drctl("drift").ends_with(2);
    let drift = drift
        .says("~ us-east-1/function.payment-processor changed outside drctl; the spec has changed since, too")
        .says("reserved_concurrency: 100 -> 0")
        .says("- us-east-1/function_url.health-check deleted outside drctl")
        .says(
            "! us-west-2/log_group.health-check `/aws/lambda/health-check-prod-001` now carries none of drctl's marks",
        );
    drift.says("3 resources changed outside drctl, 44 as drctl left them");

    std::fs::remove_dir_all(world.state()).unwrap();
    world.drctl("drift").ends_with(0).says("of 45 live resources nothing is recorded");
}
