//! The seam between the engine and AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::graph::{Address, Failure, Owner, Properties, Site};
use crate::kinds::{Created, Target};
use crate::plan::Sight;

/// How current an answer has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Tags may come from the tagging API, which lags; good enough to plan from.
    Indexed,
    /// Everything from the services themselves.
    Strict,
}

/// Tells people what a step waits for.
pub type Progress<'a> = &'a (dyn Fn(String) + Sync);

/// What the engine needs of AWS.
pub trait Cloud: Sync {
    /// The account that this is.
    fn account(&self) -> &str;

    /// Finds everything that carries the owner's marks, as far as places answer. `known` are ids that need
    /// no second look. With this a round of looking begins, in which a place once dark is not asked again.
    fn discover(&self, owner: &Owner, known: &BTreeSet<String>) -> impl Future<Output = Result<Vec<Target>, Failure>>;

    /// The places that turned out to be dark in this round, with what was tried there first.
    fn dark(&self) -> BTreeMap<Site, Failure>;

    /// The ids of what was made by hand and could become `wanted`, of a kind that has no names.
    fn lookalikes(&self, address: &Address, wanted: &Properties) -> impl Future<Output = Result<Vec<String>, Failure>>;

    /// Looks for each target, all places at once.
    fn observe(&self, targets: Vec<Target>, freshness: Freshness) -> impl Future<Output = BTreeMap<Address, Sight>>;

    /// Makes a resource.
    fn create(
        &self,
        address: &Address,
        after: &Properties,
        progress: Progress<'_>,
    ) -> impl Future<Output = Result<Created, Failure>>;

    /// Changes a resource from `before` to `after`.
    fn update(
        &self,
        address: &Address,
        before: &Properties,
        after: &Properties,
        progress: Progress<'_>,
    ) -> impl Future<Output = Result<(), Failure>>;

    /// Deletes a resource.
    fn delete(
        &self,
        address: &Address,
        before: &Properties,
        progress: Progress<'_>,
    ) -> impl Future<Output = Result<(), Failure>>;

    /// What time it is.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// Lets time go by. The clock belongs to the cloud, so that a fake one need not really wait.
    fn pause(&self, duration: Duration) -> impl Future<Output = ()> {
        tokio::time::sleep(duration)
    }
}
