//! Health checks of Route 53: how its name servers know whether a region takes payments.
//!
//! A new check counts as healthy until enough probes say otherwise, and about sixteen
//! checkers probe at the interval, so a function sees a request every two seconds at 30 s.
//! A former check is deleted only once no record names it any more: AWS would not object,
//! and what a record with a check that is gone answers is not defined. One that somebody made by hand is
//! adopted if it probes the same host, and can be changed into ours.

#[cfg(feature = "aws")]
mod aws;
mod permissions;

use serde::{Deserialize, Serialize};

use crate::graph::{AnsweredBy, Input, Resource, Tags};

/// The part of a health check that drctl manages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// AWS's id; none while the check is only wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The caller reference without its generation.
    pub reference: String,
    /// How it probes: `HTTPS`. Certificates are not verified.
    pub protocol: String,
    /// The host to probe.
    pub host: Input,
    /// The port.
    pub port: u16,
    /// The path to ask for; anything but 2xx and 3xx is a failure.
    pub path: String,
    /// Whether the host's name is sent in the handshake, which function URLs need.
    pub sni: bool,
    /// Seconds between two probes of one checker: 10 or 30.
    pub interval: u32,
    /// How many equal results in a row change the check's mind.
    pub failure_threshold: u32,
    /// Whether good counts as bad: how operators force a check down.
    pub inverted: bool,
    /// Whether it does not probe at all and counts as healthy.
    pub disabled: bool,
    /// Tags and ownership marks.
    pub tags: Tags,
}

impl Resource for HealthCheck {
    const KIND: &'static str = "health_check";
    const FIXED: &'static [&'static str] = &["protocol", "interval"];
    const AT_CREATION: &'static [&'static str] = &["id", "reference"];
    const CREATE_FIRST: bool = true;
    const ANSWERED_BY: AnsweredBy = AnsweredBy::Route53;

    fn id(&self) -> Option<String> {
        self.id.clone()
    }
}
