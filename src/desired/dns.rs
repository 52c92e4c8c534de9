//! `[dns]`: one name for the system, which Route 53 answers with a region that is well.
//!
//! The name is a CNAME to the function URL of the payment function. A function URL has a certificate
//! for its own host only, so clients that speak TLS have to look the name up and connect to the host
//! that it stands for.

use super::{Scope, Spec};
use crate::graph::{Address, Input, Region, Resource};
use crate::kinds::function_url::FunctionUrl;
use crate::kinds::health_check::HealthCheck;
use crate::kinds::record::{Record, RecordSet};
use crate::kinds::zone::Zone;
use crate::spec::{At, FromNode, Mismatch, Node, Problem, Problems, Seconds, Spanned, TableReader, did_you_mean};

/// `[dns]`
#[derive(Debug)]
pub struct DnsSection {
    zone: Spanned<Domain>,
    record: Spanned<Domain>,
    routing: Routing,
    ttl: i64,
    function: Spanned<String>,
    interval: u32,
    failure_threshold: u32,
    create_zone: bool,
    at: At,
}

/// How an answer is chosen.
#[derive(Clone, Copy, Debug)]
enum Routing {
    Weighted { primary: i64, secondary: i64 },
    Failover,
}

/// Zones and health checks have at most ten tags, of which drctl's marks need four.
const TAGS: usize = 6;

/// Overrides lie beside the state, so who cannot see the state does not see them.
const ONE_MACHINE: &str = "the state lies on one machine: a failover that is done on another one is not seen here, and an \
                           `apply` takes it back; `[state] bucket` shares it";

/// A domain name, or the part of one before its zone.
#[derive(Clone, Debug)]
struct Domain(String);

impl FromNode for Domain {
    fn from_node(node: &Node) -> Result<Self, Mismatch> {
        let text = String::from_node(node)?;
        let better = text.trim_matches('.').to_ascii_lowercase();
        let complaint = match better.split('.').enumerate().find(|(place, label)| !is_label(*place, label)) {
            Some((_, label)) => format!("`{label}` is no part of a domain name"),
            None if better.len() > 253 => format!("`{text}` has {} characters", better.len()),
            None if better != text => {
                return Err(Mismatch::new(format!("`{text}` is not in its plain form"), format!("write \"{better}\"")));
            }
            None => return Ok(Self(text)),
        };
        let help = "write 1 to 63 lower-case letters, digits and hyphens between dots, 253 characters in all";
        Err(Mismatch::new(complaint, help))
    }
}

/// The first part may be `*`: any name that has no record of its own.
fn is_label(place: usize, label: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let framed = label.starts_with('-') || label.ends_with('-');
    place == 0 && label == "*" || (1..=63).contains(&label.len()) && label.bytes().all(legal) && !framed
}

impl DnsSection {
    pub(super) fn read(mut reader: TableReader<'_>) -> Option<Self> {
        let at = reader.at();
        let zone = reader.required::<Domain>("zone", "\"payment-system.example.com\"");
        let record = reader.required::<Domain>("record", "\"api\"");
        let routing = routing(&mut reader);
        let ttl = ttl(&mut reader);
        let create_zone = reader.optional::<bool>("create-zone").is_none_or(|create| create.value);
        let check = health_check(&mut reader);
        reader.finish();
        let (function, interval, failure_threshold) = check?;
        Some(Self {
            zone: zone?,
            record: record?,
            routing,
            ttl,
            function: function?,
            interval,
            failure_threshold,
            create_zone,
            at,
        })
    }

    /// Whether drctl makes the zone.
    pub(crate) fn creates_zone(&self) -> bool {
        self.create_zone
    }

    /// The address of the record.
    pub(crate) fn record_address(&self) -> Address {
        Address::global(Record::KIND, &self.record.0)
    }

    /// The address of the zone.
    pub(crate) fn zone_address() -> Address {
        Address::global(Zone::KIND, Zone::NAME)
    }

