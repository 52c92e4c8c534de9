//! The CloudWatch calls behind [`Alarm`].

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::operation::put_metric_alarm::builders::PutMetricAlarmFluentBuilder;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Dimension, Metric as ApiMetric, MetricAlarm, MetricDataQuery, MetricStat, StandardUnit,
    Statistic, Tag,
};
use futures::future::join_all;

use super::{Alarm, Metric};
use crate::aws::{Arn, Call, own};
use crate::graph::{Attributes, Failure, Input, Tags};
use crate::kinds::{Context, Created, Found, Lifecycle, Seen, TagChange, Target, each};

/// `DescribeAlarms` takes this many names.
const NAMES: usize = 100;

/// The id of the expression in an alarm that has one.
const EXPRESSION: &str = "e";

impl Lifecycle for Alarm {
    async fn observe(cx: Context<'_>, targets: &[Target]) -> Seen<Self> {
        let batches = join_all(targets.chunks(NAMES).map(|chunk| describe(cx, chunk))).await;
        let described: BTreeMap<String, Result<MetricAlarm, Failure>> = batches.into_iter().flatten().collect();
        let described = &described;
        each(targets, |name| async move {
            match described.get(&name) {
                None => Ok(None),
                Some(Err(failure)) => Err(failure.clone()),
                Some(Ok(alarm)) => found(cx, name, alarm).await.map(Some),
            }
        })
        .await
    }

    async fn create(&self, cx: Context<'_>) -> Result<Created, Failure> {
        put(cx, self)?.set_tags(Some(api_tags(&self.tags))).send().await.call("cloudwatch:PutMetricAlarm")?;
        Ok(Created { id: self.name.clone(), attributes: Attributes::from([("arn".into(), arn(cx, &self.name)?)]) })
    }

    /// `PutMetricAlarm` writes an alarm whole, but for its tags, which it takes at creation only.
    async fn update(before: &Self, after: &Self, cx: Context<'_>) -> Result<(), Failure> {
        if (Self { tags: Tags::new(), ..before.clone() }) != (Self { tags: Tags::new(), ..after.clone() }) {
            put(cx, after)?.send().await.call("cloudwatch:PutMetricAlarm")?;
        }
        let cloudwatch = &cx.regional()?.cloudwatch;
        let (arn, tags) = (arn(cx, &after.name)?, TagChange::between(&before.tags, &after.tags));
        if !tags.set.is_empty() {
            let call = cloudwatch.tag_resource().resource_arn(&arn).set_tags(Some(api_tags(&tags.set)));
            call.send().await.call("cloudwatch:TagResource")?;
        }
        if !tags.unset.is_empty() {
            let call = cloudwatch.untag_resource().resource_arn(&arn).set_tag_keys(Some(tags.unset));
            call.send().await.call("cloudwatch:UntagResource")?;
        }
        Ok(())
    }

    async fn delete(&self, cx: Context<'_>) -> Result<(), Failure> {
        cx.regional()?.cloudwatch.delete_alarms().alarm_names(&self.name).send().await.gone("cloudwatch:DeleteAlarms")
    }

    fn id_in(arn: &Arn<'_>) -> Option<String> {
        (arn.service == "cloudwatch").then(|| arn.resource.strip_prefix("alarm:").map(str::to_owned)).flatten()
    }
}

/// The alarms of up to [`NAMES`] names that there are; a failure counts for each of the names.
async fn describe(cx: Context<'_>, targets: &[Target]) -> Vec<(String, Result<MetricAlarm, Failure>)> {
    let names: Vec<String> = targets.iter().map(|target| target.id.clone()).collect();
    let answer = async {
        // Without it, an answer has at most 50.
        let most = i32::try_from(NAMES).ok();
        let call = cx.regional()?.cloudwatch.describe_alarms().set_alarm_names(Some(names.clone()));
        let mut pages = call.set_max_records(most).into_paginator().send();
        let mut alarms = Vec::new();
        while let Some(page) = pages.next().await {
            alarms.extend(page.call("cloudwatch:DescribeAlarms")?.metric_alarms.unwrap_or_default());
        }
        Ok(alarms)
    };
    match answer.await {
        Ok(alarms) => alarms.into_iter().filter_map(|alarm| Some((alarm.alarm_name.clone()?, Ok(alarm)))).collect(),
        Err(failure) => names.into_iter().map(|name| (name, Err(Failure::clone(&failure)))).collect(),
    }
}

