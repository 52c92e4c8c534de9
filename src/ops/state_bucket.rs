//! The buckets that hold the state: made once, outside of any system, and looked after from then on.

use serde_json::Value;

use crate::aws::Clients;
use crate::desired::StateSection;
use crate::graph::{Address, Document, Failure, FailureClass, Owner, Place, Region, Resource};
use crate::kinds::bucket::{Bucket, PublicAccessBlock};
use crate::kinds::{Artifacts, Context, Deletion, Lifecycle, TagSource, Target};

/// What it took that a state bucket is as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ensured {
    /// It was made.
    Made,
    /// It lacked this.
    Mended(Vec<String>),
    /// Nothing.
    AsItShould,
    /// Nothing: somebody else than drctl made it, and keeps it as safe as drctl would.
    NotMadeByDrctl,
}

/// Why a state bucket is not as it has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Another account has it, or the caller may not look at it.
    Foreign(Failure),
    /// Somebody else than drctl made it, and it lacks this.
    Unprotected(Vec<String>),
    /// It still lacks this, which drctl cannot mend without taking away what somebody has set.
    Unmended(Vec<String>),
    /// S3 failed.
    Failed(Failure),
}

impl From<Failure> for Unfit {
    fn from(failure: Failure) -> Self {
        match failure.class {
            FailureClass::Denied | FailureClass::Exists => Self::Foreign(failure),
            _ => Self::Failed(failure),
        }
    }
}

/// Makes a state bucket, or finishes one that drctl has begun to make; this can be repeated. What somebody else
/// made is left as it is.
pub async fn ensure_state_bucket(clients: &Clients, region: &Region, wanted: &Bucket) -> Result<Ensured, Unfit> {
    let desk = Desk::new(clients, region);
    let Some(found) = desk.find(wanted).await? else {
        wanted.create(desk.context()).await?;
        return Ok(Ensured::Made);
    };
    let lacks = lacks(&found, wanted);
    if found.tags.get(StateSection::MARK) != wanted.tags.get(StateSection::MARK) {
        return if lacks.is_empty() { Ok(Ensured::NotMadeByDrctl) } else { Err(Unfit::Unprotected(lacks)) };
    }
    if lacks.is_empty() {
        return Ok(Ensured::AsItShould);
    }
    let mended = mended(&found, wanted);
    Bucket::update(&found, &mended, desk.context()).await?;
    let left = self::lacks(&mended, wanted);
    if left.is_empty() { Ok(Ensured::Mended(lacks)) } else { Err(Unfit::Unmended(left)) }
}

/// The bucket with what it lacks, and all that somebody else has set as it is: other statements, rules, tags, a key.
fn mended(found: &Bucket, wanted: &Bucket) -> Bucket {
    let mut mended = Bucket {
        versioning: wanted.versioning.clone(),
        public_access_block: wanted.public_access_block.clone(),
        ownership: wanted.ownership.clone(),
        ..found.clone()
    };
    // Somebody may have put the name of a statement on another one, and no name may stand twice.
    let missing: Vec<_> = missing(found, wanted).map(nameless).collect();
    mended.policy = match &found.policy {
        Some(policy) => Some(policy.and(&missing)),
        None => wanted.policy.clone(),
    };
    let others = found.lifecycle.iter().filter(|(id, _)| !wanted.lifecycle.contains_key(*id));
    if !ends_older_versions(found) && others.clone().all(|(_, rule)| rule.is_writable()) {
        mended.lifecycle.extend(wanted.lifecycle.clone());
    }
    mended
}

/// The statements that the bucket's policy has to have, and has not.
fn missing<'a>(found: &Bucket, wanted: &'a Bucket) -> impl Iterator<Item = &'a Value> {
    let has: Vec<Value> = found.policy.iter().flat_map(Document::statements).map(nameless).collect();
    wanted.policy.iter().flat_map(Document::statements).filter(move |statement| !has.contains(&nameless(statement)))
}

fn nameless(statement: &Value) -> Value {
    let mut statement = statement.clone();
    if let Some(parts) = statement.as_object_mut() {
        parts.remove("Sid");
    }
    statement
}

fn ends_older_versions(bucket: &Bucket) -> bool {
    bucket.lifecycle.values().any(|rule| rule.is_for_all() && rule.noncurrent_days.is_some())
}

