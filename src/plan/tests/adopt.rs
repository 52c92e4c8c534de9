//! What is adopted, and what is not.

use std::collections::BTreeSet;

use insta::assert_snapshot;
use serde_json::json;

use super::{World, applied};
use crate::graph::{Address, Failure, FailureClass, Owner, Properties, Region, Site};
use crate::plan::{Action, Adoption, Hindrance, Live, Plan, Sight, Stacks, adopt};
use crate::render::{Style, adoption_text, hindrance_next, hindrance_text};
use crate::run::fake::{System, with};
use crate::state::Record;
use crate::tests::{SPEC, at, text};

const DNS: &str = r#"
[function.health]
source = "x"
url = { auth = "none" }
[dns]
zone = "example.com"
record = "api"
health-check = { function = "health" }
"#;

/// The world of `spec` as it would be had somebody made it by hand.
fn by_hand(spec: &str) -> World {
    let mut world = applied(spec).with_the_state_lost();
    for sight in world.observed.seen.values_mut() {
        let Sight::Live(live) = sight else { continue };
        if live.tags().is_some() {
            live.properties = with(&live.properties, "tags", json!({ "team": "payments" }));
        }
        live.properties = with_reference(live);
    }
    world
}

/// A caller reference that is not drctl's, for what has one.
fn with_reference(live: &Live) -> Properties {
    match live.reference() {
        Some(_) => with(&live.properties, "reference", json!("by hand")),
        None => live.properties.clone(),
    }
}

impl World {
    fn tell(mut self, address: &str, attribute: &str, value: &str) -> Self {
        let Some(Sight::Live(live)) = self.observed.seen.get_mut(&at(address)) else { panic!("{address} is live") };
        live.attributes.insert(attribute.into(), value.into());
        self
    }

    fn adopt_with(&self, spec: &str, addresses: &[&str], stacks: Stacks) -> Adoption {
        let system = System::new(spec);
        let asked: BTreeSet<Address> = match addresses {
            [] => system.graph.iter().map(|(address, _)| address.clone()).collect(),
            some => some.iter().map(|address| at(address)).collect(),
        };
        adopt(&self.basis(&system), &asked, stacks)
    }

    fn adopt(&self, spec: &str, addresses: &[&str]) -> Adoption {
        self.adopt_with(spec, addresses, Stacks::Refuse)
    }
}

/// What stands in the way, and what to do about it.
fn hindered(adoption: &Adoption) -> String {
    let line = |(address, hindrance): &(Address, Hindrance)| {
        format!("{}\n  {}\n", hindrance_text(address, hindrance), hindrance_next(address, hindrance))
    };
    adoption.hindrances.iter().map(line).collect()
}

fn shown(adoption: &Adoption) -> String {
    assert_eq!(hindered(adoption), "");
    adoption_text(adoption, Style::PLAIN)
}

