//! The KMS calls behind [`Key`].
//!
//! KMS makes another key each time it is asked. So a creation looks first, by the alias and then by the marks, for one
//! that an earlier run made, and takes that; also one that waits for its deletion.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_kms::Client;
use aws_sdk_kms::config::Builder;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::types::{KeyMetadata, KeyState, MultiRegionConfiguration, Tag};
use futures::try_join;

use super::{Key, Member};
use crate::aws::{Arn, Call, Look, Transient, Wait, given, own, poll, retry};
use crate::graph::{Attributes, Document, Failure, FailureClass, Owner, Region, Tags};
use crate::kinds::{Context, Created, Everywhere, Found, Lifecycle, Seen, TagChange, Target, each};

/// A key just made is not known everywhere for some seconds, and its state is not either.
const SETTLING: &[Transient] =
    &[("NotFoundException", ""), ("KMSInvalidStateException", ""), ("DisabledException", "")];

/// How long that may take.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

/// How often a key is asked for, and how long KMS may take to list one that it made without telling.
const ATTEMPTS: usize = 3;
const LISTED_WITHIN: Duration = Duration::from_secs(10);

/// What the SDK would repeat by itself, and surely has made nothing.
const BUSY: &[Transient] = &[("ThrottlingException", "")];

/// A replica usually takes less than a minute.
const REPLICATED_WITHIN: Duration = Duration::from_secs(300);

/// How the ids of multi-Region keys begin.
const MULTI_REGION: &str = "mrk-";

impl Lifecycle for Key {
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        each(targets, |id| async move { read(cx, &id).await }).await
    }

    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        let before = match self.made_earlier(cx).await? {
            Some(id) => self.restored(cx, id).await?,
            None => self.made(cx).await?,
        };
        Self::update(&before, self, cx).await?;
        let id = known(&before)?;
        Ok(Created { id: id.to_owned(), attributes: attributes(cx, &before.home, id) })
    }

    async fn update(before: &Self, after: &Self, cx: Context<'_>) -> Result<(), Failure> {
        let id = known(before)?;
        // Replicas are made from home, which has to be in order for that.
        let (mut regions, others): (Vec<_>, Vec<_>) = after.members.iter().partition(|(at, _)| **at == before.home);
        regions.extend(others);
        for (region, wanted) in regions {
            let here = Here { cx, kms: &cx.region(region)?.kms, region, id };
            let is = match (before.members.get(region), before.policies.get(region)) {
                (Some(member), Some(policy)) => {
                    Part { tags: tags_here(&before.tags, &member.tags), policy: policy.clone(), member: member.clone() }
                }
                _ => here.join(&before.home, after).await?,
            };
            // The marks come first: a caller may have the right to do the rest to marked keys only.
            here.tag(&is.tags, &after.tags).await?;
            if let Some(wanted) = after.policies.get(region).filter(|wanted| **wanted != is.policy) {
                here.put_policy(wanted).await?;
            }
            here.settle(&is.member, wanted, &after.alias).await?;
        }
        if after.rotation && !before.rotation {
            put_rotation(cx, &before.home, id).await?;
        }
        for region in before.members.keys().filter(|region| !after.members.contains_key(*region)) {
            schedule_deletion(cx, region, id).await?;
        }
        Ok(())
    }

    /// Replicas first: KMS deletes no key that has any.
    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        let id = known(self)?;
        for region in self.members.keys().filter(|region| **region != self.home) {
            schedule_deletion(cx, region, id).await?;
        }
        schedule_deletion(cx, &self.home, id).await
    }

    fn id_in(arn: &Arn<'_>) -> Option<String> {
        (arn.service == "kms").then(|| arn.resource.strip_prefix("key/").map(str::to_owned)).flatten()
    }
}

impl Key {
    /// A key that was not there. KMS takes no token by which it could tell a request from its repetition, so what
    /// may have been heard is looked for before it is asked again.
    async fn made(&self, cx: Context<'_>) -> Result<Self, Failure> {
        for _ in 1..ATTEMPTS {
            match self.make(cx).await {
                Err(failure) if may_have_been_heard(&failure) => {
                    if let Some(id) = self.listed(cx).await? {
                        return self.restored(cx, id).await;
                    }
                }
                done => return done,
            }
        }
        self.make(cx).await
    }

