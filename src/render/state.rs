//! What drctl remembers, for people and for machines.

use std::fmt::Write;

use serde::Serialize;

use super::human::amount;
use super::json::FORMAT_VERSION;
use super::style::Style;
use crate::graph::{Address, Owner, printable};
use crate::state::{Content, Known, Locked, Override, Record, Report};

/// Where the state is, who has it locked, and what is recorded, as far as it can be read.
pub fn state_text(copies: &[Report], known: Option<&Known>, style: Style) -> String {
    let mut out = String::new();
    for Report { at, content, lock } in copies {
        let _ = writeln!(out, "{}\n  {}", style.strong(at), content_text(content));
        if let Some(lock) = lock_text(lock) {
            let _ = writeln!(out, "  {}", printable(&lock));
        }
    }
    let Some(Known { index, overrides }) = known else { return out };
    for held in overrides {
        let Override { id, by, since, why, .. } = held;
        let text = format!("override {id} since {since:.0} by {by} ({why})");
        let _ = writeln!(out, "{}", style.strong(&printable(&text)));
    }
    let width = index.resources.keys().map(|address| address.to_string().len()).max().unwrap_or_default();
    for (address, Record { id, applied_at, .. }) in &index.resources {
        let (address, id, when) = (address.to_string(), printable(id), format!("{applied_at:.0}"));
        let _ = writeln!(out, "{address:width$}  {}  {id}", style.dim(&when));
    }
    let _ = writeln!(out, "{} recorded", amount(index.resources.len(), "resource"));
    out
}

fn content_text(content: &Content) -> String {
    match content {
        Content::Index(index) => format!("lineage {}, serial {}", printable(&index.lineage), index.serial),
        Content::Nothing => "nothing yet".to_owned(),
        Content::NoBucket => "there is no such bucket: run `drctl state init`".to_owned(),
        Content::Damaged(reason) => format!("damaged: {}", printable(reason)),
        Content::Unreadable(error) => format!("not readable: {error}"),
    }
}

fn lock_text(lock: &Locked) -> Option<String> {
    match lock {
        Locked::No => None,
        Locked::By { by, .. } => Some(format!("locked: {by}")),
        Locked::Before { by } => Some(format!("no longer locked, because the lease is over: {by}")),
        Locked::Unknown(error) => Some(format!("whether it is locked cannot be read: {error}")),
    }
}

#[derive(Serialize)]
struct Document<'a> {
    format_version: u32,
    system: &'a str,
    environment: &'a str,
    suffix: &'a str,
    lineage: Option<&'a str>,
    serial: Option<u64>,
    copies: Vec<CopyDocument<'a>>,
    overrides: &'a [Override],
    records: Vec<RecordDocument<'a>>,
}

#[derive(Serialize)]
struct CopyDocument<'a> {
    at: &'a str,
    serial: Option<u64>,
    problem: Option<String>,
    locked_by: Option<&'a str>,
    lock_id: Option<&'a str>,
    /// Why nobody can say whether it is locked.
    lock_problem: Option<String>,
}

#[derive(Serialize)]
struct RecordDocument<'a> {
    address: &'a Address,
    #[serde(flatten)]
    record: &'a Record,
}

