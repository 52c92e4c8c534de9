"""SNS: e-mail subscriptions wait for their confirmation, as on AWS.

No mail is sent, so the token that a mail would carry is the address itself.
"""

import re

from . import calls, hooks

_sns = hooks.module("sns")
_EMAIL = ("email", "email-json")


@calls.around("sns", "Subscribe")
async def addresses_have_to_confirm(call, proceed):
    topic = _sns._topic_by_arn_any_scope(call.params.get("TopicArn"))
    before = {sub["arn"] for sub in topic["subscriptions"]} if topic else set()
    answer = await proceed()
    if answer[0] != 200 or call.params.get("Protocol") not in _EMAIL:
        return answer
    subscription = next(sub for sub in topic["subscriptions"]
                        if (sub["protocol"], sub["endpoint"]) == (call.params["Protocol"], call.params["Endpoint"]))
    if subscription["arn"] not in before:
        subscription.update(confirmed=False, token=subscription["endpoint"])
        subscription["attributes"].update(PendingConfirmation="true", ConfirmationWasAuthenticated="false")
        _sns._refresh_subscription_counts(topic)
    arn = subscription["arn"]
    if not subscription["confirmed"] and call.params.get("ReturnSubscriptionArn") != "true":
        arn = "pending confirmation"
    return _sns._xml(200, "SubscribeResponse",
                     f"<SubscribeResult><SubscriptionArn>{arn}</SubscriptionArn></SubscribeResult>")


@calls.around("sns", "ListSubscriptions", "ListSubscriptionsByTopic")
async def pending_subscriptions_have_no_arn_yet(call, proceed):
    status, headers, body = await proceed()

    def shown(found):
        topic = _sns._sub_arn_to_topic.get(found[1])
        subscription = _sns._find_subscription(topic, found[1]) if topic else None
        arn = "PendingConfirmation" if subscription and not subscription["confirmed"] else found[1]
        return f"<SubscriptionArn>{arn}</SubscriptionArn>"

    return status, headers, re.sub(r"<SubscriptionArn>([^<]*)</SubscriptionArn>", shown, body.decode()).encode()


@calls.around("sns", "Unsubscribe")
async def pending_subscriptions_stay(call, proceed):
    arn = call.params.get("SubscriptionArn", "")
    topic = _sns._sub_arn_to_topic.get(arn)
    subscription = _sns._find_subscription(topic, arn) if topic else None
    if arn.lower().replace(" ", "") == "pendingconfirmation" or (subscription and not subscription["confirmed"]):
        return call.error("InvalidParameter", "Invalid parameter: SubscriptionArn Reason: Cannot unsubscribe a "
                          "subscription that is pending confirmation")
    return await proceed()


@calls.strictly("sns", "CreateTopic")
async def an_existing_topic_keeps_its_attributes(call, proceed):
    """AWS answers a repeated creation only if it asks for the same."""
    ask = call.params
    topic = next((t for t in _sns._topics.values() if t["name"] == ask.get("Name")), None)
    if topic:
        tags = {ask[key]: ask.get(key[:-3] + "Value", "")
                for key in ask if re.fullmatch(r"Tags\.member\.\d+\.Key", key)}
        attributes = {ask[key]: ask.get(key[:-3] + "value", "")
                      for key in ask if re.fullmatch(r"Attributes\.entry\.\d+\.key", key)}
        if tags and tags != topic["tags"]:
            return call.error("InvalidParameter", "Invalid parameter: Tags Reason: Topic already exists with different "
                              "tags")
        if any(topic["attributes"].get(name) != value for name, value in attributes.items()):
            return call.error("InvalidParameter", "Invalid parameter: Attributes Reason: Topic already exists with "
                              "different attributes")
    return await proceed()