    /// Waits for a key that a request made whose answer did not come; `None` if there is none.
    async fn listed(&self, cx: Context<'_>) -> Result<Option<String>, Failure> {
        let wait = Wait { operation: "kms:ListKeys", until: "a key that may have been made", deadline: LISTED_WITHIN };
        let look = || async { Ok(self.made_earlier(cx).await?.map_or_else(|| Look::not_yet("unknown"), Look::Ready)) };
        match poll(wait, cx.progress, look).await {
            Err(failure) if failure.class == FailureClass::Deadline => Ok(None),
            found => found.map(Some),
        }
    }

    /// Makes a key, with one request.
    async fn make(&self, cx: Context<'_>) -> Result<Self, Failure> {
        const CREATE: &str = "kms:CreateKey";
        let (Some(member), Some(policy)) = (self.members.get(&self.home), self.policies.get(&self.home)) else {
            return Err(Failure::malformed("drctl", format!("the key has no part in {}, its home", self.home)));
        };
        let (kms, tags) = (&cx.region(&self.home)?.kms, api_tags(&self.tags)?);
        let create = || async {
            let call = kms.create_key().multi_region(true).description(&member.description).policy(policy.to_text());
            let once = Builder::default().retry_config(RetryConfig::disabled());
            call.set_tags(Some(tags.clone())).customize().config_override(once).send().await.call(CREATE)
        };
        let metadata = retry(cx.within(SETTLED_WITHIN), BUSY, create).await?.key_metadata;
        let metadata = metadata.ok_or_else(|| Failure::malformed(CREATE, "no key in the answer"))?;
        Ok(Self {
            id: Some(given(CREATE, "id", metadata.key_id())?.to_owned()),
            rotation: false,
            members: BTreeMap::from([(self.home.clone(), Member { enabled: true, aliased: false, ..member.clone() })]),
            policies: BTreeMap::from([(self.home.clone(), policy.clone())]),
            ..self.clone()
        })
    }

    /// A key that a run before this one made and did not come to note down, or that waits for its deletion.
    async fn made_earlier(&self, cx: Context<'_>) -> Result<Option<String>, Failure> {
        let Everywhere { seen, dark } = cx.look_everywhere(|region| describe(cx, region, &self.alias)).await?;
        if let Some(failure) = dark {
            return Err(failure);
        }
        if let Some((region, key)) = seen.first() {
            // A key of one Region is not ours, and its policy may keep us from its tags.
            if key.key_id().starts_with(MULTI_REGION) && self.is_ours(cx, region, key.key_id()).await? {
                return Ok(Some(key.key_id().to_owned()));
            }
            let message = format!("{} in {region} leads to {}, which is not this system's", self.alias, key.key_id());
            return Err(Failure::new(FailureClass::Exists, "kms:CreateAlias", message));
        }
        for region in cx.clients.regions.keys() {
            let keys = cx.region(region)?.kms.list_keys().into_paginator().items().send();
            let keys: Vec<_> = keys.collect::<Result<_, _>>().await.call("kms:ListKeys")?;
            for id in keys.iter().filter_map(|key| key.key_id()).filter(|id| id.starts_with(MULTI_REGION)) {
                match self.is_ours(cx, region, id).await {
                    Ok(true) => return Ok(Some(id.to_owned())),
                    Ok(false) => {}
                    // Its policy keeps us out, where ours leaves that to IAM; or it has just gone.
                    Err(failure) if matches!(failure.class, FailureClass::Denied | FailureClass::NotFound) => {}
                    Err(failure) => return Err(failure),
                }
            }
        }
        Ok(None)
    }

    async fn is_ours(&self, cx: Context<'_>, region: &Region, id: &str) -> Result<bool, Failure> {
        let tags = tags(cx, region, id).await?;
        Ok(cx.owner.owns(&tags) && tags.get(Owner::ADDRESS) == self.tags.get(Owner::ADDRESS))
    }

    /// An earlier key as it is once it does not wait for its deletion.
    async fn restored(&self, cx: Context<'_>, id: String) -> Result<Self, Failure> {
        if let Some(found) = read(cx, &id).await? {
            return Ok(found.resource);
        }
        let Everywhere { seen, .. } = cx.look_everywhere(|region| describe(cx, region, &id)).await?;
        let home = seen.first().map(|(_, metadata)| home(metadata)).transpose()?;
        let home = home.ok_or_else(|| Failure::new(FailureClass::NotFound, "kms:DescribeKey", "the key is gone"))?;
        let here = Here { cx, kms: &cx.region(&home)?.kms, region: &home, id: &id };
        let Part { member, policy, tags } = here.restore().await?;
        Ok(Self {
            rotation: rotation(cx, &home, &id).await?,
            members: BTreeMap::from([(home.clone(), member)]),
            policies: BTreeMap::from([(home.clone(), policy)]),
            tags,
            id: Some(id),
            home,
            ..self.clone()
        })
    }
}

