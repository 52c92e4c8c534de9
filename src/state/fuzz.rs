//! Kept files may hold anything, and what was written is read back as it was.

use std::collections::BTreeSet;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

use super::overrides::Kept;
use super::{Index, Override, Record, overrides};
use crate::fuzz::{cases, mutated};
use crate::graph::{Address, Owner};

const INDEX: &str = r#"{
  "format_version": 1,
  "owner": { "system": "payment-dr", "environment": "test", "suffix": "t1" },
  "lineage": "5b3ed71c-0f5c-4a4e-9d0c-123456789abc",
  "serial": 7,
  "resources": {
    "global/role.pay": {
      "id": "pay-t1",
      "fingerprint": "00ff",
      "needs": [],
      "applied_at": "2026-11-24T12:00:00Z"
    },
    "us-east-1/function.pay": {
      "id": "pay-t1",
      "fingerprint": "ff00",
      "needs": ["global/role.pay"],
      "applied_at": "2026-11-24T12:00:01.5Z"
    }
  }
}"#;

const OVERRIDE: &str = r#"{
  "format_version": 1,
  "id": "failover-1",
  "operation": "failover",
  "by": "ops@laptop",
  "since": "2026-11-24T12:00:00Z",
  "why": "us-east-1 is down",
  "covers": { "global/record.api": { "sets.us-east-1-t1.weight": 0 } }
}"#;

const RELEASED: &str = r#"{
  "format_version": 1,
  "id": "failover-1",
  "released": "2026-11-24T12:00:00Z",
  "by": "ops@laptop"
}"#;

fn owner() -> Owner {
    Owner { system: "payment-dr".into(), environment: "test".into(), suffix: "t1".into() }
}

fn address() -> impl Strategy<Value = Address> {
    ("[a-z_]{1,9}", "[a-z0-9-]{1,9}").prop_map(|(kind, name)| Address::global(&kind, name))
}

fn timestamp() -> impl Strategy<Value = Timestamp> {
    (0..4_000_000_000_i64, 0..1_000_000_000).prop_map(|(seconds, nanos)| Timestamp::new(seconds, nanos).unwrap())
}

fn record() -> impl Strategy<Value = Record> {
    let needs = prop::collection::btree_set(address(), 0..3);
    let attributes = prop::collection::btree_map("[a-z]{1,8}", "\\PC{0,20}", 0..3);
    ("\\PC{0,20}", "[0-9a-f]{8}", needs, attributes, timestamp()).prop_map(
        |(id, fingerprint, needs, attributes, applied_at)| Record {
            id,
            fingerprint,
            needs: BTreeSet::from_iter(needs),
            attributes,
            applied_at,
            adopted: false,
            built: None,
        },
    )
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn an_index_may_be_any_text(any in "\\PC{0,80}", text in mutated(INDEX)) {
        let _ = Index::from_text(&any, &owner());
        if let Ok(index) = Index::from_text(&text, &owner()) {
            prop_assert_eq!(Index::from_text(&index.to_text(), &owner()), Ok(index));
        }
    }

    #[test]
    fn an_index_is_read_as_it_was_written(serial in 0..=super::LAST_SERIAL, resources in prop::collection::btree_map(address(), record(), 0..4)) {
        let index = Index { serial, resources, ..Index::empty(&owner(), "5b3e".into()) };
        prop_assert_eq!(Index::from_text(&index.to_text(), &owner()), Ok(index));
    }

    #[test]
    fn an_override_may_be_any_text(any in "\\PC{0,80}", text in mutated(OVERRIDE)) {
        let _ = Kept::from_text("failover-1", &any);
        if let Ok(Kept::Held(held)) = Kept::from_text("failover-1", &text) {
            prop_assert_eq!(Kept::from_text("failover-1", &held.to_text()), Ok(Kept::Held(held)));
        }
    }

    #[test]
    fn what_is_left_of_a_released_override_may_be_any_text(text in mutated(RELEASED)) {
        let _ = Kept::from_text("failover-1", &text);
        prop_assert_eq!(Kept::from_text("failover-1", RELEASED), Ok(Kept::Released));
        prop_assert_eq!(Kept::from_text("failover-1", &Kept::released("failover-1")), Ok(Kept::Released));
    }

    #[test]
    fn an_override_is_read_as_it_was_written(why in "\\PC{0,20}", since in timestamp(), at in address(), path in "\\PC{0,20}", weight: u8) {
        let id = overrides::new_id("failover");
        prop_assert!(overrides::is_id(&id));
        let covers = [(at, [(path, Value::from(weight))].into())].into();
        let held = Override { id: id.clone(), operation: "failover".into(), by: "ops".into(), since, why, covers };
        prop_assert_eq!(Kept::from_text(&id, &held.to_text()), Ok(Kept::Held(held)));
    }
}
