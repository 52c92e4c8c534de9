//! `[table.NAME]`.

use std::collections::BTreeSet;

use super::{PRODUCTION, SPEC, graph, typed};
use crate::graph::Region;
use crate::kinds::table::Table;
use crate::kinds::table_replica::TableReplica;

#[test]
fn a_table_is_a_group_with_a_member_in_each_region() {
    let graph = graph(PRODUCTION);
    let table = typed::<Table>(&graph, "global/table.payment-transactions");
    assert_eq!(table.name, "payment-transactions-prod-001");
    assert_eq!(table.regions, BTreeSet::from([Region::new("us-east-1"), Region::new("us-west-2")]));
    for region in ["us-east-1", "us-west-2"] {
        let member = typed::<TableReplica>(&graph, &format!("{region}/table_replica.payment-transactions"));
        assert!(member.point_in_time_recovery && member.deletion_protection);
        assert_eq!(member.tags, table.tags);
    }
    assert_eq!(table.tags["cost-center"], "payments");
    assert_eq!(table.tags["drctl:address"], "global/table.payment-transactions");
}

#[test]
fn a_table_is_protected_in_dynamodb_only_while_the_guard_names_it() {
    for (guard, protected) in [("", true), ("[guard]\nprotect = []", false), ("[guard]\nprotect = [\"table\"]", true)] {
        let graph = graph(&format!("{SPEC}{guard}"));
        let member = typed::<TableReplica>(&graph, "us-east-1/table_replica.payments");
        assert_eq!(member.deletion_protection, protected, "{guard}");
    }
}
