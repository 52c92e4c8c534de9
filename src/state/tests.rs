//! The state in a folder: what is kept, what is refused, and what no crash can break.

use std::path::Path;

use futures::executor::block_on;

use super::*;
use crate::graph::Region;

pub(super) fn owner() -> Owner {
    Owner { system: "payment-dr".into(), environment: "test".into(), suffix: "t1".into() }
}

fn store(folder: &Path) -> Store {
    Store::Folder(Folder::new(folder.to_owned(), owner()))
}

fn lock(folder: &Path) -> Result<State, StateError> {
    block_on(store(folder).lock("apply", Reach::Every))
}

pub(super) fn record() -> Record {
    Record {
        id: "x".into(),
        fingerprint: "f".into(),
        needs: Default::default(),
        attributes: Default::default(),
        applied_at: "2026-11-24T12:00:00Z".parse().unwrap(),
        adopted: false,
        built: None,
    }
}

pub(super) fn address() -> Address {
    Address::regional(&Region::new("us-east-1"), "function", "pay")
}

pub(super) fn failover(id: &str, since: &str) -> Override {
    Override {
        id: id.into(),
        operation: "failover".into(),
        by: "ops@laptop".into(),
        since: since.parse().unwrap(),
        why: "us-east-1 is down".into(),
        covers: BTreeMap::from([(
            Address::global("record", "api.example.com"),
            BTreeMap::from([("sets.us-east-1-t1.weight".to_owned(), serde_json::json!(0))]),
        )]),
    }
}

#[test]
fn what_a_saved_plan_has_written_is_signed_until_something_else_writes() {
    let folder = tempfile::tempdir().unwrap();
    let write = |saved_plan: Option<&str>| {
        let mut state = lock(folder.path()).unwrap();
        saved_plan.into_iter().for_each(|id| state.carries_out(id.into()));
        block_on(state.save()).unwrap();
        state.record(address(), record());
        block_on(state.save()).unwrap();
        drop(state);
        block_on(store(folder.path()).read()).unwrap().index.saved_plan
    };
    assert_eq!(write(Some("p1")).as_deref(), Some("p1"));
    assert_eq!(write(None), None);
}

#[test]
fn what_is_recorded_is_there_for_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = lock(folder.path()).unwrap();
    state.record(address(), record());
    block_on(state.save()).unwrap();
    block_on(state.save()).unwrap();
    drop(state);
    let known = block_on(store(folder.path()).read()).unwrap();
    assert_eq!(known.index.resources[&address()], record());
    assert_eq!(known.index.serial, 1, "nothing new is no write");
}

#[test]
fn two_writers_at_once_are_refused_and_the_holder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let _first = lock(folder.path()).unwrap();
    let second = lock(folder.path()).unwrap_err().to_string();
    for part in ["apply by ".to_owned(), operator(), format!("process {}", std::process::id())] {
        assert!(second.contains(&part), "{second}");
    }
    assert!(block_on(store(folder.path()).read()).is_ok());
}

#[test]
fn all_states_go_at_once_unless_one_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = lock(folder.path()).unwrap();
    state.record(address(), record());
    block_on(state.save()).unwrap();
    let refused = AllStates::lock(folder.path()).unwrap_err();
    assert!(matches!(refused, StateError::Locked { holder: Some(_), .. }), "{refused}");
    drop(state);
    AllStates::lock(folder.path()).unwrap().remove().unwrap();
    assert_eq!(block_on(store(folder.path()).read()).unwrap().index.resources.len(), 0);
    AllStates::lock(folder.path()).unwrap().remove().unwrap();
}

#[test]
fn a_damaged_or_newer_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("payment-dr-t1.json");
    let endless = Index { serial: u64::MAX, ..Index::new(&owner()) }.to_text();
    for text in ["", "{", "[]", "{\"format_version\": 1}", &endless] {
        std::fs::write(&path, text).unwrap();
        let error = lock(folder.path()).unwrap_err();
        assert!(matches!(error, StateError::Damaged { .. }), "{text}: {error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        assert!(block_on(store(folder.path()).lock_anew("state rebuild")).is_ok(), "{text}");
    }
    let newer = "{\"format_version\": 99}";
    std::fs::write(&path, newer).unwrap();
    for error in [lock(folder.path()).err(), block_on(store(folder.path()).lock_anew("state rebuild")).err()] {
        assert!(matches!(error, Some(StateError::Newer { version: 99, .. })), "{error:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), newer);
    }
}

#[test]
fn what_is_written_anew_may_use_what_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = lock(folder.path()).unwrap();
    state.record(address(), record());
    block_on(state.save()).unwrap();
    drop(state);
    let state = block_on(store(folder.path()).lock_anew("state rebuild")).unwrap();
    assert_eq!(state.index().resources[&address()], record());
}

