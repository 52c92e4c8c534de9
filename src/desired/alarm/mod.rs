//! `[alarm.NAME]`: what people are told about. Some alarms are there by default; a table
//! of their name tunes one or switches it off, one of another name adds an alarm.

mod catalog;
mod values;

use std::collections::BTreeMap;

use super::{AlertSection, DnsSection, Scope, Spec, bucket, scope::suffixed};
use crate::graph::{Address, Input, Region, Resource};
use crate::kinds::alarm::{Alarm, Metric};
use crate::kinds::bucket::Bucket;
use crate::kinds::bucket_replication::BucketReplication;
use crate::kinds::function::Function;
use crate::kinds::health_check::HealthCheck;
use crate::kinds::topic::Topic;
use crate::spec::{At, Problem, Problems, Spanned, TableReader, nearest};
use catalog::{HEALTH_CHECK, HEALTH_METRICS, Known, METRICS, PERIOD, PRESETS, Preset, Watched};
use values::{Limit, Missing, Number, On, Period, Statistic, duration};

/// What tells a metric from others of its name.
type Dimensions = BTreeMap<String, Input>;

/// `[alarm.NAME]`
#[derive(Debug)]
pub struct AlarmSection {
    enabled: bool,
    on: Option<Spanned<On>>,
    metric: Option<Spanned<String>>,
    limit: Option<Limit>,
    over: Option<i32>,
    periods: Option<i32>,
    statistic: Option<String>,
    missing: Option<Spanned<Missing>>,
    /// Keys that only a default alarm can do without, and that are not there.
    lacks: Vec<(&'static str, &'static str)>,
    at: At,
}

/// An alarm with everything filled in: by the spec, else by the preset, else by the metric's own default.
struct Definition<'a> {
    name: &'a str,
    known: &'static Known,
    targets: Vec<&'a str>,
    statistic: &'a str,
    limit: Limit,
    period: i32,
    periods: i32,
    missing: Missing,
    at: At,
}

impl AlarmSection {
    pub(super) fn read(mut reader: TableReader<'_>) -> Option<Self> {
        let at = reader.at();
        let mut lacks = vec![("on", "\"function.NAME\""), ("metric", "\"Errors\""), ("above", "10")];
        lacks.retain(|(key, _)| !reader.has(key) && (*key != "above" || !reader.has("below")));
        let section = Self {
            enabled: reader.optional::<bool>("enabled").is_none_or(|enabled| enabled.value),
            on: reader.optional::<On>("on"),
            metric: reader.optional::<String>("metric"),
            limit: limit(&mut reader),
            over: reader.optional::<Period>("over").map(|over| over.value.0),
            periods: reader
                .integer("for", 1..=8_640, " (periods in a row)")
                .and_then(|periods| i32::try_from(periods.value).ok()),
            statistic: reader.optional::<Statistic>("statistic").map(|statistic| statistic.value.0),
            missing: reader.choice("missing", &Missing::WORDS),
            lacks,
            at,
        };
        reader.finish();
        Some(section)
    }

    pub(super) fn check(&self, name: &str, spec: &Spec, problems: &mut Problems) {
        let preset = preset(name);
        if preset.is_none() {
            self.check_complete(name, problems);
        }
        if let Some(on) = &self.on {
            check_target(on, spec, problems);
        }
        let kind = self.on.as_ref().map(|on| on.kind).or(preset.map(|preset| preset.kind));
        let metric = self.metric.as_ref().map(|metric| metric.as_str()).or(preset.map(|preset| preset.metric));
        if let (Some(kind), Some(metric)) = (kind, metric) {
            match known(kind, metric) {
                Some(known) => self.check_missing(known, problems),
                None => {
                    let at = self.metric.as_ref().map(|metric| metric.at).or(self.on.as_ref().map(|on| on.at));
                    problems.push(unknown_metric(kind, metric, at.unwrap_or(self.at)));
                }
            }
        }
        self.check_length(preset, problems);
    }

