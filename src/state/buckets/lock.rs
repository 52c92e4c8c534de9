//! Taking, renewing and giving back the lock, which is an object in each state bucket.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::join_all;
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::lease::{Holder, LEASE, Moment, RENEWAL, RENEWAL_AGAIN, is_over};
use super::objects::{Only, Trouble};
use super::{Bucket, Remarks};
use crate::graph::Region;
use crate::state::{Reach, StateError};

/// How often a lock is looked at that changes hands meanwhile.
const ROUNDS: usize = 4;

/// A lock that is held in one bucket or several, and renewed until this is dropped.
#[derive(Debug)]
pub(in crate::state) struct Lock {
    held: Arc<Held>,
    renewing: JoinHandle<()>,
}

/// Whether a lock still holds. Clones are about the same lock.
#[derive(Clone, Debug)]
pub struct Lease(Option<Arc<Held>>);

#[derive(Debug)]
struct Held {
    key: String,
    holder: Holder,
    buckets: BTreeMap<Region, Bucket>,
    standing: Mutex<BTreeMap<Region, Standing>>,
    remarks: Remarks,
}

/// The lock in one bucket.
#[derive(Clone, Debug)]
struct Standing {
    /// Of the object, as far as is known: an answer may have been lost.
    tag: String,
    renewed: Moment,
    /// Why it is no longer ours.
    lost: Option<String>,
}

impl Lock {
    /// Takes the lock in every bucket that there is, in the order of their regions, so that of two that come at
    /// once one gets all. With [`Reach::Any`] buckets that do not answer are left out; one has to be left.
    pub(super) async fn take(
        buckets: &[Bucket],
        key: &str,
        operation: &str,
        reach: Reach,
        remarks: &Remarks,
    ) -> Result<Self, StateError> {
        let holder = Holder::now(operation);
        let (key, standing, remarks) = (key.to_owned(), Mutex::default(), remarks.clone());
        let mut held = Held { key, holder, buckets: BTreeMap::new(), standing, remarks };
        let mut in_order: Vec<&Bucket> = buckets.iter().collect();
        in_order.sort_by(|one, other| one.region.cmp(&other.region));
        let (mut silent, mut missing) = (None, Vec::new());
        for bucket in in_order {
            let refusal = match held.take_in(bucket).await {
                Ok(standing) => {
                    held.standing().insert(bucket.region.clone(), standing);
                    held.buckets.insert(bucket.region.clone(), bucket.clone());
                    continue;
                }
                Err(Refusal::Trouble(Trouble::NoBucket)) => {
                    missing.push(bucket);
                    continue;
                }
                Err(Refusal::Trouble(Trouble::Failed(failure))) if failure.class.is_outage() && reach == Reach::Any => {
                    let error = StateError::aws(&bucket.name, &failure);
                    held.remarks.tell(&format!("the state is kept without {}: {error}", bucket.name));
                    silent = Some(error);
                    continue;
                }
                Err(Refusal::Trouble(trouble)) => bucket.error(trouble),
                Err(Refusal::Held(at, holder)) => leased(&at, holder.as_deref()),
            };
            held.give_back().await;
            return Err(refusal);
        }
        if held.buckets.is_empty() {
            return Err(silent.unwrap_or_else(|| StateError::no_buckets(buckets.iter().map(|bucket| &bucket.name))));
        }
        for bucket in missing {
            held.remarks.tell(&bucket.missing());
        }
        let held = Arc::new(held);
        Ok(Self { renewing: tokio::spawn(Arc::clone(&held).keep()), held })
    }

    /// Whether it is held in the bucket of this region.
    pub(super) fn holds(&self, region: &Region) -> bool {
        self.held.buckets.contains_key(region)
    }

    /// Whether it still holds, to be asked as long as the work goes on.
    pub(in crate::state) fn lease(&self) -> Lease {
        Lease(Some(Arc::clone(&self.held)))
    }
}

impl Drop for Lock {
    /// Whoever did not give it back lets it run out.
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

impl Lease {
    /// The operating system keeps the lock of a file for as long as the process lives.
    pub(in crate::state) const OF_A_FILE: Self = Self(None);

