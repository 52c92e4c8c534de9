//! The Secrets Manager calls behind [`Secret`]. None of them reads a value.
//!
//! Everything is written in the home region; replicas follow. `DescribeSecret` tells all, tags
//! included, and a replica answers it like its primary, so any region will do for reading.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types::{ReplicaRegionType, ReplicationStatusType, StatusType, Tag};

use super::Secret;
use crate::aws::{Arn, Call, Look, Transient, Wait, own, poll, retry};
use crate::graph::{Attributes, Failure, FailureClass, Input, Owner, Region, Tags};
use crate::kinds::{Context, Created, Deletion, Everywhere, Found, Lifecycle, Seen, TagChange, Target, each};

/// After a forced deletion the name stays taken for a while. With a recovery window the same words
/// mean "restore it", but then `DescribeSecret` still shows the secret.
const NAME_SETTLING: &[Transient] =
    &[("InvalidRequestException", "scheduled for deletion"), ("InvalidRequestException", "was deleted")];

/// HashiCorp's bound for a name after a forced deletion.
const NAME_FREE_WITHIN: Duration = Duration::from_secs(120);

/// Secrets Manager's own key, as it is called where it is told at all.
const MANAGED_KEY: &str = "alias/aws/secretsmanager";

/// A replica usually takes seconds.
const REPLICATED_WITHIN: Duration = Duration::from_secs(300);

impl Lifecycle for Secret {
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        each(targets, |id| async move { Ok(look(cx, &id).await?.known()?.and_then(Seeing::live)) }).await
    }

    /// A secret of ours that waits for its deletion still has the name: it is restored, with its value.
    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        match look(cx, &self.name).await?.certain()? {
            Some(Seeing { scheduled: true, found }) if ours(&found.resource.tags, &self.tags) => {
                let secrets = &cx.region(&found.resource.home)?.secrets;
                let restore = secrets.restore_secret().secret_id(&self.name);
                restore.send().await.call("secretsmanager:RestoreSecret")?;
                Self::update(&found.resource, self, cx).await?;
                Ok(Created { id: self.name.clone(), attributes: found.attributes })
            }
            Some(Seeing { scheduled, .. }) => {
                let state = if scheduled { " and waits for its deletion" } else { "" };
                let message = format!("a secret named {} already exists{state}", self.name);
                Err(Failure::new(FailureClass::Exists, "secretsmanager:CreateSecret", message))
            }
            None => self.make(cx).await,
        }
    }

    async fn update(before: &Self, after: &Self, cx: Context<'_>) -> Result<(), Failure> {
        let (home, name) = (&before.home, &after.name);
        let secrets = &cx.region(home)?.secrets;
        if before.description != after.description {
            let update = secrets.update_secret().secret_id(name).description(&after.description);
            update.send().await.call("secretsmanager:UpdateSecret")?;
        }
        // A replica's key is all that can be changed where it is.
        // https://docs.aws.amazon.com/secretsmanager/latest/userguide/standalone-secret.html
        let kept = before.regions.intersection(&after.regions);
        for region in kept.filter(|region| before.encryption.get(*region) != after.encryption.get(*region)) {
            // An empty key is `aws/secretsmanager`.
            let key = after.encryption.get(region).map_or("", Input::known);
            let update = cx.region(region)?.secrets.update_secret().secret_id(name).kms_key_id(key);
            update.send().await.call("secretsmanager:UpdateSecret")?;
        }
        let new: BTreeSet<_> = after.regions.difference(&before.regions).filter(|region| *region != home).collect();
        if !new.is_empty() {
            let replicate = secrets.replicate_secret_to_regions().secret_id(name);
            let replicate = replicate.set_add_replica_regions(Some(replicas(new.iter().copied(), after)));
            replicate.send().await.call("secretsmanager:ReplicateSecretToRegions")?;
            replicated(cx, home, name, &new).await?;
        }
        let tags = TagChange::between(&before.tags, &after.tags);
        if !tags.set.is_empty() {
            let tag = secrets.tag_resource().secret_id(name).set_tags(Some(api_tags(&tags.set)));
            tag.send().await.call("secretsmanager:TagResource")?;
        }
        if !tags.unset.is_empty() {
            let untag = secrets.untag_resource().secret_id(name).set_tag_keys(Some(tags.unset));
            untag.send().await.call("secretsmanager:UntagResource")?;
        }
        let old = before.regions.difference(&after.regions).filter(|region| *region != home);
        remove_replicas(cx, home, name, &old.collect()).await
    }

    /// Replicas go at once; the secret itself can be restored for thirty days unless that was declined.
    /// A replica that was made independent of it carries our marks too, and goes the same way.
    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        remove(cx, &self.home, &self.name).await?;
        for region in cx.clients.regions.keys().filter(|region| **region != self.home) {
            let left = describe(cx, region, &self.name).await?;
            let independent = |secret: &DescribeSecretOutput| {
                !is_replica(region, secret) && secret.deleted_date().is_none() && ours(&tags(secret), &self.tags)
            };
            if left.as_ref().is_some_and(independent) {
                remove(cx, region, &self.name).await?;
            }
        }
        Ok(())
    }

    /// `secret:NAME-` and six characters that AWS adds.
    fn id_in(arn: &Arn<'_>) -> Option<String> {
        let name = (arn.service == "secretsmanager").then(|| arn.resource.strip_prefix("secret:")).flatten()?;
        Some(name.get(..name.len().checked_sub(7)?)?.to_owned())
    }
}

