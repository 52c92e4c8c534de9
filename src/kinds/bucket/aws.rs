//! The S3 calls behind [`Bucket`].

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::head_bucket::HeadBucketOutput;
use aws_sdk_s3::types::{
    BlockedEncryptionTypes, BucketLifecycleConfiguration, BucketLocationConstraint, BucketVersioningStatus,
    CreateBucketConfiguration, EncryptionType, LifecycleRule as ApiRule, ObjectOwnership, OwnershipControls,
    OwnershipControlsRule, PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, Tag, Tagging, VersioningConfiguration,
};
use futures::try_join;

use super::{Bucket, Encryption, LifecycleRule, PublicAccessBlock, empty};
use crate::aws::{Arn, Call, Transient, given, is_aws, own, retry};
use crate::graph::{Attributes, Document, Failure, FailureClass, Input, Tags};
use crate::kinds::{Context, Created, Found, Lifecycle, Seen, Target, each};

/// A bucket just made may be unknown for seconds; two writes to one bucket may collide.
const SETTLING: &[Transient] = &[("NoSuchBucket", ""), ("OperationAborted", "")];

/// How long that may take.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);

/// Codes by which S3 says that a bucket has no configuration of some sort.
const UNSET: [&str; 6] = [
    "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
    "NoSuchPublicAccessBlockConfiguration",
    "OwnershipControlsNotFoundError",
    "NoSuchTagSet",
];

/// The region whose name S3 does not want to hear when a bucket is made there.
const NAMELESS_REGION: &str = "us-east-1";

impl Lifecycle for Bucket {
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        each(targets, |id| async move { read(cx, &id).await }).await
    }

    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        let regional = cx.regional()?;
        // us-east-1 answers 200 for a bucket that one has already, so that is asked first.
        if head(cx, &self.name).await?.is_some() {
            let message = "a bucket of this name is already there";
            return Err(Failure::new(FailureClass::Exists, "s3:CreateBucket", message));
        }
        let region = regional.region.as_str();
        let location = (region != NAMELESS_REGION).then(|| BucketLocationConstraint::from(region));
        let configuration = CreateBucketConfiguration::builder()
            .set_location_constraint(location)
            .set_tags(Some(api_tags(&self.tags)?))
            .build();
        // The name of a bucket that was deleted is not free at once.
        retry(cx.within(SETTLED_WITHIN), &[("OperationAborted", "")], || async {
            regional
                .s3
                .create_bucket()
                .bucket(&self.name)
                .object_ownership(ObjectOwnership::from(self.ownership.as_str()))
                .create_bucket_configuration(configuration.clone())
                .send()
                .await
                .call("s3:CreateBucket")
        })
        .await?;
        Put { cx, s3: &regional.s3, account: &cx.clients.account, bucket: self }.parts(None).await?;
        Ok(Created { id: self.name.clone(), attributes: attributes(&self.name) })
    }

    async fn update(before: &Self, after: &Self, cx: Context<'_>) -> Result<(), Failure> {
        let put = Put { cx, s3: &cx.regional()?.s3, account: &cx.clients.account, bucket: after };
        put.parts(Some(before)).await?;
        if before.tags != after.tags { put.tags().await } else { Ok(()) }
    }

    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        empty::delete(&cx.regional()?.s3, &cx.clients.account, &self.name, cx.progress).await
    }

    fn id_in(arn: &Arn<'_>) -> Option<String> {
        (arn.service == "s3" && !arn.resource.contains(['/', ':'])).then(|| arn.resource.to_owned())
    }
}

/// The bucket's own answer to whether it is there, and in this region and account.
async fn head(cx: Context<'_>, name: &str) -> Result<Option<HeadBucketOutput>, Failure> {
    let regional = cx.regional()?;
    let call = regional.s3.head_bucket().bucket(name).expected_bucket_owner(&cx.clients.account);
    let head = call.send().await.found("s3:ListBucket").map_err(|failure| elsewhere(cx, failure))?;
    let region = head.as_ref().and_then(|head| head.bucket_region());
    match region {
        Some(region) if region != regional.region.as_str() => {
            let message = format!("a bucket of this name is there in {region}, and names of buckets are global");
            Err(Failure::new(FailureClass::Other, "s3:ListBucket", message))
        }
        _ => Ok(head),
    }
}

/// Says what an answer about a bucket means that is somebody else's, or in another region.
fn elsewhere(cx: Context<'_>, failure: Failure) -> Failure {
    let message = match failure.code.as_str() {
        "MovedPermanently"
        | "PermanentRedirect"
        | "AuthorizationHeaderMalformed"
        | "IllegalLocationConstraintException" => {
            let place = cx.place;
            format!("a bucket of this name is there in another region than {place}, and names of buckets are global")
        }
        _ if failure.class == FailureClass::Denied => {
            "the caller may not ask, or the bucket is another account's: names of buckets are global".to_owned()
        }
        _ => return failure,
    };
    Failure { message, ..failure }
}

