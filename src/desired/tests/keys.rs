//! Each key of each table, changed in a system that runs: what it comes to.
//!
//! The list is complete: a key that a table takes and that has no row here fails a test.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

use insta::assert_snapshot;
use miette::Diagnostic;

use super::super::read;
use crate::graph::Address;
use crate::plan::{Action, Basis, Observation, Plan, guard, plan};
use crate::run::fake::System;

/// A system that says everything that can be said at once.
const FULL: &str = r#"schema = 1

[system]
name = "payment-dr"
environment = "production"
suffix = "prod-001"
account = "123456789012"
tags = { cost-center = "payments" }

[region]
primary = "us-east-1"
secondary = "us-west-2"

[state]
bucket = "drctl-state-acme"

[alert]
emails = ["ops@example.com"]

[table.ledger]
key = "id"
sort = "line"
ttl = "expiresAt"
index.by-customer = { key = "customerId", sort = "createdAt" }

[bucket.logs]
replication = "two-way"
minimum-size = "128KB"
lifecycle = [{ after = "30d", class = "STANDARD_IA" }]

[bucket.other]

[secret.keys]
description = "of the gateway"

[secret.other]

[function.pay]
source = "pay"
architecture = "x86_64"
memory = 256
timeout = "10s"
reserved-concurrency = 100
log-retention = "30d"
tracing = "pass-through"
url = { auth = "none" }

[function.pay.uses]
table.ledger = "write"
bucket.logs = "write"
secret.keys = "read"

[function.health]
source = "health"
url = { auth = "none" }

[function.health.uses]
function.pay = "read"

[function.health-too]
source = "health"
url = { auth = "none" }

[dns]
zone = "example.com"
create-zone = true
record = "api"
ttl = "60s"
weight = { primary = 100, secondary = 0 }
health-check = { function = "health", interval = "30s", failure-threshold = 3 }

[alarm.slow]
enabled = true
on = "function.pay"
metric = "Duration"
above = 100
over = "5m"
for = 1
statistic = "p99"
missing = "ok"

[encryption]
key = "aws"

[guard]
protect = ["table", "bucket", "secret", "zone"]
"#;

