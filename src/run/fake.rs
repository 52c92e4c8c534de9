//! A world of resources in memory, as unkind as AWS where the engine has to bear it:
//! it refuses what comes in the wrong order, does half of what was asked, loses
//! answers, dies, and lets reads lag behind writes.

mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::yield_now;

use self::world::{Key, World, Write, attributes, home, identified, key, made_id, member_key, meta, record, tags};
use super::cloud::{Cloud, Freshness, Progress};
use super::observe::Subject;
use crate::desired::{FunctionSection, Spec, read};
use crate::graph::{Address, AnsweredBy, Failure, FailureClass, Graph, Meta, Owner, Properties, Site};
use crate::kinds::{self, Created, Target};
use crate::plan::{Live, Observation, Sight};
use crate::state::{Index, Record};

/// The account of every test.
pub(crate) const ACCOUNT: &str = "123456789012";

/// A system as a spec describes it.
pub(crate) struct System {
    pub(crate) spec: Spec,
    pub(crate) graph: Graph,
    pub(crate) owner: Owner,
    pub(crate) kinds: Vec<Meta>,
}

impl System {
    /// The system of a spec that is right, its functions built.
    #[track_caller]
    pub(crate) fn new(text: &str) -> Self {
        let spec = read(Path::new("test.toml"), text).unwrap_or_else(|error| panic!("{error:?}\n{text}"));
        let built =
            |(name, function): (&String, &FunctionSection)| (name.clone(), format!("code of {}", *function.source));
        let code = spec.functions.iter().map(built).collect();
        Self { graph: spec.graph(ACCOUNT, &code), owner: spec.owner(), kinds: kinds::metas(), spec }
    }

    pub(crate) fn subject<'a>(&'a self, recorded: &'a Index) -> Subject<'a> {
        Subject { desired: &self.graph, recorded, overrides: &[], owner: &self.owner, kinds: &self.kinds }
    }

    /// An index that knows nothing.
    pub(crate) fn unrecorded(&self) -> Index {
        Index::empty(&self.owner, "test".into())
    }

    /// The world in which this system has just been applied, as it is seen and as it is recorded.
    pub(crate) fn applied(&self) -> (Observation, Index) {
        let (mut observed, mut recorded) = (Observation::default(), self.unrecorded());
        observed.account = ACCOUNT.into();
        for (address, node) in self.graph.iter() {
            let properties = node.properties.resolve(&|reference| {
                let id = made_id(&self.graph.get(&reference.address)?.properties, 0);
                attributes(&key(&reference.address, &id)).remove(&reference.attribute)
            });
            let id = made_id(&node.properties, 0);
            let properties = identified(&properties, &id);
            let record = Record {
                id: id.clone(),
                fingerprint: meta(&self.kinds, address).managed(&properties).fingerprint(),
                needs: self.graph.needs(address),
                attributes: attributes(&key(address, &id)),
                applied_at: jiff::Timestamp::UNIX_EPOCH,
                adopted: false,
                built: Meta::built_of(&self.kinds, address, &properties),
            };
            recorded.resources.insert(address.clone(), record);
            let attributes = attributes(&key(address, &id));
            observed.seen.insert(address.clone(), Sight::Live(Live { id, properties, attributes }));
        }
        (observed, recorded)
    }
}

/// The same properties with one of them set.
pub(crate) fn with(properties: &Properties, field: &str, value: Value) -> Properties {
    let mut tree = serde_json::to_value(properties).expect("properties are plain data");
    tree[field] = value;
    Properties::of(&tree)
}

/// How a mutation goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Refused before anything was done.
    Refused,
    /// Given up after the first of several calls.
    HalfDone,
    /// Done, and the answer lost.
    AnswerLost,
    /// Done, and drctl killed before it hears of it.
    Killed,
}

/// The in-memory [`Cloud`].
pub(crate) struct FakeCloud {
    kinds: Vec<Meta>,
    world: Mutex<World>,
    /// How far reads lag behind writes.
    lag: Duration,
    /// When its clock was started, which only writes and pauses advance.
    began: Instant,
}

impl FakeCloud {
    /// An empty world.
    pub(crate) fn new() -> Self {
        Self::lagging(Duration::ZERO)
    }

    /// An empty world in which reads lag behind writes.
    pub(crate) fn lagging(lag: Duration) -> Self {
        Self { kinds: kinds::metas(), world: Mutex::default(), lag, began: Instant::now() }
    }

    /// Lets the `nth` mutation from now on go wrong, counted from 1.
    pub(crate) fn fail(&self, nth: usize, fault: Fault) {
        let mut world = self.world();
        world.fault = Some((world.mutations + nth, fault));
    }

