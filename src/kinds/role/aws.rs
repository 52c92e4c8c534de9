//! The IAM calls behind [`Role`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_iam::types::{EntityType, RoleDetail, Tag};
use futures::future::try_join_all;
use futures::try_join;

use super::Role;
use crate::aws::{Arn, Call, Transient, given, own, retry};
use crate::graph::{Address, Attributes, Document, Failure, FailureClass, Owner, Tags};
use crate::kinds::{Context, Created, Found, Lifecycle, Seen, TagChange, Target, each};

/// IAM is eventually consistent: a role just made may be unknown for a moment, and
/// two writes to one role may collide.
const SETTLING: &[Transient] =
    &[("NoSuchEntity", ""), ("ConcurrentModification", ""), ("EntityTemporarilyUnmodifiable", "")];

/// How long IAM may take to settle.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);

impl Lifecycle for Role {
    /// Several roles come with one call, unless the caller may not make it: it tells of every role of the account.
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        if let [_, _, ..] = targets {
            match read_all(cx, targets).await {
                Ok(seen) => return seen,
                Err(failure) if failure.class == FailureClass::Denied => {}
                Err(failure) => {
                    return targets.iter().map(|target| (target.address.clone(), Err(failure.clone()))).collect();
                }
            }
        }
        each(targets, |id| async move { read(cx, &id).await }).await
    }

    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        let iam = &cx.clients.iam;
        let answer = iam
            .create_role()
            .role_name(&self.name)
            .description(&self.description)
            .assume_role_policy_document(self.trust.to_text())
            .set_tags(Some(api_tags(&self.tags)?))
            .send()
            .await
            .call("iam:CreateRole")?;
        for (name, policy) in &self.policies {
            put_policy(cx, &self.name, name, policy).await?;
        }
        let arn = answer
            .role
            .map(|role| role.arn)
            .ok_or_else(|| Failure::malformed("iam:CreateRole", "no role in the answer"))?;
        Ok(Created { id: self.name.clone(), attributes: attributes(&arn) })
    }

    async fn update(before: &Self, after: &Self, cx: Context<'_>) -> Result<(), Failure> {
        let (iam, name) = (&cx.clients.iam, &after.name);
        if before.trust != after.trust {
            let put = || async {
                iam.update_assume_role_policy()
                    .role_name(name)
                    .policy_document(after.trust.to_text())
                    .send()
                    .await
                    .call("iam:UpdateAssumeRolePolicy")
            };
            retry(cx.within(SETTLED_WITHIN), SETTLING, put).await?;
        }
        for (policy, document) in
            after.policies.iter().filter(|(policy, document)| before.policies.get(*policy) != Some(document))
        {
            put_policy(cx, name, policy, document).await?;
        }
        for policy in before.policies.keys().filter(|policy| !after.policies.contains_key(*policy)) {
            iam.delete_role_policy().role_name(name).policy_name(policy).send().await.gone("iam:DeleteRolePolicy")?;
        }
        for arn in before.attached.iter().filter(|arn| !after.attached.contains(arn)) {
            iam.detach_role_policy().role_name(name).policy_arn(arn).send().await.gone("iam:DetachRolePolicy")?;
        }
        let tags = TagChange::between(&before.tags, &after.tags);
        if !tags.set.is_empty() {
            iam.tag_role().role_name(name).set_tags(Some(api_tags(&tags.set)?)).send().await.call("iam:TagRole")?;
        }
        if !tags.unset.is_empty() {
            iam.untag_role().role_name(name).set_tag_keys(Some(tags.unset)).send().await.call("iam:UntagRole")?;
        }
        Ok(())
    }

    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        let (iam, name) = (&cx.clients.iam, &self.name);
        for policy in self.policies.keys() {
            iam.delete_role_policy().role_name(name).policy_name(policy).send().await.gone("iam:DeleteRolePolicy")?;
        }
        for arn in &self.attached {
            iam.detach_role_policy().role_name(name).policy_arn(arn).send().await.gone("iam:DetachRolePolicy")?;
        }
        // What was detached a moment ago may still count.
        retry(cx.within(SETTLED_WITHIN), &[("DeleteConflict", ""), ("ConcurrentModification", "")], || async {
            iam.delete_role().role_name(name).send().await.gone("iam:DeleteRole")
        })
        .await
    }

    fn id_in(arn: &Arn<'_>) -> Option<String> {
        (arn.service == "iam").then(|| arn.resource.strip_prefix("role/").map(str::to_owned)).flatten()
    }

    /// The tagging API does not know roles: they are listed, narrowed by the suffix, and asked for their tags.
    async fn list(cx: Context<'_>, owner: &Owner, known: &BTreeSet<String>) -> Result<Vec<Target>, Failure> {
        let mut pages = cx.clients.iam.list_roles().max_items(1_000).into_paginator().items().send();
        let (ending, mut found) = (format!("-{}", owner.suffix), Vec::new());
        while let Some(role) = pages.next().await {
            let name = role.call("iam:ListRoles")?.role_name;
            if !name.ends_with(&ending) || known.contains(&name) {
                continue;
            }
            let Some(role) = get(cx, &name).await? else { continue };
            let tags = tags(role.tags());
            let address = tags.get(Owner::ADDRESS).and_then(|address| address.parse::<Address>().ok());
            if let (true, Some(address)) = (owner.owns(&tags), address) {
                found.push(Target { address, id: name });
            }
        }
        Ok(found)
    }
}

