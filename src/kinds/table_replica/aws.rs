//! The DynamoDB calls behind [`TableReplica`].

use std::time::Duration;

use aws_sdk_dynamodb::types::{PointInTimeRecoverySpecification, PointInTimeRecoveryStatus, TableStatus};
use futures::try_join;

use super::TableReplica;
use crate::aws::{Call, Look, Transient, Wait, poll, retry};
use crate::graph::{Address, Attributes, Failure, Region, Resource, Tags};
use crate::kinds::table::Table;
use crate::kinds::table::member::{api_tags, describe, tags};
use crate::kinds::{Context, Created, Found, Lifecycle, Seen, TagChange, Target, each};

/// Backups become available seconds after a table does, and tags are locked for seconds after a write.
const SETTLING: &[Transient] = &[
    ("ContinuousBackupsUnavailableException", ""),
    ("ResourceInUseException", ""),
    ("ResourceNotFoundException", ""),
    ("LimitExceededException", "tags are being updated"),
    ("LimitExceededException", "simultaneously"),
];

/// HashiCorp's bound for point-in-time recovery.
const SETTLED_WITHIN: Duration = Duration::from_secs(1_200);

impl Lifecycle for TableReplica {
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        each(targets, |id| async move { read(cx, &id).await }).await
    }

    /// The table is there by now; what is missing is its settings.
    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        let attributes = attributes(&arn(cx, &self.name)?);
        let before = read(cx, &self.name).await?.map(|found| found.resource);
        let before = before.unwrap_or_else(|| Self {
            point_in_time_recovery: false,
            deletion_protection: false,
            tags: Tags::new(),
            ..self.clone()
        });
        Self::update(&before, self, cx).await?;
        Ok(Created { id: self.name.clone(), attributes })
    }

    async fn update(before: &Self, after: &Self, cx: Context<'_>) -> Result<(), Failure> {
        let dynamodb = &cx.regional()?.dynamodb;
        if before.point_in_time_recovery != after.point_in_time_recovery {
            let specification = PointInTimeRecoverySpecification::builder()
                .point_in_time_recovery_enabled(after.point_in_time_recovery);
            let specification =
                specification.build().map_err(|error| Failure::malformed("dynamodb:UpdateContinuousBackups", error))?;
            let put = || async {
                let call = dynamodb
                    .update_continuous_backups()
                    .table_name(&after.name)
                    .point_in_time_recovery_specification(specification.clone());
                call.send().await.call("dynamodb:UpdateContinuousBackups")
            };
            retry(cx.within(SETTLED_WITHIN), SETTLING, put).await?;
        }
        // One call with the full set, and removals later: every write locks the tags for some seconds.
        let (arn, tags) = (arn(cx, &after.name)?, TagChange::between(&before.tags, &after.tags));
        if !tags.set.is_empty() {
            let set = api_tags(&tags.set)?;
            let put = || async {
                dynamodb
                    .tag_resource()
                    .resource_arn(&arn)
                    .set_tags(Some(set.clone()))
                    .send()
                    .await
                    .call("dynamodb:TagResource")
            };
            retry(cx.within(SETTLED_WITHIN), SETTLING, put).await?;
        }
        if !tags.unset.is_empty() {
            let remove = || async {
                dynamodb
                    .untag_resource()
                    .resource_arn(&arn)
                    .set_tag_keys(Some(tags.unset.clone()))
                    .send()
                    .await
                    .call("dynamodb:UntagResource")
            };
            retry(cx.within(SETTLED_WITHIN), SETTLING, remove).await?;
        }
        if before.deletion_protection != after.deletion_protection {
            protect(cx, &after.name, after.deletion_protection).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        if self.deletion_protection { protect(cx, &self.name, false).await } else { Ok(()) }
    }

    fn beside(found: &Target, region: &Region) -> Option<Target> {
        (found.address.kind == Table::KIND).then(|| Target {
            address: Address::regional(region, Self::KIND, &found.address.name),
            id: found.id.clone(),
        })
    }
}

async fn read(cx: Context<'_>, name: &str) -> Result<Option<Found<TableReplica>>, Failure> {
    let regional = cx.regional()?;
    let Some(table) = describe(cx, &regional.region, name).await? else { return Ok(None) };
    if matches!(table.table_status(), Some(TableStatus::Deleting)) {
        return Ok(None);
    }
    let arn = arn(cx, name)?;
    let (point_in_time_recovery, tags) =
        try_join!(recovery(cx, name), cx.tags_of(&regional.region, &arn, || tags(cx, &regional.region, &arn)))?;
    let deletion_protection = table
        .deletion_protection_enabled()
        .ok_or_else(|| Failure::malformed("dynamodb:DescribeTable", "no DeletionProtectionEnabled in the answer"))?;
    let resource = TableReplica { name: name.to_owned(), point_in_time_recovery, deletion_protection, tags };
    Ok(Some(Found { resource, attributes: attributes(&arn) }))
}

async fn recovery(cx: Context<'_>, name: &str) -> Result<bool, Failure> {
    let answer = cx
        .regional()?
        .dynamodb
        .describe_continuous_backups()
        .table_name(name)
        .send()
        .await
        .found("dynamodb:DescribeContinuousBackups");
    let answer = match answer {
        Err(failure) if failure.code == "ContinuousBackupsUnavailableException" => return Ok(false),
        other => other?,
    };
    // Deleted between the calls.
    let Some(answer) = answer else { return Ok(false) };
    let missing = || {
        let what = "no PointInTimeRecoveryStatus in the answer";
        Failure::malformed("dynamodb:DescribeContinuousBackups", what)
    };
    let backups = answer.continuous_backups_description.and_then(|all| all.point_in_time_recovery_description);
    let status = backups.and_then(|recovery| recovery.point_in_time_recovery_status).ok_or_else(missing)?;
    Ok(status == PointInTimeRecoveryStatus::Enabled)
}

/// Deletion protection has to be the only concern of its call; the table is busy until it is through.
async fn protect(cx: Context<'_>, name: &str, on: bool) -> Result<(), Failure> {
    let regional = cx.regional()?;
    let put = || async {
        regional
            .dynamodb
            .update_table()
            .table_name(name)
            .deletion_protection_enabled(on)
            .send()
            .await
            .call("dynamodb:UpdateTable")
    };
    retry(cx.within(SETTLED_WITHIN), SETTLING, put).await?;
    let wait = Wait {
        operation: "dynamodb:DescribeTable",
        until: "the table to be active",
        deadline: cx.within(SETTLED_WITHIN),
    };
    poll(wait, cx.progress, || async {
        let status = describe(cx, &regional.region, name).await?.and_then(|table| table.table_status);
        Ok(match status {
            Some(TableStatus::Active) => Look::Ready(()),
            other => Look::not_yet(other.map_or_else(|| "unknown".to_owned(), |status| status.to_string())),
        })
    })
    .await
}

fn arn(cx: Context<'_>, name: &str) -> Result<String, Failure> {
    Ok(format!("arn:aws:dynamodb:{}:{}:table/{name}", cx.regional()?.region, cx.clients.account))
}

fn attributes(arn: &str) -> Attributes {
    Attributes::from([("arn".into(), arn.to_owned())])
}

#[cfg(test)]
mod tests;
