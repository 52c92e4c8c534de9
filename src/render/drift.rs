//! What changed outside drctl, for people and for machines.

use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;

use super::human::{amount, dark_line, value};
use super::json::{DarkDocument, FORMAT_VERSION};
use super::style::Style;
use crate::graph::{Address, Owner, printable};
use crate::plan::{Drift, FieldDiff, Happened, SpecSince};

/// What changed outside drctl, as text.
pub fn drift_text(drift: &Drift, style: Style) -> String {
    let mut out = String::new();
    for (address, happened) in &drift.drifted {
        write_drifted(&mut out, address, happened, style);
    }
    for (address, happened) in &drift.accepted {
        let what = match happened {
            Happened::Deleted => "deleted outside drctl, and no longer in the spec",
            _ => "changed outside drctl, and as the spec says now",
        };
        let _ = writeln!(out, "{}", style.dim(&format!("= {address}  {what}: no drift; the next apply records it")));
    }
    for (site, failure) in &drift.dark {
        let _ = writeln!(out, "{}", dark_line(site, failure, style));
    }
    let gap = if out.is_empty() { "" } else { "\n" };
    let unread = match drift.failures.len() {
        0 => String::new(),
        many => format!(", {many} could not be read"),
    };
    let unread = match drift.unknown {
        0 => unread,
        many => format!("{unread}, {many} unknown"),
    };
    let left = format!("as drctl left {}{unread}", it(drift.unchanged));
    let _ = match drift.drifted.len() {
        _ if drift.unchanged == 0 && drift.drifted.is_empty() && drift.accepted.is_empty() => Ok(()),
        0 if unread.is_empty() => writeln!(out, "{gap}no drift: {} {left}", amount(drift.unchanged, "resource")),
        0 => writeln!(out, "{gap}{} {left}", amount(drift.unchanged, "resource")),
        many => writeln!(out, "{gap}{} changed outside drctl, {} {left}", amount(many, "resource"), drift.unchanged),
    };
    if drift.drifted.is_empty() && drift.accepted.is_empty() && drift.unchanged == 0 && drift.untold.is_empty() {
        let _ = writeln!(out, "nothing is recorded of this system, and nothing of it is live");
    }
    if !drift.untold.is_empty() {
        let _ = writeln!(
            out,
            "of {} nothing is recorded, so nobody can tell whether anything changed there; `drctl plan` compares {} with the spec",
            amount(drift.untold.len(), "live resource"),
            it(drift.untold.len()),
        );
    }
    out
}

fn it(count: usize) -> &'static str {
    if count == 1 { "it" } else { "them" }
}

fn write_drifted(out: &mut String, address: &Address, happened: &Happened, style: Style) {
    let _ = match happened {
        Happened::Deleted => {
            writeln!(out, "{}  {}", style.bad(&format!("- {address}")), style.dim("deleted outside drctl"))
        }
        Happened::Unmarked(conflict) => {
            let what = format!("`{}` now {}", printable(&conflict.id), conflict.whose());
            writeln!(out, "{}  {what}", style.bad(&format!("! {address}")))
        }
        Happened::Changed { fields, spec } => {
            let what = match (spec, fields.is_empty()) {
                (SpecSince::Stands, _) => "changed outside drctl",
                (SpecSince::Removed, _) => "changed outside drctl; no longer in the spec",
                (SpecSince::Changed, false) => {
                    "changed outside drctl; the spec has changed since, too, and this is both"
                }
                (SpecSince::Changed, true) => {
                    "changed outside drctl: it is as the spec says now, or a function's code, which is not compared here"
                }
            };
            let line = style.strong(&format!("~ {address}"));
            writeln!(out, "{line}  {}", style.dim(what))
        }
    };
    if let Happened::Changed { fields, .. } = happened {
        for field in fields {
            let _ = writeln!(out, "    {}: {} -> {}", printable(&field.path), side(&field.after), side(&field.before));
        }
    }
}

fn side(is: &Option<Value>) -> String {
    is.as_ref().map_or_else(|| "(not set)".to_owned(), value)
}

#[derive(Serialize)]
struct DriftDocument<'a> {
    format_version: u32,
    system: &'a str,
    environment: &'a str,
    suffix: &'a str,
    account: &'a str,
    has_drift: bool,
    drifted: Vec<DriftedDocument<'a>>,
    /// What happened outside and is as the spec says by now, which is no drift.
    accepted: Vec<String>,
    unchanged: usize,
    /// Of these nothing is recorded.
    untold: Vec<String>,
    /// Of these nobody can tell, because a place does not answer.
    unknown: usize,
    dark: Vec<DarkDocument<'a>>,
}

#[derive(Serialize)]
struct DriftedDocument<'a> {
    address: String,
    /// `deleted`, `unmarked` or `changed`
    happened: &'static str,
    /// The system whose marks it carries instead.
    belongs_to: Option<&'a str>,
    /// Whether the spec still says what was applied (`stands`), or has `changed` or `removed` it.
    spec: Option<&'static str>,
    fields: Vec<FieldDocument<'a>>,
}

#[derive(Serialize)]
struct FieldDocument<'a> {
    path: &'a str,
    /// What the spec says.
    spec: Option<&'a Value>,
    /// What is live.
    live: Option<&'a Value>,
}

/// What changed outside drctl, as one JSON document.
pub fn drift_json(drift: &Drift, owner: &Owner, account: &str) -> String {
    let drifted = drift.drifted.iter().map(|(address, happened)| {
        let (happened, belongs_to, spec, fields) = match happened {
            Happened::Deleted => ("deleted", None, None, &[] as &[FieldDiff]),
            Happened::Unmarked(conflict) => ("unmarked", conflict.belongs_to.as_deref(), None, &[] as &[_]),
            Happened::Changed { fields, spec } => ("changed", None, Some(since(*spec)), fields.as_slice()),
        };
        let fields = fields.iter().map(|field| FieldDocument {
            path: &field.path,
            spec: field.after.as_ref(),
            live: field.before.as_ref(),
        });
        let fields = fields.collect();
        DriftedDocument { address: address.to_string(), happened, belongs_to, spec, fields }
    });
    let document = DriftDocument {
        format_version: FORMAT_VERSION,
        system: &owner.system,
        environment: &owner.environment,
        suffix: &owner.suffix,
        account,
        has_drift: !drift.drifted.is_empty(),
        drifted: drifted.collect(),
        accepted: drift.accepted.iter().map(|(address, _)| address.to_string()).collect(),
        unchanged: drift.unchanged,
        untold: drift.untold.iter().map(Address::to_string).collect(),
        unknown: drift.unknown,
        dark: DarkDocument::all(&drift.dark),
    };
    serde_json::to_string_pretty(&document).expect("what drifted is plain data")
}

fn since(spec: SpecSince) -> &'static str {
    match spec {
        SpecSince::Stands => "stands",
        SpecSince::Changed => "changed",
        SpecSince::Removed => "removed",
    }
}
