//! The metrics that alarms know, and the alarms that are there by default.

use super::{Limit, Missing};
use crate::graph::Resource;
use crate::kinds::bucket::Bucket;
use crate::kinds::function::Function;
use crate::kinds::table::Table;

/// A region's health check, as `[dns]` calls it.
pub(super) const HEALTH_CHECK: &str = "health-check";

/// What can be watched, as `on` names it.
pub(super) const KINDS: [&str; 4] = [Function::KIND, Table::KIND, Bucket::KIND, HEALTH_CHECK];

/// The only region that has the metrics of health checks.
pub(super) const HEALTH_METRICS: &str = "us-east-1";

/// Which of AWS's dimensions a metric has, and in which region it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    /// A function, in its own region.
    Function,
    /// A member of a table, in its own region.
    Member,
    /// What a member sends to the other one, in the sender's region.
    Replication,
    /// What a bucket's replication does, in the region of the bucket that is copied.
    Copied,
    /// The same, in the region of the copy; in the other one such an alarm would never have data.
    Copy,
    /// A health check of either region, in [`HEALTH_METRICS`].
    Health,
}

impl Watched {
    pub(super) fn namespace(self) -> &'static str {
        match self {
            Self::Function => "AWS/Lambda",
            Self::Member | Self::Replication => "AWS/DynamoDB",
            Self::Copied | Self::Copy => "AWS/S3",
            Self::Health => "AWS/Route53",
        }
    }

    /// Whether alarms on it pass over periods without data whatever they are told.
    pub(super) fn ignores_missing_data(self) -> bool {
        self.namespace() == "AWS/DynamoDB"
    }
}

/// A metric and how it is watched unless the spec says otherwise.
#[derive(Debug)]
pub(super) struct Known {
    /// `function`, …
    pub(super) kind: &'static str,
    /// AWS's name.
    pub(super) metric: &'static str,
    pub(super) watched: Watched,
    pub(super) statistic: &'static str,
    /// What its values are, for people: ` ms`
    pub(super) unit: &'static str,
    pub(super) missing: Missing,
}

/// How often something happened. No data is zero.
const fn count(kind: &'static str, watched: Watched, metric: &'static str) -> Known {
    Known { kind, metric, watched, statistic: "Sum", unit: "", missing: Missing::Ok }
}

/// How long something took, in milliseconds. No data says nothing.
const fn milliseconds(kind: &'static str, watched: Watched, metric: &'static str, statistic: &'static str) -> Known {
    Known { kind, metric, watched, statistic, unit: " ms", missing: Missing::Ignore }
}

/// What the checkers find. No data is neither good nor bad: a check is new, or switched off.
const fn health(metric: &'static str, statistic: &'static str, unit: &'static str) -> Known {
    Known { kind: HEALTH_CHECK, metric, watched: Watched::Health, statistic, unit, missing: Missing::Unknown }
}

/// Metrics that need no dimension beside those of [`Watched`]. `ThrottledRequests` and `SystemErrors`
/// also need an operation; an alarm without it would never have data.
pub(super) static METRICS: [Known; 21] = [
    count(Function::KIND, Watched::Function, "Errors"),
    count(Function::KIND, Watched::Function, "Throttles"),
    count(Function::KIND, Watched::Function, "Invocations"),
    Known { statistic: "Maximum", ..count(Function::KIND, Watched::Function, "ConcurrentExecutions") },
    milliseconds(Function::KIND, Watched::Function, "Duration", "Maximum"),
    count(Function::KIND, Watched::Function, "UrlRequestCount"),
    milliseconds(Function::KIND, Watched::Function, "UrlRequestLatency", "Maximum"),
    count(Function::KIND, Watched::Function, "Url4xxCount"),
    count(Function::KIND, Watched::Function, "Url5xxCount"),
    count(Table::KIND, Watched::Member, "ReadThrottleEvents"),
    count(Table::KIND, Watched::Member, "WriteThrottleEvents"),
    count(Table::KIND, Watched::Member, "ConsumedReadCapacityUnits"),
    count(Table::KIND, Watched::Member, "ConsumedWriteCapacityUnits"),
    count(Table::KIND, Watched::Member, "ConditionalCheckFailedRequests"),
    count(Table::KIND, Watched::Member, "TransactionConflict"),
    count(Table::KIND, Watched::Member, "TimeToLiveDeletedItemCount"),
    milliseconds(Table::KIND, Watched::Replication, "ReplicationLatency", "Average"),
    // No data means that nothing waits to be copied.
    Known { statistic: "Maximum", unit: " s", ..count(Bucket::KIND, Watched::Copy, "ReplicationLatency") },
    count(Bucket::KIND, Watched::Copied, "OperationsFailedReplication"),
    health("HealthCheckStatus", "Minimum", ""),
    health("HealthCheckPercentageHealthy", "Average", " %"),
];

/// An alarm that is there by default: for each function with reserved concurrency, each table, each bucket, each
/// health check.
#[derive(Debug)]
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) metric: &'static str,
    pub(super) limit: Limit,
    /// Seconds.
    pub(super) period: i32,
}

/// Five minutes.
pub(super) const PERIOD: i32 = 300;

const fn above(name: &'static str, kind: &'static str, metric: &'static str, limit: f64) -> Preset {
    Preset { name, kind, metric, limit: Limit::Above(limit), period: PERIOD }
}

pub(super) static PRESETS: [Preset; 8] = [
    above("lambda-errors", Function::KIND, "Errors", 10.0),
    // Throttled calls are no errors. A function at concurrency 0 throttles them all.
    above("lambda-throttles", Function::KIND, "Throttles", 5.0),
    above("dynamodb-read-throttle", Table::KIND, "ReadThrottleEvents", 10.0),
    above("dynamodb-write-throttle", Table::KIND, "WriteThrottleEvents", 10.0),
    // Half a second to two and a half are usual. A minute behind on average means that losing the
    // region now loses a minute of payments, and is far enough from usual to wake somebody for.
    above("dynamodb-replication-latency", Table::KIND, "ReplicationLatency", 60_000.0),
    // The promise of S3's replication time control: fifteen minutes.
    above("s3-replication-latency", Bucket::KIND, "ReplicationLatency", 900.0),
    above("s3-replication-failed", Bucket::KIND, "OperationsFailedReplication", 0.0),
    // 1 is green and 0 is red. Route 53 says it once a minute, and DNS has moved by then.
    Preset {
        name: "health-check-status",
        kind: HEALTH_CHECK,
        metric: "HealthCheckStatus",
        limit: Limit::Below(1.0),
        period: 60,
    },
];
