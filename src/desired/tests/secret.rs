//! `[secret.NAME]`.

use insta::assert_snapshot;

use super::{SPEC, graph, problems, typed};
use crate::graph::Region;
use crate::kinds::function::Function;
use crate::kinds::role::Role;
use crate::kinds::secret::Secret;

const KEYS: &str = "[secret.keys]\ndescription = \"for the gateway\"\n\n[function.pay]";

fn with_secret() -> String {
    SPEC.replace("[function.pay]", KEYS) + "uses = { secret.keys = \"read\" }\n"
}

#[test]
fn a_secret_is_in_both_regions_and_at_home_in_the_primary() {
    let secret = typed::<Secret>(&graph(&with_secret()), "global/secret.keys");
    assert_eq!((secret.name.as_str(), secret.description.as_str()), ("keys-t1", "for the gateway"));
    assert_eq!(secret.home, Region::new("us-east-1"));
    assert_eq!(secret.regions, [Region::new("us-east-1"), Region::new("us-west-2")].into());
    assert_eq!(secret.tags["drctl:address"], "global/secret.keys");
}

#[test]
fn a_function_may_read_the_value_of_its_secret_in_its_own_region_and_nothing_else() {
    let graph = graph(&with_secret());
    let role = serde_json::to_value(typed::<Role>(&graph, "global/role.pay-us-west-2").policies).unwrap();
    let secrets: Vec<_> = role["least-privilege"]["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|statement| statement["Sid"] == "SecretKeys")
        .collect();
    assert_eq!(secrets.len(), 1, "{role:#}");
    assert_eq!(
        secrets[0],
        &serde_json::json!({
            "Sid": "SecretKeys", "Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"],
            "Resource": ["arn:aws:secretsmanager:us-west-2:123456789012:secret:keys-t1-??????"],
        })
    );
    let function = typed::<Function>(&graph, "us-west-2/function.pay");
    assert_eq!(function.environment["SECRET_KEYS"], "keys-t1");
}

#[test]
fn a_secret_whose_name_ends_like_an_arn_is_refused() {
    assert_snapshot!(problems(&with_secret().replace("\"t1\"", "\"prod01\"")), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::name

      × the secret would be called `keys-prod01`, and a name that ends in a hyphen and six characters
      │ can be taken for the ARN of another secret
        ╭─[spec.toml:15:9]
     14 │
     15 │ [secret.keys]
        ·         ──┬─
        ·           ╰── here
     16 │ description = "for the gateway"
        ╰────
      help: choose a suffix whose last part has more or fewer than six characters, such as "prod-001"
    "#);
}