/// What a region has of the key for itself, with all its tags.
struct Part {
    member: Member,
    policy: Document,
    tags: Tags,
}

/// The key in one region.
#[derive(Clone, Copy)]
struct Here<'a> {
    cx: Context<'a>,
    kms: &'a Client,
    region: &'a Region,
    id: &'a str,
}

impl Here<'_> {
    /// Makes the key's replica here, or takes back the deletion of one that waits for it; says what it is then.
    async fn join(&self, home: &Region, wanted: &Key) -> Result<Part, Failure> {
        if describe(self.cx, self.region, self.id).await?.is_some_and(|key| is_pending(&key)) {
            return self.restore().await;
        }
        let description = wanted.members.get(self.region).map(|member| member.description.clone());
        let policy = wanted.policies.get(self.region).map(Document::to_text);
        let replicate = || async {
            let call = self.cx.region(home)?.kms.replicate_key().key_id(self.id).replica_region(self.region.as_str());
            let call = call.set_description(description.clone()).set_policy(policy.clone());
            call.set_tags(Some(api_tags(&wanted.tags)?)).send().await.call("kms:ReplicateKey")
        };
        match retry(self.cx.within(SETTLED_WITHIN), SETTLING, replicate).await {
            // An earlier call made it, and its answer was lost.
            Err(failure) if failure.class == FailureClass::Exists => {}
            other => drop(other?),
        }
        self.usable().await
    }

    /// Takes the deletion back; a key that comes back is disabled.
    async fn restore(&self) -> Result<Part, Failure> {
        let cancel = self.kms.cancel_key_deletion().key_id(self.id);
        cancel.send().await.call("kms:CancelKeyDeletion")?;
        self.usable().await
    }

    /// Waits until the key is there and not about to go.
    async fn usable(&self) -> Result<Part, Failure> {
        let until = format!("the key to be there in {}", self.region);
        let wait = Wait { operation: "kms:DescribeKey", until: &until, deadline: self.cx.within(REPLICATED_WITHIN) };
        poll(wait, self.cx.progress, || async {
            let Some(key) = describe(self.cx, self.region, self.id).await? else { return Ok(Look::not_yet("unknown")) };
            match key.key_state() {
                Some(state @ KeyState::Creating) => Ok(Look::not_yet(state)),
                Some(state) if is_pending(&key) => Ok(Look::not_yet(state)),
                _ => self.part(&key).await.map(Look::Ready),
            }
        })
        .await
    }

    /// What the key is here, and who may use it.
    async fn part(&self, key: &KeyMetadata) -> Result<Part, Failure> {
        let (policy, aliases, tags) = try_join!(self.policy(), self.aliases(), tags(self.cx, self.region, self.id))?;
        let member = Member {
            enabled: key.key_state() != Some(&KeyState::Disabled),
            aliased: aliases.contains(&Key::alias(&self.cx.owner.system, &self.cx.owner.suffix)),
            description: key.description().unwrap_or_default().to_owned(),
            tags: Tags::new(),
        };
        Ok(Part { member, policy, tags })
    }

    async fn policy(&self) -> Result<Document, Failure> {
        const GET: &str = "kms:GetKeyPolicy";
        let answer = self.kms.get_key_policy().key_id(self.id).send().await.call(GET)?;
        let text = answer.policy.ok_or_else(|| Failure::malformed(GET, "no policy in the answer"))?;
        Document::parse(&text).map_err(|error| Failure::malformed(GET, format!("the policy is not JSON: {error}")))
    }

    async fn aliases(&self) -> Result<Vec<String>, Failure> {
        let aliases = self.kms.list_aliases().key_id(self.id).into_paginator().items().send();
        let aliases: Vec<_> = aliases.collect::<Result<_, _>>().await.call("kms:ListAliases")?;
        Ok(aliases.into_iter().filter_map(|alias| alias.alias_name).collect())
    }

    /// Changes what differs between the two.
    async fn settle(&self, is: &Member, wanted: &Member, alias: &str) -> Result<(), Failure> {
        if wanted.enabled && !is.enabled {
            self.kms.enable_key().key_id(self.id).send().await.call("kms:EnableKey")?;
        }
        if is.description != wanted.description {
            let update = self.kms.update_key_description().key_id(self.id).description(&wanted.description);
            update.send().await.call("kms:UpdateKeyDescription")?;
        }
        if is.aliased != wanted.aliased {
            self.put_alias(alias).await?;
        }
        Ok(())
    }

    /// Brings the tags in order. All are sent if one is, because a caller may have the right to give the marks only.
    async fn tag(&self, are: &Tags, wanted: &Tags) -> Result<(), Failure> {
        let TagChange { set, unset } = TagChange::between(are, wanted);
        if !set.is_empty() {
            let tag = self.kms.tag_resource().key_id(self.id).set_tags(Some(api_tags(wanted)?));
            tag.send().await.call("kms:TagResource")?;
        }
        if !unset.is_empty() {
            let untag = self.kms.untag_resource().key_id(self.id).set_tag_keys(Some(unset));
            untag.send().await.call("kms:UntagResource")?;
        }
        Ok(())
    }

    async fn put_policy(&self, policy: &Document) -> Result<(), Failure> {
        let put = self.kms.put_key_policy().key_id(self.id).policy(policy.to_text());
        put.send().await.call("kms:PutKeyPolicy").map(|_| ())
    }

    /// Leads the alias here, also one that was led elsewhere meanwhile.
    async fn put_alias(&self, alias: &str) -> Result<(), Failure> {
        let create = || async {
            let call = self.kms.create_alias().alias_name(alias).target_key_id(self.id);
            call.send().await.call("kms:CreateAlias")
        };
        match retry(self.cx.within(SETTLED_WITHIN), SETTLING, create).await {
            Err(failure) if failure.class == FailureClass::Exists => {
                let update = self.kms.update_alias().alias_name(alias).target_key_id(self.id);
                update.send().await.call("kms:UpdateAlias").map(|_| ())
            }
            other => other.map(|_| ()),
        }
    }
}