#[test]
fn everything_of_the_system_is_adopted_and_what_differs_is_shown() {
    let world = by_hand(SPEC).set("us-west-2/function.pay", "memory", json!(1024));
    assert_snapshot!(shown(&world.adopt(SPEC, &[])), @"
    @ global/role.pay-us-east-1         pay-us-east-1-t1
        tags.team: payments -> (not set)
    @ global/role.pay-us-west-2         pay-us-west-2-t1
        tags.team: payments -> (not set)
    @ global/table.payments             payments-t1
    @ us-east-1/function.pay            pay-t1
        tags.team: payments -> (not set)
    @ us-east-1/function_url.pay        pay-t1
    @ us-east-1/log_group.pay           /aws/lambda/pay-t1
        tags.team: payments -> (not set)
    @ us-east-1/table_replica.payments  payments-t1
        tags.team: payments -> (not set)
    @ us-west-2/function.pay            pay-t1
        memory: 1024 -> 256
        tags.team: payments -> (not set)
    @ us-west-2/function_url.pay        pay-t1
    @ us-west-2/log_group.pay           /aws/lambda/pay-t1
        tags.team: payments -> (not set)
    @ us-west-2/table_replica.payments  payments-t1
        tags.team: payments -> (not set)

    11 to adopt, 8 of them not as the spec says, which is left for the next apply to change
    ");
}

#[test]
fn only_the_marks_are_added() {
    let world = by_hand(SPEC).set("us-west-2/function.pay", "memory", json!(1024));
    let adoption = world.adopt(SPEC, &[]);
    for change in &adoption.plan.changes {
        let (before, after) = (change.before.as_ref().unwrap(), change.after.as_ref().unwrap());
        assert_eq!(change.action, Action::Adopt);
        let others = |properties: &Properties| properties.without(&["tags"]);
        assert_eq!(others(&before.properties), others(after), "{}", change.address);
        let Some(tags) = after.tags().filter(|_| change.address.kind != "table") else { continue };
        assert_eq!(tags["team"], "payments", "{}", change.address);
        assert_eq!(tags.keys().filter(|key| Owner::is_mark(key)).count(), 4, "{}", change.address);
    }
    let marks = |address: &str| {
        let change = adoption.plan.get(&at(address)).unwrap();
        change.after.as_ref().unwrap().tags().unwrap()[Owner::ADDRESS].clone()
    };
    assert_eq!(marks("us-east-1/function.pay"), "us-east-1/function.pay");
    assert_eq!(marks("us-east-1/table_replica.payments"), "global/table.payments", "as it would have been made");
}

#[test]
fn an_address_is_adopted_with_its_parts_and_nothing_else() {
    let world = by_hand(SPEC);
    assert_snapshot!(shown(&world.adopt(SPEC, &["us-east-1/function.pay"])), @"
    @ us-east-1/function.pay      pay-t1
        tags.team: payments -> (not set)
    @ us-east-1/function_url.pay  pay-t1

    2 to adopt, 1 of them not as the spec says, which is left for the next apply to change
    ");
    assert_snapshot!(shown(&world.adopt(SPEC, &["global/table.payments"])), @"
    @ global/table.payments             payments-t1
    @ us-east-1/table_replica.payments  payments-t1
        tags.team: payments -> (not set)
    @ us-west-2/table_replica.payments  payments-t1
        tags.team: payments -> (not set)

    3 to adopt, 2 of them not as the spec says, which is left for the next apply to change
    ");
}

#[test]
fn a_part_is_adopted_with_its_whole_only() {
    let world = by_hand(SPEC);
    assert_snapshot!(hindered(&world.adopt(SPEC, &["us-east-1/function_url.pay"])), @"
    us-east-1/function_url.pay is part of us-east-1/function.pay
      run `drctl adopt us-east-1/function.pay`, which takes its parts along
    ");
    assert_snapshot!(hindered(&world.adopt(SPEC, &["us-east-1/table_replica.payments"])), @"
    us-east-1/table_replica.payments is part of global/table.payments
      run `drctl adopt global/table.payments`, which takes its parts along
    ");
}

#[test]
fn what_is_ours_or_not_there_is_told() {
    let adoption = applied(SPEC)
        .without("us-west-2/function.pay")
        .adopt(SPEC, &["us-east-1/function.pay", "us-west-2/function.pay"]);
    assert_eq!(adoption.ours, [at("us-east-1/function.pay")].into());
    assert_eq!(adoption.absent, [at("us-west-2/function.pay")].into());
    assert_snapshot!(shown(&adoption), @"nothing to adopt");
}

#[test]
fn what_carries_the_marks_of_another_system_is_refused_once() {
    let marks = json!({ "drctl:system": "dr", "drctl:suffix": "t2" });
    let world = by_hand(SPEC).set("us-east-1/function.pay", "tags", marks);
    assert_snapshot!(hindered(&world.adopt(SPEC, &[])), @"
    us-east-1/function.pay belongs to another system (dr, suffix t2)
      leave it to that system, or choose another `suffix` in `[system]`
    ");
}

#[test]
fn what_a_stack_has_made_is_adopted_only_if_the_stack_retains_it() {
    let world = by_hand(SPEC).tell("us-east-1/function.pay", Live::STACK, "dr-primary");
    let asked = ["us-east-1/function.pay"];
    assert_snapshot!(hindered(&world.adopt(SPEC, &asked)), @"
    us-east-1/function.pay was made by the CloudFormation stack dr-primary, which would take it along when it goes
      give everything in the stack dr-primary `DeletionPolicy: Retain`, update the stack, and add `--stack-retained`
    ");
    assert_snapshot!(shown(&world.adopt_with(SPEC, &asked, Stacks::Retained)), @"
    @ us-east-1/function.pay      pay-t1, made by the stack dr-primary
        tags.team: payments -> (not set)
    @ us-east-1/function_url.pay  pay-t1

    2 to adopt, 1 of them not as the spec says, which is left for the next apply to change
    ");
}

#[test]
fn so_is_a_part_that_a_stack_has_made() {
    let part = "us-west-2/table_replica.payments";
    let world = applied(SPEC).set(part, "tags", json!({})).tell(part, Live::STACK, "dr-replica");
    assert_snapshot!(hindered(&world.adopt(SPEC, &["global/table.payments"])), @"
    us-west-2/table_replica.payments was made by the CloudFormation stack dr-replica, which would take it along when it goes
      give everything in the stack dr-replica `DeletionPolicy: Retain`, update the stack, and add `--stack-retained`
    ");
    assert_eq!(world.adopt_with(SPEC, &["global/table.payments"], Stacks::Retained).plan.changes.len(), 1);
}

#[test]
fn a_name_that_shows_another_system_is_never_adopted() {
    let spec = format!("{SPEC}{DNS}").replace("record = \"api\"", "record = \"api\"\ncreate-zone = false");
    let world = applied(&spec).tell("global/record.api", Live::UNMARKED, "it is");
    let mut world = world.tell("global/record.api", Live::ANOTHERS, "dr, suffix t2");
    let record = world.recorded.resources.get_mut(&at("global/record.api")).unwrap();
    *record = Record { adopted: true, ..record.clone() };
    assert_eq!(world.plan(&spec).conflicts[0].belongs_to.as_deref(), Some("dr, suffix t2"));
    assert_snapshot!(hindered(&world.adopt(&spec, &["global/record.api"])), @"
    global/record.api belongs to another system (dr, suffix t2)
      leave it to that system, or choose another `suffix` in `[system]`
    ");
}

#[test]
fn what_would_be_replaced_afterwards_is_refused() {
    let world = by_hand(SPEC).set("global/table.payments", "key", json!({ "partition": "other", "sort": null }));
    assert_snapshot!(hindered(&world.adopt(SPEC, &["global/table.payments"])), @"
    global/table.payments cannot become what the spec says without being replaced (key)
      change the spec to what `drctl observe global/table.payments` shows, or remove it yourself if nobody needs it
    ");
}

#[test]
fn a_record_needs_its_zone_with_it() {
    let spec = format!("{SPEC}{DNS}");
    let unmarked = by_hand(&spec).tell("global/record.api", Live::UNMARKED, "it is");
    let asked = ["global/record.api"];
    assert_snapshot!(hindered(&unmarked.without("global/zone.main").adopt(&spec, &asked)), @"
    global/record.api cannot become what the spec says without being replaced (zone)
      name global/zone.main as well, so that they are adopted together
    ");
}

#[test]
fn of_several_that_it_could_be_none_is_adopted() {
    let spec = format!("{SPEC}{DNS}");
    let world = by_hand(&spec);
    let live = world.observed.live(&at("global/zone.main")).unwrap().clone();
    let world = world.look("global/zone.main::Z2", Sight::Live(Live { id: "Z2".into(), ..live }));
    assert_snapshot!(hindered(&world.adopt(&spec, &["global/zone.main"])), @"
    global/zone.main could be any of 2 live ones (drctl/8d9dc3cdf029/zone.main/0, Z2)
      remove all but one of them, or leave them: `drctl apply` makes its own
    ");
}

#[test]
fn a_name_with_nothing_of_ours_is_a_conflict_until_it_is_adopted() {
    let spec = format!("{SPEC}{DNS}").replace("record = \"api\"", "record = \"api\"\ncreate-zone = false");
    let mut world = applied(&spec).tell("global/record.api", Live::UNMARKED, "it is");
    let plan = Plan { warnings: Vec::new(), ..world.plan(&spec) };
    assert_snapshot!(text(&plan), @"! global/record.api  `existing/example.com/api.example.com` exists already and carries none of drctl's marks");
    assert!(world.destroy(&spec).pending().all(|change| change.address.kind != "record"));

    let adoption = world.adopt(&spec, &["global/record.api"]);
    assert_snapshot!(shown(&adoption), @"
    @ global/record.api  existing/example.com/api.example.com

    1 to adopt, all of it live as the spec says
    ");
    let record = world.recorded.resources.get_mut(&at("global/record.api")).unwrap();
    *record = Record { adopted: true, ..record.clone() };
    assert_eq!(text(&world.plan(&spec)), text(&applied(&spec).plan(&spec)));
}

#[test]
fn what_cannot_be_read_is_not_adopted() {
    let failure = Failure::new(FailureClass::Denied, "lambda:GetFunction", "no");
    let adoption = by_hand(SPEC)
        .look("us-east-1/function.pay", Sight::Failed(failure))
        .adopt(SPEC, &["us-east-1/function.pay", "us-west-2/function.pay"]);
    assert_eq!(adoption.plan.failures.len(), 1);
    let mut world = by_hand(SPEC);
    let west = Site::Region(Region::new("us-west-2"));
    world.observed.dark.insert(west, Failure::new(FailureClass::Dark, "lambda:GetFunction", "no answer"));
    assert_eq!(world.adopt(SPEC, &["us-east-1/function.pay"]).plan.dark.len(), 0);
    assert_eq!(world.adopt(SPEC, &["global/table.payments"]).plan.dark.len(), 1, "it is in both regions");
}

#[test]
fn what_was_adopted_differs_and_nobody_has_changed_it() {
    let mut world = applied(SPEC).set("us-east-1/function.pay", "memory", json!(512));
    let live = world.observed.live(&at("us-east-1/function.pay")).unwrap().properties.fingerprint();
    let record = world.recorded.resources.get_mut(&at("us-east-1/function.pay")).unwrap();
    *record = Record { adopted: true, fingerprint: live, ..record.clone() };
    assert_snapshot!(text(&world.plan(SPEC)), @"
    ~ us-east-1/function.pay  differs from the spec
        memory: 512 -> 256

    0 to create, 1 to update, 0 to replace, 0 to delete
    ");
    assert!(crate::plan::drift(&world.basis(&System::new(SPEC))).drifted.is_empty());
}
