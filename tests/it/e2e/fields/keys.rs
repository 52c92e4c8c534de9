//! The key, and what is encrypted with it.

use aws_sdk_kms::types::Tag;
use drctl::kinds::key::Key;

use super::{Outside, Row, a_moment, at_creation, drifts, fixed};

const KEY: &str = "global/key.main";
const ALIAS: &str = "alias/payment-dr-prod-001";

pub(super) const ROWS: &[Row] = &[
    at_creation("key", "id", "it is KMS's"),
    fixed("key", "alias", "it comes from the names of the system and its suffix"),
    drifts("key", "rotation", KEY, "rotation"),
    at_creation("key", "home", "it is observed: the primary key"),
    drifts("key", "members.*.enabled", KEY, "members.us-west-2.enabled"),
    drifts("key", "members.*.aliased", KEY, "members.us-west-2.aliased"),
    drifts("key", "members.*.description", KEY, "members.us-west-2.description"),
    drifts("key", "members.*.tags.*", KEY, "members.us-west-2.tags.stranger"),
    drifts("key", "policies", KEY, "policies"),
    drifts("key", "tags.*", KEY, "tags.mine"),
];

pub(super) async fn change(outside: &Outside) {
    let (east, west) = (&outside.east().kms, &outside.west().kms);
    let found = west.describe_key().key_id(ALIAS).send().await.unwrap();
    let id = found.key_metadata.expect("the key is there").key_id;
    let tag = |key: &str| Tag::builder().tag_key(key).tag_value("1").build().unwrap();
    east.tag_resource().key_id(&id).tags(tag("mine")).send().await.unwrap();
    east.disable_key_rotation().key_id(&id).send().await.unwrap();
    let nobody_else = Key::policy(&outside.west().region, &outside.clients.account, "somebody-elses").to_text();
    west.put_key_policy().key_id(&id).policy(nobody_else).send().await.unwrap();
    west.update_key_description().key_id(&id).description("mine").send().await.unwrap();
    west.tag_resource().key_id(&id).tags(tag("stranger")).send().await.unwrap();
    west.delete_alias().alias_name(ALIAS).send().await.unwrap();
    west.disable_key().key_id(&id).send().await.unwrap();
    while west.describe_key().key_id(ALIAS).send().await.is_ok() {
        a_moment().await;
    }
}
