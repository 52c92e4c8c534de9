//! `[timeout]`.

use std::path::Path;
use std::time::Duration;

use insta::assert_snapshot;

use super::super::read;
use super::{SPEC, with};

fn timeout(keys: &str) -> String {
    with("[table.payments]", &format!("[timeout]\n{keys}\n[table.payments]"))
}

#[test]
fn time_outs_have_defaults_and_each_kind_may_have_its_own() {
    let section = |text: &str| read(Path::new("spec.toml"), text).unwrap().timeout;
    let default = section(SPEC);
    assert_eq!((default.observe, default.kinds.len()), (Duration::from_secs(20), 0));
    let text = SPEC.replace("[table.payments]", "[timeout]\nobserve = \"5s\"\ntable = \"1h\"\n[table.payments]");
    let told = section(&text);
    assert_eq!((told.observe, told.kinds["table"]), (Duration::from_secs(5), Duration::from_secs(3_600)));
}

#[test]
fn a_time_out_is_of_a_kind_that_there_is_and_ends() {
    assert_snapshot!(timeout("observe = \"1h\"\ntabel = \"1h\"\nfunction = \"0s\"\nsecret = 5"), @r#"
    × spec.toml has 4 problems

    Error: drctl::spec::range

      × `observe` is 3600 s, outside of what makes sense
        ╭─[spec.toml:13:11]
     12 │ [timeout]
     13 │ observe = "1h"
        ·           ──┬─
        ·             ╰── here
     14 │ tabel = "1h"
        ╰────
      help: write "1s" to "10m"

    Error: drctl::spec::unknown_key

      × `[timeout]` has no key `tabel`
        ╭─[spec.toml:14:1]
     13 │ observe = "1h"
     14 │ tabel = "1h"
        · ──┬──
        ·   ╰── unknown key
     15 │ function = "0s"
        ╰────
      help: did you mean `table`?

    Error: drctl::spec::range

      × `function` is 0 s, outside of what makes sense
        ╭─[spec.toml:15:12]
     14 │ tabel = "1h"
     15 │ function = "0s"
        ·            ──┬─
        ·              ╰── here
     16 │ secret = 5
        ╰────
      help: write "1s" to "1d"

    Error: drctl::spec::value

      × `secret` in `[timeout]`: expected a duration, found an integer
        ╭─[spec.toml:16:10]
     15 │ function = "0s"
     16 │ secret = 5
        ·          ┬
        ·          ╰── here
     17 │ [table.payments]
        ╰────
      help: write it with its unit, in quotes: "10s", "5m", "2h" or "30d"
    "#);
}
