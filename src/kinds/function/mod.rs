//! Lambda functions on `provided.al2023`.

#[cfg(feature = "aws")]
mod aws;
mod permissions;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

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
    /// Environment variables; never secrets, which functions read by name. Of one that was set outside there is
    /// only a stand-in for its value.
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

impl Function {
    /// What the spec's variables begin with: the kind of what they name.
    const NAMING: [&str; 4] = ["TABLE_", "BUCKET_", "SECRET_", "FUNCTION_"];

    /// Live variables, as they may be seen by whoever sees a plan. A variable of the spec's holds the name of a part of
    /// the system with this suffix. Any other value was set outside and may be a secret, so a stand-in takes its place:
    /// it shows whether the value is still the same one, and too little of it to find it by guessing.
    pub fn seen_variables(suffix: &str, live: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
        let is_name = |value: &str| {
            let name = value.strip_suffix(suffix).and_then(|name| name.strip_suffix('-'));
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            name.is_some_and(|name| !name.is_empty() && name.len() < 64 && name.chars().all(plain))
        };
        let seen = |(variable, value): (String, String)| {
            if Self::NAMING.iter().any(|kind| variable.starts_with(kind)) && is_name(&value) {
                return (variable, value);
            }
            let hash = Sha256::digest(&value);
            (variable, format!("{SET_OUTSIDE}, sha256 {:02x}{:02x}…)", hash[0], hash[1]))
        };
        live.into_iter().map(seen).collect()
    }

    /// A variable of whose value there is only a stand-in, which must never be written.
    #[cfg(feature = "aws")]
    fn stand_in(&self) -> Option<&str> {
        self.environment.iter().find(|(_, value)| value.starts_with(SET_OUTSIDE)).map(|(variable, _)| variable.as_str())
    }
}

/// How a stand-in for a value begins.
const SET_OUTSIDE: &str = "(set outside";

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(variable: &str, value: &str) -> String {
        let seen = Function::seen_variables("prod-001", [(variable.to_owned(), value.to_owned())]);
        seen[variable].clone()
    }

    #[test]
    fn only_names_of_the_system_are_seen() {
        for (variable, name) in [("TABLE_PAYMENTS", "payments-prod-001"), ("BUCKET_LOGS", "logs-us-east-1-prod-001")] {
            assert_eq!(seen(variable, name), name);
        }
        for (variable, value) in [
            ("API_KEY", "sk-prod-001"),
            ("SECRET_TOKEN", "live-9f3a-001"),
            ("TABLE_DSN", "user:pw@db-prod-001"),
            ("TABLE_PAYMENTS", "payments"),
            ("EMPTY", ""),
        ] {
            let seen = seen(variable, value);
            assert!(seen.starts_with("(set outside, sha256 ") && seen.len() < 32, "{seen}");
            assert!(value.is_empty() || !seen.contains(value), "{seen}");
        }
    }

    #[test]
    fn another_value_is_another_stand_in() {
        assert_eq!(seen("API_KEY", "one"), seen("API_KEY", "one"));
        assert_ne!(seen("API_KEY", "one"), seen("API_KEY", "two"));
    }

    #[test]
    fn what_the_spec_sets_is_seen_as_it_is() {
        let files = ["specs/production.toml", "specs/encrypted.toml"].map(Into::into);
        let graph = crate::desired::load(&files, &[]).unwrap().graph("123456789012", &BTreeMap::new());
        let functions = graph.iter().filter(|(address, _)| address.kind == Function::KIND);
        let mut variables = 0;
        for (_, node) in functions {
            let set: BTreeMap<String, String> =
                serde_json::from_value(node.properties.get("environment").unwrap().clone()).unwrap();
            variables += set.len();
            assert_eq!(Function::seen_variables("prod-001", set.clone()), set);
        }
        assert!(variables > 0);
    }
}
