//! Rules that hold for every spec and in every world, whatever goes wrong on the way.

mod adopt;
mod dark;
mod saved;

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

use futures::executor::block_on;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;
use tempfile::TempDir;

use super::fake::{FakeCloud, Fault, System, with};
use super::{Cloud, Event, Options, Outcome, execute, observe};
use crate::graph::{Address, FailureClass};
use crate::plan::{Action, Plan, destroy, plan};
use crate::state::{Folder, Known, Reach, Store};
use crate::tests::{SPEC, at, text};

/// A world, and the folder where drctl remembers it.
struct Lab {
    cloud: FakeCloud,
    folder: TempDir,
    parallelism: usize,
}

impl Lab {
    fn new() -> Self {
        // Every record is synced to disk; where there is a disk in memory, that costs nothing.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        Self { cloud: FakeCloud::new(), folder: folder.expect("a temporary folder can be made"), parallelism: 16 }
    }

    fn home(&self, system: &System) -> Folder {
        Folder::new(self.folder.path().to_owned(), system.owner.clone())
    }

    fn store(&self, system: &System) -> Store {
        Store::Folder(self.home(system))
    }

    fn known(&self, system: &System) -> Known {
        block_on(self.store(system).read()).unwrap()
    }

    fn plan(&self, system: &System) -> Plan {
        let known = self.known(system);
        let subject = system.subject(&known.index);
        plan(&subject.basis(&block_on(observe(&self.cloud, subject)).unwrap()))
    }

    fn plan_destroy(&self, system: &System) -> Plan {
        let known = self.known(system);
        let subject = system.subject(&known.index);
        destroy(&subject.basis(&block_on(observe(&self.cloud, subject)).unwrap()))
    }

    fn apply(&self, system: &System) -> Option<Outcome> {
        self.carry_out(system, &self.plan(system), usize::MAX)
    }

    fn destroy(&self, system: &System) -> Option<Outcome> {
        self.carry_out(system, &self.plan_destroy(system), usize::MAX)
    }

    /// Carries a plan out as a new process would, and stops it politely after some steps; `None` if it was killed.
    fn carry_out(&self, system: &System, plan: &Plan, steps: usize) -> Option<Outcome> {
        let mut state = block_on(self.store(system).lock("apply", Reach::Every)).unwrap();
        let before = self.cloud.mutations();
        let options = Options {
            kinds: &system.kinds,
            parallelism: self.parallelism,
            stopping: &|| self.cloud.mutations() - before >= steps,
            events: &|_| {},
        };
        let outcome = {
            let mut run = pin!(execute(&self.cloud, plan, &mut state, &options));
            block_on(poll_fn(|cx| match run.as_mut().poll(cx) {
                Poll::Ready(outcome) => Poll::Ready(Some(outcome.unwrap())),
                Poll::Pending if self.cloud.is_dead() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }))
        };
        self.cloud.recover();
        outcome
    }

    fn lose_state(&self, system: &System) {
        let _ = std::fs::remove_file(self.home(system).file()); // there is none before the first apply
    }

    fn recorded(&self, system: &System) -> Vec<Address> {
        self.known(system).index.resources.into_keys().collect()
    }

    /// Everything is as the spec says and recorded, nothing else is there, and nothing was done out of turn.
    #[track_caller]
    fn assert_converged(&self, system: &System) {
        assert_eq!(self.cloud.complaints(), [""; 0]);
        assert_eq!(self.recorded(system), system.graph.iter().map(|(address, _)| address.clone()).collect::<Vec<_>>());
        let again = self.plan(system);
        assert!(!again.has_changes() && again.conflicts.is_empty(), "{}", text(&again));
        assert_eq!(self.cloud.things().len(), system.graph.iter().count(), "{:#?}", self.cloud.things());
    }

    #[track_caller]
    fn assert_nothing_is_left(&self, system: &System) {
        assert_eq!(self.cloud.complaints(), [""; 0]);
        assert_eq!(self.recorded(system), []);
        assert_eq!(self.cloud.things(), [""; 0]);
    }
}

#[track_caller]
fn assert_complete(outcome: Option<Outcome>) {
    let outcome = outcome.expect("nobody killed this run");
    assert!(outcome.is_complete(), "{outcome:#?}");
}

