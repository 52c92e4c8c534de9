//! The Lambda calls behind [`FunctionUrl`].

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_lambda::types::FunctionUrlAuthType;
use futures::try_join;

use super::{FunctionUrl, PUBLIC, SID_PREFIX, alone};
use crate::aws::{Call, Transient, given, retry};
use crate::graph::{Attributes, Document, Failure, FailureClass, Region, Resource};
use crate::kinds::function::Function;
use crate::kinds::{Context, Created, Found, Lifecycle, Seen, Target, each};

/// A function just made may be unknown to the policy calls, and one change runs at a time.
const SETTLING: &[Transient] = &[
    ("ResourceNotFoundException", ""),
    ("ResourceConflictException", "in progress"),
    ("ResourceConflictException", "concurrent update"),
];

/// How long that may take.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);

impl Lifecycle for FunctionUrl {
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        each(targets, |id| async move { read(cx, &id).await }).await
    }

    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        let lambda = &cx.regional()?.lambda;
        let create = || async {
            let call = lambda
                .create_function_url_config()
                .function_name(&self.function)
                .auth_type(FunctionUrlAuthType::from(self.auth.as_str()));
            call.send().await.call("lambda:CreateFunctionUrlConfig")
        };
        let answer = retry(cx.within(SETTLED_WITHIN), SETTLING, create).await?;
        // One after the other: Lambda acknowledges that of two at once it may lose one.
        for permission in self.permissions.keys() {
            add_permission(cx, &self.function, permission).await?;
        }
        Ok(Created { id: self.function.clone(), attributes: attributes(answer.function_url()) })
    }

    async fn update(before: &Self, after: &Self, cx: Context<'_>) -> Result<(), Failure> {
        let lambda = &cx.regional()?.lambda;
        if before.auth != after.auth {
            let update = || async {
                let call = lambda
                    .update_function_url_config()
                    .function_name(&after.function)
                    .auth_type(FunctionUrlAuthType::from(after.auth.as_str()));
                call.send().await.call("lambda:UpdateFunctionUrlConfig")
            };
            retry(cx.within(SETTLED_WITHIN), SETTLING, update).await?;
        }
        // There is no update of a statement: it is removed and added.
        for sid in before
            .permissions
            .iter()
            .filter(|(sid, statement)| after.permissions.get(*sid) != Some(statement))
            .map(|(sid, _)| sid)
        {
            remove_permission(cx, &after.function, sid).await?;
        }
        for sid in after
            .permissions
            .iter()
            .filter(|(sid, statement)| before.permissions.get(*sid) != Some(statement))
            .map(|(sid, _)| sid)
        {
            add_permission(cx, &after.function, sid).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        for sid in self.permissions.keys() {
            remove_permission(cx, &self.function, sid).await?;
        }
        cx.regional()?
            .lambda
            .delete_function_url_config()
            .function_name(&self.function)
            .send()
            .await
            .gone("lambda:DeleteFunctionUrlConfig")
    }

    fn beside(found: &Target, _region: &Region) -> Option<Target> {
        (found.address.kind == Function::KIND)
            .then(|| Target { address: found.address.with_kind(Self::KIND), id: found.id.clone() })
    }
}

async fn read(cx: Context<'_>, function: &str) -> Result<Option<Found<FunctionUrl>>, Failure> {
    let lambda = &cx.regional()?.lambda;
    let url = async {
        lambda.get_function_url_config().function_name(function).send().await.found("lambda:GetFunctionUrlConfig")
    };
    let policy = async { lambda.get_policy().function_name(function).send().await.found("lambda:GetPolicy") };
    let (url, policy) = try_join!(url, policy)?;
    let Some(url) = url else { return Ok(None) };
    let permissions = match policy {
        Some(policy) => permissions(given("lambda:GetPolicy", "policy", policy.policy().unwrap_or_default())?)?,
        None => BTreeMap::new(),
    };
    let auth = given("lambda:GetFunctionUrlConfig", "AuthType", url.auth_type().as_str())?.to_owned();
    let address = given("lambda:GetFunctionUrlConfig", "FunctionUrl", url.function_url())?;
    let resource = FunctionUrl { function: function.to_owned(), auth, permissions };
    Ok(Some(Found { resource, attributes: attributes(address) }))
}

/// The statements of ours; those of others are theirs.
fn permissions(policy: &str) -> Result<BTreeMap<String, Document>, Failure> {
    let policy = Document::parse(policy)
        .map_err(|error| Failure::malformed("lambda:GetPolicy", format!("the policy is not JSON: {error}")))?;
    let ours = policy.statements().iter().filter_map(|statement| {
        let sid = statement.get("Sid")?.as_str()?;
        sid.starts_with(SID_PREFIX).then(|| (sid.to_owned(), alone(statement.clone())))
    });
    Ok(ours.collect())
}

async fn add_permission(cx: Context<'_>, function: &str, sid: &str) -> Result<(), Failure> {
    let lambda = &cx.regional()?.lambda;
    let Some(permission) = PUBLIC.iter().find(|permission| permission.sid() == sid) else {
        return Err(Failure::malformed("lambda:AddPermission", format!("{sid} is no statement of drctl")));
    };
    let add = || async {
        let call = lambda
            .add_permission()
            .function_name(function)
            .statement_id(sid)
            .action(format!("lambda:{}", permission.action))
            .principal("*");
        let call = match permission.condition_operator {
            "Bool" => call.invoked_via_function_url(true),
            _ => call.function_url_auth_type(FunctionUrlAuthType::from(permission.condition_value)),
        };
        call.send().await.call("lambda:AddPermission")
    };
    match retry(cx.within(SETTLED_WITHIN), SETTLING, add).await {
        // An answer was lost after the work was done; the last look tells if it is not as wanted.
        Err(failure) if failure.class == FailureClass::Exists => Ok(()),
        other => other.map(|_| ()),
    }
}

async fn remove_permission(cx: Context<'_>, function: &str, sid: &str) -> Result<(), Failure> {
    let lambda = &cx.regional()?.lambda;
    let busy = &[SETTLING[1], SETTLING[2]];
    retry(cx.within(SETTLED_WITHIN), busy, || async {
        lambda
            .remove_permission()
            .function_name(function)
            .statement_id(sid)
            .send()
            .await
            .gone("lambda:RemovePermission")
    })
    .await
}

fn attributes(url: &str) -> Attributes {
    let host = url.trim_start_matches("https://").trim_end_matches('/');
    Attributes::from([("url".into(), url.to_owned()), ("host".into(), host.to_owned())])
}

#[cfg(test)]
mod tests;