    /// Lets a place go dark, before a run looks at anything.
    pub(crate) fn darken(&self, site: &Site) {
        self.world().dark.insert(site.clone());
    }

    /// Lets a place go dark with the `nth` mutation from now on, counted from 1.
    pub(crate) fn darken_at(&self, nth: usize, site: &Site) {
        let mut world = self.world();
        world.darkens = Some((world.mutations + nth, site.clone()));
    }

    /// Every place answers again.
    pub(crate) fn lighten(&self) {
        let mut world = self.world();
        (world.dark, world.darkens) = (BTreeSet::new(), None);
    }

    /// Whether drctl has been killed.
    pub(crate) fn is_dead(&self) -> bool {
        self.world().dead
    }

    /// What a new process finds: nothing goes wrong any more.
    pub(crate) fn recover(&self) {
        let mut world = self.world();
        (world.dead, world.fault) = (false, None);
    }

    /// How many mutations were asked for so far.
    pub(crate) fn mutations(&self) -> usize {
        self.world().mutations
    }

    /// What drctl did that AWS would not have forgiven.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.world().complaints.clone()
    }

    /// What is there now.
    pub(crate) fn things(&self) -> Vec<String> {
        let world = self.world();
        let there = world.things.keys().filter(|key| world.get(key).is_some());
        there.map(|(place, kind, id)| format!("{place}/{kind}:{id}")).collect()
    }

    /// Puts a thing there without drctl's doing.
    pub(crate) fn put(&self, address: &Address, id: &str, properties: Option<Properties>) {
        self.world().put(&key(address, id), properties);
    }

    /// Takes every mark off everything, as if somebody else had made it.
    pub(crate) fn unmark(&self) {
        self.world().unmark();
    }

    /// A thing that is there.
    #[track_caller]
    pub(crate) fn get(&self, address: &Address, id: &str) -> Properties {
        self.world().get(&key(address, id)).unwrap_or_else(|| panic!("{address} is not there")).clone()
    }

    /// When a thing was changed last, by the clock of this cloud.
    #[track_caller]
    pub(crate) fn changed_at(&self, address: &Address, id: &str) -> Duration {
        let world = self.world();
        let history = world.things.get(&key(address, id)).and_then(|history| history.last());
        history.unwrap_or_else(|| panic!("{address} was never there")).0
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("no test panics while it holds the world")
    }

    /// Nothing comes back to a process that was killed.
    async fn alive(&self) {
        if self.is_dead() {
            std::future::pending::<()>().await;
        }
    }

    async fn mutate(&self, address: &Address, write: Write<'_>) -> Result<(), Failure> {
        self.alive().await;
        let meta = meta(&self.kinds, address);
        let (nth, _busy) = self.begin((meta.locks)(address));
        // Some steps take longer than others, so that those begun at once end in many orders.
        for _ in 0..(nth * 7 + address.name.len()) % 5 {
            yield_now().await;
        }
        self.alive().await;
        let result = {
            let mut world = self.world();
            world.now += Duration::from_millis(10);
            let goes_dark = world.darkens.clone().filter(|(when, _)| *when <= nth).map(|(_, site)| site);
            let foreseen = world.darkens.is_none();
            world.dark.extend(goes_dark);
            if let Some(site) = world.darkness(meta, &address.place) {
                if foreseen {
                    world.complain(format!("{address} is changed although {site} is dark"));
                }
                return Err(Failure::new(FailureClass::Dark, "fake:Mutate", format!("{site} does not answer")));
            }
            let fault = world.fault.filter(|(when, _)| *when == nth).map(|(_, fault)| fault);
            let lost = || Failure::new(FailureClass::Other, "fake:Mutate", "this one goes wrong");
            match fault {
                None => world.perform(meta, address, write, false),
                Some(Fault::Refused) => Err(lost()),
                Some(Fault::HalfDone) => world.perform(meta, address, write, true).and(Err(lost())),
                Some(Fault::AnswerLost) => world.perform(meta, address, write, false).and(Err(lost())),
                Some(Fault::Killed) => {
                    world.dead = true;
                    world.perform(meta, address, write, false)
                }
            }
        };
        self.alive().await;
        yield_now().await;
        result
    }

    fn begin(&self, lock: Address) -> (usize, Busy<'_>) {
        let mut world = self.world();
        world.mutations += 1;
        if !world.busy.insert(lock.clone()) {
            world.complaints.push(format!("two changes of {lock} at once"));
        }
        (world.mutations, Busy { cloud: self, lock })
    }
}

