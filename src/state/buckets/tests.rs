//! The state in two buckets: what is kept, what is lost with one of them, and who may write.

use super::fake::{FakeBucket, World};
use super::lease::LEASE;
use super::lock::Lock;
use super::*;
use crate::graph::Address;
use crate::state::tests::{address, record};

mod outages;
mod overrides;

const INDEX: &str = "payment-dr-t1.json";
const LOCK: &str = "payment-dr-t1.lock";

/// Applies something that changes a record.
async fn apply(world: &World, reach: Reach, name: &str) -> Result<(), StateError> {
    let mut state = world.store().lock("apply", reach).await?;
    state.record(Address::global("role", name), record());
    let saved = state.save().await;
    state.release().await;
    saved
}

async fn names(world: &World) -> Vec<String> {
    let known = world.store().read().await.expect("it can be read");
    known.index.resources.into_keys().map(|address| address.name).collect()
}

#[tokio::test]
async fn what_is_recorded_is_in_both_buckets_and_the_lock_is_given_back() {
    let world = World::new();
    apply(&world, Reach::Every, "a").await.unwrap();
    apply(&world, Reach::Every, "b").await.unwrap();
    assert_eq!(names(&world).await, ["a", "b"]);
    assert_eq!(world.east.text(INDEX), world.west.text(INDEX));
    assert_eq!(world.both().map(FakeBucket::keys), [[INDEX], [INDEX]]);
    assert_eq!(world.store().read().await.unwrap().index.serial, 2);
    assert_eq!(world.remarks(), "");
}

#[tokio::test]
async fn losing_either_bucket_loses_nothing_and_the_next_write_heals_it() {
    for lost in [0, 1] {
        let world = World::new();
        apply(&world, Reach::Every, "a").await.unwrap();
        world.both()[lost].exist(false);
        assert_eq!(names(&world).await, ["a"]);
        assert!(world.remarks().contains("`drctl state init` makes it again"), "{}", world.remarks());
        apply(&world, Reach::Every, "b").await.unwrap();
        world.both()[lost].exist(true);
        assert_eq!(names(&world).await, ["a", "b"]);

        let mut state = world.store().lock("apply", Reach::Every).await.unwrap();
        state.save().await.unwrap();
        state.release().await;
        assert_eq!(world.east.text(INDEX), world.west.text(INDEX), "healed although nothing changed");
    }
}

#[tokio::test]
async fn without_any_bucket_the_way_on_is_to_make_them() {
    let world = World::new();
    world.each(|bucket| bucket.exist(false));
    for error in [world.store().read().await.err(), world.store().lock("apply", Reach::Any).await.err()] {
        let Some(StateError::NoBuckets { names }) = error else { panic!("{error:?}") };
        assert_eq!(names, ["drctl-state-acme-us-west-2", "drctl-state-acme-us-east-1"]);
    }
}

#[tokio::test]
async fn a_region_that_does_not_answer_is_enough_only_with_degraded() {
    let world = World::new();
    apply(&world, Reach::Every, "a").await.unwrap();
    world.east.answer(false);
    assert_eq!(names(&world).await, ["a"], "a plan reads what answers");
    let refused = apply(&world, Reach::Every, "b").await.unwrap_err();
    assert!(refused.is_unanswered(), "{refused}");
    assert_eq!(world.west.keys(), [INDEX], "the lock was given back");

    apply(&world, Reach::Any, "b").await.unwrap();
    apply(&world, Reach::Any, "c").await.unwrap();
    assert!(world.remarks().contains("the state is kept without drctl-state-acme-us-east-1"), "{}", world.remarks());
    world.east.answer(true);
    apply(&world, Reach::Every, "d").await.unwrap();
    assert_eq!(names(&world).await, ["a", "b", "c", "d"]);
    assert_eq!(world.east.text(INDEX), world.west.text(INDEX));

    world.each(|bucket| bucket.answer(false));
    assert!(world.store().read().await.unwrap_err().is_unanswered());
    assert!(apply(&world, Reach::Any, "e").await.unwrap_err().is_unanswered());
}

