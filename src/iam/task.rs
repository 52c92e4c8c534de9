//! Who wants to do what.

use std::fmt;

use super::permissions::{Grant, Permissions};

/// Commands that need to be allowed the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// To look: `plan`, `drift`, `observe`, `output` and the like.
    Plan,
    /// To make AWS as the spec says, and to adopt. Deleting what holds data is not part of it.
    Apply,
    /// What operators do past the spec: values of secrets, a stopped function, moved traffic.
    Operate,
    /// To delete everything.
    Destroy,
}

impl Task {
    /// In the order in which people come to need them.
    pub const ALL: [Self; 4] = [Self::Plan, Self::Apply, Self::Operate, Self::Destroy];

    /// How it is called on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Task::Plan => "plan",
            Task::Apply => "apply",
            Task::Operate => "operate",
            Task::Destroy => "destroy",
        }
    }

    /// What it needs for a resource of a kind with these permissions.
    pub fn grants(self, permissions: &Permissions, holds_data: bool) -> Vec<&'static [Grant]> {
        let Permissions { look, change, remove, operate, .. } = *permissions;
        match self {
            Task::Plan => vec![look],
            Task::Apply if holds_data => vec![look, change],
            Task::Apply => vec![look, change, remove],
            Task::Operate => vec![look, operate],
            Task::Destroy => vec![look, remove],
        }
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
