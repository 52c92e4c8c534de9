//! What is live, for people and for a plan without AWS.

use drctl::graph::Region;
use drctl::ops::set_concurrency;

use super::world::{EAST, World};

#[test]
fn what_is_live_can_be_looked_at_and_planned_from() {
    let world = World::new();
    world.drctl("observe").ends_with(0).says("0 resources live");
    world.apply();
    let list = world.drctl("observe").ends_with(0);
    list.says("us-west-2 alarm.dynamodb-read-throttle").says("waits for you: ");
    let one = world.drctl("observe us-east-1/function.health-check").ends_with(0).says("timeout: 5");
    one.says("attributes arn: arn:aws:lambda:us-east-1:000000000000:function:health-check-prod-001");
    world.drctl("observe us-east-1/function.health-chekc").ends_with(64).says("did you mean");

    let snapshot = world.drctl("observe --json").ends_with(0).stdout;
    let planned = |snapshot: &str| world.drctl_given("plan --detailed-exitcode --observed -", snapshot, None);
    planned(&snapshot).ends_with(0).says("no changes: ");

    world
        .block_on(set_concurrency(&world.clients(), &Region::new(EAST), "payment-processor-prod-001", 0))
        .expect("the sandbox takes it");
    let snapshot = world.drctl("observe --json").ends_with(0).stdout;
    let from_snapshot = planned(&snapshot)
        .ends_with(2)
        .stdout
        .replace("warning: the functions' code was not built, and is not compared\n", "");
    assert_eq!(from_snapshot, world.drctl("plan").ends_with(0).stdout);
}
