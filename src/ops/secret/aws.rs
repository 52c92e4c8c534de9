//! The Secrets Manager calls behind `drctl secret`.

use std::time::Duration;

use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use jiff::Timestamp;

use super::{SecretStatus, SecretValue};
use crate::aws::{Call, Clients, Look, Wait, own, poll};
use crate::graph::{Failure, FailureClass, Region};
use crate::ops::aws::regional;

/// A new version usually arrives in seconds.
const REPLICATED_WITHIN: Duration = Duration::from_secs(300);

/// The secret as one region has it, or `None` if it has not.
pub async fn secret_in(clients: &Clients, region: &Region, name: &str) -> Result<Option<SecretStatus>, Failure> {
    let describe = regional(clients, region)?.secrets.describe_secret().secret_id(name);
    let answer = describe.send().await.found("secretsmanager:DescribeSecret")?;
    Ok(answer.map(|secret| status(region, &secret)))
}

/// Makes `value` the current version, and says the version's id.
pub async fn put_secret(clients: &Clients, home: &Region, name: &str, value: &SecretValue) -> Result<String, Failure> {
    let put = regional(clients, home)?.secrets.put_secret_value().secret_id(name).secret_string(value.reveal());
    // AWS repeats in its message what it does not like.
    let hidden = |failure: Failure| Failure { message: value.hidden_in(&failure.message), ..failure };
    let answer = put.send().await.call("secretsmanager:PutSecretValue").map_err(hidden)?;
    answer.version_id.ok_or_else(|| Failure::malformed("secretsmanager:PutSecretValue", "no version in the answer"))
}

/// Waits until a region's current version is this one, and its replica in sync.
pub async fn wait_for_version(
    clients: &Clients,
    home: &Region,
    region: &Region,
    name: &str,
    version: &str,
    progress: &(dyn Fn(String) + Sync),
) -> Result<(), Failure> {
    let until = format!("version {version} in {region}");
    let wait = Wait { operation: "secretsmanager:DescribeSecret", until: &until, deadline: REPLICATED_WITHIN };
    poll(wait, progress, || async {
        let primary = secret_in(clients, home, name).await?;
        let replicas = primary.iter().flat_map(|status| &status.replicas);
        if let Some((_, status, reason)) = replicas.into_iter().find(|(at, ..)| at == region) {
            match status.as_str() {
                "InSync" => {}
                "Failed" => {
                    let reason = reason.as_deref().unwrap_or("Secrets Manager says no reason");
                    let message = format!("the replica in {region} failed: {reason}");
                    return Err(Failure::new(FailureClass::Other, "secretsmanager:DescribeSecret", message));
                }
                other => return Ok(Look::not_yet(other)),
            }
        }
        let here = if region == home { primary } else { secret_in(clients, region, name).await? };
        Ok(match here.as_ref().and_then(SecretStatus::current) {
            Some(current) if current == version => Look::Ready(()),
            Some(current) => Look::not_yet(format!("at version {current}")),
            None => Look::not_yet("without one"),
        })
    })
    .await
}

fn status(region: &Region, secret: &DescribeSecretOutput) -> SecretStatus {
    let time = |at: Option<&aws_smithy_types::DateTime>| at.and_then(|at| Timestamp::from_second(at.secs()).ok());
    let versions = secret.version_ids_to_stages().into_iter().flatten();
    let mut versions: Vec<_> = versions.map(|(version, stages)| (version.clone(), stages.clone())).collect();
    versions.sort_by_key(|(version, stages)| {
        (!stages.iter().any(|stage| stage == SecretStatus::CURRENT), stages.clone(), version.clone())
    });
    let replica = |replica: &aws_sdk_secretsmanager::types::ReplicationStatusType| {
        let status = replica.status().map_or("unknown", |status| status.as_str()).to_owned();
        Some((Region::new(replica.region()?), status, replica.status_message().map(str::to_owned)))
    };
    let tag = |tag: &aws_sdk_secretsmanager::types::Tag| {
        Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))
    };
    SecretStatus {
        home: secret.primary_region().map_or_else(|| region.clone(), Region::new),
        versions,
        replicas: secret.replication_status().iter().filter_map(replica).collect(),
        changed: time(secret.last_changed_date()),
        deletion: time(secret.deleted_date()),
        tags: own(secret.tags().iter().filter_map(tag)),
    }
}
