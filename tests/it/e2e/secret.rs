//! A secret that is made, given a value, replicated, changed outside, scheduled for deletion and taken back; and the
//! value shows nowhere.

use drctl::graph::Region;
use drctl::ops::{SecretStatus, secret_in};

use super::world::{EAST, WEST, World};

const NAME: &str = "payment-api-keys-prod-001";
const VALUE: &str = "pk-live-0123456789-never-to-be-seen";

/// A system of nothing but the secret: no function to build.
fn secret_alone() -> World {
    let world = World::new();
    world.write_spec(only_the_secret);
    world
}

fn only_the_secret(spec: String) -> String {
    let head = spec.find("[region]").and_then(|at| Some(at + spec[at..].find("\n\n")?)).expect("it has regions");
    format!("{}\n\n[secret.payment-api-keys]\ndescription = \"Payment gateway API credentials\"\n", &spec[..head])
}

fn status(world: &World, region: &str) -> Option<SecretStatus> {
    world.block_on(secret_in(&world.clients(), &Region::new(region), NAME)).unwrap()
}

#[test]
fn a_secret_is_made_with_a_placeholder_and_is_in_sync() {
    let world = secret_alone();
    world.drctl("plan --detailed-exitcode").ends_with(2).says("+ global/secret.payment-api-keys");
    world.apply();
    world.is_in_sync();
    world
        .drctl("secret status")
        .ends_with(0)
        .says("us-west-2 replica of us-east-1, InSync")
        .says("(drctl's placeholder)");
    let arn = world.output("SecretArn", WEST);
    assert!(arn.starts_with(&format!("arn:aws:secretsmanager:us-west-2:000000000000:secret:{NAME}-")), "{arn}");

    std::fs::remove_dir_all(world.state()).unwrap();
    world.is_in_sync();
}

#[test]
fn a_value_is_set_in_both_regions_and_shows_nowhere() {
    let world = secret_alone();
    world.apply();
    let placeholder = status(&world, EAST).unwrap().current().unwrap().to_owned();
    let run = world.drctl_given("secret set -v", &format!("{VALUE}\n"), Some("trace")).ends_with(0);
    let [east, west] = [EAST, WEST].map(|region| status(&world, region).unwrap());
    let version = east.current().unwrap();
    assert_ne!(version, placeholder);
    assert_eq!(west.current(), Some(version));
    let run = run.says(&format!("us-east-1: version {version} is current"));
    let run = run.says(&format!("us-west-2: version {version} is current"));

    let shown = world.drctl("secret status -v").ends_with(0).says("AWSPREVIOUS");
    let plan = world.drctl_given("plan --json -v", "", Some("trace")).ends_with(0);
    world.is_in_sync();
    let state = std::fs::read_to_string(world.state().join("payment-dr-prod-001.json")).unwrap();
    for text in [&run.stdout, &run.stderr, &shown.stdout, &shown.stderr, &plan.stdout, &plan.stderr, &state] {
        assert!(!text.contains(VALUE), "the value shows in\n{text}");
    }
    assert!(run.stderr.contains("PutSecretValue"), "the log is on: {}", run.stderr);

    // A line break at the end is no part of it.
    let east = &world.clients().regions[&Region::new(EAST)];
    let stored = world.block_on(east.secrets.get_secret_value().secret_id(NAME).send()).unwrap();
    assert_eq!(stored.secret_string(), Some(VALUE));
}

#[test]
fn what_cannot_be_a_value_changes_nothing() {
    let world = secret_alone();
    world.drctl_given("secret set", VALUE, None).ends_with(1).says("is not there").says("run `drctl apply` first");
    world.apply();
    let before = status(&world, EAST);
    world.drctl_given("secret set", "\n", None).ends_with(64).says("the value is empty; nothing was changed");
    let large = "x".repeat(65_537);
    world.drctl_given("secret set", &large, None).ends_with(64).says("more than 65536 bytes");
    world.drctl_given("secret set payment-api-key", VALUE, None).ends_with(64).says("did you mean `payment-api-keys`?");
    assert_eq!(status(&world, EAST), before);
}