/// What the protection of a state bucket lacks; `None` if the bucket is not there.
pub async fn state_bucket_lacks(
    clients: &Clients,
    region: &Region,
    wanted: &Bucket,
) -> Result<Option<Vec<String>>, Failure> {
    let found = Desk::new(clients, region).find(wanted).await?;
    Ok(found.map(|found| lacks(&found, wanted)))
}

/// What makes one bucket less safe than the other, in words.
fn lacks(found: &Bucket, wanted: &Bucket) -> Vec<String> {
    let mut lacks = Vec::new();
    if found.versioning != wanted.versioning {
        lacks.push(format!("versioning (it is {})", found.versioning));
    }
    if found.public_access_block != PublicAccessBlock::ALL {
        lacks.push("a block of all public access".to_owned());
    }
    if found.ownership != wanted.ownership {
        lacks.push(format!("objects that are all its owner's (it has {})", found.ownership));
    }
    if missing(found, wanted).next().is_some() {
        lacks.push("the policy that lets in nobody without TLS".to_owned());
    }
    if !ends_older_versions(found) {
        lacks.push("a rule that ends older versions of everything".to_owned());
    }
    for (id, _) in found.lifecycle.iter().filter(|(_, rule)| rule.deletes_current()) {
        lacks.push(format!("objects that stay (the rule {id} deletes them)"));
    }
    lacks
}

/// What the calls of a kind want to know.
struct Desk<'a> {
    clients: &'a Clients,
    place: Place,
    owner: Owner,
    artifacts: Artifacts,
}

impl<'a> Desk<'a> {
    /// State buckets belong to no system.
    fn new(clients: &'a Clients, region: &Region) -> Self {
        let owner = Owner { system: String::new(), environment: String::new(), suffix: String::new() };
        Self { clients, place: Place::Region(region.clone()), owner, artifacts: Artifacts::new() }
    }

