//! A plan for people.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::style::Style;
use crate::graph::{Address, Failure, Reference, Site, printable};
use crate::plan::{Action, Change, Conflict, FieldDiff, HeldProperty, Hold, Plan, Reason};

/// The sign that stands before a change.
pub(super) fn sign(action: Action) -> &'static str {
    match action {
        Action::Create => "+",
        Action::Update => "~",
        Action::Replace => "±",
        Action::Delete => "-",
        Action::Adopt => "@",
        Action::Forget | Action::NoOp => "=",
    }
}

pub(super) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::New => "new",
        Reason::SpecChanged => "spec changed",
        Reason::Drifted => "drifted: changed outside drctl",
        Reason::SpecChangedAndDrifted => "spec changed, and drifted",
        Reason::Differs => "differs from the spec",
        Reason::DependencyChanged => "a dependency changes",
        Reason::RemovedFromSpec => "removed from the spec",
        Reason::Destroy => "destroy",
        Reason::Gone => "gone already",
        Reason::InSync => "in sync",
        Reason::Held => "held by an override",
        Reason::Dark => "unknown",
        Reason::WaitsForPlace => "waits",
        Reason::Unmarked => "live, and not marked as drctl's",
    }
}

/// What has come of a resource once the action is done.
pub(super) fn done(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Replace => "replaced",
        Action::Delete => "deleted",
        Action::Adopt => "adopted",
        Action::Forget => "forgotten",
        Action::NoOp => "left alone",
    }
}

/// What a plan shows of its changes: what AWS will see, and what an override holds.
pub(super) fn shown(plan: &Plan) -> impl Iterator<Item = &Change> {
    plan.changes.iter().filter(|change| change.action.changes_aws() || !change.held.is_empty())
}

/// The plan as text, ending with a newline.
pub fn plan_text(plan: &Plan, style: Style) -> String {
    let mut out = String::new();
    let width = shown(plan).map(|change| change.address.to_string().len()).max().unwrap_or_default();
    for change in shown(plan) {
        write_change(&mut out, change, width, style);
    }
    for conflict in &plan.conflicts {
        out += &conflict_text(conflict, style);
    }
    for (site, failure) in &plan.dark {
        out += &dark_text(plan, site, failure, style);
    }
    if let Some(summary) = summary(plan) {
        let _ = writeln!(out, "{}{summary}", if out.is_empty() { "" } else { "\n" });
    }
    for warning in plan.notices() {
        let _ = writeln!(out, "warning: {}", printable(&warning));
    }
    for (address, what) in &plan.outstanding {
        let _ = writeln!(out, "{}", waiting_text(address, what));
    }
    out
}

/// How much the plan does, on one line; nothing to be said if all it has is conflicts.
pub(super) fn summary(plan: &Plan) -> Option<String> {
    let count = |action| plan.count(action);
    let left_alone = plan.dark.keys().map(|site| plan.left_alone(site).count()).sum::<usize>();
    let left_alone = if left_alone == 0 { String::new() } else { format!(", {left_alone} left alone") };
    if plan.has_changes() {
        let (create, update) = (count(Action::Create), count(Action::Update));
        let (replace, delete) = (count(Action::Replace), count(Action::Delete));
        return Some(format!(
            "{create} to create, {update} to update, {replace} to replace, {delete} to delete{left_alone}"
        ));
    }
    let held = plan.changes.iter().filter(|change| change.reason == Reason::Held).count();
    let scope = if plan.dark.is_empty() { "" } else { " where AWS answers" };
    let live = amount(count(Action::NoOp) - held, "resource");
    let held = if held > 0 { format!(", {held} as an override says") } else { String::new() };
    let text = format!("no changes{scope}: {live} live as the spec says{held}{left_alone}");
    plan.conflicts.is_empty().then_some(text)
}

/// What a resource waits for outside drctl.
pub fn waiting_text(address: &Address, what: &str) -> String {
    format!("{address} waits for you: {}", printable(what))
}

fn write_change(out: &mut String, change: &Change, width: usize, style: Style) {
    let (sign, address) = (sign(change.action), change.address.to_string());
    let padding = " ".repeat(width - address.len());
    let line = style.action(change.action, &format!("{sign} {address}"));
    let _ = writeln!(out, "{line}{padding}  {}", style.dim(reason(change.reason)));
    if change.action == Action::Replace {
        let _ = writeln!(
            out,
            "    {}",
            style.dim(&format!("cannot be changed in place: {}", change.forces_replacement.join(", ")))
        );
    }
    for field in &change.fields {
        write_field(out, field, style);
    }
    for hold in &change.held {
        let _ = writeln!(out, "    {}", held_text(hold));
        for property in &hold.properties {
            let _ = writeln!(out, "      {}", kept_text(property));
        }
    }
}

/// Who keeps something, since when and why, on one line.
pub(super) fn held_text(hold: &Hold) -> String {
    let Hold { operation, since, by, why, .. } = hold;
    let text = format!("held by {operation} since {} by {by} ({why})", since.strftime(Hold::TIME));
    printable(&text).into_owned()
}

