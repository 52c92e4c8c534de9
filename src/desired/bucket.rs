//! `[bucket.NAME]`: a bucket in each region, copied to each other or one way.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Scope, Spec, scope::suffixed};
use crate::graph::{Address, Document, Region, Resource};
use crate::kinds::bucket::{Bucket, Encryption, LifecycleRule, PublicAccessBlock, Transition};
use crate::kinds::bucket_replication::{BucketReplication, ReplicationRule};
use crate::kinds::role::Role;
use crate::spec::{At, Days, Problem, Problems, Size, Spanned, TableReader};

/// `[bucket.NAME]`
#[derive(Debug)]
pub struct BucketSection {
    replication: Replication,
    transitions: Vec<Transition>,
    /// Bytes below which an object is not worth moving.
    minimum_size: u64,
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replication {
    TwoWay,
    ToSecondary,
}

/// The storage classes that objects can be moved to. S3 moves them down this list and never up.
const CLASSES: [&str; 6] =
    ["STANDARD_IA", "INTELLIGENT_TIERING", "ONEZONE_IA", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"];

/// Classes that take objects of 30 days and older only.
const FROM_30_DAYS: [&str; 2] = ["STANDARD_IA", "ONEZONE_IA"];

/// What S3 does by itself, and what smaller objects would cost more than they save.
const DEFAULT_MINIMUM_SIZE: u64 = 128 << 10;

/// Days that what was overwritten or deleted can be brought back.
const NONCURRENT_DAYS: i32 = 90;

/// Days after which an upload counts as given up.
const UNFINISHED_UPLOAD_DAYS: i32 = 7;

/// S3 takes names of at most so many characters.
pub(super) const LONGEST_NAME: usize = 63;

impl BucketSection {
    pub(super) fn read(mut reader: TableReader<'_>) -> Option<Self> {
        let at = reader.at();
        let replication = reader
            .choice("replication", &[("two-way", Replication::TwoWay), ("to-secondary", Replication::ToSecondary)]);
        let transitions = lifecycle(&mut reader);
        let minimum_size = reader.optional::<Size>("minimum-size");
        let (minimum_size, too_large) = match minimum_size {
            Some(size) => (size.0, (size.0 > LARGEST).then_some(size.at)),
            None => (DEFAULT_MINIMUM_SIZE, None),
        };
        if let Some(at) = too_large {
            reader.problems().push(
                Problem::new("range", at, "`minimum-size` is more than the largest object of S3")
                    .help("write at most \"5120GB\""),
            );
        }
        reader.finish();
        let replication = replication.map_or(Replication::TwoWay, |replication| replication.value);
        Some(Self { replication, transitions, minimum_size, at })
    }

    pub(super) fn check(&self, name: &str, spec: &Spec, problems: &mut Problems) {
        let names = spec.regions().map(|region| aws_name(spec, name, &region));
        let longest = names.iter().max_by_key(|name| name.len()).cloned().unwrap_or_default();
        if longest.len() > LONGEST_NAME {
            let message =
                format!("the bucket would be called `{longest}`: {} characters, and S3 takes 63", longest.len());
            problems.push(Problem::new("length", self.at, message).help("choose a shorter name or suffix"));
        }
        if is_reserved(&longest) {
            let message = format!("the bucket would be called `{longest}`, and S3 keeps names like this for itself");
            problems.push(Problem::new("name", self.at, message).help("choose another name or suffix"));
        }
        let role = role_name(spec, name);
        if role.len() > 64 {
            let message = format!(
                "the bucket's replication role would be called `{role}`: {} characters, and IAM takes 64",
                role.len()
            );
            problems.push(Problem::new("length", self.at, message).help("choose a shorter name or suffix"));
        }
    }

    pub(super) fn emit(&self, name: &str, scope: &mut Scope<'_>) {
        if !self.transitions.is_empty() && self.minimum_size > 1 {
            let size = Size(self.minimum_size);
            scope.warn(format!(
                "objects of `[bucket.{name}]` smaller than {size} stay where they are, whatever `lifecycle` says; a \
                 lower `minimum-size` moves them, too"
            ));
        }
        let directions = self.directions(scope.spec);
        let buckets = scope.regions().map(|region| Address::regional(&region, Bucket::KIND, name));
        for region in scope.regions() {
            let address = Address::regional(&region, Bucket::KIND, name);
            let aws_name = aws_name(scope.spec, name, &region);
            let bucket = Bucket {
                versioning: Bucket::VERSIONED.into(),
                encryption: Encryption::with(scope.key_in(&region)),
                public_access_block: PublicAccessBlock::ALL,
                ownership: Bucket::OWNER_ENFORCED.into(),
                policy: Some(Bucket::tls_only(&aws_name)),
                lifecycle: self.rules(),
                tags: scope.tags(&address),
                name: aws_name,
            };
            let users = scope.key_users(Bucket::KIND, name, &[region]);
            scope.add(address, &bucket, users, self.at);
        }

        let role_address = Address::global(Role::KIND, format!("{name}-replication"));
        let role = self.role(name, &role_address, &directions, scope);
        scope.add(role_address.clone(), &role, [], self.at);

        for (from, to) in directions {
            let rule = ReplicationRule {
                enabled: true,
                priority: 1,
                prefix: None,
                delete_markers: true,
                replica_modifications: self.replication == Replication::TwoWay,
                destination: Bucket::arn(&aws_name(scope.spec, name, &to)),
                kms_key: scope.key_there(&to),
                time_control: Some(ReplicationRule::MINUTES),
                metrics: true,
                foreign: Vec::new(),
            };
            let replication = BucketReplication {
                bucket: aws_name(scope.spec, name, &from),
                role: scope.refer::<Role>(&role_address, "arn"),
                rules: BTreeMap::from([(BucketReplication::rule_id(name, &to), rule)]),
            };
            let address = Address::regional(&from, BucketReplication::KIND, name);
            scope.add(address, &replication, buckets.clone(), self.at);
        }
    }

    /// What has to be there before anything is written in `region`: objects that are older than
    /// the replication are never copied.
    pub(super) fn ready(&self, spec: &Spec, name: &str, region: &Region) -> Address {
        let copied = self.directions(spec).iter().any(|(from, _)| from == region);
        let kind = if copied { BucketReplication::KIND } else { Bucket::KIND };
        Address::regional(region, kind, name)
    }

    /// From where to where objects are copied.
    pub(super) fn directions(&self, spec: &Spec) -> Vec<(Region, Region)> {
        let [primary, secondary] = spec.regions();
        match self.replication {
            Replication::ToSecondary => vec![(primary, secondary)],
            Replication::TwoWay => vec![(primary.clone(), secondary.clone()), (secondary, primary)],
        }
    }

    /// The lifecycle, the same in both buckets: S3 does not copy what it does.
    fn rules(&self) -> BTreeMap<String, LifecycleRule> {
        let transitions = LifecycleRule {
            enabled: true,
            larger_than: Some(i64::try_from(self.minimum_size.saturating_sub(1)).unwrap_or(i64::MAX)),
            transitions: self.transitions.clone(),
            ..LifecycleRule::default()
        };
        let transitions = (!self.transitions.is_empty()).then(|| ("drctl-transitions".to_owned(), transitions));
        [cleanup()].into_iter().chain(transitions).collect()
    }

    /// What S3 copies with: it may read the sources and write the destinations that there are.
    fn role(&self, name: &str, address: &Address, directions: &[(Region, Region)], scope: &Scope<'_>) -> Role {
        let arn = |region: &Region| Bucket::arn(&aws_name(scope.spec, name, region));
        let objects = |region: &Region| format!("{}/*", arn(region));
        let sources: Vec<_> = directions.iter().map(|(from, _)| arn(from)).collect();
        let source_objects: Vec<_> = directions.iter().map(|(from, _)| objects(from)).collect();
        let destination_objects: Vec<_> = directions.iter().map(|(_, to)| objects(to)).collect();
        let mut statements = vec![
            json!({ "Sid": "Source", "Effect": "Allow", "Resource": sources,
              "Action": ["s3:GetReplicationConfiguration", "s3:ListBucket"] }),
            json!({ "Sid": "SourceObjects", "Effect": "Allow", "Resource": source_objects,
              "Action": ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"] }),
            json!({ "Sid": "DestinationObjects", "Effect": "Allow", "Resource": destination_objects,
              "Action": ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"] }),
        ];
        for (from, to) in directions {
            statements.extend(scope.key_statement(from, &["kms:Decrypt"], ["s3"]));
            statements.extend(scope.key_statement(to, &["kms:Encrypt", "kms:GenerateDataKey"], ["s3"]));
        }
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
        let trust = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "s3.amazonaws.com" },
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": { "aws:SourceAccount": scope.account },
                "ArnLike": { "aws:SourceArn": sources },
            },
        }] });
        Role {
            name: role_name(scope.spec, name),
            description: format!("Lets S3 copy the objects of {}", scope.suffixed(name)),
            trust: Document::new(trust),
            policies: BTreeMap::from([(Role::POLICY.to_owned(), Document::new(policy))]),
            attached: Vec::new(),
            tags: scope.tags(address),
        }
    }
}

