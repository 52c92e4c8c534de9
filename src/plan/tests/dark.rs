//! What is planned while a place does not answer.

use insta::assert_snapshot;
use serde_json::json;

use super::{SPEC, World, applied, at, nothing, text};
use crate::graph::{Failure, FailureClass, Region, Site};
use crate::kinds;
use crate::plan::{Action, Reason, Sight};

const WEST: &str = "us-west-2";

fn region(name: &str) -> Site {
    Site::Region(Region::new(name))
}

fn spec() -> String {
    let dns = "[dns]\nzone = \"example.com\"\nrecord = \"api\"\nhealth-check = { function = \"pay\" }\n";
    format!("{SPEC}{dns}[state]\nbucket = \"drctl-state\"\n[secret.keys]\n")
}

impl World {
    /// The same world as it is seen while a place does not answer.
    fn without_answer(mut self, site: &Site) -> Self {
        for (address, sight) in &mut self.observed.seen {
            let kind = kinds::find(&address.kind).expect("every address of a test has a kind");
            if kind.meta.answered_by.site(&address.place).as_ref() == Some(site) {
                *sight = Sight::Dark(site.clone());
            }
        }
        let failure = Failure::new(FailureClass::Dark, "Lambda GetFunction", "Connection refused");
        self.observed.dark.insert(site.clone(), failure);
        self
    }
}

