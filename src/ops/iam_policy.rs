//! What whoever runs drctl on one system needs to be allowed.

use crate::desired::{CodeHashes, Spec};
use crate::iam::{Policy, System, Task};
use crate::kinds::{self, REGISTRY, SYSTEM};

/// The policy for one task on the system of a spec: its resources by their names, and no others.
///
/// What is neither a resource nor asked by a kind, such as the place of the state, joins here.
pub fn iam_policy(task: Task, spec: &Spec, account: &str) -> Policy {
    let graph = spec.graph(account, &CodeHashes::new());
    let (regions, suffix) = (spec.regions(), spec.system.suffix.as_str());
    let system = System { account, regions: &regions, suffix, graph: &graph };
    let mut policy = Policy::default();
    policy.allow(SYSTEM.discover, system);
    for kind in &REGISTRY {
        policy.allow(kind.permissions.discover, system);
    }
    for (address, node) in graph.iter() {
        let Some(kind) = kinds::find(&address.kind) else { continue };
        for grants in task.grants(&kind.permissions, kind.meta.holds_data) {
            policy.allow_on(grants, system, address, node);
        }
    }
    policy
}