/// Everything that has to wait for one of these, directly or not.
fn dependents(plan: &Plan, first: &BTreeSet<Address>) -> BTreeSet<Address> {
    let mut broken = first.clone();
    loop {
        let more: BTreeSet<_> = plan
            .pending()
            .filter(|change| !broken.contains(&change.address) && !change.waits_for.is_disjoint(&broken))
            .map(|change| change.address.clone())
            .collect();
        if more.is_empty() {
            return &broken - first;
        }
        broken.extend(more);
    }
}

/// A spec of up to two tables and three functions.
fn specs() -> impl Strategy<Value = String> {
    let tables = subsequence(vec!["ledger", "payments"], 0..=2).prop_flat_map(|names| {
        let count = names.len();
        (Just(names), prop::collection::vec((any::<bool>(), any::<bool>()), count))
    });
    let settings = (
        select(vec![128, 256]),
        select(vec!["7d", "30d", "never"]),
        select(vec!["", "reserved-concurrency = 0", "reserved-concurrency = 5"]),
        select(vec!["", "url = { auth = \"none\" }", "url = { auth = \"iam\" }"]),
        select(vec!["pass-through", "active"]),
        prop::collection::vec(select(vec!["", "read", "write"]), 2),
    );
    let functions = subsequence(vec!["audit", "check", "pay"], 0..=3).prop_flat_map(move |names| {
        let count = names.len();
        (Just(names), prop::collection::vec(settings.clone(), count))
    });
    let dns = select(vec!["", "zone = \"example.com\"", "zone = \"example.org\"\nrouting = \"failover\""]);
    let dns = (dns, select(vec!["10s", "30s"]));
    let encryption = select(vec!["", "[encryption]\nkey = \"customer\"\n", "[encryption]\nkey = \"retired\"\n"]);
    (tables, functions, any::<bool>(), any::<bool>(), any::<bool>(), dns, encryption).prop_map(
        |((tables, traits), (functions, settings), swapped, tagged, protected, (dns, interval), encryption)| {
            let (primary, secondary) = if swapped { ("us-west-2", "us-east-1") } else { ("us-east-1", "us-west-2") };
            let mut spec = format!(
                "schema = 1\n[system]\nname = \"dr\"\nenvironment = \"test\"\nsuffix = \"t1\"\n{}\
                 [region]\nprimary = \"{primary}\"\nsecondary = \"{secondary}\"\n[guard]\nprotect = [{}]\n",
                if tagged { "tags = { team = \"a\" }\n" } else { "" },
                if protected { "\"table\"" } else { "" },
            );
            spec += encryption;
            for (name, (ttl, index)) in tables.iter().zip(traits) {
                spec += &format!("[table.{name}]\nkey = \"id\"\n");
                spec += if ttl { "ttl = \"expires\"\n" } else { "" };
                spec += if index { "index.by-day = { key = \"day\" }\n" } else { "" };
            }
            let mut payer = None;
            for (name, (memory, retention, reserved, url, tracing, uses)) in functions.iter().zip(settings) {
                spec += &format!(
                    "[function.{name}]\nsource = \"x\"\nmemory = {memory}\nlog-retention = \"{retention}\"\n\
                     {reserved}\n{url}\ntracing = \"{tracing}\"\n[function.{name}.uses]\n"
                );
                if url.contains("none") && tables.iter().zip(&uses).any(|(_, access)| *access == "write") {
                    payer.get_or_insert(*name);
                }
                for (table, access) in tables.iter().zip(uses).filter(|(_, access)| !access.is_empty()) {
                    spec += &format!("table.{table} = \"{access}\"\n");
                }
                if *name != functions[0] {
                    spec += &format!("function.{} = \"read\"\n", functions[0]);
                }
            }
            if let (Some(payer), false) = (payer, dns.is_empty()) {
                spec += &format!("[dns]\nrecord = \"api\"\n{dns}\n");
                spec += &format!("health-check = {{ function = \"{payer}\", interval = \"{interval}\" }}\n");
            }
            spec
        },
    )
}

fn faults() -> impl Strategy<Value = Fault> {
    select(vec![Fault::Refused, Fault::HalfDone, Fault::AnswerLost])
}

