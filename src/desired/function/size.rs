//! How much a function may use: AWS bounds the policy of its role and its environment.

use std::collections::BTreeMap;

use super::FunctionSection;
use crate::desired::{CodeHashes, Scope, Spec};
use crate::graph::Region;
use crate::spec::{Problem, Problems};

/// What the inline policies of a role may have together, in characters; white space is not counted, and there is none.
const LONGEST_POLICY: usize = 10_240;

/// A key's ARN is longer than what stands for it before it is known, in each of two statements by less than this.
const KEYS: usize = 100;

/// What the environment of a function may have, as JSON.
const LARGEST_ENVIRONMENT: usize = 4_096;

impl FunctionSection {
    /// Finds what AWS would refuse after half of an apply. Only a spec that is right so far can be measured.
    pub(super) fn check_size(&self, name: &str, spec: &Spec, problems: &mut Problems) {
        if !problems.is_empty() {
            return;
        }
        // Of the account, only the length matters.
        let code = CodeHashes::new();
        let scope = Scope::new(spec, "000000000000", &code);
        let largest = |size: &dyn Fn(&Region) -> usize| spec.regions().iter().map(size).max().unwrap_or_default();
        let policy = largest(&|region| self.policy(region, &scope.suffixed(name), &scope).to_text().len()) + KEYS;
        let environment = largest(&|region| {
            let variables: BTreeMap<_, _> = self.uses.iter().map(|used| used.variable(region, &scope)).collect();
            serde_json::to_string(&variables).map_or(0, |text| text.len())
        });
        for (what, size, most) in [
            ("the policy of the function's role", policy, LONGEST_POLICY),
            ("the function's environment", environment, LARGEST_ENVIRONMENT),
        ] {
            if size > most {
                let message = format!("{what} would have {size} characters, and AWS takes {most}");
                let help = "let it use less, or divide it into several functions";
                problems.push(Problem::new("length", self.at, message).label("uses too much").help(help));
            }
        }
    }
}
