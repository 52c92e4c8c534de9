//! `[system]` and `[region]`.

use insta::assert_snapshot;

use super::{PRODUCTION, SPEC, graph, problems, swapped, with};

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
fn exchanging_the_regions_changes_no_address_and_only_a_tables_home_and_weights() {
    let (graph, other) = (graph(PRODUCTION), graph(&swapped(PRODUCTION)));
    for ((address, node), (same, there)) in graph.iter().zip(other.iter()) {
        assert_eq!(address, same);
        let follows = if address.kind == "record" { "sets" } else { "home" };
        assert_eq!(node.properties.without(&[follows]), there.properties.without(&[follows]), "{address}");
    }
    assert_eq!(graph.iter().count(), other.iter().count());
}
