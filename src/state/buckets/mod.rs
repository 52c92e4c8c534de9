//! The state in S3: one bucket in each region, each with everything, so that losing one loses nothing.
//!
//! In each bucket lie the index (`SYSTEM-SUFFIX.json`), the lock while somebody is at work, and the overrides.
//! The lock lets one drctl at a time write; conditions on each write catch whoever writes without it.

#[cfg(feature = "aws")]
mod aws;
mod copies;
#[cfg(test)]
mod fake;
mod lease;
mod lock;
mod merge;
mod objects;
mod overrides;
mod permissions;
mod remarks;
#[cfg(test)]
mod tests;
mod unlock;

use std::sync::Arc;
use std::time::Duration;

use futures::future::{join, join_all};
use jiff::Timestamp;

pub(super) use copies::Copies;
pub use lock::Lease;
pub(super) use lock::Lock;
pub use permissions::PERMISSIONS;
pub use remarks::Remarks;

use lease::{Holder, is_over};
use objects::{Object, Objects, Trouble};

use super::error::Wrong;
use super::{Content, Index, Known, Locked, Reach, Report, State, StateError};
use crate::graph::{Owner, Region};

/// Where the state of one system is kept in S3.
#[derive(Clone, Debug)]
pub struct Buckets {
    /// The home region's first.
    buckets: Vec<Bucket>,
    owner: Owner,
    remarks: Remarks,
    /// Gets the lease of each lock before it is taken.
    taking: fn(Lease),
}

/// One of the buckets.
#[derive(Clone, Debug)]
struct Bucket {
    region: Region,
    name: String,
    objects: Arc<dyn Objects>,
    /// The same objects, by requests that know nothing of the run's and are not known to it: for the lock, which is
    /// renewed beside it.
    apart: Arc<dyn Objects>,
}

impl Bucket {
    /// An object in it, for people.
    fn object(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// What to say where the other bucket will do.
    fn missing(&self) -> String {
        format!(
            "there is no bucket {}: the state goes on without it until `drctl state init` makes it again",
            self.name
        )
    }

    /// What is wrong with the state in an object.
    fn wrong(&self, key: &str, wrong: Wrong) -> StateError {
        wrong.error(self.object(key), |at, reason| StateError::DamagedCopy { at, reason })
    }

    fn error(&self, trouble: Trouble) -> StateError {
        match trouble {
            Trouble::NoBucket => StateError::no_buckets([&self.name]),
            Trouble::Changed => StateError::Overtaken { at: self.name.clone() },
            Trouble::Failed(failure) => StateError::aws(&self.name, &failure),
        }
    }
}

impl Buckets {
    /// The names of the buckets, for people.
    pub(super) fn names(&self) -> Vec<&str> {
        self.buckets.iter().map(|bucket| bucket.name.as_str()).collect()
    }

    /// The state of `owner`'s system in these buckets, the home region's first. `remarks` hears what stops nothing.
    #[cfg(feature = "aws")]
    pub fn on_s3(
        clients: &crate::aws::Clients,
        buckets: impl IntoIterator<Item = (Region, String)>,
        owner: Owner,
        remarks: Remarks,
    ) -> Self {
        let bucket = |(region, name): (Region, String)| Bucket {
            objects: Arc::new(aws::OnS3::new(clients.clone(), &region, name.clone())),
            apart: Arc::new(aws::OnS3::apart(clients.clone(), &region, name.clone())),
            region,
            name,
        };
        Self { buckets: buckets.into_iter().map(bucket).collect(), owner, remarks, taking: drop }
    }

    /// The same, where `taking` gets the lease of each lock before it is taken: who interrupts can then give it back.
    #[must_use]
    pub fn announcing(self, taking: fn(Lease)) -> Self {
        Self { taking, ..self }
    }

    fn key(&self, end: &str) -> String {
        format!("{}-{}.{end}", self.owner.system, self.owner.suffix)
    }

    /// Reads what answers.
    pub(super) async fn read(&self) -> Result<Known, StateError> {
        let (copies, shelves) = join(self.copies(&self.buckets), self.shelves(&self.buckets)).await;
        let index = self.index(&copies, Reach::Any)?;
        let overrides = shelves.overrides(Reach::Any)?;
        self.tell_missed(&shelves, &copies);
        Ok(Known { index, overrides })
    }

    /// Locks what `reach` asks for, and reads what is locked.
    pub(super) async fn lock(&self, operation: &str, reach: Reach) -> Result<State, StateError> {
        self.locked(operation, reach, |copies| self.index(copies, reach)).await
    }

