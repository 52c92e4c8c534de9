//! The zip that Lambda takes: the same bytes for the same program, every time.

use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use super::elf::{self, Unfit};
use super::{Architecture, PackageError};

/// Lambda's limit for a zip sent in the call itself.
pub(super) const LIMIT: u64 = 50 * 1024 * 1024;

/// Lambda's limit for everything in the zip.
const UNPACKED_LIMIT: u64 = 250 * 1024 * 1024;

/// Packs a program as `bootstrap`. No clock, no file mode and no system shows in the result.
pub(super) fn bootstrap(program: &[u8]) -> std::io::Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o755)
        .system(System::Unix);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("bootstrap", options)?;
    zip.write_all(program)?;
    Ok(zip.finish()?.into_inner())
}

/// Checks that a finished zip holds a program Lambda can start.
pub(super) fn check(path: &Path, architecture: Architecture) -> Result<(), PackageError> {
    let bad = |reason: String| PackageError::BadZip { path: path.to_owned(), reason };
    let size = fs_err::metadata(path)?.len();
    if size > LIMIT {
        return Err(PackageError::TooLarge { path: path.to_owned(), size });
    }
    let mut zip = ZipArchive::new(Cursor::new(fs_err::read(path)?)).map_err(|error| bad(error.to_string()))?;
    let mut entry = zip.by_name("bootstrap").map_err(|_| bad("it has no `bootstrap` at its root".into()))?;
    if entry.unix_mode().is_none_or(|mode| mode & 0o111 == 0) {
        return Err(bad("its `bootstrap` is not executable".into()));
    }
    let mut program = Vec::new();
    entry.by_ref().take(UNPACKED_LIMIT + 1).read_to_end(&mut program).map_err(|error| bad(error.to_string()))?;
    if program.len() as u64 > UNPACKED_LIMIT {
        return Err(bad("its `bootstrap` has more than 250 MB".into()));
    }
    elf::check(&program, architecture).map_err(|unfit| unfit_program(path, architecture, unfit))
}

/// The error for a program that Lambda could not start.
pub(super) fn unfit_program(path: &Path, architecture: Architecture, unfit: Unfit) -> PackageError {
    let path = path.to_owned();
    match unfit {
        Unfit::TooNew(symbol) => PackageError::TooNew { path, symbol },
        Unfit::Wrong(reason) => PackageError::WrongProgram { path, architecture, reason },
    }
}
