//! Files of saved plans.

use super::error::Unusable;
use super::*;
use crate::plan::{Action, plan};
use crate::run::fake::System;
use crate::state::Folder;
use crate::tests::SPEC;

/// A plan of [`SPEC`] from nothing, with code that is no zip but has its hash.
pub(super) fn saved() -> SavedPlan {
    let system = System::new(SPEC);
    let zip = b"the code of pay".to_vec();
    let hash = "0DicQuhUQWTiLXMZkh4qNpYjcyKohjzoBRhfVAfGosw=";
    let code = CodeHashes::from([("pay".to_owned(), hash.to_owned())]);
    let graph = system.spec.graph("123456789012", &code);
    let recorded = system.unrecorded();
    let observed = crate::plan::Observation { account: "123456789012".into(), ..Default::default() };
    let subject = system.subject(&recorded);
    let plan = plan(&crate::plan::Basis { desired: &graph, ..subject.basis(&observed) });
    let store = Store::Folder(Folder::new("state".into(), system.owner.clone()));
    let mut saved = SavedPlan::new(plan, &system.spec, code, &store, &recorded);
    saved.zips.insert(hash.into(), zip);
    saved
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
        "drctl 7.0.0 has saved the plan in p.zip in format 99; this one knows format 1"
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
fn a_state_below_the_current_folder_is_found_from_another_one() {
    let owner = saved().document.plan.owner;
    let here = std::env::current_dir().unwrap();
    let kept = |path: PathBuf| Kept::of(&Store::Folder(Folder::new(path, owner.clone())));
    assert_eq!(kept(here.join("state")), Kept::Folder("state".into()));
    assert_eq!(kept("/elsewhere/state".into()), Kept::Folder("/elsewhere/state".into()));
}
