//! Whatever a user, a file or AWS says: no panic, and what is printed is read back as it was.
//!
//! `DRCTL_FUZZ=100 cargo test fuzz` tries a hundred times as much as usual.

use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{Index as Spot, select};
use serde_json::{Value, json};

use crate::desired::{CodeHashes, read};
use crate::graph::{Address, Document, Input, Owner, Place, Properties, Reference, Region};
use crate::kinds;
use crate::plan::{Basis, Observation, plan};
use crate::render::read_snapshot;
use crate::sandbox;
use crate::state::Index;

/// Tries so many cases, or `DRCTL_FUZZ` times as many.
pub(crate) fn cases(usual: u32) -> ProptestConfig {
    let depth = std::env::var("DRCTL_FUZZ").ok().and_then(|depth| depth.parse().ok()).unwrap_or(1);
    ProptestConfig { cases: usual.saturating_mul(depth), failure_persistence: None, ..ProptestConfig::default() }
}

/// One change of a text.
#[derive(Clone, Debug)]
enum Mutation {
    DropLine(Spot),
    RepeatLine(Spot),
    SwapLines(Spot, Spot),
    Cut(Spot, usize),
    Insert(Spot, String),
    /// A word in place of another one.
    Word(Spot, String),
}

/// What is apt to be taken for something else.
const WORDS: [&str; 36] = [
    "true",
    "-1",
    "0",
    "1e999",
    "99999999999999999999",
    "18446744073709551615",
    "nan",
    "{}",
    "[]",
    "[[",
    "\"",
    "\"\"",
    "''",
    "\"10s\"",
    "\"9999999999999999d\"",
    "\"5GB\"",
    "\"128KB\"",
    "\"30d\"",
    "\"never\"",
    "us-east-1",
    "eu-central-1",
    "table",
    "function",
    "bucket.x",
    "\"a--b\"",
    "\"-\"",
    "\"ÄÖ\"",
    "\"\\u0000\"",
    "\"123456789012\"",
    "1979-05-27T07:32:00Z",
    "=",
    ".",
    "weight = { primary = 1 }",
    "routing = \"failover\"",
    "\u{feff}",
    "aws:",
];

fn mutation() -> impl Strategy<Value = Mutation> {
    let word = || prop_oneof![select(&WORDS[..]).prop_map(str::to_owned), "\\PC{0,12}", ".{0,12}"];
    prop_oneof![
        any::<Spot>().prop_map(Mutation::DropLine),
        any::<Spot>().prop_map(Mutation::RepeatLine),
        any::<(Spot, Spot)>().prop_map(|(one, other)| Mutation::SwapLines(one, other)),
        (any::<Spot>(), 1..30_usize).prop_map(|(at, length)| Mutation::Cut(at, length)),
        (any::<Spot>(), word()).prop_map(|(at, text)| Mutation::Insert(at, text)),
        (any::<Spot>(), word()).prop_map(|(at, text)| Mutation::Word(at, text)),
        (any::<Spot>(), word()).prop_map(|(at, text)| Mutation::Word(at, text)),
    ]
}

/// Some changes of a text that is right.
pub(crate) fn mutated(text: &'static str) -> impl Strategy<Value = String> {
    prop::collection::vec(mutation(), 1..5)
        .prop_map(|mutations| mutations.iter().fold(text.to_owned(), |text, mutation| mutation.of(&text)))
}

impl Mutation {
    fn of(&self, text: &str) -> String {
        let mut lines: Vec<&str> = text.split('\n').collect();
        let chars = || text.chars().collect::<Vec<_>>();
        let spliced = |mut chars: Vec<char>, from: usize, to: usize, with: &str| -> String {
            chars.splice(from..to, with.chars());
            chars.into_iter().collect()
        };
        match self {
            Mutation::DropLine(at) => drop(lines.remove(at.index(lines.len()))),
            Mutation::RepeatLine(at) => lines.push(lines[at.index(lines.len())]),
            Mutation::SwapLines(one, other) => {
                let (one, other) = (one.index(lines.len()), other.index(lines.len()));
                lines.swap(one, other);
            }
            Mutation::Cut(at, length) => {
                let chars = chars();
                let from = at.index(chars.len() + 1);
                let to = (from + length).min(chars.len());
                return spliced(chars, from, to, "");
            }
            Mutation::Insert(at, word) => {
                let chars = chars();
                let from = at.index(chars.len() + 1);
                return spliced(chars, from, from, word);
            }
            Mutation::Word(at, word) => {
                let mut words: Vec<&str> = text.split_inclusive([' ', '\n']).collect();
                let at = at.index(words.len());
                let word =
                    format!("{word}{}", words[at].chars().last().filter(|end| end.is_whitespace()).unwrap_or(' '));
                words[at] = &word;
                return words.concat();
            }
        }
        lines.join("\n")
    }
}

/// Any JSON, with keys that mean something to somebody.
fn value() -> impl Strategy<Value = Value> {
    let keys = select(vec![
        "Version",
        "Statement",
        "Effect",
        "Principal",
        "Action",
        "Resource",
        "Condition",
        "Sid",
        "AWS",
        "$from",
        "attribute",
        "name",
        "tags",
        "regions",
        "format_version",
        "",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|number| json!(f64::from(number) / 2.0)),
        select(vec!["*", "s3:GetObject", "123456789012", "global/zone.main", "x"]).prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 0..4)
                .prop_map(|entries| entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
        ]
    })
}

