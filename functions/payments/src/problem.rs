//! What is wrong with a request.

use serde::Serialize;

/// One thing wrong with one field, in words for whoever wrote the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The field's name as it was written; `body` for the body as a whole, or the name of a header.
    pub field: String,
    /// What is wrong, continuing a sentence that starts with the field.
    pub problem: String,
}

impl FieldError {
    /// Says that `field` has this problem.
    pub fn new(field: &str, problem: impl Into<String>) -> Self {
        Self { field: field.to_owned(), problem: problem.into() }
    }
}
