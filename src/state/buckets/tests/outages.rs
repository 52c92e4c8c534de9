//! S3 cannot serve one of the buckets, in whatever way.

use super::*;
use crate::graph::FailureClass;

const OUTAGES: [FailureClass; 4] =
    [FailureClass::Dark, FailureClass::Unreachable, FailureClass::Throttled, FailureClass::Internal];

const ALL: &[&str] = &["read", "write", "remove", "list"];

#[tokio::test]
async fn whatever_makes_a_bucket_useless_is_enough_only_with_degraded() {
    for class in OUTAGES {
        let world = World::new();
        apply(&world, Reach::Every, "a").await.unwrap();
        world.east.fail(ALL, class);
        assert_eq!(names(&world).await, ["a"], "a plan reads what it can");
        let said = world.remarks();
        assert!(said.starts_with("the state was read without") && said.lines().count() == 1, "{said}");
        let refused = apply(&world, Reach::Every, "b").await.unwrap_err();
        let help = miette::Diagnostic::help(&refused).unwrap().to_string();
        assert!(help.contains("need only the other bucket with `--degraded`"), "{class:?}: {help}");
        apply(&world, Reach::Any, "b").await.unwrap();
        world.east.fail(&[], class);
        apply(&world, Reach::Every, "c").await.unwrap();
        assert_eq!(names(&world).await, ["a", "b", "c"]);
        assert_eq!(world.east.text(INDEX), world.west.text(INDEX));
    }
}

#[tokio::test]
async fn who_may_not_use_a_bucket_has_to_be_allowed_to() {
    let world = World::new();
    apply(&world, Reach::Every, "a").await.unwrap();
    for method in ["read", "write", "list"] {
        world.east.fail(&[method], FailureClass::Denied);
        assert!(apply(&world, Reach::Any, "b").await.is_err(), "{method}");
        world.east.fail(&[], FailureClass::Denied);
    }
    let mut state = world.store().lock("apply", Reach::Any).await.unwrap();
    world.east.fail(&["write"], FailureClass::Denied);
    state.record(address(), record());
    assert!(state.save().await.is_err());
}

#[tokio::test]
async fn a_copy_that_could_not_be_read_is_left_as_it_is_until_the_next_run() {
    for class in OUTAGES {
        let world = World::new();
        apply(&world, Reach::Every, "a").await.unwrap();
        let before = world.west.text(INDEX);
        world.west.fail(&["read"], class);
        assert!(world.store().lock("apply", Reach::Every).await.is_err());
        let mut state = world.store().lock("apply", Reach::Any).await.unwrap();
        world.west.fail(&[], class);
        state.save().await.unwrap();
        assert_eq!(world.east.text(INDEX), before, "nobody knows that a copy is behind");
        state.record(Address::global("role", "b"), record());
        state.save().await.unwrap();
        assert_eq!(world.west.text(INDEX), before);
        state.release().await;
        apply(&world, Reach::Every, "c").await.unwrap();
        assert_eq!(names(&world).await, ["a", "b", "c"]);
        assert_eq!(world.east.text(INDEX), world.west.text(INDEX));
    }
}

#[tokio::test]
async fn a_write_is_kept_once_one_bucket_has_it() {
    for class in OUTAGES {
        let world = World::new();
        let mut state = world.store().lock("apply", Reach::Every).await.unwrap();
        world.west.fail(&["write"], class);
        state.record(address(), record());
        state.save().await.unwrap();
        assert!(world.remarks().contains("kept in one bucket only"), "{}", world.remarks());
        world.east.fail(&["write"], class);
        state.forget(&address());
        assert!(state.save().await.is_err(), "no bucket has it");
    }
}

#[tokio::test]
async fn no_state_is_begun_while_there_may_be_one_where_nobody_can_look() {
    let world = World::new();
    apply(&world, Reach::Every, "a").await.unwrap();
    world.east.exist(true);
    world.west.answer(false);
    let error = apply(&world, Reach::Any, "b").await.unwrap_err();
    assert!(matches!(&error, StateError::Hidden { bucket, .. } if bucket == "drctl-state-acme-us-west-2"), "{error}");
    assert!(error.is_unanswered());
    assert!(world.east.keys().is_empty(), "the lock was given back");
    world.west.answer(true);
    apply(&world, Reach::Every, "b").await.unwrap();
    assert_eq!(names(&world).await, ["a", "b"]);

    // The bucket that is not there has none.
    let world = World::new();
    world.west.exist(false);
    apply(&world, Reach::Every, "a").await.unwrap();
}