/// What all regions together say. A key that waits for its deletion everywhere is not there.
async fn read(cx: Context<'_>, id: &str) -> Result<Option<Found<Key>>, Failure> {
    let look = async |region| {
        let Some(key) = describe(cx, region, id).await?.filter(|key| !is_pending(key)) else { return Ok(None) };
        let part = Here { cx, kms: &cx.region(region)?.kms, region, id }.part(&key).await?;
        Ok(Some((key, part)))
    };
    let Everywhere { seen, dark } = cx.look_everywhere(look).await?;
    let Some((region, (key, first))) = seen.first() else { return dark.map_or(Ok(None), Err) };
    let (home, rotation) = (home(key)?, rotation(cx, region, id).await?);
    let at_home = seen.iter().find(|(region, _)| *region == home).map_or(first, |(_, (_, part))| part);
    let tags = at_home.tags.clone();
    let (mut members, mut policies) = (BTreeMap::new(), BTreeMap::new());
    // Nobody can tell what a dark region has, and nothing is changed meanwhile: it is taken for what drctl makes.
    let hidden = |region: &Region| dark.is_some() || !cx.clients.regions.contains_key(region);
    for region in listed(key)?.into_iter().filter(hidden) {
        policies.insert(region.clone(), Key::policy(&region, &cx.clients.account, &cx.owner.suffix));
        members.insert(region, first.member.clone());
    }
    for (region, (_, part)) in &seen {
        policies.insert(region.clone(), part.policy.clone());
        members.insert(region.clone(), Member { tags: differences(&tags, &part.tags), ..part.member.clone() });
    }
    let (attributes, alias) = (attributes(cx, &home, id), Key::alias(&cx.owner.system, &cx.owner.suffix));
    let resource = Key { id: Some(id.to_owned()), alias, rotation, home, members, policies, tags };
    Ok(Some(Found { resource, attributes }))
}

/// The tags in which a member differs from home, without a value where it lacks one.
fn differences(at_home: &Tags, here: &Tags) -> Tags {
    let differs = |key: &&String| at_home.get(*key) != here.get(*key);
    let keys = at_home.keys().chain(here.keys()).filter(differs);
    keys.map(|key| (key.clone(), here.get(key).cloned().unwrap_or_default())).collect()
}

/// All tags of a member that differs from home in some.
fn tags_here(at_home: &Tags, differences: &Tags) -> Tags {
    let mut tags = at_home.clone();
    tags.extend(differences.clone());
    tags.retain(|key, value| !value.is_empty() || !differences.contains_key(key));
    tags
}