/// Objects of S3 have at most 5 TB.
const LARGEST: u64 = 5 << 40;

/// The rule that every bucket has: what was overwritten or deleted goes after a while, and so do unfinished uploads.
pub(super) fn cleanup() -> (String, LifecycleRule) {
    let rule = LifecycleRule {
        enabled: true,
        noncurrent_days: Some(NONCURRENT_DAYS),
        unfinished_upload_days: Some(UNFINISHED_UPLOAD_DAYS),
        lone_markers: true,
        ..LifecycleRule::default()
    };
    ("drctl-cleanup".to_owned(), rule)
}

/// Whether S3 keeps names like this for itself.
pub(super) fn is_reserved(name: &str) -> bool {
    ["sthree-", "amzn-s3-demo-"].iter().any(|start| name.starts_with(start))
        || ["-s3alias", "-an"].iter().any(|end| name.ends_with(end))
}

/// What a bucket is called in AWS. Names are global, so each tells its region.
pub(super) fn aws_name(spec: &Spec, name: &str, region: &Region) -> String {
    suffixed(spec, &format!("{name}-{region}"))
}

fn role_name(spec: &Spec, name: &str) -> String {
    suffixed(spec, &format!("{name}-replication"))
}

/// `[{ after = "30d", class = "STANDARD_IA" }, …]`, each later and cheaper than the one before.
fn lifecycle(reader: &mut TableReader<'_>) -> Vec<Transition> {
    let mut found: Vec<Transition> = Vec::new();
    reader.tables("lifecycle", "{ after = \"30d\", class = \"STANDARD_IA\" }", |mut step| {
        let after = step.required::<Days>("after", "\"30d\"");
        let choices = CLASSES.map(|class| (class, class));
        let class = if step.has("class") {
            step.choice("class", &choices)
        } else {
            // Says that it is missing.
            step.required::<String>("class", "\"STANDARD_IA\"");
            None
        };
        if let (Some(after), Some(class)) = (&after, &class)
            && let Some(transition) = transition(after, class, found.last(), step.problems())
        {
            found.push(transition);
        }
        step.finish();
    });
    found
}

fn transition(
    after: &Spanned<Days>,
    class: &Spanned<&'static str>,
    last: Option<&Transition>,
    problems: &mut Problems,
) -> Option<Transition> {
    let days = i32::try_from(after.value.0).unwrap_or(i32::MAX);
    if FROM_30_DAYS.contains(&class.value) && days < 30 {
        let message = format!("{} takes objects after 30 days, not after {days}", class.value);
        problems.push(Problem::new("range", after.at, message).help("write \"30d\" or more"));
        return None;
    }
    let rank = |class: &str| CLASSES.iter().position(|known| *known == class);
    match last {
        Some(last) if days <= last.days => {
            let message = format!("{} after {days} days comes after {} after {}", class.value, last.class, last.days);
            let help = format!("put them in order of time; this one at \"{}d\" or later", last.days + 1);
            problems.push(Problem::new("order", after.at, message).help(help));
            None
        }
        Some(last) if rank(class.value) <= rank(&last.class) => {
            let message = format!("S3 does not move objects from {} to {}", last.class, class.value);
            let help = format!("move them down this list: {}", CLASSES.join(", "));
            problems.push(Problem::new("order", class.at, message).help(help));
            None
        }
        _ => Some(Transition { days, class: class.value.to_owned() }),
    }
}
