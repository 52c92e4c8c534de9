//! File locks. The system drops them with the process that holds them, however that ends.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use super::SandboxError;

/// Longer than the slowest restart takes: a look of 10 s, a stop of 25 s, and three attempts of 30 s to start.
const PATIENCE: Duration = Duration::from_secs(150);

/// Opens a lock file, without locking it.
pub(super) fn open(path: &Path) -> Result<File, SandboxError> {
    let mut options = fs_err::OpenOptions::new();
    Ok(options.read(true).write(true).create(true).truncate(false).open(path)?.into_file())
}

/// Locks the file if nobody has it.
pub(super) fn try_take(path: &Path) -> Result<Option<File>, SandboxError> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Locks the file, waiting for whoever has it. It stays locked until the answer is dropped.
pub(super) async fn take(path: &Path) -> Result<File, SandboxError> {
    let start = Instant::now();
    loop {
        if let Some(file) = try_take(path)? {
            return Ok(file);
        }
        if start.elapsed() > PATIENCE {
            return Err(SandboxError::Busy { lock: path.to_owned() });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