async fn read(cx: Context<'_>, name: &str) -> Result<Option<Found<Bucket>>, Failure> {
    let (regional, account) = (cx.regional()?, &cx.clients.account);
    let s3 = &regional.s3;
    // The first answer also tells whether the bucket is there, here and ours: one call less than with HeadBucket.
    let versioning = s3.get_bucket_versioning().bucket(name).expected_bucket_owner(account).send().await;
    let versioning = versioning.found("s3:GetBucketVersioning").map_err(|failure| elsewhere(cx, failure))?;
    let Some(versioning) = versioning else { return Ok(None) };
    let arn = Bucket::arn(name);
    let parts = try_join!(
        encryption(s3, account, name),
        public_access_block(s3, account, name),
        ownership(s3, account, name),
        policy(s3, account, name),
        lifecycle(s3, account, name),
        cx.tags_of(&regional.region, &arn, || tags(s3, account, name)),
    );
    let (encryption, public_access_block, ownership, policy, lifecycle, tags) = match parts {
        Ok(parts) => parts,
        // Deleted between the calls.
        Err(failure) if failure.code == "NoSuchBucket" => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let resource = Bucket {
        name: name.to_owned(),
        versioning: versioning
            .status
            .map_or(Bucket::UNVERSIONED, |status| match status {
                BucketVersioningStatus::Enabled => Bucket::VERSIONED,
                _ => "Suspended",
            })
            .to_owned(),
        encryption,
        public_access_block,
        ownership,
        policy,
        lifecycle,
        tags,
    };
    Ok(Some(Found { resource, attributes: attributes(name) }))
}

/// A configuration, or `None` if the bucket has none of this sort.
fn set<T>(answer: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match answer {
        Err(failure) if UNSET.contains(&failure.code.as_str()) => Ok(None),
        other => other.map(Some),
    }
}

async fn encryption(s3: &Client, account: &str, name: &str) -> Result<Encryption, Failure> {
    let call = s3.get_bucket_encryption().bucket(name).expected_bucket_owner(account);
    // Every bucket is encrypted since 2023, also one that says nothing.
    let plain = Encryption { algorithm: "AES256".into(), key: None, bucket_key: false };
    let Some(answer) = set(call.send().await.call("s3:GetEncryptionConfiguration"))? else { return Ok(plain) };
    let lacks = |what: &str| Failure::malformed("s3:GetEncryptionConfiguration", format!("no {what} in the answer"));
    let rule = answer.server_side_encryption_configuration.and_then(|rules| rules.rules.into_iter().next());
    let rule = rule.ok_or_else(|| lacks("rule"))?;
    let default = rule.apply_server_side_encryption_by_default.ok_or_else(|| lacks("default"))?;
    Ok(Encryption {
        algorithm: given("s3:GetEncryptionConfiguration", "algorithm", default.sse_algorithm.as_str())?.to_owned(),
        key: default.kms_master_key_id.as_deref().map(Input::from),
        bucket_key: rule.bucket_key_enabled.unwrap_or_default(),
    })
}

async fn public_access_block(s3: &Client, account: &str, name: &str) -> Result<PublicAccessBlock, Failure> {
    let call = s3.get_public_access_block().bucket(name).expected_bucket_owner(account);
    let Some(answer) = set(call.send().await.call("s3:GetBucketPublicAccessBlock"))? else {
        return Ok(PublicAccessBlock::NONE);
    };
    let block = answer.public_access_block_configuration;
    let lacks = |what: &str| Failure::malformed("s3:GetBucketPublicAccessBlock", format!("no {what} in the answer"));
    let block = block.ok_or_else(|| lacks("configuration"))?;
    Ok(PublicAccessBlock {
        block_acls: block.block_public_acls.ok_or_else(|| lacks("BlockPublicAcls"))?,
        ignore_acls: block.ignore_public_acls.ok_or_else(|| lacks("IgnorePublicAcls"))?,
        block_policy: block.block_public_policy.ok_or_else(|| lacks("BlockPublicPolicy"))?,
        restrict: block.restrict_public_buckets.ok_or_else(|| lacks("RestrictPublicBuckets"))?,
    })
}

async fn ownership(s3: &Client, account: &str, name: &str) -> Result<String, Failure> {
    let call = s3.get_bucket_ownership_controls().bucket(name).expected_bucket_owner(account);
    let operation = "s3:GetBucketOwnershipControls";
    let Some(answer) = set(call.send().await.call(operation))? else {
        return Ok(ObjectOwnership::ObjectWriter.as_str().to_owned());
    };
    let rule = answer.ownership_controls.and_then(|controls| controls.rules.into_iter().next());
    let ownership = rule.ok_or_else(|| Failure::malformed(operation, "no rule in the answer"))?.object_ownership;
    Ok(given(operation, "ownership", ownership.as_str())?.to_owned())
}

async fn policy(s3: &Client, account: &str, name: &str) -> Result<Option<Document>, Failure> {
    let call = s3.get_bucket_policy().bucket(name).expected_bucket_owner(account);
    let answer = set(call.send().await.call("s3:GetBucketPolicy"))?;
    let text = answer.and_then(|answer| answer.policy).filter(|text| !text.is_empty());
    let parsed = text.map(|text| Document::parse(&text)).transpose();
    parsed.map_err(|error| Failure::malformed("s3:GetBucketPolicy", format!("the policy is not JSON: {error}")))
}

async fn tags(s3: &Client, account: &str, name: &str) -> Result<Tags, Failure> {
    Ok(own(tag_set(s3, account, name).await?.into_iter().map(|tag| (tag.key, tag.value))))
}

async fn tag_set(s3: &Client, account: &str, name: &str) -> Result<Vec<Tag>, Failure> {
    let call = s3.get_bucket_tagging().bucket(name).expected_bucket_owner(account);
    let answer = set(call.send().await.call("s3:GetBucketTagging"))?;
    Ok(answer.map(|answer| answer.tag_set).unwrap_or_default())
}

async fn lifecycle(s3: &Client, account: &str, name: &str) -> Result<BTreeMap<String, LifecycleRule>, Failure> {
    let call = s3.get_bucket_lifecycle_configuration().bucket(name).expected_bucket_owner(account);
    let answer = set(call.send().await.call("s3:GetLifecycleConfiguration"))?;
    let rules = answer.and_then(|answer| answer.rules).unwrap_or_default();
    rules
        .into_iter()
        .map(|rule| {
            let id = rule.id.clone();
            let id = id.ok_or_else(|| Failure::malformed("s3:GetLifecycleConfiguration", "a rule without an id"))?;
            given("s3:GetLifecycleConfiguration", "status of a rule", rule.status.as_str())?;
            Ok((id, LifecycleRule::from(rule)))
        })
        .collect()
}

/// Writes the parts of one bucket, one after the other: S3 refuses two at once.
struct Put<'a> {
    cx: Context<'a>,
    s3: &'a Client,
    account: &'a str,
    bucket: &'a Bucket,
}

