//! Healthy or not: a function of what was read.
//!
//! Only what was positively read makes a region unhealthy. Functions go on running while the Lambda control plane does
//! not answer, and in the disaster that this check exists for it may well not: its silence is no reason to send payments
//! elsewhere. The table is different: a payment needs it, so its silence is a reason.

#[cfg(test)]
mod tests;

use payments::UtcTime;
use payments::http::Answer;
use serde_json::json;

/// What was read about a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Readings {
    pub(crate) table: Table,
    pub(crate) processor: Processor,
    /// `None` in a system that keeps no logs of payments.
    pub(crate) bucket: Option<Bucket>,
}

/// How the table answered a read of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    Answered,
    /// It answered with an error, or not in time.
    Failed(String),
}

/// What the Lambda control plane says about the payment processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Processor {
    Found {
        /// The function's state, such as `Active`, if it was said.
        state: Option<String>,
        /// How many requests it may take at once; `None` if that is not limited.
        reserved_concurrency: Option<i32>,
    },
    /// There is no such function.
    Missing,
    /// The control plane answered with an error, or not in time.
    Unknown(String),
}

/// What S3 says about the bucket for the logs of payments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bucket {
    Found,
    /// There is no such bucket.
    Missing,
    /// S3 answered with an error, or not in time. Payments are taken without it.
    Unknown(String),
}

/// The judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Healthy,
    Unhealthy,
}

/// A judgement with its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    readings: Readings,
    pub(crate) reasons: Vec<String>,
    at: UtcTime,
}

/// States in which Lambda refuses to run a function. `Inactive` is not among them: that is a function nobody called for
/// weeks, as in a standby region, and the first call wakes it. Calling it unhealthy would keep that call away.
const NOT_RUNNING: [&str; 6] = ["Pending", "Failed", "Deactivating", "Deactivated", "ActiveNonInvocable", "Deleting"];

impl Report {
    /// Judges what was read at this time.
    pub(crate) fn new(readings: Readings, at: UtcTime) -> Self {
        let reasons = reasons(&readings);
        Self { readings, reasons, at }
    }

    pub(crate) fn verdict(&self) -> Verdict {
        if self.reasons.is_empty() { Verdict::Healthy } else { Verdict::Unhealthy }
    }

    /// The processor's state in one word.
    pub(crate) fn processor(&self) -> &str {
        match &self.readings.processor {
            Processor::Found { state, .. } => state.as_deref().unwrap_or("unknown"),
            Processor::Missing => "missing",
            Processor::Unknown(_) => "unknown",
        }
    }

    /// Why nothing is known about the processor or the bucket, if so. For the log: whoever asks from outside need not
    /// know.
    pub(crate) fn unknown_because(&self) -> Option<&str> {
        match (&self.readings.processor, &self.readings.bucket) {
            (Processor::Unknown(cause), _) | (_, Some(Bucket::Unknown(cause))) => Some(cause),
            _ => None,
        }
    }
}

fn reasons(readings: &Readings) -> Vec<String> {
    let mut reasons = Vec::new();
    match &readings.processor {
        Processor::Found { state, reserved_concurrency } => {
            if *reserved_concurrency == Some(0) {
                reasons.push("function.payment-processor has a reserved concurrency of 0".to_owned());
            }
            if let Some(state) = state.as_deref().filter(|state| NOT_RUNNING.contains(state)) {
                reasons.push(format!("function.payment-processor is {state}"));
            }
        }
        Processor::Missing => reasons.push("function.payment-processor does not exist".to_owned()),
        Processor::Unknown(_) => {}
    }
    if let Table::Failed(cause) = &readings.table {
        reasons.push(format!("table.payment-transactions cannot be read: {cause}"));
    }
    if readings.bucket == Some(Bucket::Missing) {
        reasons.push("bucket.transaction-logs does not exist".to_owned());
    }
    reasons
}

/// The answer to whoever asks: 200 if a payment could be taken here, else 503 with the reasons.
pub(crate) fn answer(region: &str, report: &Report) -> Answer {
    let table = match report.readings.table {
        Table::Answered => "ok",
        Table::Failed(_) => "failed",
    };
    let mut readings = json!({
        "table.payment-transactions": table,
        "function.payment-processor": report.processor(),
    });
    if let Some(bucket) = &report.readings.bucket {
        readings["bucket.transaction-logs"] = json!(match bucket {
            Bucket::Found => "ok",
            Bucket::Missing => "missing",
            Bucket::Unknown(_) => "unknown",
        });
    }
    let checked_at = report.at.to_string();
    match report.verdict() {
        Verdict::Healthy => {
            let document =
                json!({"status": "healthy", "region": region, "checkedAt": checked_at, "readings": readings});
            Answer::json(200, &document)
        }
        Verdict::Unhealthy => {
            let document = json!({
                "status": "unhealthy", "region": region, "checkedAt": checked_at, "readings": readings,
                "reasons": report.reasons,
            });
            Answer::json(503, &document)
        }
    }
}