/// A key, a part of [`FULL`], and what is written there instead.
const ROWS: &[(&str, &str, &str)] = &[
    ("system.name", "name = \"payment-dr\"", "name = \"billing-dr\""),
    ("system.environment", "\"production\"", "\"staging\""),
    ("system.suffix", "\"prod-001\"", "\"prod-002\""),
    ("system.account", "account = \"123456789012\"", ""),
    ("system.tags", "cost-center = \"payments\"", "cost-center = \"cards\""),
    ("region.primary", "primary = \"us-east-1\"", "primary = \"eu-west-1\""),
    ("region.secondary", "secondary = \"us-west-2\"", "secondary = \"eu-west-1\""),
    ("alert.emails", "ops@example.com", "oncall@example.com"),
    ("table.*.key", "key = \"id\"", "key = \"paymentId\""),
    ("table.*.sort", "sort = \"line\"", ""),
    ("table.*.ttl", "expiresAt", "goneAt"),
    ("table.*.index", "index.by-customer", "index.by-merchant"),
    ("table.*.index.*.key", "customerId", "merchantId"),
    ("table.*.index.*.sort", ", sort = \"createdAt\"", ""),
    ("bucket.*.replication", "two-way", "to-secondary"),
    ("bucket.*.minimum-size", "128KB", "0B"),
    ("bucket.*.lifecycle.after", "after = \"30d\"", "after = \"60d\""),
    ("bucket.*.lifecycle.class", "STANDARD_IA", "GLACIER_IR"),
    ("secret.*.description", "of the gateway", "of the bank"),
    ("function.*.source", "source = \"pay\"", "source = \"pay-2\""),
    ("function.*.architecture", "x86_64", "arm64"),
    ("function.*.memory", "256", "512"),
    ("function.*.timeout", "10s", "20s"),
    ("function.*.reserved-concurrency", "reserved-concurrency = 100", ""),
    ("function.*.log-retention", "log-retention = \"30d\"", "log-retention = \"never\""),
    ("function.*.tracing", "pass-through", "active"),
    ("function.*.url.auth", "pass-through\"\nurl = { auth = \"none\" }", "pass-through\"\nurl = { auth = \"iam\" }"),
    ("function.*.uses.table", "table.ledger = \"write\"\nbucket", "table.ledger = \"read\"\nbucket"),
    ("function.*.uses.bucket", "bucket.logs = \"write\"", "bucket.other = \"write\""),
    ("function.*.uses.secret", "secret.keys = \"read\"", "secret.other = \"read\""),
    ("function.*.uses.function", "function.pay = \"read\"", "function.health-too = \"read\""),
    ("dns.zone", "zone = \"example.com\"", "zone = \"example.org\""),
    ("dns.create-zone", "create-zone = true", "create-zone = false"),
    ("dns.record", "record = \"api\"", "record = \"pay\""),
    ("dns.ttl", "60s", "10s"),
    ("dns.weight.primary", "primary = 100", "primary = 90"),
    ("dns.weight.secondary", "secondary = 0", "secondary = 10"),
    ("dns.routing", "weight = { primary = 100, secondary = 0 }", "routing = \"failover\""),
    ("dns.health-check.function", "function = \"health\"", "function = \"health-too\""),
    ("dns.health-check.interval", "30s", "10s"),
    ("dns.health-check.failure-threshold", "failure-threshold = 3", "failure-threshold = 4"),
    ("alarm.*.enabled", "enabled = true", "enabled = false"),
    ("alarm.*.on", "on = \"function.pay\"", "on = \"function.health\""),
    ("alarm.*.metric", "\"Duration\"", "\"UrlRequestLatency\""),
    ("alarm.*.above", "above = 100", "above = 200"),
    ("alarm.*.below", "above = 100", "below = 100"),
    ("alarm.*.over", "5m", "1m"),
    ("alarm.*.for", "for = 1", "for = 3"),
    ("alarm.*.statistic", "p99", "p50"),
    ("alarm.*.missing", "missing = \"ok\"", "missing = \"ignore\""),
    ("state.bucket", "drctl-state-acme", "drctl-state-other"),
    ("encryption.key", "key = \"aws\"", "key = \"customer\""),
    ("guard.protect", "protect = [\"table\", \"bucket\", \"secret\", \"zone\"]", "protect = []"),
];

/// Keys that are no property of any resource.
const NO_PROPERTY: [&str; 2] = ["schema", "timeout"];

fn edited((key, from, to): (&str, &str, &str)) -> String {
    assert_eq!(FULL.matches(from).count(), 1, "{key}: `{from}` has to be there once");
    FULL.replace(from, to)
}

/// Plans `after` in the world in which `before` has just been applied.
fn replan(before: &System, after: &System) -> Plan {
    let (mut observed, mut recorded) = before.applied();
    if (&before.owner.system, &before.owner.suffix) != (&after.owner.system, &after.owner.suffix) {
        // Its state is another file, and what only marks tell of is not found.
        recorded = after.unrecorded();
        observed.seen.retain(|address, _| address.kind != "record" && wanted_id(after, address).is_some());
    }
    let as_wanted = |address: &Address| match (wanted_id(after, address), observed.live(address)) {
        // What is called otherwise now is looked for by its new name, and is not there.
        (Some(wanted), Some(live)) => live.id == wanted,
        _ => true,
    };
    let seen: BTreeSet<Address> = observed.seen.keys().filter(|address| as_wanted(address)).cloned().collect();
    observed.seen.retain(|address, _| seen.contains(address));
    plan(&Basis {
        desired: &after.graph,
        observed: &observed,
        recorded: &recorded,
        overrides: &[],
        owner: &after.owner,
        kinds: &after.kinds,
    })
}

fn wanted_id(system: &System, address: &Address) -> Option<String> {
    system.graph.get(address)?.id.clone()
}