#[tokio::test]
async fn a_bucket_that_goes_silent_during_a_run_gets_the_index_from_the_next_one() {
    let world = World::new();
    let mut state = world.store().lock("apply", Reach::Every).await.unwrap();
    state.record(address(), record());
    state.save().await.unwrap();
    world.west.answer(false);
    state.forget(&address());
    state.save().await.unwrap();
    assert!(world.remarks().contains("kept in one bucket only"), "{}", world.remarks());
    state.release().await;
    world.west.answer(true);
    // Nobody could give back the lock there.
    assert!(matches!(apply(&world, Reach::Every, "a").await, Err(StateError::Leased { .. })));
    world.west.pass(61);
    apply(&world, Reach::Every, "a").await.unwrap();
    assert_eq!(names(&world).await, ["a"]);
    assert_eq!(world.east.text(INDEX), world.west.text(INDEX));
}

#[tokio::test]
async fn copies_that_do_not_belong_together_are_refused_and_can_be_written_anew() {
    let world = World::new();
    apply(&world, Reach::Every, "a").await.unwrap();
    let other = World::new();
    apply(&other, Reach::Every, "a").await.unwrap();
    world.east.set(INDEX, other.east.text(INDEX).as_deref());
    for error in [world.store().read().await.err(), world.store().lock("apply", Reach::Every).await.err()] {
        assert!(matches!(error, Some(StateError::Diverged { .. })), "{error:?}");
    }
    rebuild(&world, &["a"]).await;
}

#[tokio::test]
async fn a_damaged_copy_is_named_and_can_be_written_anew() {
    for text in ["", "{", "{\"format_version\": 1}"] {
        let world = World::new();
        apply(&world, Reach::Every, "a").await.unwrap();
        let lineage = world.store().read().await.unwrap().index.lineage;
        world.east.set(INDEX, Some(text));
        let error = world.store().read().await.unwrap_err();
        assert!(matches!(error, StateError::DamagedCopy { .. }), "{error}");
        assert!(error.to_string().contains("s3://drctl-state-acme-us-east-1/payment-dr-t1.json"), "{error}");
        assert!(world.store().lock("apply", Reach::Any).await.is_err());
        assert_eq!(world.east.keys(), [INDEX], "the lock was given back");
        rebuild(&world, &["a"]).await;
        assert_eq!(world.store().read().await.unwrap().index.lineage, lineage, "the good copy says whose it is");
    }
}

#[tokio::test]
async fn a_newer_copy_or_another_systems_is_never_written_over() {
    let world = World::new();
    apply(&world, Reach::Every, "a").await.unwrap();
    let whole = world.east.text(INDEX).unwrap();
    let newer = whole.replace("\"format_version\": 1", "\"format_version\": 99");
    let others = whole.replace("\"payment-dr\"", "\"payment\"").replace("\"t1\"", "\"dr-t1\"");
    for (text, says) in [(newer, "has format 99"), (others, "belongs to payment, suffix dr-t1")] {
        world.east.set(INDEX, Some(&text));
        let store = world.store();
        for error in [
            store.read().await.err(),
            store.lock("apply", Reach::Any).await.err(),
            store.lock_anew("state rebuild").await.err(),
        ] {
            let error = error.expect("it is refused");
            assert!(matches!(error, StateError::Newer { .. } | StateError::Anothers { .. }), "{error}");
            assert!(error.to_string().contains(says), "{error}");
        }
        assert_eq!((world.east.text(INDEX), world.east.keys()), (Some(text), vec![INDEX.to_owned()]));
    }
}

/// Writes the index anew, with one record, although these are still known.
async fn rebuild(world: &World, known: &[&str]) {
    let mut state = world.store().lock_anew("state rebuild").await.unwrap();
    assert_eq!(state.index().resources.keys().map(|address| &address.name).collect::<Vec<_>>(), known);
    state.replace([(Address::global("role", "anew"), record())].into());
    state.save().await.unwrap();
    state.release().await;
    assert_eq!(names(world).await, ["anew"]);
    assert_eq!(world.east.text(INDEX), world.west.text(INDEX));
}

