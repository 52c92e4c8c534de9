//! Whether a plan that was made earlier still holds, and what of it is left to do.
//!
//! A run that was stopped half-way has done a part of it. So a property may be as it was when the plan was made,
//! or as the plan wants it, and of what the plan deletes there may be less. Whatever else it is makes the plan stale.

use std::collections::BTreeSet;

use serde_json::Value;

use super::diff::holds_reference;
use super::target::{needed, part};
use super::{Action, Basis, Change, Conflict, FieldDiff, Hold, Live, Plan, diff};
use crate::graph::{Address, Meta, Properties};

/// Something that is no longer as it was when the plan was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Stale {
    /// The resource: planned, or needed by what is planned.
    pub address: Address,
    /// What became of it.
    pub moved: Moved,
}

/// What became of a resource since a plan was made.
#[derive(Clone, Debug, PartialEq)]
pub enum Moved {
    /// It is there, and was not.
    Appeared,
    /// It was there, and is not.
    Gone,
    /// Something else has its name, which is not this system's.
    Taken(Conflict),
    /// Another object has taken its place.
    Another {
        /// What AWS knew it by.
        was: String,
        /// What AWS knows it by now.
        is: String,
    },
    /// A property is neither as it was nor as the plan wants it.
    Property {
        /// The property, with dots between levels.
        path: String,
        /// Its value when the plan was made.
        was: Option<Value>,
        /// Its value now.
        is: Option<Value>,
    },
    /// A property would now be set to something else, because that comes from a resource that has changed.
    Wanted {
        /// The property, with dots between levels.
        path: String,
        /// What it was to be set to.
        was: Option<Value>,
        /// What it would be set to now.
        is: Option<Value>,
    },
    /// Other overrides keep something of it.
    Held {
        /// What kept something when the plan was made.
        was: Vec<Hold>,
        /// What keeps something now.
        is: Vec<Hold>,
    },
    /// Something else would be done to it now.
    Action {
        /// What was planned.
        was: Action,
        /// What would be done now.
        is: Action,
    },
}

/// What is left to do of `saved`, as `now` plans it from what is there; or everything that makes `saved` stale.
/// `now` is made on `basis`, for the same spec. What it would do beside that is left out, with a warning.
pub fn remaining(saved: &Plan, now: &Plan, basis: &Basis<'_>) -> Result<Plan, Vec<Stale>> {
    let planned: BTreeSet<Address> = saved.pending().map(|change| change.address.clone()).collect();
    let scope = needed(saved, planned, basis.kinds);
    let mut stale = Vec::new();
    for was in scope.iter().filter_map(|address| saved.get(address)) {
        let address = &was.address;
        let moved = match (now.get(address), now.conflicts.iter().find(|conflict| conflict.address == *address)) {
            (_, Some(conflict)) => vec![Moved::Taken(conflict.clone())],
            (Some(is), None) => moved(was, is, basis),
            (None, None) => Vec::new(),
        };
        stale.extend(moved.into_iter().map(|moved| Stale { address: address.clone(), moved }));
    }
    if !stale.is_empty() {
        return Err(stale);
    }
    Ok(part(now, &scope, "not in the saved plan, and left out; run `drctl plan` to see everything"))
}

/// What became of a resource, of which `was` was planned and `is` would be now. What is left alone because a
/// place does not answer has not moved.
fn moved(was: &Change, is: &Change, basis: &Basis<'_>) -> Vec<Moved> {
    if is.dark.is_some() {
        return Vec::new();
    }
    let mut found = kept_otherwise(was, is);
    if found.is_empty() && was.dark.is_none() {
        found = live_otherwise(was, is, basis);
    }
    if found.is_empty() && is.action.changes_aws() {
        found = wanted_otherwise(was, is, basis.kinds);
    }
    if found.is_empty() && is.action.changes_aws() && !continues(was.action, is.action) {
        found.push(Moved::Action { was: was.action, is: is.action });
    }
    found
}

/// Whether a run that was to do `was` and was stopped may have `is` left to do.
fn continues(was: Action, is: Action) -> bool {
    match was {
        Action::Create => matches!(is, Action::Create | Action::Update),
        Action::Replace => matches!(is, Action::Replace | Action::Create | Action::Update),
        was => was == is,
    }
}

