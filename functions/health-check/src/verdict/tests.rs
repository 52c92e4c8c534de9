use serde_json::Value;

use super::*;

fn found(state: &str, reserved_concurrency: Option<i32>) -> Processor {
    Processor::Found { state: Some(state.into()), reserved_concurrency }
}

fn shown(processor: Processor, table: Table) -> (u16, Value) {
    shown_with(processor, table, None)
}

fn shown_with(processor: Processor, table: Table, bucket: Option<Bucket>) -> (u16, Value) {
    let report = Report::new(Readings { table, processor, bucket }, UtcTime::from_millis(1_795_536_000_000));
    let answer = answer("us-east-1", &report);
    (answer.status, serde_json::from_str(answer.body()).expect("answers are JSON"))
}

#[track_caller]
fn healthy(processor: Processor) {
    assert_eq!(shown(processor, Table::Answered).0, 200);
}

#[track_caller]
fn unhealthy(processor: Processor, reason: &str) {
    let (status, document) = shown(processor, Table::Answered);
    assert_eq!((status, &document["reasons"]), (503, &json!([reason])));
}

#[test]
fn a_region_that_can_take_payments_is_healthy() {
    let expected = json!({
        "status": "healthy", "region": "us-east-1", "checkedAt": "2026-11-24T16:00:00.000Z",
        "readings": {"table.payment-transactions": "ok", "function.payment-processor": "Active"},
    });
    assert_eq!(shown(found("Active", Some(100)), Table::Answered), (200, expected));
    healthy(found("Active", None));
}

/// This is how operators simulate the failure of a region.
#[test]
fn a_concurrency_of_zero_is_unhealthy() {
    unhealthy(found("Active", Some(0)), "function.payment-processor has a reserved concurrency of 0");
}

#[test]
fn a_processor_that_cannot_run_is_unhealthy() {
    unhealthy(found("Failed", Some(100)), "function.payment-processor is Failed");
    unhealthy(found("Pending", None), "function.payment-processor is Pending");
    unhealthy(Processor::Missing, "function.payment-processor does not exist");
}

#[test]
fn a_processor_that_sleeps_is_healthy() {
    healthy(found("Inactive", Some(100)));
}

#[test]
fn not_hearing_from_the_control_plane_is_no_reason() {
    let (status, document) = shown(Processor::Unknown("timed out".into()), Table::Answered);
    assert_eq!(status, 200);
    assert_eq!(document["readings"]["function.payment-processor"], "unknown");
    healthy(Processor::Found { state: None, reserved_concurrency: None });
    healthy(found("SomethingNew", None));
}

#[test]
fn a_table_that_fails_is_unhealthy_whatever_else_is_known() {
    let cause = "dynamodb:GetItem failed: ResourceNotFoundException (request 1)";
    let (status, document) = shown(Processor::Unknown("timed out".into()), Table::Failed(cause.into()));
    assert_eq!(status, 503);
    assert_eq!(document["reasons"], json!([format!("table.payment-transactions cannot be read: {cause}")]));
}

#[test]
fn every_reason_is_told() {
    let (_, document) = shown(found("Failed", Some(0)), Table::Failed("no answer".into()));
    assert_eq!(document["reasons"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_bucket_that_is_gone_is_unhealthy_and_one_that_does_not_answer_is_not() {
    let with = |bucket| shown_with(found("Active", None), Table::Answered, Some(bucket));
    let (status, document) = with(Bucket::Missing);
    assert_eq!((status, &document["reasons"]), (503, &json!(["bucket.transaction-logs does not exist"])));
    for (bucket, reading) in [(Bucket::Found, "ok"), (Bucket::Unknown("AccessDenied".into()), "unknown")] {
        let (status, document) = with(bucket);
        assert_eq!((status, &document["readings"]["bucket.transaction-logs"]), (200, &json!(reading)));
    }
}
