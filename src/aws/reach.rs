//! Whether places answer.
//!
//! A place is dark once it has been asked for a while and has answered nothing: connections fail,
//! time passes, or all that comes is a gateway's 502, 503 or 504. One answer, also a refusal, and it is lit;
//! what fails there all the same is the trouble of one service. A dark place is not asked again in this
//! round: each call to it fails at once, where its own retries would take minutes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::OptionFuture;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::graph::{Failure, FailureClass, Site};

/// When nothing was asked for this long, what failed before is forgotten. The SDK pauses for at most
/// 20 seconds between two attempts.
const IDLE: Duration = Duration::from_secs(30);

/// A request that was cut off after this long was cut off by the SDK for taking too long (30 seconds),
/// not by somebody who no longer needs the answer.
const TOO_LONG: Duration = Duration::from_secs(25);

/// What to make of a place that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Reads are short: one that takes too long counts as no answer.
    Reading,
    /// A change may take its time; only what failed counts.
    Changing,
}

/// Which places answer. Clones share what they know.
#[derive(Clone)]
pub struct Reach {
    inner: Arc<Inner>,
}

struct Inner {
    patience: Duration,
    places: Mutex<BTreeMap<Site, Standing>>,
    /// Something happened that may change a verdict.
    changed: Notify,
}

/// What is known of one place.
#[derive(Default)]
struct Standing {
    /// Requests under way that were sent since the last answer, by a number of their own.
    pending: BTreeMap<u64, Sent>,
    next: u64,
    /// Since the last answer.
    failing: Option<Failing>,
    /// Whether it was asked a second question since the last answer.
    probed: bool,
    dark: Option<Failure>,
}

struct Sent {
    at: Instant,
    operation: String,
}

struct Failing {
    since: Instant,
    last: Instant,
    why: Failure,
}

/// What can be said of a place now.
enum Verdict {
    Answers,
    Dark(Failure),
    /// It has been silent; by then it is dark.
    Silent(Instant),
}

impl std::fmt::Debug for Reach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reach").field("patience", &self.inner.patience).finish_non_exhaustive()
    }
}

impl Reach {
    /// Places of which nothing is known yet, each dark after `patience` without an answer.
    pub fn new(patience: Duration) -> Self {
        let (places, changed) = (Mutex::default(), Notify::new());
        Self { inner: Arc::new(Inner { patience, places, changed }) }
    }

    /// Begins a round: dark places are asked again.
    pub fn begin(&self) {
        self.places().retain(|_, standing| standing.dark.is_none());
    }

    /// The dark places of this round, with what failed there first.
    pub fn dark(&self) -> BTreeMap<Site, Failure> {
        let places = self.places();
        places.iter().filter_map(|(site, standing)| Some((site.clone(), standing.dark.clone()?))).collect()
    }

    /// Why nothing is sent to `site` any more, if it is dark.
    pub fn refusal(&self, site: &Site, operation: &str) -> Option<Failure> {
        let places = self.places();
        let dark = places.get(site)?.dark.as_ref()?;
        let message = format!("{site} does not answer ({}: {})", dark.operation, dark.message);
        Some(Failure::new(FailureClass::Dark, operation, message))
    }

    /// Waits until `site` turns out to be dark; never ends while it is not. Of what waits for an answer, what is sent
    /// after this call counts: a change that began before may take its time.
    pub fn darkness<F>(
        &self,
        site: &Site,
        asked: Asked,
        second_question: impl Fn() -> F,
    ) -> impl Future<Output = Failure>
    where
        F: Future<Output = ()>,
    {
        let failure = |verdict| match verdict {
            Verdict::Dark(failure) => Some(failure),
            Verdict::Answers | Verdict::Silent(_) => None,
        };
        self.watch(site, asked, Instant::now(), second_question, failure)
    }

    /// Waits until it is clear whether `site` answers, after something failed there; `None` if it does.
    pub async fn verdict<F>(&self, site: &Site, asked: Asked, second_question: impl Fn() -> F) -> Option<Failure>
    where
        F: Future<Output = ()>,
    {
        let clear = |verdict| match verdict {
            Verdict::Dark(failure) => Some(Some(failure)),
            Verdict::Answers => Some(None),
            Verdict::Silent(_) => None,
        };
        self.watch(site, asked, Instant::now(), second_question, clear).await
    }

