//! What whoever runs drctl on one system needs to be allowed.

use serde_json::json;

use crate::desired::{CodeHashes, Spec};
use crate::graph::{Place, Properties};
use crate::iam::{Policy, System, Task};
use crate::kinds::bucket::Bucket;
use crate::kinds::{self, Permitted, REGISTRY, SYSTEM};
use crate::state;

/// The policy for one task on the system of a spec: its resources by their names, and no others.
pub fn iam_policy(task: Task, spec: &Spec, account: &str) -> Policy {
    let graph = spec.graph(account, &CodeHashes::new());
    let (name, suffix, regions) = (spec.system.name.as_str(), spec.system.suffix.as_str(), spec.regions());
    let system = System { account, name, regions: &regions, suffix, graph: &graph };
    let mut policy = Policy::default();
    policy.allow(SYSTEM.discover, system);
    for kind in &REGISTRY {
        policy.allow(kind.permissions.discover, system);
    }
    for (address, node) in graph.iter() {
        let Some(kind) = kinds::find(&address.kind) else { continue };
        for grants in task.grants(&kind.permissions, kind.meta.holds_data) {
            policy.allow_on(grants, system, &address.place, &node.properties);
        }
    }
    keep_state(&mut policy, task, spec, system);
    policy
}

/// What the state needs that is kept in buckets. They are no system's; who makes them, makes them once.
fn keep_state(policy: &mut Policy, task: Task, spec: &Spec, system: System<'_>) {
    for (region, bucket) in spec.state.buckets(spec) {
        let place = Place::Region(region);
        // To see whether they are as safe as they should be.
        policy.allow_on(Bucket::PERMISSIONS.look, system, &place, &Properties::of(&bucket));
        let properties = Properties::of(&json!({ "bucket": bucket.name }));
        for grants in task.grants(&state::PERMISSIONS, true) {
            policy.allow_on(grants, system, &place, &properties);
        }
    }
}
