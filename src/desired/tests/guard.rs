//! `[guard]`.

use std::collections::BTreeSet;

use insta::assert_snapshot;

use super::{SPEC, spec, with};

#[test]
fn a_guard_names_kinds_that_there_are() {
    let guard = |names: &str| with("[table.payments]", &format!("[guard]\nprotect = [{names}]\n[table.payments]"));
    assert_snapshot!(guard("\"tabel\", 1"), @r#"
    × spec.toml has 2 problems

    Error: drctl::spec::kind

      × there is no kind of resource `tabel`
        ╭─[spec.toml:13:12]
     12 │ [guard]
     13 │ protect = ["tabel", 1]
        ·            ───┬───
        ·               ╰── here
     14 │ [table.payments]
        ╰────
      help: did you mean "table"?

    Error: drctl::spec::value

      × `protect`: expected a string, found an integer
        ╭─[spec.toml:13:21]
     12 │ [guard]
     13 │ protect = ["tabel", 1]
        ·                     ┬
        ·                     ╰── here
     14 │ [table.payments]
        ╰────
      help: write it in quotes: "…"
    "#);
    assert!(guard("\"house\"").contains("help: write one of: key, role, "));
}

#[test]
fn without_a_guard_what_holds_data_is_protected() {
    let protected = spec(SPEC).guard.protect;
    assert!(
        protected.contains("table") && protected.contains("bucket") && !protected.contains("function"),
        "{protected:?}"
    );
    assert_eq!(spec(&format!("{SPEC}[guard]\nprotect = []")).guard.protect, BTreeSet::new());
}
