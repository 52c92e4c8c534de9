//! The [`Cloud`] that is AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock};

use futures::future::{join_all, try_join, try_join_all};

use super::cloud::{Cloud, Freshness, Progress};
use crate::aws::{Arn, Clients, TagIndex};
use crate::graph::{Address, Failure, Owner, Place, Properties};
use crate::kinds::{self, Artifacts, Context, Created, Deletion, Kind, TagSource, Target};
use crate::plan::Sight;

/// AWS in one account and two regions.
#[derive(Debug)]
pub struct AwsCloud {
    clients: Clients,
    owner: Owner,
    artifacts: Artifacts,
    deletion: Deletion,
    /// What the last discovery told of tags.
    tags: RwLock<TagIndex>,
}

impl AwsCloud {
    /// AWS by these clients, for one system, with its functions' code at hand.
    pub fn new(clients: Clients, owner: Owner, artifacts: Artifacts) -> Self {
        Self { clients, owner, artifacts, deletion: Deletion::default(), tags: RwLock::default() }
    }

    /// The same AWS with deletions ending this way.
    pub fn deleting(self, deletion: Deletion) -> Self {
        Self { deletion, ..self }
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
            progress,
        }
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
        let indexes = try_join_all(self.clients.regions.values().map(|regional| TagIndex::read(regional, owner)));
        let context = self.context(&Place::Global, TagSource::Strict, &silent);
        let lists = try_join_all(kinds::REGISTRY.iter().map(|kind| kind.operations.list(context, owner, known)));
        let (indexes, lists) = try_join(indexes, lists).await?;
        let index = indexes.into_iter().fold(TagIndex::default(), TagIndex::joined);
        let mut found: Vec<Target> = lists.into_iter().flatten().collect();
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
                Ok(kind) => kind.operations.observe(self.context(place, tags, &silent), targets).await,
                Err(failure) => {
                    targets.iter().map(|target| (target.address.clone(), Sight::Failed(failure.clone()))).collect()
                }
            }
        });
        join_all(looks).await.into_iter().flatten().collect()
    }

    async fn create(&self, address: &Address, after: &Properties, progress: Progress<'_>) -> Result<Created, Failure> {
        kind(address)?.operations.create(self.context(&address.place, TagSource::Strict, progress), after).await
    }

    async fn update(
        &self,
        address: &Address,
        before: &Properties,
        after: &Properties,
        progress: Progress<'_>,
    ) -> Result<(), Failure> {
        kind(address)?.operations.update(self.context(&address.place, TagSource::Strict, progress), before, after).await
    }

    async fn delete(&self, address: &Address, before: &Properties, progress: Progress<'_>) -> Result<(), Failure> {
        kind(address)?.operations.delete(self.context(&address.place, TagSource::Strict, progress), before).await
    }
}
