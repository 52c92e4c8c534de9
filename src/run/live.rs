//! The [`Cloud`] that is AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use futures::future::{join_all, select_all, try_join, try_join_all};
use tokio::time::Instant;

use super::cloud::{Cloud, Freshness, Progress};
use crate::aws::{Arn, Asked, Clients, TagIndex};
use crate::graph::{Address, Failure, FailureClass, Owner, Place, Properties, Site};
use crate::kinds::{self, Artifacts, Context, Created, Deletion, Kind, TagSource, Target};
use crate::plan::Sight;

/// AWS in one account and two regions.
#[derive(Debug)]
pub struct AwsCloud {
    clients: Clients,
    owner: Owner,
    artifacts: Artifacts,
    deletion: Deletion,
    /// How long a step may take, by kind.
    limits: BTreeMap<&'static str, Duration>,
    /// What the last discovery told of tags.
    tags: RwLock<TagIndex>,
    /// Whether there was a discovery.
    discovered: AtomicBool,
}

impl AwsCloud {
    /// AWS by these clients, for one system, with its functions' code at hand.
    pub fn new(clients: Clients, owner: Owner, artifacts: Artifacts) -> Self {
        let (deletion, limits) = (Deletion::default(), BTreeMap::new());
        let (tags, discovered) = (RwLock::default(), AtomicBool::new(false));
        Self { clients, owner, artifacts, deletion, limits, tags, discovered }
    }

    /// The same AWS with deletions ending this way.
    pub fn deleting(self, deletion: Deletion) -> Self {
        Self { deletion, ..self }
    }

    /// The same AWS with bounds for the steps of some kinds.
    pub fn limited(self, limits: BTreeMap<&'static str, Duration>) -> Self {
        Self { limits, ..self }
    }

    /// The clients of every place, for what operators do past the engine.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// How many requests were sent.
    pub fn calls(&self) -> usize {
        self.clients.meter.total()
    }

    fn context<'a>(&'a self, place: &'a Place, tags: TagSource<'a>, progress: Progress<'a>) -> Context<'a> {
        Context {
            clients: &self.clients,
            place,
            owner: &self.owner,
            tags,
            artifacts: &self.artifacts,
            deletion: self.deletion,
            ends: None,
            progress,
        }
    }
}

impl AwsCloud {
    /// Reads the resources of one kind and place, for as long as the place answers.
    async fn look(&self, kind: &Kind, context: Context<'_>, targets: &[Target]) -> BTreeMap<Address, Sight> {
        let look = kind.operations.observe(context, targets);
        let Some(site) = kind.meta.answered_by.site(context.place) else {
            // It has asked every region by itself, and fails only if the dark one was needed.
            let seen = look.await;
            let dark = self.dark().into_keys().find(|site| matches!(site, Site::Region(_)));
            let sight = |sight| match (sight, &dark) {
                (Sight::Failed(failure), Some(site)) if failure.class == FailureClass::Dark => {
                    Sight::Dark(site.clone())
                }
                (sight, _) => sight,
            };
            return seen.into_iter().map(|(address, found)| (address, sight(found))).collect();
        };
        let unanswered = |sight: &Sight| matches!(sight, Sight::Failed(failure) if failure.class.is_unanswered());
        let mut seen = tokio::select! {
            seen = look => seen,
            _ = self.clients.darkness(&site, Asked::Reading) => BTreeMap::new(),
        };
        if seen.values().any(unanswered) && !self.clients.is_dark(&site, Asked::Reading).await {
            return seen;
        }
        seen.retain(|_, sight| !unanswered(sight));
        for target in targets {
            seen.entry(target.address.clone()).or_insert_with(|| Sight::Dark(site.clone()));
        }
        seen
    }

    /// Changes something, for as long as every place that has to answer does, and within the time that the
    /// spec gives it.
    async fn attempt<'a, T, F>(
        &'a self,
        address: &'a Address,
        progress: Progress<'a>,
        change: impl FnOnce(&'static Kind, Context<'a>) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let kind = kind(address)?;
        let sites = match kind.meta.answered_by.site(&address.place) {
            Some(site) => vec![site],
            None => self.clients.regions.keys().cloned().map(Site::Region).collect(),
        };
        let limit = self.limits.get(kind.meta.kind).copied();
        let ends = limit.map(|limit| Instant::now() + limit);
        let darkness = sites.iter().map(|site| Box::pin(self.clients.darkness(site, Asked::Changing)));
        let context = Context { ends, ..self.context(&address.place, TagSource::Strict, progress) };
        tokio::select! {
            result = change(kind, context) => result,
            (failure, ..) = select_all(darkness) => Err(failure),
            () = overtime(ends) => Err(late(kind, limit.unwrap_or_default())),
        }
    }
}

