//! What the processor answers: a function of the request, the scene, the gateway, the store and the logbook.
//!
//! | request | answer |
//! |---|---|
//! | `POST /` | 201 taken · 200 taken earlier, under this idempotency key · 400 invalid · 409 key used for something else · 413 body too large · 503 not confirmed |
//! | `GET /health` | 200: the function runs (whether payments can be taken is what health-check answers) |
//! | another method | 405 |
//! | another path | 404 |

#[cfg(test)]
mod tests;

use payments::http::{Answer, BadBody, Request};
use payments::{FieldError, IdempotencyKey, Payment, PaymentRequest, Receipt, TransactionId, UtcTime};
use serde_json::json;

use crate::gateway::Authority;
use crate::store::{Logbook, Put, Store, StoreError};

/// A payment has about 100 bytes; this leaves room for long ids and generous spacing, not for anything else.
const LARGEST_BODY: usize = 4096;

/// What a request meets: where and when, and an id that nobody else has.
pub(crate) struct Scene<'a> {
    pub(crate) region: &'a str,
    pub(crate) now: UtcTime,
    pub(crate) fresh: TransactionId,
}

/// An answer, and what the log says about it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) answer: Answer,
    pub(crate) outcome: Outcome,
    pub(crate) transaction: Option<TransactionId>,
    pub(crate) key_hash: Option<String>,
    pub(crate) error: Option<StoreError>,
    /// Why the payment's log object is not written, although the payment is taken.
    pub(crate) log_error: Option<String>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A new payment is written down.
    Accepted,
    /// The payment had been taken already.
    Replayed,
    /// The request was invalid.
    Rejected,
    /// The idempotency key belongs to another payment.
    Conflict,
    /// The store did not confirm the write.
    Failed,
    /// Somebody asked whether the function runs.
    Probed,
    /// There is nothing at this path, or not with this method.
    Misdirected,
}

impl Outcome {
    /// The name that logs use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Replayed => "replayed",
            Self::Rejected => "rejected",
            Self::Conflict => "conflict",
            Self::Failed => "failed",
            Self::Probed => "probed",
            Self::Misdirected => "misdirected",
        }
    }
}

/// Answers a request.
pub(crate) async fn answer(
    request: &Request,
    scene: Scene<'_>,
    authority: &impl Authority,
    store: &impl Store,
    logbook: &impl Logbook,
) -> Reply {
    match (request.method.as_str(), request.path.as_str()) {
        ("POST", "/") => pay(request, scene, authority, store, logbook).await,
        ("GET", "/health") => {
            Reply::new(Outcome::Probed, Answer::json(200, &json!({"status": "ok", "region": scene.region})))
        }
        (_, "/") => method_not_allowed("POST"),
        (_, "/health") => method_not_allowed("GET"),
        _ => Reply::new(Outcome::Misdirected, Answer::json(404, &json!({"error": "not_found"}))),
    }
}

async fn pay(
    request: &Request,
    scene: Scene<'_>,
    authority: &impl Authority,
    store: &impl Store,
    logbook: &impl Logbook,
) -> Reply {
    let body = match request.body(LARGEST_BODY) {
        Ok(body) => body,
        Err(BadBody::TooLarge) => {
            let document = json!({"error": "body_too_large", "limitBytes": LARGEST_BODY});
            return Reply::new(Outcome::Rejected, Answer::json(413, &document));
        }
        Err(BadBody::NotBase64) => {
            return invalid(&[FieldError::new("body", "must be valid base64")]);
        }
    };
    let key = request.header(IdempotencyKey::HEADER).map(IdempotencyKey::parse).transpose();
    let (key, asked) = match (key, PaymentRequest::parse(&body)) {
        (Ok(key), Ok(asked)) => (key, asked),
        (key, asked) => {
            let problems: Vec<_> = key.err().into_iter().chain(asked.err().unwrap_or_default()).collect();
            return invalid(&problems);
        }
    };

    let id = key.as_ref().map_or(scene.fresh, |key| TransactionId::derived(&asked.customer, key));
    let mut payment = Payment::accepted(asked, id, scene.region, scene.now);
    let mut reply = take(&mut payment, authority, store).await;
    if reply.outcome == Outcome::Accepted {
        reply.log_error = logbook.keep(&payment).await.err();
    }
    Reply {
        transaction: Some(payment.receipt.transaction_id),
        key_hash: key.as_ref().map(IdempotencyKey::hash),
        ..reply
    }
}

/// Has the payment authorised and writes it down.
async fn take(payment: &mut Payment, authority: &impl Authority, store: &impl Store) -> Reply {
    match authority.authorize(payment).await {
        Ok(version) => payment.credentials_version = version,
        Err(cause) => return not_confirmed(StoreError(cause)),
    }
    match store.put_new(payment).await {
        Ok(Put::New) => taken(Outcome::Accepted, &payment.receipt),
        // Our own write: its answer was lost, and the SDK tried again.
        Ok(Put::Taken(earlier)) if earlier == payment.recorded() => taken(Outcome::Accepted, &payment.receipt),
        Ok(Put::Taken(earlier)) if earlier.fingerprint == payment.recorded().fingerprint => {
            taken(Outcome::Replayed, &earlier.receipt)
        }
        Ok(Put::Taken(_)) => conflict(),
        Err(error) => not_confirmed(error),
    }
}

impl Reply {
    fn new(outcome: Outcome, answer: Answer) -> Self {
        Self { answer, outcome, transaction: None, key_hash: None, error: None, log_error: None }
    }
}

/// A new payment is 201, a repeated one 200; apart from `replayed` both read the same.
fn taken(outcome: Outcome, receipt: &Receipt) -> Reply {
    let (status, replayed) = if outcome == Outcome::Replayed { (200, true) } else { (201, false) };
    let document = json!({
        "transactionId": receipt.transaction_id.as_str(),
        "status": receipt.status,
        "region": receipt.region,
        "createdAt": receipt.created_at,
        "replayed": replayed,
    });
    Reply::new(outcome, Answer::json(status, &document))
}

fn invalid(problems: &[FieldError]) -> Reply {
    let document = json!({"error": "invalid_payment", "fields": problems});
    Reply::new(Outcome::Rejected, Answer::json(400, &document))
}

fn conflict() -> Reply {
    let document = json!({
        "error": "idempotency_conflict",
        "message": "this Idempotency-Key was used for another payment of this customer",
    });
    Reply::new(Outcome::Conflict, Answer::json(409, &document))
}

fn not_confirmed(error: StoreError) -> Reply {
    let document = json!({
        "error": "unavailable",
        "message": "the payment is not confirmed; repeating it with the same Idempotency-Key is safe",
    });
    let answer = Answer::json(503, &document).with_header("retry-after", "1");
    Reply { error: Some(error), ..Reply::new(Outcome::Failed, answer) }
}

fn method_not_allowed(allowed: &str) -> Reply {
    let answer = Answer::json(405, &json!({"error": "method_not_allowed"})).with_header("allow", allowed);
    Reply::new(Outcome::Misdirected, answer)
}
