"""Topics and e-mail subscriptions."""

import pytest
from conftest import refused

MAIL = "oncall@example.com"


@pytest.fixture
def topic(plain, name):
    return plain.aws("sns").create_topic(Name=name, Tags=[{"Key": "a", "Value": "1"}])["TopicArn"]


def test_an_address_is_pending_until_it_confirms(plain, topic):
    sns = plain.aws("sns")
    subscribe = dict(TopicArn=topic, Protocol="email", Endpoint=MAIL)
    assert sns.subscribe(**subscribe)["SubscriptionArn"] == "pending confirmation"
    arn = sns.subscribe(**subscribe, ReturnSubscriptionArn=True)["SubscriptionArn"]
    assert arn.startswith(topic)

    def listed():
        subscription, = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
        return subscription["SubscriptionArn"]

    assert listed() == "PendingConfirmation"
    assert sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["PendingConfirmation"] == "true"
    assert sns.get_topic_attributes(TopicArn=topic)["Attributes"]["SubscriptionsPending"] == "1"
    code, message = refused(sns.unsubscribe, SubscriptionArn=arn)
    assert code == "InvalidParameter" and "pending confirmation" in message
    assert sns.confirm_subscription(TopicArn=topic, Token=MAIL)["SubscriptionArn"] == arn
    assert listed() == arn
    sns.unsubscribe(SubscriptionArn=arn)
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


def test_a_topic_is_not_created_again_with_other_tags_or_attributes(strict, name):
    create = strict.aws("sns").create_topic
    same = dict(Name=name, Tags=[{"Key": "a", "Value": "1"}], Attributes={"DisplayName": "d"})
    assert create(**same) and create(**same) and create(Name=name)
    assert refused(create, Name=name, Tags=[{"Key": "a", "Value": "2"}])[0] == "InvalidParameter"
    assert refused(create, Name=name, Attributes={"DisplayName": "e"})[0] == "InvalidParameter"
