//! What is in the world, and the rules by which it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Fault, with};
use crate::graph::{Address, Attributes, Failure, FailureClass, Meta, Owner, Place, Properties, Region, Site, Tags};

/// Place, kind and id: what AWS tells things apart by.
pub(super) type Key = (Place, String, String);

/// Every state a thing was in, and since when; `None` while it is not there.
pub(super) type History = Vec<(Duration, Option<Properties>)>;

#[derive(Default)]
pub(super) struct World {
    pub(super) things: BTreeMap<Key, History>,
    pub(super) now: Duration,
    pub(super) mutations: usize,
    pub(super) busy: BTreeSet<Address>,
    pub(super) complaints: Vec<String>,
    pub(super) fault: Option<(usize, Fault)>,
    pub(super) dead: bool,
    pub(super) dark: BTreeSet<Site>,
    /// A place that goes dark with this mutation.
    pub(super) darkens: Option<(usize, Site)>,
}

#[derive(Clone, Copy)]
pub(super) enum Write<'a> {
    Create(&'a Properties),
    Update(&'a Properties, &'a Properties),
    Delete(&'a Properties),
}

impl World {
    pub(super) fn get(&self, key: &Key) -> Option<&Properties> {
        self.things.get(key)?.last()?.1.as_ref()
    }

    pub(super) fn put(&mut self, key: &Key, properties: Option<Properties>) {
        self.things.entry(key.clone()).or_default().push((self.now, properties));
    }

    /// Takes every mark off everything: tags, and caller references where they are used.
    pub(super) fn unmark(&mut self) {
        let others = |text: &str| text.replace("drctl/", "by-hand/");
        for ((place, kind, id), history) in std::mem::take(&mut self.things) {
            let Some((since, Some(properties))) = history.last() else { continue };
            let tree = serde_json::to_string(properties).expect("properties are plain data");
            let mut properties: Properties = serde_json::from_str(&others(&tree)).expect("they still are");
            if let Some(mut tags) = properties.tags() {
                tags.retain(|key, _| !Owner::is_mark(key));
                properties.set("tags", json!(tags));
            }
            self.things.insert((place, kind, others(&id)), vec![(*since, Some(properties))]);
        }
    }

    /// The thing as a read shows it.
    pub(super) fn visible(&self, key: &Key, lag: Duration) -> Option<&Properties> {
        let seen = |since: Duration| since.is_zero() || since + lag <= self.now;
        self.things.get(key)?.iter().rev().find(|(since, _)| seen(*since))?.1.as_ref()
    }

    /// The dark place that a resource of this kind needs.
    pub(super) fn darkness(&self, meta: &Meta, place: &Place) -> Option<Site> {
        match meta.answered_by.site(place) {
            Some(site) => self.dark.get(&site).cloned(),
            None => self.dark.iter().find(|site| matches!(site, Site::Region(_))).cloned(),
        }
    }

    /// Whether a place that is not dark shows something that is in several regions.
    pub(super) fn shows(&self, properties: &Properties) -> bool {
        regions(properties).into_iter().any(|region| !self.dark.contains(&Site::Region(region)))
    }

    pub(super) fn complain(&mut self, what: String) -> Failure {
        self.complaints.push(what.clone());
        Failure::new(FailureClass::Other, "fake:Mutate", what)
    }

    pub(super) fn perform(
        &mut self,
        meta: &Meta,
        address: &Address,
        write: Write<'_>,
        half: bool,
    ) -> Result<(), Failure> {
        match write {
            Write::Create(after) => self.create(meta, address, after, half),
            Write::Update(before, after) => self.update(meta, address, before, after, half),
            Write::Delete(before) => self.delete(address, before, half),
        }
    }

    /// What AWS would know a new thing by. A caller reference again means the thing that it made,
    /// unless that cannot become what is wanted, or is gone.
    pub(super) fn id_of_new(&self, meta: &Meta, address: &Address, after: &Properties) -> String {
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
            // KMS is asked first for a key with these marks.
            "key" => {}
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
        // What is not set may be left out.
        let unset = before.fields().map(|(field, _)| field).filter(|field| after.get(field).is_none());
        let unset: Vec<_> = unset.filter(|field| !half && !meta.at_creation.contains(field)).collect();
        self.put(&key, Some(live.without(&unset)));
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
            ("key", _) => json!(user).to_string().contains(&format!(":key:{id}")),
            ("zone", "record") => user.text("zone") == Some(id),
            ("health_check", "record") => user.get("sets").is_some_and(|sets| sets.to_string().contains(id)),
            _ => false,
        };
        let user = self.things.keys().find(|other| self.get(other).is_some_and(|user| in_use(other, user)));
        user.map(|(place, kind, id)| format!("{place}/{kind}:{id}"))
    }
}

