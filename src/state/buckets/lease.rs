//! A lock in S3 is an object that says who holds it. It ends by itself unless it is renewed.

use std::fmt;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::objects::Object;
use crate::state::{document, new_id, operator};

/// How long a lock holds without being renewed: long enough for a slow network and a pause of the machine, short
/// enough to wait for once its holder has died.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// Three renewals fit into a lease, so that one may fail.
pub(super) const RENEWAL: Duration = Duration::from_secs(20);

/// After a renewal that failed, the next one comes sooner.
pub(super) const RENEWAL_AGAIN: Duration = Duration::from_secs(5);

/// A holder that is still at work and reaches the bucket has found by then what took the place of its lock: it renews
/// it after each [`RENEWAL`], and sooner if that did not work out. One that reaches no bucket stops when its lease ends.
pub(super) const NOTICED_WITHIN: Duration = RENEWAL.saturating_add(RENEWAL_AGAIN);

/// The layout of the lock's object.
const FORMAT_VERSION: u32 = 1;

/// Who holds a lock, as it is written into it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Holder {
    format_version: u32,
    /// Names this lock among all that ever were: `apply-5e1f0c9a`.
    pub(super) id: String,
    /// The command that holds it.
    pub(super) operation: String,
    /// The user and the machine.
    pub(super) by: String,
    /// The process there.
    pub(super) process: u32,
    /// Since when, by the holder's clock.
    pub(super) since: Timestamp,
    /// When it was last renewed, by the holder's clock.
    pub(super) renewed: Timestamp,
    /// When it ends unless it is renewed again, by the holder's clock.
    pub(super) expires: Timestamp,
}

impl Holder {
    /// This process, holding a lock from now on.
    pub(super) fn now(operation: &str) -> Self {
        let now = Timestamp::now();
        Self {
            format_version: FORMAT_VERSION,
            id: new_id(operation),
            operation: operation.to_owned(),
            by: operator(),
            process: std::process::id(),
            since: now,
            renewed: now,
            expires: now,
        }
        .renewed_at(now)
    }

    /// The same, with the id of another lock.
    pub(super) fn in_place_of(self, id: &str) -> Self {
        Self { id: id.to_owned(), ..self }
    }

    /// The same with a lease from `now` on.
    pub(super) fn renewed_at(&self, now: Timestamp) -> Self {
        let expires = now.saturating_add(LEASE).expect("a minute is no calendar unit");
        Self { renewed: now, expires, ..self.clone() }
    }

    pub(super) fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).expect("a lock is plain data")
    }

    /// Who wrote this lock; `None` if nobody can read it, which makes it a lock all the same.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        document(text, FORMAT_VERSION).ok()
    }

    fn lease(&self) -> SignedDuration {
        self.expires.duration_since(self.renewed)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, operation, by, process, since, expires, .. } = self;
        write!(
            f,
            "{operation} by {by}, process {process}, since {since:.0}, lock {id}, which ends at {expires:.0} unless it is renewed"
        )
    }
}

/// Whether the lease of a lock is over. Both times are the bucket's, so it does not matter what the clocks of holder
/// and reader say.
pub(super) fn is_over(lock: &Object, now: Timestamp) -> bool {
    rest(lock, now).is_negative()
}

/// How long the lease of a lock still lasts.
pub(super) fn left(lock: &Object, now: Timestamp) -> Duration {
    Duration::try_from(rest(lock, now)).unwrap_or_default()
}

fn rest(lock: &Object, now: Timestamp) -> SignedDuration {
    let lease = Holder::from_text(&lock.text).map(|holder| holder.lease());
    let lease = lease.unwrap_or_else(|| SignedDuration::try_from(LEASE).expect("a minute fits"));
    lease.saturating_sub(now.duration_since(lock.modified))
}

/// A moment of this machine, from which time counts although it sleeps meanwhile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    steady: Instant,
    wall: Timestamp,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self { steady: Instant::now(), wall: Timestamp::now() }
    }

    /// How long ago it was. The steady clock may stand still while the machine sleeps, and the other one may be set.
    pub(super) fn elapsed(self) -> Duration {
        let wall = Duration::try_from(Timestamp::now().duration_since(self.wall)).unwrap_or_default();
        self.steady.elapsed().max(wall)
    }

    /// A moment that long before this one.
    #[cfg(test)]
    pub(super) fn before(self, ago: Duration) -> Self {
        Self { steady: self.steady, wall: self.wall.saturating_sub(ago).expect("no calendar unit") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(text: String) -> Object {
        Object { text, tag: "1".into(), modified: "2026-11-24T12:00:00Z".parse().unwrap() }
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-11-24T{time}Z").parse().unwrap()
    }

    #[test]
    fn a_lease_is_over_by_the_buckets_clock_whatever_the_holder_says_the_time_is() {
        // The holder's clock is an hour ahead, or two days behind.
        for holders in ["2026-11-24T13:00:00Z", "2026-11-22T12:00:00Z"] {
            let held = lock(Holder::now("apply").renewed_at(holders.parse().unwrap()).to_text());
            assert!(!is_over(&held, at("12:01:00")), "{holders}");
            assert!(is_over(&held, at("12:01:01")), "{holders}");
        }
    }

    #[test]
    fn a_lock_that_nobody_can_read_holds_for_a_lease() {
        for text in ["", "{", "{\"format_version\": 99}"] {
            let held = lock(text.to_owned());
            assert!(!is_over(&held, at("12:01:00")) && is_over(&held, at("12:01:01")), "{text}");
        }
    }

    #[test]
    fn a_holder_is_read_as_it_was_written_and_tells_who_it_is() {
        let holder = Holder::now("apply");
        assert_eq!(Holder::from_text(&holder.to_text()), Some(holder.clone()));
        let said = holder.to_string();
        for part in ["apply by", &operator(), &holder.id, &format!("process {}", std::process::id())] {
            assert!(said.contains(part), "{said}");
        }
    }

    const LOCK: &str = r#"{
      "format_version": 1,
      "id": "apply-5e1f0c9a",
      "operation": "apply",
      "by": "ops@laptop",
      "process": 7,
      "since": "2026-11-24T12:00:00Z",
      "renewed": "2026-11-24T12:00:00Z",
      "expires": "2026-11-24T12:01:00Z"
    }"#;

    proptest::proptest! {
        #![proptest_config(crate::fuzz::cases(256))]

        #[test]
        fn a_lock_may_be_any_text(text in crate::fuzz::mutated(LOCK)) {
            let _ = is_over(&lock(text.clone()), at("12:01:00"));
            if let Some(holder) = Holder::from_text(&text) {
                proptest::prop_assert_eq!(Holder::from_text(&holder.to_text()), Some(holder));
            }
        }
    }

    #[test]
    fn time_counts_while_the_machine_sleeps() {
        assert!(Moment::now().before(LEASE).elapsed() >= LEASE);
        assert!(Moment::now().elapsed() < LEASE);
    }
}
