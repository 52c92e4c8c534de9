//! A run for machines: one JSON object a line. These types are the format; renaming something inside
//! drctl changes nothing here.

use std::collections::BTreeMap;

use miette::Diagnostic;
use serde::Serialize;

use super::hint::next_step;
use super::json::{FORMAT_VERSION, FieldDocument, PlanDocument};
use crate::graph::{Address, Failure};
use crate::iam::Task;
use crate::plan::{Action, Plan};
use crate::run::{Event, Outcome};

#[derive(Serialize)]
struct Line<'a> {
    format_version: u32,
    #[serde(flatten)]
    what: What<'a>,
}

#[derive(Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum What<'a> {
    Plan {
        plan: Box<PlanDocument<'a>>,
    },
    Loss {
        address: String,
        what: &'a str,
        recoverable_until: Option<&'a str>,
    },
    Started {
        address: String,
        action: Action,
    },
    Waiting {
        address: String,
        what: &'a str,
    },
    Finished {
        address: String,
        action: Action,
        milliseconds: u128,
    },
    Failed {
        address: String,
        action: Action,
        milliseconds: u128,
        origin: Option<&'a str>,
        failure: FailureDocument<'a>,
    },
    Skipped {
        address: String,
        because_of: Option<String>,
    },
    Rereading {
        count: usize,
    },
    Outstanding {
        address: String,
        what: &'a str,
    },
    Outcome(OutcomeDocument<'a>),
}

#[derive(Serialize)]
struct FailureDocument<'a> {
    operation: &'a str,
    code: &'a str,
    message: &'a str,
    request_id: Option<&'a str>,
    next: String,
}

impl<'a> FailureDocument<'a> {
    fn of(failure: &'a Failure, task: Task) -> Self {
        Self {
            operation: &failure.operation,
            code: &failure.code,
            message: &failure.message,
            request_id: failure.request_id.as_deref(),
            next: next_step(failure, task),
        }
    }
}

#[derive(Serialize)]
struct OutcomeDocument<'a> {
    exit_code: u8,
    done: usize,
    failed: usize,
    skipped: usize,
    different: Vec<DifferentDocument<'a>>,
    unseen: Vec<UnseenDocument>,
    error: Option<ErrorDocument>,
}

#[derive(Serialize)]
struct DifferentDocument<'a> {
    address: String,
    fields: Vec<FieldDocument<'a>>,
}

/// A resource that could not be read again, because its place went dark.
#[derive(Serialize)]
struct UnseenDocument {
    address: String,
    place: String,
}

#[derive(Serialize)]
struct ErrorDocument {
    message: String,
    next: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<ProblemDocument>,
}

/// One of several things that are wrong, such as the problems of a spec.
#[derive(Serialize)]
struct ProblemDocument {
    message: String,
    next: Option<String>,
    /// `FILE:LINE:COLUMN`
    at: Option<String>,
}

fn line(what: What<'_>) -> String {
    serde_json::to_string(&Line { format_version: FORMAT_VERSION, what }).expect("an event is plain data")
}

/// The plan that a run begins with, on one line.
pub fn plan_line(plan: &Plan) -> String {
    line(What::Plan { plan: Box::new(PlanDocument::of(plan)) })
}

/// Data that goes with a resource, on one line; `until` is the day to which it can be had back.
pub fn loss_line(address: &Address, what: &str, until: Option<&str>) -> String {
    line(What::Loss { address: address.to_string(), what, recoverable_until: until })
}

