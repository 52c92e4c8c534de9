//! What whoever reads a plan is told beside the changes.

use insta::assert_snapshot;

use super::{SPEC, applied, order, replan};
use crate::tests::at;

const BUCKET: &str = "[bucket.logs]\n";

fn with(key: &str) -> String {
    format!("{SPEC}{BUCKET}[encryption]\nkey = \"{key}\"\n")
}

#[test]
fn what_is_there_stays_encrypted_as_it_is() {
    assert_snapshot!(replan(&with("aws"), &with("customer")).notices().join("\n"), @"
    us-east-1/bucket.logs, us-west-2/bucket.logs: objects that are there stay encrypted as they are, until they are copied onto themselves
    us-east-1/log_group.pay, us-west-2/log_group.pay: what is logged already stays encrypted as it is
    ");
    let and_back = replan(&with("customer"), &with("retired"));
    assert_eq!(and_back.notices(), replan(&with("aws"), &with("customer")).notices());
    assert_eq!(replan(&with("customer"), &with("customer")).notices(), [""; 0]);
}

#[test]
fn a_key_that_goes_is_told_unless_the_whole_system_does() {
    assert_snapshot!(replan(&with("retired"), &with("aws")).notices().join("\n"), @"global/key.main: cannot be used from then on, and neither can what is still encrypted with it; KMS deletes it 30 days after its replicas, which go after 30 days, and until then a spec that wants it brings it back");
    assert_eq!(applied(&with("customer")).destroy(&with("customer")).notices(), [""; 0]);
}

#[test]
fn a_key_goes_once_nothing_uses_it_any_more_also_if_the_state_is_lost() {
    let waits = |world: super::World| order(&world.plan(&with("aws")));
    let last = |order: String| order.lines().find(|line| line.starts_with("delete")).map(str::to_owned);
    let known = last(waits(applied(&with("customer"))));
    assert_eq!(known, last(waits(applied(&with("customer")).with_the_state_lost())));
    assert_snapshot!(known.unwrap(), @"delete global/key.main after [global/role.logs-replication, global/role.pay-us-east-1, global/role.pay-us-west-2, global/table.payments, us-east-1/bucket.logs, us-east-1/bucket_replication.logs, us-east-1/function.pay, us-east-1/log_group.pay, us-west-2/bucket.logs, us-west-2/bucket_replication.logs, us-west-2/function.pay, us-west-2/log_group.pay]");
}

/// What the change of a bucket, of its replication and of a table wait for.
fn waits(plan: &super::Plan) -> String {
    let shown = ["us-east-1/bucket.logs", "us-east-1/bucket_replication.logs", "global/table.payments"];
    let lines = order(plan);
    let told = lines.lines().filter(|line| shown.iter().any(|address| line.contains(&format!(" {address} after"))));
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn buckets_are_encrypted_with_a_key_once_what_is_encrypted_with_it_is_copied_and_read() {
    assert_snapshot!(waits(&replan(&with("aws"), &with("customer"))), @"
    update global/table.payments after [global/key.main, global/role.pay-us-east-1, global/role.pay-us-west-2]
    update us-east-1/bucket.logs after [global/key.main, us-east-1/bucket_replication.logs, us-west-2/bucket_replication.logs]
    update us-east-1/bucket_replication.logs after [global/key.main, global/role.logs-replication]
    ");
    // Rules that are made anew need the bucket as it is to be.
    let gone = applied(&with("aws")).without("us-east-1/bucket_replication.logs");
    assert_snapshot!(waits(&gone.plan(&with("customer"))), @"
    update global/table.payments after [global/key.main, global/role.pay-us-east-1, global/role.pay-us-west-2]
    update us-east-1/bucket.logs after [global/key.main, us-west-2/bucket_replication.logs]
    create us-east-1/bucket_replication.logs after [global/key.main, global/role.logs-replication, us-east-1/bucket.logs, us-west-2/bucket.logs]
    ");
}

#[test]
fn a_key_that_is_retired_leaves_everything_that_can_read_as_it_is() {
    let plan = replan(&with("customer"), &with("retired"));
    let changed: std::collections::BTreeSet<_> = plan.pending().map(|change| &*change.address.kind).collect();
    assert_eq!(changed, ["bucket", "function", "log_group", "table"].into());
}

#[test]
fn a_new_key_comes_before_whatever_is_encrypted_with_it() {
    let plan = replan(&with("aws"), &with("customer"));
    let key = at("global/key.main");
    let users = plan.pending().filter(|change| change.address != key);
    for user in users {
        assert!(user.waits_for.contains(&key), "{}", user.address);
    }
}
