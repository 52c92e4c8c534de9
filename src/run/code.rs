//! Plans of commands that build no code.

use serde_json::Value;

use crate::graph::{Graph, Resource};
use crate::kinds::function::Function;
use crate::plan::Observation;

/// Wants of every function the code that is live, so that code never shows as a difference, and says so.
pub fn leave_code(desired: &mut Graph, observed: &Observation) {
    let mut functions = 0;
    for (address, node) in desired.iter_mut().filter(|(address, _)| address.kind == Function::KIND) {
        let live = observed.live(address).and_then(|live| live.properties.get(Function::CODE));
        node.properties.set(Function::CODE, live.cloned().unwrap_or_else(|| Value::from("(not built)")));
        functions += 1;
    }
    if functions > 0 {
        desired.warn("the functions' code was not built, and is not compared".into());
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;
    use crate::plan::{Sight, plan};
    use crate::run::fake::{System, with};
    use crate::tests::{SPEC, at, text};

    #[test]
    fn code_that_was_not_built_is_no_difference_and_everything_else_is() {
        let mut system = System::new(SPEC);
        let (mut observed, recorded) = system.applied();
        for (address, field, value) in [
            ("us-east-1/function.pay", "code_sha256", json!("somebody else's")),
            ("us-west-2/function.pay", "memory", json!(1024)),
        ] {
            let Some(Sight::Live(live)) = observed.seen.get_mut(&at(address)) else { panic!("{address} is live") };
            live.properties = with(&live.properties, field, value);
        }
        leave_code(&mut system.graph, &observed);
        let plan = plan(&system.subject(&recorded).basis(&observed));
        assert_snapshot!(text(&plan), @"
        ~ us-west-2/function.pay  drifted: changed outside drctl
            memory: 1024 -> 256

        0 to create, 1 to update, 0 to replace, 0 to delete
        warning: the functions' code was not built, and is not compared
        ");
    }
}