fn few() -> ProptestConfig {
    ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(few())]

    #[test]
    fn applied_then_replanned_is_empty(first in specs(), second in specs(), parallelism in 1..20usize) {
        let lab = Lab { parallelism, ..Lab::new() };
        for spec in [first, second] {
            let system = System::new(&spec);
            assert_complete(lab.apply(&system));
            lab.assert_converged(&system);
        }
    }

    #[test]
    fn a_failure_stops_only_what_depends_on_it_and_the_next_run_converges(
        first in specs(), second in specs(), nth in 1..30usize, fault in faults(),
    ) {
        let (lab, system) = (Lab::new(), System::new(&second));
        assert_complete(lab.apply(&System::new(&first)));
        let plan = lab.plan(&system);
        lab.cloud.fail(nth, fault);
        let outcome = lab.carry_out(&system, &plan, usize::MAX).unwrap();
        let failed: BTreeSet<_> = outcome.failed.iter().map(|(address, _)| address.clone()).collect();
        prop_assert_eq!(failed.len(), usize::from(nth <= plan.pending().count()));
        prop_assert_eq!(outcome.skipped.into_iter().collect::<BTreeSet<_>>(), dependents(&plan, &failed));
        assert_complete(lab.apply(&system));
        lab.assert_converged(&system);
    }

    #[test]
    fn killed_anywhere_the_next_run_converges(
        first in specs(), second in specs(), nth in 1..30usize, lost in any::<bool>(),
    ) {
        let (lab, system) = (Lab::new(), System::new(&second));
        assert_complete(lab.apply(&System::new(&first)));
        lab.cloud.fail(nth, Fault::Killed);
        lab.apply(&system);
        if lost {
            lab.lose_state(&system);
        }
        assert_complete(lab.apply(&system));
        lab.assert_converged(&system);
    }

    #[test]
    fn interrupted_anywhere_the_next_run_continues(first in specs(), second in specs(), steps in 0..20usize) {
        let (lab, system) = (Lab::new(), System::new(&second));
        assert_complete(lab.apply(&System::new(&first)));
        let plan = lab.plan(&system);
        let outcome = lab.carry_out(&system, &plan, steps).unwrap();
        prop_assert!(outcome.failed.is_empty());
        prop_assert_eq!(outcome.done.len() + outcome.skipped.len(), plan.pending().count());
        assert_complete(lab.apply(&system));
        lab.assert_converged(&system);
    }

    #[test]
    fn losing_the_state_changes_nothing(first in specs(), second in specs()) {
        let lab = Lab::new();
        let (before, after) = (System::new(&first), System::new(&second));
        assert_complete(lab.apply(&before));
        let actions = |plan: Plan| {
            let pending = plan.pending().map(|change| (change.address.clone(), change.action));
            pending.collect::<Vec<(Address, Action)>>()
        };
        let with_state = actions(lab.plan(&after));
        lab.lose_state(&before);
        prop_assert!(!lab.plan(&before).has_changes());
        prop_assert_eq!(actions(lab.plan(&after)), with_state);
        assert_complete(lab.apply(&after));
        lab.assert_converged(&after);
    }

    #[test]
    fn destroy_leaves_nothing(first in specs(), second in specs(), lost in any::<bool>(), nth in 1..40usize) {
        let lab = Lab::new();
        let (applied, now) = (System::new(&first), System::new(&second));
        assert_complete(lab.apply(&applied));
        if lost {
            lab.lose_state(&applied);
        }
        lab.cloud.fail(nth, Fault::Killed);
        lab.destroy(&now);
        assert_complete(lab.destroy(&now));
        lab.assert_nothing_is_left(&now);
        prop_assert!(!lab.plan_destroy(&now).has_changes());
    }

    #[test]
    fn reads_that_lag_are_waited_for(first in specs(), second in specs(), seconds in 0..50u64) {
        let lab = Lab { cloud: FakeCloud::lagging(Duration::from_secs(seconds)), ..Lab::new() };
        for spec in [first, second] {
            let system = System::new(&spec);
            assert_complete(lab.apply(&system));
            lab.assert_converged(&system);
        }
    }
}

fn group() -> Address {
    at("us-east-1/log_group.pay")
}

const GROUP: &str = "/aws/lambda/pay-t1";

#[test]
fn what_is_ours_and_exists_already_is_taken_up_and_brought_up_to_date() {
    let (lab, system) = (Lab::new(), System::new(SPEC));
    let plan = lab.plan(&system);
    let ours = plan.get(&group()).unwrap().after.clone().unwrap();
    lab.cloud.put(&group(), GROUP, Some(with(&ours, "retention_days", json!(1))));
    assert_complete(lab.carry_out(&system, &plan, usize::MAX));
    lab.assert_converged(&system);
}