impl Secret {
    async fn make(&self, cx: Context<'_>) -> Result<Created, Failure> {
        let secrets = &cx.region(&self.home)?.secrets;
        let others: BTreeSet<_> = self.regions.iter().filter(|region| **region != self.home).collect();
        let create = || async {
            secrets
                .create_secret()
                .name(&self.name)
                .client_request_token(Self::placeholder_version(&self.name))
                .secret_string(Self::PLACEHOLDER)
                .set_kms_key_id(self.encryption.get(&self.home).map(|key| key.known().to_owned()))
                .set_description((!self.description.is_empty()).then(|| self.description.clone()))
                .set_tags(Some(api_tags(&self.tags)))
                .set_add_replica_regions((!others.is_empty()).then(|| replicas(others.iter().copied(), self)))
                .send()
                .await
                .call("secretsmanager:CreateSecret")
        };
        let answer = retry(cx.within(NAME_FREE_WITHIN), NAME_SETTLING, create).await?;
        replicated(cx, &self.home, &self.name, &others).await?;
        let arn =
            answer.arn.ok_or_else(|| Failure::malformed("secretsmanager:CreateSecret", "no ARN in the answer"))?;
        Ok(Created { id: self.name.clone(), attributes: attributes(&self.name, &arn, &self.home) })
    }
}

/// A secret as the regions show it.
struct Seeing {
    /// Whether it only waits for its deletion.
    scheduled: bool,
    found: Found<Secret>,
}

impl Seeing {
    /// What is scheduled for deletion is not there.
    fn live(self) -> Option<Found<Secret>> {
        (!self.scheduled).then_some(self.found)
    }
}

/// What all regions together say.
struct Looked {
    seen: Option<Seeing>,
    /// A dark region, which may hold it too.
    dark: Option<Failure>,
}

impl Looked {
    /// What there is to read: a dark region is made up for by one that answers.
    fn known(self) -> Result<Option<Seeing>, Failure> {
        match (self.seen, self.dark) {
            (None, Some(failure)) => Err(failure),
            (seen, _) => Ok(seen),
        }
    }

    /// What there is to change: that takes an answer from everywhere.
    fn certain(self) -> Result<Option<Seeing>, Failure> {
        self.dark.map_or(Ok(self.seen), Err)
    }
}

