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