    /// The address of a region's health check.
    pub(crate) fn check_address(region: &Region) -> Address {
        Address::global(HealthCheck::KIND, region.to_string())
    }

    pub(super) fn check(&self, spec: &Spec, problems: &mut Problems) {
        let (zone, record) = (&self.zone.0, &self.record.0);
        if !zone.contains('.') || zone.starts_with('*') {
            let problem = Problem::new("zone", self.zone.at, format!("`{zone}` is no zone of yours"));
            problems.push(problem.help("write a domain and what it belongs to: \"payment-system.example.com\""));
        }
        if let Some(short) = record.strip_suffix(zone.as_str()).and_then(|record| record.strip_suffix('.')) {
            let problem = Problem::new("record", self.record.at, "`record` repeats the zone");
            problems.push(problem.help(format!("write \"{short}\"")));
        } else if self.name().len() > 253 {
            let message = format!("`{}` has {} characters", self.name(), self.name().len());
            problems.push(Problem::new("length", self.record.at, message).help("domain names have at most 253"));
        }
        self.check_function(spec, problems);
        if spec.functions.len() == spec.declared("function").len() && spec.payment_function().is_none() {
            let message = "there is no function that takes payments for the name to lead to";
            problems.push(
                Problem::new("missing", self.at, message)
                    .help("give one function `url = { auth = \"none\" }` and `uses = { table.NAME = \"write\" }`"),
            );
        }
        if spec.system.tags.len() > TAGS {
            let message = format!("{} tags are more than Route 53 takes beside drctl's own", spec.system.tags.len());
            problems.push(Problem::new("tag", self.at, message).help(format!("keep at most {TAGS} in `[system]`")));
        }
    }

    fn check_function(&self, spec: &Spec, problems: &mut Problems) {
        let (names, at) = (spec.declared("function"), self.function.at);
        let function = self.function.as_str();
        if !names.contains(&function) {
            let help = did_you_mean(function, &names).unwrap_or_else(|| format!("use one of: {}", names.join(", ")));
            let problem = Problem::new("unknown_name", at, format!("there is no function named `{function}`"));
            problems.push(problem.label("named here").help(help));
        } else if spec.functions.get(function).is_some_and(|function| !function.has_public_url()) {
            let message = format!("the checkers cannot ask `{function}`: it has no public URL");
            let help = format!("add `url = {{ auth = \"none\" }}` to `[function.{function}]`");
            problems.push(Problem::new("url", at, message).help(help));
        }
    }

    fn name(&self) -> String {
        format!("{}.{}", self.record.0, self.zone.0)
    }

    pub(super) fn emit(&self, scope: &mut Scope<'_>) {
        let spec = scope.spec;
        let Some(function) = spec.payment_function() else { return };
        if !spec.state.is_shared() {
            scope.warn(ONE_MACHINE.to_owned());
        }
        let zone_address = Self::zone_address();
        if self.create_zone {
            let zone = Zone {
                id: None,
                reference: spec.owner().reference(&zone_address),
                name: self.zone.0.clone(),
                comment: format!("{} ({})", spec.system.name.as_str(), spec.system.environment.as_str()),
                tags: scope.tags(&zone_address),
            };
            scope.add(zone_address.clone(), &zone, [], self.at);
        }
        for region in scope.regions() {
            let address = Self::check_address(&region);
            let url = Address::regional(&region, FunctionUrl::KIND, self.function.as_str());
            let check = HealthCheck {
                id: None,
                reference: spec.owner().reference(&address),
                protocol: "HTTPS".into(),
                host: scope.refer::<FunctionUrl>(&url, "host"),
                port: 443,
                path: "/".into(),
                sni: true,
                interval: self.interval,
                failure_threshold: self.failure_threshold,
                inverted: false,
                disabled: false,
                tags: scope.tags(&address),
            };
            scope.add(address, &check, [], self.at);
        }
        let sets = scope.regions().into_iter().map(|region| {
            let identifier = Record::set_identifier(&region, spec.system.suffix.as_str());
            (identifier, self.set(&region, function, scope))
        });
        let record = Record {
            zone: self.create_zone.then(|| scope.refer::<Zone>(&zone_address, "id")),
            zone_name: self.zone.0.clone(),
            name: self.name(),
            sets: sets.collect(),
        };
        scope.add(self.record_address(), &record, [], self.at);
    }

