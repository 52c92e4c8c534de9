//! Lambda functions on `provided.al2023`.

#[cfg(feature = "aws")]
mod aws;
mod permissions;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::graph::{Input, Resource, Tags};

/// The part of a Lambda function that drctl manages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Unique in the region, at most 64 characters.
    pub name: String,
    /// What the function is for.
    pub description: String,
    /// Base64 of the SHA-256 of the zip: Lambda's `CodeSha256`.
    pub code_sha256: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// `provided.al2023`
    pub runtime: String,
    /// Unused by custom runtimes, but AWS wants one: `bootstrap`.
    pub handler: String,
    /// The ARN of the execution role.
    pub role: Input,
    /// Megabytes.
    pub memory: i32,
    /// Seconds.
    pub timeout: i32,
    /// Environment variables; never secrets, which functions read by name.
    pub environment: BTreeMap<String, String>,
    /// The ARN of the KMS key that encrypts them at rest; `None` leaves it to Lambda's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<Input>,
    /// Concurrency set aside and capped; 0 stops the function, `None` shares the account's.
    pub reserved_concurrency: Option<i32>,
    /// X-Ray: `PassThrough` or `Active`.
    pub tracing: String,
    /// Tags and ownership marks.
    pub tags: Tags,
}

impl Function {
    /// The property that its code is known by.
    pub const CODE: &'static str = "code_sha256";
    /// The properties whose change uploads code: it is built for one architecture.
    pub const UPLOADED: [&'static str; 2] = [Self::CODE, "architecture"];
}

impl Resource for Function {
    const KIND: &'static str = "function";
    const FIXED: &'static [&'static str] = &["name"];
    const BUILT: &'static [&'static str] = &[Self::CODE];

    fn id(&self) -> Option<String> {
        Some(self.name.clone())
    }
}
