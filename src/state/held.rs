//! The state while it is locked: changed in memory, and saved in one piece.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::buckets::{Copies, Lock};
use super::{Folder, Index, Known, Lease, Record, StateError};
use crate::graph::Address;

/// A write of the state that is under way. What was recorded before it began is safe once it has ended.
pub type Saving = BoxFuture<'static, Result<(), StateError>>;

/// The state of one system, locked until [`State::release`].
///
/// Records are changed in memory and written by [`State::save`], so that steps which end
/// together are written together. Whoever acts on a record waits until it is saved.
#[derive(Debug)]
pub struct State {
    known: Known,
    changed: bool,
    /// Names this run in the index's history.
    run: String,
    /// The saved plan that is carried out.
    saved_plan: Option<String>,
    keeper: Keeper,
}

#[derive(Debug)]
enum Keeper {
    /// In a file, whose lock ends with its handle.
    Folder(Folder, #[expect(dead_code, reason = "held until it is dropped")] File),
    /// In S3, whose lock has to be given back.
    Buckets(Arc<Copies>, Lock),
}

impl State {
    pub(super) fn in_folder(known: Known, folder: Folder, lock: File) -> Self {
        Self::new(known, false, Keeper::Folder(folder, lock))
    }

    /// `behind` says that a copy lacks what the others have: it gets it although nothing changes.
    pub(super) fn in_buckets(known: Known, copies: Copies, lock: Lock, behind: bool) -> Self {
        Self::new(known, behind, Keeper::Buckets(Arc::new(copies), lock))
    }

    fn new(known: Known, changed: bool, keeper: Keeper) -> Self {
        Self { known, changed, run: uuid::Uuid::new_v4().to_string(), saved_plan: None, keeper }
    }

    /// What is recorded, and what is overridden.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// What is recorded.
    pub fn index(&self) -> &Index {
        &self.known.index
    }

    /// Records a resource, to be saved.
    pub fn record(&mut self, address: Address, record: Record) {
        self.known.index.resources.insert(address, record);
        self.changed = true;
    }

    /// Forgets a resource, to be saved.
    pub fn forget(&mut self, address: &Address) {
        self.changed |= self.known.index.resources.remove(address).is_some();
    }

    /// Records these resources and no others, to be saved whatever was there.
    pub fn replace(&mut self, resources: BTreeMap<Address, Record>) {
        self.known.index.resources = resources;
        self.changed = true;
    }

    /// Goes on from another index than its own, to be saved.
    pub fn go_on_from(&mut self, index: Index) {
        self.known.index = index;
        self.changed = true;
    }

    /// Says of everything that is saved from now on that it is the work of this saved plan, and of nothing else.
    pub fn carries_out(&mut self, saved_plan: String) {
        self.saved_plan = Some(saved_plan);
    }

    /// Says that the saved plan is carried out: nothing of it is left to do, whatever is there later.
    pub fn carried_out(&mut self) {
        self.saved_plan = None;
        self.changed |= self.known.index.saved_plan.is_some();
    }

    /// Writes what has changed. One save has to end before the next begins.
    pub fn save(&mut self) -> Saving {
        if !std::mem::take(&mut self.changed) {
            return async { Ok(()) }.boxed();
        }
        self.known.index.write_by(&self.run);
        self.known.index.saved_plan.clone_from(&self.saved_plan);
        let index = self.known.index.clone();
        match &self.keeper {
            Keeper::Folder(folder, _) => {
                let folder = folder.clone();
                async move { folder.write(&index) }.boxed()
            }
            Keeper::Buckets(copies, _) => {
                let copies = Arc::clone(copies);
                async move { copies.write(&index).await }.boxed()
            }
        }
    }

    /// Removes the state once the system is gone and nothing is recorded any more.
    pub async fn remove_if_empty(&mut self) -> Result<(), StateError> {
        match &self.keeper {
            _ if !self.known.index.resources.is_empty() => Ok(()),
            Keeper::Folder(folder, _) => folder.remove(),
            Keeper::Buckets(copies, _) => copies.remove().await,
        }
    }

    /// Whether the lock still holds: to be asked by what goes on for long.
    pub fn lease(&self) -> Lease {
        match &self.keeper {
            Keeper::Folder(..) => Lease::OF_A_FILE,
            Keeper::Buckets(_, lock) => lock.lease(),
        }
    }

    /// An error if the lock no longer holds.
    pub fn still_locked(&self) -> Result<(), StateError> {
        self.lease().lost().map_or(Ok(()), Err)
    }

    /// Gives the lock back. One that is dropped instead holds until its lease is over.
    pub async fn release(self) {
        self.lease().give_back().await;
    }
}
