//! The state as local files: locked while it may change, and replaced in one step.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use fs_err as fs;

use super::error::Wrong;
use super::overrides::{self, Kept, Override};
use super::{Content, Index, Known, Locked, Report, StateError, operator};
use crate::graph::Owner;

/// Where the state of one system lies on this machine: `SYSTEM-SUFFIX.json`, its lock,
/// and `SYSTEM-SUFFIX.overrides/` beside it.
///
/// Every change is written at once: temporary file, fsync, rename, fsync of the
/// folder. A crash leaves the old file or the new one, never half of one.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    owner: Owner,
}

impl Folder {
    /// The state of `owner`'s system in this folder, which need not be there yet.
    pub fn new(path: PathBuf, owner: Owner) -> Self {
        Self { path, owner }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The state file.
    pub fn file(&self) -> PathBuf {
        self.path.join(format!("{}-{}.json", self.owner.system, self.owner.suffix))
    }

    /// Whether anything is kept here: a state file, or an override.
    pub fn is_there(&self) -> bool {
        self.file().is_file() || self.overrides().map_or(true, |overrides| !overrides.is_empty())
    }

    pub(super) fn read(&self) -> Result<Known, StateError> {
        Ok(Known { index: self.index()?, overrides: self.overrides()? })
    }

    /// What a new index goes on from, of one that may be damaged.
    pub(super) fn read_anew(&self) -> Result<Known, StateError> {
        let index = match self.index() {
            Err(StateError::Damaged { .. }) => Index::new(&self.owner),
            index => index?,
        };
        Ok(Known { index, overrides: self.overrides()? })
    }

    /// What there is, for people.
    pub(super) fn look(&self) -> Report {
        let content = match self.index() {
            Ok(index) if self.file().exists() => Content::Index(index),
            Ok(_) => Content::Nothing,
            Err(StateError::Damaged { reason, .. }) => Content::Damaged(reason),
            Err(error) => Content::Unreadable(Box::new(error)),
        };
        let lock = self.holder().map_or(Locked::No, |by| Locked::By { by, id: None });
        Report { at: self.file().display().to_string(), content, lock }
    }

    /// Who holds the lock; a file that is there and not locked was left behind.
    fn holder(&self) -> Option<String> {
        let path = self.file().with_extension("lock");
        let lock = File::options().read(true).write(true).open(&path).ok()?;
        match take(&lock, &path).err()? {
            StateError::Locked { holder, .. } => Some(holder.unwrap_or_else(|| "somebody".to_owned())),
            _ => None,
        }
    }

    /// Takes the lock, which the operating system gives back when the file is closed, however the process ends.
    pub(super) fn lock(&self, operation: &str) -> Result<File, StateError> {
        fs::create_dir_all(&self.path).map_err(|error| StateError::io(&self.path, &error))?;
        let path = self.file().with_extension("lock");
        let io = |error| StateError::io(&path, &error);
        let mut lock = File::options().create(true).truncate(false).read(true).write(true).open(&path).map_err(io)?;
        take(&lock, &path)?;
        let (who, process, now) = (operator(), std::process::id(), jiff::Timestamp::now());
        lock.set_len(0)
            .and_then(|()| write!(lock, "{operation} by {who}, process {process}, since {now:.0}"))
            .map_err(io)?;
        Ok(lock)
    }

    pub(super) fn write(&self, index: &Index) -> Result<(), StateError> {
        let file = self.file();
        replace(&file, index.to_text().as_bytes()).map_err(|error| StateError::io(&file, &error))
    }

    /// Removes the state file; one that is not there is removed.
    pub(super) fn remove(&self) -> Result<(), StateError> {
        remove(&self.file()).map(|_| ())
    }

    /// Every override, the eldest first.
    pub(super) fn overrides(&self) -> Result<Vec<Override>, StateError> {
        let folder = self.overrides_folder();
        let io = |error| StateError::io(&folder, &error);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io(error)),
        };
        let mut overrides = Vec::new();
        for entry in entries {
            let path = entry.map_err(io)?.path();
            // Temporary files of a writer that died have no such ending.
            if path.extension().is_some_and(|end| end == "json") {
                overrides.extend(read_override(&path)?);
            }
        }
        overrides::sort(&mut overrides);
        Ok(overrides)
    }

    pub(super) fn put_override(&self, held: &Override) -> Result<(), StateError> {
        let file = self.override_file(&held.id);
        replace(&file, held.to_text().as_bytes()).map_err(|error| StateError::io(&file, &error))
    }

    /// Removes an override; `false` if there is none of this id.
    pub(super) fn release_override(&self, id: &str) -> Result<bool, StateError> {
        remove(&self.override_file(id))
    }

    fn overrides_folder(&self) -> PathBuf {
        self.file().with_extension("overrides")
    }

    fn override_file(&self, id: &str) -> PathBuf {
        self.overrides_folder().join(format!("{id}.json"))
    }

    fn index(&self) -> Result<Index, StateError> {
        let path = self.file();
        let wrong = |wrong: Wrong| {
            wrong.error(format!("file {}", path.display()), |at, reason| StateError::Damaged { at, reason })
        };
        match read(&path, wrong)? {
            Some(text) => Index::from_text(&text, &self.owner).map_err(wrong),
            None => Ok(Index::new(&self.owner)),
        }
    }
}

/// Reads one override; `None` if it was released.
fn read_override(path: &Path) -> Result<Option<Override>, StateError> {
    let wrong =
        |wrong: Wrong| wrong.error(path.display().to_string(), |at, reason| StateError::DamagedOverride { at, reason });
    let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let Some(text) = read(path, wrong)? else { return Ok(None) };
    match Kept::from_text(&id, &text).map_err(wrong)? {
        Kept::Held(held) => Ok(Some(held)),
        Kept::Released => Ok(None),
    }
}

/// Takes the lock file at `path`, unless somebody else holds it.
pub(super) fn take(lock: &File, path: &Path) -> Result<(), StateError> {
    match lock.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(StateError::locked(path)),
        Err(TryLockError::Error(error)) => Err(StateError::io(path, &error)),
    }
}

/// The text of a file; `None` if it is not there.
fn read(path: &Path, wrong: impl Fn(Wrong) -> StateError) -> Result<Option<String>, StateError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(wrong(Wrong::Damaged("it is not UTF-8 text".into())))
        }
        Err(error) => Err(StateError::io(path, &error)),
    }
}

/// Removes a file; `false` if there was none.
fn remove(path: &Path) -> Result<bool, StateError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StateError::io(path, &error)),
    }
}

/// Puts `bytes` into the file at `path`, for its owner alone: after a crash it holds what it held, or all of them.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}
