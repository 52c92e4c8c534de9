//! AWS as canned answers: what a kind makes of an answer is then shown in its wire form, without any server.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region as SdkRegion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_cbor::Encoder;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use proptest::sample::Index as Spot;
use serde_json::{Value, json};

use super::clients::{Clients, Regional};
use super::meter::{Meter, Request};
use super::reach::Reach;
use crate::graph::Region;

/// The account of all canned answers.
pub(crate) const ACCOUNT: &str = "123456789012";

/// An AWS that gives one answer to each operation, and refuses what it has no answer to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Canned {
    /// By `Operation`, or `PLACE Operation` for what only one place answers.
    answers: BTreeMap<String, Answer>,
    /// What stands in the headers of an operation's answers.
    headers: BTreeMap<String, Vec<(&'static str, &'static str)>>,
}

#[derive(Clone, Debug)]
enum Answer {
    Text(String),
    /// CBOR, where the service speaks that.
    Json(Value),
    /// Code and message.
    Refusal(String, String),
}

impl Canned {
    /// The same AWS with an answer of a service that speaks XML, or in plain text.
    pub(crate) fn text(self, operation: &str, body: impl Into<String>) -> Self {
        self.with(operation, Answer::Text(body.into()))
    }

    /// The same AWS with an answer of a service that speaks JSON or CBOR.
    pub(crate) fn json(self, operation: &str, body: Value) -> Self {
        self.with(operation, Answer::Json(body))
    }

    /// The same AWS with a header in the answers to an operation.
    pub(crate) fn header(mut self, operation: &str, name: &'static str, value: &'static str) -> Self {
        self.headers.entry(operation.to_owned()).or_default().push((name, value));
        self
    }

    /// The same AWS refusing an operation.
    pub(crate) fn refusing(self, operation: &str, code: &str, message: &str) -> Self {
        self.with(operation, Answer::Refusal(code.to_owned(), message.to_owned()))
    }

    /// The same AWS with a part of an answer left out: a piece of XML as it is there, or a JSON pointer.
    #[track_caller]
    pub(crate) fn without(mut self, operation: &str, part: &str) -> Self {
        match self.answers.get_mut(operation) {
            Some(Answer::Text(_)) => return self.replacing(operation, part, ""),
            Some(Answer::Json(body)) => {
                let (parent, key) = part.rsplit_once('/').expect("a pointer");
                let parent = body.pointer_mut(parent).and_then(Value::as_object_mut);
                let removed = parent.and_then(|parent| parent.remove(key));
                assert!(removed.is_some(), "{part} is not in the answer to {operation}");
            }
            other => panic!("{operation} is answered by {other:?}"),
        }
        self
    }

    /// The same AWS with a text in place of another one in an answer.
    #[track_caller]
    pub(crate) fn replacing(mut self, operation: &str, old: &str, new: &str) -> Self {
        match self.answers.get_mut(operation) {
            Some(Answer::Text(body)) if body.contains(old) => *body = body.replace(old, new),
            other => panic!("{operation} is answered by {other:?}, without {old}"),
        }
        self
    }

    /// The same AWS with a piece of an answer in the place of another piece of the same length: of text, or in JSON
    /// one value in the place of another.
    pub(crate) fn garbled(mut self, operation: &str, at: Spot, from: Spot, length: usize) -> Self {
        match self.answers.get_mut(operation) {
            Some(Answer::Text(body)) => {
                let mut chars: Vec<char> = body.chars().collect();
                let count = chars.len();
                let piece = |spot: Spot| {
                    let start = spot.index(count + 1);
                    start..(start + length).min(count)
                };
                let new = chars[piece(from)].to_vec();
                chars.splice(piece(at), new);
                *body = chars.into_iter().collect();
            }
            Some(Answer::Json(body)) => {
                let pointers = pointers(body);
                let new = match length {
                    0 => Value::Null,
                    1 => json!({}),
                    2 => json!(-1),
                    3 => json!(""),
                    _ => body.pointer(&pointers[from.index(pointers.len())]).cloned().unwrap_or_default(),
                };
                if let Some(value) = body.pointer_mut(&pointers[at.index(pointers.len())]) {
                    *value = new;
                }
            }
            _ => {}
        }
        self
    }

    /// The operations that have an answer.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &str> {
        self.answers.keys().map(String::as_str)
    }

    fn with(mut self, operation: &str, answer: Answer) -> Self {
        self.answers.insert(operation.to_owned(), answer);
        self
    }

    fn answer(&self, request: &Request) -> HttpResponse {
        let mut response = self.body(request);
        for (name, value) in self.headers.get(&request.operation).into_iter().flatten() {
            response.headers_mut().insert(*name, *value);
        }
        response
    }

    fn body(&self, request: &Request) -> HttpResponse {
        let Request { site, service, operation } = request;
        let here = format!("{site} {operation}");
        match self.answers.get(&here).or_else(|| self.answers.get(operation)) {
            Some(Answer::Text(body)) => response(200, "text/xml", body.clone().into()),
            Some(Answer::Json(body)) if service == "CloudWatch" => cbor(200, body),
            Some(Answer::Json(body)) => response(200, "application/json", body.to_string().into()),
            Some(Answer::Refusal(code, message)) => refusal(service, code, message),
            None => refusal(service, "NotCanned", &format!("there is no answer to {site} {service}:{operation}")),
        }
    }
}

/// Longer than any test.
const HOUR: Duration = Duration::from_secs(3_600);

/// Clients of us-east-1 and us-west-2 that get canned answers. They try three times, without pauses.
#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) clients: Clients,
    shelf: Shelf,
}

