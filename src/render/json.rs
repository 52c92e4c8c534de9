//! A plan for machines. These types are the format; renaming a field inside drctl changes nothing here.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::graph::{Failure, Site};
use crate::plan::{Action, Change, FieldDiff, HeldProperty, Hold, Plan, Reason};

/// The layout of the plan document; it grows when a field is removed or changes meaning.
pub(super) const FORMAT_VERSION: u32 = 1;

/// A plan.
#[derive(Serialize)]
pub(super) struct PlanDocument<'a> {
    format_version: u32,
    system: &'a str,
    environment: &'a str,
    suffix: &'a str,
    account: &'a str,
    has_changes: bool,
    summary: Summary,
    changes: Vec<ChangeDocument<'a>>,
    conflicts: Vec<ConflictDocument<'a>>,
    warnings: Vec<String>,
    outstanding: Vec<OutstandingDocument<'a>>,
    dark: Vec<DarkDocument<'a>>,
}

#[derive(Serialize)]
struct Summary {
    create: usize,
    update: usize,
    replace: usize,
    delete: usize,
    adopt: usize,
    unchanged: usize,
    left_alone: usize,
}

#[derive(Serialize)]
struct ChangeDocument<'a> {
    address: String,
    action: Action,
    reason: Reason,
    id: Option<&'a str>,
    fields: Vec<FieldDocument<'a>>,
    forces_replacement: &'a [String],
    held: Vec<HoldDocument<'a>>,
    waits_for: Vec<String>,
    dark: Option<String>,
}

/// One property that differs.
#[derive(Serialize)]
pub(super) struct FieldDocument<'a> {
    path: &'a str,
    before: Option<&'a Value>,
    after: Option<&'a Value>,
    known_after_apply: bool,
}

#[derive(Serialize)]
struct HoldDocument<'a> {
    id: &'a str,
    operation: &'a str,
    by: &'a str,
    since: String,
    why: &'a str,
    properties: Vec<HeldDocument<'a>>,
}

#[derive(Serialize)]
struct HeldDocument<'a> {
    path: &'a str,
    value: &'a Value,
    spec: &'a Value,
}

#[derive(Serialize)]
struct ConflictDocument<'a> {
    address: String,
    id: &'a str,
    belongs_to: Option<&'a str>,
    stack: Option<&'a str>,
}

#[derive(Serialize)]
struct OutstandingDocument<'a> {
    address: String,
    what: &'a str,
}

/// A place that does not answer, and what was tried there first.
#[derive(Serialize)]
pub(super) struct DarkDocument<'a> {
    place: String,
    operation: &'a str,
    message: &'a str,
}

impl<'a> DarkDocument<'a> {
    pub(super) fn all(dark: &'a BTreeMap<Site, Failure>) -> Vec<Self> {
        let document = |(site, failure): (&Site, &'a Failure)| Self {
            place: site.to_string(),
            operation: &failure.operation,
            message: &failure.message,
        };
        dark.iter().map(document).collect()
    }
}

/// The plan as one JSON document, every change of AWS and every resource left alone.
pub fn plan_json(plan: &Plan) -> String {
    serde_json::to_string_pretty(&PlanDocument::of(plan)).expect("a plan document is plain data")
}

impl<'a> PlanDocument<'a> {
    pub(super) fn of(plan: &'a Plan) -> Self {
        let conflicts = plan.conflicts.iter().map(|conflict| ConflictDocument {
            address: conflict.address.to_string(),
            id: &conflict.id,
            belongs_to: conflict.belongs_to.as_deref(),
            stack: conflict.stack.as_deref(),
        });
        let outstanding =
            plan.outstanding.iter().map(|(address, what)| OutstandingDocument { address: address.to_string(), what });
        Self {
            format_version: FORMAT_VERSION,
            system: &plan.owner.system,
            environment: &plan.owner.environment,
            suffix: &plan.owner.suffix,
            account: &plan.account,
            has_changes: plan.has_changes(),
            summary: Summary {
                create: plan.count(Action::Create),
                update: plan.count(Action::Update),
                replace: plan.count(Action::Replace),
                delete: plan.count(Action::Delete),
                adopt: plan.count(Action::Adopt),
                unchanged: plan.count(Action::NoOp),
                left_alone: plan.changes.iter().filter(|change| change.dark.is_some()).count(),
            },
            changes: plan.changes.iter().map(ChangeDocument::of).collect(),
            conflicts: conflicts.collect(),
            warnings: plan.notices(),
            outstanding: outstanding.collect(),
            dark: DarkDocument::all(&plan.dark),
        }
    }
}

impl<'a> ChangeDocument<'a> {
    fn of(change: &'a Change) -> Self {
        Self {
            address: change.address.to_string(),
            action: change.action,
            reason: change.reason,
            id: change.id.as_deref(),
            fields: change.fields.iter().map(FieldDocument::of).collect(),
            forces_replacement: &change.forces_replacement,
            held: change.held.iter().map(HoldDocument::of).collect(),
            waits_for: change.waits_for.iter().map(ToString::to_string).collect(),
            dark: change.dark.as_ref().map(ToString::to_string),
        }
    }
}

impl<'a> FieldDocument<'a> {
    pub(super) fn of(field: &'a FieldDiff) -> Self {
        Self {
            path: &field.path,
            before: field.before.as_ref(),
            after: field.after.as_ref(),
            known_after_apply: field.depends(),
        }
    }
}

impl<'a> HoldDocument<'a> {
    fn of(hold: &'a Hold) -> Self {
        let property = |HeldProperty { path, value, spec }: &'a HeldProperty| HeldDocument { path, value, spec };
        Self {
            id: &hold.id,
            operation: &hold.operation,
            by: &hold.by,
            since: hold.since.to_string(),
            why: &hold.why,
            properties: hold.properties.iter().map(property).collect(),
        }
    }
}