/// A key by its id or its alias.
async fn describe(cx: Context<'_>, region: &Region, id: &str) -> Result<Option<KeyMetadata>, Failure> {
    let answer = cx.region(region)?.kms.describe_key().key_id(id).send().await.found("kms:DescribeKey")?;
    let key = answer.map(|answer| answer.key_metadata.ok_or_else(|| lacks("key"))).transpose()?;
    if let Some(key) = &key {
        given("kms:DescribeKey", "KeyId", key.key_id())?;
        key.key_state().ok_or_else(|| lacks("KeyState"))?;
    }
    Ok(key)
}

fn lacks(what: &str) -> Failure {
    Failure::malformed("kms:DescribeKey", format!("no {what} in the answer"))
}

/// Whether a request that failed like this may have been carried out all the same.
fn may_have_been_heard(failure: &Failure) -> bool {
    failure.class == FailureClass::Unreachable
        || ["DependencyTimeoutException", "InternalFailure", "KMSInternalException"].contains(&failure.code.as_str())
}

fn is_pending(key: &KeyMetadata) -> bool {
    matches!(key.key_state(), Some(KeyState::PendingDeletion | KeyState::PendingReplicaDeletion))
}

fn configuration(key: &KeyMetadata) -> Result<&MultiRegionConfiguration, Failure> {
    key.multi_region_configuration().ok_or_else(|| lacks("MultiRegionConfiguration"))
}

/// Where the replicas are made from.
fn home(key: &KeyMetadata) -> Result<Region, Failure> {
    let region = configuration(key)?.primary_key().and_then(|primary| primary.region());
    region.map(Region::new).ok_or_else(|| lacks("region of the primary key"))
}

/// Every region that has the key, also one that waits for its deletion.
fn listed(key: &KeyMetadata) -> Result<Vec<Region>, Failure> {
    let configuration = configuration(key)?;
    let members = configuration.primary_key().into_iter().chain(configuration.replica_keys());
    Ok(members.filter_map(|member| member.region()).map(Region::new).collect())
}

async fn tags(cx: Context<'_>, region: &Region, id: &str) -> Result<Tags, Failure> {
    let tags = cx.region(region)?.kms.list_resource_tags().key_id(id).into_paginator().items().send();
    let tags: Vec<_> = tags.collect::<Result<_, _>>().await.call("kms:ListResourceTags")?;
    Ok(own(tags.into_iter().map(|tag| (tag.tag_key, tag.tag_value))))
}

async fn rotation(cx: Context<'_>, region: &Region, id: &str) -> Result<bool, Failure> {
    let status = cx.region(region)?.kms.get_key_rotation_status().key_id(id);
    Ok(status.send().await.call("kms:GetKeyRotationStatus")?.key_rotation_enabled())
}

/// Turns rotation on. It is home's, and its replicas follow.
async fn put_rotation(cx: Context<'_>, home: &Region, id: &str) -> Result<(), Failure> {
    let kms = &cx.region(home)?.kms;
    retry(cx.within(SETTLED_WITHIN), SETTLING, || async {
        kms.enable_key_rotation().key_id(id).send().await.call("kms:EnableKeyRotation")
    })
    .await
    .map(|_| ())
}

async fn schedule_deletion(cx: Context<'_>, region: &Region, id: &str) -> Result<(), Failure> {
    let schedule = cx.region(region)?.kms.schedule_key_deletion().key_id(id);
    match schedule.pending_window_in_days(Key::PENDING_DAYS).send().await.gone("kms:ScheduleKeyDeletion") {
        Err(failure) if failure.says("KMSInvalidStateException", "pending") => Ok(()),
        other => other,
    }
}

fn known(key: &Key) -> Result<&str, Failure> {
    key.id.as_deref().ok_or_else(|| Failure::malformed("drctl", "a key without an id"))
}

fn attributes(cx: Context<'_>, home: &Region, id: &str) -> Attributes {
    let arn = |region: &Region| format!("arn:aws:kms:{region}:{}:key/{id}", cx.clients.account);
    let in_regions = cx.clients.regions.keys().map(|region| (Key::arn_in(region), arn(region)));
    let fixed = [("id".into(), id.to_owned()), ("home".into(), home.to_string()), ("arn".into(), arn(home))];
    in_regions.chain(fixed).collect()
}

fn api_tags(tags: &Tags) -> Result<Vec<Tag>, Failure> {
    let tag = |(key, value): (&String, &String)| Tag::builder().tag_key(key).tag_value(value).build();
    tags.iter().map(tag).collect::<Result<_, _>>().map_err(|error| Failure::malformed("kms:TagResource", error))
}

#[cfg(test)]
mod tests;
