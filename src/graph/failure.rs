//! What went wrong with a call to AWS, in words that every floor understands.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::printable;

/// What a failure means for what drctl does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The caller may not do this.
    Denied,
    /// The object is there already.
    Exists,
    /// The object is not there.
    NotFound,
    /// No answer: connection refused or dropped, or a time-out.
    Unreachable,
    /// No answer, and none from anything else in that place either: it is given up for now.
    Dark,
    /// AWS asked to slow down, more often than drctl was ready to try.
    Throttled,
    /// The service failed in itself (HTTP 5xx), more often than drctl was ready to try.
    Internal,
    /// A wait ended without what it waited for.
    Deadline,
    /// The answer makes no sense: a field missing that AWS always sends, or text that does not parse.
    Malformed,
    /// Anything else; the code and message say what.
    Other,
}

/// A failed call: which one, what AWS said, and the request id to quote to AWS support.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What the failure means.
    pub class: FailureClass,
    /// The call, as IAM writes it: `lambda:CreateFunction`.
    pub operation: String,
    /// The error code, or a word of ours where AWS sent none.
    pub code: String,
    /// The message, as AWS wrote it.
    pub message: String,
    /// The request id, if an answer came.
    pub request_id: Option<String>,
}

impl FailureClass {
    /// Whether no answer came at all.
    pub fn is_unanswered(self) -> bool {
        matches!(self, FailureClass::Unreachable | FailureClass::Dark)
    }

    /// Whether the service cannot serve now, whoever asks: it says nothing, asks to slow down, or fails in itself.
    pub fn is_outage(self) -> bool {
        self.is_unanswered() || matches!(self, FailureClass::Throttled | FailureClass::Internal)
    }
}

impl Failure {
    /// A failure that drctl itself noticed while doing `operation`.
    pub fn new(class: FailureClass, operation: &str, message: impl Into<String>) -> Self {
        let code = match class {
            FailureClass::Deadline => "Deadline",
            FailureClass::Malformed => "MalformedAnswer",
            FailureClass::Unreachable => "Unreachable",
            FailureClass::Dark => "Dark",
            _ => "Error",
        };
        Self {
            class,
            operation: operation.to_owned(),
            code: code.to_owned(),
            message: message.into(),
            request_id: None,
        }
    }

    /// An answer that lacks something AWS always sends.
    pub fn malformed(operation: &str, what: impl fmt::Display) -> Self {
        Self::new(FailureClass::Malformed, operation, what.to_string())
    }

    /// The call and the message alone, for a place that does not answer.
    pub fn brief(&self) -> String {
        format!("{}: {}", printable(&self.operation), printable(&self.message))
    }

    /// Whether the code is `code` and the message contains `part`.
    pub fn says(&self, code: &str, part: &str) -> bool {
        self.code == code && self.message.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", printable(&self.operation), printable(&self.code))?;
        if !self.message.is_empty() {
            write!(f, ": {}", printable(self.message.trim_end_matches('.')))?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request {})", printable(id))?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