/// Texts that look like the names and ids of AWS.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9.:/*_-]{0,40}",
        "(arn:aws:)?[a-z0-9]{0,15}:[a-z0-9-]{0,10}:[0-9]{0,12}:[a-z]{0,9}[:/]\\PC{0,20}",
        "\\PC{0,40}"
    ]
}

fn owner() -> Owner {
    Owner { system: "payment-dr".into(), environment: "production".into(), suffix: "prod-001".into() }
}

/// Reads a spec, and either plans what it wants or prints what is wrong with it.
fn taken_whole(text: &str) {
    match read(Path::new("test.toml"), text) {
        Ok(spec) => {
            let graph = spec.graph("123456789012", &CodeHashes::new());
            let (owner, observed) = (spec.owner(), Observation::default());
            let recorded = Index::empty(&owner, "test".into());
            let kinds = kinds::metas();
            plan(&Basis {
                desired: &graph,
                observed: &observed,
                recorded: &recorded,
                owner: &owner,
                kinds: &kinds,
                overrides: &[],
            });
        }
        Err(problems) => drop(format!("{:?}", miette::Report::new(problems))),
    }
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_spec_may_be_any_text(text in "\\PC{0,200}|.{0,200}|([a-z=\\[\\]{}\"'.,#\n -]{0,12}[\n.=\\[\\]\"]){0,20}") {
        taken_whole(&text);
    }

    #[test]
    fn a_spec_may_be_wrong_anywhere(text in mutated(include_str!("../specs/production.toml"))) {
        taken_whole(&text);
    }

    #[test]
    fn an_address_is_read_as_it_was_printed(text in name(), place in "[a-z0-9-]{1,12}", kind in "[a-z_]{1,12}", name in "[a-z0-9-]{1,12}") {
        if let Ok(address) = text.parse::<Address>() {
            prop_assert_eq!(address.to_string().parse(), Ok(address));
        }
        let place = if place == "global" { Place::Global } else { Place::Region(Region::new(place)) };
        let address = Address { place, kind, name };
        prop_assert_eq!(address.to_string().parse(), Ok(address.clone()));
        let former = address.former("Z012");
        prop_assert_eq!(former.to_string().parse(), Ok(former.clone()));
        prop_assert_eq!(former.current(), address);
    }

    #[test]
    fn a_policy_may_be_any_text(text in prop_oneof!["\\PC{0,80}", "(%[0-9A-F]{2}|[{}\":,a-zA-Z]){0,40}"]) {
        let _ = Document::parse(&text);
    }

    #[test]
    fn a_policy_is_read_as_it_was_printed(value in value()) {
        let policy = Document::new(value.clone());
        prop_assert_eq!(Document::new(serde_json::to_value(&policy).unwrap()), policy.clone(), "the normal form is one");
        if value.is_object() {
            prop_assert_eq!(Document::parse(&policy.to_text()).unwrap(), policy.clone());
            let encoded: String = policy.to_text().bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(Document::parse(&encoded).unwrap(), policy);
        }
    }

    #[test]
    fn properties_may_be_any_tree(value in value(), id in "[a-z0-9]{1,8}") {
        let Value::Object(_) = &value else { return Ok(()) };
        let properties: Properties = serde_json::from_value(value).unwrap();
        let fingerprint = properties.resolve(&|_| Some(id.clone())).fingerprint();
        prop_assert_eq!(properties.resolve(&|_| Some(id.clone())).fingerprint(), fingerprint);
        for reference in properties.references() {
            let value = serde_json::to_value(Input::From(reference.clone())).unwrap();
            prop_assert_eq!(Reference::of(&value), Some(reference));
        }
    }

    #[test]
    fn a_caller_reference_names_its_address_and_no_other(text in name(), kind in "[a-z_]{1,12}", name in "[a-z0-9-]{1,12}", generation: u32) {
        let _ = owner().referred(&text);
        let address = Address::global(&kind, name);
        let reference = Owner::generation(&owner().reference(&address), generation);
        prop_assert_eq!(owner().referred(&reference), Some(address));
        let other = Owner { suffix: "prod-002".into(), ..owner() };
        prop_assert_eq!(other.referred(&reference), None);
    }

    #[test]
    fn a_recorded_observation_may_be_any_text(text in "\\PC{0,80}", value in value()) {
        let _ = read_snapshot(&text);
        let _ = read_snapshot(&value.to_string());
    }

    #[test]
    fn a_url_may_be_any_text(text in prop_oneof!["(https://)?\\PC{0,12}(.lambda-url.)?\\PC{0,12}(.on.aws)?/?\\PC{0,8}"]) {
        let _ = sandbox::function_url("http://127.0.0.1:1", &text);
    }
}

#[cfg(feature = "aws")]
mod with_aws {
    use super::*;
    use crate::aws::Arn;

    proptest! {
        #![proptest_config(cases(512))]

        #[test]
        fn an_arn_may_be_any_text(text in name(), service in select(vec!["s3", "sns", "iam", "logs", "lambda", "dynamodb", "route53", "secretsmanager", "cloudwatch"]), resource in name()) {
            let arn = format!("arn:aws:{service}:us-east-1:123456789012:{resource}");
            for text in [&text, &arn] {
                let Some(arn) = Arn::parse(text) else { continue };
                kinds::REGISTRY.iter().for_each(|kind| drop(kind.operations.id_in(&arn)));
            }
            prop_assert_eq!(Arn::parse(&arn).map(|arn| arn.resource), Some(resource.as_str()));
        }
    }
}
