//! Overrides in the buckets: an object each, in both, read as a union. No lock is needed for them.

use std::collections::BTreeMap;

use futures::future::join_all;
use jiff::Timestamp;

use super::objects::{Only, Trouble};
use super::{Bucket, Buckets};
use crate::state::StateError;
use crate::state::overrides::{Override, sort};

/// An override, and when it was put there by the bucket's clock.
type Put = (Timestamp, Override);

impl Buckets {
    /// Every override that holds, the eldest first.
    pub(in crate::state) async fn overrides(&self) -> Result<Vec<Override>, StateError> {
        self.overrides_of(&self.buckets).await
    }

    /// Every override that one of these buckets has; of two with one id, the one that was put there later.
    pub(super) async fn overrides_of(&self, buckets: &[Bucket]) -> Result<Vec<Override>, StateError> {
        let found = join_all(buckets.iter().map(|bucket| self.overrides_in(bucket))).await;
        let (mut union, mut missed) = (BTreeMap::<String, Put>::new(), Vec::new());
        for found in found {
            match found {
                Ok(found) => {
                    for (at, held) in found {
                        let known = union.get(&held.id);
                        if known.is_none_or(|(earlier, _)| *earlier < at) {
                            union.insert(held.id.clone(), (at, held));
                        }
                    }
                }
                Err(error) if error.is_unanswered() || matches!(error, StateError::NoBuckets { .. }) => {
                    missed.push(error);
                }
                Err(error) => return Err(error),
            }
        }
        if missed.len() == buckets.len()
            && let Some(error) = missed.pop()
        {
            return Err(error);
        }
        let mut overrides: Vec<Override> = union.into_values().map(|(_, held)| held).collect();
        sort(&mut overrides);
        Ok(overrides)
    }

    async fn overrides_in(&self, bucket: &Bucket) -> Result<Vec<Put>, StateError> {
        let folder = self.folder();
        let keys = bucket.objects.list(&folder).await.map_err(|trouble| bucket.error(trouble))?;
        let ids = keys.iter().filter_map(|key| Some((key, key.strip_prefix(&folder)?.strip_suffix(".json")?)));
        let reads = join_all(ids.map(|(key, id)| async move {
            let look = bucket.objects.read(key).await.map_err(|trouble| bucket.error(trouble))?;
            // Released meanwhile.
            let Some(object) = look.object else { return Ok(None) };
            let damaged = |reason| StateError::DamagedOverride { at: bucket.object(key), reason };
            Ok(Some((object.modified, Override::from_text(id, &object.text).map_err(damaged)?)))
        }));
        reads.await.into_iter().filter_map(Result::transpose).collect()
    }

    /// Keeps an override in every bucket that answers.
    pub(in crate::state) async fn put_override(&self, held: &Override) -> Result<(), StateError> {
        let (key, text) = (self.override_key(&held.id), held.to_text());
        let put = |bucket: &Bucket| {
            let (bucket, key, text) = (bucket.clone(), key.clone(), text.clone());
            async move { bucket.objects.write(&key, &text, &Only::Always).await.map(|_| true) }
        };
        self.everywhere(put, "it is not kept there").await.map(|_| ())
    }

    /// Removes an override from every bucket that answers; `false` if there was none of this id.
    pub(in crate::state) async fn release_override(&self, id: &str) -> Result<bool, StateError> {
        let key = self.override_key(id);
        let release = |bucket: &Bucket| {
            let (bucket, key) = (bucket.clone(), key.clone());
            async move {
                let was_there = bucket.objects.read(&key).await?.object.is_some();
                bucket.objects.remove(&key, None).await.map(|()| was_there)
            }
        };
        self.everywhere(release, "it holds again once that bucket answers: release it again then").await
    }

    /// Puts into every bucket the overrides that only another one has, as after one was lost.
    pub(in crate::state) async fn spread_overrides(&self) -> Result<(), StateError> {
        for held in self.overrides().await? {
            let (key, text) = (self.override_key(&held.id), held.to_text());
            for bucket in &self.buckets {
                match bucket.objects.write(&key, &text, &Only::IfAbsent).await {
                    Ok(_) | Err(Trouble::Changed) => {}
                    Err(trouble) => return Err(bucket.error(trouble)),
                }
            }
        }
        Ok(())
    }

    /// Does something in every bucket; says whether it came to something in one. Some may not answer, but not all.
    async fn everywhere<F>(&self, act: impl Fn(&Bucket) -> F, otherwise: &str) -> Result<bool, StateError>
    where
        F: Future<Output = Result<bool, Trouble>>,
    {
        let done = join_all(self.buckets.iter().map(act)).await;
        let (mut something, mut missed) = (false, Vec::new());
        for (bucket, outcome) in self.buckets.iter().zip(done) {
            match outcome {
                Ok(this) => something |= this,
                Err(trouble) => {
                    let error = bucket.error(trouble);
                    if !error.is_unanswered() && !matches!(error, StateError::NoBuckets { .. }) {
                        return Err(error);
                    }
                    missed.push(error);
                }
            }
        }
        if missed.len() == self.buckets.len()
            && let Some(error) = missed.pop()
        {
            return Err(error);
        }
        for error in missed {
            self.remarks.tell(&format!("{error}; {otherwise}"));
        }
        Ok(something)
    }

    fn folder(&self) -> String {
        format!("{}/", self.key("overrides"))
    }

    fn override_key(&self, id: &str) -> String {
        format!("{}{id}.json", self.folder())
    }
}
