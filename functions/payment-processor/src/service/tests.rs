use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use payments::Recorded;
use serde_json::Value;

use super::*;

const RUNBOOK: &str = r#"{"customerId": "CUST-12345", "amount": 99.99, "currency": "USD"}"#;

/// A processor in one region over a table in memory; every request comes a second after the one before.
struct World {
    items: RefCell<BTreeMap<String, Recorded>>,
    requests: Cell<i64>,
    /// The table answers no more.
    down: Cell<bool>,
    /// The gateway refuses.
    refused: Cell<bool>,
    /// The keys of the log objects, or `None` if no more can be written.
    logs: RefCell<Option<Vec<String>>>,
    /// The next write succeeds, its answer is lost, and the SDK repeats it.
    answer_lost: Cell<bool>,
}

impl Default for World {
    fn default() -> Self {
        Self {
            items: RefCell::default(),
            requests: Cell::new(0),
            down: Cell::new(false),
            refused: Cell::new(false),
            logs: RefCell::new(Some(Vec::new())),
            answer_lost: Cell::new(false),
        }
    }
}

impl Authority for World {
    async fn authorize(&self, _: &Payment) -> Result<Option<String>, String> {
        if self.refused.get() { Err("the gateway refuses".into()) } else { Ok(Some("v1".into())) }
    }
}

impl Logbook for World {
    async fn keep(&self, payment: &Payment) -> Result<(), String> {
        assert_eq!(payment.credentials_version.as_deref(), Some("v1"));
        let mut logs = self.logs.borrow_mut();
        let logs = logs.as_mut().ok_or("s3:PutObject failed: SlowDown (request 1)")?;
        logs.push(payment.log_key());
        Ok(())
    }
}

impl Store for World {
    async fn put_new(&self, payment: &Payment) -> Result<Put, StoreError> {
        if self.down.get() {
            return Err(StoreError("dynamodb:PutItem failed: InternalServerError (request 1)".into()));
        }
        let id = payment.receipt.transaction_id.to_string();
        if self.answer_lost.take() {
            self.items.borrow_mut().insert(id.clone(), payment.recorded());
        }
        let mut items = self.items.borrow_mut();
        match items.get(&id) {
            Some(earlier) => Ok(Put::Taken(earlier.clone())),
            None => {
                items.insert(id, payment.recorded());
                Ok(Put::New)
            }
        }
    }
}