    /// Looks again whenever something happens until `decided` has an answer; of what waits for one, what was sent
    /// after `from` counts. Half the patience into a
    /// silence the place is asked something else: perhaps only one of its services is down.
    async fn watch<T, F>(
        &self,
        site: &Site,
        asked: Asked,
        from: Instant,
        second_question: impl Fn() -> F,
        decided: impl Fn(Verdict) -> Option<T>,
    ) -> T
    where
        F: Future<Output = ()>,
    {
        let mut question = OptionFuture::from(None);
        loop {
            let changed = self.inner.changed.notified();
            let verdict = self.judge(site, asked, from);
            let mut wake = Instant::now() + IDLE;
            if let Verdict::Silent(until) = verdict {
                let half = until - self.inner.patience / 2;
                if Instant::now() >= half && self.may_probe(site) {
                    question = OptionFuture::from(Some(Box::pin(second_question())));
                }
                wake = if self.was_probed(site) { until } else { half };
            }
            if let Some(answer) = decided(verdict) {
                return answer;
            }
            tokio::select! {
                () = changed => {}
                () = tokio::time::sleep_until(wake) => {}
                Some(()) = &mut question => question = OptionFuture::from(None),
            }
        }
    }

    fn judge(&self, site: &Site, asked: Asked, from: Instant) -> Verdict {
        let mut places = self.places();
        let Some(standing) = places.get_mut(site) else { return Verdict::Answers };
        standing.judge(asked, from, self.inner.patience)
    }

    /// Whether the caller is the one to ask the second question.
    fn may_probe(&self, site: &Site) -> bool {
        let mut places = self.places();
        places.get_mut(site).is_some_and(|standing| !std::mem::replace(&mut standing.probed, true))
    }

    fn was_probed(&self, site: &Site) -> bool {
        self.places().get(site).is_some_and(|standing| standing.probed)
    }

    /// Notes that a request goes out. Dropping what this returns says that nobody waits for it any more.
    pub(super) fn sent(&self, site: &Site, operation: String) -> Underway {
        let mut places = self.places();
        let standing = places.entry(site.clone()).or_default();
        let now = Instant::now();
        let idle = |failing: &Failing| standing.pending.is_empty() && now - failing.last > IDLE;
        if standing.failing.as_ref().is_some_and(idle) {
            standing.failing = None;
        }
        standing.next += 1;
        let number = standing.next;
        standing.pending.insert(number, Sent { at: now, operation });
        drop(places);
        self.inner.changed.notify_waiters();
        Underway { reach: self.clone(), site: site.clone(), number }
    }

    fn places(&self) -> MutexGuard<'_, BTreeMap<Site, Standing>> {
        self.inner.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended(&self, site: &Site, number: u64, how: impl FnOnce(&mut Standing, Sent)) {
        let mut places = self.places();
        let Some(standing) = places.get_mut(site) else { return };
        let Some(sent) = standing.pending.remove(&number) else { return };
        how(standing, sent);
        // A change that is not watched finds out here.
        standing.judge(Asked::Changing, Instant::now(), self.inner.patience);
        drop(places);
        self.inner.changed.notify_waiters();
    }
}

impl Standing {
    fn judge(&mut self, asked: Asked, from: Instant, patience: Duration) -> Verdict {
        if let Some(failure) = &self.dark {
            return Verdict::Dark(failure.clone());
        }
        let counts = |sent: &&Sent| asked == Asked::Reading && sent.at >= from;
        let oldest = self.pending.values().filter(counts).min_by_key(|sent| sent.at);
        let waiting = oldest.map(|sent| sent.at);
        let failing = self.failing.as_ref().map(|failing| failing.since);
        let Some(since) = [waiting, failing].into_iter().flatten().min() else { return Verdict::Answers };
        if Instant::now() < since + patience {
            return Verdict::Silent(since + patience);
        }
        let silence = || {
            let operation = oldest.map(|sent| sent.operation.as_str()).unwrap_or_default();
            let message = format!("no answer within {} s", patience.as_secs_f64());
            Failure::new(FailureClass::Dark, operation, message)
        };
        let failure = self.failing.as_ref().map_or_else(silence, |failing| failing.why.clone());
        self.dark = Some(failure.clone());
        Verdict::Dark(failure)
    }

    fn fail(&mut self, sent: Sent, why: &str) {
        let now = Instant::now();
        let why = || Failure::new(FailureClass::Dark, &sent.operation, why);
        let failing = self.failing.get_or_insert_with(|| Failing { since: sent.at, last: now, why: why() });
        failing.since = failing.since.min(sent.at);
        failing.last = now;
    }
}

/// A request that is under way.
pub(super) struct Underway {
    reach: Reach,
    site: Site,
    number: u64,
}

