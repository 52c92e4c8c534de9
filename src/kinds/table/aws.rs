//! The DynamoDB calls behind [`Table`].
//!
//! `UpdateTable` takes one concern a call, and one change of a global table runs
//! at a time; so an update is a list of calls with a wait between each.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, CreateGlobalSecondaryIndexAction, CreateReplicationGroupMemberAction,
    DeleteGlobalSecondaryIndexAction, DeleteReplicationGroupMemberAction, GlobalSecondaryIndex,
    GlobalSecondaryIndexUpdate, IndexStatus, KeySchemaElement, KeyType, Projection, ProjectionType, ReplicaStatus,
    ReplicationGroupUpdate, ScalarAttributeType, StreamSpecification, StreamViewType, TableDescription, TableStatus,
    TimeToLiveSpecification, TimeToLiveStatus,
};

use super::encryption;
use super::member::{api_tags, describe, tags};
use super::{Table, TableKey};
use crate::aws::{Arn, Call, Look, Transient, Wait, given, poll, retry};
use crate::graph::{Attributes, Failure, FailureClass, Region};
use crate::kinds::{Context, Created, Everywhere, Found, Lifecycle, Seen, Target, each};

/// One change of a global table at a time, and none while a replica or an index settles.
const BUSY: &[Transient] = &[
    ("ResourceInUseException", ""),
    ("LimitExceededException", "simultaneously"),
    ("LimitExceededException", "tags are being updated"),
    ("ValidationException", "replica server-side encryption status is in UPDATING"),
    ("ValidationException", "not allowed while the replica is being added"),
];

/// Bounds of HashiCorp's provider: a replica of a table with data takes ten minutes, and may take more.
const CHANGED_WITHIN: Duration = Duration::from_secs(1_800);

