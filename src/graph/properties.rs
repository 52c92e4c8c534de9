//! What a kind's typed struct becomes once the kind no longer matters: one
//! ordered tree, which the planner compares and the executor hands back.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Address, Tags};

/// What a live resource tells others: its ARN, its URL, how much it holds.
pub type Attributes = BTreeMap<String, String>;

/// A value that another resource will have: its address and the attribute's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    /// The resource that has the attribute.
    pub address: Address,
    /// The attribute, as the kind calls it (`arn`, `url`, …).
    pub attribute: String,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.address, self.attribute)
    }
}

/// The key that marks a reference in a property tree.
const MARK: &str = "$from";

impl Reference {
    fn to_value(&self) -> Value {
        json!({ MARK: self.address, "attribute": self.attribute })
    }

    /// The reference that this tree node stands for, if it is one.
    pub fn of(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        let address = object.get(MARK)?.as_str()?.parse().ok()?;
        let attribute = object.get("attribute")?.as_str()?.to_owned();
        Some(Self { address, attribute })
    }
}

/// A text property that is known now, or comes from another resource.
///
/// The reference *is* the dependency; no second list of edges is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Known now.
    Known(String),
    /// Known once the other resource exists.
    From(Reference),
}

impl Input {
    /// The text. Everything the executor hands to a kind has been resolved.
    pub fn known(&self) -> &str {
        match self {
            Input::Known(text) => text,
            Input::From(_) => "",
        }
    }
}

impl From<&str> for Input {
    fn from(text: &str) -> Self {
        Input::Known(text.to_owned())
    }
}

impl Serialize for Input {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Input::Known(text) => serializer.serialize_str(text),
            Input::From(reference) => reference.to_value().serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Input {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match (&value, Reference::of(&value)) {
            (_, Some(reference)) => Ok(Input::From(reference)),
            (Value::String(text), None) => Ok(Input::Known(text.clone())),
            _ => Err(serde::de::Error::custom("neither a text nor a reference")),
        }
    }
}

/// The managed properties of one resource, in the order of its struct.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Properties(Map<String, Value>);

impl Properties {
    /// The tree of a kind's struct.
    pub fn of<T: Serialize>(resource: &T) -> Self {
        match serde_json::to_value(resource) {
            Ok(Value::Object(map)) => Self(map),
            other => unreachable!("a resource is a struct of plain data: {other:?}"),
        }
    }

    /// The kind's struct again. Fails when a saved tree is from another version of drctl.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_value(Value::Object(self.0.clone()))
    }

    /// One top-level property.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    /// One property that is a text.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.get(field)?.as_str()
    }

    /// The property at a path, with dots between levels; keys may have dots, too.
    pub fn at(&self, path: &str) -> Option<&Value> {
        at(&self.0, path)
    }

    /// Sets the property at a path, if there is one; one that is not set (null) is there.
    pub fn set(&mut self, path: &str, value: Value) {
        if let Some(there) = at_mut(&mut self.0, path) {
            *there = value;
        }
    }

    /// The property `tags`; `None` for kinds that have none.
    pub fn tags(&self) -> Option<Tags> {
        let tags = self.get("tags")?.as_object()?;
        Some(tags.iter().map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned())).collect())
    }

    /// Takes one entry out of a property that is a map of texts.
    pub fn take(&mut self, field: &str, key: &str) -> Option<String> {
        match self.0.get_mut(field)?.as_object_mut()?.remove(key)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The top-level properties in order.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The tree without some top-level properties.
    pub fn without(&self, fields: &[&str]) -> Self {
        self.those(|name| !fields.contains(&name))
    }

    /// Some top-level properties of the tree.
    pub fn only(&self, fields: &[&str]) -> Self {
        self.those(|name| fields.contains(&name))
    }

    fn those(&self, which: impl Fn(&str) -> bool) -> Self {
        let those = self.0.iter().filter(|(name, _)| which(name));
        Self(those.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// Every reference in the tree, in order.
    pub fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        self.0.values().for_each(|value| collect(value, &mut found));
        found
    }

    /// The tree with every reference filled in that `known` has an answer for.
    pub fn resolve(&self, known: &impl Fn(&Reference) -> Option<String>) -> Self {
        self.resolve_beside(None, &|reference, _| known(reference))
    }

    /// The same, where `known` also hears the text that stands in the place of the reference `now`. In lists
    /// nothing tells which text is in the place of which.
    pub fn resolve_beside(
        &self,
        now: Option<&Self>,
        known: &impl Fn(&Reference, Option<&str>) -> Option<String>,
    ) -> Self {
        let fields = self.0.iter().map(|(name, value)| {
            let now = now.and_then(|now| now.get(name));
            (name.clone(), resolve(value, now, known))
        });
        Self(fields.collect())
    }

    /// A short hash that is the same for the same properties in any order of keys.
    pub fn fingerprint(&self) -> String {
        let mut text = String::new();
        canonical(&Value::Object(self.0.clone()), &mut text);
        hex(&Sha256::digest(text.as_bytes())[..16])
    }
}

fn at<'a>(map: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let deeper = |(name, value): (&String, &'a Value)| {
        at(value.as_object()?, path.strip_prefix(name.as_str())?.strip_prefix('.')?)
    };
    map.get(path).or_else(|| map.iter().find_map(deeper))
}