/// One event of a task on one line. `origins` are the lines of the spec that addresses come from.
pub fn event_line(event: &Event, task: Task, origins: &BTreeMap<Address, String>) -> String {
    line(match event {
        Event::Started { address, action } => What::Started { address: address.to_string(), action: *action },
        Event::Waiting { address, what } => What::Waiting { address: address.to_string(), what },
        Event::Finished { address, action, took } => {
            What::Finished { address: address.to_string(), action: *action, milliseconds: took.as_millis() }
        }
        Event::Failed { address, action, took, failure } => What::Failed {
            address: address.to_string(),
            action: *action,
            milliseconds: took.as_millis(),
            origin: origins.get(address).map(String::as_str),
            failure: FailureDocument::of(failure, task),
        },
        Event::Skipped { address, because_of } => {
            What::Skipped { address: address.to_string(), because_of: because_of.as_ref().map(Address::to_string) }
        }
        Event::Rereading { count } => What::Rereading { count: *count },
        Event::Outstanding { address, what } => What::Outstanding { address: address.to_string(), what },
    })
}

/// How the run ended, on one line: the exit code, what was done, and why it stopped if it did.
pub fn outcome_line(exit_code: u8, outcome: &Outcome, error: Option<&dyn Diagnostic>) -> String {
    let different = outcome.different.iter().map(|(address, fields)| DifferentDocument {
        address: address.to_string(),
        fields: fields.iter().map(FieldDocument::of).collect(),
    });
    let unseen = outcome
        .unseen
        .iter()
        .map(|(address, site)| UnseenDocument { address: address.to_string(), place: site.to_string() });
    line(What::Outcome(OutcomeDocument {
        exit_code,
        done: outcome.done.len(),
        failed: outcome.failed.len(),
        skipped: outcome.skipped.len(),
        different: different.collect(),
        unseen: unseen.collect(),
        error: error.map(|error| ErrorDocument {
            message: error.to_string(),
            next: error.help().map(|help| help.to_string()),
            problems: error.related().into_iter().flatten().map(problem).collect(),
        }),
    }))
}

