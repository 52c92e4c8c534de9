//! Encryption as DynamoDB describes and takes it.
//!
//! All members are encrypted with customer keys, each with one of its own region, or none of them is. Keys are changed
//! for all members in one call, home among them; only DynamoDB's own key comes back by the table's setting.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{
    ReplicationGroupUpdate, SseDescription, SseSpecification, SseStatus, SseType, TableDescription,
    UpdateReplicationGroupMemberAction,
};

use super::super::Table;
use super::super::aws::{UpdateTable, unbuilt};
use crate::graph::{Failure, Input, Region};

/// The key of each member, as one of them tells it.
pub(in super::super) fn of(home: &Region, table: &TableDescription) -> BTreeMap<Region, Input> {
    let own = table.sse_description().and_then(SseDescription::kms_master_key_arn);
    let own = own.map(|key| (home.clone(), Input::from(key)));
    let others = table
        .replicas()
        .iter()
        .filter_map(|replica| Some((Region::new(replica.region_name()?), Input::from(replica.kms_master_key_id()?))));
    others.chain(own).collect()
}

/// Whether members are being encrypted with another key.
pub(in super::super) fn is_changing(table: &TableDescription) -> bool {
    let status = table.sse_description().and_then(SseDescription::status);
    matches!(status, Some(SseStatus::Enabling | SseStatus::Updating | SseStatus::Disabling))
}

/// What encrypts a new table.
pub(in super::super) fn specification(key: Option<&Input>) -> Option<SseSpecification> {
    key.map(|key| {
        SseSpecification::builder().enabled(true).sse_type(SseType::Kms).kms_master_key_id(key.known()).build()
    })
}

/// The keys of the members that stay, if any of them is to have another one.
pub(in super::super) fn changed(before: &Table, after: &Table) -> Option<BTreeMap<Region, Input>> {
    let stay = || before.regions.intersection(&after.regions);
    let key = |region: &Region| Some((region.clone(), after.encryption.get(region)?.clone()));
    let differs = stay().any(|region| before.encryption.get(region) != after.encryption.get(region));
    differs.then(|| stay().filter_map(key).collect())
}

/// The call that encrypts the members with these keys; without any, with DynamoDB's own.
pub(in super::super) fn change(
    call: UpdateTable,
    home: &Region,
    keys: &BTreeMap<Region, Input>,
) -> Result<UpdateTable, Failure> {
    match keys.len() {
        0 => Ok(call.sse_specification(SseSpecification::builder().enabled(false).build())),
        1 => Ok(call.set_sse_specification(specification(keys.get(home)))),
        _ => keys.iter().try_fold(call, |call, (region, key)| {
            let member = UpdateReplicationGroupMemberAction::builder().region_name(region.as_str());
            let member = member.kms_master_key_id(key.known()).build().map_err(unbuilt)?;
            Ok(call.replica_updates(ReplicationGroupUpdate::builder().update(member).build()))
        }),
    }
}