    /// Locks the state to write the index anew, from what can be read of it.
    pub(super) async fn lock_anew(&self, operation: &str) -> Result<State, StateError> {
        self.locked(operation, Reach::Every, |copies| self.base(copies)).await
    }

    async fn locked(
        &self,
        operation: &str,
        reach: Reach,
        index: impl FnOnce(&[Read]) -> Result<Index, StateError>,
    ) -> Result<State, StateError> {
        let key = self.key("lock");
        let lock = Lock::take(&self.buckets, &key, operation, reach, &self.remarks, self.taking).await?;
        let held: Vec<Bucket> = self.buckets.iter().filter(|bucket| lock.holds(&bucket.region)).cloned().collect();
        let (copies, shelves) = join(self.copies(&held), self.shelves(&held)).await;
        let known = index(&copies).and_then(|index| Ok(Known { index, overrides: shelves.overrides(reach)? }));
        let known = match self.hidden(&copies).await {
            Some(hidden) => known.and(Err(hidden)),
            None => known,
        };
        match known {
            Ok(known) => {
                self.tell_missed(&shelves, &copies);
                self.settle(&shelves).await;
                let behind = copies.iter().any(|copy| copy.is_behind(&known.index));
                let copies = Copies::new(self.key("json"), copies, self.remarks.clone());
                Ok(State::in_buckets(known, copies, lock, behind))
            }
            Err(error) => {
                lock.lease().give_back().await;
                Err(error)
            }
        }
    }

    /// Every bucket's copy of the index.
    async fn copies(&self, buckets: &[Bucket]) -> Vec<Read> {
        let key = self.key("json");
        let owner = &self.owner;
        let read = |bucket: &Bucket| {
            let (bucket, key) = (bucket.clone(), key.clone());
            async move {
                let (content, tag) = match bucket.objects.read(&key).await {
                    Ok(look) => match look.object {
                        None => (Content::Nothing, None),
                        Some(object) => {
                            let content = match Index::from_text(&object.text, owner) {
                                Ok(index) => Content::Index(index),
                                Err(Wrong::Damaged(reason)) => Content::Damaged(reason),
                                Err(wrong) => Content::Unreadable(Box::new(bucket.wrong(&key, wrong))),
                            };
                            (content, Some(object.tag))
                        }
                    },
                    Err(Trouble::NoBucket) => (Content::NoBucket, None),
                    Err(trouble) => (Content::Unreadable(Box::new(bucket.error(trouble))), None),
                };
                Read { bucket, content, tag }
            }
        };
        join_all(buckets.iter().map(read)).await
    }

    /// The index that the copies come to.
    fn index(&self, copies: &[Read], reach: Reach) -> Result<Index, StateError> {
        let mut silent = None;
        for Read { bucket, content, .. } in copies {
            match content {
                Content::Damaged(reason) => {
                    return Err(bucket.wrong(&self.key("json"), Wrong::Damaged(reason.clone())));
                }
                Content::Unreadable(error) if error.is_tolerated(reach) => {
                    self.remarks.tell(&format!("the state was read without {}: {error}", bucket.name));
                    silent = Some(error.as_ref().clone());
                }
                Content::Unreadable(error) => return Err(error.as_ref().clone()),
                Content::Index(_) | Content::Nothing | Content::NoBucket => {}
            }
        }
        if !copies.iter().any(Read::is_there) {
            return Err(silent.unwrap_or_else(|| self.no_buckets()));
        }
        for missing in copies.iter().filter(|copy| matches!(copy.content, Content::NoBucket)) {
            self.remarks.tell(&missing.bucket.missing());
        }
        match merge::newest(indexes(copies)) {
            Ok(newest) => Ok(newest.cloned().unwrap_or_else(|| Index::new(&self.owner))),
            Err(split) => Err(StateError::Diverged { why: split.to_string() }),
        }
    }

    /// Why no state is begun, if no bucket that is at hand has one: there may be one where nobody can look.
    async fn hidden(&self, copies: &[Read]) -> Option<StateError> {
        if indexes(copies).next().is_some() {
            return None;
        }
        let is_at_hand = |bucket: &&Bucket| copies.iter().any(|copy| copy.bucket.region == bucket.region);
        let others: Vec<Bucket> = self.buckets.iter().filter(|bucket| !is_at_hand(bucket)).cloned().collect();
        let others = self.copies(&others).await;
        copies.iter().chain(&others).find_map(|Read { bucket, content, .. }| {
            let why = match content {
                Content::Unreadable(error) => error.to_string(),
                Content::Index(_) => "it has one, and could not be locked".to_owned(),
                Content::Nothing | Content::NoBucket | Content::Damaged(_) => return None,
            };
            Some(StateError::Hidden { bucket: bucket.name.clone(), why })
        })
    }

