//! What others write in AWS is shown, and does nothing to who reads it.

use proptest::prelude::*;
use serde_json::json;

use super::set;
use crate::fuzz::cases;
use crate::graph::{Failure, FailureClass, Site};
use crate::plan::{
    Adoption, Conflict, Hindrance, Live, Moved, Observation, Sight, Stacks, Stale, adopt, drift, guard, plan,
};
use crate::render::{
    Style, adoption_text, drift_text, hindrance_next, hindrance_text, live_text, observation_text, plan_markdown,
    plan_text, stale_text,
};
use crate::run::fake::System;
use crate::tests::{SPEC, at};

fn live<'a>(observed: &'a mut Observation, address: &str) -> &'a mut Live {
    let Some(Sight::Live(live)) = observed.seen.get_mut(&at(address)) else { panic!("{address} is not there") };
    live
}

/// The spec's system, in which somebody has written `text` wherever one can.
fn written(text: &str) -> Observation {
    let (mut observed, _) = System::new(SPEC).applied();
    set(&mut observed, "us-east-1/function.pay", "description", json!(text));
    set(&mut observed, "us-east-1/function.pay", "environment", json!({ format!("X{text}"): text }));
    set(&mut observed, "global/role.pay-us-east-1", "policies", json!({ "mine": { "Sid": text } }));
    set(&mut observed, "us-west-2/log_group.pay", "tags", json!({ "drctl:system": text, "drctl:suffix": text }));
    set(&mut observed, "us-east-1/log_group.pay", "tags", json!({}));
    for address in ["us-east-1/log_group.pay", "us-west-2/function.pay"] {
        let live = live(&mut observed, address);
        live.id = format!("x{text}");
        live.attributes.insert("stack".into(), text.to_owned());
        live.attributes.insert("waiting".into(), text.to_owned());
    }
    observed.dark.insert(Site::Iam, failure(text));
    observed
}

fn failure(text: &str) -> Failure {
    let failure = Failure::new(FailureClass::Dark, text, format!("x{text}x"));
    Failure { code: text.to_owned(), request_id: Some(text.to_owned()), ..failure }
}

/// Everything that is shown of it to people.
fn shown(text: &str) -> Vec<String> {
    let observed = written(text);
    let system = System::new(SPEC);
    let (_, recorded) = system.applied();
    let basis = system.subject(&recorded).basis(&observed);
    let plan = plan(&basis);
    let guard = crate::ops::guard(&system.spec, &observed);
    let refusals = guard::check(&plan, &guard, &observed, &system.kinds);
    let asked = system.graph.iter().map(|(address, _)| address.clone()).collect();
    let adoption: Adoption = adopt(&basis, &asked, Stacks::Retained);
    let address = at("us-east-1/log_group.pay");
    let mut all = vec![
        plan_text(&plan, Style::PLAIN),
        plan_markdown(&plan, &refusals),
        drift_text(&drift(&basis), Style::PLAIN),
        adoption_text(&adoption, Style::PLAIN),
        observation_text(&observed, &plan.conflicts, Style::PLAIN),
        live_text(&address, observed.live(&address).unwrap(), Style::PLAIN),
        failure(text).to_string(),
    ];
    let told = |texts: Vec<String>| texts.into_iter().map(|text| text + "\n").collect::<String>();
    let theirs = || text.to_owned();
    let hindrances = [
        Hindrance::Anothers { system: theirs() },
        Hindrance::Stack { name: theirs() },
        Hindrance::Several { ids: vec![theirs(), theirs()] },
    ];
    let hindrances = hindrances.iter().map(|what| hindrance_text(&address, what) + &hindrance_next(&address, what));
    all.push(told(hindrances.collect()));
    let conflict = || Conflict { address: address.clone(), id: theirs(), belongs_to: Some(theirs()), stack: None };
    let moved = [
        Moved::Taken(conflict()),
        Moved::Another { was: theirs(), is: theirs() },
        Moved::Property { path: theirs(), was: Some(json!(text)), is: Some(json!({ text: [text] })) },
    ];
    let stale = moved.into_iter().map(|moved| stale_text(&Stale { address: address.clone(), moved }));
    all.push(told(stale.collect()));
    all
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn nothing_that_others_write_makes_a_line_or_acts_on_a_terminal(
        text in prop_oneof![
            "[a-z\\x00-\\x1f\\x7f-\\u{9f}\u{2028}\u{202e}\u{2066}]{1,20}", "(?s).{1,20}", Just("x\u{1b}[1A\u{1b}[2K".to_owned()),
            Just("x\n::add-mask::y\r\n- global/table.payments".to_owned()),
        ],
    ) {
        for (shown, harmless) in shown(&text).iter().zip(shown("harmless")) {
            prop_assert!(!shown.contains(|c: char| c.is_control() && c != '\n'), "{shown:?}");
            prop_assert!(!shown.contains(['\u{2028}', '\u{2029}', '\u{202e}', '\u{2066}']), "{shown:?}");
            prop_assert_eq!(shown.lines().count(), harmless.lines().count(), "{}", shown);
        }
    }
}
