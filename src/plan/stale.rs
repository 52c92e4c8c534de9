//! Whether a plan that was made earlier still holds, and what of it is left to do.
//!
//! A run that was stopped half-way has done a part of it. So a property may be as it was when the plan was made,
//! or as the plan wants it, or on its way from one to the other, and of what the plan deletes there may be less.
//! Whatever else it is makes the plan stale.

mod values;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use self::values::{is_alike, is_between, is_less};
use super::target::{needed, part};
use super::{Action, Basis, Change, Conflict, FieldDiff, Hold, Live, Plan, diff};
use crate::graph::{Address, Meta, Properties, Reference};

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
    /// It is there, and was not: not what a stopped run left half made, but made to its end by somebody else.
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
/// `now` is made on `basis`, for the same spec. What it would change beside that is left out, with a warning; what
/// only the state has to be told of is kept.
pub fn remaining(saved: &Plan, now: &Plan, basis: &Basis<'_>) -> Result<Plan, Vec<Stale>> {
    let planned: BTreeSet<Address> = saved.pending().map(|change| change.address.clone()).collect();
    // What the saved plan says of needs is not relied on alone: it may come from anybody.
    let mut scope = needed(saved, planned.clone(), basis.kinds);
    scope.extend(needed(now, planned, basis.kinds));
    let mut stale = Vec::new();
    for address in &scope {
        let conflict = now.conflicts.iter().find(|conflict| conflict.address == *address);
        let moved = match (conflict, saved.get(address), now.get(address)) {
            (Some(conflict), ..) => vec![Moved::Taken(conflict.clone())],
            (None, Some(was), Some(is)) => moved(saved, was, is, basis),
            // What was not shown is not done.
            (None, None, Some(is)) if is.action.changes_aws() => {
                vec![Moved::Action { was: Action::NoOp, is: is.action }]
            }
            _ => Vec::new(),
        };
        stale.extend(moved.into_iter().map(|moved| Stale { address: address.clone(), moved }));
    }
    if !stale.is_empty() {
        return Err(stale);
    }
    let to_record = now.changes.iter().filter(|change| !change.action.changes_aws() && change.dark.is_none());
    scope.extend(to_record.map(|change| change.address.clone()));
    Ok(part(now, &scope, "not in the saved plan, and left out; run `drctl plan` to see everything"))
}

/// What became of a resource, of which `was` was planned and `is` would be now. What is left alone because a
/// place does not answer has not moved.
fn moved(saved: &Plan, was: &Change, is: &Change, basis: &Basis<'_>) -> Vec<Moved> {
    if is.dark.is_some() {
        return Vec::new();
    }
    let mut found = kept_otherwise(was, is);
    if found.is_empty() && was.dark.is_none() {
        found = live_otherwise(was, is, basis);
    }
    if found.is_empty() && is.action.changes_aws() {
        found = wanted_otherwise(saved, was, is, basis);
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
    if was.action.changes_aws() && !is.action.changes_aws() {
        return Vec::new();
    }
    let anew = is_anew(was.action);
    // What was made and not recorded, a run has left half done; what is as recorded, some run has finished.
    let half_made = |live: &Live| anew && !basis.as_applied(&was.address, &live.properties, &is.held);
    match (&was.before, &is.before) {
        (None, None) => Vec::new(),
        (None, Some(live)) if is.action == Action::Update && half_made(live) => Vec::new(),
        (None, Some(_)) => vec![Moved::Appeared],
        (Some(_), None) if anew || was.action == Action::Delete => Vec::new(),
        (Some(_), None) => vec![Moved::Gone],
        (Some(_), Some(live)) if is.action != was.action && half_made(live) => Vec::new(),
        (Some(old), Some(live)) if old.id != live.id => {
            vec![Moved::Another { was: old.id.clone(), is: live.id.clone() }]
        }
        (Some(old), Some(live)) => changed_otherwise(was.action, old, live, is, basis),
    }
}

/// The properties that a run which was to do `planned` and was stopped cannot have left as they are.
fn changed_otherwise(planned: Action, old: &Live, live: &Live, is: &Change, basis: &Basis<'_>) -> Vec<Moved> {
    let wanted = |path: &str| is.after.as_ref()?.at(path).filter(|value| !value.is_null());
    let less = |field: &FieldDiff| is_less(field.before.as_ref(), field.after.as_ref());
    let between = |field: &FieldDiff| is_between(field.before.as_ref(), field.after.as_ref(), wanted(&field.path));
    let on_its_way = |field: &FieldDiff| match planned {
        // A deletion gives up a protection, or what is part of it; it never adds anything.
        Action::Delete => less(field),
        Action::Create | Action::Replace => between(field) || less(field),
        _ => between(field),
    };
    let fields = differences(&is.address, &old.properties, &live.properties, basis.kinds).into_iter();
    let fields = fields.filter(|field| !on_its_way(field));
    fields.map(|FieldDiff { path, before, after, .. }| Moved::Property { path, was: before, is: after }).collect()
}

/// The properties that would be set to something else than was shown.
fn wanted_otherwise(saved: &Plan, was: &Change, is: &Change, basis: &Basis<'_>) -> Vec<Moved> {
    let Some(after) = &is.after else { return Vec::new() };
    let nothing = Properties::of(&json!({}));
    let shown = match &was.after {
        Some(shown) => shown,
        None if continues(was.action, is.action) => &nothing,
        None => return Vec::new(),
    };
    let fits = |was: &Value, is: &Value| match (Reference::of(was), Reference::of(is)) {
        // What was not known yet, its resource tells by now. In the dark, it may be what stood there before.
        (Some(Reference { address, attribute }), None) => {
            basis.frozen(&address).is_some() || basis.observed.told(&address, &attribute) == is.as_str()
        }
        // What was known is not any more: then its resource has moved, unless it was to be made anew.
        (None, Some(from)) => was.is_string() && saved.get(&from.address).is_some_and(|from| !is_anew(from.action)),
        _ => was == is,
    };
    let same = |field: &FieldDiff| match (&field.before, &field.after) {
        (Some(was), Some(is)) => is_alike(was, is, &fits),
        _ => false,
    };
    let fields = match is_anew(is.action) {
        true => diff(shown, after, documents(&was.address, basis.kinds)),
        false => differences(&was.address, shown, after, basis.kinds),
    };
    let fields = fields.into_iter().filter(|field| !same(field));
    fields.map(|FieldDiff { path, before, after, .. }| Moved::Wanted { path, was: before, is: after }).collect()
}

/// Whether what AWS knows of it is another object afterwards.
fn is_anew(action: Action) -> bool {
    matches!(action, Action::Create | Action::Replace)
}

/// What is managed and differs.
fn differences(address: &Address, before: &Properties, after: &Properties, kinds: &[Meta]) -> Vec<FieldDiff> {
    let managed = |properties| Meta::managed_of(kinds, address, properties);
    diff(&managed(before), &managed(after), documents(address, kinds))
}

fn documents(address: &Address, kinds: &[Meta]) -> &'static [&'static str] {
    Meta::find(kinds, address).map_or(&[], |meta| meta.documents)
}
