//! What a kind can do in AWS, with and without its type.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;
use std::path::PathBuf;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use futures::stream::{self, StreamExt};
use tokio::time::Instant;

use super::{Created, Target};
use crate::aws::{Arn, Asked, Clients, Regional, STACK, TagIndex, is_aws};
use crate::graph::{
    Address, Attributes, Failure, FailureClass, Owner, Place, Properties, Region, Resource, Site, Tags,
};
use crate::plan::{Live, Sight};

/// How many resources of one kind and place are read at once; the rate limits rule beside it.
const READS_AT_ONCE: usize = 16;

/// A resource that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<T> {
    /// The managed properties.
    pub resource: T,
    /// What others may refer to, and what is worth showing.
    pub attributes: Attributes,
}

/// What looking for several came to; a target that is missing was not found.
pub type Seen<T> = BTreeMap<Address, Result<Option<Found<T>>, Failure>>;

/// Zip files by their `CodeSha256`.
pub type Artifacts = BTreeMap<String, PathBuf>;

/// Where tags may be read from.
#[derive(Clone, Copy)]
pub enum TagSource<'a> {
    /// From the tagging API's answer where it has one; cheap, and possibly stale.
    Index(&'a TagIndex),
    /// From each service itself.
    Strict,
}

/// Whether what is deleted may be taken back where AWS offers that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deletion {
    /// With the longest recovery window that there is.
    #[default]
    Recoverable,
    /// At once and for ever.
    Final,
}

/// What a kind's calls work with.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The clients of every place.
    pub clients: &'a Clients,
    /// The place of the resource.
    pub place: &'a Place,
    /// Whose system is worked on.
    pub owner: &'a Owner,
    /// Where tags are read from.
    pub tags: TagSource<'a>,
    /// The function code at hand.
    pub artifacts: &'a Artifacts,
    /// How deletions end.
    pub deletion: Deletion,
    /// When the step has to be done, if the spec says.
    pub ends: Option<Instant>,
    /// Tells people what is waited for.
    pub progress: &'a (dyn Fn(String) + Sync),
}

