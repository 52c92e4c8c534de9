//! The index as a local file: locked while it may change, and replaced in one step.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use fs_err as fs;
use miette::Diagnostic;
use thiserror::Error;

use super::{FORMAT_VERSION, Index, Record};
use crate::graph::{Address, Owner};

/// Why the state could not be used.
#[derive(Debug, Error, Diagnostic)]
pub enum StateError {
    /// The operating system refused.
    #[error("the state file {} cannot be used: {source}", path.display())]
    #[diagnostic(help(
        "make the folder readable and writable for you; nothing was lost, and the same command continues"
    ))]
    Io {
        /// The file or its folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// Not written by drctl, or damaged.
    #[error("the state file {} is not a drctl state: {reason}", path.display())]
    #[diagnostic(help(
        "move the file away and run the same command again: the state is only an index, and drctl finds its resources again by their tags"
    ))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another drctl is at work on the same system.
    #[error("another drctl is at work on this system (it holds {}{})", path.display(), holder.as_deref().map(|who| format!(", {who}")).unwrap_or_default())]
    #[diagnostic(help("wait until it is done and run the same command again"))]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, as the holder wrote it down.
        holder: Option<String>,
    },
}

impl StateError {
    /// Somebody else holds the lock file at `path`, which tells who.
    pub(super) fn locked(path: PathBuf) -> Self {
        let said = fs::read_to_string(&path).ok();
        let holder = said.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Self::Locked { path, holder }
    }
}

/// The state file of one system.
///
/// Every change is written at once: temporary file, fsync, rename, fsync of the
/// folder. A crash leaves the old file or the new one, never half of one.
#[derive(Debug)]
pub struct StateFile {
    path: PathBuf,
    index: Index,
    /// Held until the value is dropped; `None` for readers.
    _lock: Option<File>,
}

impl StateFile {
    /// Reads the state of a system without locking it: for commands that change nothing.
    pub fn read(folder: &Path, owner: &Owner) -> Result<Self, StateError> {
        let path = path(folder, owner);
        Ok(Self { index: load(&path, owner)?, path, _lock: None })
    }

    /// Locks and reads the state of a system: for commands that change it.
    pub fn lock(folder: &Path, owner: &Owner) -> Result<Self, StateError> {
        let path = path(folder, owner);
        let io = |source| StateError::Io { path: path.clone(), source };
        fs::create_dir_all(folder).map_err(io)?;
        let lock_path = path.with_extension("lock");
        let mut lock =
            File::options().create(true).truncate(false).read(true).write(true).open(&lock_path).map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StateError::locked(lock_path)),
            Err(TryLockError::Error(source)) => return Err(StateError::Io { path: lock_path, source }),
        }
        lock.set_len(0)
            .and_then(|()| write!(lock, "process {}, since {}", std::process::id(), jiff::Timestamp::now()))
            .map_err(io)?;
        Ok(Self { index: load(&path, owner)?, path, _lock: Some(lock) })
    }

    /// What is recorded.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records a resource, on disk before this returns.
    pub fn record(&mut self, address: Address, record: Record) -> Result<(), StateError> {
        self.index.resources.insert(address, record);
        self.save()
    }

    /// Forgets a resource, on disk before this returns.
    pub fn forget(&mut self, address: &Address) -> Result<(), StateError> {
        match self.index.resources.remove(address) {
            Some(_) => self.save(),
            None => Ok(()),
        }
    }

    /// Removes the file once the system is gone and nothing is recorded any more.
    pub fn remove_if_empty(&self) -> Result<(), StateError> {
        if !self.index.resources.is_empty() {
            return Ok(());
        }
        match fs::remove_file(&self.path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(StateError::Io { path: self.path.clone(), source })
            }
            _ => Ok(()),
        }
    }

    fn save(&mut self) -> Result<(), StateError> {
        self.index.serial += 1;
        let text = serde_json::to_string_pretty(&self.index).expect("an index is plain data");
        replace(&self.path, text.as_bytes()).map_err(|source| StateError::Io { path: self.path.clone(), source })
    }
}

