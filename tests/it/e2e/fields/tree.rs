//! Which properties each kind has: told by its struct, and by a whole system.

use std::collections::{BTreeMap, BTreeSet};

use drctl::desired::load;
use drctl::graph::Reference;
use drctl::kinds::{
    REGISTRY, alarm, bucket, bucket_replication, function, function_url, health_check, key, log_group, record, role,
    secret, subscription, table, table_replica, topic, zone,
};
use serde::Deserializer;
use serde::de::value::Error;
use serde::de::{DeserializeOwned, Error as _, Visitor};
use serde_json::Value;

/// The paths of every property by kind: `sets.us-east-1-prod-001.weight`, with `[]` for the items of a list.
pub(super) fn properties() -> BTreeMap<&'static str, BTreeSet<String>> {
    let files = ["specs/production.toml", "specs/encrypted.toml"].map(Into::into);
    let spec = load(&files, &[]).expect("the shipped spec is right");
    let code = spec.functions.keys().map(|name| (name.clone(), format!("(hash of {name})"))).collect();
    let graph = spec.graph("123456789012", &code);
    let mut found: BTreeMap<&str, BTreeSet<String>> = of_structs();
    for (address, node) in graph.iter() {
        let meta = REGISTRY.iter().map(|kind| kind.meta).find(|meta| meta.kind == address.kind);
        let meta = meta.expect("every address has a kind");
        let paths = found.get_mut(meta.kind).expect("every kind has a struct");
        for (name, value) in node.properties.fields() {
            paths.remove(name);
            if meta.documents.contains(&name) {
                paths.insert(name.to_owned());
            } else {
                collect(name, value, paths);
            }
        }
    }
    found
}

fn collect(path: &str, value: &Value, paths: &mut BTreeSet<String>) {
    match value {
        Value::Object(parts) if !parts.is_empty() && Reference::of(value).is_none() => {
            parts.iter().for_each(|(name, part)| collect(&format!("{path}.{name}"), part, paths));
        }
        Value::Array(items) if items.iter().any(|item| item.is_object() && Reference::of(item).is_none()) => {
            items.iter().for_each(|item| collect(&format!("{path}.[]"), item, paths));
        }
        _ => {
            paths.insert(path.to_owned());
        }
    }
}

/// The fields of each kind's struct, also those that are left out of a resource that is only wanted.
fn of_structs() -> BTreeMap<&'static str, BTreeSet<String>> {
    let structs = [
        ("key", fields::<key::Key>()),
        ("role", fields::<role::Role>()),
        ("log_group", fields::<log_group::LogGroup>()),
        ("table", fields::<table::Table>()),
        ("table_replica", fields::<table_replica::TableReplica>()),
        ("bucket", fields::<bucket::Bucket>()),
        ("bucket_replication", fields::<bucket_replication::BucketReplication>()),
        ("secret", fields::<secret::Secret>()),
        ("topic", fields::<topic::Topic>()),
        ("subscription", fields::<subscription::Subscription>()),
        ("function", fields::<function::Function>()),
        ("function_url", fields::<function_url::FunctionUrl>()),
        ("zone", fields::<zone::Zone>()),
        ("health_check", fields::<health_check::HealthCheck>()),
        ("record", fields::<record::Record>()),
        ("alarm", fields::<alarm::Alarm>()),
    ];
    let kinds: Vec<_> = REGISTRY.iter().map(|kind| kind.meta.kind).collect();
    assert_eq!(structs.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), kinds, "one struct for each kind");
    structs.into_iter().map(|(kind, fields)| (kind, fields.iter().map(|field| (*field).to_owned()).collect())).collect()
}

/// The names under which a struct is read.
fn fields<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut names: &[&str] = &[];
    assert!(T::deserialize(Names(&mut names)).is_err(), "there is nothing to read");
    names
}

/// Reads nothing, and notes which fields it was asked for.
struct Names<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("this is no struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("its fields are all that is wanted"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}
