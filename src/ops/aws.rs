//! Calls that operators make by hand, past the reconciler: what a demo, a drill or a
//! check does to a live system.

use aws_sdk_kms::types::KeyState;
use futures::future::try_join_all;

use crate::aws::{Call, Clients, Regional};
use crate::graph::{Failure, Region};
use crate::kinds::bucket::{self, Content};

pub(super) fn regional<'a>(clients: &'a Clients, region: &Region) -> Result<&'a Regional, Failure> {
    clients.regions.get(region).ok_or_else(|| Failure::malformed("drctl", format!("{region} is not connected")))
}

/// Sets a function's reserved concurrency; 0 stops it, which is how operators simulate a lost region.
pub async fn set_concurrency(
    clients: &Clients,
    region: &Region,
    function: &str,
    concurrency: i32,
) -> Result<(), Failure> {
    let call = regional(clients, region)?.lambda.put_function_concurrency().function_name(function);
    let answer = call.reserved_concurrent_executions(concurrency).send().await;
    answer.call("lambda:PutFunctionConcurrency").map(|_| ())
}

/// How many items a table has in one region right now, counted by scanning it.
pub async fn count_items(clients: &Clients, region: &Region, table: &str) -> Result<usize, Failure> {
    let scan = regional(clients, region)?.dynamodb.scan().table_name(table).into_paginator().items().send();
    let items = scan.collect::<Result<Vec<_>, _>>().await.call("dynamodb:Scan")?;
    Ok(items.len())
}

/// What is in a bucket, counted up to some thousand entries.
pub async fn bucket_content(clients: &Clients, region: &Region, bucket: &str) -> Result<Content, Failure> {
    bucket::content(&regional(clients, region)?.s3, &clients.account, bucket).await
}

/// Everything in the account whose name ends with the suffix, asked of each service
/// itself and not through tags or state.
pub async fn inventory(clients: &Clients, suffix: &str) -> Result<Vec<String>, Failure> {
    let roles = clients.iam.list_roles().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let mut names: Vec<String> =
        roles.call("iam:ListRoles")?.into_iter().map(|role| format!("role {}", role.role_name)).collect();
    for found in try_join_all(clients.regions.values().map(in_region)).await? {
        names.extend(found);
    }
    names.retain(|name| name.ends_with(suffix));
    names.extend(in_route53(clients).await?);
    Ok(names)
}

/// Zones and health checks have no names of ours, but their caller references are drctl's.
async fn in_route53(clients: &Clients) -> Result<Vec<String>, Failure> {
    let zones =
        clients.route53.list_hosted_zones().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let checks =
        clients.route53.list_health_checks().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let zones = zones.call("route53:ListHostedZones")?;
    let checks = checks.call("route53:ListHealthChecks")?;
    let zones = zones.iter().map(|zone| ("zone", zone.id(), zone.caller_reference()));
    let all = zones.chain(checks.iter().map(|check| ("health check", check.id(), check.caller_reference())));
    let ours = all.filter(|(_, _, reference)| reference.starts_with("drctl/"));
    Ok(ours.map(|(kind, id, _)| format!("{kind} {id}")).collect())
}

async fn in_region(regional: &Regional) -> Result<Vec<String>, Failure> {
    let Regional { region, lambda, dynamodb, logs, s3, secrets, sns, cloudwatch, .. } = regional;
    let topics = sns.list_topics().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let topics = topics.call("sns:ListTopics")?.into_iter().filter_map(|topic| topic.topic_arn);
    let alarms = cloudwatch.describe_alarms().into_paginator().send().collect::<Result<Vec<_>, _>>().await;
    let alarms = alarms.call("cloudwatch:DescribeAlarms")?.into_iter();
    let alarms = alarms.flat_map(|page| page.metric_alarms.unwrap_or_default()).filter_map(|alarm| alarm.alarm_name);
    let functions = lambda.list_functions().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let tables = dynamodb.list_tables().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let groups = logs.describe_log_groups().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let secrets = secrets.list_secrets().into_paginator().send().collect::<Result<Vec<_>, _>>().await;
    let pages = secrets.call("secretsmanager:ListSecrets")?.into_iter();
    let secrets = pages.flat_map(|page| page.secret_list.unwrap_or_default()).filter_map(|secret| secret.name);
    let buckets =
        s3.list_buckets().bucket_region(region.as_str()).into_paginator().send().collect::<Result<Vec<_>, _>>();
    let buckets =
        buckets.await.call("s3:ListAllMyBuckets")?.into_iter().flat_map(|page| page.buckets.unwrap_or_default());
    let keys = keys(regional).await?;
    let functions = functions.call("lambda:ListFunctions")?.into_iter().filter_map(|function| function.function_name);
    let groups = groups.call("logs:DescribeLogGroups")?.into_iter().filter_map(|group| group.log_group_name);
    let named = |kind: &'static str| move |name: String| format!("{region} {kind} {name}");
    Ok(functions
        .map(named("function"))
        .chain(tables.call("dynamodb:ListTables")?.into_iter().map(named("table")))
        .chain(groups.map(named("log group")))
        .chain(buckets.filter_map(|bucket| bucket.name).map(named("bucket")))
        .chain(secrets.map(named("secret")))
        .chain(keys.into_iter().map(named("key")))
        .chain(topics.map(named("topic")))
        .chain(alarms.map(named("alarm")))
        .collect())
}

/// The aliases of keys that do not wait for their deletion; those of AWS's own keys are left out.
async fn keys(regional: &Regional) -> Result<Vec<String>, Failure> {
    let aliases = regional.kms.list_aliases().into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let aliases = aliases.call("kms:ListAliases")?.into_iter().filter_map(|alias| alias.alias_name);
    let looks = aliases.filter(|alias| !alias.starts_with("alias/aws/")).map(|alias| async move {
        let key = regional.kms.describe_key().key_id(&alias).send().await.found("kms:DescribeKey")?;
        let state = key.and_then(|answer| answer.key_metadata?.key_state);
        let going = matches!(state, Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion));
        Ok((!going).then_some(alias))
    });
    Ok(try_join_all(looks).await?.into_iter().flatten().collect())
}
