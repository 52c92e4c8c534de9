//! The S3 calls that empty a bucket and delete it.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Config;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
use aws_sdk_s3::types::{Delete, Error, MultipartUpload, ObjectIdentifier, ObjectLockEnabled};
use futures::channel::mpsc::{Receiver, Sender, channel};
use futures::stream::{self, StreamExt, TryStreamExt};
use futures::{SinkExt, try_join};
use tokio::time::sleep;

use super::pace::{Pace, WORKERS};
use super::{Content, Tally, Undeleted};
use crate::aws::{Call, Transient, retry};
use crate::graph::{Failure, FailureClass};

/// Pages of 1,000 entries listed ahead of the workers: all that is ever held in memory.
const PAGES_AHEAD: usize = 4;

/// Pages counted before a person is told "more than"; a bucket may hold millions.
const PAGES_COUNTED: usize = 10;

/// Aborts of unfinished uploads at once.
const ABORTS: usize = 8;

/// How often a key that S3 could not delete just now is tried, with pauses that double from half a second.
const ATTEMPTS: u32 = 6;

/// How often a bucket is looked through that S3 says is not empty: what was on its way from
/// another region arrives late, and the last deletions are not seen at once.
const ROUNDS: u32 = 4;

/// What passes, of a whole call and of a single key in it.
const PASSING: &[Transient] = &[
    (SLOW_DOWN, ""),
    ("InternalError", ""),
    ("ServiceUnavailable", ""),
    ("RequestTimeout", ""),
    ("OperationAborted", ""),
];

const SLOW_DOWN: &str = "SlowDown";

/// How long that may take.
const PASSES_WITHIN: Duration = Duration::from_secs(120);

/// A bucket of this account.
#[derive(Clone, Copy)]
struct Owned<'a> {
    s3: &'a Client,
    account: &'a str,
    name: &'a str,
}

/// Entries to delete, and how many were listed so far if these are the last.
struct Page {
    entries: Vec<ObjectIdentifier>,
    total: Option<u64>,
}

/// Deletes a bucket with everything in it. What is gone already is deleted.
pub(in crate::kinds::bucket) async fn delete(
    s3: &Client,
    account: &str,
    name: &str,
    progress: &(dyn Fn(String) + Sync),
) -> Result<(), Failure> {
    let bucket = Owned { s3, account, name };
    if bucket.object_lock().await? {
        let message = "Object Lock is on: nothing was deleted, because S3 keeps locked versions until their time is up";
        return Err(Failure::new(FailureClass::Other, "s3:GetBucketObjectLockConfiguration", message));
    }
    let mut pause = Duration::from_secs(1);
    for round in 1.. {
        match bucket.empty(progress).await {
            Err(failure) if failure.code == "NoSuchBucket" => return Ok(()),
            other => other?,
        }
        let delete = || async {
            let call = s3.delete_bucket().bucket(name).expected_bucket_owner(account);
            call.send().await.gone("s3:DeleteBucket")
        };
        match retry(PASSES_WITHIN, PASSING, delete).await {
            Err(failure) if failure.code == "BucketNotEmpty" && round < ROUNDS => {
                progress("waiting for S3 to see that the bucket is empty".into());
                sleep(pause).await;
                pause *= 3;
            }
            other => return other,
        }
    }
    Ok(())
}

/// What is in a bucket; of one that is not there, nothing.
pub async fn content(s3: &Client, account: &str, name: &str) -> Result<Content, Failure> {
    let bucket = Owned { s3, account, name };
    let start = Marker::default();
    let counted = try_join!(bucket.object_lock(), bucket.count(), bucket.uploads(&start));
    let (object_lock, counted, (uploads, next)) = match counted {
        Err(failure) if failure.code == "NoSuchBucket" => return Ok(Content::default()),
        other => other?,
    };
    let uploads = uploads.len() as u64;
    Ok(Content { object_lock, uploads, more: counted.more || next.is_some(), ..counted })
}

/// Where a listing goes on: after this key and the version or upload of it.
#[derive(Clone, Default)]
struct Marker {
    key: Option<String>,
    id: Option<String>,
}

