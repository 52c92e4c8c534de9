//! What the state makes of S3's answers in their wire form.

use jiff::Timestamp;

use super::*;
use crate::aws::canned::{Canned, Counter, denials, throttles};

const KEY: &str = "payment-dr-prod-001.json";

/// A bucket of an AWS that gives these answers.
fn bucket(aws: Canned) -> OnS3 {
    let counter = Counter::open();
    counter.offer(aws);
    OnS3::new(counter.clients.clone(), &Region::new("us-east-1"), "drctl-state-acme-us-east-1".into())
}

fn object() -> Canned {
    Canned::default()
        .text("GetObject", "{}")
        .header("GetObject", "etag", "\"1b2cf535\"")
        .header("GetObject", "last-modified", "Tue, 24 Nov 2026 12:00:00 GMT")
        .header("GetObject", "date", "Tue, 24 Nov 2026 12:01:01 GMT")
}

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

#[tokio::test]
async fn an_object_has_its_tag_its_time_and_the_time_of_the_answer() {
    let look = bucket(object()).read(KEY).await.unwrap();
    let object = Object { text: "{}".into(), tag: "\"1b2cf535\"".into(), modified: at("2026-11-24T12:00:00Z") };
    assert_eq!(look, Look { object: Some(object), now: at("2026-11-24T12:01:01Z") });
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again_and_is_no_answer() {
    let counter = Counter::open();
    // The checksum of something else is how the SDK knows it.
    counter.offer(object().header("GetObject", "x-amz-checksum-crc32", "AAAAAA=="));
    let bucket = OnS3::new(counter.clients.clone(), &Region::new("us-east-1"), "drctl-state-acme-us-east-1".into());
    let Err(Trouble::Failed(failure)) = bucket.read(KEY).await else { panic!("it is whole") };
    assert_eq!((failure.class, failure.code.as_str()), (FailureClass::Unreachable, BROKEN_OFF));
    assert_eq!(counter.clients.meter.total(), 3);
}

#[test]
fn bytes_that_are_no_text_are_damaged_and_never_mended() {
    assert_eq!(text(b"{}".to_vec()), "{}");
    let damaged = text(b"{\"id\": \"\xff\"}".to_vec());
    assert!(serde_json::from_str::<serde_json::Value>(&damaged).is_err());
}

#[tokio::test]
async fn what_is_not_there_is_told_from_a_bucket_that_is_not_there() {
    let missing = Canned::default().refusing("GetObject", "NoSuchKey", "The specified key does not exist.");
    assert_eq!(bucket(missing).read(KEY).await.map(|look| look.object), Ok(None));
    let gone = |operation| Canned::default().refusing(operation, "NoSuchBucket", "The specified bucket does not exist");
    assert_eq!(bucket(gone("GetObject")).read(KEY).await, Err(Trouble::NoBucket));
    assert_eq!(bucket(gone("PutObject")).write(KEY, "{}", &Only::Always).await, Err(Trouble::NoBucket));
    assert_eq!(bucket(gone("DeleteObject")).remove(KEY, None).await, Err(Trouble::NoBucket));
    assert_eq!(bucket(gone("ListObjectsV2")).list("a/").await, Err(Trouble::NoBucket));
}

#[tokio::test]
async fn a_condition_that_does_not_hold_is_no_failure() {
    for code in ["PreconditionFailed", "NoSuchKey"] {
        let aws = |operation| Canned::default().refusing(operation, code, "At least one of the pre-conditions failed");
        let only = Only::IfStill("\"1\"".into());
        assert_eq!(bucket(aws("PutObject")).write(KEY, "{}", &only).await, Err(Trouble::Changed), "{code}");
        assert_eq!(bucket(aws("DeleteObject")).remove(KEY, Some("\"1\"")).await, Err(Trouble::Changed), "{code}");
    }
}

#[tokio::test]
async fn a_write_gives_the_new_tag_and_an_answer_without_one_is_none() {
    let put = Canned::default().text("PutObject", "");
    let written = bucket(put.clone().header("PutObject", "etag", "\"2\"")).write(KEY, "{}", &Only::IfAbsent).await;
    assert_eq!(written, Ok("\"2\"".into()));
    let Err(Trouble::Failed(failure)) = bucket(put).write(KEY, "{}", &Only::IfAbsent).await else { panic!("a tag") };
    assert!(failure.message.contains("no ETag in the answer"), "{failure}");
}

#[tokio::test]
async fn keys_are_listed() {
    let contents = ["a/1.json", "a/2.json"].map(|key| format!("<Contents><Key>{key}</Key></Contents>")).concat();
    let list = format!("<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>");
    let keys = bucket(Canned::default().text("ListObjectsV2", list)).list("a/").await;
    assert_eq!(keys, Ok(vec!["a/1.json".into(), "a/2.json".into()]));
}

#[tokio::test]
async fn a_service_that_fails_in_itself_or_asks_to_slow_down_cannot_serve_now() {
    for code in ["InternalError", "SlowDown"] {
        let aws = Canned::default().refusing("GetObject", code, "Please try again.");
        let Err(Trouble::Failed(failure)) = bucket(aws).read(KEY).await else { panic!("{code} is an answer") };
        assert!(failure.class.is_outage() && !failure.class.is_unanswered(), "{failure}");
    }
}

#[tokio::test]
async fn being_denied_or_throttled_is_never_an_absence() {
    for code in denials("s3").iter().chain(throttles("s3")) {
        let aws = |operation| Canned::default().refusing(operation, code, "not you, not now");
        let troubles = [
            bucket(aws("GetObject")).read(KEY).await.err(),
            bucket(aws("PutObject")).write(KEY, "{}", &Only::Always).await.err(),
            bucket(aws("DeleteObject")).remove(KEY, None).await.err(),
            bucket(aws("ListObjectsV2")).list("a/").await.err(),
        ];
        for trouble in troubles {
            let Some(Trouble::Failed(failure)) = trouble else { panic!("{code}: {trouble:?}") };
            assert_eq!(failure.code, *code);
        }
    }
}