/// A plan in as few lines as it takes: what becomes of which properties, and where.
fn brief(plan: &Plan, protect: BTreeSet<String>) -> String {
    let guard = guard::Guard { protect, ..Default::default() };
    let refused = guard::check(plan, &guard, &Observation::default(), &crate::kinds::metas());
    let mut lines: Vec<(String, BTreeSet<String>)> = Vec::new();
    let mut note = |what: String, address: &Address| {
        let address = anywhere(&address.current().to_string());
        match lines.iter_mut().find(|(known, _)| *known == what) {
            Some((_, addresses)) => drop(addresses.insert(address)),
            None => lines.push((what, BTreeSet::from([address]))),
        }
    };
    for change in plan.pending() {
        let symbol = match change.action {
            Action::Create => "+",
            Action::Update => "~",
            Action::Replace => "±",
            _ => "-",
        };
        let fields: BTreeSet<_> = change.fields.iter().map(|field| anywhere(&field.path)).collect();
        let fields: String = fields.iter().map(|field| format!(" {field}")).collect();
        let guarded = refused
            .iter()
            .any(|refusal| matches!(refusal, guard::Refusal::Loss { address, .. } if *address == change.address));
        note(format!("{symbol}{fields}{}", if guarded { " (guarded)" } else { "" }), &change.address);
    }
    for conflict in &plan.conflicts {
        note(format!("! of {}", conflict.belongs_to.as_deref().unwrap_or("nobody")), &conflict.address);
    }
    let line = |(what, addresses): &(String, BTreeSet<String>)| format!("    {what}: {}\n", listed(addresses));
    lines.iter().map(line).collect()
}

/// A few addresses; of many, the kinds.
fn listed(addresses: &BTreeSet<String>) -> String {
    let texts = addresses.iter().map(String::as_str);
    let kind = |address: &str| address.split(['/', '.']).nth(1).unwrap_or_default().to_owned();
    if addresses.len() <= 3 {
        texts.collect::<Vec<_>>().join(", ")
    } else {
        texts.map(kind).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
    }
}

/// A text without the names of regions.
fn anywhere(text: &str) -> String {
    ["us-east-1", "us-west-2", "eu-west-1"].iter().fold(text.to_owned(), |text, region| text.replace(region, "*"))
}

