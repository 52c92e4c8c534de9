//! Plans in comments on pull requests.

use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::fuzz::cases;
use crate::graph::{Failure, FailureClass, Region, Site};
use crate::plan::{Observation, Sight, guard, plan};
use crate::run::fake::{System, with};
use crate::tests::{SPEC, at};

/// The comment on a change of the spec to `spec`, in the world where `before` was applied and then changed.
fn comment(before: &str, change: impl FnOnce(&mut Observation), spec: &str) -> String {
    let (mut observed, recorded) = System::new(before).applied();
    change(&mut observed);
    let system = System::new(spec);
    let plan = plan(&system.subject(&recorded).basis(&observed));
    let guard = crate::ops::guard(&system.spec, &observed);
    plan_markdown(&plan, &guard::check(&plan, &guard, &observed, &system.kinds))
}

fn set(observed: &mut Observation, address: &str, field: &str, value: serde_json::Value) {
    let Some(Sight::Live(live)) = observed.seen.get_mut(&at(address)) else { panic!("{address} is not there") };
    live.properties = with(&live.properties, field, value);
}

#[test]
fn a_comment_has_the_plan_and_unfolds_each_change() {
    let change = |observed: &mut Observation| {
        set(observed, "us-east-1/log_group.pay", "tags", json!({}));
        observed.seen.insert(at("us-west-2/log_group.pay"), Sight::Absent);
        let Some(Sight::Live(live)) = observed.seen.get_mut(&at("us-west-2/function.pay")) else { panic!() };
        live.attributes.insert("waiting".into(), "do something".into());
    };
    let spec = SPEC.replace("key = \"id\"", "key = \"number\"").replace("\"write\"", "\"read\"");
    assert_snapshot!(comment(SPEC, change, &spec), @r#"
    <!-- drctl plan: 123456789012/dr/t1 -->
    ### drctl plan: dr, suffix t1, account 123456789012

    **3 to create, 2 to update, 1 to replace, 0 to delete**

    `apply` will refuse:

    ```text
    replacing global/table.payments loses its data (key cannot be changed in place), and lifts the deletion protection of us-east-1/table_replica.payments, us-west-2/table_replica.payments; change the spec back, or add `--allow global/table.payments` if its data may be lost
    ```

    In the way:

    ```text
    ! us-east-1/log_group.pay  `/aws/lambda/pay-t1` exists already and carries none of drctl's marks
    ```

    Waiting:

    ```text
    us-west-2/function.pay waits for you: do something
    ```

    <details><summary><code>± global/table.payments</code> spec changed</summary>

    ```diff
      cannot be changed in place: key
    - key.partition: id
    + key.partition: number
    ```

    </details>

    <details><summary><code>~ global/role.pay-us-east-1</code> spec changed</summary>

    ```diff
      policies:
              "Effect": "Allow",
              "Action": [
    -           "dynamodb:PutItem"
    +           "dynamodb:GetItem"
              ],
              "Resource": [
    ```

    </details>

    <details><summary><code>~ global/role.pay-us-west-2</code> spec changed</summary>

    ```diff
      policies:
              "Effect": "Allow",
              "Action": [
    -           "dynamodb:PutItem"
    +           "dynamodb:GetItem"
              ],
              "Resource": [
    ```

    </details>

    <details><summary><code>+ us-east-1/table_replica.payments</code> a dependency changes</summary>

    ```diff
    + name: payments-t1
    + point_in_time_recovery: true
    + deletion_protection: true
    + tags: {drctl:address: global/table.payments, drctl:environment: test, drctl:suffix: t1, drctl:system: dr}
    ```

    </details>

    <details><summary><code>+ us-west-2/log_group.pay</code> drifted: changed outside drctl</summary>

    ```diff
    + name: /aws/lambda/pay-t1
    + retention_days: 30
    + tags: {drctl:address: us-west-2/log_group.pay, drctl:environment: test, drctl:suffix: t1, drctl:system: dr}
    ```

    </details>

    <details><summary><code>+ us-west-2/table_replica.payments</code> a dependency changes</summary>

    ```diff
    + name: payments-t1
    + point_in_time_recovery: true
    + deletion_protection: true
    + tags: {drctl:address: global/table.payments, drctl:environment: test, drctl:suffix: t1, drctl:system: dr}
    ```

    </details>
    "#);
}

#[test]
fn a_comment_on_nothing_says_so() {
    assert_snapshot!(comment(SPEC, |_| {}, SPEC), @"
    <!-- drctl plan: 123456789012/dr/t1 -->
    ### drctl plan: dr, suffix t1, account 123456789012

    **no changes: 11 resources live as the spec says**
    ");
}

#[test]
fn a_place_that_does_not_answer_is_told_beside_the_rest() {
    let dark = |observed: &mut Observation| {
        let west = Site::Region(Region::new("us-west-2"));
        let there = observed.seen.iter_mut().filter(|(address, _)| address.place.to_string() == "us-west-2");
        there.for_each(|(_, sight)| *sight = Sight::Dark(west.clone()));
        observed.dark.insert(west, Failure::new(FailureClass::Dark, "sts:GetCallerIdentity", "no answer"));
    };
    assert_snapshot!(comment(SPEC, dark, &SPEC.replace("10s", "20s")), @"
    <!-- drctl plan: 123456789012/dr/t1 -->
    ### drctl plan: dr, suffix t1, account 123456789012

    **0 to create, 1 to update, 0 to replace, 0 to delete, 4 left alone**

    Not to be seen:

    ```text
    ! us-west-2 does not answer (sts:GetCallerIdentity: no answer)
        us-west-2/function.pay            unknown
        us-west-2/function_url.pay        unknown
        us-west-2/log_group.pay           unknown
        us-west-2/table_replica.payments  unknown
    ```

    <details><summary><code>~ us-east-1/function.pay</code> spec changed</summary>

    ```diff
    - timeout: 10
    + timeout: 20
    ```

    </details>
    ");
}

/// The spec with this many functions more.
fn long(count: usize) -> String {
    let one = |number| format!("[function.f{number}]\nsource = \"x\"\nuses = {{ table.payments = \"write\" }}\n");
    SPEC.to_owned() + &(0..count).map(one).collect::<String>()
}

#[test]
fn a_comment_that_would_be_too_long_names_every_change_and_what_deletes_comes_first() {
    let before = format!("{SPEC}[function.old]\nsource = \"x\"\n");
    let comment = comment(&before, |_| {}, &long(60));
    assert!(comment.chars().count() <= LIMIT && comment.chars().count() > LIMIT - 2000, "{}", comment.len());
    let shown = comment.matches("<details>").count();
    assert_eq!(comment.matches("</details>").count(), shown);
    let all = 6 * 60 + 6;
    assert_eq!(comment.matches("<code>").count(), all);
    assert!(comment.find("<code>- us-west-2/function.old").unwrap() < comment.find("<code>+ ").unwrap());
    let last = format!(
        "\n\n**{} changes only named, because a comment takes no more: `drctl plan` shows all.**\n",
        all - shown
    );
    assert!(comment.ends_with(&last), "{}", &comment[comment.len() - 300..]);
}

#[test]
fn hundreds_of_removals_are_named_before_anything_is_made() {
    let tables = |count: usize, name: &str| -> String {
        (0..count).map(|number| format!("[function.{name}{number}]\nsource = \"x\"\n")).collect()
    };
    let removals = |count: usize, change: fn(&mut Observation)| {
        comment(&format!("{SPEC}{}", tables(count, "old")), change, &format!("{SPEC}{}", tables(3, "new")))
    };
    let some = removals(100, |_| {});
    assert!(some.chars().count() <= LIMIT, "{}", some.len());
    assert_eq!((some.matches("<code>- ").count(), some.matches("<code>+ ").count()), (600, 18));
    let (named, shown) = (some.matches("<p><code>- ").count(), some.matches("<summary><code>- ").count());
    assert!(shown > 0 && named + shown == 600, "{named} named, {shown} shown");
    assert!(
        some.contains(&format!("**{named} removals and 18 other changes only named, because")),
        "{}",
        &some[some.len() - 300..]
    );

    // So many that not even their names have room: still no creation takes the place of one.
    let many = removals(200, |_| {});
    let named = many.matches("<p><code>- ").count();
    assert!(many.chars().count() <= LIMIT && !many.contains("<details>"), "{}", many.len());
    let left_out = 1200 - named;
    let last = format!("**{named} removals only named, {left_out} removals and 18 other changes left out, because");
    assert!(many.contains(&last), "{}", &many[many.len() - 300..]);
}

#[test]
fn a_block_of_backticks_has_no_more_room_than_any_other() {
    let comment = comment(
        SPEC,
        |observed| {
            let Some(Sight::Live(live)) = observed.seen.get_mut(&at("us-west-2/function.pay")) else { panic!() };
            live.attributes.insert("waiting".into(), "`".repeat(70_000));
        },
        SPEC,
    );
    assert!(comment.chars().count() < BLOCK_LIMIT + 1000, "{}", comment.chars().count());
    outside(&comment);
}

/// What is not inside of a fence, as a renderer tells fences.
fn outside(comment: &str) -> String {
    let (mut fence, mut outside) = (None, String::new());
    for line in comment.lines() {
        let ticks = line.trim_start().chars().take_while(|c| *c == '`').count();
        let indent = line.len() - line.trim_start().len();
        match fence {
            Some(open) if indent < 4 && ticks >= open && line.trim().len() == ticks => fence = None,
            Some(_) => {}
            None if indent < 4 && ticks >= 3 => fence = Some(ticks),
            None => outside += &format!("{line}\n"),
        }
    }
    assert_eq!(fence, None, "a fence is never closed:\n{comment}");
    outside
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn nothing_that_aws_says_leaves_its_fence(
        text in prop_oneof!["[`~\n\r<>/a-z!@&\\[\\]()-]{0,40}", "\\PC{0,30}", ".{0,30}", Just("</details>\n```\n@all".to_owned())],
    ) {
        let with = |text: &str| {
            let text = text.to_owned();
            comment(SPEC, move |observed| {
                set(observed, "us-east-1/function.pay", "description", json!(text));
                set(observed, "us-east-1/function.pay", "environment", json!({ text.clone(): text.clone() }));
                set(observed, "us-west-2/log_group.pay", "tags", json!({ "drctl:system": text.clone() }));
                let Some(Sight::Live(live)) = observed.seen.get_mut(&at("us-west-2/function.pay")) else { panic!() };
                live.attributes.insert("waiting".into(), text.clone());
                let iam = Failure::new(FailureClass::Dark, &text, text.clone());
                observed.dark.insert(Site::Iam, iam);
            }, SPEC)
        };
        prop_assert_eq!(outside(&with(&text)), outside(&with("harmless")));
    }
}