/// The same as one JSON document.
pub fn state_json(owner: &Owner, copies: &[Report], known: Option<&Known>) -> String {
    let copy = |copy: &'_ Report| match &copy.content {
        Content::Index(index) => (Some(index.serial), None),
        Content::Nothing => (None, None),
        problem => (None, Some(content_text(problem))),
    };
    let copies = copies.iter().map(|report| {
        let (serial, problem) = copy(report);
        CopyDocument {
            at: &report.at,
            serial,
            problem,
            locked_by: report.lock.by(),
            lock_id: report.lock.id(),
            lock_problem: match &report.lock {
                Locked::Unknown(error) => Some(error.to_string()),
                Locked::No | Locked::By { .. } | Locked::Before { .. } => None,
            },
        }
    });
    let index = known.map(|known| &known.index);
    let records = index.into_iter().flat_map(|index| &index.resources);
    let document = Document {
        format_version: FORMAT_VERSION,
        system: &owner.system,
        environment: &owner.environment,
        suffix: &owner.suffix,
        lineage: index.map(|index| index.lineage.as_str()),
        serial: index.map(|index| index.serial),
        copies: copies.collect(),
        overrides: known.map_or(&[], |known| &known.overrides),
        records: records.map(|(address, record)| RecordDocument { address, record }).collect(),
    };
    serde_json::to_string_pretty(&document).expect("a state is plain data")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::graph::{Failure, FailureClass};
    use crate::state::{Index, StateError};

    fn known() -> Known {
        let owner = Owner { system: "dr".into(), environment: "test".into(), suffix: "t1".into() };
        let record = |id: &str| Record {
            id: id.into(),
            fingerprint: "00ff".into(),
            needs: Default::default(),
            attributes: Default::default(),
            adopted: false,
            built: None,
            applied_at: "2026-11-24T12:00:00.25Z".parse().unwrap(),
        };
        let mut index = Index { serial: 7, ..Index::empty(&owner, "5b3e".into()) };
        index.resources.insert(Address::global("role", "pay"), record("pay-t1"));
        index.resources.insert(Address::global("table", "ledger"), record("ledger-t1"));
        let held = Override {
            id: "failover-1".into(),
            operation: "failover".into(),
            by: "ops@laptop".into(),
            since: "2026-11-24T12:00:00Z".parse().unwrap(),
            why: "us-east-1 is down".into(),
            covers: Default::default(),
        };
        Known { index, overrides: vec![held] }
    }

    fn copies() -> [Report; 2] {
        let east = Report {
            at: "s3://state-us-east-1/dr-t1.json".into(),
            content: Content::Index(known().index),
            lock: Locked::By { by: "apply by ops@laptop, process 7".into(), id: Some("apply-5e1f0c9a".into()) },
        };
        let west =
            Report { at: "s3://state-us-west-2/dr-t1.json".into(), content: Content::NoBucket, lock: Locked::No };
        [east, west]
    }

    #[test]
    fn a_state_is_shown_with_its_copies_its_lock_and_its_records() {
        assert_snapshot!(state_text(&copies(), Some(&known()), Style::PLAIN), @"
        s3://state-us-east-1/dr-t1.json
          lineage 5b3e, serial 7
          locked: apply by ops@laptop, process 7
        s3://state-us-west-2/dr-t1.json
          there is no such bucket: run `drctl state init`
        override failover-1 since 2026-11-24T12:00:00Z by ops@laptop (us-east-1 is down)
        global/role.pay      2026-11-24T12:00:00Z  pay-t1
        global/table.ledger  2026-11-24T12:00:00Z  ledger-t1
        2 resources recorded
        ");
    }

    #[test]
    fn a_lock_that_counts_no_longer_and_one_that_cannot_be_read_are_told_from_none() {
        let [east, west] = copies();
        let silence = Failure::new(FailureClass::Dark, "s3:GetObject", "us-west-2 does not answer");
        let unknown = StateError::Aws { bucket: "state-us-west-2".into(), failure: Box::new(silence) };
        let copies = [
            Report { lock: Locked::Before { by: "apply by ops@laptop".into() }, ..east },
            Report { lock: Locked::Unknown(Box::new(unknown)), ..west },
        ];
        assert_snapshot!(state_text(&copies, None, Style::PLAIN), @"
        s3://state-us-east-1/dr-t1.json
          lineage 5b3e, serial 7
          no longer locked, because the lease is over: apply by ops@laptop
        s3://state-us-west-2/dr-t1.json
          there is no such bucket: run `drctl state init`
          whether it is locked cannot be read: the state in state-us-west-2 cannot be used: s3:GetObject failed: Dark: us-west-2 does not answer
        ");
        let owner = Owner { system: "dr".into(), environment: "test".into(), suffix: "t1".into() };
        let shown: serde_json::Value = serde_json::from_str(&state_json(&owner, &copies, None)).unwrap();
        assert!(shown["copies"][0]["locked_by"].is_null() && shown["copies"][0]["lock_problem"].is_null());
        assert!(shown["copies"][1]["lock_problem"].as_str().unwrap().contains("us-west-2 does not answer"));
    }

    #[test]
    fn machines_get_the_same_and_null_for_what_cannot_be_read() {
        let document = |known| -> serde_json::Value {
            let owner = Owner { system: "dr".into(), environment: "test".into(), suffix: "t1".into() };
            serde_json::from_str(&state_json(&owner, &copies(), known)).unwrap()
        };
        let known = known();
        let shown = document(Some(&known));
        assert_eq!((&shown["serial"], &shown["records"][1]["id"]), (&7.into(), &"ledger-t1".into()));
        assert_eq!(shown["copies"][0]["locked_by"], "apply by ops@laptop, process 7");
        assert_eq!(shown["copies"][0]["lock_id"], "apply-5e1f0c9a");
        assert_eq!(shown["copies"][1]["problem"], "there is no such bucket: run `drctl state init`");
        assert_eq!(document(None)["serial"], serde_json::Value::Null);
    }
}