impl Lifecycle for Table {
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        each(targets, |id| async move { read(cx, &id).await }).await
    }

    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        let home = &self.home;
        let dynamodb = &cx.region(home)?.dynamodb;
        let indexes: Vec<_> = self.indexes.iter().map(|(name, key)| index(name, key)).collect::<Result<_, _>>()?;
        let create = || async {
            dynamodb
                .create_table()
                .table_name(&self.name)
                .set_attribute_definitions(Some(attribute_definitions(self)?))
                .set_key_schema(Some(key_schema(&self.key)?))
                .billing_mode(BillingMode::from(self.billing.as_str()))
                .set_global_secondary_indexes((!indexes.is_empty()).then(|| indexes.clone()))
                .set_stream_specification(self.stream.as_deref().map(stream).transpose()?)
                .set_sse_specification(encryption::specification(self.encryption.get(home)))
                .set_tags(Some(api_tags(&self.tags)?))
                .send()
                .await
                .call("dynamodb:CreateTable")
        };
        let busy = &[("LimitExceededException", "simultaneously")];
        let answer = retry(cx.within(CHANGED_WITHIN), busy, create).await?;
        settled(cx, home, &self.name).await?;
        for region in self.regions.iter().filter(|region| *region != home) {
            add_member(cx, home, self, region).await?;
        }
        if let Some(attribute) = &self.ttl {
            put_ttl(cx, home, &self.name, attribute, true).await?;
        }
        let arn = answer.table_description.and_then(|table| table.table_arn);
        let arn = arn.ok_or_else(|| Failure::malformed("dynamodb:CreateTable", "no ARN in the answer"))?;
        Ok(Created {
            id: self.name.clone(),
            attributes: Attributes::from([("name".into(), self.name.clone()), ("arn".into(), arn)]),
        })
    }

    async fn update(before: &Self, after: &Self, cx: Context<'_>) -> Result<(), Failure> {
        let home = home(cx, &after.name).await?;
        // New members come with keys of their own, which the others have to have before.
        if let Some(keys) = encryption::changed(before, after) {
            update(cx, &home, &after.name, |call| encryption::change(call, &home, &keys)).await?;
        }
        if before.billing != after.billing {
            update(cx, &home, &after.name, |call| Ok(call.billing_mode(BillingMode::from(after.billing.as_str()))))
                .await?;
        }
        if before.stream != after.stream {
            let specification = after.stream.as_deref().map_or_else(no_stream, stream)?;
            update(cx, &home, &after.name, |call| Ok(call.stream_specification(specification.clone()))).await?;
        }
        for region in after.regions.difference(&before.regions) {
            add_member(cx, &home, after, region).await?;
        }
        for name in
            before.indexes.iter().filter(|(name, key)| after.indexes.get(*name) != Some(key)).map(|(name, _)| name)
        {
            let delete = DeleteGlobalSecondaryIndexAction::builder().index_name(name).build().map_err(unbuilt)?;
            let change = GlobalSecondaryIndexUpdate::builder().delete(delete).build();
            update(cx, &home, &after.name, |call| Ok(call.global_secondary_index_updates(change.clone()))).await?;
        }
        for (name, key) in after.indexes.iter().filter(|(name, key)| before.indexes.get(*name) != Some(key)) {
            let create = CreateGlobalSecondaryIndexAction::builder()
                .index_name(name)
                .set_key_schema(Some(key_schema(key)?))
                .projection(all_attributes());
            let change = GlobalSecondaryIndexUpdate::builder().create(create.build().map_err(unbuilt)?).build();
            let definitions = attribute_definitions(after)?;
            update(cx, &home, &after.name, |call| {
                Ok(call
                    .set_attribute_definitions(Some(definitions.clone()))
                    .global_secondary_index_updates(change.clone()))
            })
            .await?;
        }
        if before.ttl != after.ttl {
            if let Some(attribute) = &before.ttl {
                put_ttl(cx, &home, &after.name, attribute, false).await?;
            }
            if let Some(attribute) = &after.ttl {
                put_ttl(cx, &home, &after.name, attribute, true).await?;
            }
        }
        for region in before.regions.difference(&after.regions) {
            remove_member(cx, &home, &after.name, region).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        let home = match home(cx, &self.name).await {
            Ok(home) => home,
            Err(failure) if failure.class == FailureClass::NotFound => return Ok(()),
            Err(failure) => return Err(failure),
        };
        // The home region served as source of the replicas, so for 24 hours it can go only after them.
        for region in self.regions.iter().filter(|region| **region != home) {
            remove_member(cx, &home, &self.name, region).await?;
        }
        let dynamodb = &cx.region(&home)?.dynamodb;
        retry(cx.within(CHANGED_WITHIN), BUSY, || async {
            dynamodb.delete_table().table_name(&self.name).send().await.gone("dynamodb:DeleteTable")
        })
        .await?;
        gone(cx, &home, &self.name).await
    }

    fn id_in(arn: &Arn<'_>) -> Option<String> {
        (arn.service == "dynamodb").then(|| arn.resource.strip_prefix("table/").map(str::to_owned)).flatten()
    }
}

/// The members as the regions show them, the oldest first: that one is home, where the replicas were made from.
async fn members(cx: Context<'_>, name: &str) -> Result<Everywhere<TableDescription>, Failure> {
    let Everywhere { mut seen, dark } = cx.look_everywhere(|region| describe(cx, region, name)).await?;
    seen.retain(|(_, table)| table.table_status() != Some(&TableStatus::Deleting));
    if seen.iter().any(|(_, table)| table.creation_date_time.is_none()) {
        return Err(Failure::malformed("dynamodb:DescribeTable", "no CreationDateTime in the answer"));
    }
    seen.sort_by_key(|(region, table)| {
        (table.creation_date_time().map(aws_smithy_types::DateTime::as_nanos), region.clone())
    });
    Ok(Everywhere { seen, dark })
}

/// Where changes begin. While a region is dark nobody can tell, and nothing is changed.
async fn home(cx: Context<'_>, name: &str) -> Result<Region, Failure> {
    let Everywhere { seen, dark } = members(cx, name).await?;
    if let Some(failure) = dark {
        return Err(failure);
    }
    seen.into_iter().next().map(|(region, _)| region).ok_or_else(|| {
        Failure::new(FailureClass::NotFound, "dynamodb:DescribeTable", format!("the table {name} is in no region"))
    })
}

