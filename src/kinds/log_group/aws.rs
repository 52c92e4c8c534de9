//! The CloudWatch Logs calls behind [`LogGroup`].

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::types::LogGroup as ApiLogGroup;
use futures::future::{join_all, try_join_all};

use super::LogGroup;
use crate::aws::{Arn, Call, Transient, own, retry};
use crate::graph::{Attributes, Failure, FailureClass, Input, Tags};
use crate::kinds::{Context, Created, Found, Lifecycle, Seen, TagChange, Target};

/// Two writes to one group at a time.
const SETTLING: &[Transient] = &[BUSY, ("ResourceNotFoundException", "")];
const BUSY: Transient = ("OperationAbortedException", "");

/// A key or its policy that is new, and that Logs does not see yet: "The specified KMS key does not exist or is not
/// allowed to be used with Arn", with one code or the other, or "The specified KMS Key Id could not be found".
const KEY_SETTLING: &[Transient] = &[
    ("AccessDeniedException", "specified KMS key"),
    ("InvalidParameterException", "specified KMS key"),
    BUSY,
    ("ResourceNotFoundException", ""),
];

/// How long a group just made may be unknown.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// `DescribeLogGroups` takes this many identifiers.
const IDENTIFIERS: usize = 50;

impl Lifecycle for LogGroup {
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        let mut seen = Seen::new();
        for batch in join_all(targets.chunks(IDENTIFIERS).map(|chunk| read(cx, chunk))).await {
            seen.extend(batch);
        }
        seen
    }

    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        let logs = &cx.regional()?.logs;
        retry(cx.within(SETTLED_WITHIN), KEY_SETTLING, || async {
            logs.create_log_group()
                .log_group_name(&self.name)
                .set_kms_key_id(self.kms_key.as_ref().map(|key| key.known().to_owned()))
                .set_tags(Some(self.tags.clone().into_iter().collect()))
                .send()
                .await
                .call("logs:CreateLogGroup")
        })
        .await?;
        put_retention(cx, self).await?;
        Ok(Created { id: self.name.clone(), attributes: attributes(&arn(cx, &self.name)?) })
    }

    async fn update(before: &Self, after: &Self, cx: Context<'_>) -> Result<(), Failure> {
        let logs = &cx.regional()?.logs;
        if before.retention_days != after.retention_days {
            put_retention(cx, after).await?;
        }
        if before.kms_key != after.kms_key {
            put_key(cx, after).await?;
        }
        let (arn, tags) = (arn(cx, &after.name)?, TagChange::between(&before.tags, &after.tags));
        if !tags.set.is_empty() {
            logs.tag_resource()
                .resource_arn(&arn)
                .set_tags(Some(tags.set.into_iter().collect()))
                .send()
                .await
                .call("logs:TagResource")?;
        }
        if !tags.unset.is_empty() {
            logs.untag_resource()
                .resource_arn(&arn)
                .set_tag_keys(Some(tags.unset))
                .send()
                .await
                .call("logs:UntagResource")?;
        }
        Ok(())
    }

    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        let logs = &cx.regional()?.logs;
        retry(cx.within(SETTLED_WITHIN), &[BUSY], || async {
            logs.delete_log_group().log_group_name(&self.name).send().await.gone("logs:DeleteLogGroup")
        })
        .await
    }

    fn id_in(arn: &Arn<'_>) -> Option<String> {
        let name = (arn.service == "logs").then(|| arn.resource.strip_prefix("log-group:")).flatten()?;
        Some(name.trim_end_matches(":*").to_owned())
    }
}

/// One call finds them all; tags come from the index, or one more call each.
async fn read(cx: Context<'_>, targets: &[Target]) -> Seen<LogGroup> {
    let groups = match describe(cx, targets).await {
        Ok(groups) => groups,
        Err(failure) => return targets.iter().map(|target| (target.address.clone(), Err(failure.clone()))).collect(),
    };
    let found = targets.iter().filter_map(|target| Some((target, groups.get(&target.id)?)));
    let looks = found.map(|(target, group)| async move { (target.address.clone(), found_in(cx, target, group).await) });
    join_all(looks).await.into_iter().collect()
}

