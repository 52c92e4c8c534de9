//! What overrides keep: a property that one covers is wanted as the override says, and not as the spec does.

use std::mem::discriminant;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::graph::{Address, Graph, Meta, Properties, Reference};
use crate::state::Override;

/// What one override keeps of a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hold {
    /// [`Override::id`]
    pub id: String,
    /// [`Override::operation`]
    pub operation: String,
    /// [`Override::by`]
    pub by: String,
    /// [`Override::since`]
    pub since: Timestamp,
    /// [`Override::why`]
    pub why: String,
    /// The properties it keeps, in the order of their paths.
    pub properties: Vec<HeldProperty>,
}

/// One property that is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldProperty {
    /// The property, with dots between levels.
    pub path: String,
    /// What the override keeps it at.
    pub value: Value,
    /// What the spec says.
    pub spec: Value,
}

impl Hold {
    /// How people are told since when.
    pub const TIME: &'static str = "%F %T UTC";

    /// Whether it keeps the property at a path.
    pub fn covers(&self, path: &str) -> bool {
        self.properties.iter().any(|property| contains(&property.path, path))
    }

    /// Whether it keeps anything that the spec wants otherwise.
    pub fn differs(&self) -> bool {
        self.properties.iter().any(|property| property.value != property.spec)
    }
}

/// A resource as the spec wants it, with what overrides keep of it.
pub(super) struct Held {
    /// What is wanted.
    pub(super) properties: Properties,
    /// What is kept, the oldest override first.
    pub(super) holds: Vec<Hold>,
    /// What could not be kept, and what was said twice.
    pub(super) warnings: Vec<String>,
}

/// Puts what `overrides` keep of `address` in the place of what the spec says. Of two that cover the
/// same property, the later counts.
pub(super) fn hold(address: &Address, spec: &Properties, meta: Option<&Meta>, overrides: &[Override]) -> Held {
    let mut held = Held { properties: spec.clone(), holds: Vec::new(), warnings: Vec::new() };
    for (by, covered) in in_time(overrides).filter_map(|by| Some((by, by.covers.get(address)?))) {
        let mut properties = Vec::new();
        for (path, value) in covered {
            if let Some(unfit) = unfit(path, value, spec, meta) {
                held.warnings.push(format!("{} covers {path} of {address}, {unfit}; it keeps nothing there", name(by)));
                continue;
            }
            for earlier in &mut held.holds {
                let before = earlier.properties.len();
                earlier.properties.retain(|property| !contains(path, &property.path));
                let over = before > earlier.properties.len()
                    || earlier.properties.iter().any(|property| contains(&property.path, path));
                if over {
                    let earlier = format!("{} since {}", earlier.operation, earlier.since.strftime(Hold::TIME));
                    held.warnings
                        .push(format!("{} covers {path} of {address}, as {earlier} does; the later counts", name(by)));
                }
            }
            held.properties.set(path, value.clone());
            let spec = spec.at(path).cloned().unwrap_or_default();
            properties.push(HeldProperty { path: path.clone(), value: value.clone(), spec });
        }
        let Override { id, operation, by, since, why, .. } = by.clone();
        held.holds.push(Hold { id, operation, by, since, why, properties });
    }
    held.holds.retain(|hold| !hold.properties.is_empty());
    held
}

/// The properties with everything that is kept as the spec says.
pub(super) fn without_holds(properties: &Properties, holds: &[Hold]) -> Properties {
    let mut properties = properties.clone();
    for property in holds.iter().flat_map(|hold| &hold.properties) {
        properties.set(&property.path, property.spec.clone());
    }
    properties
}

/// What is said of overrides for resources that the spec does not have.
pub(super) fn strays(desired: &Graph, overrides: &[Override]) -> Vec<String> {
    let stray = |by: &Override| {
        let (by, unknown) = (name(by), by.covers.keys().filter(|address| desired.get(address).is_none()));
        unknown
            .map(|address| format!("{by} covers {address}, which is not in the spec; it keeps nothing there"))
            .collect::<Vec<_>>()
    };
    in_time(overrides).flat_map(stray).collect()
}

/// The oldest first.
fn in_time(overrides: &[Override]) -> impl Iterator<Item = &Override> {
    let mut sorted: Vec<_> = overrides.iter().collect();
    sorted.sort_by_key(|by| by.age());
    sorted.into_iter()
}

fn name(by: &Override) -> String {
    format!("{} since {} ({})", by.operation, by.since.strftime(Hold::TIME), by.id)
}

/// Whether the property `inner` is `outer` or a part of it.
fn contains(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Why a property cannot be kept at a value, if it cannot.
fn unfit(path: &str, value: &Value, spec: &Properties, meta: Option<&Meta>) -> Option<&'static str> {
    let field = path.split('.').next().unwrap_or(path);
    let listed = |fields: fn(&Meta) -> &'static [&'static str]| meta.is_some_and(|meta| fields(meta).contains(&field));
    let Some(now) = spec.at(path) else { return Some("which it does not have") };
    if listed(|meta| meta.fixed) || listed(|meta| meta.at_creation) {
        return Some("which cannot be changed");
    }
    let alike = match Reference::of(now) {
        Some(_) => value.is_string(),
        None => discriminant(now) == discriminant(value) || now.is_null() || value.is_null(),
    };
    let known = Properties::of(&json!({ "value": value })).references().is_empty();
    (!alike || !known).then_some("with a value that does not fit")
}
