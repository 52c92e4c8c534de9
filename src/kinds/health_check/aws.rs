//! The Route 53 calls behind [`HealthCheck`].

use std::collections::BTreeSet;

use aws_sdk_route53::types::{HealthCheck as ApiHealthCheck, HealthCheckConfig, HealthCheckType, TagResourceType};
use futures::{join, try_join};

use super::HealthCheck;
use crate::aws::{Arn, Call, given};
use crate::graph::{Attributes, Failure, FailureClass, Input, Owner, Resource};
use crate::kinds::zone::{change_tags, generated, known, settled, tags};
use crate::kinds::{Context, Created, Found, Lifecycle, Seen, TagChange, TagSource, Target, each};

impl Lifecycle for HealthCheck {
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        each(targets, |id| async move { read(cx, &id).await }).await
    }

    /// The same reference and configuration again return the check that is there. A reference of a check
    /// that is gone, or has another configuration, is refused; one of ours is changed into this one.
    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        let id = generated(|generation| self.make(cx, generation), || self.made_earlier(cx)).await?;
        let before = settled(cx, || async { read(cx, &id).await?.ok_or_else(|| unseen(&id)) }).await?;
        Self::update(&before.resource, self, cx).await?;
        Ok(Created { id, attributes: before.attributes })
    }

    async fn update(before: &Self, after: &Self, cx: Context<'_>) -> Result<(), Failure> {
        let id = known(&before.id)?;
        let same =
            |check: &Self| Self { id: None, reference: String::new(), tags: Default::default(), ..check.clone() };
        if same(before) != same(after) {
            update_config(cx, id, after).await?;
        }
        change_tags(cx, &TagResourceType::Healthcheck, id, &TagChange::between(&before.tags, &after.tags)).await
    }

    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        let id = known(&self.id)?;
        cx.clients.route53.delete_health_check().health_check_id(id).send().await.gone("route53:DeleteHealthCheck")
    }

    fn id_in(arn: &Arn<'_>) -> Option<String> {
        (arn.service == "route53").then(|| arn.resource.strip_prefix("healthcheck/").map(str::to_owned)).flatten()
    }

    /// Tags come after the creation; the caller reference comes with it and tells of checks that got no tags.
    async fn list(cx: Context<'_>, owner: &Owner, _known: &BTreeSet<String>) -> Result<Vec<Target>, Failure> {
        let ours = all(cx).await?.into_iter().filter_map(|check| {
            let address = owner.referred(check.caller_reference()).filter(|address| address.kind == Self::KIND)?;
            Some(Target { address, id: check.id })
        });
        Ok(ours.collect())
    }

    async fn lookalikes(&self, cx: Context<'_>) -> Result<Vec<String>, Failure> {
        let alike = |check: &ApiHealthCheck| {
            let host = check.health_check_config().and_then(HealthCheckConfig::fully_qualified_domain_name);
            !Owner::refers(check.caller_reference()) && host == Some(self.host.known()) && self.is_reached_from(check)
        };
        Ok(all(cx).await?.into_iter().filter(alike).map(|check| check.id).collect())
    }
}

impl HealthCheck {
    async fn make(&self, cx: Context<'_>, generation: u32) -> Result<String, Failure> {
        let answer = cx
            .clients
            .route53
            .create_health_check()
            .caller_reference(Owner::generation(&self.reference, generation))
            .health_check_config(self.to_api()?)
            .send()
            .await
            .call("route53:CreateHealthCheck")?;
        let id = answer.health_check.map(|check| check.id);
        id.ok_or_else(|| Failure::malformed("route53:CreateHealthCheck", "no check in the answer"))
    }

    /// A check that a run before this one made and did not come to note down.
    async fn made_earlier(&self, cx: Context<'_>) -> Result<Option<String>, Failure> {
        let fits = |check: &ApiHealthCheck| {
            Owner::ungenerated(check.caller_reference()) == self.reference && self.is_reached_from(check)
        };
        Ok(all(cx).await?.into_iter().find(fits).map(|check| check.id))
    }

    /// Whether a check can be changed into this one.
    fn is_reached_from(&self, check: &ApiHealthCheck) -> bool {
        check.health_check_config().is_some_and(|config| {
            config.r#type().as_str() == self.protocol && config.request_interval() == Some(number(self.interval))
        })
    }

    fn to_api(&self) -> Result<HealthCheckConfig, Failure> {
        HealthCheckConfig::builder()
            .r#type(HealthCheckType::from(self.protocol.as_str()))
            .fully_qualified_domain_name(self.host.known())
            .port(i32::from(self.port))
            .resource_path(&self.path)
            .enable_sni(self.sni)
            .request_interval(number(self.interval))
            .failure_threshold(number(self.failure_threshold))
            .inverted(self.inverted)
            .disabled(self.disabled)
            .build()
            .map_err(|error| Failure::malformed("route53:CreateHealthCheck", error))
    }
}

