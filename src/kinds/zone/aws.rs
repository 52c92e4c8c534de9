//! The Route 53 calls behind [`Zone`], and what its other kinds share.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_route53::types::{ChangeStatus, HostedZone, HostedZoneConfig, RrType, Tag, TagResourceType};
use futures::try_join;

use super::{Zone, domain};
use crate::aws::{Arn, Call, Look, Transient, Wait, given, own, poll, retry};
use crate::graph::{Attributes, Failure, FailureClass, Owner, Region, Resource, Tags};
use crate::kinds::{Context, Created, Found, Lifecycle, Seen, TagChange, Target, each};

/// Route 53 takes one change of a zone at a time, throttles with status 400, and may not know
/// for a moment what was just made.
pub(in crate::kinds) const SETTLING: &[Transient] = &[
    ("PriorRequestNotComplete", ""),
    ("Throttling", ""),
    ("ThrottlingException", ""),
    ("NoSuchHostedZone", ""),
    ("NoSuchHealthCheck", ""),
];

/// For how long these are worth trying again.
const SETTLED_WITHIN: Duration = Duration::from_secs(300);

/// Changes are usually everywhere after a minute; HashiCorp's bound is half an hour.
const IN_SYNC_WITHIN: Duration = Duration::from_secs(1_800);

/// `ChangeTagsForResource` takes this many at once, and a zone or check has no more.
const TAGS_AT_ONCE: usize = 10;

/// The tagging API knows Route 53 in this region only.
const HOME: &str = "us-east-1";

impl Lifecycle for Zone {
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        each(targets, |id| async move { read(cx, &id).await }).await
    }

    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        let id = generated(|generation| self.make(cx, generation), || self.made_earlier(cx)).await?;
        let before = settled(cx, || async { read(cx, &id).await?.ok_or_else(|| unseen(&id)) }).await?;
        Self::update(&before.resource, self, cx).await?;
        Ok(Created { id, attributes: before.attributes })
    }

    async fn update(before: &Self, after: &Self, cx: Context<'_>) -> Result<(), Failure> {
        let id = known(&before.id)?;
        if before.comment != after.comment {
            settled(cx, || async {
                let call = cx.clients.route53.update_hosted_zone_comment().id(id).comment(&after.comment);
                call.send().await.call("route53:UpdateHostedZoneComment")
            })
            .await?;
        }
        change_tags(cx, &TagResourceType::Hostedzone, id, &TagChange::between(&before.tags, &after.tags)).await
    }

    /// Records of others would be lost with the zone: then it stays, and they are named.
    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        let id = known(&self.id)?;
        let left = records(cx, id, &self.name).await?;
        if !left.is_empty() {
            let message = format!(
                "the zone {} is kept: it has records that drctl did not make ({}); delete them and run this again",
                self.name,
                left.into_iter().collect::<Vec<_>>().join(", ")
            );
            let failure = Failure::new(FailureClass::Other, "route53:DeleteHostedZone", message);
            return Err(Failure { code: "HostedZoneNotEmpty".into(), ..failure });
        }
        retry(cx.within(SETTLED_WITHIN), &SETTLING[..3], || async {
            cx.clients.route53.delete_hosted_zone().id(id).send().await.gone("route53:DeleteHostedZone")
        })
        .await
    }

    fn id_in(arn: &Arn<'_>) -> Option<String> {
        (arn.service == "route53").then(|| arn.resource.strip_prefix("hostedzone/").map(str::to_owned)).flatten()
    }

    /// Tags come after the creation; the caller reference comes with it and tells of zones that got no tags.
    async fn list(cx: Context<'_>, owner: &Owner, _known: &BTreeSet<String>) -> Result<Vec<Target>, Failure> {
        let zones = cx.clients.route53.list_hosted_zones().into_paginator().items().send();
        let zones: Vec<_> = zones.collect::<Result<_, _>>().await.call("route53:ListHostedZones")?;
        let ours = zones.iter().filter_map(|zone| {
            let address = owner.referred(zone.caller_reference()).filter(|address| address.kind == Self::KIND)?;
            Some(Target { address, id: bare(zone.id()).to_owned() })
        });
        Ok(ours.collect())
    }

    async fn lookalikes(&self, cx: Context<'_>) -> Result<Vec<String>, Failure> {
        let zones = zones_of(cx, &self.name).await?;
        let by_hand = zones.iter().filter(|zone| !Owner::refers(zone.caller_reference()));
        Ok(by_hand.map(|zone| bare(zone.id()).to_owned()).collect())
    }
}

/// Who has a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kinds) enum Whose {
    /// This system, which made or adopted it.
    Ours,
    /// Another system of drctl's.
    Anothers,
    /// None of drctl's systems.
    Nobodys,
}