    /// Why the lock no longer holds, if so: then nothing more may be started.
    pub fn lost(&self) -> Option<StateError> {
        let held = self.0.as_ref()?;
        held.lost().map(|why| StateError::LeaseLost { why, id: held.holder.id.clone() })
    }

    /// Gives the lock back. What does not answer keeps it until the lease is over.
    pub async fn give_back(&self) {
        if let Some(held) = &self.0 {
            held.give_back().await;
        }
    }
}

fn leased(at: &str, holder: Option<&Holder>) -> StateError {
    match holder {
        Some(holder) => StateError::Leased {
            holder: holder.to_string(),
            unlock: format!("run `drctl state unlock {}`, or wait until its lease is over", holder.id),
        },
        None => StateError::Leased {
            holder: format!("it holds {at}, which nobody can read"),
            unlock: format!("wait {} s until its lease is over", LEASE.as_secs()),
        },
    }
}

/// Why a lock was not taken.
enum Refusal {
    /// Somebody has it: where, and who, if that can be read.
    Held(String, Option<Box<Holder>>),
    Trouble(Trouble),
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl Held {
    fn standing(&self) -> MutexGuard<'_, BTreeMap<Region, Standing>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take_in(&self, bucket: &Bucket) -> Result<Standing, Refusal> {
        let at = bucket.object(&self.key);
        let mut only = Only::IfAbsent;
        let mut holder = None;
        for _ in 0..ROUNDS {
            let renewed = Moment::now();
            let text = self.holder.renewed_at(Timestamp::now()).to_text();
            match bucket.objects.write(&self.key, &text, &only).await {
                Ok(tag) => return Ok(Standing { tag, renewed, lost: None }),
                Err(Trouble::Changed) => {}
                Err(trouble) => return Err(trouble.into()),
            }
            let look = bucket.objects.read(&self.key).await?;
            let Some(object) = look.object else {
                only = Only::IfAbsent;
                continue;
            };
            holder = Holder::from_text(&object.text).map(Box::new);
            // Written, and the answer lost.
            if holder.as_ref().is_some_and(|holder| holder.id == self.holder.id) {
                return Ok(Standing { tag: object.tag, renewed, lost: None });
            }
            if !is_over(&object, look.now) {
                return Err(Refusal::Held(at, holder));
            }
            let dead = holder.as_ref().map_or_else(|| format!("{at}, which nobody can read"), ToString::to_string);
            self.remarks.tell(&format!("this lock counts no longer, because its lease is over: {dead}"));
            only = Only::IfStill(object.tag);
        }
        Err(Refusal::Held(at, holder))
    }

    /// Renews the lock until the task is ended; a bucket that does not answer keeps no other one waiting.
    async fn keep(self: Arc<Self>) {
        let held = &*self;
        let each = self.buckets.values().map(|bucket| async move {
            let mut pause = RENEWAL;
            loop {
                sleep(pause).await;
                let renewed = timeout(RENEWAL, held.renew(bucket)).await.unwrap_or(false);
                pause = if renewed { RENEWAL } else { RENEWAL_AGAIN };
            }
        });
        join_all(each).await;
    }

    /// Renews the lock in one bucket; `false` if that did not work out.
    async fn renew(&self, bucket: &Bucket) -> bool {
        let Some(mut standing) = self.standing().get(&bucket.region).cloned() else { return false };
        for _ in 0..ROUNDS {
            let begun = Moment::now();
            let text = self.holder.renewed_at(Timestamp::now()).to_text();
            match bucket.objects.write(&self.key, &text, &Only::IfStill(standing.tag.clone())).await {
                Ok(tag) => {
                    self.standing().insert(bucket.region.clone(), Standing { tag, renewed: begun, lost: None });
                    return true;
                }
                Err(Trouble::Changed) => match self.found_in(bucket).await {
                    // Renewed, and the answer lost.
                    Ok(Ok(tag)) => standing.tag = tag,
                    Ok(Err(lost)) => {
                        let lost = Some(lost);
                        self.standing().insert(bucket.region.clone(), Standing { lost, ..standing });
                        return false;
                    }
                    Err(_) => return false,
                },
                // There may be another look before the lease is over.
                Err(_) => return false,
            }
        }
        false
    }

