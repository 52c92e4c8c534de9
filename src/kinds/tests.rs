//! What every kind has to make of AWS's answers, told once: there, absent, denied, throttled, incomplete.
//!
//! Each kind's own answers are in `NAME/aws/tests.rs`, as AWS writes them.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index as Spot;
use proptest::test_runner::TestRunner;

use super::{Artifacts, Context, Deletion, Found, Lifecycle, Seen, TagSource, Target};
use crate::aws::Clients;
use crate::aws::canned::{Canned, Counter, denials, throttles};
use crate::fuzz::cases;
use crate::graph::{Address, Failure, FailureClass, Owner, Place, Region, Tags};
use crate::plan::Sight;

/// The system of all canned answers.
pub(super) fn owner() -> Owner {
    Owner { system: "payment-dr".into(), environment: "production".into(), suffix: "prod-001".into() }
}

pub(super) fn region(name: &str) -> Region {
    Region::new(name)
}

/// Tags as a spec writes them.
pub(super) fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Targets of one kind in us-east-1 with these ids.
pub(super) fn targets<'a>(kind: &str, ids: impl IntoIterator<Item = &'a str>) -> Vec<Target> {
    let address = |id: &str| Address::regional(&region("us-east-1"), kind, id);
    ids.into_iter().map(|id| Target { address: address(id), id: id.to_owned() }).collect()
}

/// A resource that is looked for in a canned AWS, where its kind finds it whole.
pub(super) struct Case<T> {
    /// As IAM writes it.
    service: &'static str,
    place: Place,
    id: String,
    aws: Canned,
    counter: Counter,
    kind: std::marker::PhantomData<fn() -> T>,
}

impl<T: Lifecycle> Case<T> {
    /// A resource outside any region.
    pub(super) fn global(service: &'static str, id: &str, aws: Canned) -> Self {
        Self {
            service,
            place: Place::Global,
            id: id.to_owned(),
            aws,
            counter: Counter::open(),
            kind: std::marker::PhantomData,
        }
    }

    /// A resource in us-east-1.
    pub(super) fn regional(service: &'static str, id: &str, aws: Canned) -> Self {
        Self { place: Place::Region(region("us-east-1")), ..Self::global(service, id, aws) }
    }

    /// What is found.
    #[track_caller]
    pub(super) fn found(&self) -> Found<T> {
        self.look(self.aws.clone()).expect("every call has an answer").expect("it is there")
    }

    /// What is found after AWS's answers were changed.
    #[track_caller]
    pub(super) fn found_in(&self, change: impl FnOnce(Canned) -> Canned) -> Found<T> {
        self.look(change(self.aws.clone())).expect("every call has an answer").expect("it is there")
    }

    /// What went wrong after AWS's answers were changed.
    #[track_caller]
    pub(super) fn failure_in(&self, change: impl FnOnce(Canned) -> Canned) -> Failure {
        self.look(change(self.aws.clone())).expect_err("a failure")
    }

    /// Checks that nothing is there once AWS's answers were changed.
    #[track_caller]
    pub(super) fn is_absent_in(&self, change: impl FnOnce(Canned) -> Canned) {
        assert_eq!(self.look(change(self.aws.clone())), Ok(None));
    }

    /// Checks that nothing is there if these operations answer with such a code.
    #[track_caller]
    pub(super) fn is_absent_after(&self, refusals: &[(&str, &str)]) {
        for (operation, code) in refusals {
            let aws = self.aws.clone().refusing(operation, code, "there is none");
            assert_eq!(self.look(aws), Ok(None), "{operation} says {code}");
        }
    }

    /// Checks that each operation being denied, or throttled for good, is that failure, and never an absence.
    #[track_caller]
    pub(super) fn fails_with_every_operation(&self) {
        for (codes, class) in
            [(denials(self.service), FailureClass::Denied), (throttles(self.service), FailureClass::Throttled)]
        {
            for code in codes {
                for operation in self.aws.operations() {
                    let aws = self.aws.clone().refusing(operation, code, "not you, not now");
                    let seen = self.look(aws);
                    let failure = seen.as_ref().err();
                    assert_eq!(failure.map(|failure| failure.class), Some(class), "{operation} says {code}: {seen:?}");
                    assert_eq!(failure.map(|failure| failure.code.as_str()), Some(*code), "{operation}");
                }
            }
        }
    }

