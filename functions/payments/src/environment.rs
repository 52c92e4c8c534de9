//! What a function is told through its environment.

use std::collections::HashMap;

use thiserror::Error;

/// The environment variables of this process, or of a test.
#[derive(Clone, Debug, Default)]
pub struct Environment(HashMap<String, String>);

/// A variable without which a function cannot work.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Missing {
    /// One that Lambda sets.
    #[error("the environment variable {0} is missing, which Lambda sets for every function")]
    Variable(String),
    /// One that drctl sets for a resource that the spec says is used.
    #[error(
        "the environment variable {variable} is missing: drctl sets it when the function's `uses` names `{kind}.{name}`"
    )]
    Resource {
        /// The variable.
        variable: String,
        /// The kind of resource, as in the spec.
        kind: &'static str,
        /// Its name, as in the spec.
        name: &'static str,
    },
}

impl Environment {
    /// The environment of this process. A variable that is not UTF-8 counts as missing.
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// The value of a variable, if it is set and not empty.
    pub fn get(&self, variable: &str) -> Option<&str> {
        self.0.get(variable).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of a variable that Lambda sets.
    pub fn require(&self, variable: &str) -> Result<&str, Missing> {
        self.get(variable).ok_or_else(|| Missing::Variable(variable.into()))
    }

    /// The physical name of a resource that the spec's `uses` table names: `table.payment-transactions` is in
    /// `TABLE_PAYMENT_TRANSACTIONS`.
    pub fn resource(&self, kind: &'static str, name: &'static str) -> Result<&str, Missing> {
        let variable = format!("{kind}_{name}").to_ascii_uppercase().replace('-', "_");
        self.get(&variable).ok_or(Missing::Resource { variable, kind, name })
    }

    /// The same for a resource that a function can do without.
    pub fn resource_if_used(&self, kind: &'static str, name: &'static str) -> Option<&str> {
        self.resource(kind, name).ok()
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_found_under_the_name_it_has_in_the_spec() {
        let environment = Environment::from([("TABLE_PAYMENT_TRANSACTIONS", "payment-transactions-prod-001")]);
        assert_eq!(environment.resource("table", "payment-transactions"), Ok("payment-transactions-prod-001"));
    }

    #[test]
    fn a_resource_that_is_not_used_is_none() {
        let environment = Environment::from([("BUCKET_TRANSACTION_LOGS", "")]);
        assert_eq!(environment.resource_if_used("bucket", "transaction-logs"), None);
    }

    #[test]
    fn a_missing_resource_says_what_the_spec_lacks() {
        let environment = Environment::from([("TABLE_PAYMENT_TRANSACTIONS", "")]);
        assert_eq!(
            environment.resource("table", "payment-transactions").unwrap_err().to_string(),
            "the environment variable TABLE_PAYMENT_TRANSACTIONS is missing: drctl sets it when the function's `uses` \
             names `table.payment-transactions`"
        );
    }
}