#[test]
fn a_value_set_past_drctl_is_not_drift_and_other_changes_are() {
    let world = secret_alone();
    world.apply();
    let east = world.clients().regions[&Region::new(EAST)].clone();
    world.block_on(east.secrets.put_secret_value().secret_id(NAME).secret_string(VALUE).send()).unwrap();
    world.is_in_sync();

    world.block_on(async {
        east.secrets.update_secret().secret_id(NAME).description("mine").send().await.unwrap();
        let remove = east.secrets.remove_regions_from_replication().secret_id(NAME);
        remove.remove_replica_regions(WEST).send().await.unwrap();
        east.secrets.untag_resource().secret_id(NAME).tag_keys("cost-center").send().await.unwrap();
    });
    world
        .drctl("plan --detailed-exitcode")
        .ends_with(2)
        .says("~ global/secret.payment-api-keys drifted: changed outside drctl")
        .says("description: mine -> Payment gateway API credentials")
        .says("us-west-2")
        .says("cost-center");
    world.apply();
    world.is_in_sync();
    let stored = world.block_on(east.secrets.get_secret_value().secret_id(NAME).send()).unwrap();
    assert_eq!(stored.secret_string(), Some(VALUE), "repairing leaves the value alone");
}

#[test]
fn a_destroyed_secret_comes_back_with_its_value() {
    let world = secret_alone();
    world.apply();
    world.drctl_given("secret set", VALUE, None).ends_with(0);
    world.drctl("destroy --confirm prod-001").ends_with(0).says("is recoverable until");
    assert!(status(&world, EAST).unwrap().deletion.is_some(), "it is only scheduled");
    assert_eq!(status(&world, WEST), None, "replicas go at once");
    world.drctl("secret status").ends_with(0).says("scheduled for deletion");
    world.drctl("destroy --confirm prod-001").ends_with(0).says("nothing to destroy");

    // Also with primary and secondary exchanged: the secret stays where it was made.
    world.write_spec(|spec| {
        let spec = only_the_secret(spec).replace(EAST, "(east)").replace(WEST, EAST);
        spec.replace("(east)", WEST)
    });
    world.drctl("plan").ends_with(0).says("+ global/secret.payment-api-keys");
    world.apply();
    world.is_in_sync();
    let west = &world.clients().regions[&Region::new(WEST)];
    let stored = world.block_on(west.secrets.get_secret_value().secret_id(NAME).send()).unwrap();
    assert_eq!(stored.secret_string(), Some(VALUE));
    assert_eq!(status(&world, WEST).unwrap().home, Region::new(EAST));
}

#[test]
fn a_forced_destroy_leaves_nothing_and_the_name_can_be_used_again() {
    let world = secret_alone();
    world.apply();
    world
        .drctl("destroy --confirm prod-001 --force-delete-secrets")
        .ends_with(0)
        .says("data lost with global/secret.payment-api-keys");
    assert_eq!([status(&world, EAST), status(&world, WEST)], [None, None]);
    world.holds_nothing();
    world.apply();
    world.is_in_sync();
}

#[test]
fn a_replica_that_meets_a_foreign_secret_is_a_clear_failure() {
    let world = secret_alone();
    let west = world.clients().regions[&Region::new(WEST)].clone();
    let create = west.secrets.create_secret().name(NAME).secret_string("theirs");
    world.block_on(create.send()).unwrap();
    // Seen at once: it has our name and not our marks.
    world
        .drctl("apply --yes")
        .ends_with(5)
        .says("drctl did not make what is called like global/secret.payment-api-keys");
    let force = west.secrets.delete_secret().secret_id(NAME).force_delete_without_recovery(true);
    world.block_on(force.send()).unwrap();
    world.apply();

    // One that was made independent is not replicated over.
    world.block_on(west.secrets.stop_replication_to_replica().secret_id(NAME).send()).unwrap();
    world.drctl("plan").ends_with(0).says("~ global/secret.payment-api-keys drifted: changed outside drctl");
    world.drctl("apply --yes").ends_with(1).says("already exists in this region").says("independent of its primary");

    // Nor is it forgotten: both are scheduled.
    world.drctl("destroy --confirm prod-001").ends_with(0).says("nothing left");
    for region in [EAST, WEST] {
        assert!(status(&world, region).unwrap().deletion.is_some(), "{region}");
    }
}

#[test]
fn a_secret_is_not_deleted_by_the_way() {
    let world = secret_alone();
    world.apply();
    world.write_spec(|spec| {
        let spec = only_the_secret(spec);
        spec[..spec.find("[secret").expect("it has one")].to_owned()
    });
    world.drctl("apply --yes").ends_with(5).says("--allow global/secret.payment-api-keys");
    world.drctl("apply --yes --allow global/secret.payment-api-keys --allow-many-deletes").ends_with(0);
    assert!(status(&world, EAST).unwrap().deletion.is_some());
}