impl Underway {
    /// An answer came.
    pub(super) fn answered(self) {
        self.reach.ended(&self.site, self.number, |standing, _| {
            // What still hangs is the trouble of one service.
            standing.pending.clear();
            (standing.failing, standing.probed) = (None, false);
        });
    }

    /// None came, and none will.
    pub(super) fn failed(self, why: &str) {
        self.reach.ended(&self.site, self.number, |standing, sent| standing.fail(sent, why));
    }
}

impl Drop for Underway {
    /// Does nothing once it has ended either way.
    fn drop(&mut self) {
        let limit = TOO_LONG.min(self.reach.inner.patience);
        self.reach.ended(&self.site, self.number, |standing, sent| {
            if sent.at.elapsed() >= limit {
                standing.fail(sent, "no answer in time");
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::graph::Region;

    fn west() -> Site {
        Site::Region(Region::new("us-west-2"))
    }

    fn sent(reach: &Reach) -> Underway {
        reach.sent(&west(), "Lambda GetFunction".into())
    }

    /// Nothing is asked a second time.
    async fn nothing() {}

    async fn verdict(reach: &Reach, asked: Asked) -> Option<String> {
        reach.verdict(&west(), asked, nothing).await.map(|failure| failure.message)
    }

    #[tokio::test]
    async fn a_place_that_was_not_asked_or_has_answered_is_lit() {
        let reach = Reach::new(Duration::ZERO);
        assert_eq!(verdict(&reach, Asked::Reading).await, None);
        sent(&reach).answered();
        assert_eq!(verdict(&reach, Asked::Reading).await, None);
        assert!(reach.dark().is_empty());
    }

    #[tokio::test]
    async fn one_answer_makes_up_for_every_failure_before_it() {
        let reach = Reach::new(Duration::from_secs(3_600));
        sent(&reach).failed("reset");
        let second = async { sent(&reach).answered() };
        // Asked at once: half of the patience has not passed, but the answer comes all the same.
        futures::join!(second, async { assert_eq!(verdict(&reach, Asked::Reading).await, None) });
    }

    #[tokio::test]
    async fn a_silent_place_is_asked_something_else_before_it_is_dark() {
        let reach = Reach::new(Duration::from_secs(4));
        sent(&reach).failed("reset");
        let second_question = || async { sent(&reach).answered() };
        assert!(reach.verdict(&west(), Asked::Reading, second_question).await.is_none());

        sent(&reach).failed("reset");
        let silence = reach.verdict(&west(), Asked::Reading, nothing).await;
        assert_eq!(silence.map(|failure| failure.message), Some("reset".into()));
    }

    #[tokio::test]
    async fn a_change_may_take_long_and_only_failures_count() {
        let reach = Reach::new(Duration::ZERO);
        let change = sent(&reach);
        assert_eq!(verdict(&reach, Asked::Changing).await, None);
        sent(&reach).failed("reset");
        assert_eq!(verdict(&reach, Asked::Changing).await, Some("reset".into()));
        drop(change);
    }

    #[tokio::test]
    async fn a_read_does_not_suffer_for_a_change_that_began_before_it_and_takes_long() {
        let reach = Reach::new(Duration::ZERO);
        let (west, _change) = (west(), sent(&reach));
        let darkness = || reach.darkness(&west, Asked::Reading, nothing);
        assert!(darkness().now_or_never().is_none());
        let darkness = darkness();
        let _read = sent(&reach);
        assert_eq!(darkness.now_or_never().map(|failure| failure.message), Some("no answer within 0 s".into()));
    }

    #[tokio::test]
    async fn a_dark_place_stays_dark_until_the_next_round() {
        let reach = Reach::new(Duration::ZERO);
        let late = sent(&reach);
        sent(&reach).failed("HTTP 503");
        assert_eq!(reach.dark()[&west()].to_string(), "Lambda GetFunction failed: Dark: HTTP 503");
        late.answered();
        let refusal = reach.refusal(&west(), "sns:CreateTopic").unwrap();
        assert_eq!(
            refusal.to_string(),
            "sns:CreateTopic failed: Dark: us-west-2 does not answer (Lambda GetFunction: HTTP 503)"
        );
        reach.begin();
        assert_eq!(reach.refusal(&west(), "sns:CreateTopic"), None);
    }

    #[tokio::test]
    async fn a_request_that_nobody_waits_for_any_more_says_nothing_about_the_place() {
        let reach = Reach::new(Duration::from_secs(3_600));
        drop(sent(&reach));
        assert_eq!(verdict(&reach, Asked::Reading).await, None);
    }
}
