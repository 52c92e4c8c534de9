//! The calls that look at one member table.

use aws_sdk_dynamodb::types::{TableDescription, Tag};

use crate::aws::{Call, own};
use crate::graph::{Failure, Region, Tags};
use crate::kinds::Context;

/// One member table as DynamoDB describes it.
pub(in crate::kinds) async fn describe(
    cx: Context<'_>,
    region: &Region,
    name: &str,
) -> Result<Option<TableDescription>, Failure> {
    let operation = "dynamodb:DescribeTable";
    let answer = cx.region(region)?.dynamodb.describe_table().table_name(name).send().await.found(operation)?;
    let table =
        answer.map(|answer| answer.table.ok_or_else(|| Failure::malformed(operation, "no table in the answer")));
    table.transpose()
}

/// The tags of one member table, from DynamoDB itself.
pub(in crate::kinds) async fn tags(cx: Context<'_>, region: &Region, arn: &str) -> Result<Tags, Failure> {
    let answer = cx
        .region(region)?
        .dynamodb
        .list_tags_of_resource()
        .resource_arn(arn)
        .send()
        .await
        .found("dynamodb:ListTagsOfResource")?;
    let tags = answer.and_then(|answer| answer.tags).unwrap_or_default();
    Ok(own(tags.into_iter().map(|tag| (tag.key, tag.value))))
}

/// Tags in the form DynamoDB takes.
pub(in crate::kinds) fn api_tags(tags: &Tags) -> Result<Vec<Tag>, Failure> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter().map(tag).collect::<Result<_, _>>().map_err(|error| Failure::malformed("dynamodb:TagResource", error))
}