/// Whose a zone is: the caller reference tells who made it, the tags who adopted it.
pub(in crate::kinds) async fn whose(cx: Context<'_>, zone: &HostedZone) -> Result<Whose, Failure> {
    let reference = zone.caller_reference();
    if Owner::refers(reference) {
        return Ok(if cx.owner.referred(reference).is_some() { Whose::Ours } else { Whose::Anothers });
    }
    Ok(match tags(cx, &TagResourceType::Hostedzone, bare(zone.id())).await {
        Ok(tags) if cx.owner.owns(&tags) => Whose::Ours,
        Ok(tags) if Owner::named_in(&tags).is_some() => Whose::Anothers,
        Ok(_) => Whose::Nobodys,
        // Deleted between the calls.
        Err(failure) if failure.class == FailureClass::NotFound => Whose::Nobodys,
        Err(failure) => return Err(failure),
    })
}

impl Zone {
    async fn make(&self, cx: Context<'_>, generation: u32) -> Result<String, Failure> {
        let config = HostedZoneConfig::builder().comment(&self.comment).private_zone(false).build();
        let answer = cx
            .clients
            .route53
            .create_hosted_zone()
            .name(&self.name)
            .caller_reference(Owner::generation(&self.reference, generation))
            .hosted_zone_config(config)
            .send()
            .await
            .call("route53:CreateHostedZone")?;
        let id = answer.hosted_zone().map(|zone| bare(zone.id()).to_owned());
        id.ok_or_else(|| Failure::malformed("route53:CreateHostedZone", "no zone in the answer"))
    }

    /// A zone that a run before this one made and did not come to note down.
    async fn made_earlier(&self, cx: Context<'_>) -> Result<Option<String>, Failure> {
        let ours = |zone: &HostedZone| Owner::ungenerated(zone.caller_reference()) == self.reference;
        Ok(zones_of(cx, &self.name).await?.into_iter().find(ours).map(|zone| bare(zone.id()).to_owned()))
    }
}

