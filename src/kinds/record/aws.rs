//! The Route 53 calls behind [`Record`].

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, HostedZone, ResourceRecord, ResourceRecordSet, ResourceRecordSetFailover,
    RrType, TagResourceType,
};

use super::{IN_OWN_ZONE, Record, RecordSet};
use crate::aws::{Call, given};
use crate::graph::{Address, Attributes, Failure, FailureClass, Input, Owner, Resource};
use crate::kinds::zone::{Whose, bare, domain, in_sync, settled, tags, whose, zones_of};
use crate::kinds::{Context, Created, Found, Lifecycle, Seen, Target, each};
use crate::plan::Live;

impl Lifecycle for Record {
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        each(targets, |id| async move { read(cx, &id).await }).await
    }

    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        let zone = self.zone_id(cx).await?;
        let sets = self.sets.iter().map(|(identifier, set)| set.to_api(&self.name, identifier));
        let changes: Vec<_> = sets.map(|set| Ok((ChangeAction::Create, set?))).collect::<Result<_, Failure>>()?;
        change(cx, &zone, changes).await?;
        let id = format!("{}/{}/{}", self.whose(), self.zone_name, self.name);
        Ok(Created { id, attributes: attributes(&zone, &self.name) })
    }

    /// Everything in one batch: until it is through, the old answers are given, and then the new ones.
    async fn update(_before: &Self, after: &Self, cx: Context<'_>) -> Result<(), Failure> {
        let zone = after.zone_id(cx).await?;
        let live = sets(cx, &zone, &after.name).await?;
        let wanted: BTreeMap<String, ResourceRecordSet> = after
            .sets
            .iter()
            .map(|(identifier, set)| Ok((identifier.clone(), set.to_api(&after.name, identifier)?)))
            .collect::<Result<_, Failure>>()?;
        change(cx, &zone, between(&live, &wanted)).await
    }

    /// In a zone of drctl's own the whole name goes, and so does one that was adopted and not applied since;
    /// elsewhere only the sets with drctl's mark.
    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        let zone = match self.zone_id(cx).await {
            Ok(zone) => zone,
            Err(failure) if failure.class == FailureClass::NotFound => return Ok(()),
            Err(failure) => return Err(failure),
        };
        let live = sets(cx, &zone, &self.name).await?;
        let whole = self.zone.is_some() || !self.sets.keys().any(|identifier| is_mark(cx, identifier));
        let ours = live.into_iter().filter(|set| whole || is_marked(cx, set));
        change(cx, &zone, ours.map(|set| (ChangeAction::Delete, set)).collect()).await
    }

    /// Nothing tags a record. With neither a spec nor a state that names one, those in drctl's
    /// own zones are looked for: the zone could not go before them.
    async fn list(cx: Context<'_>, owner: &Owner, known: &BTreeSet<String>) -> Result<Vec<Target>, Failure> {
        if known.iter().any(|id| id.starts_with(&format!("{IN_OWN_ZONE}/"))) {
            return Ok(Vec::new());
        }
        let zones = cx.clients.route53.list_hosted_zones().into_paginator().items().send();
        let zones: Vec<_> = zones.collect::<Result<_, _>>().await.call("route53:ListHostedZones")?;
        let mut found = BTreeSet::new();
        for zone in zones.iter().filter(|zone| owner.referred(zone.caller_reference()).is_some()) {
            let call = cx.clients.route53.list_resource_record_sets().hosted_zone_id(zone.id());
            let page = call.send().await.call("route53:ListResourceRecordSets")?;
            let zone = domain(zone.name());
            for set in page.resource_record_sets().iter().filter(|set| is_marked(cx, set)) {
                let name = domain(set.name());
                let Some(short) = name.strip_suffix(&format!(".{zone}")) else { continue };
                let id = format!("{IN_OWN_ZONE}/{zone}/{name}");
                found.insert(Target { address: Address::global(Self::KIND, short), id });
            }
        }
        Ok(found.into_iter().collect())
    }
}