async fn found(cx: Context<'_>, name: String, alarm: &MetricAlarm) -> Result<Found<Alarm>, Failure> {
    let arn = arn(cx, &name)?;
    let (metrics, expression) = watched(alarm)?;
    let periods = alarm.evaluation_periods().ok_or_else(|| lacks("evaluation periods"))?;
    let comparison = alarm.comparison_operator().ok_or_else(|| lacks("comparison"))?;
    let resource = Alarm {
        name,
        description: alarm.alarm_description().unwrap_or_default().to_owned(),
        metrics,
        expression,
        comparison: comparison.as_str().to_owned(),
        threshold: alarm.threshold(),
        periods,
        // Left out, it is all of them.
        datapoints: alarm.datapoints_to_alarm().unwrap_or(periods),
        missing_data: alarm.treat_missing_data().unwrap_or("missing").to_owned(),
        actions_enabled: alarm.actions_enabled().unwrap_or(true),
        alarm_actions: told(alarm.alarm_actions()),
        ok_actions: told(alarm.ok_actions()),
        insufficient_data_actions: told(alarm.insufficient_data_actions()),
        tags: cx.tags_of(&cx.regional()?.region, &arn, || tags(cx, &arn)).await?,
    };
    let mut attributes = Attributes::from([("arn".into(), arn)]);
    attributes.extend(alarm.state_value().map(|state| ("state".into(), state.as_str().to_owned())));
    Ok(Found { resource, attributes })
}

/// The metrics and what is computed of them, in one form for alarms with and without expressions.
fn watched(alarm: &MetricAlarm) -> Result<(BTreeMap<String, Metric>, String), Failure> {
    if alarm.metrics().is_empty() {
        let statistic = alarm.statistic().map(Statistic::as_str).or(alarm.extended_statistic());
        let metric = Metric {
            namespace: alarm.namespace().ok_or_else(|| lacks("namespace"))?.to_owned(),
            name: alarm.metric_name().ok_or_else(|| lacks("metric"))?.to_owned(),
            dimensions: dimensions(alarm.dimensions()),
            statistic: statistic.ok_or_else(|| lacks("statistic"))?.to_owned(),
            period: alarm.period().ok_or_else(|| lacks("period"))?,
            unit: alarm.unit().map(|unit| unit.as_str().to_owned()),
        };
        return Ok((BTreeMap::from([(Alarm::METRIC.to_owned(), metric)]), Alarm::METRIC.to_owned()));
    }
    let (mut metrics, mut compared, mut others) = (BTreeMap::new(), None, Vec::new());
    for query in alarm.metrics() {
        let id = query.id().filter(|id| !id.is_empty()).ok_or_else(|| lacks("id of a metric"))?;
        if let Some(stat) = query.metric_stat() {
            metrics.insert(id.to_owned(), metric(stat)?);
        }
        let expression = query.expression().unwrap_or(id);
        if query.return_data().unwrap_or(true) && compared.is_none() {
            compared = Some(expression.to_owned());
        } else if query.metric_stat().is_none() {
            others.push(format!("{id} = {expression}"));
        }
    }
    // Steps between, which drctl never writes, are told so that they show as a difference.
    let expression = compared.into_iter().chain(others).collect::<Vec<_>>().join("; ");
    Ok((metrics, expression))
}

fn metric(stat: &MetricStat) -> Result<Metric, Failure> {
    let metric = stat.metric().ok_or_else(|| lacks("metric"))?;
    Ok(Metric {
        namespace: metric.namespace().ok_or_else(|| lacks("namespace"))?.to_owned(),
        name: metric.metric_name().ok_or_else(|| lacks("metric"))?.to_owned(),
        dimensions: dimensions(metric.dimensions()),
        statistic: stat.stat().filter(|stat| !stat.is_empty()).ok_or_else(|| lacks("statistic"))?.to_owned(),
        period: stat.period().filter(|period| *period > 0).ok_or_else(|| lacks("period"))?,
        unit: stat.unit().map(|unit| unit.as_str().to_owned()),
    })
}