#[test]
fn every_key_comes_to_what_it_should_in_a_system_that_runs() {
    let before = System::new(FULL);
    assert!(!replan(&before, &before).has_changes());
    let mut table = String::new();
    for row in ROWS {
        let after = System::new(&edited(*row));
        let comes_to = brief(&replan(&before, &after), after.spec.guard.protect.clone());
        let comes_to = if comes_to.is_empty() { "    nothing\n" } else { &comes_to };
        write!(table, "{}\n{comes_to}", row.0).expect("a string takes everything");
    }
    assert_snapshot!(table, @"
    system.name
        +: health_check, record, subscription, topic, zone
        ! of payment-dr, suffix prod-001: alarm, bucket, bucket_replication, function, function_url, log_group, role, secret, table, table_replica
    system.environment
        ~ tags.drctl:environment: alarm, bucket, function, health_check, log_group, role, secret, table_replica, topic
        ~ comment tags.drctl:environment: global/zone.main
    system.suffix
        +: alarm, bucket, bucket_replication, function, function_url, health_check, log_group, record, role, secret, subscription, table, table_replica, topic, zone
    system.account
        nothing
    system.tags
        ~ tags.cost-center: alarm, bucket, function, health_check, log_group, role, secret, table_replica, topic, zone
    region.primary
        +: alarm, bucket, bucket_replication, function, function_url, health_check, log_group, role, subscription, table_replica, topic
        -: alarm, bucket_replication, function, function_url, health_check, log_group, role, subscription, table_replica, topic
        ~ sets.*-prod-001: global/record.api
        ~ policies trust: global/role.logs-replication, global/role.other-replication
        ~ regions: global/secret.keys, global/secret.other, global/table.ledger
        - (guarded): */bucket.logs, */bucket.other
        ~ metrics.m.dimensions.ReceivingRegion: */alarm.dynamodb-replication-latency
        ~ metrics.m.dimensions.DestinationBucket metrics.m.dimensions.RuleId: */alarm.s3-replication-failed-logs, */alarm.s3-replication-failed-other
        ~ metrics.m.dimensions.SourceBucket: */alarm.s3-replication-latency-logs, */alarm.s3-replication-latency-other
        ~ rules.drctl-logs-to-*: */bucket_replication.logs
        ~ rules.drctl-other-to-*: */bucket_replication.other
    region.secondary
        +: alarm, bucket, bucket_replication, function, function_url, health_check, log_group, role, subscription, table_replica, topic
        -: alarm, bucket_replication, function, function_url, health_check, log_group, role, subscription, table_replica, topic
        ~ sets.*-prod-001: global/record.api
        ~ policies trust: global/role.logs-replication, global/role.other-replication
        ~ regions: global/secret.keys, global/secret.other, global/table.ledger
        ~ metrics.m.dimensions.ReceivingRegion: */alarm.dynamodb-replication-latency
        ~ metrics.m.dimensions.DestinationBucket metrics.m.dimensions.RuleId: */alarm.s3-replication-failed-logs, */alarm.s3-replication-failed-other
        ~ metrics.m.dimensions.SourceBucket: */alarm.s3-replication-latency-logs, */alarm.s3-replication-latency-other
        ~ rules.drctl-logs-to-*: */bucket_replication.logs
        ~ rules.drctl-other-to-*: */bucket_replication.other
        - (guarded): */bucket.logs, */bucket.other
    alert.emails
        +: */subscription.oncall@example.com
        -: */subscription.ops@example.com
    table.*.key
        ± key.partition (guarded): global/table.ledger
        +: */table_replica.ledger
    table.*.sort
        ± key.sort (guarded): global/table.ledger
        +: */table_replica.ledger
    table.*.ttl
        ~ ttl: global/table.ledger
    table.*.index
        ~ indexes.by-customer indexes.by-merchant: global/table.ledger
    table.*.index.*.key
        ~ indexes.by-customer.partition: global/table.ledger
    table.*.index.*.sort
        ~ indexes.by-customer.sort: global/table.ledger
    bucket.*.replication
        ~ policies trust: global/role.logs-replication
        -: */alarm.s3-replication-failed-logs, */alarm.s3-replication-latency-logs, */bucket_replication.logs
        ~ rules.drctl-logs-to-*.replica_modifications: */bucket_replication.logs
    bucket.*.minimum-size
        ~ lifecycle.drctl-transitions.larger_than: */bucket.logs
    bucket.*.lifecycle.after
        ~ lifecycle.drctl-transitions.transitions: */bucket.logs
    bucket.*.lifecycle.class
        ~ lifecycle.drctl-transitions.transitions: */bucket.logs
    secret.*.description
        ~ description: global/secret.keys
    function.*.source
        ~ code_sha256: */function.pay
    function.*.architecture
        ~ architecture: */function.pay
    function.*.memory
        ~ memory: */function.pay
    function.*.timeout
        ~ timeout: */function.pay
    function.*.reserved-concurrency
        -: */alarm.lambda-errors, */alarm.lambda-throttles
        ~ reserved_concurrency: */function.pay
    function.*.log-retention
        ~ retention_days: */log_group.pay
    function.*.tracing
        ~ policies: global/role.pay-*
        ~ tracing: */function.pay
    function.*.url.auth
        ~ auth permissions: */function_url.pay
    function.*.uses.table
        ~ policies: global/role.pay-*
    function.*.uses.bucket
        ~ policies: global/role.pay-*
        ~ environment.BUCKET_LOGS environment.BUCKET_OTHER: */function.pay
    function.*.uses.secret
        ~ policies: global/role.pay-*
        ~ environment.SECRET_KEYS environment.SECRET_OTHER: */function.pay
    function.*.uses.function
        ~ policies: global/role.health-*
        ~ environment.FUNCTION_HEALTH_TOO environment.FUNCTION_PAY: */function.health
    dns.zone
        +: global/record.api
        ± name (guarded): global/zone.main
        -: global/zone.main
    dns.create-zone
        +: global/record.api
        - (guarded): global/zone.main
    dns.record
        -: global/record.api
        +: global/record.pay
    dns.ttl
        ~ sets.*-prod-001.ttl: global/record.api
    dns.weight.primary
        ~ sets.*-prod-001.weight: global/record.api
    dns.weight.secondary
        ~ sets.*-prod-001.weight: global/record.api
    dns.routing
        ~ sets.*-prod-001.failover sets.*-prod-001.weight: global/record.api
    dns.health-check.function
        ~ host: global/health_check.*
    dns.health-check.interval
        ± interval: global/health_check.*
        -: global/health_check.*
        ~ sets.*-prod-001.health_check: global/record.api
        ~ metrics.m.dimensions.HealthCheckId: */alarm.health-check-status-*
    dns.health-check.failure-threshold
        ~ failure_threshold: global/health_check.*
    alarm.*.enabled
        -: */alarm.slow
    alarm.*.on
        ~ description metrics.m.dimensions.FunctionName: */alarm.slow
    alarm.*.metric
        ~ description metrics.m.name: */alarm.slow
    alarm.*.above
        ~ description threshold: */alarm.slow
    alarm.*.below
        ~ comparison description: */alarm.slow
    alarm.*.over
        ~ description metrics.m.period: */alarm.slow
    alarm.*.for
        ~ datapoints description periods: */alarm.slow
    alarm.*.statistic
        ~ description metrics.m.statistic: */alarm.slow
    alarm.*.missing
        ~ missing_data: */alarm.slow
    state.bucket
        nothing
    encryption.key
        +: global/key.main
        ~ policies: global/role.logs-replication, global/role.other-replication, global/role.pay-*
        ~ encryption: global/secret.keys, global/secret.other, global/table.ledger
        ~ encryption.algorithm encryption.key: */bucket.logs, */bucket.other
        ~ rules.drctl-logs-to-*.kms_key: */bucket_replication.logs
        ~ rules.drctl-other-to-*.kms_key: */bucket_replication.other
        ~ kms_key: function, log_group, topic
    guard.protect
        ~ deletion_protection: */table_replica.ledger
    ");
}

/// Every key that the tables of a spec take, as drctl itself lists them to who writes a wrong one.
fn keys(text: &str) -> BTreeSet<String> {
    let mut wrong = String::from("zzz = 1\n");
    for line in text.lines() {
        writeln!(wrong, "{}", line.replace("{ ", "{ zzz = 1, ")).expect("a string takes everything");
        if line.starts_with('[') {
            wrong.push_str("zzz = 1\n");
        }
    }
    let error = read(Path::new("spec.toml"), &wrong).expect_err("there are wrong keys");
    let mut keys = BTreeSet::new();
    for help in error.related().into_iter().flatten().filter_map(|problem| Some(problem.help()?.to_string())) {
        let Some((table, listed)) = help.split_once(" takes: ") else { continue };
        let table = table.trim_matches(['`', '[', ']']);
        let path = if table == "the spec" { String::new() } else { format!("{table}.") };
        keys.extend(listed.split(", ").map(|key| format!("{}{key}", unnamed(&path))));
    }
    keys
}

/// The path of a table with `*` for the names that the user chose.
fn unnamed(path: &str) -> String {
    let named = ["table", "bucket", "secret", "function", "alarm", "index"];
    let mut parts: Vec<&str> = path.split('.').collect();
    for place in 1..parts.len() {
        if named.contains(&parts[place - 1]) && !parts[place].is_empty() {
            parts[place] = "*";
        }
    }
    parts.join(".")
}

#[test]
fn every_key_that_a_table_takes_has_its_row() {
    let rows: BTreeSet<&str> = ROWS.iter().map(|(key, ..)| *key).chain(NO_PROPERTY).collect();
    let mut known = keys(FULL);
    for row in ROWS {
        known.extend(keys(&edited(*row)));
    }
    let covered = |key: &str| {
        rows.iter().any(|row| *row == key || row.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
    };
    let missing: Vec<_> = known.iter().filter(|key| !covered(key)).collect();
    assert!(missing.is_empty(), "add a row to `ROWS` that changes each of {missing:#?}");
    let unknown: Vec<_> = rows.iter().filter(|row| !known.contains(**row)).collect();
    assert!(unknown.is_empty(), "no table takes {unknown:#?}");
}
