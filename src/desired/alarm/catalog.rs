//! The metrics that alarms know, and the alarms that are there by default.

use super::Missing;
use crate::graph::Resource;
use crate::kinds::bucket::Bucket;
use crate::kinds::function::Function;
use crate::kinds::table::Table;

/// What can be watched, as `on` names it.
pub(super) const KINDS: [&str; 3] = [Function::KIND, Table::KIND, Bucket::KIND];

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
}

impl Watched {
    pub(super) fn namespace(self) -> &'static str {
        match self {
            Self::Function => "AWS/Lambda",
            Self::Member | Self::Replication => "AWS/DynamoDB",
            Self::Copied | Self::Copy => "AWS/S3",
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

/// Metrics that need no dimension beside those of [`Watched`]. `ThrottledRequests` and `SystemErrors`
/// also need an operation; an alarm without it would never have data.
pub(super) static METRICS: [Known; 19] = [
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
];

/// An alarm that is there by default: for each function with reserved concurrency, each table, each bucket.
#[derive(Debug)]
pub(super) struct Preset {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) metric: &'static str,
    pub(super) above: f64,
}

/// Five minutes.
pub(super) const PERIOD: i32 = 300;

pub(super) static PRESETS: [Preset; 7] = [
    Preset { name: "lambda-errors", kind: Function::KIND, metric: "Errors", above: 10.0 },
    // Throttled calls are no errors. A function at concurrency 0 throttles them all.
    Preset { name: "lambda-throttles", kind: Function::KIND, metric: "Throttles", above: 5.0 },
    Preset { name: "dynamodb-read-throttle", kind: Table::KIND, metric: "ReadThrottleEvents", above: 10.0 },
    Preset { name: "dynamodb-write-throttle", kind: Table::KIND, metric: "WriteThrottleEvents", above: 10.0 },
    // Half a second to two and a half are usual. A minute behind on average means that losing the
    // region now loses a minute of payments, and is far enough from usual to wake somebody for.
    Preset { name: "dynamodb-replication-latency", kind: Table::KIND, metric: "ReplicationLatency", above: 60_000.0 },
    // The promise of S3's replication time control: fifteen minutes.
    Preset { name: "s3-replication-latency", kind: Bucket::KIND, metric: "ReplicationLatency", above: 900.0 },
    Preset { name: "s3-replication-failed", kind: Bucket::KIND, metric: "OperationsFailedReplication", above: 0.0 },
];
