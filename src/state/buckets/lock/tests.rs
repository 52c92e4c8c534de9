//! Who may take the lock, who keeps it, and what is left of it.

use std::sync::Mutex;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Notify;

use super::*;
use crate::graph::{Failure, FailureClass};
use crate::state::buckets::Buckets;
use crate::state::buckets::fake::{FakeBucket, World};
use crate::state::buckets::objects::{Look, Objects};
use crate::state::{Locked, State};

const LOCK: &str = "payment-dr-t1.lock";

async fn take(world: &World, reach: Reach) -> Result<State, StateError> {
    world.store().lock("apply", reach).await
}

fn holder(bucket: &FakeBucket) -> Holder {
    Holder::from_text(&bucket.text(LOCK).expect("it is locked")).expect("it can be read")
}

/// Holds the lock like a process that dies without giving it back.
async fn left_behind(world: &World) -> String {
    std::mem::forget(take(world, Reach::Every).await.unwrap());
    holder(&world.east).id
}

/// A bucket in which something goes wrong with a write.
#[derive(Debug)]
struct Troubled {
    bucket: Arc<FakeBucket>,
    trouble: With,
}

#[derive(Debug)]
enum With {
    /// It is done, and the bucket says nothing then or later.
    LosingTheAnswer,
    /// It is done once somebody says so; the other one says that it is under way.
    Waiting { begun: Arc<Notify>, may_end: Arc<Notify> },
}

impl Objects for Troubled {
    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Look, Trouble>> {
        self.bucket.read(key)
    }

    fn write<'a>(&'a self, key: &'a str, text: &'a str, only: &'a Only) -> BoxFuture<'a, Result<String, Trouble>> {
        async move {
            if let With::Waiting { begun, may_end } = &self.trouble {
                begun.notify_one();
                may_end.notified().await;
            }
            let written = self.bucket.write(key, text, only).await;
            match self.trouble {
                With::LosingTheAnswer => {
                    Err(Trouble::Failed(Failure::new(FailureClass::Unreachable, "s3:PutObject", "connection reset")))
                }
                With::Waiting { .. } => written,
            }
        }
        .boxed()
    }

    fn remove<'a>(&'a self, key: &'a str, tag: Option<&'a str>) -> BoxFuture<'a, Result<(), Trouble>> {
        self.bucket.remove(key, tag)
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Trouble>> {
        self.bucket.list(prefix)
    }
}

/// The buckets of a world, with trouble in the west. It comes second.
fn troubled(world: &World, trouble: With) -> Buckets {
    let mut buckets = world.buckets();
    buckets.buckets[0].objects = Arc::new(Troubled { bucket: Arc::clone(&world.west), trouble });
    buckets
}

#[tokio::test]
async fn a_lease_that_is_over_in_one_bucket_and_not_in_the_other_is_not_over() {
    let world = World::new();
    for (stale, live) in [(&world.east, &world.west), (&world.west, &world.east)] {
        left_behind(&world).await;
        // It went on without this bucket, which did not answer.
        stale.pass(61);
        let left = stale.text(LOCK);
        for reach in [Reach::Every, Reach::Any] {
            let refused = take(&world, reach).await.unwrap_err();
            assert!(matches!(refused, StateError::Leased { .. }), "{refused}");
            assert_eq!(stale.text(LOCK), left, "its holder finds it there when the bucket answers again");
        }
        assert_eq!(world.remarks(), "");
        live.pass(61);
        take(&world, Reach::Every).await.unwrap().release().await;
        assert!(world.remarks().contains("its lease is over: apply by"), "{}", world.remarks());
        world.forget_remarks();
    }
}

#[tokio::test]
async fn whether_a_lease_is_over_elsewhere_has_to_be_known_unless_nothing_answers_there() {
    let world = World::new();
    let mut state = take(&world, Reach::Every).await.unwrap();
    state.replace([(crate::graph::Address::global("role", "pay"), crate::state::tests::record())].into());
    state.save().await.unwrap();
    std::mem::forget(state);
    world.each(|bucket| bucket.pass(61));
    world.west.answer(false);
    let left = world.east.text(LOCK);
    assert!(take(&world, Reach::Every).await.unwrap_err().is_unanswered());
    assert_eq!(world.east.text(LOCK), left);
    take(&world, Reach::Any).await.unwrap().release().await;
    assert_eq!(world.east.text(LOCK), None);
}

