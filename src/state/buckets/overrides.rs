//! Overrides in the buckets: an object each, in both, read as a union. No lock is needed for them.
//!
//! What is released leaves a mark in the place of the override, because a bucket that does not answer then still has
//! it. Whoever next has the lock and reaches every bucket removes both.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use super::objects::{Object, Only, Trouble};
use super::{Bucket, Buckets, Read};
use crate::state::overrides::{Kept, Override, sort};
use crate::state::{Reach, StateError};

/// What is kept under one id in one bucket.
struct Put {
    object: Object,
    kept: Kept,
}

/// What one bucket has, by the override's id; or why nobody can say.
struct Shelf {
    bucket: Bucket,
    puts: Result<BTreeMap<String, Put>, StateError>,
}

/// What there is of overrides in some buckets.
pub(super) struct Shelves(Vec<Shelf>);

impl Shelves {
    /// Every override that holds, the eldest first: those that one bucket has and none knows to be released. `reach`
    /// says whether some buckets may be left out, but never all.
    pub(super) fn overrides(&self, reach: Reach) -> Result<Vec<Override>, StateError> {
        let error = match self.missed().find(|(_, error)| !error.is_tolerated(reach)) {
            None if self.missed().count() == self.0.len() => self.missed().next(),
            error => error,
        };
        if let Some((_, error)) = error {
            return Err(error.clone());
        }
        let mut overrides: Vec<Override> = self.ids().into_iter().filter_map(|id| self.held(id)).cloned().collect();
        sort(&mut overrides);
        Ok(overrides)
    }

    /// The buckets that could not be read, and why.
    fn missed(&self) -> impl Iterator<Item = (&Bucket, &StateError)> {
        self.0.iter().filter_map(|shelf| Some((&shelf.bucket, shelf.puts.as_ref().err()?)))
    }

    fn ids(&self) -> BTreeSet<&String> {
        self.0.iter().flat_map(|shelf| shelf.puts.iter().flat_map(BTreeMap::keys)).collect()
    }

    /// What is kept under an id, with the bucket.
    fn puts<'a>(&'a self, id: &'a str) -> impl Iterator<Item = (&'a Bucket, &'a Put)> {
        self.0.iter().filter_map(move |shelf| Some((&shelf.bucket, shelf.puts.as_ref().ok()?.get(id)?)))
    }

    /// The override of an id, if it holds; of two versions the one that was put there later, by the buckets' clocks.
    fn held<'a>(&'a self, id: &'a str) -> Option<&'a Override> {
        let mut latest: Option<(&Put, &Override)> = None;
        for (_, put) in self.puts(id) {
            let Kept::Held(held) = &put.kept else { return None };
            if latest.is_none_or(|(known, _)| known.object.modified < put.object.modified) {
                latest = Some((put, held));
            }
        }
        latest.map(|(_, held)| held)
    }
}

impl Buckets {
    /// Every override that holds, the eldest first.
    pub(in crate::state) async fn overrides(&self) -> Result<Vec<Override>, StateError> {
        let shelves = self.shelves(&self.buckets).await;
        let overrides = shelves.overrides(Reach::Any)?;
        self.tell_missed(&shelves, &[]);
        Ok(overrides)
    }

    /// Says of which bucket the overrides are not known, unless that was said of its copy of the index.
    pub(super) fn tell_missed(&self, shelves: &Shelves, copies: &[Read]) {
        let is_told =
            |bucket: &Bucket| copies.iter().any(|copy| !copy.is_known() && copy.bucket.region == bucket.region);
        for (bucket, error) in shelves.missed() {
            if !is_told(bucket) && !matches!(error, StateError::NoBuckets { .. }) {
                self.remarks.tell(&format!("the overrides were read without {}: {error}", bucket.name));
            }
        }
    }

    /// What these buckets have.
    pub(super) async fn shelves(&self, buckets: &[Bucket]) -> Shelves {
        let shelf = |bucket: &Bucket| {
            let bucket = bucket.clone();
            async move { Shelf { puts: self.puts_in(&bucket).await, bucket } }
        };
        Shelves(join_all(buckets.iter().map(shelf)).await)
    }

    async fn puts_in(&self, bucket: &Bucket) -> Result<BTreeMap<String, Put>, StateError> {
        let folder = self.folder();
        let keys = bucket.objects.list(&folder).await.map_err(|trouble| bucket.error(trouble))?;
        let ids = keys.iter().filter_map(|key| Some((key, key.strip_prefix(&folder)?.strip_suffix(".json")?)));
        let reads = join_all(ids.map(|(key, id)| async move {
            let look = bucket.objects.read(key).await.map_err(|trouble| bucket.error(trouble))?;
            // Removed meanwhile.
            let Some(object) = look.object else { return Ok(None) };
            let kept = Kept::from_text(id, &object.text).map_err(|wrong| {
                wrong.error(bucket.object(key), |at, reason| StateError::DamagedOverride { at, reason })
            })?;
            Ok(Some((id.to_owned(), Put { object, kept })))
        }));
        reads.await.into_iter().filter_map(Result::transpose).collect()
    }

