//! What a plan may not do without being told so, and plans of a part.

use drctl::graph::Region;
use drctl::ops::set_concurrency;

use super::world::{EAST, WEST, World};

#[test]
fn a_protected_table_is_made_anew_once_that_is_allowed() {
    let world = World::new();
    world.apply();
    world.write_spec(|spec| spec.replace("key = \"transactionId\"", "key = \"paymentId\""));
    let loss = "replacing global/table.payment-transactions loses its data (key cannot be changed in place), and lifts \
                the deletion protection of us-east-1/table_replica.payment-transactions, \
                us-west-2/table_replica.payment-transactions";
    world.drctl("plan").ends_with(0).says(&format!("`apply` will refuse: {loss}"));
    world.drctl("apply --yes").ends_with(5).says(loss).says("--allow global/table.payment-transactions");
    world.drctl("apply --yes --allow global/table.payment-transactions").ends_with(0);
    world.is_in_sync();
    for region in [EAST, WEST] {
        let dynamodb = &world.clients().regions[&Region::new(region)].dynamodb;
        let call = dynamodb.describe_table().table_name("payment-transactions-prod-001").send();
        let table = world.block_on(call).unwrap().table.unwrap();
        assert_eq!(table.key_schema()[0].attribute_name(), "paymentId");
        assert_eq!(table.deletion_protection_enabled(), Some(true));
    }
}

#[test]
fn what_would_take_the_system_down_is_refused() {
    let world = World::new();
    let write = |to: &str| {
        let quick = |spec: String| spec.replace("interval = \"30s\"", "interval = \"10s\"");
        world.write_spec(|spec| {
            quick(spec).replace("reserved-concurrency = 100", &format!("reserved-concurrency = {to}"))
        });
    };
    write("100");
    world.apply();
    let stop = |region: &str| format!("{region}/function.payment-processor is stopped by this");

    write("0");
    let both = format!("no region would take payments: {}, {}", stop(EAST), stop(WEST));
    // A URL that was just made turns its first probes away, so regions may be red for a moment.
    world.eventually("two regions that are well", || world.drctl("plan").stderr.contains(&both).then_some(()));
    world.drctl("apply --yes").ends_with(5).says(&both).says("`--allow us-east-1/function.payment-processor`");
    // One region may stop as long as the other is well; then that one is the last.
    let one = world.drctl("apply --yes --target us-west-2/function.payment-processor").ends_with(0);
    one.says("1 other change is left out");
    world.drctl("apply --yes").ends_with(5).says("us-west-2/function.payment-processor is stopped").says(&stop(EAST));

    write("100");
    world.apply();
    world.health_becomes(WEST, 200);
    let clients = world.clients();
    world.block_on(set_concurrency(&clients, &Region::new(EAST), "health-check-prod-001", 0)).unwrap();
    write("0");
    world.eventually("a red health check", || {
        let plan = world.drctl("plan --target us-west-2").ends_with(0).stderr;
        (plan.contains("us-east-1/function.payment-processor has a red health check") && plan.contains(&stop(WEST)))
            .then_some(())
    });

    world.write_spec(|spec| spec.split("[alert]").next().unwrap_or_default().to_owned());
    let refused =
        world.drctl("apply --yes").ends_with(5).says("deleting global/secret.payment-api-keys loses its data");
    refused.says("and keeps 0: it may not be the right spec").says("--allow-many-deletes");
}

#[test]
fn a_part_of_the_plan_is_made_with_what_it_needs() {
    let world = World::new();
    let near = "did you mean `us-east-1/function.payment-processor`?";
    world.drctl("plan --target us-east-1/function.payment-procesor").ends_with(64).says("names nothing").says(near);
    let part = "--target us-east-1/function_url.health-check";
    world
        .drctl(&format!("plan --detailed-exitcode {part}"))
        .ends_with(2)
        .says("+ us-east-1/function_url.health-check")
        .says("other changes are left out by `--target`");
    world.drctl(&format!("apply --yes {part}")).ends_with(0);
    world.drctl(&format!("plan --detailed-exitcode {part}")).ends_with(0).says("no changes");
    let answer = world.block_on(drctl::ops::Request::get(&world.output("HealthCheckUrl", EAST)).send()).unwrap();
    assert_eq!(answer.status, 503, "the payment function is not there yet: {}", answer.body);
    world.apply();
    world.is_in_sync();
}