#[test]
fn what_a_dark_region_has_is_unknown_and_the_rest_is_in_sync() {
    assert_snapshot!(text(&applied(&spec()).without_answer(&region(WEST)).plan(&spec())), @"
    ! us-west-2 does not answer (Lambda GetFunction: Connection refused)
        us-west-2/function.pay            unknown
        us-west-2/function_url.pay        unknown
        us-west-2/log_group.pay           unknown
        us-west-2/table_replica.payments  unknown

    no changes where AWS answers: 12 resources live as the spec says, 4 left alone
    ");
}

#[test]
fn the_rest_is_planned_as_ever() {
    let changed = spec().replace("\"10s\"", "\"20s\"");
    let world = applied(&spec()).set("us-east-1/log_group.pay", "retention_days", json!(1));
    assert_snapshot!(text(&world.without_answer(&region(WEST)).plan(&changed)), @"
    ~ us-east-1/function.pay   spec changed
        timeout: 10 -> 20
    ~ us-east-1/log_group.pay  drifted: changed outside drctl
        retention_days: 1 -> 30
    ! us-west-2 does not answer (Lambda GetFunction: Connection refused)
        us-west-2/function.pay            unknown
        us-west-2/function_url.pay        unknown
        us-west-2/log_group.pay           unknown
        us-west-2/table_replica.payments  unknown

    0 to create, 2 to update, 0 to replace, 0 to delete, 4 left alone
    ");
}

#[test]
fn iam_and_route_53_are_dark_each_for_itself() {
    assert_snapshot!(text(&applied(&spec()).without_answer(&Site::Iam).plan(&spec())), @"
    ! IAM does not answer (Lambda GetFunction: Connection refused)
        global/role.pay-us-east-1  unknown
        global/role.pay-us-west-2  unknown

    no changes where AWS answers: 14 resources live as the spec says, 2 left alone
    ");
    assert_snapshot!(text(&applied(&spec()).without_answer(&Site::Route53).plan(&spec())), @"
    ! Route 53 does not answer (Lambda GetFunction: Connection refused)
        global/health_check.us-east-1  unknown
        global/health_check.us-west-2  unknown
        global/record.api              unknown
        global/zone.main               unknown

    no changes where AWS answers: 12 resources live as the spec says, 4 left alone
    ");
}

#[test]
fn what_is_in_several_regions_is_not_changed_while_one_is_dark() {
    let changed = spec().replace("[secret.keys]\n", "[secret.keys]\ndescription = \"new\"\n");
    let changed = changed.replace("key = \"id\"\n", "key = \"id\"\nttl = \"expires\"\n");
    assert_snapshot!(text(&applied(&spec()).without_answer(&region(WEST)).plan(&changed)), @"
    ! us-west-2 does not answer (Lambda GetFunction: Connection refused)
        global/secret.keys                waits to be changed: description
        global/table.payments             waits to be changed: ttl
        us-west-2/function.pay            unknown
        us-west-2/function_url.pay        unknown
        us-west-2/log_group.pay           unknown
        us-west-2/table_replica.payments  unknown

    no changes where AWS answers: 10 resources live as the spec says, 6 left alone
    ");
    let plan = applied(&spec()).without_answer(&Site::Iam).plan(&changed);
    assert_eq!(plan.count(Action::Update), 2, "IAM has nothing to do with them");
}

#[test]
fn nothing_that_is_in_several_regions_is_made_while_one_is_dark() {
    let plan = nothing().without_answer(&region(WEST)).plan(&spec());
    for address in ["global/table.payments", "global/secret.keys", "us-east-1/table_replica.payments"] {
        let change = plan.get(&at(address)).unwrap();
        assert_eq!((change.action, change.reason), (Action::NoOp, Reason::WaitsForPlace), "{address}");
    }
    let function = plan.get(&at("us-east-1/function.pay")).unwrap();
    assert_eq!(function.action, Action::Create);
}

#[test]
fn what_comes_from_a_dark_place_stays_as_it_is() {
    let world = || applied(&spec()).without_answer(&region(WEST));
    assert!(!world().with_the_state_lost().plan(&spec()).has_changes());
    let weights = spec().replace("record = \"api\"", "record = \"api\"\nweight = { primary = 0, secondary = 100 }");
    let plan = world().with_the_state_lost().plan(&weights);
    let record = plan.get(&at("global/record.api")).unwrap();
    assert_eq!(record.action, Action::Update, "traffic can be moved all the same");
    assert_eq!(
        record.fields.iter().map(|field| field.path.as_str()).collect::<Vec<_>>(),
        ["sets.us-east-1-t1.weight", "sets.us-west-2-t1.weight"]
    );
}

#[test]
fn what_is_made_anew_takes_what_a_dark_place_told_at_the_last_apply() {
    let world = || applied(&spec()).without("us-east-1/function.pay").without("us-east-1/function_url.pay");
    let plan = world().without_answer(&Site::Iam).plan(&spec());
    let function = plan.get(&at("us-east-1/function.pay")).unwrap();
    assert_eq!(function.action, Action::Create);
    let role = "arn:fake:global:role:pay-us-east-1-t1";
    assert_eq!(function.after.as_ref().unwrap().text("role"), Some(role));

    // Nobody knows, so it waits, and what needs it waits too.
    let plan = world().without_answer(&Site::Iam).with_the_state_lost().plan(&spec());
    for address in ["us-east-1/function.pay", "us-east-1/function_url.pay"] {
        assert_eq!(plan.get(&at(address)).unwrap().reason, Reason::WaitsForPlace, "{address}");
    }
}

#[test]
fn a_new_function_waits_for_its_role_and_not_for_the_other_region() {
    let more = format!("{}[function.audit]\nsource = \"x\"\n", spec());
    let plan = applied(&spec()).without_answer(&Site::Iam).plan(&more);
    assert_eq!(plan.get(&at("us-east-1/function.audit")).unwrap().reason, Reason::WaitsForPlace);
    assert_eq!(plan.get(&at("us-east-1/log_group.audit")).unwrap().action, Action::Create);
    let plan = applied(&spec()).without_answer(&region(WEST)).plan(&more);
    assert_eq!(plan.get(&at("us-east-1/function.audit")).unwrap().action, Action::Create);
    assert_eq!(plan.get(&at("us-west-2/function.audit")).unwrap().reason, Reason::Dark);
}

#[test]
fn what_a_dark_place_may_still_need_is_not_deleted() {
    let less = spec().replace("[function.pay]", "[function.charge]").replace("\"pay\"", "\"charge\"");
    let plan = applied(&spec()).without_answer(&region(WEST)).plan(&less);
    let action = |address: &str| plan.get(&at(address)).unwrap().action;
    assert_eq!(action("global/role.pay-us-west-2"), Action::NoOp, "the function that has it may be there");
    assert_eq!(action("global/role.pay-us-east-1"), Action::Delete);

    // The dark zone's record and check lead to the URL, which needs the function, which needs the role.
    let plan = applied(&spec()).without_answer(&Site::Route53).plan(&less);
    for kept in ["us-east-1/function_url.pay", "us-east-1/function.pay", "global/role.pay-us-east-1"] {
        assert_eq!(plan.get(&at(kept)).unwrap().reason, Reason::WaitsForPlace, "{kept}");
    }
}

#[test]
fn nothing_is_deleted_in_the_dark_of_which_nobody_knows_what_needs_it() {
    let less = SPEC.replace("[function.pay]", "[function.charge]");
    let plan = applied(SPEC).with_the_state_lost().without_answer(&Site::Route53).plan(&less);
    assert_eq!(plan.count(Action::Delete), 0);
}

#[test]
fn what_was_in_a_dark_place_is_not_forgotten() {
    let less = SPEC.replace("[function.pay]", "[function.charge]");
    let plan = applied(SPEC).without_answer(&region(WEST)).plan(&less);
    assert_eq!(plan.count(Action::Forget), 0);
    assert_eq!(plan.get(&at("us-west-2/function.pay")).unwrap().reason, Reason::Dark);
}

#[test]
fn a_destruction_leaves_a_dark_place_and_what_it_needs() {
    let plan = applied(&spec()).without_answer(&region(WEST)).destroy(&spec());
    assert_snapshot!(text(&plan), @"
    - global/health_check.us-east-1  destroy
    - global/health_check.us-west-2  destroy
    - global/record.api              destroy
    - global/role.pay-us-east-1      destroy
    - global/zone.main               destroy
    - us-east-1/function.pay         destroy
    - us-east-1/function_url.pay     destroy
    - us-east-1/log_group.pay        destroy
    ! us-west-2 does not answer (Lambda GetFunction: Connection refused)
        global/role.pay-us-west-2         waits to be deleted
        global/secret.keys                waits to be deleted
        global/table.payments             waits to be deleted
        us-east-1/table_replica.payments  waits to be deleted
        us-west-2/function.pay            unknown
        us-west-2/function_url.pay        unknown
        us-west-2/log_group.pay           unknown
        us-west-2/table_replica.payments  unknown

    0 to create, 0 to update, 0 to replace, 8 to delete, 8 left alone
    ");
}