    /// Keeps an override in every bucket that S3 can serve.
    pub(in crate::state) async fn put_override(&self, held: &Override) -> Result<(), StateError> {
        self.write_everywhere(
            &held.id,
            &held.to_text(),
            "it is not kept there until the next `drctl apply` that reaches both buckets",
        )
        .await
    }

    /// Marks an override as released in every bucket that S3 can serve; `false` if none of them has it.
    pub(in crate::state) async fn release_override(&self, id: &str) -> Result<bool, StateError> {
        let key = self.override_key(id);
        let reads = join_all(self.buckets.iter().map(|bucket| bucket.objects.read(&key))).await;
        let (mut holds, mut missed) = (false, Vec::new());
        for (bucket, look) in self.buckets.iter().zip(reads) {
            match look.map_err(|trouble| bucket.error(trouble)) {
                // What nobody can read may hold.
                Ok(look) => {
                    let kept = look.object.map(|object| Kept::from_text(id, &object.text));
                    holds |= kept.is_some_and(|kept| kept != Ok(Kept::Released));
                }
                Err(error) if error.is_tolerated(Reach::Any) => missed.push(error),
                Err(error) => return Err(error),
            }
        }
        if missed.len() == self.buckets.len()
            && let Some(error) = missed.pop()
        {
            return Err(error);
        }
        if !holds {
            return Ok(false);
        }
        let otherwise = "where only that bucket answers it still holds, until the next `drctl apply` that reaches both";
        self.write_everywhere(id, &Kept::released(id), otherwise).await?;
        Ok(true)
    }

    /// Puts into every bucket the overrides that only another one has, as after one was lost: whoever has the lock does,
    /// and nobody else, because one that is released meanwhile would come back.
    pub(in crate::state) async fn spread_overrides(&self) -> Result<(), StateError> {
        self.lock("state init", Reach::Every).await?.release().await;
        Ok(())
    }

    /// Removes what is left of released overrides, for whoever has the lock.
    pub(in crate::state) async fn forget_released(&self) -> Result<(), StateError> {
        let shelves = self.shelves(&self.buckets).await;
        shelves.overrides(Reach::Any)?;
        self.settle(&shelves).await;
        Ok(())
    }

    /// Brings the buckets into line, for whoever has the lock: each gets what it lacks, and what was released goes from
    /// all of them. What does not work out is for the next holder of the lock.
    pub(super) async fn settle(&self, shelves: &Shelves) {
        let reached = shelves.0.iter().filter(|shelf| shelf.puts.is_ok()).count();
        if reached < self.buckets.len() {
            return;
        }
        for id in shelves.ids() {
            let settled = match shelves.held(id) {
                Some(held) => self.spread(shelves, held).await,
                None => self.forget(shelves, id).await,
            };
            if let Err(error) = settled {
                self.remarks.tell(&format!(
                    "the override {id} is not the same in both buckets until the next `drctl apply`: {error}"
                ));
            }
        }
    }

    async fn spread(&self, shelves: &Shelves, held: &Override) -> Result<(), StateError> {
        let (key, text) = (self.override_key(&held.id), held.to_text());
        for Shelf { bucket, puts } in &shelves.0 {
            let only = match puts.as_ref().ok().and_then(|puts| puts.get(&held.id)) {
                Some(put) if put.kept == Kept::Held(held.clone()) => continue,
                Some(put) => Only::IfStill(put.object.tag.clone()),
                None => Only::IfAbsent,
            };
            match bucket.objects.write(&key, &text, &only).await {
                // Somebody has put or released it meanwhile.
                Ok(_) | Err(Trouble::Changed) => {}
                Err(trouble) => return Err(bucket.error(trouble)),
            }
        }
        Ok(())
    }

    /// Removes the override wherever it still is, and then the marks that say that it was released.
    async fn forget(&self, shelves: &Shelves, id: &str) -> Result<(), StateError> {
        let key = self.override_key(id);
        for marks in [false, true] {
            for (bucket, put) in shelves.puts(id).filter(|(_, put)| (put.kept == Kept::Released) == marks) {
                match bucket.objects.remove(&key, Some(&put.object.tag)).await {
                    Ok(()) => {}
                    // Somebody was faster: the marks stay for the next time.
                    Err(Trouble::Changed) => return Ok(()),
                    Err(trouble) => return Err(bucket.error(trouble)),
                }
            }
        }
        Ok(())
    }

    /// Writes an object into every bucket that S3 can serve; one has to be left. `otherwise` is what it means for the
    /// others.
    async fn write_everywhere(&self, id: &str, text: &str, otherwise: &str) -> Result<(), StateError> {
        let key = self.override_key(id);
        let written = self.buckets.iter().map(|bucket| bucket.objects.write(&key, text, &Only::Always));
        let mut missed = Vec::new();
        for (bucket, outcome) in self.buckets.iter().zip(join_all(written).await) {
            match outcome.map_err(|trouble| bucket.error(trouble)) {
                Ok(_) => {}
                Err(error) if error.is_tolerated(Reach::Any) => missed.push(error),
                Err(error) => return Err(error),
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
        Ok(())
    }

    fn folder(&self) -> String {
        format!("{}/", self.key("overrides"))
    }

    fn override_key(&self, id: &str) -> String {
        format!("{}{id}.json", self.folder())
    }
}
