//! Every state in a folder at once, to be removed with the AWS that it is about.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use fs_err as fs;

use super::StateError;
use super::folder::take;

/// Every state in a folder, locked until the value is dropped.
#[derive(Debug)]
pub struct AllStates {
    folder: PathBuf,
    _locks: Vec<File>,
}

impl AllStates {
    /// Locks every state in `folder`, or none of them if another drctl is at work on one.
    pub fn lock(folder: &Path) -> Result<Self, StateError> {
        let io = |error| StateError::io(folder, &error);
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries.collect::<Result<Vec<_>, _>>().map_err(io)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(io(error)),
        };
        let mut locks = Vec::new();
        for path in entries.iter().map(fs::DirEntry::path).filter(|path| path.extension().is_some_and(|e| e == "lock"))
        {
            let file = File::options().read(true).write(true).open(&path).map_err(io)?;
            take(&file, &path)?;
            locks.push(file);
        }
        Ok(Self { folder: folder.to_owned(), _locks: locks })
    }

    /// Removes them.
    pub fn remove(self) -> Result<(), StateError> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StateError::io(&self.folder, &error)),
            _ => Ok(()),
        }
    }
}