    /// Checks that an answer without a part is a failure that names it: operation, part, and its name.
    #[track_caller]
    pub(super) fn needs(&self, parts: &[(&str, &str, &str)]) {
        for (operation, part, name) in parts {
            let seen = self.look(self.aws.clone().without(operation, part));
            let Err(failure) = &seen else { panic!("{operation} without {part}: {seen:?}") };
            assert_eq!(failure.class, FailureClass::Malformed, "{operation} without {part}: {failure}");
            assert!(failure.operation.starts_with(self.service), "{failure}");
            assert!(failure.message.contains(name), "{operation} without {part}: {failure}");
        }
    }

    /// Checks that an answer changed like this is a failure that says so.
    #[track_caller]
    pub(super) fn is_malformed_in(&self, change: impl FnOnce(Canned) -> Canned, says: &str) {
        let failure = self.failure_in(change);
        assert_eq!(failure.class, FailureClass::Malformed, "{failure}");
        assert!(failure.message.contains(says), "{failure}");
    }

    /// Checks that nothing that AWS may say makes drctl panic: answers cut, changed and mixed up anywhere.
    pub(super) fn bears_any_answer(&self) {
        let mut runner = TestRunner::new(cases(48));
        let operations: Vec<&str> = self.aws.operations().collect();
        let change = (any::<Spot>(), any::<Spot>(), any::<Spot>(), 0..40_usize);
        let changes = prop::collection::vec(change, 1..4);
        let outcome = runner.run(&changes, |changes| {
            let aws = changes.iter().fold(self.aws.clone(), |aws, (operation, at, from, length)| {
                aws.garbled(operations[operation.index(operations.len())], *at, *from, *length)
            });
            drop(self.look(aws));
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
    }

    fn look(&self, aws: Canned) -> Result<Option<Found<T>>, Failure> {
        let targets = [Target {
            address: Address { place: self.place.clone(), kind: T::KIND.into(), name: "it".into() },
            id: self.id.clone(),
        }];
        self.counter.offer(aws);
        let mut seen = observe::<T>(&self.counter.clients, &self.place, &targets);
        seen.remove(&targets[0].address).unwrap_or(Ok(None))
    }
}

/// Looks for resources of one kind and place, and counts the calls that it takes.
pub(super) fn observed<T: Lifecycle>(aws: Canned, place: &Place, targets: &[Target]) -> (Seen<T>, usize) {
    let counter = Counter::open();
    counter.offer(aws);
    let seen = observe(&counter.clients, place, targets);
    (seen, counter.clients.meter.total())
}

/// Looks for one resource as the engine does, which knows no kinds.
pub(super) fn erased(aws: Canned, target: Target) -> Sight {
    let counter = Counter::open();
    counter.offer(aws);
    let operations = super::find(&target.address.kind).expect("a kind of the registry").operations;
    let (place, targets) = (target.address.place.clone(), [target]);
    let mut seen = with_context(&counter.clients, &place, |cx| operations.observe(cx, &targets));
    seen.remove(&targets[0].address).expect("an answer for every target")
}

fn observe<T: Lifecycle>(clients: &Clients, place: &Place, targets: &[Target]) -> Seen<T> {
    with_context(clients, place, |cx| T::observe(cx, targets))
}

/// Does something to a canned AWS.
fn with_context<'a, F: Future>(
    clients: &'a Clients,
    place: &'a Place,
    work: impl FnOnce(Context<'a>) -> F,
) -> F::Output {
    static OWNER: LazyLock<Owner> = LazyLock::new(owner);
    static ARTIFACTS: Artifacts = Artifacts::new();
    let cx = Context {
        ends: None,
        clients,
        place,
        owner: &OWNER,
        tags: TagSource::Strict,
        artifacts: &ARTIFACTS,
        deletion: Deletion::Recoverable,
        progress: &|_| {},
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(work(cx))
}

/// What could become `wanted`.
pub(super) fn lookalikes<T: Lifecycle>(aws: Canned, wanted: &T) -> Vec<String> {
    let counter = Counter::open();
    counter.offer(aws);
    with_context(&counter.clients, &Place::Global, |cx| wanted.lookalikes(cx)).expect("every call has an answer")
}
