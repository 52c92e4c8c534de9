//! What is looked for, and what a creation leaves.

use crate::graph::{Address, Attributes};

/// One resource to look for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Its address.
    pub address: Address,
    /// What AWS knows it by.
    pub id: String,
}

/// What a creation leaves to be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// What AWS knows the resource by.
    pub id: String,
    /// What others may refer to.
    pub attributes: Attributes,
}
