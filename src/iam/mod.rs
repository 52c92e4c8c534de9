//! IAM policies of whoever runs drctl: what its calls need to be allowed, and documents that allow no more.
//!
//! A kind says what its calls need beside them ([`Permissions`]); a [`Policy`] fills that in for the resources of
//! one system.

mod permissions;
mod policy;
mod task;
#[cfg(test)]
mod tests;

pub use permissions::{Condition, Grant, Permissions};
pub use policy::{MANAGED_POLICY, Policy, System};
pub use task::Task;
