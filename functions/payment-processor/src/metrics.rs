//! Metrics as log lines: CloudWatch makes a metric of each line in its embedded metric format, without an API call.

use payments::UtcTime;
use serde_json::json;

use crate::service::Outcome;

/// The metric line of a request; `None` if it was not about a payment.
pub(crate) fn line(function: &str, outcome: Outcome, at: UtcTime) -> Option<String> {
    let metric = match outcome {
        Outcome::Accepted => "Accepted",
        Outcome::Replayed => "Replayed",
        Outcome::Rejected | Outcome::Conflict => "Rejected",
        Outcome::Failed => "Failed",
        Outcome::Probed | Outcome::Misdirected => return None,
    };
    Some(count(function, metric, at))
}

/// The metric line of a payment that was taken and whose log object could not be written.
pub(crate) fn log_failed(function: &str, at: UtcTime) -> String {
    count(function, "LogObjectFailed", at)
}

fn count(function: &str, metric: &str, at: UtcTime) -> String {
    let directive = json!({
        "Namespace": "Payments",
        "Dimensions": [["FunctionName"]],
        "Metrics": [{"Name": metric, "Unit": "Count"}],
    });
    let line = json!({
        "_aws": {"Timestamp": at.as_millis(), "CloudWatchMetrics": [directive]},
        "FunctionName": function,
        (metric): 1,
    });
    line.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accepted_payment_counts_in_the_metric_format_of_cloudwatch() {
        let line = line("payment-processor-prod-001", Outcome::Accepted, UtcTime::from_millis(7));
        let expected = concat!(
            r#"{"_aws":{"Timestamp":7,"CloudWatchMetrics":[{"Namespace":"Payments","Dimensions":[["FunctionName"]],"#,
            r#""Metrics":[{"Name":"Accepted","Unit":"Count"}]}]},"FunctionName":"payment-processor-prod-001","Accepted":1}"#
        );
        assert_eq!(line.as_deref(), Some(expected));
    }

    #[test]
    fn a_log_object_that_could_not_be_written_counts() {
        assert!(log_failed("f", UtcTime::from_millis(7)).ends_with(r#""LogObjectFailed":1}"#));
    }

    #[test]
    fn a_probe_counts_nothing() {
        assert_eq!(line("f", Outcome::Probed, UtcTime::from_millis(7)), None);
    }
}
