//! IAM roles with one inline policy.
//!
//! drctl owns the role whole: a policy that somebody else adds to it widens what
//! the function may do, so foreign inline and attached policies are drift.

#[cfg(feature = "aws")]
mod aws;
mod permissions;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::graph::{AnsweredBy, Document, Lag, Resource, Tags};

/// The part of an IAM role that drctl manages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Role {
    /// Unique in the account, at most 64 characters.
    pub name: String,
    /// What the role is for. Written once: the call that reads all roles at a time does not tell it.
    pub description: String,
    /// Who may assume it.
    pub trust: Document,
    /// Inline policies by name.
    pub policies: BTreeMap<String, Document>,
    /// ARNs of attached managed policies, sorted. drctl attaches none.
    pub attached: Vec<String>,
    /// Tags and ownership marks.
    pub tags: Tags,
}

impl Role {
    /// The name of the inline policy that drctl writes.
    pub const POLICY: &'static str = "least-privilege";
}

impl Resource for Role {
    const KIND: &'static str = "role";
    const FIXED: &'static [&'static str] = &["name"];
    const AT_CREATION: &'static [&'static str] = &["description"];
    const DOCUMENTS: &'static [&'static str] = &["trust", "policies"];
    const ANSWERED_BY: AnsweredBy = AnsweredBy::Iam;
    /// IAM takes up to so long, as a rule, to tell every region; AWS gives no bound.
    const LAG: Option<Lag> = Some(Lag { of: &["trust", "policies", "attached"], time: Duration::from_secs(15) });

    fn id(&self) -> Option<String> {
        Some(self.name.clone())
    }
}
