//! CloudWatch metric alarms.
//!
//! drctl owns the configuration of an alarm and leaves its *state* alone: whether
//! it is firing is something to observe, not something to converge.

#[cfg(feature = "aws")]
mod aws;
mod permissions;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::graph::{Input, Resource, Tags};

/// The part of a metric alarm that drctl manages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Unique in its region.
    pub name: String,
    /// What it watches, for the person who is woken.
    pub description: String,
    /// The metrics it is computed from, by a short id.
    pub metrics: BTreeMap<String, Metric>,
    /// What is compared: the id of the only metric, or an expression of several or of one.
    pub expression: String,
    /// `GreaterThanThreshold`, …
    pub comparison: String,
    /// What it is compared with; `None` for a band that CloudWatch learns, which drctl never sets.
    pub threshold: Option<f64>,
    /// How many of the last periods are looked at.
    pub periods: i32,
    /// How many of them have to breach.
    pub datapoints: i32,
    /// What a period without data means: `notBreaching`, `breaching`, `ignore` or `missing`.
    /// DynamoDB's metrics always mean `ignore`, whatever is said here.
    pub missing_data: String,
    /// Whether anybody is told.
    pub actions_enabled: bool,
    /// Who is told that it fires, sorted.
    pub alarm_actions: Vec<Input>,
    /// Who is told that it is over, sorted.
    pub ok_actions: Vec<Input>,
    /// Who is told that there is no data, sorted. drctl tells nobody.
    pub insufficient_data_actions: Vec<Input>,
    /// Tags and ownership marks.
    pub tags: Tags,
}

/// One metric in periods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// `AWS/Lambda`, …
    pub namespace: String,
    /// `Errors`, …
    pub name: String,
    /// What tells this metric from others of its name.
    pub dimensions: BTreeMap<String, Input>,
    /// `Sum`, `Average`, `p99`, …
    pub statistic: String,
    /// The length of a period in seconds.
    pub period: i32,
    /// Only data of this unit counts. drctl sets none.
    pub unit: Option<String>,
}

impl Alarm {
    /// The id of the metric in an alarm of one metric.
    pub const METRIC: &'static str = "m";

    /// The expression in which periods without data count as zero.
    pub fn filled() -> String {
        format!("FILL({}, 0)", Self::METRIC)
    }

    /// The metric of an alarm that needs no expression.
    #[cfg(feature = "aws")]
    fn plain(&self) -> Option<&Metric> {
        let (id, metric) = self.metrics.first_key_value()?;
        (self.metrics.len() == 1 && *id == self.expression).then_some(metric)
    }
}

impl Resource for Alarm {
    const KIND: &'static str = "alarm";
    const FIXED: &'static [&'static str] = &["name"];

    fn id(&self) -> Option<String> {
        Some(self.name.clone())
    }
}
