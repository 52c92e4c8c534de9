//! What a plan may not do without being told so.

use insta::assert_snapshot;
use serde_json::json;

use super::{SPEC, World, applied, at, nothing, replan, without_the_function};
use crate::kinds;
use crate::ops;
use crate::plan::guard::{Guard, Refusal, check};
use crate::plan::target::limit;
use crate::plan::{Plan, Sight};
use crate::render::{refusal_next, refusal_text};
use crate::run::fake::System;

/// What the guards of `spec` say of a plan.
fn refusals(plan: &Plan, spec: &str, guard: Guard) -> Vec<Refusal> {
    let own = ops::guard(&System::new(spec).spec, plan);
    check(plan, &Guard { protect: own.protect, sites: own.sites, ..guard }, &kinds::metas())
}

/// What people read of it.
fn told(plan: &Plan, spec: &str) -> String {
    let told = refusals(plan, spec, Guard::default());
    told.iter()
        .map(|refusal| format!("{}\n  {}", refusal_text(refusal), refusal_next(refusal)))
        .collect::<Vec<_>>()
        .join("\n")
}

fn allowing(address: &str) -> Guard {
    Guard { allow: [at(address)].into(), ..Guard::default() }
}

fn rekeyed() -> String {
    SPEC.replace("key = \"id\"", "key = \"number\"")
}

fn with_dns() -> String {
    format!("{SPEC}[dns]\nzone = \"example.com\"\nrecord = \"api\"\nhealth-check = {{ function = \"pay\" }}\n")
}

impl World {
    fn red(mut self, region: &str) -> Self {
        let check = at(&format!("global/health_check.{region}"));
        let Some(Sight::Live(live)) = self.observed.seen.get_mut(&check) else { panic!("there is no check") };
        live.attributes.insert("red".into(), "Failure: HTTP Status Code 503, Service Unavailable".into());
        self
    }
}

