//! The difference between two property trees, property by property.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::graph::{Properties, Reference};

/// One property that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldDiff {
    /// The property, with dots between levels: `environment.TABLE_PAYMENTS`.
    pub path: String,
    /// Its value now; `None` if it is not set.
    pub before: Option<Value>,
    /// Its value after; `None` if it will not be set.
    pub after: Option<Value>,
    /// Whether it is a JSON document, best shown line by line.
    pub document: bool,
}

impl FieldDiff {
    /// The top-level property it belongs to.
    pub fn field(&self) -> &str {
        self.path.split('.').next().unwrap_or(&self.path)
    }

    /// Whether the value after depends on another resource's change.
    pub fn depends(&self) -> bool {
        self.after.as_ref().is_some_and(holds_reference)
    }
}

/// Whether anything in a value is known only once another resource is there.
pub(super) fn holds_reference(value: &Value) -> bool {
    Reference::of(value).is_some()
        || match value {
            Value::Array(items) => items.iter().any(holds_reference),
            Value::Object(map) => map.values().any(holds_reference),
            _ => false,
        }
}

/// Compares two trees of one kind. `documents` names the properties that are JSON documents.
pub fn diff(before: &Properties, after: &Properties, documents: &[&str]) -> Vec<FieldDiff> {
    let mut found = Vec::new();
    for (name, wanted) in after.fields() {
        compare(name, before.get(name), Some(wanted), documents.contains(&name), &mut found);
    }
    for (name, live) in before.fields().filter(|(name, _)| after.get(name).is_none()) {
        compare(name, Some(live), None, documents.contains(&name), &mut found);
    }
    found
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, document: bool, found: &mut Vec<FieldDiff>) {
    let before = before.filter(|value| !value.is_null());
    let after = after.filter(|value| !value.is_null());
    if before == after {
        return;
    }
    if let (Some(Value::Object(old)), Some(Value::Object(new)), false) = (before, after, document) {
        for (name, wanted) in new {
            compare(&format!("{path}.{name}"), old.get(name), Some(wanted), false, found);
        }
        for (name, live) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
            compare(&format!("{path}.{name}"), Some(live), None, false, found);
        }
        return;
    }
    found.push(FieldDiff { path: path.to_owned(), before: before.cloned(), after: after.cloned(), document });
}