    fn check_complete(&self, name: &str, problems: &mut Problems) {
        let names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
        for (key, example) in &self.lacks {
            let help = match nearest(name, &names) {
                Some(near) => format!("add `{key} = {example}`; or did you mean `[alarm.{near}]`, which has one?"),
                None => {
                    format!("add `{key} = {example}`; only the default alarms can do without: {}", names.join(", "))
                }
            };
            let problem = Problem::new("missing", self.at, format!("`[alarm.{name}]` has no `{key}`"));
            problems.push(problem.label("this table").help(help));
        }
    }

    /// DynamoDB's alarms pass over missing data. "ok" can be had with an expression, the others cannot.
    fn check_missing(&self, known: &Known, problems: &mut Problems) {
        let Some(missing) = self.missing.as_ref().filter(|missing| missing.value.changes_the_state()) else {
            return;
        };
        if known.watched.ignores_missing_data() {
            let message = "CloudWatch always ignores missing data of DynamoDB";
            problems.push(Problem::new("missing_data", missing.at, message).help("write \"ok\" or \"ignore\""));
        }
    }

    /// CloudWatch looks back one day, or a week if the periods are hours.
    fn check_length(&self, preset: Option<&Preset>, problems: &mut Problems) {
        let (period, periods) = (self.period(preset), self.periods.unwrap_or(1));
        let (most, text) = if period < 3_600 { (86_400, "a day") } else { (604_800, "a week") };
        if i64::from(period) * i64::from(periods) > most {
            let message = format!("{periods} periods of {} are more than {text}", duration(period));
            let help = format!("write `for = {}` or less", most / i64::from(period));
            problems.push(Problem::new("range", self.at, message).label("this alarm").help(help));
        }
    }

    fn period(&self, preset: Option<&Preset>) -> i32 {
        self.over.or(preset.map(|preset| preset.period)).unwrap_or(PERIOD)
    }

    fn define<'a>(&'a self, name: &'a str, spec: &'a Spec) -> Option<Definition<'a>> {
        let preset = preset(name);
        let kind = self.on.as_ref().map(|on| on.kind).or(preset.map(|preset| preset.kind))?;
        let metric = self.metric.as_ref().map(|metric| metric.as_str()).or(preset.map(|preset| preset.metric))?;
        let known = known(kind, metric)?;
        Some(Definition {
            name,
            known,
            targets: self.on.as_ref().map_or_else(|| by_default(kind, spec), |on| vec![on.name.as_str()]),
            statistic: self.statistic.as_deref().unwrap_or(known.statistic),
            limit: self.limit.or(preset.map(|preset| preset.limit))?,
            period: self.period(preset),
            periods: self.periods.unwrap_or(1),
            missing: self.missing.as_ref().map_or(known.missing, |missing| missing.value),
            at: self.at,
        })
    }
}

impl Preset {
    fn define<'a>(&self, name: &'a str, spec: &'a Spec, at: At) -> Option<Definition<'a>> {
        let known = known(self.kind, self.metric)?;
        Some(Definition {
            name,
            known,
            targets: by_default(self.kind, spec),
            statistic: known.statistic,
            limit: self.limit,
            period: self.period,
            periods: 1,
            missing: known.missing,
            at,
        })
    }
}

/// What no table sees alone: that there is somebody to tell, and that names stay apart.
pub(super) fn check_all(spec: &Spec, problems: &mut Problems) {
    let Some(alert) = &spec.alert else {
        if let Some((name, section)) = spec.alarms.first() {
            let message = format!("`[alarm.{name}]` has nobody to tell: the spec has no `[alert]`");
            problems.push(
                Problem::new("missing", section.at, message)
                    .help("add `[alert]` with `emails = [\"ops@example.com\"]`"),
            );
        }
        return;
    };
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for definition in definitions(spec, alert) {
        for (_, name) in definition.names() {
            let aws_name = suffixed(spec, &name);
            if aws_name.len() > 255 {
                let message = format!("the alarm would be called `{aws_name}`, and CloudWatch takes 255 characters");
                problems.push(Problem::new("length", definition.at, message).help("choose a shorter name or suffix"));
            }
            if let Some(other) = taken.insert(name.clone(), definition.name) {
                let message =
                    format!("`[alarm.{}]` and `[alarm.{other}]` would both be called `{name}`", definition.name);
                problems.push(Problem::new("twice", definition.at, message).help("choose another name"));
            }
        }
    }
}