async fn get(cx: Context<'_>, name: &str) -> Result<Option<aws_sdk_iam::types::Role>, Failure> {
    let answer = cx.clients.iam.get_role().role_name(name).send().await.found("iam:GetRole")?;
    Ok(answer.and_then(|answer| answer.role))
}

async fn read_all(cx: Context<'_>, targets: &[Target]) -> Result<Seen<Role>, Failure> {
    let call = cx.clients.iam.get_account_authorization_details().filter(EntityType::Role).max_items(1_000);
    let mut pages = call.into_paginator().send();
    let mut seen = Seen::new();
    while let Some(page) = pages.next().await {
        for role in page.call("iam:GetAccountAuthorizationDetails")?.role_detail_list() {
            for target in targets.iter().filter(|target| role.role_name() == Some(&target.id)) {
                seen.insert(target.address.clone(), found(role).map(Some));
            }
        }
    }
    Ok(seen)
}

fn found(role: &RoleDetail) -> Result<Found<Role>, Failure> {
    let operation = "iam:GetAccountAuthorizationDetails";
    let missing = |what: &str| Failure::malformed(operation, format!("no {what} in the answer"));
    let inline = role.role_policy_list().iter().map(|policy| {
        let name = policy.policy_name().ok_or_else(|| missing("policy name"))?;
        let text = policy.policy_document().ok_or_else(|| missing("policy"))?;
        Ok((name.to_owned(), document(operation, text)?))
    });
    let attached = role.attached_managed_policies().iter().filter_map(|policy| policy.policy_arn().map(str::to_owned));
    let resource = Role {
        name: role.role_name().ok_or_else(|| missing("name"))?.to_owned(),
        description: String::new(),
        trust: document(operation, role.assume_role_policy_document().ok_or_else(|| missing("trust policy"))?)?,
        policies: inline.collect::<Result<_, Failure>>()?,
        attached: attached.collect::<BTreeSet<_>>().into_iter().collect(),
        tags: tags(role.tags()),
    };
    Ok(Found { resource, attributes: attributes(role.arn().ok_or_else(|| missing("ARN"))?) })
}

async fn read(cx: Context<'_>, name: &str) -> Result<Option<Found<Role>>, Failure> {
    let iam = &cx.clients.iam;
    let Some(role) = get(cx, name).await? else { return Ok(None) };
    let inline = async {
        let names: Vec<String> = iam
            .list_role_policies()
            .role_name(name)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .call("iam:ListRolePolicies")?;
        try_join_all(names.into_iter().map(|policy| policy_of(cx, name, policy))).await
    };
    let attached = async {
        iam.list_attached_role_policies()
            .role_name(name)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .call("iam:ListAttachedRolePolicies")
    };
    let (policies, attached) = match try_join!(inline, attached) {
        Ok(both) => both,
        // Deleted between the calls.
        Err(failure) if failure.code == "NoSuchEntity" => return Ok(None),
        Err(failure) => return Err(failure),
    };
    let mut attached: Vec<String> = attached.into_iter().filter_map(|policy| policy.policy_arn).collect();
    attached.sort();
    let trust = role
        .assume_role_policy_document()
        .ok_or_else(|| Failure::malformed("iam:GetRole", "no trust policy in the answer"))?;
    let resource = Role {
        name: name.to_owned(),
        description: role.description().unwrap_or_default().to_owned(),
        trust: document("iam:GetRole", trust)?,
        policies: policies.into_iter().collect::<BTreeMap<_, _>>(),
        attached,
        tags: tags(role.tags()),
    };
    Ok(Some(Found { resource, attributes: attributes(given("iam:GetRole", "ARN", role.arn())?) }))
}

async fn policy_of(cx: Context<'_>, role: &str, policy: String) -> Result<(String, Document), Failure> {
    let answer =
        cx.clients.iam.get_role_policy().role_name(role).policy_name(&policy).send().await.call("iam:GetRolePolicy")?;
    let text = given("iam:GetRolePolicy", "policy", answer.policy_document())?;
    Ok((policy, document("iam:GetRolePolicy", text)?))
}

fn document(operation: &str, text: &str) -> Result<Document, Failure> {
    Document::parse(text).map_err(|error| Failure::malformed(operation, format!("the policy is not JSON: {error}")))
}

async fn put_policy(cx: Context<'_>, role: &str, policy: &str, document: &Document) -> Result<(), Failure> {
    let put = || async {
        cx.clients
            .iam
            .put_role_policy()
            .role_name(role)
            .policy_name(policy)
            .policy_document(document.to_text())
            .send()
            .await
            .call("iam:PutRolePolicy")
    };
    retry(cx.within(SETTLED_WITHIN), SETTLING, put).await.map(|_| ())
}

fn attributes(arn: &str) -> Attributes {
    Attributes::from([("arn".into(), arn.to_owned())])
}

fn tags(tags: &[Tag]) -> Tags {
    own(tags.iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())))
}

fn api_tags(tags: &Tags) -> Result<Vec<Tag>, Failure> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter().map(tag).collect::<Result<_, _>>().map_err(|error| Failure::malformed("iam:TagRole", error))
}

#[cfg(test)]
mod tests;
