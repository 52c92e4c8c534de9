//! A spec of several files and of values from the command line.

use std::path::{Path, PathBuf};

use insta::assert_snapshot;

use super::{SPEC, shown, typed};
use crate::desired::{Spec, read_merged};
use crate::graph::Address;
use crate::kinds::function::Function;
use crate::spec::{Assignment, InvalidSpec, NoAssignment};

/// [`SPEC`] with another file laid over it, and values in place of theirs.
fn merged(over: &str, values: &[&str]) -> Result<Spec, InvalidSpec> {
    let values: Vec<Assignment> = values.iter().map(|value| value.parse().unwrap()).collect();
    let files = [(Path::new("base/spec.toml"), SPEC), (Path::new("prod/over.toml"), over)];
    read_merged(&files[..if over.is_empty() { 1 } else { 2 }], &values)
}

#[track_caller]
fn right(over: &str, values: &[&str]) -> Spec {
    merged(over, values).unwrap_or_else(|error| panic!("{}", shown(&error)))
}

#[track_caller]
fn wrong(over: &str, values: &[&str]) -> String {
    shown(&merged(over, values).expect_err("something is wrong with this spec"))
}

fn function(spec: &Spec) -> Function {
    typed(&spec.graph("123456789012", &Default::default()), "us-east-1/function.pay")
}

#[test]
fn tables_are_merged_and_the_later_value_wins() {
    let spec = right("[system]\nsuffix = \"p1\"\n[function.pay]\nmemory = 512\nuses.table.payments = \"read\"\n", &[]);
    assert_eq!((spec.system.name.as_str(), spec.system.suffix.as_str()), ("payment-dr", "p1"));
    let function = function(&spec);
    assert_eq!((function.memory, function.environment["TABLE_PAYMENTS"].as_str()), (512, "payments-p1"));
}

#[test]
fn a_list_takes_the_place_of_a_list() {
    let over = "[guard]\nprotect = [\"table\", \"bucket\"]\n";
    assert_eq!(right(over, &["guard.protect=[\"zone\"]"]).guard.protect, ["zone".to_owned()].into());
}

#[test]
fn values_come_last_and_the_later_of_two_wins() {
    let over = "[system]\nsuffix = \"p1\"\n";
    assert_eq!(right(over, &["system.suffix=p2", "system.suffix=p3"]).system.suffix.as_str(), "p3");
}

#[test]
fn a_value_is_toml_or_else_a_text() {
    let said = |value: &str| right("", &[value]);
    assert_eq!(function(&said("function.pay.memory=512")).memory, 512);
    assert_eq!(said("system.suffix=prod-002").system.suffix.as_str(), "prod-002");
    assert_eq!(said("system.suffix = \"2024\"").system.suffix.as_str(), "2024");
    assert_eq!(said("system.suffix= 001 ").system.suffix.as_str(), "001");
    assert_eq!(said("system.tags.\"a=b\"=c=d").system.tags["a=b"], "c=d");
    assert_eq!(said("system.tags={ team = \"a\" }").system.tags["team"], "a");
    assert_eq!(said("system.tags.none=").system.tags["none"], "");
    assert!(said("function.pay.url={ auth = \"none\" }").functions["pay"].has_url());
}

#[test]
fn what_assigns_nothing_is_refused() {
    for text in ["", "system.suffix", "=x", " =x", "a b=x", ".suffix=x", "a..b=x", "#=x", "\"a=x"] {
        assert_eq!(text.parse::<Assignment>(), Err(NoAssignment), "{text}");
    }
}

#[test]
fn a_relative_path_counts_from_the_file_that_says_it() {
    let path = |over: &str, values: &[&str]| {
        let spec = right(over, values);
        spec.path(&spec.functions["pay"].source)
    };
    assert_eq!(path("[function.pay]\nmemory = 512\n", &[]), PathBuf::from("base/pay"));
    assert_eq!(path("[function.pay]\nsource = \"../pay\"\n", &[]), PathBuf::from("prod/../pay"));
    assert_eq!(
        path("[function.pay]\nsource = \"../pay\"\n", &["function.pay.source=zips/pay.zip"]),
        Path::new("./zips/pay.zip")
    );
    assert_eq!(path("", &["function.pay.source=/pay.zip"]), Path::new("/pay.zip"));
    assert_eq!(right("[system]\nsuffix = \"p1\"\n", &["system.suffix=p2"]).folder(), Path::new("base"));
}

