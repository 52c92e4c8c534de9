//! What somebody changes behind drctl's back is seen, named, and repaired; what the spec changes is made so.

use drctl::graph::Region;
use drctl::ops::set_concurrency;

use super::world::{EAST, WEST, World};

#[test]
fn a_region_that_was_broken_outside_is_red_and_is_repaired() {
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

    // A URL that is made again has another host, which whoever names it follows.
    let lambda = &clients.regions[&Region::new(EAST)].lambda;
    let delete = lambda.delete_function_url_config().function_name("health-check-prod-001");
    world.block_on(delete.send()).unwrap();
    world
        .drctl("plan")
        .ends_with(0)
        .says("+ us-east-1/function_url.health-check drifted: changed outside drctl")
        .says("~ global/health_check.us-east-1 a dependency changes")
        .says("1 to create, 1 to update, 0 to replace, 0 to delete");
    world.apply();
    world.health_becomes(EAST, 200);
    world.is_in_sync();
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
    world.drctl("drift").ends_with(0).says("no drift: ");
    world.write_spec(|spec| spec.replace("memory = 256", "memory = 512").replace("index.by-customer", "# index"));
    world.drctl("drift").ends_with(0).says("no drift: ");

    let clients = world.clients();
    let (east, west) = (&clients.regions[&Region::new(EAST)], &clients.regions[&Region::new(WEST)]);
    world.block_on(async {
        set_concurrency(&clients, &Region::new(EAST), "payment-processor-prod-001", 0).await.unwrap();
        east.lambda.delete_function_url_config().function_name("health-check-prod-001").send().await.unwrap();
        let group = "arn:aws:logs:us-west-2:000000000000:log-group:/aws/lambda/health-check-prod-001";
        west.logs.untag_resource().resource_arn(group).tag_keys("drctl:system").send().await.unwrap();
    });
    // The tagging API hears of it a moment later.
    let drift = world.eventually("a log group that is no longer ours", || {
        let drift = world.drctl("drift").ends_with(2);
        drift.stdout.contains("! us-west-2/log_group.health-check").then_some(drift)
    });
    let drift = drift
        .says("~ us-east-1/function.payment-processor changed outside drctl; the spec has changed since, too")
        .says("reserved_concurrency: 100 -> 0")
        .says("- us-east-1/function_url.health-check deleted outside drctl")
        .says(
            "! us-west-2/log_group.health-check `/aws/lambda/health-check-prod-001` now carries none of drctl's marks",
        );
    drift.says("3 resources changed outside drctl, ");

    std::fs::remove_dir_all(world.state()).unwrap();
    world.drctl("drift").ends_with(0).says(" live resources nothing is recorded");
}
