//! The SNS calls behind [`Subscription`].

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;

use super::Subscription;
use crate::aws::{Call, Transient, retry};
use crate::graph::{Attributes, Failure};
use crate::kinds::topic::Topic;
use crate::kinds::{Context, Created, Found, Lifecycle, Seen, Target};

/// A topic just made may be unknown for a moment.
const SETTLING: &[Transient] = &[("NotFound", "")];

/// How long a topic just made may be unknown.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// What lists say instead of an ARN.
const PENDING: &str = "PendingConfirmation";
const DELETED: &str = "Deleted";

/// The ARN, or [`PENDING`], of each subscription of a topic by protocol and endpoint.
type Listing = BTreeMap<(String, String), String>;

impl Lifecycle for Subscription {
    /// One listing for all subscriptions of a topic.
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        let mut by_topic: BTreeMap<&str, Vec<(&Target, Subscription)>> = BTreeMap::new();
        let mut seen = Seen::new();
        for target in targets {
            match parse(&target.id) {
                Ok((topic, subscription)) => by_topic.entry(topic).or_default().push((target, subscription)),
                Err(failure) => {
                    seen.insert(target.address.clone(), Err(failure));
                }
            }
        }
        let looks = by_topic.into_iter().map(|(topic, wanted)| async move { (list(cx, topic).await, wanted) });
        for (listing, wanted) in join_all(looks).await {
            for (target, subscription) in wanted {
                let found = listing.as_ref().map_err(Failure::clone).map(|listing| {
                    let arn = listing.get(&(subscription.protocol.clone(), subscription.endpoint.clone()))?;
                    Some(Found { attributes: attributes(&subscription, arn), resource: subscription })
                });
                seen.insert(target.address.clone(), found);
            }
        }
        seen
    }

    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        let topic = arn(cx, &self.topic)?;
        let subscribe = || async {
            let call = cx.regional()?.sns.subscribe().topic_arn(&topic).protocol(&self.protocol);
            call.endpoint(&self.endpoint).return_subscription_arn(true).send().await.call("sns:Subscribe")
        };
        retry(cx.within(SETTLED_WITHIN), SETTLING, subscribe).await?;
        // The ARN that SNS returns is of no use before the confirmation.
        Ok(Created { id: self.key(), attributes: attributes(self, PENDING) })
    }

    /// Every property is fixed.
    async fn update(_before: &Self, _after: &Self, _cx: Context<'_>) -> Result<(), Failure> {
        Ok(())
    }

    /// One that is not confirmed cannot be taken back; it lapses by itself, or with its topic.
    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        let listing = list(cx, &self.topic).await?;
        let found = listing.get(&(self.protocol.clone(), self.endpoint.clone()));
        let Some(arn) = found.filter(|arn| *arn != PENDING) else { return Ok(()) };
        match cx.regional()?.sns.unsubscribe().subscription_arn(arn).send().await.gone("sns:Unsubscribe") {
            Err(failure) if failure.says("InvalidParameter", "pending confirmation") => Ok(()),
            other => other,
        }
    }
}

fn parse(id: &str) -> Result<(&str, Subscription), Failure> {
    let mut parts = id.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(topic), Some(protocol), Some(endpoint)) => {
            let (protocol, endpoint) = (protocol.to_owned(), endpoint.to_owned());
            Ok((topic, Subscription { topic: topic.to_owned(), protocol, endpoint }))
        }
        _ => Err(Failure::malformed("drctl", format!("`{id}` is no id of a subscription"))),
    }
}

/// The subscriptions of one topic. A topic that is not there has none.
async fn list(cx: Context<'_>, topic: &str) -> Result<Listing, Failure> {
    let arn = arn(cx, topic)?;
    let mut pages = cx.regional()?.sns.list_subscriptions_by_topic().topic_arn(&arn).into_paginator().send();
    let mut listing = Listing::new();
    while let Some(page) = pages.next().await {
        let Some(page) = page.found("sns:ListSubscriptionsByTopic")? else { return Ok(Listing::new()) };
        for entry in page.subscriptions.unwrap_or_default() {
            let (Some(protocol), Some(endpoint), Some(arn)) = (entry.protocol, entry.endpoint, entry.subscription_arn)
            else {
                return Err(Failure::malformed("sns:ListSubscriptionsByTopic", "a subscription without its parts"));
            };
            let listed = listing.get(&(protocol.clone(), endpoint.clone()));
            if arn != DELETED && listed.is_none_or(|known| known == PENDING) {
                listing.insert((protocol, endpoint), arn);
            }
        }
    }
    Ok(listing)
}

fn arn(cx: Context<'_>, topic: &str) -> Result<String, Failure> {
    Ok(Topic::arn(cx.regional()?.region.as_str(), &cx.clients.account, topic))
}

fn attributes(subscription: &Subscription, arn: &str) -> Attributes {
    if arn == PENDING {
        let waiting = format!("confirm the subscription mail sent to {}", subscription.endpoint);
        return Attributes::from([("waiting".into(), waiting), ("lapses".into(), "if nobody confirms it".into())]);
    }
    Attributes::from([("arn".into(), arn.to_owned())])
}

#[cfg(test)]
mod tests;
