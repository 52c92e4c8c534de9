//! What a spec means, and what is said about one that is wrong.

mod alert;
mod bucket;
mod dns;
mod secret;

use std::collections::BTreeSet;
use std::path::Path;

use insta::assert_snapshot;
use miette::{GraphicalReportHandler, GraphicalTheme};

use super::{LoadError, Spec, load, read};
use crate::graph::{Address, Graph, Input, Region};
use crate::kinds::function::Function;
use crate::kinds::function_url::FunctionUrl;
use crate::kinds::log_group::LogGroup;
use crate::kinds::role::Role;
use crate::kinds::table::Table;
use crate::kinds::table_replica::TableReplica;

const SPEC: &str = r#"schema = 1

[system]
name = "payment-dr"
environment = "test"
suffix = "t1"

[region]
primary = "us-east-1"
secondary = "us-west-2"

[table.payments]
key = "id"

[function.pay]
source = "pay"
"#;

const PRODUCTION: &str = include_str!("../../specs/production.toml");
const MINIMAL: &str = include_str!("../../specs/minimal.toml");

/// What the user sees of a spec that is wrong.
#[track_caller]
fn problems(text: &str) -> String {
    let Err(error) = read(Path::new("spec.toml"), text) else { panic!("nothing is wrong with this spec:\n{text}") };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut out = String::new();
    handler.render_report(&mut out, &error).expect("a string takes everything");
    out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// The problems of [`SPEC`] with one part of it written differently.
#[track_caller]
fn with(part: &str, other: &str) -> String {
    assert!(SPEC.contains(part), "{part} is part of the spec");
    problems(&SPEC.replace(part, other))
}

#[track_caller]
fn spec(text: &str) -> Spec {
    read(Path::new("spec.toml"), text).unwrap_or_else(|error| panic!("{error:?}"))
}

fn graph(text: &str) -> Graph {
    spec(text).graph("123456789012", &Default::default())
}

fn addresses(text: &str) -> Vec<String> {
    graph(text).iter().map(|(address, _)| address.to_string()).collect()
}

#[track_caller]
fn typed<T: crate::graph::Resource>(graph: &Graph, address: &str) -> T {
    let node = graph.get(&address.parse().unwrap()).unwrap_or_else(|| panic!("{address} is not emitted"));
    node.properties.typed().unwrap()
}

fn swapped(text: &str) -> String {
    text.replace("us-east-1", "(primary)").replace("us-west-2", "us-east-1").replace("(primary)", "us-west-2")
}

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
fn a_number_out_of_range_is_told_with_the_range() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nmemory = 64\nreserved-concurrency = -1"), @r#"
    × spec.toml has 2 problems

    Error: drctl::spec::range

      × `memory` is 64, outside of what AWS takes
        ╭─[spec.toml:17:10]
     16 │ source = "pay"
     17 │ memory = 64
        ·          ─┬
        ·           ╰── here
     18 │ reserved-concurrency = -1
        ╰────
      help: write a number from 128 to 10240 (megabytes)

    Error: drctl::spec::range

      × `reserved-concurrency` is -1, outside of what AWS takes
        ╭─[spec.toml:18:24]
     17 │ memory = 64
     18 │ reserved-concurrency = -1
        ·                        ─┬
        ·                         ╰── here
        ╰────
      help: write a number from 0 to 100000; leave it out to share the account's concurrency
    "#);
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
fn a_region_that_does_not_exist_comes_with_the_nearest() {
    assert_snapshot!(with("us-east-1", "us-east1"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `primary` in `[region]`: `us-east1` is no AWS region
        ╭─[spec.toml:9:11]
      8 │ [region]
      9 │ primary = "us-east1"
        ·           ─────┬────
        ·                ╰── here
     10 │ secondary = "us-west-2"
        ╰────
      help: did you mean "us-east-1"?
    "#);
}

#[test]
fn a_place_that_is_no_region_at_all_comes_with_an_example() {
    assert_snapshot!(with("us-east-1", "frankfurt"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `primary` in `[region]`: `frankfurt` is no AWS region
        ╭─[spec.toml:9:11]
      8 │ [region]
      9 │ primary = "frankfurt"
        ·           ─────┬─────
        ·                ╰── here
     10 │ secondary = "us-west-2"
        ╰────
      help: write an AWS region, such as "us-east-1"
    "#);
}

#[test]
fn one_region_twice_is_no_disaster_recovery() {
    assert_snapshot!(with("us-west-2", "us-east-1"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::region

      × primary and secondary are both us-east-1
        ╭─[spec.toml:10:13]
      9 │ primary = "us-east-1"
     10 │ secondary = "us-east-1"
        ·             ─────┬─────
        ·                  ╰── here
     11 │
        ╰────
      help: name two regions: the system has to survive the loss of one
    "#);
}

#[test]
fn a_reference_to_nothing_comes_with_what_there_is() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nuses = { table.paymets = \"write\" }"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::unknown_name

      × there is no table named `paymets`
        ╭─[spec.toml:17:16]
     16 │ source = "pay"
     17 │ uses = { table.paymets = "write" }
        ·                ───┬───
        ·                   ╰── named here
        ╰────
      help: did you mean `payments`?
    "#);
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nuses = { table.ledger = \"read\" }"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::unknown_name

      × there is no table named `ledger`
        ╭─[spec.toml:17:16]
     16 │ source = "pay"
     17 │ uses = { table.ledger = "read" }
        ·                ───┬──
        ·                   ╰── named here
        ╰────
      help: use one of: payments; or add a `[table.ledger]` table
    "#);
}

#[test]
fn a_table_with_problems_is_there_all_the_same_for_those_who_use_it() {
    let spec = SPEC.replace("key = \"id\"", "").replace("\"pay\"", "\"pay\"\nuses = { table.payments = \"read\" }");
    assert!(problems(&spec).starts_with("× spec.toml has 1 problem\n"));
}

#[test]
fn an_access_that_there_is_not_comes_with_those_there_are() {
    assert_snapshot!(
        with("source = \"pay\"", "source = \"pay\"\nuses = { table.payments = \"admin\", function.pay = \"write\" }"),
        @r#"
    × spec.toml has 2 problems

    Error: drctl::spec::value

      × `function.pay.uses.table.payments` says no access that there is
        ╭─[spec.toml:17:27]
     16 │ source = "pay"
     17 │ uses = { table.payments = "admin", function.pay = "write" }
        ·                           ───┬───
        ·                              ╰── here
        ╰────
      help: write "read" or "write"

    Error: drctl::spec::value

      × `function.pay.uses.function.pay` says no access that there is
        ╭─[spec.toml:17:51]
     16 │ source = "pay"
     17 │ uses = { table.payments = "admin", function.pay = "write" }
        ·                                                   ───┬───
        ·                                                      ╰── here
        ╰────
      help: write "read"
    "#
    );
}

#[test]
fn a_use_of_an_unknown_kind_is_told() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nuses = { tables.payments = \"read\" }"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::unknown_key

      × `[function.pay.uses]` has no key `tables`
        ╭─[spec.toml:17:10]
     16 │ source = "pay"
     17 │ uses = { tables.payments = "read" }
        ·          ───┬──
        ·             ╰── unknown key
        ╰────
      help: did you mean `table`?
    "#);
}

#[test]
fn a_duration_needs_its_unit() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\ntimeout = 10"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `timeout` in `[function.pay]`: expected a duration, found an integer
        ╭─[spec.toml:17:11]
     16 │ source = "pay"
     17 │ timeout = 10
        ·           ─┬
        ·            ╰── here
        ╰────
      help: write it with its unit, in quotes: "10s", "5m", "2h" or "30d"
    "#);
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\ntimeout = \"10 seconds\""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `timeout` in `[function.pay]`: `10 seconds` is no duration
        ╭─[spec.toml:17:11]
     16 │ source = "pay"
     17 │ timeout = "10 seconds"
        ·           ──────┬─────
        ·                 ╰── here
        ╰────
      help: write a whole number and s, m, h or d: "10s", "5m", "2h", "30d"
    "#);
}

#[test]
fn a_timeout_has_the_bounds_of_lambda() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\ntimeout = \"16m\""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::range

      × `timeout` is 960 s, outside of what AWS takes
        ╭─[spec.toml:17:11]
     16 │ source = "pay"
     17 │ timeout = "16m"
        ·           ──┬──
        ·             ╰── here
        ╰────
      help: write "1s" to "15m"
    "#);
}

#[test]
fn a_retention_that_cloudwatch_does_not_take_comes_with_the_next_longer_one() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nlog-retention = \"31d\""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `log-retention` in `[function.pay]`: CloudWatch Logs does not keep logs for 31 days
        ╭─[spec.toml:17:17]
     16 │ source = "pay"
     17 │ log-retention = "31d"
        ·                 ──┬──
        ·                   ╰── here
        ╰────
      help: write "60d", the next longer one
    "#);
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nlog-retention = \"4000d\""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `log-retention` in `[function.pay]`: CloudWatch Logs does not keep logs for 4000 days
        ╭─[spec.toml:17:17]
     16 │ source = "pay"
     17 │ log-retention = "4000d"
        ·                 ───┬───
        ·                    ╰── here
        ╰────
      help: write "never"
    "#);
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nlog-retention = \"36h\""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `log-retention` in `[function.pay]`: this is not a whole number of days
        ╭─[spec.toml:17:17]
     16 │ source = "pay"
     17 │ log-retention = "36h"
        ·                 ──┬──
        ·                   ╰── here
        ╰────
      help: write whole days, such as "30d"
    "#);
}

#[test]
fn a_word_that_is_no_choice_comes_with_the_choices() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nurl = { auth = \"public\" }\ntracing = \"on\""), @r#"
    × spec.toml has 2 problems

    Error: drctl::spec::value

      × `auth` is "public", which is none of its values
        ╭─[spec.toml:17:16]
     16 │ source = "pay"
     17 │ url = { auth = "public" }
        ·                ────┬───
        ·                    ╰── here
     18 │ tracing = "on"
        ╰────
      help: write "none" or "iam"

    Error: drctl::spec::value

      × `tracing` is "on", which is none of its values
        ╭─[spec.toml:18:11]
     17 │ url = { auth = "public" }
     18 │ tracing = "on"
        ·           ──┬─
        ·             ╰── here
        ╰────
      help: write "pass-through" or "active"
    "#);
}

#[test]
fn a_url_has_to_say_who_may_call_it() {
    assert_snapshot!(with("source = \"pay\"", "source = \"pay\"\nurl = {}"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::missing

      × `url` says no `auth`
        ╭─[spec.toml:17:1]
     16 │ source = "pay"
     17 │ url = {}
        · ─┬─
        ·  ╰── here
        ╰────
      help: write `url = { auth = "none" }` for a public endpoint, or `"iam"`
    "#);
}

#[test]
fn every_url_that_does_not_say_who_may_call_it_is_told() {
    let functions = "source = \"pay\"\nurl = {}\n[function.check]\nsource = \"check\"\nurl = {}";
    assert_eq!(with("source = \"pay\"", functions).matches("says no `auth`").count(), 2);
}

#[test]
fn tags_have_the_bounds_of_aws() {
    let long = "x".repeat(257);
    let tags =
        format!("suffix = \"t1\"\ntags = {{ \"aws:team\" = \"a\", \"drctl:x\" = \"b\", cost = 1, long = \"{long}\" }}");
    let shown = with("suffix = \"t1\"", &tags).replace(&long, "(long)");
    let said: Vec<_> = shown.lines().filter(|line| line.contains(" × ") || line.contains("help:")).collect();
    assert_snapshot!(said.join("\n"), @r#"
    × the tag key `aws:team` is reserved
    help: use a key that begins with neither `aws:` nor `drctl:`
    × the tag key `drctl:x` is reserved
    help: use a key that begins with neither `aws:` nor `drctl:`
    × expected a string, found an integer
    help: write it in quotes: "…"
    × a tag value has at most 256 characters
    help: write a shorter value
    "#);
}

#[test]
fn more_tags_than_aws_takes_are_told() {
    let tags: Vec<_> = (0..47).map(|n| format!("t{n} = \"\"")).collect();
    let spec = SPEC.replace("[region]", &format!("[system.tags]\n{}\n[region]", tags.join("\n")));
    assert_snapshot!(problems(&spec), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::tag

      × 47 tags are more than AWS takes beside drctl's own
       ╭─[spec.toml:3:2]
     2 │
     3 │ [system]
       ·  ───┬──
       ·     ╰── here
     4 │ name = "payment-dr"
       ╰────
      help: keep at most 46
    "#);
}

#[test]
fn an_account_has_twelve_digits() {
    assert_snapshot!(with("suffix = \"t1\"", "suffix = \"t1\"\naccount = \"1234\""), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::account

      × `1234` is no AWS account
       ╭─[spec.toml:7:11]
     6 │ suffix = "t1"
     7 │ account = "1234"
       ·           ───┬──
       ·              ╰── here
     8 │
       ╰────
      help: write the twelve digits in quotes, such as "123456789012"
    "#);
    assert_snapshot!(with("suffix = \"t1\"", "suffix = \"t1\"\naccount = 123456789012"), @r#"
    × spec.toml has 1 problem

    Error: drctl::spec::value

      × `account` in `[system]`: expected a string, found an integer
       ╭─[spec.toml:7:11]
     6 │ suffix = "t1"
     7 │ account = 123456789012
       ·           ──────┬─────
       ·                 ╰── here
     8 │
       ╰────
      help: write it in quotes: "…"
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
fn the_longest_names_that_aws_takes_are_accepted() {
    // `pay-ap-northeast-1-SUFFIX` is a role's name, and IAM takes 64 characters.
    let longest = |suffix: usize| {
        SPEC.replace("us-west-2", "ap-northeast-1").replace("\"t1\"", &format!("\"{}\"", "s".repeat(suffix)))
    };
    let role = typed::<Role>(&graph(&longest(45)), "global/role.pay-ap-northeast-1");
    assert_eq!(role.name.len(), 64);
    assert!(problems(&longest(46)).contains("65 characters"));
}

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
    assert!(guard("\"house\"").contains("help: write one of: role, "));
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

#[test]
fn a_table_is_a_group_with_a_member_in_each_region() {
    let graph = graph(PRODUCTION);
    let table = typed::<Table>(&graph, "global/table.payment-transactions");
    assert_eq!(table.name, "payment-transactions-prod-001");
    assert_eq!(table.regions, BTreeSet::from([Region::new("us-east-1"), Region::new("us-west-2")]));
    for region in ["us-east-1", "us-west-2"] {
        let member = typed::<TableReplica>(&graph, &format!("{region}/table_replica.payment-transactions"));
        assert!(member.point_in_time_recovery && member.deletion_protection);
        assert_eq!(member.tags, table.tags);
    }
    assert_eq!(table.tags["cost-center"], "payments");
    assert_eq!(table.tags["drctl:address"], "global/table.payment-transactions");
}

#[test]
fn a_table_is_protected_in_dynamodb_only_while_the_guard_names_it() {
    for (guard, protected) in [("", true), ("[guard]\nprotect = []", false), ("[guard]\nprotect = [\"table\"]", true)] {
        let graph = graph(&format!("{SPEC}{guard}"));
        let member = typed::<TableReplica>(&graph, "us-east-1/table_replica.payments");
        assert_eq!(member.deletion_protection, protected, "{guard}");
    }
}

#[test]
fn the_production_spec_emits_every_part_in_both_regions() {
    let all = addresses(PRODUCTION);
    let in_one = |region: &str| {
        let ours = all.iter().filter_map(|address| address.strip_prefix(region));
        ours.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let parts = in_one("us-east-1/");
    assert_eq!(parts, in_one("us-west-2/"));
    for part in ["function.payment-processor", "function_url.health-check", "table_replica.payment-transactions"] {
        assert!(parts.contains(part), "{part}");
    }
}

#[test]
fn the_minimal_spec_emits_the_least() {
    assert_snapshot!(addresses(MINIMAL).join("\n"), @"
    global/role.payment-processor-us-east-1
    global/role.payment-processor-us-west-2
    global/table.payment-transactions
    us-east-1/function.payment-processor
    us-east-1/function_url.payment-processor
    us-east-1/log_group.payment-processor
    us-east-1/table_replica.payment-transactions
    us-west-2/function.payment-processor
    us-west-2/function_url.payment-processor
    us-west-2/log_group.payment-processor
    us-west-2/table_replica.payment-transactions
    ");
}

#[test]
fn what_is_not_said_has_its_default() {
    let graph = graph(MINIMAL);
    let function = typed::<Function>(&graph, "us-east-1/function.payment-processor");
    assert_eq!((function.memory, function.timeout, function.reserved_concurrency), (256, 10, None));
    assert_eq!((function.architecture.as_str(), function.tracing.as_str()), ("x86_64", "PassThrough"));
    assert_eq!(typed::<LogGroup>(&graph, "us-east-1/log_group.payment-processor").retention_days, Some(30));
}

#[test]
fn logs_can_be_kept_for_ever() {
    let graph = graph(&SPEC.replace("source = \"pay\"", "source = \"pay\"\nlog-retention = \"never\""));
    assert_eq!(typed::<LogGroup>(&graph, "us-east-1/log_group.pay").retention_days, None);
}

#[test]
fn a_function_takes_its_role_from_its_own_region() {
    let graph = graph(PRODUCTION);
    for region in ["us-east-1", "us-west-2"] {
        let function = typed::<Function>(&graph, &format!("{region}/function.health-check"));
        let Input::From(role) = function.role else { panic!("the role is a reference") };
        assert_eq!(role.to_string(), format!("global/role.health-check-{region}.arn"));
        assert_eq!(function.environment["TABLE_PAYMENT_TRANSACTIONS"], "payment-transactions-prod-001");
        assert_eq!(function.environment["FUNCTION_PAYMENT_PROCESSOR"], "payment-processor-prod-001");
    }
}

#[test]
fn exchanging_the_regions_changes_no_address_and_only_a_tables_home_and_weights() {
    let (graph, other) = (graph(PRODUCTION), graph(&swapped(PRODUCTION)));
    for ((address, node), (same, there)) in graph.iter().zip(other.iter()) {
        assert_eq!(address, same);
        let follows = if address.kind == "record" { "sets" } else { "home" };
        assert_eq!(node.properties.without(&[follows]), there.properties.without(&[follows]), "{address}");
    }
    assert_eq!(graph.iter().count(), other.iter().count());
}

#[test]
fn every_policy_names_its_own_region_and_nothing_at_large() {
    for text in [PRODUCTION, MINIMAL] {
        let graph = graph(text);
        // What S3 copies with is of both regions.
        let of_one_region = |address: &Address| address.kind == "role" && !address.name.ends_with("-replication");
        for (address, node) in graph.iter().filter(|(address, _)| of_one_region(address)) {
            let role: Role = node.properties.typed().unwrap();
            let (own, other) = if address.name.ends_with("us-east-1") {
                ("us-east-1", "us-west-2")
            } else {
                ("us-west-2", "us-east-1")
            };
            let trust = role.trust.to_text();
            assert!(trust.contains(own) && !trust.contains(other), "{trust}");
            for statement in role.policies[Role::POLICY].statements() {
                for resource in statement["Resource"].as_array().unwrap() {
                    let resource = resource.as_str().unwrap();
                    let (in_region, bucket) =
                        (format!(":{own}:123456789012:"), format!("arn:aws:s3:::transaction-logs-{own}"));
                    assert!(resource.contains(&in_region) || resource.starts_with(&bucket), "{address}: {resource}");
                    assert!(!resource.contains(other), "{address}: {resource}");
                }
                for action in statement["Action"].as_array().unwrap() {
                    assert!(!action.as_str().unwrap().contains('*'), "{address}: {action}");
                }
            }
        }
    }
}

#[test]
fn only_tracing_needs_every_resource() {
    let traced = SPEC.replace("source = \"pay\"", "source = \"pay\"\ntracing = \"active\"");
    let role = typed::<Role>(&graph(&traced), "global/role.pay-us-east-1");
    let at_large = |statement: &&serde_json::Value| statement["Resource"] == serde_json::json!(["*"]);
    let statements: Vec<_> = role.policies[Role::POLICY].statements().iter().filter(at_large).collect();
    assert_eq!(statements.len(), 1);
    assert_eq!(statements[0]["Action"], serde_json::json!(["xray:PutTelemetryRecords", "xray:PutTraceSegments"]));
}

#[test]
fn a_function_may_do_what_its_uses_say_and_no_more() {
    let uses =
        "\"pay\"\n[function.check]\nsource = \"check\"\nuses = { table.payments = \"read\", function.pay = \"read\" }";
    let role = typed::<Role>(&graph(&SPEC.replace("\"pay\"", uses)), "global/role.check-us-west-2");
    let text = serde_json::to_string_pretty(&role.policies[Role::POLICY]).unwrap();
    assert_snapshot!(text, @r#"
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "FunctionPay",
          "Effect": "Allow",
          "Action": [
            "lambda:GetFunction"
          ],
          "Resource": [
            "arn:aws:lambda:us-west-2:123456789012:function:pay-t1"
          ]
        },
        {
          "Sid": "Logs",
          "Effect": "Allow",
          "Action": [
            "logs:CreateLogStream",
            "logs:PutLogEvents"
          ],
          "Resource": [
            "arn:aws:logs:us-west-2:123456789012:log-group:/aws/lambda/check-t1:*"
          ]
        },
        {
          "Sid": "TablePayments",
          "Effect": "Allow",
          "Action": [
            "dynamodb:GetItem"
          ],
          "Resource": [
            "arn:aws:dynamodb:us-west-2:123456789012:table/payments-t1"
          ]
        }
      ]
    }
    "#);
}

#[test]
fn a_public_url_has_both_permissions_and_an_iam_url_none() {
    let public = typed::<FunctionUrl>(&graph(PRODUCTION), "us-east-1/function_url.payment-processor");
    let sids: Vec<_> = public.permissions.keys().collect();
    assert_eq!(sids, ["drctl-url-InvokeFunction", "drctl-url-InvokeFunctionUrl"]);
    let iam = graph(&PRODUCTION.replacen("auth = \"none\"", "auth = \"iam\"", 1));
    let iam = typed::<FunctionUrl>(&iam, "us-east-1/function_url.payment-processor");
    assert_eq!((iam.auth.as_str(), iam.permissions.len()), ("AWS_IAM", 0));
}

#[test]
fn the_payment_and_the_health_function_are_found_by_what_they_use() {
    let production = spec(PRODUCTION);
    assert_eq!(production.payment_function(), Some("payment-processor"));
    assert_eq!(production.health_function(), Some("health-check"));
    let minimal = spec(MINIMAL);
    assert_eq!(minimal.payment_function(), Some("payment-processor"));
    assert_eq!(minimal.health_function(), None);
}

#[test]
fn a_resource_knows_its_line_in_the_spec() {
    let graph = graph(SPEC);
    let origin = |address: &str| graph.get(&address.parse().unwrap()).unwrap().origin.to_string();
    assert_eq!(origin("us-west-2/table_replica.payments"), "spec.toml:12");
    assert_eq!(origin("us-west-2/function.pay"), "spec.toml:15");
}

#[test]
fn a_resource_needs_only_kinds_above_its_own() {
    let rank = |kind: &str| crate::kinds::REGISTRY.iter().position(|known| known.meta.kind == kind).unwrap();
    let graph = graph(PRODUCTION);
    for (address, _) in graph.iter() {
        for need in graph.needs(address) {
            assert!(graph.get(&need).is_some(), "{address} needs {need}, which is not there");
            assert!(rank(&need.kind) < rank(&address.kind), "{address} needs {need}");
        }
    }
}

#[test]
fn without_a_file_the_specs_there_are_are_named() {
    let Err(LoadError::NoneNamed(help)) = load(None) else { panic!("there are several specs in specs/") };
    assert!(help.contains("`-f specs/minimal.toml` or `-f specs/production.toml`"), "{help}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = load(Some(Path::new("specs/no-such.toml"))).unwrap_err();
    assert!(error.to_string().contains("specs/no-such.toml"), "{error}");
}