impl<'a> Context<'a> {
    /// The clients of the resource's region.
    pub fn regional(&self) -> Result<&'a Regional, Failure> {
        match self.place.region() {
            Some(region) => self.region(region),
            None => Err(Failure::malformed("drctl", "a global resource has no region")),
        }
    }

    /// The clients of one region of the spec.
    pub fn region(&self, region: &Region) -> Result<&'a Regional, Failure> {
        let missing = || {
            Failure::malformed(
                "drctl",
                format!("{region} is not a region of this spec; add it back until its resources are gone"),
            )
        };
        self.clients.regions.get(region).ok_or_else(missing)
    }

    /// How long a wait may last: what is left of the time that the spec gives the step, else `default`.
    pub fn within(&self, default: Duration) -> Duration {
        self.ends.map_or(default, |end| end.saturating_duration_since(Instant::now()))
    }

    /// Reads something in one of several regions. Of a dark one the failure says so, and soon.
    pub async fn read_in<T>(
        &self,
        region: &Region,
        read: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.clients.at(&Site::Region(region.clone()), Asked::Reading, read).await
    }

    /// Looks for something in every region at once. A dark region is no failure: it is told, because it may
    /// have it too.
    pub async fn look_everywhere<T, F>(&self, look: impl Fn(&'a Region) -> F) -> Result<Everywhere<T>, Failure>
    where
        F: Future<Output = Result<Option<T>, Failure>>,
    {
        let looks = self.clients.regions.keys().map(|region| {
            let look = self.read_in(region, look(region));
            async move { (region.clone(), look.await) }
        });
        let mut everywhere = Everywhere { seen: Vec::new(), dark: None };
        for (region, found) in join_all(looks).await {
            match found {
                Ok(found) => everywhere.seen.extend(found.map(|found| (region, found))),
                Err(failure) if failure.class == FailureClass::Dark => everywhere.dark = Some(failure),
                Err(failure) => return Err(failure),
            }
        }
        Ok(everywhere)
    }

    /// The tags of one resource: from the index if that knows them, else from `strict`.
    pub async fn tags_of<F>(&self, region: &Region, arn: &str, strict: impl FnOnce() -> F) -> Result<Tags, Failure>
    where
        F: Future<Output = Result<Tags, Failure>>,
    {
        match self.tags {
            TagSource::Index(index) => match index.get(region, arn) {
                Some(tags) => Ok(tags.clone()),
                None => strict().await,
            },
            TagSource::Strict => strict().await,
        }
    }
}

/// What all regions together say of something that may be in several.
pub struct Everywhere<T> {
    /// Where it is, and what it is there.
    pub seen: Vec<(Region, T)>,
    /// A dark region, which may have it too.
    pub dark: Option<Failure>,
}

/// The AWS calls behind a kind.
pub trait Lifecycle: Resource {
    /// Reads resources of one place back. "Not there" is `None`; being denied is a failure.
    fn observe(cx: Context<'_>, targets: &[Target]) -> impl Future<Output = Seen<Self>> + Send;

    /// Makes it. An apply that died half-way may have made it already; then this fails with
    /// `Exists`, and the executor looks and carries on with an update.
    fn create(&self, cx: Context<'_>) -> impl Future<Output = Result<Created, Failure>> + Send;

    /// Changes what differs between the two, and nothing else.
    fn update(before: &Self, after: &Self, cx: Context<'_>) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Deletes it. What is gone already is deleted.
    fn delete(&self, cx: Context<'_>) -> impl Future<Output = Result<(), Failure>> + Send;

    /// The id in an ARN of this kind, for what is found by its tags.
    fn id_in(_arn: &Arn<'_>) -> Option<String> {
        None
    }

    /// What has no marks of its own but lives beside something that was found.
    fn beside(_found: &Target, _region: &Region) -> Option<Target> {
        None
    }

    /// Finds marked resources that the tagging API does not know. `known` are ids that need no second look.
    fn list(
        _cx: Context<'_>,
        _owner: &Owner,
        _known: &BTreeSet<String>,
    ) -> impl Future<Output = Result<Vec<Target>, Failure>> + Send {
        async { Ok(Vec::new()) }
    }

    /// The ids of what could become this one, of a kind that has no names: made by hand, and marked by nobody
    /// in its caller reference.
    fn lookalikes(&self, _cx: Context<'_>) -> impl Future<Output = Result<Vec<String>, Failure>> + Send {
        async { Ok(Vec::new()) }
    }
}

/// Reads each target by its id, several at a time.
pub async fn each<T, F>(targets: &[Target], read: impl Fn(String) -> F) -> Seen<T>
where
    F: Future<Output = Result<Option<Found<T>>, Failure>>,
{
    let mut reads = Vec::new();
    for Target { address, id } in targets.iter().cloned() {
        let look = read(id);
        reads.push(async { (address, look.await) });
    }
    stream::iter(reads).buffer_unordered(READS_AT_ONCE).collect().await
}

/// [`Lifecycle`] with the type erased: what the engine works with.
pub trait Operations: Send + Sync {
    /// See [`Lifecycle::observe`].
    fn observe<'a>(&'a self, cx: Context<'a>, targets: &'a [Target]) -> BoxFuture<'a, BTreeMap<Address, Sight>>;
    /// See [`Lifecycle::create`].
    fn create<'a>(&'a self, cx: Context<'a>, after: &'a Properties) -> BoxFuture<'a, Result<Created, Failure>>;
    /// See [`Lifecycle::update`].
    fn update<'a>(
        &'a self,
        cx: Context<'a>,
        before: &'a Properties,
        after: &'a Properties,
    ) -> BoxFuture<'a, Result<(), Failure>>;
    /// See [`Lifecycle::delete`].
    fn delete<'a>(&'a self, cx: Context<'a>, before: &'a Properties) -> BoxFuture<'a, Result<(), Failure>>;
    /// See [`Lifecycle::id_in`].
    fn id_in(&self, arn: &Arn<'_>) -> Option<String>;
    /// See [`Lifecycle::beside`].
    fn beside(&self, found: &Target, region: &Region) -> Option<Target>;
    /// See [`Lifecycle::list`].
    fn list<'a>(
        &'a self,
        cx: Context<'a>,
        owner: &'a Owner,
        known: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Vec<Target>, Failure>>;
    /// See [`Lifecycle::lookalikes`].
    fn lookalikes<'a>(&'a self, cx: Context<'a>, wanted: &'a Properties)
    -> BoxFuture<'a, Result<Vec<String>, Failure>>;
}

/// Erases the type of one kind.
pub(super) struct Typed<T>(PhantomData<fn() -> T>);

impl<T: Lifecycle> Typed<T> {
    /// The only value.
    pub(super) const NEW: Self = Self(PhantomData);
}

fn typed<T: Resource>(properties: &Properties) -> Result<T, Failure> {
    properties
        .typed()
        .map_err(|error| Failure::malformed("drctl", format!("properties of another drctl version: {error}")))
}

/// What was found with its type erased. The name of its stack is no tag that anybody could set.
fn live<T: Resource>(id: &str, found: Found<T>) -> Live {
    let Found { resource, mut attributes } = found;
    let mut properties = Properties::of(&resource);
    if let Some(stack) = properties.take("tags", STACK) {
        attributes.insert(Live::STACK.into(), stack);
    }
    Live { id: id.to_owned(), properties, attributes }
}

impl<T: Lifecycle> Operations for Typed<T> {
    fn observe<'a>(&'a self, cx: Context<'a>, targets: &'a [Target]) -> BoxFuture<'a, BTreeMap<Address, Sight>> {
        Box::pin(async move {
            let mut seen = T::observe(cx, targets).await;
            let sight = |target: &Target| match seen.remove(&target.address) {
                None | Some(Ok(None)) => Sight::Absent,
                Some(Err(failure)) => Sight::Failed(failure),
                Some(Ok(Some(found))) => Sight::Live(live(&target.id, found)),
            };
            targets.iter().map(|target| target.address.clone()).zip(targets.iter().map(sight)).collect()
        })
    }

    fn create<'a>(&'a self, cx: Context<'a>, after: &'a Properties) -> BoxFuture<'a, Result<Created, Failure>> {
        Box::pin(async move { typed::<T>(after)?.create(cx).await })
    }

    fn update<'a>(
        &'a self,
        cx: Context<'a>,
        before: &'a Properties,
        after: &'a Properties,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move { T::update(&typed(before)?, &typed(after)?, cx).await })
    }

    fn delete<'a>(&'a self, cx: Context<'a>, before: &'a Properties) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move { typed::<T>(before)?.delete(cx).await })
    }

    fn id_in(&self, arn: &Arn<'_>) -> Option<String> {
        T::id_in(arn)
    }

    fn beside(&self, found: &Target, region: &Region) -> Option<Target> {
        T::beside(found, region)
    }

    fn list<'a>(
        &'a self,
        cx: Context<'a>,
        owner: &'a Owner,
        known: &'a BTreeSet<String>,
    ) -> BoxFuture<'a, Result<Vec<Target>, Failure>> {
        Box::pin(T::list(cx, owner, known))
    }

    fn lookalikes<'a>(
        &'a self,
        cx: Context<'a>,
        wanted: &'a Properties,
    ) -> BoxFuture<'a, Result<Vec<String>, Failure>> {
        Box::pin(async move { typed::<T>(wanted)?.lookalikes(cx).await })
    }
}

/// What has to be written to get from some tags to others.
pub struct TagChange {
    /// Tags to set.
    pub set: Tags,
    /// Keys to remove.
    pub unset: Vec<String>,
}

impl TagChange {
    /// The change between two sets of tags; AWS's own are nobody's to remove.
    pub fn between(before: &Tags, after: &Tags) -> Self {
        let set = after
            .iter()
            .filter(|(key, value)| before.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let unset = before.keys().filter(|key| !after.contains_key(*key) && !is_aws(key)).cloned().collect();
        Self { set, unset }
    }
}