#[test]
fn what_exists_already_is_waited_for_until_reads_show_it() {
    let (lab, system) = (Lab { cloud: FakeCloud::lagging(Duration::from_secs(10)), ..Lab::new() }, System::new(SPEC));
    let plan = lab.plan(&system);
    block_on(lab.cloud.pause(Duration::from_secs(1)));
    lab.cloud.put(&group(), GROUP, plan.get(&group()).unwrap().after.clone());
    assert_complete(lab.carry_out(&system, &plan, usize::MAX));
}

#[test]
fn what_appears_under_our_name_and_is_a_strangers_is_refused() {
    for tags in [json!({}), json!({ "drctl:system": "other", "drctl:suffix": "t1" })] {
        let (lab, system) = (Lab::new(), System::new(SPEC));
        let plan = lab.plan(&system);
        let strangers = with(plan.get(&group()).unwrap().after.as_ref().unwrap(), "tags", tags);
        lab.cloud.put(&group(), GROUP, Some(strangers.clone()));
        let outcome = lab.carry_out(&system, &plan, usize::MAX).unwrap();
        let [(address, failure)] = &outcome.failed[..] else { panic!("{outcome:#?}") };
        assert_eq!((address, failure.class), (&group(), FailureClass::Exists));
        assert_eq!(outcome.skipped, [at("us-east-1/function.pay"), at("us-east-1/function_url.pay")]);
        assert_eq!(lab.cloud.get(&group(), GROUP), strangers);
        assert_eq!(lab.plan(&system).conflicts.len(), 1);
    }
}

#[test]
fn a_strangers_thing_under_our_name_survives_a_destroy() {
    let (lab, system) = (Lab::new(), System::new(SPEC));
    let strangers = with(&system.graph.get(&group()).unwrap().properties, "tags", json!({}));
    lab.cloud.put(&group(), GROUP, Some(strangers));
    lab.destroy(&system);
    assert_eq!(lab.cloud.things(), ["us-east-1/log_group:/aws/lambda/pay-t1"]);
}

#[test]
fn no_more_steps_are_under_way_than_asked_for() {
    let system = System::new(SPEC);
    for parallelism in [1, 2, 5] {
        let (lab, running, most) = (Lab::new(), AtomicUsize::new(0), AtomicUsize::new(0));
        let mut state = block_on(lab.store(&system).lock("apply", Reach::Every)).unwrap();
        let count = |event| match event {
            Event::Started { .. } => drop(most.fetch_max(running.fetch_add(1, Relaxed) + 1, Relaxed)),
            Event::Finished { .. } => drop(running.fetch_sub(1, Relaxed)),
            _ => {}
        };
        let options = Options { kinds: &system.kinds, parallelism, stopping: &|| false, events: &count };
        let plan = lab.plan(&system);
        assert_complete(block_on(execute(&lab.cloud, &plan, &mut state, &options)).ok());
        assert_eq!(most.into_inner(), parallelism);
    }
}

#[test]
fn what_comes_after_a_change_of_a_role_waits_until_that_is_in_force() {
    let with_key = format!("{SPEC}[encryption]\nkey = \"customer\"\n");
    let lab = Lab::new();
    assert_complete(lab.apply(&System::new(SPEC)));
    assert_complete(lab.apply(&System::new(&with_key)));
    let changed = |address: &str, id: &str| lab.cloud.changed_at(&at(address), id);
    let roles = ["us-east-1", "us-west-2"]
        .map(|region| changed(&format!("global/role.pay-{region}"), &format!("pay-{region}-t1")));
    let (table, lag) = (changed("global/table.payments", "payments-t1"), Duration::from_secs(15));
    assert!(roles.iter().all(|role| *role + lag <= table), "{roles:?} {table:?}");
    assert!(changed("us-east-1/log_group.pay", GROUP) < roles[0] + lag, "what needs no role does not wait");
}

