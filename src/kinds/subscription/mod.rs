//! E-mail subscriptions of a topic.
//!
//! A subscription waits until somebody follows the link in a mail. That is not drift, and
//! the mail is sent once: who does not confirm is not asked again by every apply. AWS
//! cannot mark a subscription, so the marks of its topic count, and it is adopted with that; one of
//! somebody else's on the same topic is left alone, as is an address that left the spec while the state was lost.

#[cfg(feature = "aws")]
mod aws;
mod permissions;

use serde::{Deserialize, Serialize};

use super::topic::Topic;
use crate::graph::Resource;

/// One address that a topic's messages go to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Subscription {
    /// The topic's name.
    pub topic: String,
    /// How messages are sent.
    pub protocol: String,
    /// Where to.
    pub endpoint: String,
}

impl Subscription {
    /// A subscription by e-mail.
    pub fn email(topic: &str, address: &str) -> Self {
        Self { topic: topic.to_owned(), protocol: "email".into(), endpoint: address.to_owned() }
    }

    fn key(&self) -> String {
        format!("{}:{}:{}", self.topic, self.protocol, self.endpoint)
    }
}

impl Resource for Subscription {
    const KIND: &'static str = "subscription";
    const FIXED: &'static [&'static str] = &["topic", "protocol", "endpoint"];
    const PART_OF: Option<&'static str> = Some(Topic::KIND);

    /// AWS's own id appears only once the address is confirmed; this one is drctl's.
    fn id(&self) -> Option<String> {
        Some(self.key())
    }
}