impl Record {
    fn whose(&self) -> &'static str {
        if self.zone.is_some() { IN_OWN_ZONE } else { super::IN_OTHER_ZONE }
    }

    /// The zone's id: known, or that of the only zone of its name.
    async fn zone_id(&self, cx: Context<'_>) -> Result<String, Failure> {
        if let Some(zone) = &self.zone {
            return Ok(zone.known().to_owned());
        }
        let zone = only_other(cx, &self.zone_name, zones_of(cx, &self.zone_name).await?).await?;
        zone.map(|zone| bare(zone.id()).to_owned()).ok_or_else(|| {
            let message = format!(
                "there is no public hosted zone {}; make it, or leave `create-zone` out and drctl does",
                self.zone_name
            );
            Failure::new(FailureClass::NotFound, "route53:ListHostedZonesByName", message)
        })
    }
}

impl RecordSet {
    fn to_api(&self, name: &str, identifier: &str) -> Result<ResourceRecordSet, Failure> {
        let malformed = |error| Failure::malformed("route53:ChangeResourceRecordSets", error);
        let value = ResourceRecord::builder().value(self.value.known()).build().map_err(malformed)?;
        ResourceRecordSet::builder()
            .name(name)
            .r#type(RrType::Cname)
            .set_identifier(identifier)
            .set_ttl(self.ttl)
            .set_weight(self.weight)
            .set_failover(self.failover.as_deref().map(ResourceRecordSetFailover::from))
            .set_health_check_id(self.health_check.as_ref().map(|check| check.known().to_owned()))
            .resource_records(value)
            .build()
            .map_err(malformed)
    }

    fn from_api(set: &ResourceRecordSet) -> Self {
        let values: Vec<String> = set.resource_records().iter().map(|record| domain(record.value())).collect();
        let alias = set.alias_target().map(|alias| format!("alias of {}", domain(alias.dns_name())));
        Self {
            value: Input::Known(alias.unwrap_or_else(|| values.join(" "))),
            ttl: set.ttl(),
            weight: set.weight(),
            failover: set.failover().map(|role| role.as_str().to_owned()),
            health_check: set.health_check_id().map(Input::from),
        }
    }
}

async fn read(cx: Context<'_>, id: &str) -> Result<Option<Found<Record>>, Failure> {
    let unknown = || Failure::malformed("drctl", format!("`{id}` is not the id of a record"));
    let mut parts = id.splitn(3, '/');
    let (Some(place), Some(zone_name), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(unknown());
    };
    let own = place == IN_OWN_ZONE;
    let zones = zones_of(cx, zone_name).await?;
    let zones: Vec<(HostedZone, Whose)> = if own {
        own_or_nobodys(cx, zones).await?
    } else {
        only_other(cx, zone_name, zones).await?.map(|zone| (zone, Whose::Nobodys)).into_iter().collect()
    };
    for (zone, whose) in &zones {
        let zone = given("route53:ListHostedZonesByName", "id of a zone", bare(zone.id()))?;
        let live = sets(cx, zone, name).await?;
        let marked = live.iter().any(|set| is_marked(cx, set));
        // What drctl's sets say in a zone of nobody's is the record there, and not the one in a zone of its own.
        if live.is_empty() || own && marked && *whose == Whose::Nobodys {
            continue;
        }
        let resource = Record {
            zone: own.then(|| Input::from(zone)),
            zone_name: zone_name.to_owned(),
            name: name.to_owned(),
            sets: live.iter().map(found).collect::<Result<_, _>>()?,
        };
        let mut attributes = attributes(zone, name);
        if *whose != Whose::Ours && !marked {
            attributes.insert(Live::UNMARKED.into(), "neither its zone nor a set of it is drctl's".into());
            attributes.extend(anothers(cx, &live).await?.map(|system| (Live::ANOTHERS.into(), system)));
        }
        return Ok(Some(Found { resource, attributes }));
    }
    Ok(None)
}