#[test]
fn what_waits_for_a_change_to_be_in_force_is_not_begun_once_nothing_more_is() {
    let lab = Lab::new();
    assert_complete(lab.apply(&System::new(SPEC)));
    let with_key = System::new(&format!("{SPEC}[encryption]\nkey = \"customer\"\n"));
    let plan = lab.plan(&with_key);
    let mut state = block_on(lab.store(&with_key).lock("apply", Reach::Every)).unwrap();
    let begun = lab.cloud.now();
    // Within the 15 s for which the table waits.
    let stopping = || lab.cloud.now() >= begun + Duration::from_secs(10);
    let options = Options { kinds: &with_key.kinds, parallelism: 16, stopping: &stopping, events: &|_| {} };
    let outcome = block_on(execute(&lab.cloud, &plan, &mut state, &options)).unwrap();
    assert!(outcome.skipped.contains(&at("global/table.payments")), "{outcome:?}");
    assert!(outcome.done.iter().any(|(address, _)| *address == at("global/role.pay-us-east-1")), "{outcome:?}");
}

#[test]
fn what_was_changed_outside_is_put_back() {
    let (lab, system) = (Lab::new(), System::new(SPEC));
    assert_complete(lab.apply(&system));
    let live = lab.cloud.get(&group(), GROUP);
    lab.cloud.put(&group(), GROUP, Some(with(&live, "retention_days", json!(null))));
    assert_eq!(lab.plan(&system).pending().count(), 1);
    assert_complete(lab.apply(&system));
    lab.assert_converged(&system);
}

#[test]
fn what_was_deleted_outside_is_made_again() {
    let (lab, system) = (Lab::new(), System::new(SPEC));
    assert_complete(lab.apply(&system));
    lab.cloud.put(&group(), GROUP, None);
    assert_complete(lab.apply(&system));
    lab.assert_converged(&system);
}

#[test]
fn what_still_differs_after_a_minute_is_told() {
    let lab = Lab { cloud: FakeCloud::lagging(Duration::from_secs(90)), ..Lab::new() };
    let outcome = lab.apply(&System::new(SPEC)).unwrap();
    assert!(outcome.failed.is_empty() && outcome.skipped.is_empty());
    assert_eq!(outcome.different.len(), outcome.done.len());
}

#[test]
fn a_replaced_table_loses_its_protection_first_and_has_all_its_settings_again() {
    let replaced = System::new(&SPEC.replace("key = \"id\"", "key = \"number\""));
    for killed in 0..6 {
        let lab = Lab::new();
        assert_complete(lab.apply(&System::new(SPEC)));
        lab.cloud.fail(killed, Fault::Killed);
        lab.apply(&replaced);
        assert_complete(lab.apply(&replaced));
        lab.assert_converged(&replaced);
    }
}

#[test]
fn a_system_that_moves_to_another_region_takes_its_table_along() {
    for lost in [false, true] {
        let (lab, before) = (Lab::new(), System::new(SPEC));
        let moved = System::new(&SPEC.replace("us-west-2", "eu-west-1"));
        assert_complete(lab.apply(&before));
        if lost {
            lab.lose_state(&before);
        }
        assert_complete(lab.apply(&moved));
        lab.assert_converged(&moved);
    }
}

#[test]
fn what_could_not_be_deleted_is_told_once() {
    let system = System::new(SPEC);
    for nth in 1..=system.graph.iter().count() {
        let lab = Lab::new();
        assert_complete(lab.apply(&system));
        let plan = lab.plan_destroy(&system);
        lab.cloud.fail(nth, Fault::Refused);
        let outcome = lab.carry_out(&system, &plan, usize::MAX).unwrap();
        assert_eq!(outcome.failed.len(), 1);
        assert_eq!(outcome.different, [], "{} has failed, and that is all", outcome.failed[0].0);
    }
}

#[test]
fn what_could_not_be_deleted_keeps_its_record() {
    let (lab, system) = (Lab::new(), System::new(SPEC));
    assert_complete(lab.apply(&system));
    let plan = lab.plan_destroy(&system);
    lab.cloud.fail(plan.pending().count(), Fault::Refused);
    let outcome = lab.carry_out(&system, &plan, usize::MAX).unwrap();
    assert_eq!(outcome.failed.len(), 1);
    let failed = outcome.failed[0].0.clone();
    assert!(lab.recorded(&system).contains(&failed), "{failed} is still there and forgotten");
    assert_complete(lab.destroy(&system));
    lab.assert_nothing_is_left(&system);
}