async fn read(cx: Context<'_>, name: &str) -> Result<Option<Found<Table>>, Failure> {
    let Everywhere { seen, dark } = members(cx, name).await?;
    let Some((home, table)) = seen.first() else { return dark.map_or(Ok(None), Err) };
    let arn = table.table_arn().ok_or_else(|| Failure::malformed("dynamodb:DescribeTable", "no ARN in the answer"))?;
    let (ttl, tags) = futures::try_join!(read_ttl(cx, home, name), cx.tags_of(home, arn, || tags(cx, home, arn)))?;
    let resource = Table {
        name: name.to_owned(),
        key: key(table.key_schema())?,
        indexes: table
            .global_secondary_indexes()
            .iter()
            .map(|index| {
                let name = given("dynamodb:DescribeTable", "name of an index", index.index_name().unwrap_or_default())?;
                Ok((name.to_owned(), key(index.key_schema())?))
            })
            .collect::<Result<_, Failure>>()?,
        billing: table
            .billing_mode_summary()
            .and_then(|summary| summary.billing_mode())
            .map_or("PROVISIONED", BillingMode::as_str)
            .to_owned(),
        stream: table
            .stream_specification()
            .filter(|stream| stream.stream_enabled())
            .and_then(|stream| stream.stream_view_type())
            .map(|view| view.as_str().to_owned()),
        ttl,
        encryption: encryption::of(home, table),
        home: home.clone(),
        regions: group(home, table),
        tags,
    };
    let attributes = Attributes::from([
        ("name".into(), name.to_owned()),
        ("arn".into(), arn.to_owned()),
        ("home".into(), home.to_string()),
        ("items".into(), table.item_count().unwrap_or_default().to_string()),
        ("bytes".into(), table.table_size_bytes().unwrap_or_default().to_string()),
    ]);
    Ok(Some(Found { resource, attributes }))
}

/// The member regions: `Replicas` lists the others only.
fn group(home: &Region, table: &TableDescription) -> BTreeSet<Region> {
    let leaving = |status: Option<&ReplicaStatus>| {
        matches!(status, Some(ReplicaStatus::Deleting | ReplicaStatus::CreationFailed))
    };
    let others = table.replicas().iter().filter(|replica| !leaving(replica.replica_status()));
    others.filter_map(|replica| replica.region_name()).map(Region::new).chain([home.clone()]).collect()
}

/// One change of the table, and the wait until it is through.
async fn update(
    cx: Context<'_>,
    home: &Region,
    name: &str,
    concern: impl Fn(UpdateTable) -> Result<UpdateTable, Failure>,
) -> Result<(), Failure> {
    let dynamodb = &cx.region(home)?.dynamodb;
    let call =
        || async { concern(dynamodb.update_table().table_name(name))?.send().await.call("dynamodb:UpdateTable") };
    retry(cx.within(CHANGED_WITHIN), BUSY, call).await?;
    settled(cx, home, name).await
}

pub(super) type UpdateTable = aws_sdk_dynamodb::operation::update_table::builders::UpdateTableFluentBuilder;

/// Adds a member and waits until it is active. A creation that AWS gives up just disappears
/// from the list, so the wait asks again for one that is gone.
async fn add_member(cx: Context<'_>, home: &Region, table: &Table, region: &Region) -> Result<(), Failure> {
    let name = table.name.as_str();
    let create = CreateReplicationGroupMemberAction::builder()
        .region_name(region.as_str())
        .set_kms_master_key_id(table.encryption.get(region).map(|key| key.known().to_owned()))
        .build()
        .map_err(unbuilt)?;
    let change = ReplicationGroupUpdate::builder().create(create).build();
    match update(cx, home, name, |call| Ok(call.replica_updates(change.clone()))).await {
        // Said of somebody else's table, and of a replica that an earlier call made whose answer was lost.
        Err(failure) if failure.says("ValidationException", "already existed as tables") => {
            if !is_listed(cx, home, name, region).await? {
                return Err(failure);
            }
        }
        other => other?,
    }
    let until = format!("the replica in {region} to be active");
    let wait = Wait { operation: "dynamodb:DescribeTable", until: &until, deadline: cx.within(CHANGED_WITHIN) };
    poll(wait, cx.progress, || async {
        let Some(table) = describe(cx, home, name).await? else { return Ok(Look::not_yet("unknown")) };
        match table
            .replicas()
            .iter()
            .find(|replica| replica.region_name() == Some(region.as_str()))
            .and_then(|replica| replica.replica_status())
        {
            Some(ReplicaStatus::Active) => Ok(Look::Ready(())),
            Some(ReplicaStatus::CreationFailed) => Err(Failure::new(
                FailureClass::Other,
                "dynamodb:UpdateTable",
                format!("AWS could not create the replica in {region}"),
            )),
            Some(status) => Ok(Look::not_yet(status)),
            None => Ok(Look::not_yet("not listed")),
        }
    })
    .await
}