fn problem(problem: &dyn Diagnostic) -> ProblemDocument {
    let label = problem.labels().into_iter().flatten().next();
    let at = problem.source_code().zip(label).and_then(|(source, label)| {
        let place = source.read_span(label.inner(), 0, 0).ok()?;
        Some(format!("{}:{}:{}", place.name().unwrap_or_default(), place.line() + 1, place.column() + 1))
    });
    ProblemDocument { message: problem.to_string(), next: problem.help().map(|help| help.to_string()), at }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;
    use crate::desired::read;
    use crate::graph::{FailureClass, Region, Site};
    use crate::plan::FieldDiff;

    fn at(address: &str) -> Address {
        address.parse().unwrap()
    }

    fn denied() -> Failure {
        let class = FailureClass::Denied;
        let (code, id) = ("AccessDeniedException".into(), Some("7f3c".into()));
        Failure { code, request_id: id, ..Failure::new(class, "sns:CreateTopic", "not you") }
    }

    #[test]
    fn every_event_is_one_line_with_what_it_is_about() {
        let (address, action, took) = (at("us-west-2/topic.alerts"), Action::Create, Duration::from_millis(1250));
        let role = at("global/role.pay");
        let events = [
            Event::Started { address: address.clone(), action },
            Event::Waiting { address: address.clone(), what: "the topic\nto be there".into() },
            Event::Finished { address: address.clone(), action, took },
            Event::Failed { address: address.clone(), action, took, failure: denied() },
            Event::Failed { address: role.clone(), action, took, failure: Failure::malformed("iam:GetRole", "no ARN") },
            Event::Skipped { address: at("us-west-2/alarm.lag"), because_of: Some(address.clone()) },
            Event::Skipped { address: role, because_of: None },
            Event::Rereading { count: 3 },
            Event::Outstanding { address: address.clone(), what: "confirm the mail".into() },
        ];
        let origins = BTreeMap::from([(address, "specs/production.toml:19".to_owned())]);
        let lines: Vec<_> = events.iter().map(|event| event_line(event, Task::Apply, &origins)).collect();
        assert_snapshot!(lines.join("\n"), @r#"
        {"format_version":1,"event":"started","address":"us-west-2/topic.alerts","action":"create"}
        {"format_version":1,"event":"waiting","address":"us-west-2/topic.alerts","what":"the topic\nto be there"}
        {"format_version":1,"event":"finished","address":"us-west-2/topic.alerts","action":"create","milliseconds":1250}
        {"format_version":1,"event":"failed","address":"us-west-2/topic.alerts","action":"create","milliseconds":1250,"origin":"specs/production.toml:19","failure":{"operation":"sns:CreateTopic","code":"AccessDeniedException","message":"not you","request_id":"7f3c","next":"let the caller do `sns:CreateTopic` (`drctl iam-policy apply` prints all that it needs), then run the same command again"}}
        {"format_version":1,"event":"failed","address":"global/role.pay","action":"create","milliseconds":1250,"origin":null,"failure":{"operation":"iam:GetRole","code":"MalformedAnswer","message":"no ARN","request_id":null,"next":"run the same command again; if it stays, report it with the request id"}}
        {"format_version":1,"event":"skipped","address":"us-west-2/alarm.lag","because_of":"us-west-2/topic.alerts"}
        {"format_version":1,"event":"skipped","address":"global/role.pay","because_of":null}
        {"format_version":1,"event":"rereading","count":3}
        {"format_version":1,"event":"outstanding","address":"us-west-2/topic.alerts","what":"confirm the mail"}
        "#);
    }

    #[test]
    fn the_last_line_says_how_it_ended() {
        let field =
            FieldDiff { path: "memory".into(), before: Some(json!(128)), after: Some(json!(256)), document: false };
        let outcome = Outcome {
            done: vec![(at("global/role.pay"), Action::Create)],
            failed: vec![(at("us-east-1/topic.alerts"), denied())],
            skipped: vec![at("us-east-1/alarm.lag")],
            different: vec![(at("us-east-1/function.pay"), vec![field])],
            unseen: vec![(at("us-west-2/topic.alerts"), Site::Region(Region::new("us-west-2")))],
            unsaved: None,
        };
        let invalid = read(Path::new("specs/system.toml"), "schema = 2\n[system]\nname = \"a\"\n").unwrap_err();
        let lines = [
            outcome_line(0, &Outcome::default(), None),
            outcome_line(3, &outcome, None),
            outcome_line(4, &Outcome::default(), Some(&invalid)),
        ];
        assert_snapshot!(lines.join("\n"), @r#"
        {"format_version":1,"event":"outcome","exit_code":0,"done":0,"failed":0,"skipped":0,"different":[],"unseen":[],"error":null}
        {"format_version":1,"event":"outcome","exit_code":3,"done":1,"failed":1,"skipped":1,"different":[{"address":"us-east-1/function.pay","fields":[{"path":"memory","before":128,"after":256,"known_after_apply":false}]}],"unseen":[{"address":"us-west-2/topic.alerts","place":"us-west-2"}],"error":null}
        {"format_version":1,"event":"outcome","exit_code":4,"done":0,"failed":0,"skipped":0,"different":[],"unseen":[],"error":{"message":"specs/system.toml has 4 problems","next":null,"problems":[{"message":"the spec has no table `[region]`","next":"add `[region]` with primary and secondary","at":"specs/system.toml:1:1"},{"message":"this drctl does not know schema 2","next":"write `schema = 1`, or use a newer drctl","at":"specs/system.toml:1:10"},{"message":"`[system]` has no `environment`","next":"add `environment = \"production\"`","at":"specs/system.toml:2:2"},{"message":"`[system]` has no `suffix`","next":"add `suffix = \"prod-001\"`","at":"specs/system.toml:2:2"}]}}
        "#);
    }

    #[test]
    fn data_that_goes_is_told_with_the_day_to_which_it_can_be_had_back() {
        let secret = at("global/secret.keys");
        let lines = [loss_line(&secret, "its value", Some("2026-12-24")), loss_line(&secret, "its value", None)];
        assert_snapshot!(lines.join("\n"), @r#"
        {"format_version":1,"event":"loss","address":"global/secret.keys","what":"its value","recoverable_until":"2026-12-24"}
        {"format_version":1,"event":"loss","address":"global/secret.keys","what":"its value","recoverable_until":null}
        "#);
    }
}
