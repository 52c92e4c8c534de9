//! What the calls of all kinds need to be allowed, taken together.

use super::{Kind, REGISTRY};
use crate::graph::Resource;
use crate::iam::{Grant, Permissions, Task};

/// A kind that says what its calls need to be allowed.
pub trait Permitted: Resource {
    /// One table for all resources of the kind.
    const PERMISSIONS: Permissions;
}

/// What is asked once for a whole system, and by no kind.
pub const SYSTEM: Permissions =
    Permissions { discover: &[Grant::everywhere(&["tag:GetResources"])], ..Permissions::NONE };

/// The task that needs the least of those that need this action.
pub fn task_needing(action: &str) -> Option<Task> {
    let among = |grants: &[Grant]| grants.iter().any(|grant| grant.actions.contains(&action));
    let discovers = || REGISTRY.iter().map(|kind| kind.permissions.discover).chain([SYSTEM.discover]).any(among);
    let needs = |task: Task, kind: &Kind| task.grants(&kind.permissions, kind.meta.holds_data).into_iter().any(among);
    let needed = |task: &Task| REGISTRY.iter().any(|kind| needs(*task, kind)) || discovers();
    Task::ALL.into_iter().find(needed)
}
