//! A plan file may hold anything.

use proptest::prelude::*;
use proptest::sample::Index as Spot;

use super::tests::saved;
use super::{SavedPlan, archive};
use crate::fuzz::{cases, mutated};

/// `plan.json` of a plan that is right, once.
fn document() -> &'static str {
    static TEXT: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| serde_json::to_string_pretty(&saved().document).unwrap());
    &TEXT
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
            prop_assert_eq!(archive::document(&text), Ok(document));
        }
    }
}