/// Looks for a secret in every region at once. Its home is what the answers call primary.
async fn look(cx: Context<'_>, name: &str) -> Result<Looked, Failure> {
    let Everywhere { seen: mut answers, dark } = cx.look_everywhere(|region| describe(cx, region, name)).await?;
    // A replica that was made independent is a primary too: first comes what is not about to go, has replicas, is older.
    answers.sort_by_key(|(region, secret)| {
        let going = secret.deleted_date().is_some();
        let standing = (is_replica(region, secret), going, secret.replication_status().is_empty());
        (standing, secret.created_date().map(aws_smithy_types::DateTime::as_nanos))
    });
    let mut seen = answers.first().map(|(region, secret)| found(name, region, secret)).transpose()?;
    // What a replica says of its key counts, and not what its home remembers.
    if let Some(Seeing { found, .. }) = &mut seen {
        for (region, secret) in answers.iter().filter(|(region, secret)| is_replica(region, secret)) {
            match customers(secret.kms_key_id()) {
                Some(key) => drop(found.resource.encryption.insert((*region).clone(), key)),
                None => drop(found.resource.encryption.remove(region)),
            }
        }
    }
    Ok(Looked { seen, dark })
}

fn is_replica(region: &Region, secret: &DescribeSecretOutput) -> bool {
    secret.primary_region().is_some_and(|primary| primary != region.as_str())
}

fn found(name: &str, region: &Region, secret: &DescribeSecretOutput) -> Result<Seeing, Failure> {
    let arn =
        secret.arn().ok_or_else(|| Failure::malformed("secretsmanager:DescribeSecret", "no ARN in the answer"))?;
    let home = secret.primary_region().map_or_else(|| region.clone(), Region::new);
    let made = secret.replication_status().iter().filter(|replica| replica.status() != Some(&StatusType::Failed));
    let mut regions: BTreeSet<_> = made.filter_map(|replica| replica.region()).map(Region::new).collect();
    regions.extend([home.clone(), region.clone()]);
    let encryption = encryption(&home, region, secret);
    let mut attributes = attributes(name, arn, &home);
    if holds_placeholder(name, secret) {
        attributes.insert("waiting".into(), "set its value with `drctl secret set`".into());
    }
    let resource = Secret {
        name: name.to_owned(),
        description: secret.description().unwrap_or_default().to_owned(),
        home,
        regions,
        encryption,
        tags: tags(secret),
    };
    Ok(Seeing { scheduled: secret.deleted_date().is_some(), found: Found { resource, attributes } })
}

fn holds_placeholder(name: &str, secret: &DescribeSecretOutput) -> bool {
    let stages = secret.version_ids_to_stages().and_then(|versions| versions.get(&Secret::placeholder_version(name)));
    stages.is_some_and(|stages| stages.iter().any(|stage| stage == "AWSCURRENT"))
}

async fn describe(cx: Context<'_>, region: &Region, name: &str) -> Result<Option<DescribeSecretOutput>, Failure> {
    let describe = cx.region(region)?.secrets.describe_secret().secret_id(name);
    describe.send().await.found("secretsmanager:DescribeSecret")
}

/// Waits until every one of these replicas has what the home region has.
async fn replicated(cx: Context<'_>, home: &Region, name: &str, regions: &BTreeSet<&Region>) -> Result<(), Failure> {
    let until = format!("the replica of {name} to be in sync");
    let wait =
        Wait { operation: "secretsmanager:DescribeSecret", until: &until, deadline: cx.within(REPLICATED_WITHIN) };
    poll(wait, cx.progress, || async {
        let secret = describe(cx, home, name).await?;
        let statuses = secret.as_ref().map(|secret| secret.replication_status()).unwrap_or_default();
        for region in regions {
            match statuses.iter().find(|replica| replica.region() == Some(region.as_str())) {
                Some(replica) if replica.status() == Some(&StatusType::InSync) => {}
                Some(replica) if replica.status() == Some(&StatusType::Failed) => {
                    return Err(not_replicated(region, replica));
                }
                other => {
                    let status = other.and_then(ReplicationStatusType::status).map_or("unknown", StatusType::as_str);
                    return Ok(Look::not_yet(status));
                }
            }
        }
        Ok(Look::Ready(()))
    })
    .await
}

/// A replica that failed does not come by itself: most often another secret has the name there.
fn not_replicated(region: &Region, replica: &ReplicationStatusType) -> Failure {
    let reason = replica.status_message().unwrap_or("Secrets Manager says no reason");
    let message = format!("the replica in {region} failed: {reason}");
    Failure::new(FailureClass::Other, "secretsmanager:ReplicateSecretToRegions", message)
}

