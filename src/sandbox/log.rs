//! What the user's own sandbox writes about itself.

use std::io::{Read as _, Seek as _, SeekFrom};

use fs_err::File;

use super::SandboxError;

/// The log of the shared sandbox, read from its end on. It begins anew with each start.
#[derive(Debug)]
pub struct Log {
    file: File,
    /// The beginning of a line that was not whole when it was read.
    begun: Vec<u8>,
}

/// As far back as lines are looked for, in bytes.
const REACH: u64 = 1 << 20;

impl Log {
    /// Opens the log; `None` if there never was a sandbox.
    pub(super) fn open(path: &std::path::Path) -> Result<Option<Self>, SandboxError> {
        match File::open(path) {
            Ok(file) => Ok(Some(Self { file, begun: Vec::new() })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The last lines, each with its line break.
    pub fn last(&mut self, count: usize) -> Result<String, SandboxError> {
        let end = self.file.metadata()?.len();
        self.file.seek(SeekFrom::Start(end.saturating_sub(REACH)))?;
        let text = self.more()?;
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        Ok(lines[lines.len().saturating_sub(count)..].concat())
    }

    /// The lines that have come since the last look.
    pub fn more(&mut self) -> Result<String, SandboxError> {
        if self.file.stream_position()? > self.file.metadata()?.len() {
            // Another start began it anew.
            self.file.rewind()?;
            self.begun.clear();
        }
        self.file.read_to_end(&mut self.begun)?;
        let whole = self.begun.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.begun.drain(..whole).collect();
        Ok(String::from_utf8_lossy(&lines).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn lines_are_read_once_they_are_whole_and_from_the_start_when_the_log_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.log");
        assert!(Log::open(&path).unwrap().is_none());
        let mut written = std::fs::File::create(&path).unwrap();
        written.write_all(b"one\ntwo\nthr").unwrap();
        let mut log = Log::open(&path).unwrap().unwrap();
        assert_eq!(log.last(1).unwrap(), "two\n");
        assert_eq!(log.more().unwrap(), "");
        written.write_all(b"ee\nfour\n").unwrap();
        assert_eq!(log.more().unwrap(), "three\nfour\n");
        std::fs::write(&path, "new\n").unwrap();
        assert_eq!(log.more().unwrap(), "new\n");
        assert_eq!(log.last(9).unwrap(), "new\n");
    }
}