    /// The tag of the lock if it is ours, or what is there instead.
    async fn found_in(&self, bucket: &Bucket) -> Result<Result<String, String>, Trouble> {
        let object = bucket.objects.read(&self.key).await?.object;
        let holder = object.as_ref().and_then(|object| Holder::from_text(&object.text));
        Ok(match (object, holder) {
            (Some(object), Some(holder)) if holder.id == self.holder.id => Ok(object.tag),
            (Some(_), Some(holder)) => Err(format!("somebody else has it now ({holder})")),
            (Some(_), None) => Err("something else is in its place".to_owned()),
            (None, _) => Err("somebody unlocked it".to_owned()),
        })
    }

    /// It holds for as long as it does in one bucket, and nobody has taken it in another.
    fn lost(&self) -> Option<String> {
        let standing = self.standing();
        if let Some(why) = standing.values().find_map(|standing| standing.lost.clone()) {
            return Some(why);
        }
        let over = standing.values().all(|standing| standing.renewed.elapsed() >= LEASE);
        let seconds = LEASE.as_secs();
        over.then(|| format!("it could not be renewed for {seconds} s, and anybody may have it now"))
    }

    async fn give_back(&self) {
        let each = self.buckets.values().map(|bucket| async move {
            let tag = self.standing().get(&bucket.region).map(|standing| standing.tag.clone());
            let Some(mut tag) = tag else { return };
            for _ in 0..ROUNDS {
                match bucket.objects.remove(&self.key, Some(&tag)).await {
                    Err(Trouble::Changed) => match self.found_in(bucket).await {
                        Ok(Ok(now)) => tag = now,
                        _ => return,
                    },
                    Err(Trouble::Failed(failure)) => {
                        let (at, seconds) = (bucket.object(&self.key), LEASE.as_secs());
                        self.remarks.tell(&format!("the lock {at} ends by itself within {seconds} s: {failure}"));
                        return;
                    }
                    Ok(()) | Err(Trouble::NoBucket) => return,
                }
            }
        });
        join_all(each).await;
    }
}

/// Removes the lock of this id from every bucket where it is; where nothing answers it stays until its lease is over.
pub(super) async fn unlock(buckets: &[Bucket], key: &str, id: &str, remarks: &Remarks) -> Result<(), StateError> {
    let (mut found, mut others) = (false, Vec::new());
    for bucket in buckets {
        match unlock_in(bucket, key, id).await {
            Ok(Unlocked::Now) => found = true,
            Ok(Unlocked::Before) | Err(Trouble::NoBucket) => {}
            Ok(Unlocked::Held(other)) => others.push(other),
            Err(Trouble::Failed(failure)) if failure.class.is_unanswered() => {
                remarks.tell(&format!("a lock in {} stays until its lease is over: {failure}", bucket.name));
            }
            Err(trouble) => return Err(bucket.error(trouble)),
        }
    }
    if found { Ok(()) } else { Err(StateError::NotLocked { id: id.to_owned(), others }) }
}

/// What came of unlocking one bucket.
enum Unlocked {
    Now,
    /// There was no lock.
    Before,
    /// There is another one.
    Held(String),
}

async fn unlock_in(bucket: &Bucket, key: &str, id: &str) -> Result<Unlocked, Trouble> {
    loop {
        let Some(object) = bucket.objects.read(key).await?.object else { return Ok(Unlocked::Before) };
        match Holder::from_text(&object.text) {
            Some(holder) if holder.id == id => match bucket.objects.remove(key, Some(&object.tag)).await {
                // Renewed between the two calls.
                Err(Trouble::Changed) => {}
                done => return done.map(|()| Unlocked::Now),
            },
            Some(holder) => return Ok(Unlocked::Held(holder.to_string())),
            None => return Ok(Unlocked::Held(format!("{}, which nobody can read", bucket.object(key)))),
        }
    }
}

#[cfg(test)]
impl Lock {
    /// Renews it once, everywhere.
    pub(super) async fn renew(&self) {
        join_all(self.held.buckets.values().map(|bucket| self.held.renew(bucket))).await;
    }

    /// Lets it have been renewed for the last time so long ago.
    pub(super) fn age(&self, ago: std::time::Duration) {
        for standing in self.held.standing().values_mut() {
            standing.renewed = standing.renewed.before(ago);
        }
    }
}