#[tokio::test]
async fn a_lock_whose_answer_was_lost_is_given_back_too() {
    let world = World::new();
    let refused = troubled(&world, With::LosingTheAnswer).lock("apply", Reach::Every).await.unwrap_err();
    assert!(refused.is_unanswered(), "{refused}");
    assert_eq!(world.both().map(|bucket| bucket.text(LOCK)), [None, None]);

    let state = troubled(&world, With::LosingTheAnswer).lock("apply", Reach::Any).await.unwrap();
    assert!(world.west.text(LOCK).is_some(), "it may be in the way of others as long as this run has the other one");
    state.release().await;
    assert_eq!(world.both().map(|bucket| bucket.text(LOCK)), [None, None]);
}

#[tokio::test]
async fn a_bucket_is_renewed_while_the_lock_is_still_being_taken_in_another() {
    let world = World::new();
    let (begun, may_end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let buckets = troubled(&world, With::Waiting { begun: Arc::clone(&begun), may_end: Arc::clone(&may_end) });
    let renewals = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let meanwhile = async {
        begun.notified().await;
        assert_eq!(renewals(), 1);
        may_end.notify_one();
    };
    let (state, ()) = futures::join!(buckets.lock("apply", Reach::Every), meanwhile);
    assert_eq!(renewals(), 2);
    state.unwrap().release().await;
}

#[tokio::test]
async fn who_interrupts_while_the_lock_is_being_taken_gives_back_what_was_taken_so_far() {
    let world = World::new();
    let (begun, may_end) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let waiting = With::Waiting { begun: Arc::clone(&begun), may_end: Arc::clone(&may_end) };
    let Buckets { buckets, remarks, .. } = troubled(&world, waiting);
    let announced = Mutex::new(None);
    let announce = |lease: Lease| *announced.lock().unwrap() = Some(lease);
    let interrupt = async {
        begun.notified().await;
        assert!(world.east.text(LOCK).is_some());
        let lease = announced.lock().unwrap().clone().expect("it is announced before anything is written");
        // The write in the west is under way, and ends only now.
        futures::join!(lease.give_back(), async { may_end.notify_one() });
        assert_eq!(world.both().map(|bucket| bucket.text(LOCK)), [None, None]);
        assert!(lease.lost().is_some(), "nothing may be started any more");
    };
    let taken = Lock::take(&buckets, LOCK, "apply", Reach::Every, &remarks, announce);
    let _ = futures::join!(taken, interrupt);
    assert_eq!(world.both().map(|bucket| bucket.text(LOCK)), [None, None]);
}

#[tokio::test]
async fn a_lock_that_was_given_back_is_taken_in_no_further_bucket() {
    let world = World::new();
    let Buckets { buckets, remarks, .. } = world.buckets();
    let interrupt = |lease: Lease| lease.give_back().now_or_never().expect("there is nothing to wait for");
    let refused = Lock::take(&buckets, LOCK, "apply", Reach::Any, &remarks, interrupt).await.unwrap_err();
    assert!(matches!(refused, StateError::LeaseLost { .. }), "{refused}");
    assert_eq!(world.both().map(|bucket| bucket.text(LOCK)), [None, None]);
}

/// Nothing to wait for.
async fn never(_: Duration) {
    panic!("its lease is over");
}

/// What a holder that has died does meanwhile.
async fn nothing(_: Duration) {}

#[tokio::test]
async fn unlocking_wants_the_right_id() {
    let world = World::new();
    let id = left_behind(&world).await;
    let said = world.store().unlock("apply-0", never).await.unwrap_err().to_string();
    assert!(said.contains("there is no lock apply-0; there is apply by"), "{said}");
    world.store().unlock(&id, nothing).await.unwrap();
    assert!(world.both().iter().all(|bucket| bucket.keys().is_empty()));
    assert!(matches!(world.store().unlock(&id, never).await, Err(StateError::NotLocked { .. })), "it is gone");
}

#[tokio::test]
async fn a_holder_that_is_still_at_work_notices_before_anybody_else_gets_the_lock() {
    let world = World::new();
    let Buckets { buckets, remarks, .. } = world.buckets();
    let held = Lock::take(&buckets, LOCK, "apply", Reach::Every, &remarks, drop).await.unwrap();
    let id = held.lease().id().unwrap().to_owned();
    let pause = async |pause: Duration| {
        assert!(pause > RENEWAL, "{pause:?}");
        assert!(matches!(take(&world, Reach::Every).await, Err(StateError::Leased { .. })));
        held.renew().await;
        let lost = held.lease().lost().unwrap().to_string();
        assert!(lost.contains(&format!("the lock {id} was lost: somebody unlocked it (")), "{lost}");
        held.lease().give_back().await;
        assert!(matches!(take(&world, Reach::Every).await, Err(StateError::Leased { .. })), "that takes nothing away");
    };
    world.store().unlock(&id, pause).await.unwrap();
    take(&world, Reach::Every).await.unwrap().release().await;
}

#[tokio::test]
async fn nobody_waits_for_longer_than_the_lease_lasts() {
    let world = World::new();
    let id = left_behind(&world).await;
    world.each(|bucket| bucket.pass(50));
    let waited = Mutex::new(Duration::ZERO);
    world.store().unlock(&id, async |pause| *waited.lock().unwrap() = pause).await.unwrap();
    assert_eq!(waited.into_inner().unwrap(), Duration::from_secs(11));
    let id = left_behind(&world).await;
    world.each(|bucket| bucket.pass(61));
    world.store().unlock(&id, never).await.unwrap();
}

#[tokio::test]
async fn an_unlocking_that_is_cut_short_can_be_repeated() {
    let world = World::new();
    let id = left_behind(&world).await;
    let cut_short = world.store().unlock(&id, |_| std::future::pending()).now_or_never();
    assert!(cut_short.is_none());
    assert_eq!(
        world.both().map(|bucket| (holder(bucket).operation, holder(bucket).id)),
        [(); 2].map(|()| (UNLOCK.to_owned(), id.clone()))
    );
    world.store().unlock(&id, nothing).await.unwrap();
    assert_eq!(world.both().map(|bucket| bucket.text(LOCK)), [None, None]);
}

#[tokio::test]
async fn unlocking_works_also_when_answers_are_lost() {
    let world = World::new();
    let id = left_behind(&world).await;
    world.each(|bucket| bucket.lose_answers(2));
    world.store().unlock(&id, nothing).await.unwrap();
    assert_eq!(world.both().map(|bucket| bucket.text(LOCK)), [None, None]);
}

#[tokio::test]
async fn where_a_bucket_does_not_answer_nobody_says_that_there_is_no_lock() {
    let world = World::new();
    let id = left_behind(&world).await;
    world.east.answer(false);
    assert!(world.store().unlock("apply-0", never).await.unwrap_err().is_unanswered());
    world.store().unlock(&id, nothing).await.unwrap();
    assert!(world.remarks().contains("a lock in drctl-state-acme-us-east-1 stays"), "{}", world.remarks());
    let [_, east] = world.store().look().await.try_into().expect("there are two");
    assert!(matches!(east.lock, Locked::Unknown(error) if error.is_unanswered()));
}

#[tokio::test]
async fn a_lock_whose_lease_is_over_is_shown_as_such() {
    let world = World::new();
    left_behind(&world).await;
    world.east.pass(61);
    let [west, east] = world.store().look().await.try_into().expect("there are two");
    assert!(matches!(west.lock, Locked::By { id: Some(_), .. }));
    assert!(matches!(east.lock, Locked::Before { by } if by.starts_with("apply by")));
}
