use super::Topic;
use crate::aws::canned::Canned;
use crate::graph::Attributes;
use crate::kinds::Found;
use crate::kinds::tests::{Case, tags};

const NAME: &str = "payment-alerts-prod-001";
const ARN: &str = "arn:aws:sns:us-east-1:123456789012:payment-alerts-prod-001";

fn entry(key: &str, value: &str) -> String {
    format!("<entry><key>{key}</key><value>{value}</value></entry>")
}

fn policy() -> String {
    let policy = Topic::for_alarms(ARN, "123456789012").to_text();
    entry("Policy", &policy.replace('"', "&quot;"))
}

fn aws() -> Canned {
    let attributes = format!(
        "<GetTopicAttributesResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><GetTopicAttributesResult>\
         <Attributes>{}{}{}{}</Attributes></GetTopicAttributesResult>\
         <ResponseMetadata><RequestId>7f3c</RequestId></ResponseMetadata></GetTopicAttributesResponse>",
        entry("TopicArn", ARN),
        entry("Owner", "123456789012"),
        policy(),
        entry("SubscriptionsPending", "1"),
    );
    let tags = "<ListTagsForResourceResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><ListTagsForResourceResult>\
                <Tags><member><Key>cost-center</Key><Value>payments</Value></member></Tags>\
                </ListTagsForResourceResult></ListTagsForResourceResponse>";
    Canned::default().text("GetTopicAttributes", attributes).text("ListTagsForResource", tags)
}

fn case() -> Case<Topic> {
    Case::regional("sns", NAME, aws())
}

#[test]
fn a_topic_is_read_with_its_policy_and_tags() {
    let resource = Topic {
        name: NAME.into(),
        policy: Topic::for_alarms(ARN, "123456789012"),
        kms_key: None,
        tags: tags(&[("cost-center", "payments")]),
    };
    let found = Found { resource, attributes: Attributes::from([("arn".into(), ARN.into())]) };
    assert_eq!(case().found(), found);
}

#[test]
fn a_topic_tells_its_key() {
    let key = "arn:aws:kms:us-east-1:123456789012:key/mrk-1a2b";
    let with_key = format!("{}</Attributes>", entry("KmsMasterKeyId", key));
    let found = case().found_in(|aws| aws.replacing("GetTopicAttributes", "</Attributes>", &with_key));
    assert_eq!(found.resource.kms_key, Some(key.into()));
}

#[test]
fn a_topic_that_is_not_there_is_absent() {
    case().is_absent_after(&[("GetTopicAttributes", "NotFound")]);
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case().fails_with_every_operation();
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    case().needs(&[("GetTopicAttributes", &policy(), "no policy")]);
    case().is_malformed_in(|aws| aws.without("GetTopicAttributes", "{"), "the policy is not JSON");
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case().bears_any_answer();
}
