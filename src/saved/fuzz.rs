//! A plan file may hold anything.

use proptest::prelude::*;
use proptest::sample::Index as Spot;

use serde_json::{Value, json};

use super::tests::{from_nothing, saved};
use super::{SavedPlan, archive};
use crate::fuzz::{cases, mutated};
use crate::graph::Properties;
use crate::plan::{Plan, remaining};

/// `plan.json` of a plan that is right, once.
fn document() -> &'static str {
    static TEXT: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| serde_json::to_string_pretty(&saved().document).unwrap());
    &TEXT
}

/// The properties with lists in one order, and without what is not set.
fn tree(properties: &Option<Properties>) -> Value {
    fn sorted(value: &mut Value) {
        match value {
            Value::Array(items) => {
                items.iter_mut().for_each(sorted);
                items.sort_by_key(Value::to_string);
            }
            Value::Object(map) => map.values_mut().for_each(sorted),
            _ => {}
        }
    }
    let mut tree = json!(properties);
    tree.as_object_mut().into_iter().for_each(|map| map.retain(|_, value| !value.is_null()));
    sorted(&mut tree);
    tree
}

proptest! {
    #![proptest_config(cases(64))]

    #[test]
    fn a_plan_file_may_be_any_bytes(any in prop::collection::vec(any::<u8>(), 0..200), at: Spot, byte: u8, end: Spot) {
        let _ = SavedPlan::from_bytes(&any);
        let mut bytes = saved().to_bytes();
        let end = end.index(bytes.len());
        let _ = SavedPlan::from_bytes(&bytes[..end]);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = SavedPlan::from_bytes(&bytes) {
            prop_assert_eq!(read, saved(), "what is damaged and read all the same says what it said");
        }
    }

    #[test]
    fn the_plan_in_a_file_may_be_any_text(any in "\\PC{0,80}", text in mutated(document())) {
        let _ = archive::document(&any);
        if let Ok(document) = archive::document(&text) {
            let text = serde_json::to_string(&document).unwrap();
            prop_assert_eq!(archive::document(&text), Ok(document.clone()));
            // Whoever wrote it, nothing is done but what it shows.
            from_nothing(|plan, basis| {
                for done in remaining(&document.plan, plan, basis).iter().flat_map(Plan::pending) {
                    let shown = document.plan.get(&done.address).expect("what is done is shown");
                    assert_eq!((shown.action, tree(&shown.after)), (done.action, tree(&done.after)), "{}", done.address);
                }
            });
        }
    }
}