fn dimensions(dimensions: &[Dimension]) -> BTreeMap<String, Input> {
    let pair = |dimension: &Dimension| Some((dimension.name()?.to_owned(), dimension.value()?.into()));
    dimensions.iter().filter_map(pair).collect()
}

fn lacks(what: &str) -> Failure {
    Failure::malformed("cloudwatch:DescribeAlarms", format!("an alarm without {what} in the answer"))
}

fn told(actions: &[String]) -> Vec<Input> {
    let mut actions = actions.to_vec();
    actions.sort();
    actions.into_iter().map(Input::Known).collect()
}

fn put(cx: Context<'_>, alarm: &Alarm) -> Result<PutMetricAlarmFluentBuilder, Failure> {
    let actions = |inputs: &[Input]| Some(inputs.iter().map(|input| input.known().to_owned()).collect());
    let call = cx
        .regional()?
        .cloudwatch
        .put_metric_alarm()
        .alarm_name(&alarm.name)
        .alarm_description(&alarm.description)
        .comparison_operator(ComparisonOperator::from(alarm.comparison.as_str()))
        .set_threshold(alarm.threshold)
        .evaluation_periods(alarm.periods)
        .datapoints_to_alarm(alarm.datapoints)
        .treat_missing_data(&alarm.missing_data)
        .actions_enabled(alarm.actions_enabled)
        .set_alarm_actions(actions(&alarm.alarm_actions))
        .set_ok_actions(actions(&alarm.ok_actions))
        .set_insufficient_data_actions(actions(&alarm.insufficient_data_actions));
    let Some(metric) = alarm.plain() else { return Ok(call.set_metrics(Some(queries(alarm)))) };
    let statistic = metric.statistic.as_str();
    let call = if Statistic::values().contains(&statistic) {
        call.statistic(Statistic::from(statistic))
    } else {
        call.extended_statistic(statistic)
    };
    Ok(call
        .namespace(&metric.namespace)
        .metric_name(&metric.name)
        .set_dimensions(Some(api_dimensions(metric)))
        .period(metric.period)
        .set_unit(metric.unit.as_deref().map(StandardUnit::from)))
}

/// The metrics of an alarm with an expression, and the expression itself, of which alone data is returned.
fn queries(alarm: &Alarm) -> Vec<MetricDataQuery> {
    let metrics = alarm.metrics.iter().map(|(id, metric)| {
        let named = ApiMetric::builder()
            .namespace(&metric.namespace)
            .metric_name(&metric.name)
            .set_dimensions(Some(api_dimensions(metric)))
            .build();
        let stat = MetricStat::builder()
            .metric(named)
            .stat(&metric.statistic)
            .period(metric.period)
            .set_unit(metric.unit.as_deref().map(StandardUnit::from))
            .build();
        MetricDataQuery::builder().id(id).metric_stat(stat).return_data(false).build()
    });
    let expression = MetricDataQuery::builder().id(EXPRESSION).expression(&alarm.expression).return_data(true);
    metrics.chain([expression.build()]).collect()
}

fn api_dimensions(metric: &Metric) -> Vec<Dimension> {
    let dimension = |(name, value): (&String, &Input)| Dimension::builder().name(name).value(value.known()).build();
    metric.dimensions.iter().map(dimension).collect()
}

async fn tags(cx: Context<'_>, arn: &str) -> Result<Tags, Failure> {
    let call = cx.regional()?.cloudwatch.list_tags_for_resource().resource_arn(arn);
    let answer = call.send().await.found("cloudwatch:ListTagsForResource")?;
    let tags = answer.and_then(|answer| answer.tags).unwrap_or_default();
    Ok(own(tags.into_iter().filter_map(|tag| Some((tag.key?, tag.value?)))))
}

fn arn(cx: Context<'_>, name: &str) -> Result<String, Failure> {
    Ok(format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", cx.regional()?.region, cx.clients.account))
}

fn api_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

#[cfg(test)]
mod tests;