/// A set by its key, with something to answer.
fn found(set: &ResourceRecordSet) -> Result<(String, RecordSet), Failure> {
    let record = RecordSet::from_api(set);
    given("route53:ListResourceRecordSets", "value of a record", record.value.known())?;
    Ok((key(set), record))
}

/// The zones that this system made or adopted. Without any it is the only one that is nobody's: the name may
/// be answered there, and a zone made beside it would not be asked.
async fn own_or_nobodys(cx: Context<'_>, zones: Vec<HostedZone>) -> Result<Vec<(HostedZone, Whose)>, Failure> {
    let made = |zone: &HostedZone| cx.owner.referred(zone.caller_reference()).is_some();
    let (mut ours, mut nobodys) = (Vec::new(), Vec::new());
    for zone in zones.iter().filter(|zone| made(zone) || !zones.iter().any(made)) {
        match whose(cx, zone).await? {
            Whose::Ours => ours.push((zone.clone(), Whose::Ours)),
            Whose::Anothers => {}
            Whose::Nobodys => nobodys.push((zone.clone(), Whose::Nobodys)),
        }
    }
    Ok(if ours.is_empty() && nobodys.len() == 1 { nobodys } else { ours })
}

/// The zone of this name that is not this system's, if there is one. Of two, nobody could tell which is meant.
async fn only_other(cx: Context<'_>, name: &str, zones: Vec<HostedZone>) -> Result<Option<HostedZone>, Failure> {
    let mut others = Vec::new();
    for zone in zones {
        if whose(cx, &zone).await? != Whose::Ours {
            others.push(zone);
        }
    }
    if others.len() > 1 {
        let ids: Vec<&str> = others.iter().map(|zone| bare(zone.id())).collect();
        let message = format!(
            "there are {} public hosted zones {name} ({}), and drctl made none of them; delete all but one",
            ids.len(),
            ids.join(", ")
        );
        let failure = Failure::new(FailureClass::Other, "route53:ListHostedZonesByName", message);
        return Err(Failure { code: "AmbiguousZone".into(), ..failure });
    }
    Ok(others.pop())
}

/// Whether a set carries drctl's mark.
fn is_marked(cx: Context<'_>, set: &ResourceRecordSet) -> bool {
    is_mark(cx, &key(set))
}

/// Whether an identifier is of drctl's form, `REGION-SUFFIX`, and the suffix this system's. One that only ends like
/// it is of another system's: `us-east-1-prod-001` is not that of suffix `001`.
fn is_mark(cx: Context<'_>, identifier: &str) -> bool {
    let region = identifier.strip_suffix(&cx.owner.suffix).and_then(|rest| rest.strip_suffix('-'));
    region.is_some_and(is_region)
}

/// Whether a text is of the form of a region's name: `us-east-1`, `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else { return false };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && words.contains('-') && words.split('-').all(is_word)
}

/// The system of drctl's that has these sets, which are not this one's: the tags of their health checks tell.
async fn anothers(cx: Context<'_>, sets: &[ResourceRecordSet]) -> Result<Option<String>, Failure> {
    let checks: BTreeSet<&str> = sets.iter().filter_map(ResourceRecordSet::health_check_id).collect();
    for check in checks {
        let tags = match tags(cx, &TagResourceType::Healthcheck, check).await {
            Ok(tags) => tags,
            // A set may outlive its check.
            Err(failure) if failure.class == FailureClass::NotFound => continue,
            Err(failure) => return Err(failure),
        };
        if let Some(system) = Owner::named_in(&tags).filter(|_| !cx.owner.owns(&tags)) {
            return Ok(Some(system));
        }
    }
    Ok(None)
}

/// What tells the sets of a name apart: the identifier. Sets of another type, which may stand there only while
/// none is drctl's, have that before it.
fn key(set: &ResourceRecordSet) -> String {
    let identifier = set.set_identifier().unwrap_or_default();
    match set.r#type() {
        RrType::Cname => identifier.to_owned(),
        other => format!("{other} {identifier}").trim_end().to_owned(),
    }
}

