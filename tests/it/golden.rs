//! What the shipped specs come to in an empty account: the plan, and every property that AWS would get.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use drctl::desired::load;
use drctl::kinds;
use drctl::plan::{Basis, Observation, plan};
use drctl::render::{Style, plan_text};
use drctl::state::Index;

#[test]
fn every_shipped_spec_plans_as_it_always_did() {
    let mut specs: Vec<_> = fs::read_dir("specs")
        .expect("tests run in the folder of the package")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    specs.sort();
    assert!(!specs.is_empty());
    insta::with_settings!({ snapshot_path => "golden", prepend_module_to_snapshot => false, omit_expression => true }, {
        for spec in specs {
            let name = spec.file_stem().expect("a spec has a name").to_string_lossy().into_owned();
            let base = OVERLAYS.iter().find(|(overlay, _)| *overlay == name).map(|(_, base)| PathBuf::from(base));
            insta::assert_snapshot!(name, planned(&base.into_iter().chain([spec]).collect::<Vec<_>>()));
        }
    });
}

/// Specs that are laid over another one.
const OVERLAYS: [(&str, &str); 1] = [("encrypted", "specs/production.toml")];

/// The plan of a spec for an empty account, and what it would make.
fn planned(paths: &[PathBuf]) -> String {
    let spec = load(paths, &[]).unwrap_or_else(|error| panic!("{paths:?}: {error:?}"));
    let code = spec.functions.keys().map(|name| (name.clone(), format!("(hash of {name})"))).collect();
    let (owner, metas) = (spec.owner(), kinds::metas());
    let account = "123456789012";
    let plan = plan(&Basis {
        desired: &spec.graph(account, &code),
        observed: &Observation { account: account.into(), ..Observation::default() },
        recorded: &Index::empty(&owner, "test".into()),
        overrides: &[],
        owner: &owner,
        kinds: &metas,
    });
    let mut text = plan_text(&plan, Style::PLAIN);
    for change in plan.pending() {
        let properties = serde_json::to_string_pretty(&change.after).expect("properties are plain data");
        write!(text, "\n{} {properties}\n", change.address).expect("a string takes everything");
    }
    text
}
