//! What is said about a spec that cannot be read, whichever table is wrong.

use insta::assert_snapshot;

use super::{SPEC, problems, with};
use crate::desired::{LoadError, load};

#[test]
fn several_problems_are_told_at_once_in_the_order_of_the_file() {
    let spec = SPEC
        .replace("us-west-2", "us-wset-2")
        .replace("key = \"id\"", "kee = \"id\"")
        .replace("source = \"pay\"", "source = \"pay\"\nmemory = \"big\"\ntimeout = \"1h\"");
    assert_snapshot!(problems(&spec), @r#"
    × spec.toml has 5 problems

    Error: drctl::spec::value

      × `secondary` in `[region]`: `us-wset-2` is no AWS region
        ╭─[spec.toml:10:13]
      9 │ primary = "us-east-1"
     10 │ secondary = "us-wset-2"
        ·             ─────┬─────
        ·                  ╰── here
     11 │
        ╰────
      help: did you mean "us-west-2"?

    Error: drctl::spec::missing

      × `[table.payments]` has no `key`
        ╭─[spec.toml:12:8]
     11 │
     12 │ [table.payments]
        ·        ────┬───
        ·            ╰── this table
     13 │ kee = "id"
        ╰────
      help: add `key = "transactionId"`

    Error: drctl::spec::unknown_key

      × `[table.payments]` has no key `kee`
        ╭─[spec.toml:13:1]
     12 │ [table.payments]
     13 │ kee = "id"
        · ─┬─
        ·  ╰── unknown key
     14 │
        ╰────
      help: did you mean `key`?

    Error: drctl::spec::value

      × `memory` in `[function.pay]`: expected an integer, found a string
        ╭─[spec.toml:17:10]
     16 │ source = "pay"
     17 │ memory = "big"
        ·          ──┬──
        ·            ╰── here
     18 │ timeout = "1h"
        ╰────
      help: write a whole number without quotes, such as 100

    Error: drctl::spec::range

      × `timeout` is 3600 s, outside of what AWS takes
        ╭─[spec.toml:18:11]
     17 │ memory = "big"
     18 │ timeout = "1h"
        ·           ──┬─
        ·             ╰── here
        ╰────
      help: write "1s" to "15m"
    "#);
}

#[test]
fn what_is_wrong_with_names_and_regions_hides_nothing_else() {
    let wrong = [
        ("suffix = \"t1\"\n", ""),
        ("\"us-west-2\"", "\"us-wset-2\""),
        ("source = \"pay\"", "uses = { table.paymets = \"write\" }"),
    ];
    let spec = wrong.iter().fold(SPEC.to_owned(), |spec, (part, other)| spec.replace(part, other));
    let nothing = "[table.payments]\nkey = \"id\"\n[function.pay]\nsource = \"pay\"\nuses = { secret.keys = \"read\" }";
    let told = |text: &str| {
        let shown = problems(text);
        shown.lines().filter(|line| line.contains(" × ")).map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(told(&spec), @"
    × `[system]` has no `suffix`
    × `secondary` in `[region]`: `us-wset-2` is no AWS region
    × `[function.pay]` has no `source`
    × there is no table named `paymets`
    ");
    assert_snapshot!(told(nothing), @"
    × the spec has no `schema`
    × the spec has no table `[system]`
    × the spec has no table `[region]`
    × there is no secret named `keys`
    ");
}

#[test]
fn an_unknown_key_comes_with_the_one_that_was_meant() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\ntimout = \"5s\""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::unknown_key

      × `[function.pay]` has no key `timout`
        ╭─[spec.toml:17:1]
     16 │ source = "pay"
     17 │ timout = "5s"
        · ───┬──
        ·    ╰── unknown key
        ╰────
      help: did you mean `timeout`?
    "#);
}

#[test]
fn an_unknown_key_that_resembles_none_comes_with_all_there_are() {
    assert_snapshot!(with("primary", "colour = \"red\"\nprimary"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::unknown_key

      × `[region]` has no key `colour`
        ╭─[spec.toml:9:1]
      8 │ [region]
      9 │ colour = "red"
        · ───┬──
        ·    ╰── unknown key
     10 │ primary = "us-east-1"
        ╰────
      help: `[region]` takes: primary, secondary
    "#);
}

#[test]
fn an_unknown_table_is_told() {
    assert_snapshot!(with("[function.pay]", "[functoin.pay]"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::unknown_key

      × the spec has no key `functoin`
        ╭─[spec.toml:15:2]
     14 │
     15 │ [functoin.pay]
        ·  ────┬───
        ·      ╰── unknown key
     16 │ source = "pay"
        ╰────
      help: did you mean `function`?
    "#);
}

#[test]
fn missing_tables_are_told_together() {
    assert_snapshot!(problems("schema = 1"), @"
    × spec.toml has 2 problems

    Error: drctl::spec::missing

      × the spec has no table `[system]`
       ╭─[spec.toml:1:1]
     1 │ schema = 1
       · ▲
       · ╰── in this file
       ╰────
      help: add `[system]` with name, environment and suffix

    Error: drctl::spec::missing

      × the spec has no table `[region]`
       ╭─[spec.toml:1:1]
     1 │ schema = 1
       · ▲
       · ╰── in this file
       ╰────
      help: add `[region]` with primary and secondary
    ");
}

#[test]
fn an_empty_file_lacks_everything() {
    assert_snapshot!(problems(""), @"
    × spec.toml has 3 problems

    Error: drctl::spec::missing

      × the spec has no `schema`
       ╭─[spec.toml:1:1]
       ╰────
      help: add `schema = 1`

    Error: drctl::spec::missing

      × the spec has no table `[system]`
       ╭─[spec.toml:1:1]
       ╰────
      help: add `[system]` with name, environment and suffix

    Error: drctl::spec::missing

      × the spec has no table `[region]`
       ╭─[spec.toml:1:1]
       ╰────
      help: add `[region]` with primary and secondary
    ");
}

#[test]
fn a_missing_key_comes_with_an_example() {
    assert_snapshot!(with("suffix = \"t1\"\n", ""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::missing

      × `[system]` has no `suffix`
       ╭─[spec.toml:3:2]
     2 │
     3 │ [system]
       ·  ───┬──
       ·     ╰── this table
     4 │ name = "payment-dr"
       ╰────
      help: add `suffix = "prod-001"`
    "#);
}

#[test]
fn a_value_of_the_wrong_type_is_told_with_the_right_one() {
    assert_snapshot!(with("suffix = \"t1\"", "suffix = 1"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `suffix` in `[system]`: expected a string, found an integer
       ╭─[spec.toml:6:10]
     5 │ environment = "test"
     6 │ suffix = 1
       ·          ┬
       ·          ╰── here
     7 │
       ╰────
      help: write it in quotes: "…"
    "#);
}

#[test]
fn a_value_where_a_table_belongs_is_told() {
    assert_snapshot!(with("[function.pay]\nsource = \"pay\"", "[function]\npay = \"pay\""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::type

      × `function.pay` is a string, not a table
        ╭─[spec.toml:16:7]
     15 │ [function]
     16 │ pay = "pay"
        ·       ──┬──
        ·         ╰── here
        ╰────
      help: write it as a table: `[function.pay]`
    "#);
    assert_snapshot!(with("schema = 1", "schema = 1\nguard = true"), @"
    × spec.toml has 1 problem

    Error: drctl::spec::type

      × `guard` is a boolean, not a table
       ╭─[spec.toml:2:9]
     1 │ schema = 1
     2 │ guard = true
       ·         ──┬─
       ·           ╰── here
     3 │
       ╰────
      help: write it as a table: `[guard]`
    ");
}

#[test]
fn a_name_that_aws_would_not_take_comes_with_one_it_takes() {
    assert_snapshot!(with("[function.pay]", "[function.Pay_Now]"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::name

      × `Pay_Now` is no name: names have lower-case letters, digits and single hyphens
        ╭─[spec.toml:15:11]
     14 │
     15 │ [function.Pay_Now]
        ·           ───┬───
        ·              ╰── here
     16 │ source = "pay"
        ╰────
      help: write `pay-now`
    "#);
    assert_snapshot!(with("suffix = \"t1\"", "suffix = \"T1\""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `suffix` in `[system]`: `T1` is no name: names have lower-case letters, digits and single
      │ hyphens
       ╭─[spec.toml:6:10]
     5 │ environment = "test"
     6 │ suffix = "T1"
       ·          ──┬─
       ·            ╰── here
     7 │
       ╰────
      help: write `t1`
    "#);
}

#[test]
fn a_schema_of_the_future_is_told() {
    assert!(with("schema = 1", "schema = \"1\"").contains("`schema` in the spec: expected an integer"));
    assert_snapshot!(with("schema = 1", "schema = 2"), @"
    × spec.toml has 1 problem

    Error: drctl::spec::schema

      × this drctl does not know schema 2
       ╭─[spec.toml:1:10]
     1 │ schema = 2
       ·          ┬
       ·          ╰── here
     2 │
       ╰────
      help: write `schema = 1`, or use a newer drctl
    ");
}

#[test]
fn what_is_not_toml_is_told_with_its_place() {
    assert_snapshot!(with("suffix = \"t1\"", "suffix = t1"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::syntax

      × invalid boolean, expected `true`
       ╭─[spec.toml:6:10]
     5 │ environment = "test"
     6 │ suffix = t1
       ·          ─┬
       ·           ╰── here
     7 │
       ╰────
      help: this is not TOML; see https://toml.io
    "#);
    assert_snapshot!(with("[region]", "[region"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::syntax

      × unclosed table, expected `]`
       ╭─[spec.toml:8:8]
     7 │
     8 │ [region
       ·        ▲
       ·        ╰── here
     9 │ primary = "us-east-1"
       ╰────
      help: this is not TOML; see https://toml.io
    "#);
    assert_snapshot!(with("environment = \"test\"", "name = \"again\""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::syntax

      × duplicate key
       ╭─[spec.toml:5:1]
     4 │ name = "payment-dr"
     5 │ name = "again"
       · ──┬─
       ·   ╰── here
     6 │ suffix = "t1"
       ╰────
      help: this is not TOML; see https://toml.io
    "#);
}

#[test]
fn names_that_become_too_long_with_the_suffix_are_told() {
    let suffix = "s".repeat(51);
    assert_snapshot!(with("\"t1\"", &format!("\"{suffix}\"")), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::length

      × the function's role would be called `pay-us-west-2-
      │ sssssssssssssssssssssssssssssssssssssssssssssssssss`: 65 characters, and IAM takes 64
        ╭─[spec.toml:15:11]
     14 │
     15 │ [function.pay]
        ·           ─┬─
        ·            ╰── here
     16 │ source = "pay"
        ╰────
      help: choose a shorter name or suffix
    "#);
    let table = "t".repeat(253);
    let shown = with("[table.payments]", &format!("[table.{table}]\nttl = \"\"")).replace(&table, "(253 t)");
    let said: Vec<_> = shown.lines().filter(|line| line.contains(" × ") || line.contains("help:")).collect();
    assert_snapshot!(said.join("\n"), @"
    × the table would be called
    help: choose another name or suffix
    × `ttl` has 0 bytes
    help: an attribute's name has 1 to 255 bytes
    ");
}

#[test]
fn without_a_file_the_specs_there_are_are_named() {
    let Err(LoadError::NoneNamed(help)) = load(&[], &[]) else { panic!("there are several specs in specs/") };
    assert!(help.contains("`-f specs/minimal.toml` or `-f specs/production.toml`"), "{help}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = load(&["specs/no-such.toml".into()], &[]).unwrap_err();
    assert!(error.to_string().contains("specs/no-such.toml"), "{error}");
}