/// A change of an object under way.
struct Busy<'a> {
    cloud: &'a FakeCloud,
    lock: Address,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.cloud.world().busy.remove(&self.lock);
    }
}

impl Cloud for FakeCloud {
    fn account(&self) -> &str {
        ACCOUNT
    }

    async fn discover(&self, owner: &Owner, _known: &BTreeSet<String>) -> Result<Vec<Target>, Failure> {
        self.alive().await;
        let world = self.world();
        let mut found = Vec::new();
        let answers = |(place, kind, _): &&Key| {
            let site = kinds::find(kind).and_then(|kind| kind.meta.answered_by.site(place));
            site.is_none_or(|site| !world.dark.contains(&site))
        };
        for key in world.things.keys().filter(answers).filter(|(_, kind, _)| kind != "table") {
            let seen = world.visible(key, self.lag);
            let tags = seen.and_then(tags).filter(|tags| owner.owns(tags));
            let address = tags.and_then(|tags| tags.get(Owner::ADDRESS)?.parse::<Address>().ok());
            let address = address.or_else(|| owner.referred(seen?.text("id")?)).or_else(|| record(seen?));
            let Some(address) = address else { continue };
            let target = |address| Target { address, id: key.2.clone() };
            match (key.1.as_str(), key.0.region()) {
                // The marks of a member are its table's.
                ("table_replica", Some(region)) => {
                    found.push(target(Address::regional(region, "table_replica", &address.name)));
                }
                ("function", _) => found.push(target(address.with_kind("function_url"))),
                _ => {}
            }
            found.push(target(address));
        }
        Ok(found)
    }

    fn dark(&self) -> BTreeMap<Site, Failure> {
        let why = || Failure::new(FailureClass::Dark, "fake:Look", "no answer");
        self.world().dark.iter().map(|site| (site.clone(), why())).collect()
    }

    async fn lookalikes(&self, address: &Address, wanted: &Properties) -> Result<Vec<String>, Failure> {
        self.alive().await;
        let world = self.world();
        let alike = |key: &&Key| {
            let same = |thing: &Properties, field: &str| thing.get(field) == wanted.get(field);
            let told_apart_by = ["name", "host", "protocol", "interval"];
            let (place, kind, id) = key;
            (place, kind) == (&address.place, &address.kind)
                && !Owner::refers(id)
                && world.get(key).is_some_and(|thing| told_apart_by.iter().all(|field| same(thing, field)))
        };
        Ok(world.things.keys().filter(alike).map(|(_, _, id)| id.clone()).collect())
    }

    async fn observe(&self, targets: Vec<Target>, _freshness: Freshness) -> BTreeMap<Address, Sight> {
        self.alive().await;
        yield_now().await;
        let world = self.world();
        let look = |Target { address, id }: Target| {
            let key = key(&address, &id);
            let meta = meta(&self.kinds, &address);
            if let Some(site) = world.darkness(meta, &address.place) {
                let elsewhere = meta.answered_by == AnsweredBy::EveryRegion;
                if !elsewhere || !world.visible(&key, self.lag).is_some_and(|thing| world.shows(thing)) {
                    return (address, Sight::Dark(site));
                }
            }
            let properties = world.visible(&key, self.lag).cloned().map(|properties| match address.kind.as_str() {
                // DynamoDB keeps the marks with the members.
                "table" => match world.visible(&member_key(&home(&properties), &properties), self.lag) {
                    Some(member) => with(&properties, "tags", json!(member.get("tags"))),
                    None => properties,
                },
                _ => properties,
            });
            let live = properties.map(|properties| Live { id, properties, attributes: attributes(&key) });
            (address, live.map_or(Sight::Absent, Sight::Live))
        };
        targets.into_iter().map(look).collect()
    }

    async fn create(&self, address: &Address, after: &Properties, _: Progress<'_>) -> Result<Created, Failure> {
        self.mutate(address, Write::Create(after)).await?;
        let key = key(address, &self.world().id_of_new(meta(&self.kinds, address), address, after));
        Ok(Created { attributes: attributes(&key), id: key.2 })
    }

    async fn update(
        &self,
        address: &Address,
        before: &Properties,
        after: &Properties,
        _: Progress<'_>,
    ) -> Result<(), Failure> {
        self.mutate(address, Write::Update(before, after)).await
    }

    async fn delete(&self, address: &Address, before: &Properties, _: Progress<'_>) -> Result<(), Failure> {
        self.mutate(address, Write::Delete(before)).await
    }

    fn now(&self) -> Instant {
        self.began + self.world().now
    }

    async fn pause(&self, duration: Duration) {
        self.alive().await;
        self.world().now += duration;
        yield_now().await;
    }
}
