//! A world of resources in memory, as unkind as AWS where the engine has to bear it:
//! it refuses what comes in the wrong order, does half of what was asked, loses
//! answers, dies, and lets reads lag behind writes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::yield_now;

use super::cloud::{Cloud, Freshness, Progress};
use super::observe::Subject;
use crate::desired::{FunctionSection, Spec, read};
use crate::graph::{
    Address, AnsweredBy, Attributes, Failure, FailureClass, Graph, Meta, Owner, Place, Properties, Region, Site, Tags,
};
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

/// Place, kind and id: what AWS tells things apart by.
type Key = (Place, String, String);

/// Every state a thing was in, and since when; `None` while it is not there.
type History = Vec<(Duration, Option<Properties>)>;

#[derive(Default)]
struct World {
    things: BTreeMap<Key, History>,
    now: Duration,
    mutations: usize,
    busy: BTreeSet<Address>,
    complaints: Vec<String>,
    fault: Option<(usize, Fault)>,
    dead: bool,
    dark: BTreeSet<Site>,
    /// A place that goes dark with this mutation.
    darkens: Option<(usize, Site)>,
}

/// The in-memory [`Cloud`].
pub(crate) struct FakeCloud {
    kinds: Vec<Meta>,
    world: Mutex<World>,
    /// How far reads lag behind writes.
    lag: Duration,
}

impl FakeCloud {
    /// An empty world.
    pub(crate) fn new() -> Self {
        Self::lagging(Duration::ZERO)
    }

