//! The S3 calls behind [`Objects`].

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::date_time::Format;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;

use super::objects::{Look, Object, Objects, Only, Trouble};
use crate::aws::{Asked, Call, Clients, Regional, Transient, given, retry};
use crate::graph::{Failure, FailureClass, Region, Site};

/// Two conditional writes that met: S3 asks to try again.
const COLLISION: &[Transient] = &[("ConditionalRequestConflict", ""), ("OperationAborted", "")];

/// How long that may take.
const COLLIDES_WITHIN: Duration = Duration::from_secs(10);

/// An answer that began and did not come to its end.
const BROKEN_OFF: &str = "BrokenOff";

/// How often such an answer is asked for.
const TRIES: usize = 3;

/// One state bucket in S3.
#[derive(Debug)]
pub(super) struct OnS3 {
    clients: Clients,
    /// What asks apart from the run, if it is to.
    apart: Option<aws_sdk_s3::Client>,
    site: Site,
    region: Region,
    bucket: String,
}

impl OnS3 {
    pub(super) fn new(clients: Clients, region: &Region, bucket: String) -> Self {
        Self { clients, apart: None, site: Site::Region(region.clone()), region: region.clone(), bucket }
    }

    /// The same bucket for what goes on beside a run and longer than it: a region that is dark to the run is asked all
    /// the same, and is not dark to it because of what happens here. How long that may take is the caller's business.
    pub(super) fn apart(clients: Clients, region: &Region, bucket: String) -> Self {
        let apart = clients.regions.get(region).map(Regional::s3_apart);
        Self { apart, ..Self::new(clients, region, bucket) }
    }

    fn s3(&self) -> Result<&aws_sdk_s3::Client, Failure> {
        let regional = self.clients.regions.get(&self.region).map(|regional| &regional.s3);
        let missing = || Failure::malformed("drctl", format!("{} is not connected", self.region));
        self.apart.as_ref().or(regional).ok_or_else(missing)
    }

    /// Every call is short: a region that says nothing meanwhile is dark.
    async fn call<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Trouble> {
        let result = match &self.apart {
            Some(_) => work.await,
            None => self.clients.at(&self.site, Asked::Reading, work).await,
        };
        result.map_err(trouble)
    }

    /// The SDK repeats what has no answer, but not what breaks off in the middle of one.
    async fn get(&self, key: &str) -> Result<Look, Failure> {
        let mut tries = 1;
        loop {
            match self.get_once(key).await {
                Err(failure) if failure.code == BROKEN_OFF && tries < TRIES => tries += 1,
                answer => return answer,
            }
        }
    }

    async fn get_once(&self, key: &str) -> Result<Look, Failure> {
        let date = Date::default();
        let call = self.s3()?.get_object().bucket(&self.bucket).key(key);
        let call = call.expected_bucket_owner(&self.clients.account).customize().interceptor(date.clone());
        let answer = match call.send().await.call("s3:GetObject") {
            Err(failure) if failure.code == "NoSuchKey" => return Ok(Look { object: None, now: date.now() }),
            answer => answer?,
        };
        let lacks = |what: &str| Failure::malformed("s3:GetObject", format!("no {what} in the answer"));
        let tag = answer.e_tag.ok_or_else(|| lacks("ETag"))?;
        let modified = answer.last_modified.as_ref().and_then(timestamp).ok_or_else(|| lacks("Last-Modified"))?;
        let body = answer.body.collect().await;
        let body = body.map_err(|error| Failure {
            code: BROKEN_OFF.to_owned(),
            ..Failure::new(FailureClass::Unreachable, "s3:GetObject", error.to_string())
        })?;
        let text = text(body.to_vec());
        Ok(Look { object: Some(Object { text, tag, modified }), now: date.now() })
    }

    async fn put(&self, key: &str, text: &str, only: &Only) -> Result<String, Failure> {
        let s3 = self.s3()?;
        let answer = retry(COLLIDES_WITHIN, COLLISION, || async {
            let call = s3.put_object().bucket(&self.bucket).key(key).content_type("application/json");
            let call = call.expected_bucket_owner(&self.clients.account);
            let call = match only {
                Only::Always => call,
                Only::IfAbsent => call.if_none_match("*"),
                Only::IfStill(tag) => call.if_match(tag),
            };
            call.body(ByteStream::from(text.as_bytes().to_vec())).send().await.call("s3:PutObject")
        })
        .await?;
        Ok(given("s3:PutObject", "ETag", answer.e_tag().unwrap_or_default())?.to_owned())
    }

    async fn delete(&self, key: &str, tag: Option<&str>) -> Result<(), Failure> {
        let call = self.s3()?.delete_object().bucket(&self.bucket).key(key).set_if_match(tag.map(str::to_owned));
        let call = call.expected_bucket_owner(&self.clients.account);
        retry(COLLIDES_WITHIN, COLLISION, || async { call.clone().send().await.call("s3:DeleteObject") }).await?;
        Ok(())
    }

    async fn keys(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let call = self.s3()?.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let call = call.expected_bucket_owner(&self.clients.account);
        let pages = call.into_paginator().send().collect::<Result<Vec<_>, _>>().await;
        let pages = pages.call("s3:ListBucket")?.into_iter().flat_map(|page| page.contents.unwrap_or_default());
        Ok(pages.filter_map(|object| object.key).collect())
    }
}

impl Objects for OnS3 {
    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Look, Trouble>> {
        self.call(self.get(key)).boxed()
    }

    fn write<'a>(&'a self, key: &'a str, text: &'a str, only: &'a Only) -> BoxFuture<'a, Result<String, Trouble>> {
        self.call(self.put(key, text, only)).boxed()
    }

    fn remove<'a>(&'a self, key: &'a str, tag: Option<&'a str>) -> BoxFuture<'a, Result<(), Trouble>> {
        self.call(self.delete(key, tag)).boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Trouble>> {
        self.call(self.keys(prefix)).boxed()
    }
}

/// A condition on what is not there is answered with `NoSuchKey`.
fn trouble(failure: Failure) -> Trouble {
    match failure.code.as_str() {
        "NoSuchBucket" => Trouble::NoBucket,
        "PreconditionFailed" | "NoSuchKey" => Trouble::Changed,
        _ => Trouble::Failed(failure),
    }
}

/// Bytes that are no text are damaged to whoever reads them, and no text with gaps.
fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|_| "(bytes that are not UTF-8 text)".to_owned())
}

fn timestamp(time: &DateTime) -> Option<Timestamp> {
    Timestamp::from_second(time.secs()).ok()
}

/// Catches the date of an answer, which no output of the SDK has.
#[derive(Clone, Debug, Default)]
struct Date(Arc<Mutex<Option<Timestamp>>>);

impl Date {
    /// S3 always says the date; without one, this machine's has to do.
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).unwrap_or_else(Timestamp::now)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Date {
    fn name(&self) -> &'static str {
        "drctl date"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date.as_ref().and_then(timestamp);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