/// The version keeps two writers from overwriting each other; the last look tells who came second.
async fn update_config(cx: Context<'_>, id: &str, after: &HealthCheck) -> Result<(), Failure> {
    settled(cx, || async {
        let version = get(cx, id).await?.ok_or_else(|| unseen(id))?.health_check_version();
        let call = cx.clients.route53.update_health_check().health_check_id(id).health_check_version(version);
        call.fully_qualified_domain_name(after.host.known())
            .port(i32::from(after.port))
            .resource_path(&after.path)
            .enable_sni(after.sni)
            .failure_threshold(number(after.failure_threshold))
            .inverted(after.inverted)
            .disabled(after.disabled)
            .send()
            .await
            .call("route53:UpdateHealthCheck")
    })
    .await
    .map(drop)
}

async fn all(cx: Context<'_>) -> Result<Vec<ApiHealthCheck>, Failure> {
    let checks = cx.clients.route53.list_health_checks().into_paginator().items().send();
    checks.collect::<Result<_, _>>().await.call("route53:ListHealthChecks")
}

async fn get(cx: Context<'_>, id: &str) -> Result<Option<ApiHealthCheck>, Failure> {
    let answer = cx.clients.route53.get_health_check().health_check_id(id).send().await;
    Ok(answer.found("route53:GetHealthCheck")?.and_then(|answer| answer.health_check))
}

async fn read(cx: Context<'_>, id: &str) -> Result<Option<Found<HealthCheck>>, Failure> {
    let reads = async { try_join!(get(cx, id), tags(cx, &TagResourceType::Healthcheck, id)) };
    let (check, tags, red) = match join!(reads, red(cx, id)) {
        (Ok((Some(check), tags)), red) => (check, tags, red),
        (Ok((None, _)), _) => return Ok(None),
        (Err(failure), _) if failure.class == FailureClass::NotFound => return Ok(None),
        (Err(failure), _) => return Err(failure),
    };
    let missing = |what| Failure::malformed("route53:GetHealthCheck", format!("no {what} in the answer"));
    let config = check.health_check_config().ok_or_else(|| missing("configuration"))?;
    let positive =
        |number: Option<i32>, what| number.and_then(|number| u32::try_from(number).ok()).ok_or(missing(what));
    let resource = HealthCheck {
        id: Some(id.to_owned()),
        reference: Owner::ungenerated(given("route53:GetHealthCheck", "caller reference", check.caller_reference())?)
            .to_owned(),
        protocol: given("route53:GetHealthCheck", "type", config.r#type().as_str())?.to_owned(),
        host: Input::from(config.fully_qualified_domain_name().unwrap_or_default()),
        port: config.port().and_then(|port| u16::try_from(port).ok()).ok_or_else(|| missing("port"))?,
        // Without a path, the checkers ask for the root.
        path: config.resource_path().filter(|path| !path.is_empty()).unwrap_or("/").to_owned(),
        sni: config.enable_sni().unwrap_or_default(),
        interval: positive(config.request_interval(), "interval")?,
        failure_threshold: positive(config.failure_threshold(), "threshold")?,
        inverted: config.inverted().unwrap_or_default(),
        disabled: config.disabled().unwrap_or_default(),
        tags,
    };
    let mut attributes = Attributes::from([("id".into(), id.to_owned())]);
    attributes.extend(red.filter(|_| !resource.disabled).map(|why| ("red".into(), why)));
    Ok(Some(Found { resource, attributes }))
}

/// What the checkers complain of, if the check is red: at most 18 % of them report success. It is read to plan
/// from and not to settle by, since Route 53 answers once a second only; not knowing it is no failure.
async fn red(cx: Context<'_>, id: &str) -> Option<String> {
    if let TagSource::Strict = cx.tags {
        return None;
    }
    let answer = cx.clients.route53.get_health_check_status().health_check_id(id).send().await;
    let answer = answer.call("route53:GetHealthCheckStatus").ok()?;
    let reports = answer.health_check_observations().iter().filter_map(|checker| checker.status_report()?.status());
    let (good, bad): (Vec<&str>, Vec<&str>) = reports.partition(|report| report.starts_with("Success"));
    let red = good.len() * 100 <= (good.len() + bad.len()) * 18;
    bad.first().filter(|_| red).map(|why| (*why).to_owned())
}

/// The spec reader keeps intervals and thresholds far below this.
fn number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn unseen(id: &str) -> Failure {
    let failure = Failure::new(FailureClass::NotFound, "route53:GetHealthCheck", format!("{id} was just made"));
    Failure { code: "NoSuchHealthCheck".into(), ..failure }
}

#[cfg(test)]
mod tests;