/// Ends when the time is up, if it ever is.
async fn overtime(ends: Option<Instant>) {
    match ends {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

fn late(kind: &Kind, limit: Duration) -> Failure {
    let message = format!("it took longer than the {} s that `[timeout]` gives a {}", limit.as_secs(), kind.meta.kind);
    Failure::new(FailureClass::Deadline, "drctl", message)
}

/// What a dark place would have told is left out.
fn lit<T>(told: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match told {
        Err(failure) if failure.class == FailureClass::Dark => Ok(None),
        told => told.map(Some),
    }
}

fn silent(_: String) {}

fn kind(address: &Address) -> Result<&'static Kind, Failure> {
    kinds::find(&address.kind).ok_or_else(|| {
        Failure::malformed(
            "drctl",
            format!("this drctl knows no kind {}; use the newer one that made it", address.kind),
        )
    })
}

impl Cloud for AwsCloud {
    fn account(&self) -> &str {
        &self.clients.account
    }

    async fn discover(&self, owner: &Owner, known: &BTreeSet<String>) -> Result<Vec<Target>, Failure> {
        // The first round began with the connection: what was dark when the state was read is not waited for again.
        if self.discovered.swap(true, Ordering::Relaxed) {
            self.clients.reach.begin();
        }
        let indexes = self.clients.regions.iter().map(|(region, regional)| async move {
            let site = Site::Region(region.clone());
            lit(self.clients.at(&site, Asked::Reading, TagIndex::read(regional, owner)).await)
        });
        let context = self.context(&Place::Global, TagSource::Strict, &silent);
        let lists = kinds::REGISTRY.iter().map(|kind| async move {
            let list = kind.operations.list(context, owner, known);
            match kind.meta.answered_by.site(&Place::Global) {
                Some(site) => lit(self.clients.at(&site, Asked::Reading, list).await),
                None => list.await.map(Some),
            }
        });
        let (indexes, lists) = try_join(try_join_all(indexes), try_join_all(lists)).await?;
        let index = indexes.into_iter().flatten().fold(TagIndex::default(), TagIndex::joined);
        let mut found: Vec<Target> = lists.into_iter().flatten().flatten().collect();
        for (region, arn, tags) in index.iter() {
            let address = tags.get(Owner::ADDRESS).and_then(|address| address.parse::<Address>().ok());
            let target = address.and_then(|address| {
                let id = kinds::find(&address.kind)?.operations.id_in(&Arn::parse(arn)?)?;
                Some(Target { address, id })
            });
            let Some(target) = target else { continue };
            found.extend(kinds::REGISTRY.iter().filter_map(|kind| kind.operations.beside(&target, region)));
            found.push(target);
        }
        *self.tags.write().unwrap_or_else(PoisonError::into_inner) = index;
        Ok(found)
    }

    fn dark(&self) -> BTreeMap<Site, Failure> {
        self.clients.reach.dark()
    }

    async fn lookalikes(&self, address: &Address, wanted: &Properties) -> Result<Vec<String>, Failure> {
        let kind = kind(address)?;
        let look = kind.operations.lookalikes(self.context(&address.place, TagSource::Strict, &silent), wanted);
        match kind.meta.answered_by.site(&address.place) {
            Some(site) => self.clients.at(&site, Asked::Reading, look).await,
            None => look.await,
        }
    }

    async fn observe(&self, targets: Vec<Target>, freshness: Freshness) -> BTreeMap<Address, Sight> {
        let index = self.tags.read().unwrap_or_else(PoisonError::into_inner).clone();
        let tags = match freshness {
            Freshness::Indexed => TagSource::Index(&index),
            Freshness::Strict => TagSource::Strict,
        };
        let mut groups: BTreeMap<(Place, String), Vec<Target>> = BTreeMap::new();
        for target in targets {
            groups.entry((target.address.place.clone(), target.address.kind.clone())).or_default().push(target);
        }
        let looks = groups.iter().map(|((place, _), targets)| async move {
            match kind(&targets[0].address) {
                Ok(kind) => self.look(kind, self.context(place, tags, &silent), targets).await,
                Err(failure) => {
                    targets.iter().map(|target| (target.address.clone(), Sight::Failed(failure.clone()))).collect()
                }
            }
        });
        join_all(looks).await.into_iter().flatten().collect()
    }

    async fn create(&self, address: &Address, after: &Properties, progress: Progress<'_>) -> Result<Created, Failure> {
        self.attempt(address, progress, |kind, context| kind.operations.create(context, after)).await
    }

    async fn update(
        &self,
        address: &Address,
        before: &Properties,
        after: &Properties,
        progress: Progress<'_>,
    ) -> Result<(), Failure> {
        self.attempt(address, progress, |kind, context| kind.operations.update(context, before, after)).await
    }

    async fn delete(&self, address: &Address, before: &Properties, progress: Progress<'_>) -> Result<(), Failure> {
        self.attempt(address, progress, |kind, context| kind.operations.delete(context, before)).await
    }
}
