//! What a plan may not do without being told so.

use insta::assert_snapshot;
use serde_json::json;

use super::{SPEC, World, applied, at, nothing, without_the_function};
use crate::graph::{Failure, FailureClass};
use crate::kinds;
use crate::ops;
use crate::plan::guard::{Guard, Refusal, check};
use crate::plan::target::limit;
use crate::plan::{Plan, Sight};
use crate::render::{refusal_next, refusal_text};
use crate::run::fake::System;

/// A plan, and the world and the spec that it was made from.
struct Made {
    plan: Plan,
    world: World,
    spec: String,
}

fn made(world: World, spec: &str) -> Made {
    Made { plan: world.plan(spec), world, spec: spec.to_owned() }
}

impl Made {
    /// What the guards say of it.
    fn refusals(&self, guard: Guard) -> Vec<Refusal> {
        let own = ops::guard(&System::new(&self.spec).spec, &self.world.observed);
        let guard = Guard { protect: own.protect, sites: own.sites, unwanted: own.unwanted, ..guard };
        check(&self.plan, &guard, &self.world.observed, &kinds::metas())
    }

    /// What people read of it.
    fn told(&self) -> String {
        let told = self.refusals(Guard::default());
        let lines = told.iter().map(|refusal| format!("{}\n  {}", refusal_text(refusal), refusal_next(refusal)));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn limited(self, target: &str) -> Self {
        Self { plan: limit(&self.plan, &[target.parse().unwrap()], &kinds::metas()).unwrap(), ..self }
    }
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
    let made = made(applied(SPEC), &rekeyed());
    assert_snapshot!(made.told(), @"
    replacing global/table.payments loses its data (key cannot be changed in place), and lifts the deletion protection of us-east-1/table_replica.payments, us-west-2/table_replica.payments
      change the spec back, or add `--allow global/table.payments` if its data may be lost
    ");
    assert_eq!(made.refusals(allowing("global/table.payments")), []);
    assert_eq!(made.refusals(allowing("global/table.ledger")).len(), 1);
}

#[test]
fn a_table_that_aws_protects_is_protected_whatever_the_spec_says() {
    let free = format!("{}[guard]\nprotect = []\n", rekeyed());
    let protected = made(applied(SPEC), &free);
    assert_snapshot!(protected.told(), @"
    replacing global/table.payments loses its data (key cannot be changed in place), and lifts the deletion protection of us-east-1/table_replica.payments, us-west-2/table_replica.payments
      change the spec back, or add `--allow global/table.payments` if its data may be lost
    ");
    assert_eq!(protected.refusals(allowing("global/table.payments")), []);
    assert_eq!(made(applied(&format!("{SPEC}[guard]\nprotect = []\n")), &free).told(), "");
}

#[test]
fn what_is_protected_may_be_made_and_changed() {
    assert_eq!(made(applied(SPEC), &SPEC.replace("key = \"id\"", "key = \"id\"\nttl = \"end\"")).told(), "");
    assert_eq!(made(applied(SPEC).without("global/table.payments"), SPEC).told(), "");
}

#[test]
fn a_plan_that_deletes_more_than_it_keeps_is_hardly_meant() {
    let made = made(applied(SPEC), without_the_function());
    assert_snapshot!(made.told(), @"
    this deletes 8 resources and keeps 3: it may not be the right spec
      name the right spec with `-f`, or add `--allow-many-deletes`
    ");
    assert_eq!(made.refusals(Guard { allow_many_deletes: true, ..Guard::default() }), []);
    assert_eq!(made.limited("us-east-1").told(), "", "what a target leaves out is kept");
}

#[test]
fn stopping_every_region_at_once_is_refused() {
    let spec = SPEC.replace("timeout", "reserved-concurrency = 0\ntimeout");
    let both = made(applied(SPEC), &spec);
    assert_snapshot!(both.told(), @"
    no region would take payments: us-east-1/function.pay is stopped by this, us-west-2/function.pay is stopped by this
      see that another region is well and apply one region at a time with `--target REGION`, or add `--allow us-east-1/function.pay` if payments may stop
    ");
    assert_eq!(both.refusals(allowing("us-west-2/function.pay")), []);
    assert_eq!(both.limited("us-west-2").told(), "", "the other region goes on");
    assert_eq!(made(nothing(), &spec).told(), "", "nothing takes payments yet");
    assert_eq!(made(applied(&spec), &spec).told(), "", "it was so before");
}

#[test]
fn a_region_that_is_left_out_counts_as_it_is() {
    let spec = SPEC.replace("timeout", "reserved-concurrency = 0\ntimeout");
    let stopped = || applied(SPEC).set("us-east-1/function.pay", "reserved_concurrency", json!(0));
    assert_snapshot!(made(stopped(), &spec).limited("us-west-2/function.pay").told(), @"
    no region would take payments: us-east-1/function.pay is stopped, us-west-2/function.pay is stopped by this
      see that another region is well and apply one region at a time with `--target REGION`, or add `--allow us-west-2/function.pay` if payments may stop
    ");
    let unknown = Sight::Failed(Failure::new(FailureClass::Unreachable, "lambda:GetFunction", "no answer"));
    let unread = applied(SPEC).look("us-east-1/function.pay", unknown);
    assert_snapshot!(made(unread, &spec).limited("us-west-2/function.pay").told(), @"
    no region would take payments: us-east-1/function.pay cannot be read, us-west-2/function.pay is stopped by this
      see that another region is well and apply one region at a time with `--target REGION`, or add `--allow us-west-2/function.pay` if payments may stop
    ");
}

#[test]
fn the_only_region_that_is_well_is_not_replaced() {
    let spec = with_dns();
    let world = || applied(&spec).set("us-west-2/function.pay", "name", json!("other-t1"));
    assert_eq!(made(world(), &spec).told(), "", "the other region goes on");
    assert_snapshot!(made(world().red("us-east-1"), &spec).told(), @"
    no region would take payments: us-east-1/function.pay has a red health check (Failure: HTTP Status Code 503, Service Unavailable), us-west-2/function.pay is replaced
      see that another region is well and apply one region at a time with `--target REGION`, or add `--allow us-west-2/function.pay` if payments may stop
    ");
    assert_snapshot!(made(world().without("us-east-1/function_url.pay"), &spec).told(), @"
    no region would take payments: us-east-1/function_url.pay is not there, us-west-2/function.pay is replaced
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
    assert_eq!(made(world, &spec).told(), "");
}

#[test]
fn a_region_that_leaves_the_spec_counts_as_long_as_it_takes_payments() {
    let moved = with_dns().replace("us-west-2", "eu-west-1");
    assert_snapshot!(made(applied(&with_dns()).red("us-east-1"), &moved).told(), @"
    no region would take payments: us-east-1/function.pay has a red health check (Failure: HTTP Status Code 503, Service Unavailable), us-west-2/function.pay is deleted
      see that another region is well and apply one region at a time with `--target REGION`, or add `--allow us-west-2/function.pay` if payments may stop
    ");
}

fn with_a_key(key: &str) -> String {
    format!("{SPEC}[encryption]\nkey = \"{key}\"\n")
}

#[test]
fn a_key_is_not_taken_from_what_still_is_encrypted_with_it() {
    let straight = made(applied(&with_a_key("customer")), &with_a_key("aws"));
    assert_snapshot!(straight.told(), @r#"
    deleting global/key.main loses its data
      change the spec back, or add `--allow global/key.main` if its data may be lost
    this takes global/key.main from what still uses it: global/table.payments, us-east-1/function.pay, us-east-1/log_group.pay, us-west-2/function.pay, us-west-2/log_group.pay
      apply `[encryption] key = "retired"` first: what is stored goes over to other keys, and this one can be used until that is done
    "#);
    assert!(matches!(straight.refusals(allowing("global/key.main"))[..], [Refusal::InUse { .. }]));
    // Also where the key itself stays: in a part of the plan, or while a region is dark.
    let part = straight.limited("us-east-1/function.pay").refusals(Guard::default());
    assert!(
        matches!(&part[..], [Refusal::InUse { users, .. }] if users.contains(&at("global/table.payments"))),
        "{part:?}"
    );
    let retired = made(applied(&with_a_key("retired")), &with_a_key("aws"));
    assert_eq!(retired.refusals(allowing("global/key.main")), []);
}