fn at_mut<'a>(map: &'a mut Map<String, Value>, path: &str) -> Option<&'a mut Value> {
    if map.contains_key(path) {
        return map.get_mut(path);
    }
    map.iter_mut()
        .find_map(|(name, value)| at_mut(value.as_object_mut()?, path.strip_prefix(name.as_str())?.strip_prefix('.')?))
}

fn collect(value: &Value, found: &mut Vec<Reference>) {
    if let Some(reference) = Reference::of(value) {
        return found.push(reference);
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(map) => map.values().for_each(|item| collect(item, found)),
        _ => {}
    }
}

fn resolve(value: &Value, now: Option<&Value>, known: &impl Fn(&Reference, Option<&str>) -> Option<String>) -> Value {
    if let Some(reference) = Reference::of(value) {
        return known(&reference, now.and_then(Value::as_str)).map_or_else(|| value.clone(), Value::String);
    }
    match value {
        Value::Array(items) => Value::Array(items.iter().map(|item| resolve(item, None, known)).collect()),
        Value::Object(map) => {
            let item = |(name, item): (&String, &Value)| {
                (name.clone(), resolve(item, now.and_then(|now| now.get(name)), known))
            };
            Value::Object(map.iter().map(item).collect())
        }
        other => other.clone(),
    }
}

fn canonical(value: &Value, text: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (name, item) in entries {
                text.push_str(&Value::String(name.clone()).to_string());
                text.push(':');
                canonical(item, text);
                text.push(',');
            }
            text.push('}');
        }
        Value::Array(items) => {
            text.push('[');
            for item in items {
                canonical(item, text);
                text.push(',');
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(value: Value) -> Properties {
        Properties::of(&value)
    }

    #[test]
    fn the_order_of_keys_does_not_change_a_fingerprint() {
        assert_eq!(
            tree(json!({"a": 1, "b": [{"c": 2, "d": 3}]})).fingerprint(),
            tree(json!({"b": [{"d": 3, "c": 2}], "a": 1})).fingerprint()
        );
        assert_ne!(tree(json!({"a": 1})).fingerprint(), tree(json!({"a": 2})).fingerprint());
    }

    #[test]
    fn a_property_is_found_and_set_by_its_path() {
        let mut properties = tree(json!({"sets": {"a": {"weight": 1}, "a.b": {"weight": null}}, "n": 1}));
        for (path, value) in [("n", json!(1)), ("sets.a.weight", json!(1)), ("sets.a.b.weight", Value::Null)] {
            assert_eq!(properties.at(path), Some(&value), "{path}");
            properties.set(path, json!(7));
            assert_eq!(properties.at(path), Some(&json!(7)), "{path}");
        }
        let before = properties.clone();
        for path in ["", "m", "n.m", "sets.c.weight", "sets.a.", ".sets"] {
            assert_eq!(properties.at(path), None, "{path}");
            properties.set(path, json!(1));
        }
        assert_eq!(properties, before);
    }

    #[test]
    fn a_reference_is_found_and_filled_in_wherever_it_stands() {
        let reference = Reference { address: "us-east-1/topic.alerts".parse().unwrap(), attribute: "arn".into() };
        let before = tree(json!({"notify": [Input::From(reference.clone())], "n": 1}));
        assert_eq!(before.references(), [reference]);
        assert_eq!(before.resolve(&|_| None), before);
        let after = before.resolve(&|_| Some("arn:x".into()));
        assert_eq!(after, tree(json!({"notify": ["arn:x"], "n": 1})));
    }
}