/// Whether the table's home knows a replica in this region, in whatever state.
async fn is_listed(cx: Context<'_>, home: &Region, name: &str, region: &Region) -> Result<bool, Failure> {
    let table = describe(cx, home, name).await?;
    let in_region = |table: &TableDescription| {
        table.replicas().iter().any(|replica| replica.region_name() == Some(region.as_str()))
    };
    Ok(table.as_ref().is_some_and(in_region))
}

async fn remove_member(cx: Context<'_>, home: &Region, name: &str, region: &Region) -> Result<(), Failure> {
    let delete = DeleteReplicationGroupMemberAction::builder().region_name(region.as_str()).build().map_err(unbuilt)?;
    let change = ReplicationGroupUpdate::builder().delete(delete).build();
    let dynamodb = &cx.region(home)?.dynamodb;
    if is_listed(cx, home, name, region).await? {
        let call = || async {
            dynamodb
                .update_table()
                .table_name(name)
                .replica_updates(change.clone())
                .send()
                .await
                .gone("dynamodb:UpdateTable")
        };
        retry(cx.within(CHANGED_WITHIN), BUSY, call).await?;
    }
    let until = format!("the replica in {region} to be gone");
    let wait = Wait { operation: "dynamodb:DescribeTable", until: &until, deadline: cx.within(CHANGED_WITHIN) };
    poll(wait, cx.progress, || async {
        let table = describe(cx, home, name).await?;
        let replica = table
            .as_ref()
            .and_then(|table| table.replicas().iter().find(|replica| replica.region_name() == Some(region.as_str())));
        Ok(replica.map_or(Look::Ready(()), |replica| {
            Look::not_yet(replica.replica_status().map_or("unknown", ReplicaStatus::as_str))
        }))
    })
    .await?;
    gone(cx, region, name).await
}

/// Waits until the table, its indexes and its replicas are at rest.
async fn settled(cx: Context<'_>, region: &Region, name: &str) -> Result<(), Failure> {
    let wait = Wait {
        operation: "dynamodb:DescribeTable",
        until: "the table to be active",
        deadline: cx.within(CHANGED_WITHIN),
    };
    poll(wait, cx.progress, || async {
        let Some(table) = describe(cx, region, name).await? else { return Ok(Look::not_yet("unknown")) };
        if let Some(status) = table.table_status().filter(|status| **status != TableStatus::Active) {
            return Ok(Look::not_yet(status));
        }
        if encryption::is_changing(&table) {
            return Ok(Look::not_yet("encrypted anew"));
        }
        let index =
            table.global_secondary_indexes().iter().find(|index| index.index_status() != Some(&IndexStatus::Active));
        Ok(index.map_or(Look::Ready(()), |index| {
            Look::not_yet(format!("building {}", index.index_name().unwrap_or_default()))
        }))
    })
    .await
}

async fn gone(cx: Context<'_>, region: &Region, name: &str) -> Result<(), Failure> {
    let until = format!("the table to be gone from {region}");
    let wait = Wait { operation: "dynamodb:DescribeTable", until: &until, deadline: cx.within(CHANGED_WITHIN) };
    poll(wait, cx.progress, || async {
        let table = describe(cx, region, name).await?;
        Ok(table.map_or(Look::Ready(()), |table| {
            Look::not_yet(table.table_status().map_or("unknown", TableStatus::as_str))
        }))
    })
    .await
}

