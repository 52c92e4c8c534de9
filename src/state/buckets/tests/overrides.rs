//! Overrides: in both buckets, kept until they are released, and released for good.

use super::*;
use crate::graph::FailureClass;
use crate::state::overrides::Override;
use crate::state::tests::failover;

const F: &str = "payment-dr-t1.overrides/f.json";

async fn overrides(world: &World) -> Vec<Override> {
    world.store().overrides().await.unwrap()
}

/// Whether each bucket, east's first, has anything under the override's key.
fn kept(world: &World) -> [bool; 2] {
    world.both().map(|bucket| bucket.text(F).is_some())
}

fn held() -> Override {
    failover("f", "2026-11-24T12:00:00Z")
}

/// Takes the lock and gives it back.
async fn lock_once(world: &World, reach: Reach) {
    world.store().lock("apply", reach).await.unwrap().release().await;
}

#[tokio::test]
async fn overrides_are_in_both_buckets_and_need_no_lock() {
    let world = World::new();
    let _locked = world.store().lock("apply", Reach::Every).await.unwrap();
    let (elder, younger) = (failover("z", "2026-11-24T12:00:00Z"), failover("a", "2026-11-25T12:00:00Z"));
    for held in [&younger, &elder, &elder] {
        world.store().put_override(held).await.unwrap();
    }
    assert_eq!(overrides(&world).await, [elder.clone(), younger.clone()]);
    let key = "payment-dr-t1.overrides/z.json";
    assert!(world.both().iter().all(|bucket| bucket.text(key).is_some()));
    assert!(world.store().release_override("z").await.unwrap());
    assert!(!world.store().release_override("z").await.unwrap(), "it is released");
    assert_eq!(world.store().read().await.unwrap().overrides, [younger]);
}

#[tokio::test]
async fn an_override_is_kept_and_released_where_anything_answers() {
    let world = World::new();
    world.east.answer(false);
    world.store().put_override(&held()).await.unwrap();
    assert!(world.remarks().contains("not kept there until the next `drctl apply`"), "{}", world.remarks());
    assert_eq!(overrides(&world).await, [held()]);
    world.east.answer(true);
    assert_eq!(overrides(&world).await, [held()], "one bucket is enough");
    world.buckets().spread_overrides().await.unwrap();
    world.west.answer(false);
    assert_eq!(overrides(&world).await, [held()], "now both have it");
    assert!(world.store().release_override("f").await.unwrap());
    assert!(world.remarks().contains("still holds, until the next `drctl apply`"), "{}", world.remarks());
    world.east.answer(false);
    assert!(world.store().overrides().await.unwrap_err().is_unanswered());
    assert!(world.store().release_override("f").await.unwrap_err().is_unanswered());
}

#[tokio::test]
async fn what_was_released_while_a_region_was_dark_does_not_come_back_with_it() {
    for dark in [0, 1] {
        let world = World::new();
        apply(&world, Reach::Every, "a").await.unwrap();
        world.store().put_override(&held()).await.unwrap();
        world.both()[dark].answer(false);
        assert!(world.store().release_override("f").await.unwrap());
        lock_once(&world, Reach::Any).await;
        world.both()[dark].answer(true);
        assert_eq!(overrides(&world).await, []);
        assert_eq!(world.store().read().await.unwrap().overrides, []);
        world.store().spread_overrides().await.unwrap();
        assert_eq!(overrides(&world).await, []);
        assert_eq!(kept(&world), [false, false], "nothing is left of it");
    }
}

#[tokio::test]
async fn what_is_left_of_a_released_override_stays_until_it_is_gone_everywhere() {
    let world = World::new();
    world.store().put_override(&held()).await.unwrap();
    world.west.answer(false);
    world.store().release_override("f").await.unwrap();
    world.west.answer(true);
    world.west.fail(&["remove"], FailureClass::Internal);
    world.store().forget_released().await.unwrap();
    assert_eq!(kept(&world), [true, true]);
    assert!(world.remarks().contains("the override f is not the same in both buckets"), "{}", world.remarks());
    world.west.fail(&[], FailureClass::Internal);
    world.store().forget_released().await.unwrap();
    assert_eq!(kept(&world), [false, false]);
}

#[tokio::test]
async fn whoever_has_the_lock_puts_an_override_where_it_is_missing() {
    let world = World::new();
    let (before, after) = (held(), failover("f", "2026-11-25T12:00:00Z"));
    world.east.answer(false);
    world.store().put_override(&before).await.unwrap();
    world.east.answer(true);
    lock_once(&world, Reach::Every).await;
    assert_eq!(world.east.text(F), world.west.text(F));

    world.each(|bucket| bucket.pass(10));
    world.west.answer(false);
    world.store().put_override(&after).await.unwrap();
    world.west.answer(true);
    assert_eq!(overrides(&world).await, [after], "of two versions the later one holds");
    lock_once(&world, Reach::Every).await;
    assert_eq!(world.east.text(F), world.west.text(F));
    assert!(world.west.text(F).unwrap().contains("2026-11-25"));
}

#[tokio::test]
async fn an_apply_needs_the_overrides_of_both_buckets_unless_it_is_degraded() {
    for class in [FailureClass::Unreachable, FailureClass::Throttled, FailureClass::Internal] {
        let world = World::new();
        apply(&world, Reach::Every, "a").await.unwrap();
        world.east.fail(&["list"], class);
        assert!(world.store().lock("apply", Reach::Every).await.is_err(), "{class:?}");
        assert_eq!(world.east.keys(), [INDEX], "the lock was given back");
        assert!(!world.remarks().contains("overrides"), "{}", world.remarks());
        assert_eq!(world.store().read().await.unwrap().overrides, []);
        let said = "the overrides were read without drctl-state-acme-us-east-1";
        assert!(world.remarks().contains(said), "{}", world.remarks());
        lock_once(&world, Reach::Any).await;
    }
}

#[tokio::test]
async fn an_override_that_cannot_be_read_is_named() {
    let world = World::new();
    for (text, says) in [("{", "cannot be read"), ("{\"format_version\": 99}", "has format 99")] {
        world.east.set(F, Some(text));
        let error = world.store().read().await.unwrap_err().to_string();
        assert!(error.contains("s3://drctl-state-acme-us-east-1/payment-dr-t1.overrides/f.json"), "{error}");
        assert!(error.contains(says), "{error}");
    }
}