    fn context(&self) -> Context<'_> {
        Context {
            clients: self.clients,
            place: &self.place,
            owner: &self.owner,
            tags: TagSource::Strict,
            artifacts: &self.artifacts,
            deletion: Deletion::default(),
            ends: None,
            progress: &|_| {},
        }
    }

    async fn find(&self, wanted: &Bucket) -> Result<Option<Bucket>, Failure> {
        let address = Address { place: self.place.clone(), kind: Bucket::KIND.into(), name: wanted.name.clone() };
        let target = Target { address: address.clone(), id: wanted.name.clone() };
        let seen = Bucket::observe(self.context(), &[target]).await.remove(&address);
        Ok(seen.unwrap_or(Ok(None))?.map(|found| found.resource))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::canned::{Canned, Counter};
    use crate::kinds::bucket::LifecycleRule;
    use crate::tests::SPEC;

    fn wanted() -> Bucket {
        let text = format!("{SPEC}[state]\nbucket = \"drctl-state-acme\"\n");
        let spec = crate::desired::read(std::path::Path::new("spec.toml"), &text).unwrap();
        spec.state.buckets(&spec).remove(0).1
    }

    #[test]
    fn a_bucket_like_drctls_own_lacks_nothing_and_may_have_more() {
        let mut found = wanted();
        found.tags.insert("cost-center".into(), "payments".into());
        found.encryption.algorithm = "aws:kms".into();
        assert_eq!(lacks(&found, &wanted()), [""; 0]);
    }

    /// Why AWS, if it answers like this, is left without the bucket.
    async fn unfit(aws: Canned) -> Unfit {
        let counter = Counter::open();
        counter.offer(aws);
        ensure_state_bucket(&counter.clients, &Region::new("us-east-1"), &wanted()).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_bucket_of_another_account_is_told_from_a_failure() {
        let denied = Canned::default().refusing("GetBucketVersioning", "AccessDenied", "Access Denied");
        let Unfit::Foreign(failure) = unfit(denied).await else { panic!("it is somebody else's") };
        assert!(failure.message.contains("another account's"), "{failure}");

        let absent = Canned::default()
            .refusing("GetBucketVersioning", "NoSuchBucket", "The specified bucket does not exist")
            .refusing("HeadBucket", "NotFound", "Not Found");
        let taken = absent.clone().refusing("CreateBucket", "BucketAlreadyExists", "The name is not available");
        assert!(matches!(unfit(taken).await, Unfit::Foreign(failure) if failure.class == FailureClass::Exists));
        let busy = absent.refusing("CreateBucket", "SlowDown", "Please reduce your request rate.");
        assert!(matches!(unfit(busy).await, Unfit::Failed(failure) if failure.class == FailureClass::Throttled));
    }

    #[test]
    fn whatever_makes_a_bucket_less_safe_is_told() {
        let found = Bucket {
            versioning: Bucket::UNVERSIONED.into(),
            public_access_block: PublicAccessBlock { restrict: false, ..PublicAccessBlock::ALL },
            ownership: "ObjectWriter".into(),
            policy: None,
            lifecycle: [].into(),
            ..wanted()
        };
        let told = lacks(&found, &wanted()).join("\n");
        insta::assert_snapshot!(told, @"
        versioning (it is Off)
        a block of all public access
        objects that are all its owner's (it has ObjectWriter)
        the policy that lets in nobody without TLS
        a rule that ends older versions of everything
        ");
    }

    #[test]
    fn a_rule_for_some_objects_ends_nothing_and_one_that_deletes_the_state_is_told() {
        let cleanup = wanted().lifecycle.into_iter().next().unwrap();
        for some in [
            LifecycleRule { prefix: Some("logs/".into()), ..cleanup.1.clone() },
            LifecycleRule { smaller_than: Some(1_000), ..cleanup.1.clone() },
            LifecycleRule { object_tags: [("a".to_owned(), "b".to_owned())].into(), ..cleanup.1.clone() },
            LifecycleRule { enabled: false, ..cleanup.1.clone() },
        ] {
            let found = Bucket { lifecycle: [("some".to_owned(), some)].into(), ..wanted() };
            assert_eq!(lacks(&found, &wanted()), ["a rule that ends older versions of everything"]);
        }
        let mut found = wanted();
        let expires = LifecycleRule {
            enabled: true,
            foreign: vec!["objects expire after 30 days".into()],
            ..LifecycleRule::default()
        };
        found.lifecycle.insert("tidy".into(), expires);
        assert_eq!(lacks(&found, &wanted()), ["objects that stay (the rule tidy deletes them)"]);
        assert_eq!(mended(&found, &wanted()), found, "that is for whoever made the rule");
    }

    #[test]
    fn mending_takes_away_nothing_that_somebody_has_set() {
        let deny = serde_json::json!({
            "Sid": "OnlyFromTheOffice", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
            "Resource": format!("{}/*", Bucket::arn(&wanted().name)),
            "Condition": { "NotIpAddress": { "aws:SourceIp": "192.0.2.0/24" } },
        });
        let policy = Document::new(serde_json::json!({ "Version": "2012-10-17", "Statement": [deny] }));
        let archive = LifecycleRule { enabled: true, unfinished_upload_days: Some(3), ..LifecycleRule::default() };
        let mut found = Bucket {
            policy: Some(policy.clone()),
            lifecycle: [("uploads".to_owned(), archive.clone())].into(),
            public_access_block: PublicAccessBlock::NONE,
            ..wanted()
        };
        found.encryption.algorithm = "aws:kms".into();
        found.tags.insert("cost-center".into(), "payments".into());
        let after = mended(&found, &wanted());
        assert_eq!(lacks(&after, &wanted()), [""; 0]);
        assert_eq!((&after.encryption, &after.tags), (&found.encryption, &found.tags));
        assert_eq!(after.lifecycle["uploads"], archive);
        assert_eq!(after.lifecycle.len(), 2);
        let statements = after.policy.unwrap();
        assert_eq!(statements.statements().len(), 2);
        assert!(statements.statements().contains(&policy.statements()[0]));

        // A rule that drctl cannot write as it is: to add one would change it.
        let foreign = LifecycleRule { prefix: Some("logs/".into()), ..archive };
        found.lifecycle.insert("uploads".into(), foreign);
        let after = mended(&found, &wanted());
        assert_eq!(after.lifecycle, found.lifecycle);
        assert_eq!(lacks(&after, &wanted()), ["a rule that ends older versions of everything"]);
    }
}