async fn read(cx: Context<'_>, id: &str) -> Result<Option<Found<Zone>>, Failure> {
    let get = async { cx.clients.route53.get_hosted_zone().id(id).send().await.found("route53:GetHostedZone") };
    let (answer, tags) = match try_join!(get, tags(cx, &TagResourceType::Hostedzone, id)) {
        Ok(both) => both,
        Err(failure) if failure.class == FailureClass::NotFound => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let Some(answer) = answer else { return Ok(None) };
    let missing = |what| Failure::malformed("route53:GetHostedZone", format!("no {what} in the answer"));
    let zone = answer.hosted_zone().ok_or_else(|| missing("zone"))?;
    let servers = answer.delegation_set().ok_or_else(|| missing("delegation set"))?.name_servers();
    let resource = Zone {
        id: Some(id.to_owned()),
        reference: Owner::ungenerated(given("route53:GetHostedZone", "caller reference", zone.caller_reference())?)
            .to_owned(),
        name: domain(given("route53:GetHostedZone", "name", zone.name())?),
        comment: zone.config().and_then(HostedZoneConfig::comment).unwrap_or_default().to_owned(),
        tags,
    };
    let mut servers: Vec<String> = servers.iter().map(|server| domain(server)).collect();
    servers.sort();
    let attributes = Attributes::from([
        ("id".into(), id.to_owned()),
        ("name".into(), resource.name.clone()),
        ("name_servers".into(), servers.join(" ")),
    ]);
    Ok(Some(Found { resource, attributes }))
}

/// The names and types of what is in a zone beside what AWS put there itself.
async fn records(cx: Context<'_>, id: &str, zone: &str) -> Result<BTreeSet<String>, Failure> {
    let answer = cx.clients.route53.list_resource_record_sets().hosted_zone_id(id).send().await;
    let Some(answer) = answer.found("route53:ListResourceRecordSets")? else { return Ok(BTreeSet::new()) };
    // AWS's own come first, so one page says enough.
    let own = |name: &str, kind: &RrType| name == zone && matches!(kind, RrType::Ns | RrType::Soa);
    let sets = answer.resource_record_sets().iter().map(|set| (domain(set.name()), set.r#type()));
    Ok(sets.filter(|(name, kind)| !own(name, kind)).map(|(name, kind)| format!("{name} {kind}")).collect())
}

/// The public zones of exactly this name.
pub(in crate::kinds) async fn zones_of(cx: Context<'_>, name: &str) -> Result<Vec<HostedZone>, Failure> {
    let mut found = Vec::new();
    let mut from = (Some(name.to_owned()), None);
    loop {
        let call = cx.clients.route53.list_hosted_zones_by_name().set_dns_name(from.0).set_hosted_zone_id(from.1);
        let page = call.send().await.call("route53:ListHostedZonesByName")?;
        let public = |zone: &&HostedZone| !zone.config().is_some_and(HostedZoneConfig::private_zone);
        found.extend(page.hosted_zones().iter().filter(public).filter(|zone| domain(zone.name()) == name).cloned());
        // Zones come in the order of their names.
        if !page.is_truncated() || page.next_dns_name().is_none_or(|next| domain(next) != name) {
            return Ok(found);
        }
        from = (page.next_dns_name().map(str::to_owned), page.next_hosted_zone_id().map(str::to_owned));
    }
}

/// The tags of a zone or a health check.
pub(in crate::kinds) async fn tags(cx: Context<'_>, kind: &TagResourceType, id: &str) -> Result<Tags, Failure> {
    let arn = format!("arn:aws:route53:::{kind}/{id}");
    cx.tags_of(&Region::new(HOME), &arn, || async {
        let call = cx.clients.route53.list_tags_for_resource().resource_type(kind.clone()).resource_id(id);
        let answer = call.send().await.call("route53:ListTagsForResource")?;
        let set = answer.resource_tag_set().map(|set| set.tags()).unwrap_or_default();
        let pair = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
        Ok(own(set.iter().filter_map(pair)))
    })
    .await
}

/// Writes tags of a zone or a health check. What goes makes room before what comes.
pub(in crate::kinds) async fn change_tags(
    cx: Context<'_>,
    kind: &TagResourceType,
    id: &str,
    change: &TagChange,
) -> Result<(), Failure> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    let set: Vec<Tag> = change.set.iter().map(tag).collect();
    let removals = change.unset.chunks(TAGS_AT_ONCE).map(|keys| (None, Some(keys.to_vec())));
    let additions = set.chunks(TAGS_AT_ONCE).map(|tags| (Some(tags.to_vec()), None));
    for (add, remove) in removals.chain(additions) {
        settled(cx, || async {
            let call = cx.clients.route53.change_tags_for_resource().resource_type(kind.clone()).resource_id(id);
            let call = call.set_add_tags(add.clone()).set_remove_tag_keys(remove.clone());
            call.send().await.call("route53:ChangeTagsForResource")
        })
        .await?;
    }
    Ok(())
}

/// Makes what Route 53 tells apart by caller references, and returns its id. A reference of what is gone is never
/// taken again, so the generation goes up until one is, unless what has the reference was made by an earlier
/// run, or by this one with its answer lost.
pub(in crate::kinds) async fn generated<M, E>(
    make: impl Fn(u32) -> M,
    made_earlier: impl Fn() -> E,
) -> Result<String, Failure>
where
    M: Future<Output = Result<String, Failure>>,
    E: Future<Output = Result<Option<String>, Failure>>,
{
    let mut generation: u32 = 0;
    loop {
        let taken = match make(generation).await {
            Err(failure) if failure.class == FailureClass::Exists => failure,
            other => return other,
        };
        if let Some(id) = made_earlier().await? {
            return Ok(id);
        }
        generation = match generation.checked_mul(2) {
            Some(doubled) => doubled + 1,
            None => return Err(taken),
        };
    }
}

/// Calls again while Route 53 is busy with this zone, or does not know yet what was just made.
pub(in crate::kinds) async fn settled<T, F>(cx: Context<'_>, call: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    retry(cx.within(SETTLED_WITHIN), SETTLING, call).await
}

/// Waits until all name servers know a change.
pub(in crate::kinds) async fn in_sync(cx: Context<'_>, change: &str) -> Result<(), Failure> {
    let wait = Wait {
        operation: "route53:GetChange",
        until: "all name servers to know the change",
        deadline: cx.within(IN_SYNC_WITHIN),
    };
    poll(wait, cx.progress, || async {
        let answer = cx.clients.route53.get_change().id(change).send().await.call("route53:GetChange")?;
        Ok(match answer.change_info().map(|info| info.status()) {
            Some(ChangeStatus::Insync) => Look::Ready(()),
            other => Look::not_yet(other.map_or("unknown", ChangeStatus::as_str)),
        })
    })
    .await
}

/// An id as AWS returns it, without what it puts before: the SDK takes that off on the way in only.
pub(in crate::kinds) fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// The id of something that was found.
pub(in crate::kinds) fn known(id: &Option<String>) -> Result<&str, Failure> {
    id.as_deref().ok_or_else(|| Failure::malformed("drctl", "what is changed has no id yet"))
}

fn unseen(id: &str) -> Failure {
    let failure = Failure::new(FailureClass::NotFound, "route53:GetHostedZone", format!("{id} was just made"));
    Failure { code: "NoSuchHostedZone".into(), ..failure }
}

#[cfg(test)]
mod tests;