    fn set(&self, region: &Region, function: &str, scope: &Scope<'_>) -> RecordSet {
        let is_primary = *region == scope.spec.region.primary;
        let (weight, failover) = match self.routing {
            Routing::Weighted { primary, secondary } => (Some(if is_primary { primary } else { secondary }), None),
            Routing::Failover => (None, Some(if is_primary { "PRIMARY" } else { "SECONDARY" }.to_owned())),
        };
        let url = Address::regional(region, FunctionUrl::KIND, function);
        let check: Input = scope.refer::<HealthCheck>(&Self::check_address(region), "id");
        RecordSet {
            value: scope.refer::<FunctionUrl>(&url, "host"),
            ttl: Some(self.ttl),
            weight,
            failover,
            health_check: Some(check),
        }
    }
}

/// Weights or `routing = "failover"`, not both.
fn routing(reader: &mut TableReader<'_>) -> Routing {
    let failover = reader.choice("routing", &[("weighted", false), ("failover", true)]);
    let is_failover = failover.as_ref().is_some_and(|failover| failover.value);
    let mut routing = Routing::Weighted { primary: 100, secondary: 0 };
    if let Some(mut weight) = reader.table("weight") {
        let at = weight.at();
        let primary = weight.integer("primary", 0..=255, "").map_or(100, |weight| weight.value);
        let secondary = weight.integer("secondary", 0..=255, "").map_or(0, |weight| weight.value);
        if is_failover {
            let problem = Problem::new("routing", at, "`weight` has no meaning with `routing = \"failover\"`");
            weight.problems().push(problem.help("leave one of them out"));
        }
        weight.finish();
        routing = Routing::Weighted { primary, secondary };
    }
    if is_failover { Routing::Failover } else { routing }
}

/// For how long resolvers keep an answer; a minute unless the spec says otherwise.
fn ttl(reader: &mut TableReader<'_>) -> i64 {
    const DEFAULT: i64 = 60;
    let Some(ttl) = reader.optional::<Seconds>("ttl") else { return DEFAULT };
    match i64::try_from(ttl.value.0) {
        Ok(seconds) if seconds <= 172_800 => seconds,
        _ => {
            let problem =
                Problem::new("range", ttl.at, format!("`ttl` is {} s: a failover would take longer", ttl.value.0));
            reader.problems().push(problem.help("write \"0s\" to \"2d\", best \"60s\""));
            DEFAULT
        }
    }
}

/// The function, the interval and the threshold; `None` if the table is not there or is none.
fn health_check(reader: &mut TableReader<'_>) -> Option<(Option<Spanned<String>>, u32, u32)> {
    const EXAMPLE: &str = "{ function = \"health-check\", interval = \"30s\", failure-threshold = 3 }";
    if !reader.has("health-check") {
        let problem = Problem::new("missing", reader.at(), "`[dns]` has no `health-check`").label("this table");
        reader.problems().push(problem.help(format!("add `health-check = {EXAMPLE}`")));
    }
    let mut check = reader.table("health-check")?;
    let function = check.required::<String>("function", "\"health-check\"");
    let interval = check.choice("interval", &[("30s", 30), ("10s", 10)]).map_or(30, |interval| interval.value);
    let threshold = check.integer("failure-threshold", 1..=10, "").and_then(|number| u32::try_from(number.value).ok());
    check.finish();
    Some((function, interval, threshold.unwrap_or(3)))
}