/// Adds every alarm that is switched on.
pub(super) fn emit_all(scope: &mut Scope<'_>) {
    let spec = scope.spec;
    let Some(alert) = &spec.alert else { return };
    for definition in definitions(spec, alert) {
        definition.emit(scope);
    }
}

/// The default alarms as they are or as they were tuned, and the added ones.
fn definitions<'a>(spec: &'a Spec, alert: &AlertSection) -> Vec<Definition<'a>> {
    let untouched = PRESETS.iter().filter(|preset| !spec.alarms.contains_key(preset.name));
    let untouched = untouched.filter_map(|preset| preset.define(preset.name, spec, alert.at));
    let sections = spec.alarms.iter().filter(|(_, section)| section.enabled);
    untouched.chain(sections.filter_map(|(name, section)| section.define(name, spec))).collect()
}

fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name)
}

fn known(kind: &str, metric: &str) -> Option<&'static Known> {
    METRICS.iter().find(|known| known.kind == kind && known.metric == metric)
}

/// The number that may not be passed; which way, the key says.
fn limit(reader: &mut TableReader<'_>) -> Option<Limit> {
    let above = reader.optional::<Number>("above");
    let below = reader.optional::<Number>("below");
    match (above, below) {
        (Some(_), Some(below)) => {
            let problem =
                Problem::new("value", below.at, "an alarm is on values above a number or below one, not both");
            reader.problems().push(problem.help("leave one of them out, or write two alarms"));
            None
        }
        (above, below) => {
            above.map(|above| Limit::Above(above.value.0)).or(below.map(|below| Limit::Below(below.value.0)))
        }
    }
}

/// What a default alarm watches: each table, each bucket, each function that has its own concurrency, and the health
/// check of each region.
fn by_default<'a>(kind: &str, spec: &'a Spec) -> Vec<&'a str> {
    match kind {
        Function::KIND => {
            let reserved = spec.functions.iter().filter(|(_, function)| function.has_reserved_concurrency());
            reserved.map(|(name, _)| name.as_str()).collect()
        }
        Bucket::KIND => spec.buckets.keys().map(String::as_str).collect(),
        HEALTH_CHECK => spec.dns.iter().flat_map(|_| spec.region.names()).collect(),
        _ => spec.tables.keys().map(String::as_str).collect(),
    }
}

fn check_target(on: &Spanned<On>, spec: &Spec, problems: &mut Problems) {
    let names = match on.kind {
        HEALTH_CHECK if spec.says("dns") => spec.region.names().into(),
        kind => spec.declared(kind),
    };
    if names.contains(&on.name.as_str()) {
        return;
    }
    let help = match nearest(&on.name, &names) {
        Some(near) => format!("did you mean `{}.{near}`?", on.kind),
        None if on.kind == HEALTH_CHECK && names.is_empty() => "add `[dns]`: each region then has one".into(),
        None if names.is_empty() => format!("add a `[{}.{}]` table", on.kind, on.name),
        None => format!("use one of: {}", names.join(", ")),
    };
    let message = format!("there is no {} named `{}`", on.kind, on.name);
    problems.push(Problem::new("unknown_name", on.at, message).label("named here").help(help));
}

fn unknown_metric(kind: &str, metric: &str, at: At) -> Problem {
    let names: Vec<_> = METRICS.iter().filter(|known| known.kind == kind).map(|known| known.metric).collect();
    let help = match nearest(metric, &names) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("write one of: {}", names.join(", ")),
    };
    Problem::new("metric", at, format!("drctl knows no metric `{metric}` of a {kind}")).help(help)
}

