//! What drctl will not do, and what it says instead.

use drctl::graph::Region;

use super::world::{EAST, World};

#[test]
fn data_is_never_lost_by_the_way() {
    let world = World::new();
    world.apply();

    world.write_spec(|spec| spec.replace("key = \"transactionId\"", "key = \"paymentId\""));
    let replaced = "replacing global/table.payment-transactions loses its data (key cannot be changed in place)";
    world.drctl("apply --yes").ends_with(5).says(replaced).says("--allow global/table.payment-transactions");

    world.write_spec(|spec| spec);
    world.drctl("destroy --confirm prod-001").ends_with(5).says("deletion protection is on").says("--lift-protection");
    world.drctl("destroy --lift-protection").ends_with(5).says("no terminal to ask on").says("--confirm prod-001");
    let wrong = world.drctl("destroy --lift-protection --confirm prod-002").ends_with(5);
    wrong.says("`prod-002` is not the suffix `prod-001`; nothing was deleted");
    world.is_in_sync();
}

#[test]
fn what_drctl_did_not_make_is_left_alone() {
    let world = World::new();
    let clients = world.clients();
    let logs = &clients.regions[&Region::new(EAST)].logs;
    let name = "/aws/lambda/payment-processor-prod-001";
    world.block_on(logs.create_log_group().log_group_name(name).send()).unwrap();
    let refused = world.drctl("apply --yes").ends_with(5);
    refused
        .says("! us-east-1/log_group.payment-processor")
        .says("carries none of drctl's marks")
        .says("leaves it alone");
    world.drctl("destroy --confirm prod-001").ends_with(0).says("nothing to destroy");
    let groups = world.block_on(logs.describe_log_groups().log_group_name_prefix(name).send()).unwrap();
    assert_eq!(groups.log_groups().len(), 1, "it is still there");
}

#[test]
fn an_apply_without_a_terminal_wants_yes() {
    let world = World::new();
    world.drctl("apply").ends_with(5).says("no terminal to ask on; nothing was changed").says("add `--yes`");
}

#[test]
fn every_way_to_end_has_its_exit_code() {
    let world = World::new();
    world.drctl("plam").ends_with(64);
    world.drctl("output NoSuchOutput").ends_with(64).says("there is no output `NoSuchOutput`");
    world.drctl("output LambdaFunctionUrl").ends_with(1).says("run `drctl apply` first");
    world.write_spec(|spec| spec.replace("memory", "memmory"));
    world.drctl("plan").ends_with(4).says("did you mean `memory`?");
    world.write_spec(|spec| spec.replace("# account   = \"123456789012\"", "account = \"123456789012\""));
    world.drctl("plan").ends_with(5).says("these credentials are for account 000000000000");
}

#[test]
fn two_applies_at_once_are_one() {
    let world = World::new();
    std::fs::create_dir_all(world.state()).unwrap();
    let lock = std::fs::File::create(world.state().join("payment-dr-prod-001.lock")).unwrap();
    lock.lock().unwrap();
    world.drctl("apply --yes").ends_with(6).says("another drctl is at work on this system");
    drop(lock);
    world.apply();
}