async fn found_in(cx: Context<'_>, target: &Target, group: &ApiLogGroup) -> Result<Option<Found<LogGroup>>, Failure> {
    let arn = arn(cx, &target.id)?;
    let tags = match cx.tags_of(&cx.regional()?.region, &arn, || tags(cx, &arn)).await {
        // Deleted between the calls.
        Err(failure) if failure.class == FailureClass::NotFound => return Ok(None),
        other => other?,
    };
    let retention_days = group.retention_in_days().and_then(|days| u32::try_from(days).ok());
    let kms_key = group.kms_key_id().map(Input::from);
    let resource = LogGroup { name: target.id.clone(), retention_days, kms_key, tags };
    Ok(Some(Found { resource, attributes: attributes(&arn) }))
}

/// The groups that are there. One that is not makes no answer for the others: then each is asked for by itself.
async fn describe(cx: Context<'_>, targets: &[Target]) -> Result<BTreeMap<String, ApiLogGroup>, Failure> {
    let ask = |names: Vec<String>| async move {
        let logs = &cx.regional()?.logs;
        logs.describe_log_groups().set_log_group_identifiers(Some(names)).send().await.found("logs:DescribeLogGroups")
    };
    let names: Vec<String> = targets.iter().map(|target| target.id.clone()).collect();
    let answers = match ask(names.clone()).await? {
        Some(answer) => vec![Some(answer)],
        None => try_join_all(names.into_iter().map(|name| ask(vec![name]))).await?,
    };
    let groups = answers.into_iter().flatten().filter_map(|answer| answer.log_groups).flatten();
    groups
        .map(|group| match &group.log_group_name {
            Some(name) => Ok((name.clone(), group)),
            None => Err(Failure::malformed("logs:DescribeLogGroups", "a group without a name in the answer")),
        })
        .collect()
}

async fn tags(cx: Context<'_>, arn: &str) -> Result<Tags, Failure> {
    let answer =
        cx.regional()?.logs.list_tags_for_resource().resource_arn(arn).send().await.call("logs:ListTagsForResource")?;
    Ok(own(answer.tags.unwrap_or_default()))
}

async fn put_retention(cx: Context<'_>, group: &LogGroup) -> Result<(), Failure> {
    let logs = &cx.regional()?.logs;
    match group.retention_days.and_then(|days| i32::try_from(days).ok()) {
        Some(days) => {
            let put = || async {
                logs.put_retention_policy()
                    .log_group_name(&group.name)
                    .retention_in_days(days)
                    .send()
                    .await
                    .call("logs:PutRetentionPolicy")
            };
            retry(cx.within(SETTLED_WITHIN), SETTLING, put).await.map(|_| ())
        }
        None => {
            logs.delete_retention_policy().log_group_name(&group.name).send().await.gone("logs:DeleteRetentionPolicy")
        }
    }
}

async fn put_key(cx: Context<'_>, group: &LogGroup) -> Result<(), Failure> {
    let logs = &cx.regional()?.logs;
    let Some(key) = &group.kms_key else {
        return logs.disassociate_kms_key().log_group_name(&group.name).send().await.gone("logs:DisassociateKmsKey");
    };
    let put = || async {
        let call = logs.associate_kms_key().log_group_name(&group.name).kms_key_id(key.known());
        call.send().await.call("logs:AssociateKmsKey")
    };
    retry(cx.within(SETTLED_WITHIN), KEY_SETTLING, put).await.map(|_| ())
}

/// Tag calls want the ARN without the `:*` that reads return (service model of CloudWatch Logs).
fn arn(cx: Context<'_>, name: &str) -> Result<String, Failure> {
    Ok(format!("arn:aws:logs:{}:{}:log-group:{name}", cx.regional()?.region, cx.clients.account))
}

fn attributes(arn: &str) -> Attributes {
    Attributes::from([("arn".into(), arn.to_owned())])
}

#[cfg(test)]
mod tests;
