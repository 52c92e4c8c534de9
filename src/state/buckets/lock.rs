//! Taking, renewing and giving back the lock, which is an object in each state bucket.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::lease::{Holder, LEASE, Moment, RENEWAL, RENEWAL_AGAIN, is_over};
use super::objects::{Only, Trouble};
use super::unlock::UNLOCK;
use super::{Bucket, Remarks};
use crate::graph::Region;
use crate::state::{Reach, StateError};

/// How often a lock is looked at that changes hands meanwhile.
const ROUNDS: usize = 4;

/// A bucket that does not answer for so long keeps the lock until its lease is over.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(5);

/// A lock that is held in one bucket or several, and renewed until this is dropped: whoever did not give it back lets
/// it run out.
#[derive(Debug)]
pub(in crate::state) struct Lock {
    held: Arc<Held>,
    #[expect(dead_code, reason = "dropping it ends the renewals")]
    renewing: JoinSet<()>,
}

/// Whether a lock still holds. Clones are about the same lock.
#[derive(Clone, Debug)]
pub struct Lease(Option<Arc<Held>>);

#[derive(Debug)]
struct Held {
    key: String,
    holder: Holder,
    buckets: Vec<Bucket>,
    standing: Mutex<BTreeMap<Region, Standing>>,
    /// Locked while the lock is being taken in a bucket.
    taking: tokio::sync::Mutex<()>,
    /// Whether it was given back: from then on it is taken and renewed nowhere.
    given_back: AtomicBool,
    remarks: Remarks,
}

/// The lock in one bucket.
#[derive(Clone, Debug)]
enum Standing {
    /// Asked for at that moment; whether it was written nobody knows, because there is no answer.
    Asked(Moment),
    /// Ours.
    Ours {
        /// Of the object, as far as is known: an answer may have been lost.
        tag: String,
        renewed: Moment,
    },
    /// No longer ours, and why not.
    Lost(String),
}

impl Lock {
    /// Takes the lock in every bucket that there is. With [`Reach::Any`] buckets that do not answer are left out; one
    /// has to be left. `taking` gets the lease before anything is written, so that who interrupts can give it back.
    pub(super) async fn take(
        buckets: &[Bucket],
        key: &str,
        operation: &str,
        reach: Reach,
        remarks: &Remarks,
        taking: impl FnOnce(Lease),
    ) -> Result<Self, StateError> {
        let held = Arc::new(Held {
            key: key.to_owned(),
            holder: Holder::now(operation),
            buckets: buckets.to_vec(),
            standing: Mutex::default(),
            taking: tokio::sync::Mutex::default(),
            given_back: AtomicBool::new(false),
            remarks: remarks.clone(),
        });
        taking(Lease(Some(Arc::clone(&held))));
        let mut renewing = JoinSet::new();
        match held.take(reach, &mut renewing).await {
            Ok(()) => Ok(Self { held, renewing }),
            Err(error) => {
                drop(renewing);
                held.give_back().await;
                Err(error)
            }
        }
    }

    /// Whether it is held in the bucket of this region.
    pub(super) fn holds(&self, region: &Region) -> bool {
        matches!(self.held.standing().get(region), Some(Standing::Ours { .. } | Standing::Lost(_)))
    }

    /// Whether it still holds, to be asked as long as the work goes on.
    pub(in crate::state) fn lease(&self) -> Lease {
        Lease(Some(Arc::clone(&self.held)))
    }
}

impl Lease {
    /// The operating system keeps the lock of a file for as long as the process lives.
    pub(in crate::state) const OF_A_FILE: Self = Self(None);

    /// Why the lock no longer holds, if so: then nothing more may be started.
    pub fn lost(&self) -> Option<StateError> {
        let held = self.0.as_ref()?;
        held.lost().map(|why| held.error(why))
    }