#[test]
fn something_is_kept_here_also_if_it_is_an_override_alone() {
    let folder = tempfile::tempdir().unwrap();
    let here = Folder::new(folder.path().to_owned(), owner());
    assert!(!here.is_there());
    block_on(store(folder.path()).put_override(&failover("f", "2026-11-24T12:00:00Z"))).unwrap();
    assert!(here.is_there());
}

#[test]
fn the_state_of_another_system_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = lock(folder.path()).unwrap();
    state.record(address(), record());
    block_on(state.save()).unwrap();
    std::fs::rename(folder.path().join("payment-dr-t1.json"), folder.path().join("other-t1.json")).unwrap();
    let other = Store::Folder(Folder::new(folder.path().to_owned(), Owner { system: "other".into(), ..owner() }));
    assert!(block_on(other.read()).unwrap_err().to_string().contains("belongs to payment-dr"));
}

#[test]
fn overrides_are_kept_until_they_are_released_and_need_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let _locked = lock(folder.path()).unwrap();
    let store = store(folder.path());
    assert_eq!(block_on(store.overrides()).unwrap(), []);
    let (elder, younger) = (failover("z", "2026-11-24T12:00:00Z"), failover("a", "2026-11-25T12:00:00Z"));
    for held in [&younger, &elder, &elder] {
        block_on(store.put_override(held)).unwrap();
    }
    assert!(folder.path().join("payment-dr-t1.overrides").join("z.json").exists());
    assert_eq!(block_on(store.read()).unwrap().overrides, [elder, younger.clone()]);
    assert!(block_on(store.release_override("z")).unwrap());
    assert!(!block_on(store.release_override("z")).unwrap(), "it is released");
    assert!(!block_on(store.release_override("../payment-dr-t1")).unwrap(), "that is no id");
    assert_eq!(block_on(store.overrides()).unwrap(), [younger]);
}

#[test]
fn an_override_that_cannot_be_read_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    block_on(store.put_override(&failover("f", "2026-11-24T12:00:00Z"))).unwrap();
    let path = folder.path().join("payment-dr-t1.overrides").join("f.json");
    let text = std::fs::read_to_string(&path).unwrap();
    for broken in ["{", &text.replace("\"f\"", "\"g\""), &text.replace("since", "sinec")] {
        std::fs::write(&path, broken).unwrap();
        let error = block_on(store.read()).unwrap_err();
        assert!(matches!(error, StateError::DamagedOverride { .. }), "{error}");
        assert!(error.to_string().contains("f.json"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), broken);
    }
}

#[test]
fn an_override_of_a_newer_drctl_is_for_that_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    block_on(store.put_override(&failover("f", "2026-11-24T12:00:00Z"))).unwrap();
    let path = folder.path().join("payment-dr-t1.overrides").join("f.json");
    std::fs::write(&path, "{\"format_version\": 99}").unwrap();
    let error = block_on(store.read()).unwrap_err();
    assert!(matches!(error, StateError::Newer { version: 99, .. }), "{error}");
}

#[test]
fn a_writer_that_died_leaves_nothing_that_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    block_on(store.put_override(&failover("f", "2026-11-24T12:00:00Z"))).unwrap();
    std::fs::write(folder.path().join("payment-dr-t1.overrides").join(".tmpX1"), "{").unwrap();
    assert_eq!(block_on(store.overrides()).unwrap().len(), 1);
}

#[test]
fn ids_of_overrides_are_fit_for_a_file_and_never_the_same() {
    let (one, other) = (new_id("failover"), new_id("failover"));
    assert!(overrides::is_id(&one) && one.starts_with("failover-") && one != other);
    for text in ["", "a/b", "..", "a.json", "ä"] {
        assert!(!overrides::is_id(text), "{text}");
    }
}