#[tokio::test]
async fn of_two_at_once_one_is_told_who_the_other_is_and_how_to_go_on() {
    let world = World::new();
    let first = world.store().lock("apply", Reach::Every).await.unwrap();
    for reach in [Reach::Every, Reach::Any] {
        let Err(StateError::Leased { holder, unlock }) = world.store().lock("destroy", reach).await else {
            panic!("two hold the lock");
        };
        assert!(holder.starts_with("apply by ") && unlock.contains("drctl state unlock apply-"), "{holder} {unlock}");
    }
    assert!(world.store().read().await.is_ok());
    first.release().await;
    assert!(world.store().lock("destroy", Reach::Every).await.is_ok());
}

#[tokio::test]
async fn who_gets_only_some_of_the_buckets_gives_them_back() {
    let world = World::new();
    let theirs = Holder::now("apply").to_text();
    world.west.set(LOCK, Some(&theirs));
    assert!(matches!(apply(&world, Reach::Any, "a").await, Err(StateError::Leased { .. })));
    assert!(world.east.keys().is_empty());
    assert_eq!(world.west.text(LOCK), Some(theirs));
}

#[tokio::test]
async fn the_lock_of_a_dead_holder_is_taken_over_once_its_lease_is_over() {
    let world = World::new();
    std::mem::forget(world.store().lock("apply", Reach::Every).await.unwrap());
    world.each(|bucket| bucket.pass(60));
    assert!(matches!(apply(&world, Reach::Every, "a").await, Err(StateError::Leased { .. })));
    world.each(|bucket| bucket.pass(1));
    apply(&world, Reach::Every, "a").await.unwrap();
    assert!(world.remarks().contains("its lease is over: apply by"), "{}", world.remarks());
}

#[tokio::test]
async fn answers_that_are_lost_change_nothing() {
    let world = World::new();
    world.each(|bucket| bucket.lose_answers(1));
    let mut state = world.store().lock("apply", Reach::Every).await.unwrap();
    for name in ["a", "b"] {
        world.each(|bucket| bucket.lose_answers(1));
        state.record(Address::global("role", name), record());
        state.save().await.unwrap();
    }
    world.each(|bucket| bucket.lose_answers(1));
    state.release().await;
    assert_eq!(names(&world).await, ["a", "b"]);
    assert_eq!(world.both().map(FakeBucket::keys), [[INDEX], [INDEX]]);
}

#[tokio::test]
async fn who_writes_without_the_lock_stops_who_has_it() {
    let world = World::new();
    apply(&world, Reach::Every, "a").await.unwrap();
    let mut state = world.store().lock("apply", Reach::Every).await.unwrap();
    let text = world.west.text(INDEX).unwrap().replace("\"serial\": 1", "\"serial\": 7");
    world.west.set(INDEX, Some(&text));
    state.record(address(), record());
    let error = state.save().await.unwrap_err();
    assert!(matches!(error, StateError::Overtaken { .. }), "{error}");
    assert_eq!(world.west.text(INDEX), Some(text), "it is left as it is");
}

async fn lock(world: &World) -> Lock {
    let Buckets { buckets, remarks, .. } = world.buckets();
    Lock::take(&buckets, LOCK, "apply", Reach::Every, &remarks, drop).await.unwrap()
}

#[tokio::test]
async fn a_lock_is_renewed_also_when_an_answer_is_lost() {
    let world = World::new();
    let held = lock(&world).await;
    held.age(LEASE);
    assert!(held.lease().lost().is_some());
    world.each(|bucket| bucket.lose_answers(1));
    held.renew().await;
    assert!(held.lease().lost().is_none());
    world.each(|bucket| bucket.pass(59));
    assert!(matches!(apply(&world, Reach::Every, "a").await, Err(StateError::Leased { .. })));
}