fn path(folder: &Path, owner: &Owner) -> PathBuf {
    folder.join(format!("{}-{}.json", owner.system, owner.suffix))
}

fn load(path: &Path, owner: &Owner) -> Result<Index, StateError> {
    let damaged = |reason: String| StateError::Damaged { path: path.to_owned(), reason };
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Index::empty(owner, new_lineage())),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(damaged("it is not UTF-8 text".into())),
        Err(source) => return Err(StateError::Io { path: path.to_owned(), source }),
    };
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
    match value.get("format_version").and_then(serde_json::Value::as_u64) {
        Some(version) if version > u64::from(FORMAT_VERSION) => {
            return Err(damaged(format!(
                "it has format {version}, and this drctl knows up to {FORMAT_VERSION}; use the newer drctl that wrote it"
            )));
        }
        _ => {}
    }
    let index: Index = serde_json::from_value(value).map_err(|error| damaged(error.to_string()))?;
    if index.owner.system != owner.system || index.owner.suffix != owner.suffix {
        return Err(damaged(format!("it belongs to {}, suffix {}", index.owner.system, index.owner.suffix)));
    }
    Ok(index)
}

/// Unique enough to tell two state files apart: the time and the process that made them.
fn new_lineage() -> String {
    let nanos = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("{nanos:x}-{:x}", std::process::id())
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::super::AllStates;
    use super::*;
    use crate::graph::Region;

    fn owner() -> Owner {
        Owner { system: "payment-dr".into(), environment: "test".into(), suffix: "t1".into() }
    }

    fn record() -> Record {
        Record {
            id: "x".into(),
            fingerprint: "f".into(),
            needs: Default::default(),
            applied_at: "2026-11-24T12:00:00Z".parse().unwrap(),
        }
    }

    fn address() -> Address {
        Address::regional(&Region::new("us-east-1"), "function", "pay")
    }

    #[test]
    fn what_is_recorded_is_there_for_the_next_run() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = StateFile::lock(folder.path(), &owner()).unwrap();
        state.record(address(), record()).unwrap();
        drop(state);
        let state = StateFile::read(folder.path(), &owner()).unwrap();
        assert_eq!(state.index().resources[&address()], record());
        assert_eq!(state.index().serial, 1);
    }

    #[test]
    fn two_writers_at_once_are_refused_and_the_holder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let _first = StateFile::lock(folder.path(), &owner()).unwrap();
        let second = StateFile::lock(folder.path(), &owner()).unwrap_err();
        assert!(second.to_string().contains(&format!("process {}", std::process::id())), "{second}");
        assert!(StateFile::read(folder.path(), &owner()).is_ok());
    }

    #[test]
    fn all_states_go_at_once_unless_one_is_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let mut state = StateFile::lock(folder.path(), &owner()).unwrap();
        state.record(address(), record()).unwrap();
        let refused = AllStates::lock(folder.path()).unwrap_err();
        assert!(matches!(refused, StateError::Locked { holder: Some(_), .. }), "{refused}");
        drop(state);
        AllStates::lock(folder.path()).unwrap().remove().unwrap();
        assert_eq!(StateFile::read(folder.path(), &owner()).unwrap().index().resources.len(), 0);
        AllStates::lock(folder.path()).unwrap().remove().unwrap();
    }

    #[test]
    fn a_damaged_or_newer_file_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("payment-dr-t1.json");
        for text in ["", "{", "[]", "{\"format_version\": 99}", "{\"format_version\": 1}"] {
            std::fs::write(&path, text).unwrap();
            let error = StateFile::lock(folder.path(), &owner()).unwrap_err();
            assert!(matches!(error, StateError::Damaged { .. }), "{text}: {error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn the_state_of_another_system_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        StateFile::lock(folder.path(), &owner()).unwrap().record(address(), record()).unwrap();
        let other = Owner { system: "other".into(), ..owner() };
        std::fs::rename(folder.path().join("payment-dr-t1.json"), folder.path().join("other-t1.json")).unwrap();
        assert!(StateFile::read(folder.path(), &other).unwrap_err().to_string().contains("belongs to payment-dr"));
    }
}