async fn read_ttl(cx: Context<'_>, region: &Region, name: &str) -> Result<Option<String>, Failure> {
    let answer = cx
        .region(region)?
        .dynamodb
        .describe_time_to_live()
        .table_name(name)
        .send()
        .await
        .found("dynamodb:DescribeTimeToLive");
    let answer = match answer {
        // A table still being made has none to tell of.
        Err(failure) if failure.code == "ValidationException" => None,
        other => other?,
    };
    let missing = || Failure::malformed("dynamodb:DescribeTimeToLive", "no description in the answer");
    let description = answer.map(|answer| answer.time_to_live_description.ok_or_else(missing)).transpose()?;
    let on = |status: Option<&TimeToLiveStatus>| {
        matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling))
    };
    Ok(description.filter(|ttl| on(ttl.time_to_live_status())).and_then(|ttl| ttl.attribute_name))
}

/// AWS takes one change of TTL in half an hour to an hour; a second one is refused until then.
async fn put_ttl(cx: Context<'_>, region: &Region, name: &str, attribute: &str, enabled: bool) -> Result<(), Failure> {
    let dynamodb = &cx.region(region)?.dynamodb;
    let specification =
        TimeToLiveSpecification::builder().attribute_name(attribute).enabled(enabled).build().map_err(unbuilt)?;
    let put = || async {
        dynamodb
            .update_time_to_live()
            .table_name(name)
            .time_to_live_specification(specification.clone())
            .send()
            .await
            .call("dynamodb:UpdateTimeToLive")
    };
    match retry(cx.within(CHANGED_WITHIN), BUSY, put).await {
        // "TimeToLive is already enabled": an earlier call did it, and its answer was lost.
        Err(failure) if failure.says("ValidationException", "TimeToLive is already") => {
            let is = read_ttl(cx, region, name).await?;
            if (is.as_deref() == Some(attribute)) == enabled { Ok(()) } else { Err(failure) }
        }
        other => other.map(|_| ()),
    }
}

fn key(schema: &[KeySchemaElement]) -> Result<TableKey, Failure> {
    let part = |key_type: KeyType| {
        schema.iter().find(|element| *element.key_type() == key_type).map(|element| element.attribute_name().to_owned())
    };
    let partition = part(KeyType::Hash)
        .ok_or_else(|| Failure::malformed("dynamodb:DescribeTable", "a key without a partition key"))?;
    Ok(TableKey { partition, sort: part(KeyType::Range) })
}

fn key_schema(key: &TableKey) -> Result<Vec<KeySchemaElement>, Failure> {
    let part = |name: &String, key_type: KeyType| {
        KeySchemaElement::builder().attribute_name(name).key_type(key_type).build().map_err(unbuilt)
    };
    let sort = key.sort.iter().map(|name| part(name, KeyType::Range));
    std::iter::once(part(&key.partition, KeyType::Hash)).chain(sort).collect()
}

/// Every attribute that a key names; all of them texts.
fn attribute_definitions(table: &Table) -> Result<Vec<AttributeDefinition>, Failure> {
    let keys = std::iter::once(&table.key).chain(table.indexes.values());
    let names: BTreeSet<&String> = keys.flat_map(|key| std::iter::once(&key.partition).chain(&key.sort)).collect();
    names
        .into_iter()
        .map(|name| {
            AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S)
                .build()
                .map_err(unbuilt)
        })
        .collect()
}

fn index(name: &str, key: &TableKey) -> Result<GlobalSecondaryIndex, Failure> {
    let index = GlobalSecondaryIndex::builder()
        .index_name(name)
        .set_key_schema(Some(key_schema(key)?))
        .projection(all_attributes());
    index.build().map_err(unbuilt)
}

fn all_attributes() -> Projection {
    Projection::builder().projection_type(ProjectionType::All).build()
}

fn stream(view: &str) -> Result<StreamSpecification, Failure> {
    StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::from(view))
        .build()
        .map_err(unbuilt)
}

fn no_stream() -> Result<StreamSpecification, Failure> {
    StreamSpecification::builder().stream_enabled(false).build().map_err(unbuilt)
}

pub(super) fn unbuilt(error: impl std::fmt::Display) -> Failure {
    Failure::malformed("dynamodb:UpdateTable", error)
}

#[cfg(test)]
mod tests;