/// Removes replicas and waits until they are off the list; a secret with replicas cannot be deleted.
async fn remove_replicas(
    cx: Context<'_>,
    home: &Region,
    name: &str,
    regions: &BTreeSet<&Region>,
) -> Result<(), Failure> {
    if regions.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = regions.iter().map(ToString::to_string).collect();
    let remove = cx.region(home)?.secrets.remove_regions_from_replication().secret_id(name);
    let remove = remove.set_remove_replica_regions(Some(names)).send().await;
    remove.gone("secretsmanager:RemoveRegionsFromReplication")?;
    let until = format!("the replica of {name} to be gone");
    let wait =
        Wait { operation: "secretsmanager:DescribeSecret", until: &until, deadline: cx.within(REPLICATED_WITHIN) };
    poll(wait, cx.progress, || async {
        let secret = describe(cx, home, name).await?;
        let statuses = secret.as_ref().map(|secret| secret.replication_status()).unwrap_or_default();
        let left =
            statuses.iter().find(|replica| regions.iter().any(|region| replica.region() == Some(region.as_str())));
        Ok(match left {
            None => Look::Ready(()),
            Some(replica) => Look::not_yet(replica.status().map_or("unknown", StatusType::as_str)),
        })
    })
    .await
}

/// Deletes a secret after its replicas, also those that failed: `DeleteSecret` counts them too.
async fn remove(cx: Context<'_>, home: &Region, name: &str) -> Result<(), Failure> {
    let Some(secret) = describe(cx, home, name).await? else { return Ok(()) };
    let listed = secret.replication_status().iter().filter_map(|replica| replica.region());
    let listed: Vec<_> = listed.map(Region::new).collect();
    remove_replicas(cx, home, name, &listed.iter().collect()).await?;
    let delete = cx.region(home)?.secrets.delete_secret().secret_id(name);
    let delete = match cx.deletion {
        Deletion::Recoverable => delete.recovery_window_in_days(Secret::RECOVERY_DAYS),
        Deletion::Final => delete.force_delete_without_recovery(true),
    };
    match delete.send().await.gone("secretsmanager:DeleteSecret") {
        Err(failure) if failure.says("InvalidRequestException", "already scheduled for deletion") => Ok(()),
        other => other,
    }
}

fn replicas<'a>(regions: impl Iterator<Item = &'a Region>, secret: &Secret) -> Vec<ReplicaRegionType> {
    let replica = |region: &Region| {
        let key = secret.encryption.get(region).map(|key| key.known().to_owned());
        ReplicaRegionType::builder().region(region.as_str()).set_kms_key_id(key).build()
    };
    regions.map(replica).collect()
}

/// The keys by region. A replica tells its own alone: while its home is dark, that one's is taken for the same.
fn encryption(home: &Region, region: &Region, secret: &DescribeSecretOutput) -> BTreeMap<Region, Input> {
    let own = customers(secret.kms_key_id());
    let homes = (region != home).then(|| {
        let key = secret.kms_key_id()?.replacen(region.as_str(), home.as_str(), 1);
        Some((home.clone(), customers(Some(&key))?))
    });
    let others = secret
        .replication_status()
        .iter()
        .filter_map(|replica| Some((Region::new(replica.region()?), customers(replica.kms_key_id())?)));
    others.chain(own.map(|key| (region.clone(), key))).chain(homes.flatten()).collect()
}

/// A key that is not Secrets Manager's own.
fn customers(key: Option<&str>) -> Option<Input> {
    key.filter(|key| !key.ends_with(MANAGED_KEY)).map(Input::from)
}

fn tags(secret: &DescribeSecretOutput) -> Tags {
    let tag = |tag: &Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
    own(secret.tags().iter().filter_map(tag))
}

fn api_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// Whether two sets of tags carry the same system's marks.
fn ours(theirs: &Tags, wanted: &Tags) -> bool {
    [Owner::SYSTEM, Owner::SUFFIX].iter().all(|mark| theirs.get(*mark) == wanted.get(*mark))
}

fn attributes(name: &str, arn: &str, home: &Region) -> Attributes {
    Attributes::from([
        ("name".into(), name.to_owned()),
        ("arn".into(), arn.to_owned()),
        ("home".into(), home.to_string()),
    ])
}

#[cfg(test)]
mod tests;