#[test]
fn what_is_protected_goes_only_when_its_address_is_allowed() {
    let plan = replan(SPEC, &rekeyed());
    assert_snapshot!(told(&plan, SPEC), @"
    replacing global/table.payments loses its data (key cannot be changed in place), and lifts the deletion protection of us-east-1/table_replica.payments, us-west-2/table_replica.payments
      change the spec back, or add `--allow global/table.payments` if its data may be lost
    ");
    assert_eq!(refusals(&plan, SPEC, allowing("global/table.payments")), []);
    assert_eq!(refusals(&plan, SPEC, allowing("global/table.ledger")).len(), 1);
}

#[test]
fn a_table_that_aws_protects_is_protected_whatever_the_spec_says() {
    let free = format!("{}[guard]\nprotect = []\n", rekeyed());
    let plan = applied(SPEC).plan(&free);
    assert_snapshot!(told(&plan, &free), @"
    replacing global/table.payments loses its data (key cannot be changed in place), and lifts the deletion protection of us-east-1/table_replica.payments, us-west-2/table_replica.payments
      change the spec back, or add `--allow global/table.payments` if its data may be lost
    ");
    assert_eq!(refusals(&plan, &free, allowing("global/table.payments")), []);
    let unprotected = SPEC.to_owned() + "[guard]\nprotect = []\n";
    assert_eq!(refusals(&applied(&unprotected).plan(&free), &free, Guard::default()), []);
}

#[test]
fn what_is_protected_may_be_made_and_changed() {
    let spec = SPEC.replace("key = \"id\"", "key = \"id\"\nttl = \"end\"");
    assert_eq!(refusals(&replan(SPEC, &spec), &spec, Guard::default()), []);
    assert_eq!(refusals(&applied(SPEC).without("global/table.payments").plan(SPEC), SPEC, Guard::default()), []);
}

#[test]
fn a_plan_that_deletes_more_than_it_keeps_is_hardly_meant() {
    let spec = without_the_function();
    let plan = replan(SPEC, spec);
    assert_snapshot!(told(&plan, spec), @"
    this deletes 8 resources and keeps 3: it may not be the right spec
      name the right spec with `-f`, or add `--allow-many-deletes`
    ");
    assert_eq!(refusals(&plan, spec, Guard { allow_many_deletes: true, ..Guard::default() }), []);
}

#[test]
fn what_a_target_leaves_out_is_kept() {
    let spec = without_the_function();
    let plan = limit(&replan(SPEC, spec), &["us-east-1".parse().unwrap()], &kinds::metas()).unwrap();
    assert_eq!(refusals(&plan, spec, Guard::default()), []);
}

#[test]
fn stopping_every_region_at_once_is_refused() {
    let spec = SPEC.replace("timeout", "reserved-concurrency = 0\ntimeout");
    let plan = replan(SPEC, &spec);
    assert_snapshot!(told(&plan, &spec), @"
    no region would take payments: us-east-1/function.pay would be stopped, us-west-2/function.pay would be stopped
      see that another region is well and apply one region at a time with `--target REGION`, or add `--allow us-east-1/function.pay` if payments may stop
    ");
    assert_eq!(refusals(&plan, &spec, allowing("us-west-2/function.pay")), []);
    assert_eq!(refusals(&nothing().plan(&spec), &spec, Guard::default()), [], "nothing takes payments yet");
    assert_eq!(refusals(&applied(&spec).plan(&spec), &spec, Guard::default()), [], "it was so before");
}

#[test]
fn the_only_region_that_is_well_is_not_replaced() {
    let spec = with_dns();
    let world = || applied(&spec).set("us-west-2/function.pay", "name", json!("other-t1"));
    assert_eq!(told(&world().plan(&spec), &spec), "", "the other region goes on");
    assert_snapshot!(told(&world().red("us-east-1").plan(&spec), &spec), @"
    no region would take payments: us-east-1/function.pay has a red health check (Failure: HTTP Status Code 503, Service Unavailable), us-west-2/function.pay goes while us-west-2/function.pay is replaced
      see that another region is well and apply one region at a time with `--target REGION`, or add `--allow us-west-2/function.pay` if payments may stop
    ");
    let stopped = world().set("us-east-1/function.pay", "reserved_concurrency", json!(0));
    assert_snapshot!(told(&stopped.plan(&spec), &spec), @"
    no region would take payments: us-east-1/function.pay is stopped, us-west-2/function.pay goes while us-west-2/function.pay is replaced
      see that another region is well and apply one region at a time with `--target REGION`, or add `--allow us-west-2/function.pay` if payments may stop
    ");
    assert_snapshot!(told(&world().without("us-east-1/function_url.pay").plan(&spec), &spec), @"
    no region would take payments: us-east-1/function.pay is not there, us-west-2/function.pay goes while us-west-2/function.pay is replaced
      see that another region is well and apply one region at a time with `--target REGION`, or add `--allow us-west-2/function.pay` if payments may stop
    ");
}

#[test]
fn a_repair_is_never_refused() {
    let spec = with_dns();
    let world = applied(&spec)
        .red("us-east-1")
        .red("us-west-2")
        .set("us-east-1/function.pay", "name", json!("other-t1"))
        .set("us-west-2/function.pay", "memory", json!(128));
    assert_eq!(told(&world.plan(&spec), &spec), "");
}

#[test]
fn a_region_that_leaves_the_spec_counts_as_long_as_it_takes_payments() {
    let moved = with_dns().replace("us-west-2", "eu-west-1");
    let world = applied(&with_dns()).red("us-east-1");
    assert_snapshot!(told(&world.plan(&moved), &moved), @"
    no region would take payments: eu-west-1/function.pay is not there, us-east-1/function.pay has a red health check (Failure: HTTP Status Code 503, Service Unavailable), us-west-2/function.pay goes with us-west-2/function.pay
      see that another region is well and apply one region at a time with `--target REGION`, or add `--allow us-west-2/function.pay` if payments may stop
    ");
}
