//! Function URLs: the public HTTPS endpoint of a Lambda function, and who may call it.
//!
//! A URL is adopted with its function, and keeps its name. Statements that others wrote are left to them.

#[cfg(feature = "aws")]
mod aws;
mod permissions;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::function::Function;
use crate::graph::{Address, Document, Resource};

/// A function URL and the statements of the function's policy that open it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FunctionUrl {
    /// The function's name.
    pub function: String,
    /// `NONE` (anyone may call) or `AWS_IAM`.
    pub auth: String,
    /// Statements by id, as far as their ids are drctl's. Since October 2025 a public
    /// URL needs two of them; with one missing, callers get 403 and no log line.
    pub permissions: BTreeMap<String, Document>,
}

/// What the statement ids of drctl begin with; letters and digits are what IAM takes in every policy.
const SID_PREFIX: &str = "DrctlUrl";

impl FunctionUrl {
    /// A URL that anyone may call.
    pub fn public(function: &str, function_arn: &str) -> Self {
        let permissions = PUBLIC.iter().map(|permission| permission.statement(function_arn)).collect();
        Self { function: function.to_owned(), auth: "NONE".into(), permissions }
    }

    /// A URL for callers whose IAM policies let them.
    pub fn iam(function: &str) -> Self {
        Self { function: function.to_owned(), auth: "AWS_IAM".into(), permissions: BTreeMap::new() }
    }
}

/// One of the two permissions that a public URL needs.
struct PublicPermission {
    action: &'static str,
    condition_operator: &'static str,
    condition_key: &'static str,
    condition_value: &'static str,
}

const PUBLIC: [PublicPermission; 2] = [
    PublicPermission {
        action: "InvokeFunctionUrl",
        condition_operator: "StringEquals",
        condition_key: "lambda:FunctionUrlAuthType",
        condition_value: "NONE",
    },
    PublicPermission {
        action: "InvokeFunction",
        condition_operator: "Bool",
        condition_key: "lambda:InvokedViaFunctionUrl",
        condition_value: "true",
    },
];

impl PublicPermission {
    fn sid(&self) -> String {
        format!("{SID_PREFIX}{}", self.action)
    }

    fn statement(&self, function_arn: &str) -> (String, Document) {
        let statement = json!({
            "Sid": self.sid(),
            "Effect": "Allow",
            "Principal": "*",
            "Action": format!("lambda:{}", self.action),
            "Resource": function_arn,
            "Condition": { self.condition_operator: { self.condition_key: self.condition_value } },
        });
        (self.sid(), alone(statement))
    }
}

/// One statement as a document, so that it is compared by meaning.
fn alone(statement: Value) -> Document {
    Document::new(json!({ "Statement": [statement] }))
}

impl Resource for FunctionUrl {
    const KIND: &'static str = "function_url";
    const FIXED: &'static [&'static str] = &["function"];
    const DOCUMENTS: &'static [&'static str] = &["permissions"];
    const PART_OF: Option<&'static str> = Some(Function::KIND);

    fn id(&self) -> Option<String> {
        Some(self.function.clone())
    }

    /// Permissions are parts of the function's policy, and Lambda loses one of two written at once.
    fn locks(address: &Address) -> Address {
        address.with_kind(Function::KIND)
    }
}