impl Counter {
    /// Making clients takes as long as a hundred answers, so one counter serves a whole test.
    pub(crate) fn open() -> Self {
        let (meter, shelf) = (Meter::new(false, Reach::new(HOUR), HOUR), Shelf::default());
        let nobody = Credentials::new("test", "test", None, None, "canned");
        let at_once = RetryConfig::standard().with_initial_backoff(Duration::ZERO).with_max_backoff(Duration::ZERO);
        let regions = ["us-east-1", "us-west-2"].map(Region::new);
        let shared = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(SdkRegion::new(regions[0].as_str().to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(nobody))
            .retry_config(at_once)
            .http_client(meter.wrap(SharedHttpClient::new(shelf.clone())))
            .build();
        let regional = regions.iter().map(|region| Regional::new(&shared, region)).collect();
        Self { clients: Clients::of(ACCOUNT.to_owned(), regional, &shared, meter), shelf }
    }

    /// From now on gives these answers.
    pub(crate) fn offer(&self, answers: Canned) {
        *self.shelf.0.write().expect("no test panics while it writes") = answers;
    }
}

/// Where the clients take their answers from.
#[derive(Clone, Debug, Default)]
struct Shelf(Arc<RwLock<Canned>>);

impl HttpClient for Shelf {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Shelf {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let label = request.extension::<Request>().expect("every client labels its requests");
        HttpConnectorFuture::ready(Ok(self.0.read().expect("no test panics while it writes").answer(label)))
    }
}

/// Codes by which the services say that the caller may not do something.
pub(crate) fn denials(service: &str) -> &'static [&'static str] {
    match service {
        "s3" | "route53" | "iam" => &["AccessDenied"],
        "sns" => &["AuthorizationError"],
        "cloudwatch" => &["AccessDenied", "AccessDeniedException"],
        _ => &["AccessDeniedException"],
    }
}

/// Codes by which they ask to slow down.
pub(crate) fn throttles(service: &str) -> &'static [&'static str] {
    match service {
        "s3" => &["SlowDown"],
        "sns" => &["Throttled", "Throttling"],
        "lambda" => &["TooManyRequestsException"],
        "iam" => &["Throttling"],
        "route53" => &["Throttling", "ThrottlingException"],
        "dynamodb" => &["ThrottlingException", "RequestLimitExceeded"],
        "cloudwatch" => &["Throttling", "ThrottlingException"],
        _ => &["ThrottlingException"],
    }
}

/// A refusal as each service writes it.
fn refusal(service: &str, code: &str, message: &str) -> HttpResponse {
    let status = match code {
        "SlowDown" => 503,
        "InternalError" => 500,
        "Throttled" | "TooManyRequestsException" => 429,
        _ if code.contains("Denied") || code == "AuthorizationError" => 403,
        // What a name in a path leads to is missing with 404, what a body names with 400.
        _ if ["S3", "Lambda", "Route 53", "IAM", "SNS"].contains(&service) && code.contains("No") => 404,
        _ => 400,
    };
    match service {
        "S3" => {
            let error = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
            response(status, "application/xml", error.into())
        }
        "IAM" | "SNS" | "Route 53" => {
            let error = format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>7f3c</RequestId></ErrorResponse>"
            );
            response(status, "text/xml", error.into())
        }
        "Lambda" => {
            let body = json!({ "Type": "User", "Message": message });
            let mut response = response(status, "application/json", body.to_string().into());
            response.headers_mut().insert("x-amzn-errortype", code.to_owned());
            response
        }
        "CloudWatch" => {
            let mut response =
                cbor(status, &json!({ "__type": format!("com.amazonaws.cloudwatch#{code}"), "message": message }));
            response.headers_mut().insert("x-amzn-query-error", format!("{code};Sender"));
            response
        }
        _ => {
            let body = json!({ "__type": format!("com.amazon.coral.service#{code}"), "message": message });
            response(status, "application/x-amz-json-1.1", body.to_string().into())
        }
    }
}

fn response(status: u16, content_type: &'static str, body: Vec<u8>) -> HttpResponse {
    let mut response = HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body));
    response.headers_mut().insert("content-type", content_type);
    response.headers_mut().insert("x-amzn-requestid", "7f3c");
    response
}

/// Where every value of a document is.
fn pointers(document: &Value) -> Vec<String> {
    let inside: Vec<(String, &Value)> = match document {
        Value::Object(entries) => {
            entries.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    let below = |(key, value): (String, &Value)| pointers(value).into_iter().map(move |end| format!("/{key}{end}"));
    std::iter::once(String::new()).chain(inside.into_iter().flat_map(below)).collect()
}

fn cbor(status: u16, body: &Value) -> HttpResponse {
    let mut encoder = Encoder::new(Vec::new());
    encode(&mut encoder, body);
    let mut response = response(status, "application/cbor", encoder.into_writer());
    response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
    response
}

fn encode(encoder: &mut Encoder, value: &Value) {
    match (value, value.as_i64()) {
        (Value::Null, _) => drop(encoder.null()),
        (Value::Bool(is), _) => drop(encoder.boolean(*is)),
        (Value::String(text), _) => drop(encoder.str(text)),
        (_, Some(whole)) => drop(encoder.long(whole)),
        (Value::Number(number), None) => drop(encoder.double(number.as_f64().expect("a number"))),
        (Value::Array(items), _) => {
            encoder.array(items.len());
            items.iter().for_each(|item| encode(encoder, item));
        }
        (Value::Object(entries), _) => {
            encoder.map(entries.len());
            entries.iter().for_each(|(key, value)| encode(encoder.str(key), value));
        }
    }
}
