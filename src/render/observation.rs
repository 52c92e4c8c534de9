//! What is live, for people and for machines; what machines get can be planned from again.

use std::collections::BTreeSet;
use std::fmt::Write;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::human::{amount, dark_line, value, waiting_text};
use super::json::FORMAT_VERSION;
use super::style::Style;
use crate::graph::{Address, Attributes, Failure, Owner, Properties, Site, printable};
use crate::plan::{Conflict, Live, Observation, Sight};
use crate::state::{Index, Known, Override, Record};

/// What was live at one moment, and what drctl remembered then: all that a plan needs beside the spec.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// Whose system it is.
    pub owner: Owner,
    /// What was seen.
    pub observed: Observation,
    /// What was recorded and overridden.
    pub known: Known,
}

/// Why a text is no snapshot.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SnapshotError {
    /// Not JSON, or not of this form.
    #[error("it is not what `drctl observe --json` prints: {0}")]
    Damaged(String),
    /// Written by a newer drctl.
    #[error("it has format {0}, and this drctl knows format {FORMAT_VERSION}")]
    Newer(u64),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format_version: u32,
    system: String,
    environment: String,
    suffix: String,
    account: String,
    resources: Vec<ResourceDocument>,
    unreadable: Vec<UnreadableDocument>,
    #[serde(default)]
    dark: Vec<DarkDocument>,
    recorded: Vec<RecordDocument>,
    #[serde(default)]
    overrides: Vec<Override>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceDocument {
    address: Address,
    id: String,
    properties: Properties,
    attributes: Attributes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnreadableDocument {
    address: Address,
    failure: Failure,
}

/// A place that did not answer, with what nobody can tell of because of that.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DarkDocument {
    place: Site,
    failure: Failure,
    unknown: Vec<Address>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordDocument {
    address: Address,
    id: String,
    fingerprint: String,
    needs: BTreeSet<Address>,
    #[serde(default)]
    attributes: Attributes,
    applied_at: Timestamp,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    adopted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    built: Option<String>,
}

/// The snapshot as one JSON document.
pub fn snapshot_json(snapshot: &Snapshot) -> String {
    let Snapshot { owner, observed, known } = snapshot;
    let resources = observed.seen.iter().filter_map(|(address, sight)| {
        let Live { id, properties, attributes } = sight.live()?.clone();
        Some(ResourceDocument { address: address.clone(), id, properties, attributes })
    });
    let unreadable = observed.seen.iter().filter_map(|(address, sight)| match sight {
        Sight::Failed(failure) => Some(UnreadableDocument { address: address.clone(), failure: failure.clone() }),
        Sight::Live(_) | Sight::Absent | Sight::Dark(_) => None,
    });
    let dark = observed.dark.iter().map(|(place, failure)| {
        let unknown = observed.seen.iter().filter(|(_, sight)| **sight == Sight::Dark(place.clone()));
        let unknown = unknown.map(|(address, _)| address.clone()).collect();
        DarkDocument { place: place.clone(), failure: failure.clone(), unknown }
    });
    let recorded = known.index.resources.iter().map(|(address, record)| RecordDocument {
        address: address.clone(),
        id: record.id.clone(),
        fingerprint: record.fingerprint.clone(),
        needs: record.needs.clone(),
        attributes: record.attributes.clone(),
        applied_at: record.applied_at,
        adopted: record.adopted,
        built: record.built.clone(),
    });
    let document = Document {
        format_version: FORMAT_VERSION,
        system: owner.system.clone(),
        environment: owner.environment.clone(),
        suffix: owner.suffix.clone(),
        account: observed.account.clone(),
        resources: resources.collect(),
        unreadable: unreadable.collect(),
        dark: dark.collect(),
        recorded: recorded.collect(),
        overrides: known.overrides.clone(),
    };
    serde_json::to_string_pretty(&document).expect("what was observed is plain data")
}

/// Reads back what [`snapshot_json`] wrote.
pub fn read_snapshot(text: &str) -> Result<Snapshot, SnapshotError> {
    let damaged = |error: serde_json::Error| SnapshotError::Damaged(error.to_string());
    let version: serde_json::Value = serde_json::from_str(text).map_err(damaged)?;
    match version.get("format_version").and_then(serde_json::Value::as_u64) {
        Some(version) if version > u64::from(FORMAT_VERSION) => return Err(SnapshotError::Newer(version)),
        _ => {}
    }
    let document: Document = serde_json::from_str(text).map_err(damaged)?;
    let owner = Owner { system: document.system, environment: document.environment, suffix: document.suffix };
    let mut observed = Observation { account: document.account, ..Observation::default() };
    for ResourceDocument { address, id, properties, attributes } in document.resources {
        observed.seen.insert(address, Sight::Live(Live { id, properties, attributes }));
    }
    for UnreadableDocument { address, failure } in document.unreadable {
        observed.seen.insert(address, Sight::Failed(failure));
    }
    for DarkDocument { place, failure, unknown } in document.dark {
        observed.seen.extend(unknown.into_iter().map(|address| (address, Sight::Dark(place.clone()))));
        observed.dark.insert(place, failure);
    }
    let mut index = Index::empty(&owner, String::new());
    for RecordDocument { address, id, fingerprint, needs, attributes, applied_at, adopted, built } in document.recorded
    {
        index.resources.insert(address, Record { id, fingerprint, needs, attributes, applied_at, adopted, built });
    }
    Ok(Snapshot { owner, observed, known: Known { index, overrides: document.overrides } })
}

/// What is live, place by place; `conflicts` are not this system's.
pub fn observation_text(observed: &Observation, conflicts: &[Conflict], style: Style) -> String {
    let live: Vec<(&Address, &Live)> =
        observed.seen.iter().filter_map(|(address, sight)| Some((address, sight.live()?))).collect();
    let width = live.iter().map(|(address, _)| address.without_place().len()).max().unwrap_or_default();
    let (mut out, mut place) = (String::new(), None);
    for (address, live) in &live {
        if place != Some(&address.place) {
            let gap = if place.is_some() { "\n" } else { "" };
            let _ = writeln!(out, "{gap}{}", style.strong(&address.place.to_string()));
            place = Some(&address.place);
        }
        let strange = conflicts.iter().find(|conflict| conflict.address == **address);
        let note = strange.map(|conflict| style.bad(&format!("  ({})", conflict.whose()))).unwrap_or_default();
        let _ = writeln!(out, "  {:width$}  {}{note}", address.without_place(), printable(&live.id));
    }
    for (site, failure) in &observed.dark {
        let gap = if out.is_empty() { "" } else { "\n" };
        let _ = writeln!(out, "{gap}{}", dark_line(site, failure, style));
        for (address, _) in observed.seen.iter().filter(|(_, sight)| **sight == Sight::Dark(site.clone())) {
            let _ = writeln!(out, "  {address}  {}", style.dim("unknown"));
        }
    }
    let _ = writeln!(out, "{}{} live", if live.is_empty() { "" } else { "\n" }, amount(live.len(), "resource"));
    for (address, live) in live {
        if let Some(what) = live.waiting() {
            let _ = writeln!(out, "{}", waiting_text(address, what));
        }
    }
    out
}

/// Everything that is known of one live resource.
pub fn live_text(address: &Address, live: &Live, style: Style) -> String {
    let mut out = format!("{}\n  id: {}\n", style.strong(&address.to_string()), printable(&live.id));
    for (field, is) in live.properties.fields().filter(|(_, is)| !is.is_null()) {
        let _ = writeln!(out, "  {field}: {}", value(is));
    }
    let _ = writeln!(out, "  {}", style.dim("attributes"));
    for (attribute, is) in &live.attributes {
        let _ = writeln!(out, "    {attribute}: {}", printable(is));
    }
    out
}
