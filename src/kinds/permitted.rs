//! What the calls of all kinds need to be allowed, taken together.

use super::{Kind, REGISTRY};
use crate::graph::Resource;
use crate::iam::{Grant, Permissions, Task};
use crate::state;

/// A kind that says what its calls need to be allowed.
pub trait Permitted: Resource {
    /// One table for all resources of the kind.
    const PERMISSIONS: Permissions;
}

/// What is asked once for a whole system, and by no kind.
pub const SYSTEM: Permissions =
    Permissions { discover: &[Grant::everywhere(&["tag:GetResources"])], ..Permissions::NONE };

/// The task whose policy has this action: the one at work if its policy has it, else the first that has.
pub fn task_needing(action: &str, at_work: Task) -> Option<Task> {
    let among = |grants: &[Grant]| grants.iter().any(|grant| grant.actions.contains(&action));
    let discovers = || REGISTRY.iter().map(|kind| kind.permissions.discover).chain([SYSTEM.discover]).any(among);
    let needs = |task: Task, kind: &Kind| task.grants(&kind.permissions, kind.meta.holds_data).into_iter().any(among);
    let keeps = |task: Task| task.grants(&state::PERMISSIONS, true).into_iter().any(among);
    let needed = |task: &Task| REGISTRY.iter().any(|kind| needs(*task, kind)) || keeps(*task) || discovers();
    [at_work].into_iter().chain(Task::ALL).find(needed)
}