/// The sets of one name as AWS has them, a page at a time; the SDK knows no pages here.
async fn sets(cx: Context<'_>, zone: &str, name: &str) -> Result<Vec<ResourceRecordSet>, Failure> {
    let (mut found, mut from) = (Vec::new(), (name.to_owned(), None, None));
    loop {
        let call = cx.clients.route53.list_resource_record_sets().hosted_zone_id(zone).start_record_name(&from.0);
        let call = call.set_start_record_type(from.1).set_start_record_identifier(from.2);
        let Some(page) = call.send().await.found("route53:ListResourceRecordSets")? else { return Ok(found) };
        let of_it = |set: &&ResourceRecordSet| domain(set.name()) == name;
        found.extend(page.resource_record_sets().iter().filter(of_it).cloned());
        match page.next_record_name() {
            Some(next) if page.is_truncated() && domain(next) == name => {
                let identifier = page.next_record_identifier().map(str::to_owned);
                from = (next.to_owned(), page.next_record_type().cloned(), identifier);
            }
            _ => return Ok(found),
        }
    }
}

/// What leads from some sets to others. Two ways of routing never stand beside each other, not
/// even for a moment: then all that is there goes and all that is wanted comes.
fn between(
    live: &[ResourceRecordSet],
    wanted: &BTreeMap<String, ResourceRecordSet>,
) -> Vec<(ChangeAction, ResourceRecordSet)> {
    let rerouted = live.iter().any(|set| wanted.values().any(|other| routing(set) != routing(other)));
    let stays = |set: &ResourceRecordSet| !rerouted && wanted.contains_key(&key(set));
    let gone = live.iter().filter(|set| !stays(set)).map(|set| (ChangeAction::Delete, set.clone()));
    let made = wanted.iter().filter_map(|(name, set)| match live.iter().find(|live| !rerouted && key(live) == *name) {
        None => Some((ChangeAction::Create, set.clone())),
        Some(live) if RecordSet::from_api(live) == RecordSet::from_api(set) => None,
        Some(_) => Some((ChangeAction::Upsert, set.clone())),
    });
    gone.chain(made).collect()
}

/// By what Route 53 chooses among the sets of a name.
fn routing(set: &ResourceRecordSet) -> &'static str {
    match (set.weight(), set.failover()) {
        (Some(_), _) => "weighted",
        (_, Some(_)) => "failover",
        _ => "other",
    }
}

/// Sends one batch and waits until all name servers know it. A batch that was done although its
/// answer was lost is refused when it is sent again: the executor then looks.
async fn change(cx: Context<'_>, zone: &str, changes: Vec<(ChangeAction, ResourceRecordSet)>) -> Result<(), Failure> {
    let malformed = |error| Failure::malformed("route53:ChangeResourceRecordSets", error);
    if changes.is_empty() {
        return Ok(());
    }
    let entry = |(action, set)| Change::builder().action(action).resource_record_set(set).build();
    let entries = changes.into_iter().map(entry).collect::<Result<Vec<_>, _>>().map_err(malformed)?;
    let batch = ChangeBatch::builder().set_changes(Some(entries)).build().map_err(malformed)?;
    let answer = settled(cx, || async {
        let call = cx.clients.route53.change_resource_record_sets().hosted_zone_id(zone).change_batch(batch.clone());
        call.send().await.call("route53:ChangeResourceRecordSets")
    })
    .await?;
    match answer.change_info() {
        Some(info) => in_sync(cx, bare(info.id())).await,
        None => Err(Failure::malformed("route53:ChangeResourceRecordSets", "no change in the answer")),
    }
}

fn attributes(zone: &str, name: &str) -> Attributes {
    Attributes::from([("zone".into(), zone.to_owned()), ("name".into(), name.to_owned())])
}

#[cfg(test)]
mod tests;