impl World {
    fn send_from(&self, region: &str, request: &Request) -> Reply {
        self.requests.set(self.requests.get() + 1);
        let scene = Scene {
            region,
            now: UtcTime::from_millis(1_795_536_000_000 + self.requests.get() * 1_000),
            fresh: TransactionId::stored(format!("random-{}", self.requests.get())),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(answer(request, scene, self, self, self))
    }

    fn send(&self, request: &Request) -> Reply {
        self.send_from("us-east-1", request)
    }

    fn stored(&self) -> usize {
        self.items.borrow().len()
    }
}

fn post(body: &str) -> Request {
    Request::new("POST", "/", body)
}

fn keyed(key: &str, body: &str) -> Request {
    post(body).with_header("idempotency-key", key)
}

/// Status and document of an answer.
fn shown(reply: &Reply) -> (u16, Value) {
    (reply.answer.status, serde_json::from_str(reply.answer.body()).expect("answers are JSON"))
}

#[test]
fn the_payment_of_the_runbook_is_taken() {
    let world = World::default();
    let expected = json!({
        "transactionId": "random-1", "status": "accepted", "region": "us-east-1",
        "createdAt": "2026-11-24T16:00:01.000Z", "replayed": false,
    });
    assert_eq!(shown(&world.send(&post(RUNBOOK))), (201, expected));
    assert_eq!(world.stored(), 1);
}

#[test]
fn without_a_key_two_requests_are_two_payments() {
    let world = World::default();
    assert_eq!([world.send(&post(RUNBOOK)).answer.status, world.send(&post(RUNBOOK)).answer.status], [201, 201]);
    assert_eq!(world.stored(), 2);
}

#[test]
fn a_repeated_payment_is_taken_once_and_answered_like_the_first() {
    let world = World::default();
    let (first_status, mut first) = shown(&world.send(&keyed("order-1", RUNBOOK)));
    let (again_status, again) = shown(&world.send(&keyed("order-1", RUNBOOK)));
    first["replayed"] = json!(true);
    assert_eq!((first_status, again_status), (201, 200));
    assert_eq!(again, first);
    assert_eq!(world.stored(), 1);
}

#[test]
fn a_payment_repeated_in_the_other_region_is_the_same_payment() {
    let world = World::default();
    let (_, first) = shown(&world.send_from("us-east-1", &keyed("order-1", RUNBOOK)));
    let (status, again) = shown(&world.send_from("us-west-2", &keyed("order-1", RUNBOOK)));
    assert_eq!((status, &again["region"]), (200, &json!("us-east-1")));
    assert_eq!(again["transactionId"], first["transactionId"]);
}

#[test]
fn regions_that_do_not_hear_of_each_other_give_a_payment_the_same_id() {
    let (east, west) = (World::default(), World::default());
    let (_, here) = shown(&east.send_from("us-east-1", &keyed("order-1", RUNBOOK)));
    let (_, there) = shown(&west.send_from("us-west-2", &keyed("order-1", RUNBOOK)));
    assert_eq!(here["transactionId"], there["transactionId"]);
}

#[test]
fn another_payment_under_the_same_key_is_a_conflict_and_changes_nothing() {
    let world = World::default();
    world.send(&keyed("order-1", RUNBOOK));
    let reply = world.send(&keyed("order-1", &RUNBOOK.replace("99.99", "100")));
    assert_eq!((reply.answer.status, reply.outcome), (409, Outcome::Conflict));
    assert_eq!(world.send(&keyed("order-1", RUNBOOK)).outcome, Outcome::Replayed);
}

#[test]
fn another_customer_can_use_the_same_key() {
    let world = World::default();
    world.send(&keyed("order-1", RUNBOOK));
    assert_eq!(world.send(&keyed("order-1", &RUNBOOK.replace("12345", "6"))).answer.status, 201);
}

#[test]
fn a_write_whose_answer_was_lost_is_not_a_replay() {
    for request in [post(RUNBOOK), keyed("order-1", RUNBOOK)] {
        let world = World::default();
        world.answer_lost.set(true);
        let (status, document) = shown(&world.send(&request));
        assert_eq!((status, &document["replayed"], world.stored()), (201, &json!(false), 1));
    }
}

#[test]
fn an_invalid_payment_is_told_every_field_that_is_wrong() {
    let world = World::default();
    let reply = world.send(&keyed("é", r#"{"amount": 1.001, "currency": "USD"}"#));
    let expected = json!({"error": "invalid_payment", "fields": [
        {"field": "Idempotency-Key", "problem": "must be 1 to 255 printable ASCII characters"},
        {"field": "customerId", "problem": "is missing"},
        {"field": "amount", "problem": "has more decimal digits than USD, which has 2"},
    ]});
    assert_eq!(shown(&reply), (400, expected));
    assert_eq!((reply.outcome, world.stored()), (Outcome::Rejected, 0));
}

#[test]
fn a_body_that_is_too_large_is_not_read() {
    let reply = World::default().send(&post(&" ".repeat(LARGEST_BODY + 1)));
    assert_eq!(shown(&reply), (413, json!({"error": "body_too_large", "limitBytes": 4096})));
}

#[test]
fn a_table_that_fails_is_answered_with_when_to_try_again() {
    let world = World::default();
    world.down.set(true);
    let reply = world.send(&keyed("order-1", RUNBOOK));
    assert_eq!((reply.answer.status, reply.answer.header("retry-after")), (503, Some("1")));
    assert_eq!(shown(&reply).1["error"], "unavailable");
    assert_eq!(
        reply.error.expect("a reason for the log").0,
        "dynamodb:PutItem failed: InternalServerError (request 1)"
    );
}

#[test]
fn health_is_answered_without_the_table() {
    let world = World::default();
    world.down.set(true);
    let reply = world.send(&Request::new("GET", "/health", ""));
    assert_eq!(shown(&reply), (200, json!({"status": "ok", "region": "us-east-1"})));
}

#[test]
fn other_methods_and_paths_are_told_apart() {
    let world = World::default();
    let status = |method, path| {
        let reply = world.send(&Request::new(method, path, RUNBOOK));
        (reply.answer.status, reply.answer.header("allow").map(str::to_owned))
    };
    assert_eq!(status("GET", "/"), (405, Some("POST".into())));
    assert_eq!(status("DELETE", "/health"), (405, Some("GET".into())));
    assert_eq!(status("POST", "/payments"), (404, None));
    assert_eq!(world.stored(), 0);
}

#[test]
fn the_log_finds_a_payment_without_its_key() {
    let reply = World::default().send(&keyed("order-1", RUNBOOK));
    assert_eq!(reply.key_hash.as_deref().map(str::len), Some(16));
    assert!(reply.transaction.is_some());
}

#[test]
fn a_payment_has_one_log_object_however_often_it_is_sent() {
    let world = World::default();
    world.send(&keyed("order-1", RUNBOOK));
    world.send(&keyed("order-1", RUNBOOK));
    world.send(&keyed("order-1", &RUNBOOK.replace("99.99", "100")));
    let logs = world.logs.borrow().clone().expect("they can be written");
    assert_eq!(logs.len(), 1, "{logs:?}");
    assert!(logs[0].starts_with("2026/11/24/us-east-1/"), "{logs:?}");
}

#[test]
fn a_log_object_that_cannot_be_written_does_not_fail_the_payment() {
    let world = World::default();
    world.logs.replace(None);
    let reply = world.send(&post(RUNBOOK));
    assert_eq!((reply.answer.status, reply.outcome, world.stored()), (201, Outcome::Accepted, 1));
    assert_eq!(reply.log_error.as_deref(), Some("s3:PutObject failed: SlowDown (request 1)"));
}

#[test]
fn a_payment_that_is_not_authorised_is_not_written_down() {
    let world = World::default();
    world.refused.set(true);
    let reply = world.send(&post(RUNBOOK));
    assert_eq!((reply.answer.status, reply.outcome, world.stored()), (503, Outcome::Failed, 0));
    assert_eq!(reply.error.expect("a reason for the log").0, "the gateway refuses");
}
