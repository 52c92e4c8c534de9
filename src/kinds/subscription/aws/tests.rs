use super::Subscription;
use crate::aws::canned::Canned;
use crate::graph::{Attributes, Place};
use crate::kinds::Found;
use crate::kinds::tests::{Case, observed, region, targets};

const ID: &str = "payment-alerts-prod-001:email:ops@example.com";
const ARN: &str = "arn:aws:sns:us-east-1:123456789012:payment-alerts-prod-001:9f1c";

fn member(arn: &str, endpoint: &str) -> String {
    format!(
        "<member><SubscriptionArn>{arn}</SubscriptionArn><Owner>123456789012</Owner><Protocol>email</Protocol>\
         <Endpoint>{endpoint}</Endpoint><TopicArn>arn:aws:sns:us-east-1:123456789012:payment-alerts-prod-001</TopicArn></member>"
    )
}

fn listing(members: &str) -> String {
    format!(
        "<ListSubscriptionsByTopicResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
         <ListSubscriptionsByTopicResult><Subscriptions>{members}</Subscriptions></ListSubscriptionsByTopicResult>\
         </ListSubscriptionsByTopicResponse>"
    )
}

fn aws() -> Canned {
    Canned::default().text("ListSubscriptionsByTopic", listing(&member(ARN, "ops@example.com")))
}

fn case() -> Case<Subscription> {
    Case::regional("sns", ID, aws())
}

#[test]
fn a_confirmed_subscription_is_read_with_its_arn() {
    let resource = Subscription::email("payment-alerts-prod-001", "ops@example.com");
    let found = Found { resource, attributes: Attributes::from([("arn".into(), ARN.into())]) };
    assert_eq!(case().found(), found);
}

#[test]
fn one_that_is_not_confirmed_waits_for_that() {
    let pending = listing(&member("PendingConfirmation", "ops@example.com"));
    let found = case().found_in(|aws| aws.text("ListSubscriptionsByTopic", pending));
    assert_eq!(found.attributes["waiting"], "confirm the subscription mail sent to ops@example.com");
}

#[test]
fn a_confirmed_one_counts_beside_one_that_is_pending() {
    let both = ["PendingConfirmation", ARN, "PendingConfirmation"].map(|arn| member(arn, "ops@example.com"));
    let found = case().found_in(|aws| aws.text("ListSubscriptionsByTopic", listing(&both.concat())));
    assert_eq!(found.attributes["arn"], ARN);
}

#[test]
fn a_subscription_is_absent_with_its_topic_or_when_deleted_or_anothers() {
    case().is_absent_after(&[("ListSubscriptionsByTopic", "NotFound")]);
    let deleted = listing(&member("Deleted", "ops@example.com"));
    case().is_absent_in(|aws| aws.text("ListSubscriptionsByTopic", deleted));
    case().is_absent_in(|aws| aws.text("ListSubscriptionsByTopic", listing(&member(ARN, "others@example.com"))));
}

#[test]
fn all_subscriptions_of_a_topic_come_with_one_listing() {
    let ids: Vec<String> =
        (0..20).map(|number| format!("payment-alerts-prod-001:email:{number}@example.com")).collect();
    let members: String = (0..20).map(|number| member(ARN, &format!("{number}@example.com"))).collect();
    let aws = aws().text("ListSubscriptionsByTopic", listing(&members));
    let targets = targets("subscription", ids.iter().map(String::as_str));
    let (seen, calls) = observed::<Subscription>(aws, &Place::Region(region("us-east-1")), &targets);
    assert_eq!(seen.values().filter(|seen| matches!(seen, Ok(Some(_)))).count(), 20);
    assert_eq!(calls, 1, "the listing");
}

#[test]
fn being_denied_or_throttled_is_never_an_absence() {
    case().fails_with_every_operation();
}

#[test]
fn an_incomplete_answer_names_what_it_lacks() {
    let operation = "ListSubscriptionsByTopic";
    case().needs(&[
        (operation, &format!("<SubscriptionArn>{ARN}</SubscriptionArn>"), "without its parts"),
        (operation, "<Protocol>email</Protocol>", "without its parts"),
        (operation, "<Endpoint>ops@example.com</Endpoint>", "without its parts"),
    ]);
}

#[test]
fn whatever_aws_says_nothing_panics() {
    case().bears_any_answer();
}
