//! Two buckets in memory, which lose answers, go silent and have a clock of their own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use super::objects::{Look, Object, Objects, Only, Trouble};
use super::{Bucket, Buckets, Remarks};
use crate::graph::{Failure, FailureClass, Region};
use crate::state::Store;
use crate::state::tests::owner;

/// One bucket.
#[derive(Debug)]
pub(super) struct FakeBucket(Mutex<Inside>);

#[derive(Debug)]
struct Inside {
    objects: BTreeMap<String, Object>,
    now: Timestamp,
    written: u64,
    is_there: bool,
    answers: bool,
    /// What fails although it answers, by the method of [`Objects`].
    failing: BTreeMap<&'static str, FailureClass>,
    /// Writes and removals whose answers are lost from now on.
    lost_answers: usize,
}

impl FakeBucket {
    fn new() -> Self {
        let now = "2026-11-24T12:00:00Z".parse().unwrap();
        let (objects, failing) = (BTreeMap::new(), BTreeMap::new());
        let inside = Inside { objects, now, written: 0, is_there: true, answers: true, failing, lost_answers: 0 };
        Self(Mutex::new(inside))
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap()
    }

    /// Lets its clock go on.
    pub(super) fn pass(&self, seconds: i64) {
        let now = self.inside().now;
        self.inside().now = now + SignedDuration::from_secs(seconds);
    }

    /// Deletes it, or makes it anew, with nothing in it.
    pub(super) fn exist(&self, is_there: bool) {
        let mut inside = self.inside();
        inside.is_there = is_there;
        inside.objects.clear();
    }

    /// Lets it answer, or not.
    pub(super) fn answer(&self, answers: bool) {
        self.inside().answers = answers;
    }

    /// Lets these methods fail like this from now on; with none, all work again.
    pub(super) fn fail(&self, methods: &[&'static str], class: FailureClass) {
        self.inside().failing = methods.iter().map(|method| (*method, class)).collect();
    }

    /// Loses so many answers of what changes something, after the work is done.
    pub(super) fn lose_answers(&self, count: usize) {
        self.inside().lost_answers = count;
    }

    /// What is in an object.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.inside().objects.get(key).map(|object| object.text.clone())
    }

    /// Writes an object past drctl; `None` removes it.
    pub(super) fn set(&self, key: &str, text: Option<&str>) {
        let mut inside = self.inside();
        match text {
            Some(text) => drop(inside.put(key, text)),
            None => drop(inside.objects.remove(key)),
        }
    }

    /// The keys of everything in it.
    pub(super) fn keys(&self) -> Vec<String> {
        self.inside().objects.keys().cloned().collect()
    }
}

impl Inside {
    fn put(&mut self, key: &str, text: &str) -> String {
        self.written += 1;
        let tag = format!("\"{}\"", self.written);
        let object = Object { text: text.to_owned(), tag: tag.clone(), modified: self.now };
        self.objects.insert(key.to_owned(), object);
        tag
    }

    fn open(&mut self, method: &str) -> Result<&mut Self, Trouble> {
        match (self.answers, self.is_there, self.failing.get(method)) {
            (false, ..) => Err(Trouble::Failed(silence())),
            (_, false, _) => Err(Trouble::NoBucket),
            (.., Some(class)) => Err(Trouble::Failed(Failure::new(*class, method, "not now"))),
            _ => Ok(self),
        }
    }

    /// The SDK asks again when an answer is lost, so that what was done is done twice.
    fn loses_an_answer(&mut self) -> bool {
        let loses = self.lost_answers > 0;
        self.lost_answers = self.lost_answers.saturating_sub(1);
        loses
    }

    fn meets(&self, key: &str, only: &Only) -> Result<(), Trouble> {
        let is = self.objects.get(key).map(|object| &object.tag);
        let meets = match only {
            Only::Always => true,
            Only::IfAbsent => is.is_none(),
            Only::IfStill(tag) => is == Some(tag),
        };
        if meets { Ok(()) } else { Err(Trouble::Changed) }
    }
}

fn silence() -> Failure {
    Failure::new(FailureClass::Dark, "s3:PutObject", "us-east-1 does not answer")
}

impl Objects for FakeBucket {
    fn read<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Look, Trouble>> {
        async move {
            let mut inside = self.inside();
            let inside = inside.open("read")?;
            Ok(Look { object: inside.objects.get(key).cloned(), now: inside.now })
        }
        .boxed()
    }

    fn write<'a>(&'a self, key: &'a str, text: &'a str, only: &'a Only) -> BoxFuture<'a, Result<String, Trouble>> {
        async move {
            let mut inside = self.inside();
            let inside = inside.open("write")?;
            inside.meets(key, only)?;
            let tag = inside.put(key, text);
            if inside.loses_an_answer() {
                inside.meets(key, only)?;
            }
            Ok(tag)
        }
        .boxed()
    }

    fn remove<'a>(&'a self, key: &'a str, tag: Option<&'a str>) -> BoxFuture<'a, Result<(), Trouble>> {
        async move {
            let mut inside = self.inside();
            let inside = inside.open("remove")?;
            let only = tag.map_or(Only::Always, |tag| Only::IfStill(tag.to_owned()));
            inside.meets(key, &only)?;
            inside.objects.remove(key);
            if inside.loses_an_answer() { inside.meets(key, &only) } else { Ok(()) }
        }
        .boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Vec<String>, Trouble>> {
        async move {
            let mut inside = self.inside();
            let keys = inside.open("list")?.objects.keys();
            Ok(keys.filter(|key| key.starts_with(prefix)).cloned().collect())
        }
        .boxed()
    }
}

/// A store in two such buckets, and what it remarks.
pub(super) struct World {
    pub(super) east: Arc<FakeBucket>,
    pub(super) west: Arc<FakeBucket>,
    remarks: Arc<Mutex<Vec<String>>>,
}

impl World {
    pub(super) fn new() -> Self {
        Self { east: Arc::new(FakeBucket::new()), west: Arc::new(FakeBucket::new()), remarks: Arc::default() }
    }

    pub(super) fn buckets(&self) -> Buckets {
        let bucket = |region: &str, objects: &Arc<FakeBucket>| Bucket {
            region: Region::new(region),
            name: format!("drctl-state-acme-{region}"),
            objects: Arc::<FakeBucket>::clone(objects),
            apart: Arc::<FakeBucket>::clone(objects),
        };
        let remarks = Arc::clone(&self.remarks);
        Buckets {
            // The home region is not the one that is locked first.
            buckets: vec![bucket("us-west-2", &self.west), bucket("us-east-1", &self.east)],
            owner: owner(),
            remarks: Remarks::new(move |remark| remarks.lock().unwrap().push(remark.to_owned())),
            taking: drop,
        }
    }

    pub(super) fn store(&self) -> Store {
        Store::Buckets(self.buckets())
    }

    /// What was remarked so far.
    pub(super) fn remarks(&self) -> String {
        self.remarks.lock().unwrap().join("\n")
    }

    /// Hears remarks anew.
    pub(super) fn forget_remarks(&self) {
        self.remarks.lock().unwrap().clear();
    }

    /// Does something to both buckets.
    pub(super) fn each(&self, act: impl Fn(&FakeBucket)) {
        self.both().into_iter().for_each(act);
    }

    pub(super) fn both(&self) -> [&FakeBucket; 2] {
        [&self.east, &self.west]
    }
}
