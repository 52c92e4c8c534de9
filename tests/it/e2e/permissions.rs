//! Who may do what: the printed policies let each task do its work, and nothing else.

use aws_sdk_kms::types::Tag;
use drctl::graph::Region;
use drctl::kinds::key::Key;
use drctl::ops::Request;

use super::world::{EAST, WEST, World};

#[test]
fn a_refused_call_says_which_action_is_missing_where_and_who_has_it() {
    let world = World::new();
    let planner = world.caller("plan");
    world.drctl_as(&planner, "plan").ends_with(0).says("49 to create");
    let denied = world.drctl_as(&planner, "apply --yes").ends_with(1);
    denied
        .says("creating global/role.payment-processor-us-east-1")
        .says("iam:CreateRole failed: AccessDenied: User: arn:aws:iam::000000000000:user/plan is not authorized")
        .says("let the caller do `iam:CreateRole` (`drctl iam-policy apply` prints all that it needs)");
}

#[test]
fn each_task_needs_no_more_than_its_policy() {
    let world = World::new();
    let kept = |spec: String| format!("{spec}\n[state]\nbucket = \"states\"\n");
    world.write_spec(kept);
    world.drctl("state init").ends_with(0);
    let [planner, applier, operator, destroyer] =
        ["plan", "apply", "operate", "destroy"].map(|task| world.caller(task));

    world.drctl_as(&planner, "plan").ends_with(0).says("49 to create");
    world.drctl_as(&planner, "apply --yes").ends_with(1).says("let the caller do `s3:PutObject`");
    world.drctl_as(&applier, "apply --yes").ends_with(0).says("live as the spec says");
    world.drctl_as(&planner, "plan --detailed-exitcode").ends_with(0).says("no changes");
    world.drctl_as(&planner, "drift").ends_with(0);
    world.drctl_as(&planner, "state check").ends_with(0);
    world.drctl_as(&planner, "output").ends_with(0);

    let unset = world.drctl_as_given(&applier, "secret set", "value").ends_with(1);
    unset.says(
        "let the caller do `secretsmanager:PutSecretValue` (`drctl iam-policy operate` prints all that it needs)",
    );
    world.drctl_as_given(&operator, "secret set", "value").ends_with(0);
    world.drctl_as(&operator, "pay").ends_with(0);

    // What changed outside is repaired with no more than that, and what left the spec is deleted.
    world.write_spec(|spec| {
        format!("{}\n[alarm.lambda-throttles]\nenabled = false\n", kept(spec)).replace("memory = 256", "memory = 512")
    });
    world.drctl_as(&applier, "apply --yes").ends_with(0).says("4 changes done");
    world.write_spec(kept);

    let down = "destroy --confirm prod-001 --lift-protection --empty-buckets";
    world.drctl_as(&applier, down).ends_with(1).says("`drctl iam-policy destroy` prints all that it needs");
    world.drctl_as(&destroyer, down).ends_with(0).says("nothing left");
}

/// What nobody's tags mark is asked past the spec's own kinds.
#[test]
fn a_zone_of_somebody_else_and_what_was_made_by_hand_need_no_more() {
    let world = World::new();
    world.write_spec(|spec| spec.replace("record = \"api\"", "record = \"api\"\ncreate-zone = false"));
    let [planner, applier, destroyer] = ["plan", "apply", "destroy"].map(|task| world.caller(task));
    let clients = world.clients();
    let zone = clients.route53.create_hosted_zone().name("payment-system.example.com").caller_reference("by hand");
    world.block_on(zone.send()).unwrap();
    let logs = &clients.regions[&Region::new(EAST)].logs;
    let group = logs.create_log_group().log_group_name("/aws/lambda/payment-processor-prod-001");
    world.block_on(group.send()).unwrap();

    let by_hand = "us-east-1/log_group.payment-processor";
    world.eventually("a plan that sees the group", || (world.drctl_as(&planner, "plan").code == 5).then_some(()));
    world.drctl_as(&applier, &format!("adopt {by_hand} --yes")).ends_with(0);
    world.drctl_as(&applier, "apply --yes").ends_with(0).says("live as the spec says");
    world.drctl_as(&planner, "plan --detailed-exitcode").ends_with(0).says("no changes");
    let down = "destroy --confirm prod-001 --lift-protection --empty-buckets";
    world.drctl_as(&destroyer, down).ends_with(0).says("nothing left");
}

#[test]
fn a_url_that_wants_a_caller_of_aws_takes_payments_of_operators_alone() {
    let world = World::new();
    world.write_spec(|spec| spec.replacen("auth = \"none\"", "auth = \"iam\"", 1));
    let [planner, operator] = ["plan", "operate"].map(|task| world.caller(task));
    world.apply();
    world.drctl_as_given(&operator, "secret set", "value").ends_with(0);
    world.drctl_as(&operator, "pay").ends_with(0);
    world.drctl_as(&planner, "pay").ends_with(1).says("403").says("`drctl iam-policy operate`");
    let url = world.output("LambdaFunctionUrl", EAST);
    let unsigned = world.block_on(Request::post(&url, "{}".into(), None).send()).expect("an answer");
    assert_eq!(unsigned.status, 403, "{}", unsigned.body);
}

/// KMS knows the system's keys by their tags alone.
#[test]
fn a_key_is_made_repaired_deleted_and_brought_back_with_no_more_than_the_policies() {
    const ALIAS: &str = "alias/payment-dr-prod-001";
    let world = World::new();
    world.write_small_spec(
        "[table.payments]\nkey = \"id\"\n\n[guard]\nprotect = []\n\n[encryption]\nkey = \"customer\"\n",
    );
    let [planner, applier, destroyer] = ["plan", "apply", "destroy"].map(|task| world.caller(task));
    let in_sync = || world.drctl_as(&planner, "plan --detailed-exitcode").ends_with(0).says("no changes");
    world.drctl_as(&applier, "apply --yes").ends_with(0);
    in_sync();

    let clients = world.clients();
    let west = &clients.regions[&Region::new(WEST)].kms;
    world.block_on(async {
        let id = west.describe_key().key_id(ALIAS).send().await.unwrap().key_metadata.unwrap().key_id;
        let tag = Tag::builder().tag_key("stranger").tag_value("1").build().unwrap();
        west.tag_resource().key_id(&id).tags(tag).send().await.unwrap();
        west.untag_resource().key_id(&id).tag_keys("drctl:environment").send().await.unwrap();
        let nobody_else = Key::policy(&Region::new(WEST), "000000000000", "somebody-elses").to_text();
        west.put_key_policy().key_id(&id).policy(nobody_else).send().await.unwrap();
        west.update_key_description().key_id(&id).description("mine").send().await.unwrap();
        west.delete_alias().alias_name(ALIAS).send().await.unwrap();
        west.disable_key().key_id(&id).send().await.unwrap();
    });
    world.eventually("what was changed", || {
        world.block_on(west.describe_key().key_id(ALIAS).send()).is_err().then_some(())
    });
    world.drctl_as(&applier, "apply --yes").ends_with(0);
    in_sync();

    let down = "destroy --confirm prod-001 --lift-protection";
    world.drctl_as(&applier, down).ends_with(3).says("`drctl iam-policy destroy` prints all that it needs");
    world.drctl_as(&destroyer, down).ends_with(0).says("nothing left");
    world.drctl_as(&applier, "apply --yes").ends_with(0);
    in_sync();
}