#[tokio::test]
async fn a_lock_holds_in_one_bucket_while_the_other_is_silent_and_not_for_longer_than_a_lease() {
    let world = World::new();
    let held = lock(&world).await;
    world.east.answer(false);
    held.age(LEASE);
    held.renew().await;
    assert!(held.lease().lost().is_none(), "the other bucket has renewed it");
    world.west.answer(false);
    held.age(LEASE);
    held.renew().await;
    let lost = held.lease().lost().unwrap().to_string();
    assert!(lost.contains("could not be renewed for 60 s"), "{lost}");
    world.each(|bucket| bucket.answer(true));
    held.renew().await;
    assert!(held.lease().lost().is_none(), "nobody came in between");
}

#[tokio::test]
async fn a_lock_that_somebody_else_took_or_removed_is_lost_at_once() {
    for (theirs, says) in [
        (Some(Holder::now("destroy").to_text()), "somebody else has it now (destroy by"),
        (None, "somebody unlocked it"),
    ] {
        let world = World::new();
        let held = lock(&world).await;
        world.east.set(LOCK, theirs.as_deref());
        held.renew().await;
        let lost = held.lease().lost().unwrap().to_string();
        assert!(lost.contains(says), "{lost}");
        held.lease().give_back().await;
        assert_eq!(world.east.text(LOCK), theirs, "what is not ours stays");
    }
}

#[tokio::test]
async fn each_copy_is_told_with_who_holds_the_lock() {
    let world = World::new();
    apply(&world, Reach::Every, "a").await.unwrap();
    let _locked = world.store().lock("apply", Reach::Every).await.unwrap();
    world.east.set(INDEX, Some("{"));
    let [west, east] = world.store().look().await.try_into().expect("there are two");
    assert!(matches!(west.content, Content::Index(index) if index.serial == 1));
    assert!(matches!(east.content, Content::Damaged(_)));
    assert!([west.lock, east.lock].iter().all(|lock| lock.by().unwrap().starts_with("apply by")));
}

#[tokio::test]
async fn what_was_written_apart_is_refused_whatever_the_serials_say() {
    let world = World::new();
    apply(&world, Reach::Every, "a").await.unwrap();
    world.east.answer(false);
    apply(&world, Reach::Any, "west").await.unwrap();
    world.east.answer(true);
    world.west.answer(false);
    for name in ["b", "c", "d"] {
        apply(&world, Reach::Any, name).await.unwrap();
    }
    world.west.answer(true);
    world.each(|bucket| bucket.pass(61));
    for error in [world.store().read().await.err(), world.store().lock("apply", Reach::Any).await.err()] {
        let Some(StateError::Diverged { why }) = error else { panic!("{error:?}") };
        assert_eq!(why, "serial 4 does not go on from serial 2: they were written apart from each other");
    }
    rebuild(&world, &["a", "b", "c", "d", "west"]).await;
    apply(&world, Reach::Every, "e").await.unwrap();
}

#[tokio::test]
async fn the_index_is_removed_only_if_it_is_the_one_that_is_locked() {
    for lost in [0, 2] {
        let world = World::new();
        apply(&world, Reach::Every, "a").await.unwrap();
        let mut state = world.store().lock("destroy", Reach::Every).await.unwrap();
        state.forget(&Address::global("role", "a"));
        state.save().await.unwrap();
        world.each(|bucket| bucket.lose_answers(lost));
        state.remove_if_empty().await.unwrap();
        assert_eq!(world.both().map(FakeBucket::keys), [[LOCK], [LOCK]]);
    }
    let world = World::new();
    apply(&world, Reach::Every, "a").await.unwrap();
    let mut state = world.store().lock("destroy", Reach::Every).await.unwrap();
    state.forget(&Address::global("role", "a"));
    state.save().await.unwrap();
    let theirs = world.east.text(INDEX).unwrap().replace("\"serial\": 2", "\"serial\": 7");
    world.each(|bucket| bucket.set(INDEX, Some(&theirs)));
    let error = state.remove_if_empty().await.unwrap_err();
    assert!(matches!(error, StateError::Overtaken { .. }), "{error}");
    assert_eq!(world.both().map(|bucket| bucket.text(INDEX)), [Some(theirs.clone()), Some(theirs)]);
}