pub(super) fn meta<'a>(kinds: &'a [Meta], address: &Address) -> &'a Meta {
    kinds.iter().find(|meta| meta.kind == address.kind).expect("every address of a test has a kind")
}

pub(super) fn key(address: &Address, id: &str) -> Key {
    (address.place.clone(), address.kind.clone(), id.to_owned())
}

pub(super) fn member_key(region: &Region, table: &Properties) -> Key {
    (Place::Region(region.clone()), "table_replica".into(), id(table).to_owned())
}

/// What AWS would know a thing by.
fn id(properties: &Properties) -> String {
    properties.text("id").map_or_else(|| made_id(properties, 0), str::to_owned)
}

/// The address of a record in a zone that drctl made, told by where it is.
pub(super) fn record(properties: &Properties) -> Option<Address> {
    let zone = properties.text("zone_name").filter(|_| properties.text("zone").is_some())?;
    let short = properties.text("name")?.strip_suffix(zone)?.strip_suffix('.')?;
    Some(Address::global("record", short))
}

/// What AWS makes of what is wanted: a name, or an id of its own for each caller reference.
pub(super) fn made_id(properties: &Properties, generation: usize) -> String {
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
    let name = ["name", "function", "bucket", "alias"].iter().find_map(|field| properties.text(field));
    name.expect("every kind has a name").to_owned()
}

/// The properties as they are read back: with the id that AWS gave, if it gives one.
pub(super) fn identified(properties: &Properties, id: &str) -> Properties {
    if properties.text("reference").is_some() { with(properties, "id", json!(id)) } else { properties.clone() }
}

pub(super) fn attributes((place, kind, id): &Key) -> Attributes {
    let arn = format!("arn:fake:{place}:{kind}:{id}");
    let in_region = |region: &str| (format!("arn.{region}"), format!("arn:fake:{region}:{kind}:{id}"));
    let in_regions = ["us-east-1", "us-west-2", "eu-west-1"].map(in_region).into_iter().filter(|_| kind == "key");
    let everywhere = [
        ("name".into(), id.clone()),
        ("id".into(), id.clone()),
        ("host".into(), format!("{id}.{place}")),
        ("url".into(), format!("https://{id}.{place}")),
        ("arn".into(), arn),
    ];
    everywhere.into_iter().chain(in_regions).collect()
}

pub(super) fn tags(properties: &Properties) -> Option<Tags> {
    serde_json::from_value(properties.get("tags")?.clone()).ok()
}

pub(super) fn home(table: &Properties) -> Region {
    Region::new(table.text("home").expect("a table has a home"))
}

/// Where something is that is in several regions: a list of them, or what it is in each.
fn regions(several: &Properties) -> BTreeSet<Region> {
    match several.get("regions").or_else(|| several.get("members")) {
        Some(Value::Object(members)) => members.keys().map(Region::new).collect(),
        listed => serde_json::from_value(listed.cloned().unwrap_or_default()).expect("a list of regions"),
    }
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
        "key" => with(whole, "rotation", json!(false)),
        "zone" | "health_check" => with(whole, "tags", json!({})),
        _ => whole.clone(),
    }
}
