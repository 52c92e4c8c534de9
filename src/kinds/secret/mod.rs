//! Secrets Manager secrets with a replica in every other region.
//!
//! drctl makes a secret with a placeholder and never reads, compares or stores its value:
//! that comes from people (`drctl secret set`) or from a rotation, and is not drift.

#[cfg(feature = "aws")]
mod aws;
mod permissions;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::graph::{AnsweredBy, Input, Region, Resource, Tags};

/// The part of a secret that drctl manages. Replicas take description and tags from the home region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Secret {
    /// The same in every region.
    pub name: String,
    /// What the secret is for; empty if nothing is said.
    pub description: String,
    /// Where the secret can be written: the primary when it was made. Secrets Manager never moves it.
    pub home: Region,
    /// Where it can be read, home included.
    pub regions: BTreeSet<Region>,
    /// The ARN of the KMS key that encrypts it in each region; none where it is `aws/secretsmanager`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub encryption: BTreeMap<Region, Input>,
    /// Tags and ownership marks.
    pub tags: Tags,
}

impl Secret {
    /// How long a deletion can be taken back: the longest window that Secrets Manager has.
    pub const RECOVERY_DAYS: i64 = 30;

    /// What a new secret holds until somebody sets its value.
    pub const PLACEHOLDER: &'static str = r#"{"placeholder":"this is no credential; set one with `drctl secret set`"}"#;

    /// The version id of the placeholder: a creation that is repeated makes the same version, and what
    /// still has it as its current version has not been given a value.
    pub fn placeholder_version(name: &str) -> String {
        let hash = Sha256::new().chain_update("drctl placeholder 1\0").chain_update(name).finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether the name ends like an ARN does, in a hyphen and six characters; Secrets Manager
    /// could then take it for another secret's ARN.
    pub fn ends_like_an_arn(name: &str) -> bool {
        name.len() > 7 && name.is_char_boundary(name.len() - 7) && name[name.len() - 7..].starts_with('-')
    }
}

impl Resource for Secret {
    const KIND: &'static str = "secret";
    const FIXED: &'static [&'static str] = &["name"];
    const AT_CREATION: &'static [&'static str] = &["home"];
    const HOLDS_DATA: bool = true;
    const ANSWERED_BY: AnsweredBy = AnsweredBy::EveryRegion;

    fn id(&self) -> Option<String> {
        Some(self.name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Changing it would make a creation that is repeated during an upgrade fail.
    #[test]
    fn the_version_of_the_placeholder_depends_on_the_name_alone() {
        let version = Secret::placeholder_version("payment-api-keys-prod-001");
        assert_eq!(version, Secret::placeholder_version("payment-api-keys-prod-001"));
        assert_ne!(version, Secret::placeholder_version("payment-api-keys-prod-002"));
        assert_eq!(version.len(), 64, "Secrets Manager takes 32 to 64 characters");
    }

    #[test]
    fn a_name_that_ends_like_an_arn_is_told_from_others() {
        assert!(Secret::ends_like_an_arn("payment-api-keys-prod01"));
        for good in ["payment-api-keys-prod-001", "keys-prod1", "keys-prod-01", "-prod01", "keys"] {
            assert!(!Secret::ends_like_an_arn(good), "{good}");
        }
    }
}
