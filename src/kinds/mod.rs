//! The kinds of resource: one folder each, and the registry that lists them.
//!
//! A kind is a struct that serves as both wanted and found, and the AWS calls
//! behind it. Everything else works on the registry and on property trees.

pub mod alarm;
pub mod bucket;
pub mod bucket_replication;
pub mod function;
pub mod function_url;
pub mod health_check;
pub mod key;
pub mod log_group;
#[cfg(feature = "aws")]
mod operations;
mod permitted;
pub mod record;
pub mod role;
pub mod secret;
pub mod subscription;
pub mod table;
pub mod table_replica;
mod target;
#[cfg(all(test, feature = "aws"))]
mod tests;
pub mod topic;
pub mod zone;

#[cfg(feature = "aws")]
pub use operations::{
    Artifacts, Context, Deletion, Everywhere, Found, Lifecycle, Operations, Seen, TagChange, TagSource, each,
};
pub use permitted::{Permitted, SYSTEM, task_needing};
pub use target::{Created, Target};

use crate::graph::Meta;
use crate::iam::Permissions;

/// One line of the registry.
pub struct Kind {
    /// What the kind says about itself.
    pub meta: Meta,
    /// What its calls need to be allowed.
    pub permissions: Permissions,
    /// Its AWS calls, with the type erased.
    #[cfg(feature = "aws")]
    pub operations: &'static dyn Operations,
}

macro_rules! kind {
    ($resource:ty) => {
        Kind {
            meta: Meta::of::<$resource>(),
            permissions: <$resource>::PERMISSIONS,
            #[cfg(feature = "aws")]
            operations: &operations::Typed::<$resource>::NEW,
        }
    };
}

/// Every kind in dependency order: a kind refers only to kinds above it.
pub static REGISTRY: [Kind; 16] = [
    kind!(key::Key),
    kind!(role::Role),
    kind!(log_group::LogGroup),
    kind!(table::Table),
    kind!(table_replica::TableReplica),
    kind!(bucket::Bucket),
    kind!(bucket_replication::BucketReplication),
    kind!(secret::Secret),
    kind!(topic::Topic),
    kind!(subscription::Subscription),
    kind!(function::Function),
    kind!(function_url::FunctionUrl),
    kind!(zone::Zone),
    kind!(health_check::HealthCheck),
    kind!(record::Record),
    kind!(alarm::Alarm),
];

/// What every kind says about itself, in dependency order.
pub fn metas() -> Vec<Meta> {
    REGISTRY.iter().map(|kind| kind.meta).collect()
}

/// The kind of this name.
pub fn find(name: &str) -> Option<&'static Kind> {
    REGISTRY.iter().find(|kind| kind.meta.kind == name)
}
