//! Requests and answers of a Lambda function URL (payload format 2.0), as far as the functions need them.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A request to a function URL.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "Event")]
pub struct Request {
    /// The method in upper case.
    pub method: String,
    /// The path, starting with `/`.
    pub path: String,
    headers: BTreeMap<String, String>,
    body: String,
    is_base64: bool,
}

/// A body that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadBody {
    /// It is longer than the limit.
    TooLarge,
    /// Lambda says it is base64, and it is not.
    NotBase64,
}

impl Request {
    /// A request with this body and no headers.
    pub fn new(method: &str, path: &str, body: &str) -> Self {
        Self { method: method.into(), path: path.into(), headers: BTreeMap::new(), body: body.into(), is_base64: false }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_ascii_lowercase(), value.into());
        self
    }

    /// The value of a header; the case of its name makes no difference.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(&name.to_ascii_lowercase()).map(String::as_str)
    }

    /// The bytes of the body, unless there are more than `limit`. A content type that Lambda does not take for text
    /// (curl's default, for one) arrives as base64.
    pub fn body(&self, limit: usize) -> Result<Cow<'_, [u8]>, BadBody> {
        let longest = if self.is_base64 { limit.div_ceil(3) * 4 } else { limit };
        if self.body.len() > longest {
            return Err(BadBody::TooLarge);
        }
        if !self.is_base64 {
            return Ok(Cow::Borrowed(self.body.as_bytes()));
        }
        let bytes = BASE64_STANDARD.decode(&self.body).map_err(|_| BadBody::NotBase64)?;
        if bytes.len() > limit { Err(BadBody::TooLarge) } else { Ok(Cow::Owned(bytes)) }
    }
}

/// The event as Lambda sends it. An event that lacks the method is not from a URL, and fails to parse.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    request_context: Context,
    raw_path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct Context {
    http: Http,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

impl From<Event> for Request {
    fn from(event: Event) -> Self {
        let lower = |(name, value): (String, String)| (name.to_ascii_lowercase(), value);
        Self {
            method: event.request_context.http.method,
            path: event.raw_path,
            headers: event.headers.into_iter().map(lower).collect(),
            body: event.body.unwrap_or_default(),
            is_base64: event.is_base64_encoded,
        }
    }
}

/// An answer: always JSON, never cached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The HTTP status.
    #[serde(rename = "statusCode")]
    pub status: u16,
    headers: BTreeMap<&'static str, String>,
    body: String,
    is_base64_encoded: bool,
}

impl Answer {
    /// Answers with this status and document.
    pub fn json(status: u16, document: &Value) -> Self {
        let headers = [("content-type", "application/json"), ("cache-control", "no-store")];
        Self {
            status,
            headers: headers.map(|(name, value)| (name, value.to_owned())).into(),
            body: document.to_string(),
            is_base64_encoded: false,
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The document, as text.
    pub fn body(&self) -> &str {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(body: Value, is_base64: bool) -> Request {
        let event = json!({
            "version": "2.0", "rawPath": "/", "rawQueryString": "", "headers": {"Idempotency-Key": "k"},
            "requestContext": {"http": {"method": "POST", "path": "/", "sourceIp": "127.0.0.1"}},
            "body": body, "isBase64Encoded": is_base64,
        });
        serde_json::from_value(event).expect("an event of a function URL")
    }

    #[test]
    fn an_event_of_a_function_url_becomes_a_request() {
        let request = event(json!("{}"), false);
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/"));
        assert_eq!(request.header("idempotency-KEY"), Some("k"));
        assert_eq!(request.body(2).as_deref(), Ok(b"{}".as_slice()));
        assert_eq!(event(Value::Null, false).body(2).as_deref(), Ok(b"".as_slice()));
    }

    #[test]
    fn a_body_in_base64_is_decoded() {
        assert_eq!(event(json!("e30="), true).body(2).as_deref(), Ok(b"{}".as_slice()));
        assert_eq!(event(json!("e30"), true).body(2), Err(BadBody::NotBase64));
    }

    #[test]
    fn a_body_over_the_limit_is_refused_in_either_form() {
        assert_eq!(event(json!("{}"), false).body(1), Err(BadBody::TooLarge));
        assert_eq!(event(json!("e30="), true).body(1), Err(BadBody::TooLarge));
        assert_eq!(event(json!("e30="), true).body(0), Err(BadBody::TooLarge));
    }

    #[test]
    fn an_answer_has_the_shape_that_lambda_expects() {
        let answer = Answer::json(405, &json!({"error": "method_not_allowed"})).with_header("allow", "POST");
        assert_eq!(
            serde_json::to_value(answer).expect("plain data"),
            json!({
                "statusCode": 405,
                "headers": {"allow": "POST", "cache-control": "no-store", "content-type": "application/json"},
                "body": r#"{"error":"method_not_allowed"}"#,
                "isBase64Encoded": false,
            })
        );
    }
}