#[test]
fn a_resource_comes_from_the_file_that_has_its_table() {
    let spec = right("[function.pay]\nmemory = 512\n\n[table.ledger]\nkey = \"id\"\n", &["table.other.key=id"]);
    let graph = spec.graph("123456789012", &Default::default());
    let origin = |kind: &str, name: &str| graph.get(&Address::global(kind, name)).unwrap().origin.to_string();
    assert_eq!(origin("role", "pay-us-east-1"), "base/spec.toml:15");
    assert_eq!(origin("table", "ledger"), "prod/over.toml:4");
    assert_eq!(origin("table", "other"), "--set:1");
}

#[test]
fn every_problem_is_told_where_it_was_said() {
    let over = "[system]\nname = \"A\"\n\n[function.pay]\nmemroy = 512\nuses.table.paymets = \"read\"\n";
    assert_snapshot!(wrong(over, &["region.primary=us-east1", "function.pay.timout=5s", "system.environment=7"]), @r#"
    × base/spec.toml + prod/over.toml + --set has 6 problems

    Error: drctl::spec::value

      × `name` in `[system]`: `A` is no name: names have lower-case letters, digits and single hyphens
       ╭─[prod/over.toml:2:8]
     1 │ [system]
     2 │ name = "A"
       ·        ─┬─
       ·         ╰── here
     3 │
       ╰────
      help: write `a`

    Error: drctl::spec::unknown_key

      × `[function.pay]` has no key `memroy`
       ╭─[prod/over.toml:5:1]
     4 │ [function.pay]
     5 │ memroy = 512
       · ───┬──
       ·    ╰── unknown key
     6 │ uses.table.paymets = "read"
       ╰────
      help: did you mean `memory`?

    Error: drctl::spec::unknown_name

      × there is no table named `paymets`
       ╭─[prod/over.toml:6:12]
     5 │ memroy = 512
     6 │ uses.table.paymets = "read"
       ·            ───┬───
       ·               ╰── named here
       ╰────
      help: did you mean `payments`?

    Error: drctl::spec::value

      × `primary` in `[region]`: `us-east1` is no AWS region
       ╭─[--set:1:16]
     1 │ region.primary=us-east1
       ·                ────┬───
       ·                    ╰── here
       ╰────
      help: did you mean "us-east-1"?

    Error: drctl::spec::unknown_key

      × `[function.pay]` has no key `timout`
       ╭─[--set:1:14]
     1 │ function.pay.timout=5s
       ·              ───┬──
       ·                 ╰── unknown key
       ╰────
      help: did you mean `timeout`?

    Error: drctl::spec::value

      × `environment` in `[system]`: expected a string, found an integer
       ╭─[--set:1:20]
     1 │ system.environment=7
       ·                    ┬
       ·                    ╰── here
       ╰────
      help: write it in quotes: "…"; in a shell: --set 'system.environment="7"'
    "#);
}

#[test]
fn a_table_and_a_value_are_never_merged() {
    assert_snapshot!(wrong("function = \"pay\"\n", &["system=x"]), @r#"
    × base/spec.toml + prod/over.toml + --set has 2 problems

    Error: drctl::spec::type

      × `function` is a string, not a table
       ╭─[prod/over.toml:1:12]
     1 │ function = "pay"
       ·            ──┬──
       ·              ╰── here
       ╰────
      help: write `[function.NAME]`

    Error: drctl::spec::type

      × `system` is a string, not a table
       ╭─[--set:1:8]
     1 │ system=x
       ·        ┬
       ·        ╰── here
       ╰────
      help: write it as a table: `[system]`
    "#);
    assert_snapshot!(wrong("", &["schema.version=1"]), @"
    × base/spec.toml + --set has 1 problem

    Error: drctl::spec::value

      × `schema` in the spec: expected an integer, found a table
       ╭─[--set:1:1]
     1 │ schema.version=1
       · ───┬──
       ·    ╰── here
       ╰────
      help: write a whole number without quotes, such as 100
    ");
}

#[test]
fn what_is_not_toml_is_told_of_every_file() {
    let files = [(Path::new("a.toml"), "schema = \n"), (Path::new("b.toml"), "[region\n")];
    assert_snapshot!(shown(&read_merged(&files, &[]).unwrap_err()), @"
    × a.toml + b.toml has 2 problems

    Error: drctl::spec::syntax

      × string values must be quoted, expected literal string
       ╭─[a.toml:1:10]
     1 │ schema =
       ·          ▲
       ·          ╰── here
       ╰────
      help: this is not TOML; see https://toml.io

    Error: drctl::spec::syntax

      × unclosed table, expected `]`
       ╭─[b.toml:1:8]
     1 │ [region
       ·        ▲
       ·        ╰── here
       ╰────
      help: this is not TOML; see https://toml.io
    ");
}