    /// The lock's id, by which it can be removed; that of a file has none.
    pub fn id(&self) -> Option<&str> {
        self.0.as_ref().map(|held| held.holder.id.as_str())
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
    /// The bucket has trouble.
    Trouble(Trouble),
    /// Somebody else has it, or nobody can say whether somebody has.
    Final(StateError),
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

    fn stands(&self, bucket: &Bucket, standing: Standing) {
        self.standing().insert(bucket.region.clone(), standing);
    }

    fn standing_in(&self, bucket: &Bucket) -> Option<Standing> {
        self.standing().get(&bucket.region).cloned()
    }

    fn is_given_back(&self) -> bool {
        self.given_back.load(Ordering::SeqCst)
    }

    fn error(&self, why: String) -> StateError {
        StateError::LeaseLost { why, id: self.holder.id.clone() }
    }

    /// Takes the lock bucket after bucket, in the order of their regions, so that of two that come at once one gets
    /// all. Where it is taken it is renewed at once: another bucket may take its time.
    async fn take(self: &Arc<Self>, reach: Reach, renewing: &mut JoinSet<()>) -> Result<(), StateError> {
        let mut in_order: Vec<&Bucket> = self.buckets.iter().collect();
        in_order.sort_by(|one, other| one.region.cmp(&other.region));
        let (mut silent, mut missing) = (None, Vec::new());
        for bucket in in_order {
            match self.take_in(bucket, reach).await {
                Ok(()) => drop(renewing.spawn(Arc::clone(self).keep(bucket.clone()))),
                Err(Refusal::Trouble(Trouble::NoBucket)) => missing.push(bucket),
                Err(Refusal::Trouble(Trouble::Failed(failure))) if failure.class.is_outage() && reach == Reach::Any => {
                    let error = StateError::aws(&bucket.name, &failure);
                    self.remarks.tell(&format!("the state is kept without {}: {error}", bucket.name));
                    silent = Some(error);
                }
                Err(Refusal::Trouble(trouble)) => return Err(bucket.error(trouble)),
                Err(Refusal::Final(error)) => return Err(error),
            }
        }
        if renewing.is_empty() {
            return Err(
                silent.unwrap_or_else(|| StateError::no_buckets(self.buckets.iter().map(|bucket| &bucket.name)))
            );
        }
        for bucket in missing {
            self.remarks.tell(&bucket.missing());
        }
        // Given back meanwhile, by an interrupt.
        self.lost().map_or(Ok(()), |why| Err(self.error(why)))
    }

    /// Takes the lock in one bucket, and notes how it stands there.
    async fn take_in(&self, bucket: &Bucket, reach: Reach) -> Result<(), Refusal> {
        let _taking = self.taking.lock().await;
        if let Some(why) = self.lost() {
            return Err(Refusal::Final(self.error(why)));
        }
        self.stands(bucket, Standing::Asked(Moment::now()));
        match self.ask_in(bucket, reach).await {
            Ok(ours) => self.stands(bucket, ours),
            // It may have been written all the same.
            Err(refusal @ Refusal::Trouble(Trouble::Failed(_))) => return Err(refusal),
            Err(refusal) => {
                self.standing().remove(&bucket.region);
                return Err(refusal);
            }
        }
        Ok(())
    }

    async fn ask_in(&self, bucket: &Bucket, reach: Reach) -> Result<Standing, Refusal> {
        let at = bucket.object(&self.key);
        let mut only = Only::IfAbsent;
        let mut holder = None;
        for _ in 0..ROUNDS {
            let renewed = Moment::now();
            let text = self.holder.renewed_at(Timestamp::now()).to_text();
            match bucket.objects.write(&self.key, &text, &only).await {
                Ok(tag) => return Ok(Standing::Ours { tag, renewed }),
                Err(Trouble::Changed) => {}
                Err(trouble) => return Err(trouble.into()),
            }
            let look = bucket.objects.read(&self.key).await?;
            let Some(object) = look.object else {
                only = Only::IfAbsent;
                continue;
            };
            holder = Holder::from_text(&object.text);
            // Written, and the answer lost.
            if self.is_ours(holder.as_ref()) {
                return Ok(Standing::Ours { tag: object.tag, renewed });
            }
            if !is_over(&object, look.now) {
                break;
            }
            self.is_over_elsewhere(bucket, reach).await.map_err(Refusal::Final)?;
            let dead = holder.as_ref().map_or_else(|| format!("{at}, which nobody can read"), ToString::to_string);
            self.remarks.tell(&format!("this lock counts no longer, because its lease is over: {dead}"));
            only = Only::IfStill(object.tag);
        }
        Err(Refusal::Final(leased(&at, holder.as_ref())))
    }

    /// A lease that is over in one bucket is over only if nobody renews it in another: whoever cannot reach a bucket
    /// rightly goes on with the lock in the other one, and would lose it if we took over the rest.
    async fn is_over_elsewhere(&self, here: &Bucket, reach: Reach) -> Result<(), StateError> {
        for other in self.buckets.iter().filter(|other| other.region != here.region) {
            match other.objects.read(&self.key).await {
                Ok(look) => {
                    let Some(lock) = look.object.filter(|lock| !is_over(lock, look.now)) else { continue };
                    let holder = Holder::from_text(&lock.text);
                    if !self.is_ours(holder.as_ref()) {
                        return Err(leased(&other.object(&self.key), holder.as_ref()));
                    }
                }
                Err(Trouble::NoBucket) => {}
                Err(Trouble::Failed(failure)) if failure.class.is_outage() && reach == Reach::Any => {}
                Err(trouble) => return Err(other.error(trouble)),
            }
        }
        Ok(())
    }

    /// Who unlocks a lock leaves its id in it.
    fn is_ours(&self, holder: Option<&Holder>) -> bool {
        holder.is_some_and(|holder| holder.id == self.holder.id && holder.operation == self.holder.operation)
    }

    /// Renews the lock in one bucket until the task is ended or there is nothing to renew any more.
    async fn keep(self: Arc<Self>, bucket: Bucket) {
        let mut pause = RENEWAL;
        while matches!(self.standing_in(&bucket), Some(Standing::Ours { .. })) {
            sleep(pause).await;
            let renewed = timeout(RENEWAL, self.renew(&bucket)).await.unwrap_or(false);
            pause = if renewed { RENEWAL } else { RENEWAL_AGAIN };
        }
    }

    /// Renews the lock in one bucket; `false` if that did not work out.
    async fn renew(&self, bucket: &Bucket) -> bool {
        let Some(Standing::Ours { mut tag, .. }) = self.standing_in(bucket) else { return false };
        for _ in 0..ROUNDS {
            if self.is_given_back() {
                return false;
            }
            let renewed = Moment::now();
            let text = self.holder.renewed_at(Timestamp::now()).to_text();
            match bucket.apart.write(&self.key, &text, &Only::IfStill(tag.clone())).await {
                Ok(tag) => {
                    self.stands(bucket, Standing::Ours { tag, renewed });
                    return true;
                }
                Err(Trouble::Changed) => match self.found_in(bucket).await {
                    // Renewed, and the answer lost.
                    Ok(Ok(now)) => tag = now,
                    Ok(Err(why)) => {
                        self.stands(bucket, Standing::Lost(why));
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
        let object = bucket.apart.read(&self.key).await?.object;
        let holder = object.as_ref().and_then(|object| Holder::from_text(&object.text));
        Ok(match (object, holder) {
            (Some(object), holder) if self.is_ours(holder.as_ref()) => Ok(object.tag),
            (Some(_), Some(holder)) if holder.operation == UNLOCK => {
                Err(format!("somebody unlocked it ({})", holder.by))
            }
            (Some(_), Some(holder)) => Err(format!("somebody else has it now ({holder})")),
            (Some(_), None) => Err("something else is in its place".to_owned()),
            (None, _) => Err("somebody unlocked it".to_owned()),
        })
    }

    /// It holds for as long as it does in one bucket, and nobody has taken it in another.
    fn lost(&self) -> Option<String> {
        if self.is_given_back() {
            return Some("it was given back".to_owned());
        }
        let standing = self.standing();
        let why = standing.values().find_map(|standing| match standing {
            Standing::Lost(why) => Some(why.clone()),
            Standing::Asked(_) | Standing::Ours { .. } => None,
        });
        if why.is_some() {
            return why;
        }
        let ages = standing.values().filter_map(|standing| match standing {
            Standing::Ours { renewed, .. } => Some(renewed.elapsed()),
            Standing::Asked(_) | Standing::Lost(_) => None,
        });
        let seconds = LEASE.as_secs();
        let is_over = ages.min().is_some_and(|age| age >= LEASE);
        is_over.then(|| format!("it could not be renewed for {seconds} s, and anybody may have it now"))
    }

    async fn give_back(&self) {
        self.given_back.store(true, Ordering::SeqCst);
        join_all(self.buckets.iter().map(|bucket| self.give_back_in(bucket))).await;
    }

    async fn give_back_in(&self, bucket: &Bucket) {
        let is_ours = matches!(self.standing_in(bucket), Some(Standing::Ours { .. }));
        let why = match timeout(GIVEN_BACK_WITHIN, self.remove_in(bucket)).await {
            Ok(Err(Trouble::Failed(failure))) => failure.to_string(),
            Ok(_) => {
                self.standing().remove(&bucket.region);
                return;
            }
            Err(_) => format!("no answer within {} s", GIVEN_BACK_WITHIN.as_secs()),
        };
        if is_ours {
            let (at, seconds) = (bucket.object(&self.key), LEASE.as_secs());
            self.remarks.tell(&format!("the lock {at} ends by itself within {seconds} s: {why}"));
        }
    }

    /// Removes the lock in one bucket, if it is ours, or may be.
    async fn remove_in(&self, bucket: &Bucket) -> Result<(), Trouble> {
        let mut standing = self.standing_in(bucket);
        if !matches!(standing, Some(Standing::Ours { .. })) {
            // A write may be under way.
            let _taken = self.taking.lock().await;
            standing = self.standing_in(bucket);
        }
        let mut tag = match standing {
            Some(Standing::Ours { tag, .. }) => tag,
            Some(Standing::Asked(since)) if since.elapsed() < LEASE => match self.found_in(bucket).await? {
                Ok(tag) => tag,
                Err(_) => return Ok(()),
            },
            Some(Standing::Asked(_) | Standing::Lost(_)) | None => return Ok(()),
        };
        for _ in 0..ROUNDS {
            match bucket.apart.remove(&self.key, Some(&tag)).await {
                Err(Trouble::Changed) => match self.found_in(bucket).await? {
                    Ok(now) => tag = now,
                    Err(_) => return Ok(()),
                },
                done => return done,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
impl Lock {
    /// Renews it once, everywhere.
    pub(super) async fn renew(&self) {
        join_all(self.held.buckets.iter().map(|bucket| self.held.renew(bucket))).await;
    }

    /// Lets it have been renewed for the last time so long ago.
    pub(super) fn age(&self, ago: Duration) {
        for standing in self.held.standing().values_mut() {
            if let Standing::Ours { renewed, .. } = standing {
                *renewed = renewed.before(ago);
            }
        }
    }
}
