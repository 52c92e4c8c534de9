//! What the tests of several floors start with: a small system, and a plan as people see it.

use crate::graph::Address;
use crate::plan::Plan;
use crate::render::{Style, plan_text};

/// A table, and a function that writes to it and that anybody may call.
pub(crate) const SPEC: &str = r#"
schema = 1
[system]
name = "dr"
environment = "test"
suffix = "t1"
[region]
primary = "us-east-1"
secondary = "us-west-2"
[table.payments]
key = "id"
[function.pay]
source = "x"
timeout = "10s"
url = { auth = "none" }
uses = { table.payments = "write" }
"#;

/// An address as it is written.
#[track_caller]
pub(crate) fn at(address: &str) -> Address {
    address.parse().unwrap()
}

/// The plan without colours.
pub(crate) fn text(plan: &Plan) -> String {
    plan_text(plan, Style::PLAIN)
}