    /// What a new index goes on from: the copies that are indexes, if they have one lineage. What any of them records
    /// is looked at; where they differ, the one that was written more often is believed.
    fn base(&self, copies: &[Read]) -> Result<Index, StateError> {
        let unreadable = copies.iter().find_map(|copy| match &copy.content {
            Content::Unreadable(error) => Some(error.as_ref().clone()),
            _ => None,
        });
        if let Some(error) = unreadable {
            return Err(error);
        }
        let mut by_serial: Vec<&Index> = indexes(copies).collect();
        by_serial.sort_by_key(|index| index.serial);
        let serial = by_serial.last().map(|index| index.serial).unwrap_or_default();
        let resources = by_serial.iter().flat_map(|index| index.resources.clone()).collect();
        let lineage = match merge::newest(indexes(copies)) {
            Ok(Some(newest)) => newest.lineage.clone(),
            Err(merge::Split::Serial(_) | merge::Split::Apart(_)) => {
                indexes(copies).next().map(|index| index.lineage.clone()).unwrap_or_default()
            }
            Ok(None) | Err(merge::Split::Lineages(_)) => Index::new(&self.owner).lineage,
        };
        let history = merge::histories(indexes(copies));
        Ok(Index { serial, history, resources, ..Index::empty(&self.owner, lineage) })
    }

    fn no_buckets(&self) -> StateError {
        StateError::no_buckets(self.buckets.iter().map(|bucket| &bucket.name))
    }

    /// What there is in each bucket, for people.
    pub(super) async fn look(&self) -> Vec<Report> {
        let key = self.key("lock");
        let looks = self.copies(&self.buckets).await.into_iter().map(|copy| {
            let key = key.clone();
            async move {
                let lock = match copy.bucket.objects.read(&key).await {
                    Ok(look) => {
                        look.object.map_or(Locked::No, |object| locked(&copy.bucket.object(&key), &object, look.now))
                    }
                    Err(Trouble::NoBucket) => Locked::No,
                    Err(trouble) => Locked::Unknown(Box::new(copy.bucket.error(trouble))),
                };
                Report { at: copy.bucket.object(&self.key("json")), content: copy.content, lock }
            }
        });
        join_all(looks).await
    }

    /// Removes the lock of this id, whoever holds it. While its lease is not over, `pause` has to wait that long.
    pub(super) async fn unlock(&self, id: &str, pause: impl AsyncFnOnce(Duration)) -> Result<(), StateError> {
        unlock::unlock(&self.buckets, &self.key("lock"), id, &self.remarks, pause).await
    }
}

/// Who has this lock, for people.
fn locked(at: &str, lock: &Object, now: Timestamp) -> Locked {
    let holder = Holder::from_text(&lock.text);
    let by = holder.as_ref().map_or_else(|| format!("{at}, which nobody can read"), ToString::to_string);
    if is_over(lock, now) { Locked::Before { by } } else { Locked::By { by, id: holder.map(|holder| holder.id) } }
}

/// One bucket's copy of the index, as it was read.
struct Read {
    bucket: Bucket,
    content: Content,
    tag: Option<String>,
}

impl Read {
    /// Whether the bucket is there and answers.
    fn is_there(&self) -> bool {
        matches!(self.content, Content::Index(_) | Content::Nothing | Content::Damaged(_))
    }

    /// Whether the copy lacks what `index` has.
    fn is_behind(&self, index: &Index) -> bool {
        match &self.content {
            Content::Index(copy) => copy != index,
            Content::Nothing => index.serial > 0,
            Content::Damaged(_) | Content::NoBucket => true,
            // It is not written, either.
            Content::Unreadable(_) => false,
        }
    }

    /// Whether anybody knows what lies there.
    fn is_known(&self) -> bool {
        !matches!(self.content, Content::Unreadable(_))
    }
}

fn indexes(copies: &[Read]) -> impl Iterator<Item = &Index> {
    copies.iter().filter_map(|copy| match &copy.content {
        Content::Index(index) => Some(index),
        _ => None,
    })
}