impl Owned<'_> {
    async fn object_lock(self) -> Result<bool, Failure> {
        let call = self.s3.get_object_lock_configuration().bucket(self.name).expected_bucket_owner(self.account);
        match call.send().await.call("s3:GetBucketObjectLockConfiguration") {
            Ok(answer) => Ok(answer
                .object_lock_configuration
                .is_some_and(|lock| lock.object_lock_enabled == Some(ObjectLockEnabled::Enabled))),
            Err(failure) if failure.code == "ObjectLockConfigurationNotFoundError" => Ok(false),
            Err(failure) if failure.code == "NoSuchBucket" => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    /// Deletes all versions, delete markers and unfinished uploads that are there now.
    async fn empty(self, progress: &(dyn Fn(String) + Sync)) -> Result<(), Failure> {
        let (sender, receiver) = channel(PAGES_AHEAD);
        // Listing and deleting overlap; a failure of one ends both.
        try_join!(self.list(sender), self.delete_listed(receiver, progress))?;
        self.abort_uploads().await
    }

    /// Hands on all entries, page by page.
    async fn list(self, mut pages: Sender<Page>) -> Result<(), Failure> {
        let (mut marker, mut listed) = (Marker::default(), 0);
        loop {
            let answer = self.versions(&marker).await?;
            let next = next(&answer);
            let entries = entries(answer)?;
            listed += entries.len() as u64;
            let last = next.is_none();
            if !entries.is_empty() && pages.send(Page { entries, total: last.then_some(listed) }).await.is_err() {
                // Nobody takes it any more: the deletion has failed, and says why.
                return Ok(());
            }
            match next {
                Some(next) => marker = next,
                None => return Ok(()),
            }
        }
    }

    async fn versions(self, after: &Marker) -> Result<ListObjectVersionsOutput, Failure> {
        retry(PASSES_WITHIN, PASSING, || async {
            let call = self.s3.list_object_versions().bucket(self.name).expected_bucket_owner(self.account);
            let call = call.set_key_marker(after.key.clone()).set_version_id_marker(after.id.clone());
            call.send().await.call("s3:ListBucketVersions")
        })
        .await
    }

    async fn delete_listed(self, pages: Receiver<Page>, progress: &(dyn Fn(String) + Sync)) -> Result<(), Failure> {
        let (mut tally, mut undeleted) = (Tally::new(), Undeleted::default());
        let pace = Pace::new();
        let mut deletions = pages.map(|page| self.delete_page(page, &pace)).buffer_unordered(WORKERS as usize);
        while let Some((deleted, total, refused)) = deletions.try_next().await? {
            tally.deleted += deleted;
            tally.total = tally.total.or(total);
            undeleted.join(refused);
            progress(tally.to_string());
        }
        match undeleted.count {
            0 => Ok(()),
            _ => Err(Failure::new(FailureClass::Other, "s3:DeleteObject", undeleted.to_string())),
        }
    }

    /// Deletes up to 1,000 entries. S3 answers 200 although some of them are still there, so
    /// those are tried again while the reason may pass.
    async fn delete_page(self, page: Page, pace: &Pace) -> Result<(u64, Option<u64>, Undeleted), Failure> {
        let (all, mut left, mut undeleted) = (page.entries.len() as u64, page.entries, Undeleted::default());
        let mut pause = Duration::from_millis(500);
        for attempt in 1..=ATTEMPTS {
            let errors = self.delete_objects(left, pace).await?;
            let (passing, lasting): (Vec<_>, Vec<_>) =
                errors.into_iter().partition(|error| attempt < ATTEMPTS && passes(error));
            lasting.iter().for_each(|error| undeleted.add(words(error)));
            left = passing.into_iter().map(identifier).collect::<Result<_, _>>()?;
            if left.is_empty() {
                break;
            }
            sleep(pause).await;
            pause *= 2;
        }
        Ok((all - undeleted.count.min(all), page.total, undeleted))
    }

    /// One call at the common pace. The SDK does not try it again by itself: nobody would hear of being too fast.
    async fn delete_objects(self, entries: Vec<ObjectIdentifier>, pace: &Pace) -> Result<Vec<Error>, Failure> {
        let delete = Delete::builder()
            .set_objects(Some(entries))
            .quiet(true)
            .build()
            .map_err(|error| Failure::malformed("s3:DeleteObject", error))?;
        let passing = [PASSING, &[("Unreachable", "")]].concat();
        let answer = retry(PASSES_WITHIN, &passing, || async {
            let _turn = pace.turn().await;
            let call = self.s3.delete_objects().bucket(self.name).expected_bucket_owner(self.account);
            let once = Config::builder().retry_config(RetryConfig::disabled());
            let call = call.delete(delete.clone()).customize().config_override(once);
            let answer = call.send().await.call("s3:DeleteObject");
            pace.told(match &answer {
                Ok(answer) => answer.errors().iter().any(|error| error.code() == Some(SLOW_DOWN)),
                Err(failure) => failure.code == SLOW_DOWN,
            });
            answer
        })
        .await?;
        Ok(answer.errors.unwrap_or_default())
    }

    async fn abort_uploads(self) -> Result<(), Failure> {
        let mut marker = Marker::default();
        loop {
            let (uploads, next) = self.uploads(&marker).await?;
            let aborts = uploads.into_iter().map(|upload| self.abort(upload));
            stream::iter(aborts).buffer_unordered(ABORTS).try_collect::<()>().await?;
            match next {
                Some(next) => marker = next,
                None => return Ok(()),
            }
        }
    }

    async fn uploads(self, after: &Marker) -> Result<(Vec<MultipartUpload>, Option<Marker>), Failure> {
        let call = self.s3.list_multipart_uploads().bucket(self.name).expected_bucket_owner(self.account);
        let call = call.set_key_marker(after.key.clone()).set_upload_id_marker(after.id.clone());
        let answer = call.send().await.call("s3:ListBucketMultipartUploads")?;
        let next = Marker { key: answer.next_key_marker, id: answer.next_upload_id_marker };
        let next = (answer.is_truncated == Some(true) && next.key.is_some()).then_some(next);
        Ok((answer.uploads.unwrap_or_default(), next))
    }

    async fn abort(self, upload: MultipartUpload) -> Result<(), Failure> {
        retry(PASSES_WITHIN, PASSING, || async {
            let call = self.s3.abort_multipart_upload().bucket(self.name).expected_bucket_owner(self.account);
            let call = call.set_key(upload.key.clone()).set_upload_id(upload.upload_id.clone());
            call.send().await.gone("s3:AbortMultipartUpload")
        })
        .await
    }

    /// Counts what is there, page by page up to the bound.
    async fn count(self) -> Result<Content, Failure> {
        let (mut content, mut marker) = (Content::default(), Marker::default());
        for _ in 0..PAGES_COUNTED {
            let answer = self.versions(&marker).await?;
            let next = next(&answer);
            for version in answer.versions() {
                match version.is_latest {
                    Some(true) => content.objects += 1,
                    _ => content.history += 1,
                }
                content.bytes += version.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
            }
            content.history += answer.delete_markers().len() as u64;
            match next {
                Some(next) => marker = next,
                None => return Ok(content),
            }
        }
        Ok(Content { more: true, ..content })
    }
}

/// Where the listing goes on, if it does.
fn next(answer: &ListObjectVersionsOutput) -> Option<Marker> {
    let marker = Marker { key: answer.next_key_marker.clone(), id: answer.next_version_id_marker.clone() };
    (answer.is_truncated == Some(true) && marker.key.is_some()).then_some(marker)
}

/// The versions and delete markers of a page.
fn entries(answer: ListObjectVersionsOutput) -> Result<Vec<ObjectIdentifier>, Failure> {
    let versions = answer.versions.unwrap_or_default().into_iter().map(|version| (version.key, version.version_id));
    let markers = answer.delete_markers.unwrap_or_default().into_iter().map(|marker| (marker.key, marker.version_id));
    versions.chain(markers).map(|(key, version)| entry(key, version)).collect()
}

/// Without its version, a deletion would only add a delete marker.
fn entry(key: Option<String>, version: Option<String>) -> Result<ObjectIdentifier, Failure> {
    let malformed = |what: &str| Failure::malformed("s3:ListBucketVersions", what);
    let version = version.ok_or_else(|| malformed("an entry without a version"))?;
    let entry = ObjectIdentifier::builder().set_key(key).version_id(version).build();
    entry.map_err(|_| malformed("an entry without a key"))
}

fn identifier(error: Error) -> Result<ObjectIdentifier, Failure> {
    entry(error.key, error.version_id)
}

fn passes(error: &Error) -> bool {
    error.key.is_some() && PASSING.iter().any(|(code, _)| error.code() == Some(code))
}

fn words(error: &Error) -> String {
    format!(
        "{} version {} ({}: {})",
        error.key().unwrap_or("?"),
        error.version_id().unwrap_or("?"),
        error.code().unwrap_or("?"),
        error.message().unwrap_or_default()
    )
}