fn kept_otherwise(was: &Change, is: &Change) -> Vec<Moved> {
    let kept = |holds: &[Hold]| -> BTreeSet<(String, String, String)> {
        let each = |hold: &Hold| {
            let kept = hold.properties.iter().map(|kept| (kept.path.clone(), kept.value.to_string()));
            kept.map(|(path, value)| (hold.id.clone(), path, value)).collect::<Vec<_>>()
        };
        holds.iter().flat_map(each).collect()
    };
    if was.dark.is_some() || kept(&was.held) == kept(&is.held) {
        return Vec::new();
    }
    vec![Moved::Held { was: was.held.clone(), is: is.held.clone() }]
}

fn live_otherwise(was: &Change, is: &Change, basis: &Basis<'_>) -> Vec<Moved> {
    let address = &was.address;
    let anew = matches!(was.action, Action::Create | Action::Replace);
    let done = was.action.changes_aws() && !is.action.changes_aws();
    // What was made and not recorded, a run has left half done; what is as recorded, some run has finished.
    let finished = |live: &Live| basis.as_applied(address, &live.properties, &is.held);
    match (&was.before, &is.before) {
        _ if done => Vec::new(),
        (None, None) => Vec::new(),
        (None, Some(live)) if anew && is.action == Action::Update && !finished(live) => Vec::new(),
        (None, Some(_)) => vec![Moved::Appeared],
        (Some(_), None) if anew || was.action == Action::Delete => Vec::new(),
        (Some(_), None) => vec![Moved::Gone],
        (Some(_), Some(live)) if anew && is.action != was.action && !finished(live) => Vec::new(),
        (Some(old), Some(live)) if old.id != live.id => {
            vec![Moved::Another { was: old.id.clone(), is: live.id.clone() }]
        }
        (Some(old), Some(live)) => {
            let goes = anew || was.action == Action::Delete;
            let fields = differences(address, &old.properties, &live.properties, basis.kinds).into_iter();
            let fields = fields.filter(|field| !(as_wanted(field, is) || goes && is_less(field)));
            let moved = |FieldDiff { path, before, after, .. }| Moved::Property { path, was: before, is: after };
            fields.map(moved).collect()
        }
    }
}

/// Whether a property, which has moved, is as it will be.
fn as_wanted(field: &FieldDiff, is: &Change) -> bool {
    let wanted = |after: &Properties| after.at(&field.path).filter(|value| !value.is_null()).cloned();
    is.after.as_ref().is_some_and(|after| wanted(after) == field.after)
}

/// Whether a property has only lost something. A deletion that was stopped has lifted a protection, or given up
/// some of a table's members; it never adds anything.
fn is_less(field: &FieldDiff) -> bool {
    match (&field.before, &field.after) {
        (_, None) => true,
        (Some(Value::Bool(was)), Some(Value::Bool(is))) => *was && !is,
        (Some(Value::Array(was)), Some(Value::Array(is))) => is.iter().all(|item| was.contains(item)),
        _ => false,
    }
}

/// The properties that would be set to something else. What was not known yet may be anything by now, and of what is
/// no longer known, its own resource tells.
fn wanted_otherwise(was: &Change, is: &Change, kinds: &[Meta]) -> Vec<Moved> {
    let (Some(before), Some(after)) = (&was.after, &is.after) else { return Vec::new() };
    let fields = differences(&was.address, before, after, kinds).into_iter();
    let unknown = |field: &FieldDiff| [&field.before, &field.after].into_iter().flatten().any(holds_reference);
    let known = fields.filter(|field| !unknown(field));
    known.map(|FieldDiff { path, before, after, .. }| Moved::Wanted { path, was: before, is: after }).collect()
}

fn differences(address: &Address, before: &Properties, after: &Properties, kinds: &[Meta]) -> Vec<FieldDiff> {
    let managed = |properties| Meta::managed_of(kinds, address, properties);
    let documents = Meta::find(kinds, address).map_or(&[] as &[_], |meta| meta.documents);
    diff(&managed(before), &managed(after), documents)
}