pub(super) fn write_field(out: &mut String, field: &FieldDiff, style: Style) {
    if field.document {
        return write_document(out, field, style);
    }
    let (before, after) = (field.before.as_ref().map(value), field.after.as_ref().map(value));
    let path = printable(&field.path);
    let _ = match (before, after) {
        (Some(before), Some(after)) => writeln!(out, "    {path}: {before} -> {after}"),
        (Some(before), None) => writeln!(out, "    {path}: {before} -> (not set)"),
        (None, Some(after)) => writeln!(out, "    {path}: (not set) -> {after}"),
        (None, None) => Ok(()),
    };
}

/// A JSON document, line by line, with two lines around each change.
fn write_document(out: &mut String, field: &FieldDiff, style: Style) {
    let _ = writeln!(out, "    {}:", printable(&field.path));
    for line in document_lines(field) {
        let line = match line.chars().next() {
            Some('-') => style.bad(&line),
            Some('+') => style.good(&line),
            _ => line,
        };
        let _ = writeln!(out, "      {line}");
    }
}

/// The lines of a document that change, with their signs, and two lines around each.
pub(super) fn document_lines(field: &FieldDiff) -> Vec<String> {
    let text = |value: &Option<Value>| {
        value
            .as_ref()
            .map(|value| serde_json::to_string_pretty(&told(value)).expect("a document is plain data"))
            .unwrap_or_default()
    };
    let (before, after) = (text(&field.before), text(&field.after));
    let difference = TextDiff::from_lines(&before, &after);
    let changes = difference.grouped_ops(2);
    let changes = changes.iter().flatten().flat_map(|op| difference.iter_changes(op));
    let line = changes.map(|change| {
        let sign = match change.tag() {
            ChangeTag::Delete => "-",
            ChangeTag::Insert => "+",
            ChangeTag::Equal => " ",
        };
        format!("{sign} {}", printable(change.value().trim_end_matches('\n')))
    });
    line.collect()
}

/// A place that does not answer, and how that showed first.
pub(super) fn dark_line(site: &Site, failure: &Failure, style: Style) -> String {
    let line = style.bad(&format!("! {site} does not answer"));
    format!("{line} ({})", failure.brief())
}

/// A place that does not answer, and what is left alone because of that.
pub(super) fn dark_text(plan: &Plan, site: &Site, failure: &Failure, style: Style) -> String {
    let mut out = dark_line(site, failure, style) + "\n";
    let width = plan.left_alone(site).map(|change| change.address.to_string().len()).max().unwrap_or_default();
    for change in plan.left_alone(site) {
        let fields = || change.fields.iter().map(|field| printable(&field.path)).collect::<Vec<_>>().join(", ");
        let what = match (change.reason, &change.before) {
            (Reason::Dark, _) => "unknown".to_owned(),
            (_, None) => "waits to be created".to_owned(),
            (_, Some(_)) if change.fields.is_empty() => "waits to be deleted".to_owned(),
            (_, Some(_)) => format!("waits to be changed: {}", fields()),
        };
        let _ = writeln!(out, "    {:width$}  {}", change.address.to_string(), style.dim(&what));
    }
    out
}

/// Something in the way, and whose it is.
pub(super) fn conflict_text(conflict: &Conflict, style: Style) -> String {
    let line = style.bad(&format!("! {}", conflict.address));
    format!("{line}  `{}` exists already and {}\n", printable(&conflict.id), conflict.whose())
}

/// What is kept of one property, and what the spec says of it.
pub(super) fn kept_text(property: &HeldProperty) -> String {
    let spec = match &property.spec {
        Value::Null => "not set in the spec".to_owned(),
        spec => format!("the spec says {}", value(spec)),
    };
    format!("{}: {} ({spec})", printable(&property.path), value(&property.value))
}

/// A document in which what is not known yet says where it will come from.
fn told(document: &Value) -> Value {
    match document {
        reference if Reference::of(reference).is_some() => Value::String(value(reference)),
        Value::Array(items) => Value::Array(items.iter().map(told).collect()),
        Value::Object(map) => Value::Object(map.iter().map(|(name, item)| (name.clone(), told(item))).collect()),
        other => other.clone(),
    }
}

/// A value on one line, whatever is in it; what is not known yet says where it will come from.
pub(super) fn value(value: &Value) -> String {
    if let Some(reference) = Reference::of(value) {
        return format!("(known after apply, from {reference})");
    }
    match value {
        Value::String(text) => printable(text).into_owned(),
        Value::Null => "(not set)".to_owned(),
        Value::Array(items) => format!("[{}]", items.iter().map(self::value).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries: Vec<_> = map
                .iter()
                .filter(|(_, item)| !item.is_null())
                .map(|(name, item)| format!("{}: {}", printable(name), self::value(item)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// `1 resource`, `2 resources`
pub fn amount(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// A duration for people: `0.4 s`, `12 s`, `2 min 5 s`.
pub fn took(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else if seconds < 120.0 {
        format!("{seconds:.0} s")
    } else {
        format!("{} min {} s", duration.as_secs() / 60, duration.as_secs() % 60)
    }
}