    /// An empty world in which reads lag behind writes.
    pub(crate) fn lagging(lag: Duration) -> Self {
        Self { kinds: kinds::metas(), world: Mutex::default(), lag }
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

    /// A thing that is there.
    #[track_caller]
    pub(crate) fn get(&self, address: &Address, id: &str) -> Properties {
        self.world().get(&key(address, id)).unwrap_or_else(|| panic!("{address} is not there")).clone()
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

#[derive(Clone, Copy)]
enum Write<'a> {
    Create(&'a Properties),
    Update(&'a Properties, &'a Properties),
    Delete(&'a Properties),
}

impl World {
    fn get(&self, key: &Key) -> Option<&Properties> {
        self.things.get(key)?.last()?.1.as_ref()
    }

    fn put(&mut self, key: &Key, properties: Option<Properties>) {
        self.things.entry(key.clone()).or_default().push((self.now, properties));
    }

    /// The thing as a read shows it.
    fn visible(&self, key: &Key, lag: Duration) -> Option<&Properties> {
        let seen = |since: Duration| since.is_zero() || since + lag <= self.now;
        self.things.get(key)?.iter().rev().find(|(since, _)| seen(*since))?.1.as_ref()
    }

    /// The dark place that a resource of this kind needs.
    fn darkness(&self, meta: &Meta, place: &Place) -> Option<Site> {
        match meta.answered_by.site(place) {
            Some(site) => self.dark.get(&site).cloned(),
            None => self.dark.iter().find(|site| matches!(site, Site::Region(_))).cloned(),
        }
    }

    /// Whether a place that is not dark shows something that is in several regions.
    fn shows(&self, properties: &Properties) -> bool {
        regions(properties).into_iter().any(|region| !self.dark.contains(&Site::Region(region)))
    }

    fn complain(&mut self, what: String) -> Failure {
        self.complaints.push(what.clone());
        Failure::new(FailureClass::Other, "fake:Mutate", what)
    }

    fn perform(&mut self, meta: &Meta, address: &Address, write: Write<'_>, half: bool) -> Result<(), Failure> {
        match write {
            Write::Create(after) => self.create(meta, address, after, half),
            Write::Update(before, after) => self.update(meta, address, before, after, half),
            Write::Delete(before) => self.delete(address, before, half),
        }
    }

    /// What AWS would know a new thing by. A caller reference again means the thing that it made,
    /// unless that cannot become what is wanted, or is gone.
    fn id_of_new(&self, meta: &Meta, address: &Address, after: &Properties) -> String {
        let generations = (0..).map(|generation| made_id(after, generation));
        let mut ids = generations.filter(|id| match self.things.get(&key(address, id)) {
            Some(_) => self.get(&key(address, id)).is_some_and(|there| {
                after.text("reference").is_none() || meta.fixed.iter().all(|field| there.get(field) == after.get(field))
            }),
            None => true,
        });
        match after.text("reference") {
            Some(_) => ids.next().expect("there is always another generation"),
            None => made_id(after, 0),
        }
    }

    fn create(&mut self, meta: &Meta, address: &Address, after: &Properties, half: bool) -> Result<(), Failure> {
        self.check_needs(address, after)?;
        let key = key(address, &self.id_of_new(meta, address, after));
        let after = &identified(after, &key.2);
        let there = self.get(&key).is_some();
        match address.kind.as_str() {
            // A member is there with its table; what is created is its settings.
            "table_replica" if !there => {
                return Err(self.complain(format!("{address} is settled before the table is there")));
            }
            "table_replica" => {}
            _ if there && after.text("reference").is_some() => {}
            _ if there => return Err(Failure::new(FailureClass::Exists, "fake:Create", "it is there already")),
            _ => {}
        }
        let made = if half { half_of(&address.kind, after) } else { after.clone() };
        if address.kind == "table" {
            self.add_members(&made, &regions(&made));
        }
        self.put(&key, Some(made));
        Ok(())
    }

    /// Changes what differs between the two, as the kinds do.
    fn update(
        &mut self,
        meta: &Meta,
        address: &Address,
        before: &Properties,
        after: &Properties,
        half: bool,
    ) -> Result<(), Failure> {
        self.check_needs(address, after)?;
        let key = key(address, &id(before));
        let Some(mut live) = self.get(&key).cloned() else {
            return Err(Failure::new(FailureClass::NotFound, "fake:Update", "it is not there"));
        };
        let changes = after.fields().filter(|(field, value)| {
            before.get(field) != Some(value) && !meta.fixed.contains(field) && !meta.at_creation.contains(field)
        });
        for (field, value) in changes.take(if half { 1 } else { usize::MAX }) {
            if (address.kind.as_str(), field) == ("table", "regions") {
                let (old, new) = (regions(&live), regions(after));
                self.add_members(&live, &new.difference(&old).cloned().collect());
                for region in old.difference(&new) {
                    self.remove_member(after, region)?;
                }
            }
            live = with(&live, field, value.clone());
        }
        self.put(&key, Some(live));
        Ok(())
    }

    fn delete(&mut self, address: &Address, before: &Properties, half: bool) -> Result<(), Failure> {
        let key = key(address, &id(before));
        let Some(live) = self.get(&key).cloned() else { return Ok(()) };
        if let Some(user) = self.user_of(&key) {
            return Err(self.complain(format!("{address} is deleted while {user} needs it")));
        }
        match address.kind.as_str() {
            // A member goes with its table; what is deleted is its protection.
            "table_replica" => self.put(&key, Some(with(&live, "deletion_protection", json!(false)))),
            "table" => {
                let home = home(&live);
                for region in regions(&live).into_iter().filter(|region| *region != home) {
                    self.remove_member(&live, &region)?;
                }
                let left = with(&live, "regions", json!([home]));
                self.put(&key, Some(left.clone()));
                if !half {
                    self.remove_member(&left, &home)?;
                    self.put(&key, None);
                }
            }
            _ if half => {}
            _ => self.put(&key, None),
        }
        Ok(())
    }

    fn add_members(&mut self, table: &Properties, new: &BTreeSet<Region>) {
        for region in new {
            let marks = if *region == home(table) { table.get("tags").cloned() } else { None };
            let member = json!({
                "name": id(table), "point_in_time_recovery": false, "deletion_protection": false,
                "tags": marks.unwrap_or_else(|| json!({})),
            });
            self.put(&member_key(region, table), Some(Properties::of(&member)));
        }
    }

    fn remove_member(&mut self, table: &Properties, region: &Region) -> Result<(), Failure> {
        let key = member_key(region, table);
        if self.get(&key).is_some_and(|member| member.get("deletion_protection") == Some(&json!(true))) {
            return Err(self.complain(format!("{} goes while its deletion protection is on", id(table))));
        }
        self.put(&key, None);
        Ok(())
    }

    /// Nothing is made or changed before what it needs is there.
    fn check_needs(&mut self, address: &Address, after: &Properties) -> Result<(), Failure> {
        if let Some(reference) = after.references().first() {
            return Err(self.complain(format!("{address} begins before {reference} is known")));
        }
        let place = address.place.clone();
        let needs = match address.kind.as_str() {
            "function" => {
                let role = after.text("role").unwrap_or_default().rsplit(':').next().unwrap_or_default();
                let group = format!("/aws/lambda/{}", id(after));
                vec![(Place::Global, "role".to_owned(), role.to_owned()), (place, "log_group".to_owned(), group)]
            }
            "function_url" => vec![(place, "function".to_owned(), id(after).to_owned())],
            _ => Vec::new(),
        };
        match needs.into_iter().find(|need| self.get(need).is_none()) {
            Some((place, kind, id)) => {
                Err(self.complain(format!("{address} begins before {place}/{kind}:{id} is there")))
            }
            None => Ok(()),
        }
    }

    /// Something that still needs a thing.
    fn user_of(&self, key: &Key) -> Option<String> {
        let (place, kind, id) = key;
        let in_use = |(other, their_kind, their_id): &Key, user: &Properties| match (kind.as_str(), their_kind.as_str())
        {
            ("role", "function") => user.text("role") == attributes(key).get("arn").map(String::as_str),
            ("log_group", "function") => other == place && *id == format!("/aws/lambda/{their_id}"),
            ("function", "function_url") => (other, their_id) == (place, id),
            ("zone", "record") => user.text("zone") == Some(id),
            ("health_check", "record") => user.get("sets").is_some_and(|sets| sets.to_string().contains(id)),
            _ => false,
        };
        let user = self.things.keys().find(|other| self.get(other).is_some_and(|user| in_use(other, user)));
        user.map(|(place, kind, id)| format!("{place}/{kind}:{id}"))
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

    async fn pause(&self, duration: Duration) {
        self.alive().await;
        self.world().now += duration;
        yield_now().await;
    }
}

fn meta<'a>(kinds: &'a [Meta], address: &Address) -> &'a Meta {
    kinds.iter().find(|meta| meta.kind == address.kind).expect("every address of a test has a kind")
}

fn key(address: &Address, id: &str) -> Key {
    (address.place.clone(), address.kind.clone(), id.to_owned())
}

fn member_key(region: &Region, table: &Properties) -> Key {
    (Place::Region(region.clone()), "table_replica".into(), id(table).to_owned())
}

/// What AWS would know a thing by.
fn id(properties: &Properties) -> String {
    properties.text("id").map_or_else(|| made_id(properties, 0), str::to_owned)
}

/// The address of a record in a zone that drctl made, told by where it is.
fn record(properties: &Properties) -> Option<Address> {
    let zone = properties.text("zone_name").filter(|_| properties.text("zone").is_some())?;
    let short = properties.text("name")?.strip_suffix(zone)?.strip_suffix('.')?;
    Some(Address::global("record", short))
}

/// What AWS makes of what is wanted: a name, or an id of its own for each caller reference.
fn made_id(properties: &Properties, generation: usize) -> String {
    if let Some(reference) = properties.text("reference") {
        return format!("{reference}/{generation}");
    }
    if let (Some(zone), Some(name)) = (properties.text("zone_name"), properties.text("name")) {
        let whose = if properties.get("zone").is_some_and(|zone| !zone.is_null()) { "own" } else { "existing" };
        return format!("{whose}/{zone}/{name}");
    }
    if let (Some(topic), Some(address)) = (properties.text("topic"), properties.text("endpoint")) {
        return format!("{topic}:{}:{address}", properties.text("protocol").unwrap_or_default());
    }
    let name = ["name", "function", "bucket"].iter().find_map(|field| properties.text(field));
    name.expect("every kind has a name").to_owned()
}

/// The properties as they are read back: with the id that AWS gave, if it gives one.
fn identified(properties: &Properties, id: &str) -> Properties {
    if properties.text("reference").is_some() { with(properties, "id", json!(id)) } else { properties.clone() }
}

fn attributes((place, kind, id): &Key) -> Attributes {
    let arn = format!("arn:fake:{place}:{kind}:{id}");
    Attributes::from([
        ("name".into(), id.clone()),
        ("id".into(), id.clone()),
        ("host".into(), format!("{id}.{place}")),
        ("url".into(), format!("https://{id}.{place}")),
        ("arn".into(), arn),
    ])
}

fn tags(properties: &Properties) -> Option<Tags> {
    serde_json::from_value(properties.get("tags")?.clone()).ok()
}

fn home(table: &Properties) -> Region {
    Region::new(table.text("home").expect("a table has a home"))
}

fn regions(table: &Properties) -> BTreeSet<Region> {
    serde_json::from_value(table.get("regions").cloned().unwrap_or_default()).expect("a table is in regions")
}

/// What is there when a creation of several calls stops after the first.
fn half_of(kind: &str, whole: &Properties) -> Properties {
    match kind {
        "table" => with(&with(whole, "regions", json!([home(whole)])), "ttl", Value::Null),
        "role" => with(whole, "policies", json!({})),
        "log_group" => with(whole, "retention_days", Value::Null),
        "function" => with(whole, "reserved_concurrency", Value::Null),
        "function_url" => with(whole, "permissions", json!({})),
        "table_replica" => with(whole, "deletion_protection", json!(false)),
        "zone" | "health_check" => with(whole, "tags", json!({})),
        _ => whole.clone(),
    }
}