impl Definition<'_> {
    /// Each target with the name of its alarm.
    fn names(&self) -> Vec<(&str, String)> {
        match self.targets.as_slice() {
            [only] => vec![(*only, self.name.to_owned())],
            several => several.iter().map(|target| (*target, format!("{}-{target}", self.name))).collect(),
        }
    }

    fn emit(&self, scope: &mut Scope<'_>) {
        let [primary, secondary] = scope.spec.region.names();
        let lacks_health = self.known.watched == Watched::Health && ![primary, secondary].contains(&HEALTH_METRICS);
        if lacks_health && !self.targets.is_empty() {
            return scope.warn(format!(
                "there is no alarm `{}`: Route 53 tells of health checks in {HEALTH_METRICS} only, and the system is in \
                 {primary} and {secondary}",
                self.name
            ));
        }
        for (target, name) in self.names() {
            for (region, dimensions) in self.places(target, scope) {
                self.emit_in(&region, dimensions, target, &name, scope);
            }
        }
    }

    fn emit_in(&self, region: &Region, dimensions: Dimensions, target: &str, name: &str, scope: &mut Scope<'_>) {
        let address = Address::regional(region, Alarm::KIND, name);
        let topic = scope.refer::<Topic>(&AlertSection::topic(region), "arn");
        let metric = Metric {
            namespace: self.known.watched.namespace().into(),
            name: self.known.metric.into(),
            dimensions,
            statistic: self.statistic.into(),
            period: self.period,
            unit: None,
        };
        // An alarm on DynamoDB that is over would stay: there is no data of "nothing throttled".
        let filled = self.known.watched.ignores_missing_data() && self.missing == Missing::Ok;
        let alarm = Alarm {
            name: scope.suffixed(name),
            description: self.description(target),
            metrics: BTreeMap::from([(Alarm::METRIC.into(), metric)]),
            expression: if filled { Alarm::filled() } else { Alarm::METRIC.into() },
            comparison: self.limit.comparison().into(),
            threshold: Some(self.limit.threshold()),
            periods: self.periods,
            datapoints: self.periods,
            missing_data: self.missing.in_aws().into(),
            actions_enabled: true,
            alarm_actions: vec![topic.clone()],
            ok_actions: vec![topic],
            insufficient_data_actions: Vec::new(),
            tags: scope.tags(&address),
        };
        scope.add(address, &alarm, [], self.at);
    }

    /// The regions that have the metric of a target, each with the dimensions it has there.
    fn places(&self, target: &str, scope: &Scope<'_>) -> Vec<(Region, Dimensions)> {
        let set = |pairs: &[(&str, &str)]| -> Dimensions {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect()
        };
        let spec = scope.spec;
        let (aws_name, [primary, secondary]) = (suffixed(spec, target), spec.regions());
        let both = [(primary.clone(), secondary.clone()), (secondary, primary)];
        match self.known.watched {
            Watched::Function => both.map(|(region, _)| (region, set(&[("FunctionName", &aws_name)]))).into(),
            Watched::Member => both.map(|(region, _)| (region, set(&[("TableName", &aws_name)]))).into(),
            Watched::Replication => both
                .map(|(region, other)| (region, set(&[("TableName", &aws_name), ("ReceivingRegion", other.as_str())])))
                .into(),
            Watched::Copied | Watched::Copy => {
                let directions = spec.buckets.get(target).map(|bucket| bucket.directions(spec)).unwrap_or_default();
                let place = |(from, to): (Region, Region)| {
                    let dimensions = set(&[
                        ("SourceBucket", &bucket::aws_name(spec, target, &from)),
                        ("DestinationBucket", &bucket::aws_name(spec, target, &to)),
                        ("RuleId", &BucketReplication::rule_id(target, &to)),
                    ]);
                    (if self.known.watched == Watched::Copied { from } else { to }, dimensions)
                };
                directions.into_iter().map(place).collect()
            }
            Watched::Health => {
                let check = scope.refer::<HealthCheck>(&DnsSection::check_address(&Region::new(target)), "id");
                vec![(Region::new(HEALTH_METRICS), BTreeMap::from([("HealthCheckId".to_owned(), check)]))]
            }
        }
    }

    /// For the person who is woken.
    fn description(&self, target: &str) -> String {
        let Known { kind, metric, unit, .. } = self.known;
        let often = if self.periods > 1 { format!(", {} times in a row", self.periods) } else { String::new() };
        let (statistic, limit, over) = (self.statistic, self.limit, duration(self.period));
        format!("{kind}.{target}: {metric} ({statistic}) {limit}{unit} in {over}{often}")
    }
}
