//! Topics, subscriptions and alarms.

use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, StandardUnit, Statistic, Tag as AlarmTag};
use aws_sdk_sns::types::Tag;

use super::{Outside, Row, drifts, fixed};

const TOPIC: &str = "us-east-1/topic.alerts";
const ALARM: &str = "us-east-1/alarm.dynamodb-read-throttle";

pub(super) const ROWS: &[Row] = &[
    fixed("topic", "name", "SNS knows a topic by its name"),
    drifts("topic", "policy", TOPIC, "policy"),
    drifts("topic", "kms_key", TOPIC, "kms_key"),
    drifts("topic", "tags.*", TOPIC, "tags.stranger"),
    fixed("subscription", "topic", "nothing of a subscription can be changed"),
    fixed("subscription", "protocol", "nothing of a subscription can be changed"),
    fixed("subscription", "endpoint", "nothing of a subscription can be changed"),
    fixed("alarm", "name", "CloudWatch knows an alarm by its name"),
    drifts("alarm", "description", ALARM, "description"),
    drifts("alarm", "metrics.*.namespace", ALARM, "metrics.m.namespace"),
    drifts("alarm", "metrics.*.name", ALARM, "metrics.m.name"),
    drifts("alarm", "metrics.*.dimensions.*", ALARM, "metrics.m.dimensions.TableName"),
    drifts("alarm", "metrics.*.statistic", ALARM, "metrics.m.statistic"),
    drifts("alarm", "metrics.*.period", ALARM, "metrics.m.period"),
    drifts("alarm", "metrics.*.unit", ALARM, "metrics.m.unit"),
    drifts("alarm", "expression", ALARM, "expression"),
    drifts("alarm", "comparison", ALARM, "comparison"),
    drifts("alarm", "threshold", ALARM, "threshold"),
    drifts("alarm", "periods", ALARM, "periods"),
    drifts("alarm", "datapoints", ALARM, "datapoints"),
    drifts("alarm", "missing_data", ALARM, "missing_data"),
    drifts("alarm", "actions_enabled", ALARM, "actions_enabled"),
    drifts("alarm", "alarm_actions", ALARM, "alarm_actions"),
    drifts("alarm", "ok_actions", ALARM, "ok_actions"),
    drifts("alarm", "insufficient_data_actions", ALARM, "insufficient_data_actions"),
    drifts("alarm", "tags.*", ALARM, "tags.stranger"),
];

const TOPIC_NAME: &str = "payment-dr-alerts-prod-001";
const ALARM_NAME: &str = "dynamodb-read-throttle-prod-001";

/// Somebody else who wants to be told.
const STRANGER: &str = "stranger@example.com";

pub(super) async fn change(outside: &Outside) {
    futures::join!(topic(outside), alarm(outside));
}

fn topic_arn(outside: &Outside) -> String {
    outside.arn("sns", "us-east-1", TOPIC_NAME)
}

async fn topic(outside: &Outside) {
    let (sns, arn) = (&outside.east().sns, topic_arn(outside));
    let nobody = r#"{"Version":"2012-10-17","Statement":[]}"#;
    for (name, value) in [("Policy", nobody), ("KmsMasterKeyId", "alias/aws/sns")] {
        let set = sns.set_topic_attributes().topic_arn(&arn).attribute_name(name).attribute_value(value);
        set.send().await.unwrap();
    }
    let tag = Tag::builder().key("stranger").value("1").build().unwrap();
    sns.tag_resource().resource_arn(&arn).tags(tag).send().await.unwrap();
    sns.subscribe().topic_arn(&arn).protocol("email").endpoint(STRANGER).send().await.unwrap();
}

/// Another metric in place of an expression, and every other property.
async fn alarm(outside: &Outside) {
    let cloudwatch = &outside.east().cloudwatch;
    let another = Dimension::builder().name("TableName").value("another").build();
    let put = cloudwatch.put_metric_alarm().alarm_name(ALARM_NAME).alarm_description("mine").namespace("Mine");
    let put = put.metric_name("WriteThrottleEvents").statistic(Statistic::Average).period(60).dimensions(another);
    let put = put.evaluation_periods(3).datapoints_to_alarm(2).threshold(1.5).unit(StandardUnit::Count);
    let put = put.comparison_operator(ComparisonOperator::LessThanThreshold).treat_missing_data("breaching");
    let put = put.actions_enabled(false).insufficient_data_actions(topic_arn(outside));
    put.send().await.unwrap();
    let arn = outside.arn("cloudwatch", "us-east-1", &format!("alarm:{ALARM_NAME}"));
    let tag = AlarmTag::builder().key("stranger").value("1").build();
    cloudwatch.tag_resource().resource_arn(arn).tags(tag).send().await.unwrap();
}

/// Whoever else subscribes to the topic goes on being told.
pub(super) async fn others_are_left_alone(outside: &Outside) {
    let listed = outside.east().sns.list_subscriptions_by_topic().topic_arn(topic_arn(outside)).send().await.unwrap();
    assert!(listed.subscriptions().iter().any(|entry| entry.endpoint() == Some(STRANGER)), "{listed:#?}");
}
