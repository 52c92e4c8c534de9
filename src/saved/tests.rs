//! Files of saved plans.

use super::error::Unusable;
use super::*;
use crate::plan::{Action, Basis, Observation, plan};
use crate::run::fake::System;
use crate::state::Folder;
use crate::tests::SPEC;

/// A plan of [`SPEC`] from nothing, with code that is no zip but has its hash.
pub(super) fn saved() -> SavedPlan {
    let system = System::new(SPEC);
    let code = CodeHashes::from([("pay".to_owned(), HASH.to_owned())]);
    let store = Store::Folder(Folder::new("state".into(), system.owner.clone()));
    let plan = from_nothing(|plan, _| plan.clone());
    let mut saved = SavedPlan::new(plan, &system.spec, code, &store, &system.unrecorded());
    saved.zips.insert(HASH.into(), b"the code of pay".to_vec());
    saved
}

const HASH: &str = "0DicQuhUQWTiLXMZkh4qNpYjcyKohjzoBRhfVAfGosw=";

/// What comes of the plan of [`SPEC`] from nothing.
pub(super) fn from_nothing<T>(look: impl FnOnce(&Plan, &Basis<'_>) -> T) -> T {
    let system = System::new(SPEC);
    let graph = system.spec.graph("123456789012", &[("pay".to_owned(), HASH.to_owned())].into());
    let recorded = system.unrecorded();
    let observed = Observation { account: "123456789012".into(), ..Default::default() };
    let basis = Basis { desired: &graph, ..system.subject(&recorded).basis(&observed) };
    look(&plan(&basis), &basis)
}

#[test]
fn a_plan_is_read_as_it_was_written_and_written_the_same_every_time() {
    let saved = saved();
    let bytes = saved.to_bytes();
    assert_eq!(SavedPlan::from_bytes(&bytes), Ok(saved.clone()));
    assert_eq!(saved.to_bytes(), bytes);
    let spec = saved.spec(Path::new("plan.zip")).unwrap();
    assert_eq!(spec.merged().to_json(), System::new(SPEC).spec.merged().to_json());
}

#[test]
fn only_code_that_is_uploaded_is_in_it() {
    let mut saved = saved();
    assert_eq!(saved.uploads().len(), 1);
    for change in &mut saved.document.plan.changes {
        if change.address.kind == Function::KIND {
            change.action = Action::Update;
        }
    }
    assert!(saved.uploads().is_empty(), "another setting needs no code");
}

#[test]
fn a_file_for_its_owner_alone_takes_the_place_of_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new").join("plan.zip");
    let saved = saved();
    saved.write(&file).unwrap();
    std::fs::write(&file, "something else").unwrap();
    saved.write(&file).unwrap();
    assert_eq!(SavedPlan::read(&file).unwrap(), saved);
    assert_eq!(std::fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "nothing is left of the writing");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let missing = SavedPlan::read(&folder.path().join("none")).unwrap_err();
    assert!(matches!(missing, SavedPlanError::Unreadable { .. }), "{missing}");
    let folder = saved.write(folder.path()).unwrap_err();
    assert!(matches!(folder, SavedPlanError::Unwritable { .. }), "{folder}");
}

#[test]
fn a_file_that_is_no_plan_says_what_is_wrong_with_it() {
    let whole = saved();
    let without_code = SavedPlan { zips: Zips::new(), ..whole.clone() };
    let another_spec = SavedPlan { spec: format!("{}# and more\n", whole.spec), ..whole.clone() };
    let mut newer = whole.clone();
    (newer.document.format_version, newer.document.drctl) = (99, "7.0.0".into());
    let told = |bytes: &[u8]| match SavedPlan::from_bytes(bytes).unwrap_err().of(Path::new("p.zip")) {
        SavedPlanError::Damaged { reason, .. } => reason,
        other => other.to_string(),
    };
    assert_eq!(told(&without_code.to_bytes()), "it has no code/0DicQuhUQWTiLXMZkh4qNpYjcyKohjzoBRhfVAfGosw=.zip");
    assert_eq!(told(&another_spec.to_bytes()), "its spec.toml is not the one that the plan was made of");
    assert_eq!(
        told(&newer.to_bytes()),
        "drctl 7.0.0 has saved the plan in p.zip in format 99; this one knows format 2"
    );
    let bytes = whole.to_bytes();
    assert!(matches!(SavedPlan::from_bytes(&bytes[..bytes.len() / 2]), Err(Unusable::Damaged(_))));
    assert!(matches!(SavedPlan::from_bytes(b"{}"), Err(Unusable::Damaged(_))));
}

#[test]
fn a_state_is_the_same_one_as_long_as_its_lineage_is() {
    let mut saved = saved();
    let owner = saved.document.plan.owner.clone();
    let (one, other) = (Index::empty(&owner, "one".into()), Index::empty(&owner, "other".into()));
    assert!(saved.knows(&one) && saved.knows(&other), "before the first apply nothing is written");
    saved.document.lineage = Some("one".into());
    assert!(saved.knows(&one) && !saved.knows(&other));
}

#[test]
fn a_plan_is_the_next_thing_to_do_until_something_else_is_done() {
    let saved = SavedPlan { document: Document { serial: 3, ..saved().document }, ..saved() };
    let owner = saved.document.plan.owner.clone();
    let written = |serial: u64, saved_plan: Option<String>| {
        saved.is_next(&Index { serial, saved_plan, ..Index::empty(&owner, "one".into()) })
    };
    assert!(written(3, None) && written(5, Some(saved.id())), "nothing was done, or a part of it");
    assert!(!written(4, None) && !written(5, Some("another".into())));
    let earlier = SavedPlan { document: Document { serial: 1, ..saved.document.clone() }, ..saved.clone() };
    assert_ne!(earlier.id(), saved.id(), "the same of another time is another plan");
}

#[test]
fn a_plan_without_the_code_that_it_uploads_is_not_saved() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan");
    for zips in [Zips::new(), Zips::from([(HASH.to_owned(), b"rewritten".to_vec())])] {
        let refused = SavedPlan { zips, ..saved() }.write(&file).unwrap_err();
        assert!(matches!(&refused, SavedPlanError::OtherCode { hash, .. } if hash == HASH), "{refused}");
    }
    assert!(!file.exists());
}

#[test]
fn the_plan_of_an_earlier_run_is_cleared_and_nothing_else_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan");
    saved().write(&file).unwrap();
    clear(&file).unwrap();
    assert!(!file.exists());
    clear(&file).unwrap();
    clear(folder.path()).unwrap();
    assert!(folder.path().is_dir());
    for (content, is_kept) in [("schema = 1\n", true), ("PK\x03\x04", true), ("", false)] {
        std::fs::write(&file, content).unwrap();
        assert_eq!(clear(&file).is_err(), is_kept, "{content:?}");
        assert_eq!(file.exists(), is_kept, "{content:?}");
    }
}

#[test]
fn a_state_below_the_current_folder_is_found_from_another_one() {
    let owner = saved().document.plan.owner;
    let here = std::env::current_dir().unwrap();
    let kept = |path: PathBuf| Kept::of(&Store::Folder(Folder::new(path, owner.clone())));
    assert_eq!(kept(here.join("state")), Kept::Folder("state".into()));
    assert_eq!(kept("/elsewhere/state".into()), Kept::Folder("/elsewhere/state".into()));
}
