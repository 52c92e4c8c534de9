//! The SNS calls behind [`Topic`].

use std::time::Duration;

use aws_sdk_sns::types::Tag;

use super::Topic;
use crate::aws::{Arn, Call, Transient, own, retry};
use crate::graph::{Attributes, Document, Failure, FailureClass, Input, Tags};
use crate::kinds::{Context, Created, Found, Lifecycle, Seen, TagChange, Target, each};

/// SNS takes one change of a topic's tags at a time.
const SETTLING: &[Transient] =
    &[("ConcurrentAccess", ""), ("ConcurrentAccessException", ""), ("StaleTag", ""), ("StaleTagException", "")];

/// How long SNS may take to settle.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

const POLICY: &str = "Policy";
const KMS_KEY: &str = "KmsMasterKeyId";

impl Lifecycle for Topic {
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        each(targets, |id| async move { read(cx, &id).await }).await
    }

    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        let create = || async {
            let call = cx.regional()?.sns.create_topic().name(&self.name);
            let call = call.attributes(POLICY, self.policy.to_text()).set_tags(Some(api_tags(&self.tags)?));
            let call = match &self.kms_key {
                Some(key) => call.attributes(KMS_KEY, key.known()),
                None => call,
            };
            call.send().await.call("sns:CreateTopic")
        };
        // A repeated creation succeeds if it asks for the same, tags included; otherwise SNS says so.
        retry(cx.within(SETTLED_WITHIN), SETTLING, create).await.map_err(|failure| {
            let exists = failure.says("InvalidParameter", "already exists with different");
            Failure { class: if exists { FailureClass::Exists } else { failure.class }, ..failure }
        })?;
        Ok(Created { id: self.name.clone(), attributes: attributes(&arn(cx, &self.name)?) })
    }

    async fn update(before: &Self, after: &Self, cx: Context<'_>) -> Result<(), Failure> {
        let (sns, arn) = (&cx.regional()?.sns, arn(cx, &after.name)?);
        if before.policy != after.policy {
            set(cx, &arn, POLICY, &after.policy.to_text()).await?;
        }
        if before.kms_key != after.kms_key {
            set(cx, &arn, KMS_KEY, after.kms_key.as_ref().map_or("", Input::known)).await?;
        }
        let tags = TagChange::between(&before.tags, &after.tags);
        if !tags.set.is_empty() {
            let wanted = api_tags(&tags.set)?;
            let put = || async {
                let call = sns.tag_resource().resource_arn(&arn).set_tags(Some(wanted.clone()));
                call.send().await.call("sns:TagResource")
            };
            retry(cx.within(SETTLED_WITHIN), SETTLING, put).await?;
        }
        if !tags.unset.is_empty() {
            let remove = || async {
                let call = sns.untag_resource().resource_arn(&arn).set_tag_keys(Some(tags.unset.clone()));
                call.send().await.call("sns:UntagResource")
            };
            retry(cx.within(SETTLED_WITHIN), SETTLING, remove).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        let (sns, arn) = (&cx.regional()?.sns, arn(cx, &self.name)?);
        retry(cx.within(SETTLED_WITHIN), SETTLING, || async {
            sns.delete_topic().topic_arn(&arn).send().await.gone("sns:DeleteTopic")
        })
        .await
    }

    /// A subscription's ARN is that of its topic with one more part.
    fn id_in(arn: &Arn<'_>) -> Option<String> {
        (arn.service == "sns" && !arn.resource.contains(':')).then(|| arn.resource.to_owned())
    }
}

async fn read(cx: Context<'_>, name: &str) -> Result<Option<Found<Topic>>, Failure> {
    let arn = arn(cx, name)?;
    let call = cx.regional()?.sns.get_topic_attributes().topic_arn(&arn);
    let Some(answer) = call.send().await.found("sns:GetTopicAttributes")? else { return Ok(None) };
    let (found, tags) = (answer.attributes.unwrap_or_default(), tags(cx, &arn).await?);
    let policy = found
        .get(POLICY)
        .ok_or_else(|| Failure::malformed("sns:GetTopicAttributes", "no policy in the answer"))
        .and_then(|text| {
            Document::parse(text).map_err(|error| {
                Failure::malformed("sns:GetTopicAttributes", format!("the policy is not JSON: {error}"))
            })
        })?;
    let kms_key = found.get(KMS_KEY).filter(|key| !key.is_empty()).map(|key| Input::from(key.as_str()));
    let resource = Topic { name: name.to_owned(), policy, kms_key, tags };
    Ok(Some(Found { resource, attributes: attributes(&arn) }))
}

/// The tags of a topic; a topic that is not there has none.
async fn tags(cx: Context<'_>, arn: &str) -> Result<Tags, Failure> {
    let regional = cx.regional()?;
    cx.tags_of(&regional.region, arn, || async {
        let call = regional.sns.list_tags_for_resource().resource_arn(arn);
        let tags = call.send().await.found("sns:ListTagsForResource")?.and_then(|answer| answer.tags);
        Ok(own(tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value))))
    })
    .await
}

/// SNS takes one attribute a call.
async fn set(cx: Context<'_>, arn: &str, name: &str, value: &str) -> Result<(), Failure> {
    let call = cx.regional()?.sns.set_topic_attributes().topic_arn(arn).attribute_name(name).attribute_value(value);
    call.send().await.call("sns:SetTopicAttributes").map(|_| ())
}

fn arn(cx: Context<'_>, name: &str) -> Result<String, Failure> {
    Ok(Topic::arn(cx.regional()?.region.as_str(), &cx.clients.account, name))
}

fn attributes(arn: &str) -> Attributes {
    Attributes::from([("arn".into(), arn.to_owned())])
}

fn api_tags(tags: &Tags) -> Result<Vec<Tag>, Failure> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter().map(tag).collect::<Result<_, _>>().map_err(|error| Failure::malformed("sns:TagResource", error))
}

#[cfg(test)]
mod tests;
