//! The state while it is locked: changed in memory, and saved in one piece.

use std::fs::File;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Folder, Index, Known, Record, StateError};
use crate::graph::Address;

/// A write of the state that is under way. What was recorded before it began is safe once it has ended.
pub type Saving = BoxFuture<'static, Result<(), StateError>>;

/// The state of one system, locked until this is dropped.
///
/// Records are changed in memory and written by [`State::save`], so that steps which end
/// together are written together. Whoever acts on a record waits until it is saved.
#[derive(Debug)]
pub struct State {
    known: Known,
    changed: bool,
    keeper: Keeper,
}

#[derive(Debug)]
enum Keeper {
    /// In a file, whose lock ends with its handle.
    Folder(Folder, #[expect(dead_code, reason = "held until it is dropped")] File),
}

impl State {
    pub(super) fn in_folder(known: Known, folder: Folder, lock: File) -> Self {
        Self { known, changed: false, keeper: Keeper::Folder(folder, lock) }
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

    /// Writes what has changed. One save has to end before the next begins.
    pub fn save(&mut self) -> Saving {
        if !std::mem::take(&mut self.changed) {
            return async { Ok(()) }.boxed();
        }
        self.known.index.serial += 1;
        let index = self.known.index.clone();
        match &self.keeper {
            Keeper::Folder(folder, _) => {
                let folder = folder.clone();
                async move { folder.write(&index) }.boxed()
            }
        }
    }

    /// Removes the state once the system is gone and nothing is recorded any more.
    pub async fn remove_if_empty(&mut self) -> Result<(), StateError> {
        match &self.keeper {
            _ if !self.known.index.resources.is_empty() => Ok(()),
            Keeper::Folder(folder, _) => folder.remove(),
        }
    }
}