impl Put<'_> {
    /// Everything that differs from `before`, or everything there is but the tags.
    async fn parts(&self, before: Option<&Bucket>) -> Result<(), Failure> {
        let bucket = self.bucket;
        if before.is_none_or(|before| before.public_access_block != bucket.public_access_block) {
            self.public_access_block().await?;
        }
        if before.is_none_or(|before| before.ownership != bucket.ownership) {
            self.ownership().await?;
        }
        if before.is_none_or(|before| before.policy != bucket.policy) {
            self.policy().await?;
        }
        if before.is_none_or(|before| before.encryption != bucket.encryption) {
            self.encryption().await?;
        }
        if before.is_none_or(|before| before.versioning != bucket.versioning) {
            self.versioning().await?;
        }
        if before.is_none_or(|before| before.lifecycle != bucket.lifecycle) {
            self.lifecycle().await?;
        }
        Ok(())
    }

    async fn versioning(&self) -> Result<(), Failure> {
        let status = BucketVersioningStatus::from(self.bucket.versioning.as_str());
        let configuration = VersioningConfiguration::builder().status(status).build();
        retry(self.cx.within(SETTLED_WITHIN), SETTLING, || async {
            let call = self.s3.put_bucket_versioning().bucket(&self.bucket.name).expected_bucket_owner(self.account);
            call.versioning_configuration(configuration.clone()).send().await.call("s3:PutBucketVersioning")
        })
        .await
        .map(|_| ())
    }

    async fn encryption(&self) -> Result<(), Failure> {
        let wanted = &self.bucket.encryption;
        let malformed = |error| Failure::malformed("s3:PutEncryptionConfiguration", error);
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::from(wanted.algorithm.as_str()))
            .set_kms_master_key_id(wanted.key.as_ref().map(|key| key.known().to_owned()))
            .build()
            .map_err(malformed)?;
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default)
            .bucket_key_enabled(wanted.bucket_key)
            .blocked_encryption_types(BlockedEncryptionTypes::builder().encryption_type(EncryptionType::SseC).build())
            .build();
        let configuration = ServerSideEncryptionConfiguration::builder().rules(rule).build().map_err(malformed)?;
        retry(self.cx.within(SETTLED_WITHIN), SETTLING, || async {
            let call = self.s3.put_bucket_encryption().bucket(&self.bucket.name).expected_bucket_owner(self.account);
            let call = call.server_side_encryption_configuration(configuration.clone());
            call.send().await.call("s3:PutEncryptionConfiguration")
        })
        .await
        .map(|_| ())
    }

    async fn public_access_block(&self) -> Result<(), Failure> {
        let wanted = &self.bucket.public_access_block;
        let configuration = PublicAccessBlockConfiguration::builder()
            .block_public_acls(wanted.block_acls)
            .ignore_public_acls(wanted.ignore_acls)
            .block_public_policy(wanted.block_policy)
            .restrict_public_buckets(wanted.restrict)
            .build();
        retry(self.cx.within(SETTLED_WITHIN), SETTLING, || async {
            let call = self.s3.put_public_access_block().bucket(&self.bucket.name).expected_bucket_owner(self.account);
            let call = call.public_access_block_configuration(configuration.clone());
            call.send().await.call("s3:PutBucketPublicAccessBlock")
        })
        .await
        .map(|_| ())
    }

    async fn ownership(&self) -> Result<(), Failure> {
        let malformed = |error| Failure::malformed("s3:PutBucketOwnershipControls", error);
        let rule = OwnershipControlsRule::builder()
            .object_ownership(ObjectOwnership::from(self.bucket.ownership.as_str()))
            .build()
            .map_err(malformed)?;
        let controls = OwnershipControls::builder().rules(rule).build().map_err(malformed)?;
        retry(self.cx.within(SETTLED_WITHIN), SETTLING, || async {
            let call =
                self.s3.put_bucket_ownership_controls().bucket(&self.bucket.name).expected_bucket_owner(self.account);
            call.ownership_controls(controls.clone()).send().await.call("s3:PutBucketOwnershipControls")
        })
        .await
        .map(|_| ())
    }

    async fn policy(&self) -> Result<(), Failure> {
        let name = &self.bucket.name;
        // No spec wants a bucket without one, and an adoption leaves a bucket as it is.
        let Some(policy) = &self.bucket.policy else { return Ok(()) };
        retry(self.cx.within(SETTLED_WITHIN), SETTLING, || async {
            let call = self.s3.put_bucket_policy().bucket(name).expected_bucket_owner(self.account);
            call.policy(policy.to_text()).send().await.call("s3:PutBucketPolicy")
        })
        .await
        .map(|_| ())
    }

    async fn lifecycle(&self) -> Result<(), Failure> {
        let name = &self.bucket.name;
        let rules: Vec<ApiRule> =
            self.bucket.lifecycle.iter().map(|(id, rule)| rule.to_api(id)).collect::<Result<_, _>>()?;
        let configuration = BucketLifecycleConfiguration::builder()
            .set_rules(Some(rules))
            .build()
            .map_err(|error| Failure::malformed("s3:PutLifecycleConfiguration", error))?;
        retry(self.cx.within(SETTLED_WITHIN), SETTLING, || async {
            let call = self.s3.put_bucket_lifecycle_configuration().bucket(name).expected_bucket_owner(self.account);
            let call = call.lifecycle_configuration(configuration.clone());
            call.send().await.call("s3:PutLifecycleConfiguration")
        })
        .await
        .map(|_| ())
    }

    /// All tags at once: S3 replaces the whole set, and refuses one that lacks what CloudFormation has put there.
    async fn tags(&self) -> Result<(), Failure> {
        let mut tags = tag_set(self.s3, self.account, &self.bucket.name).await?;
        tags.retain(|tag| is_aws(&tag.key));
        tags.extend(api_tags(&self.bucket.tags)?);
        let tagging = Tagging::builder()
            .set_tag_set(Some(tags))
            .build()
            .map_err(|error| Failure::malformed("s3:PutBucketTagging", error))?;
        retry(self.cx.within(SETTLED_WITHIN), SETTLING, || async {
            let call = self.s3.put_bucket_tagging().bucket(&self.bucket.name).expected_bucket_owner(self.account);
            call.tagging(tagging.clone()).send().await.call("s3:PutBucketTagging")
        })
        .await
        .map(|_| ())
    }
}

fn api_tags(tags: &Tags) -> Result<Vec<Tag>, Failure> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter().map(tag).collect::<Result<_, _>>().map_err(|error| Failure::malformed("s3:PutBucketTagging", error))
}

fn attributes(name: &str) -> Attributes {
    Attributes::from([("name".into(), name.to_owned()), ("arn".into(), Bucket::arn(name))])
}

#[cfg(test)]
mod tests;
