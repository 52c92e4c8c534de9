//! Builds function code: a Cargo package, or a finished zip, becomes what Lambda's `provided.al2023` runs.
//!
//! The same sources and toolchain give the same bytes, in any folder and beside any other function, so
//! Lambda's `CodeSha256` tells whether code changed. What was built once is found again by the hash of
//! everything that went into it, without calling the compiler.

mod archive;
mod cargo;
mod elf;
mod error;
mod inputs;
mod locked;
#[cfg(test)]
mod tests;
mod toolchain;
mod workspace;

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};

pub use error::PackageError;

/// The processor a function runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Architecture {
    /// Intel and AMD.
    X86_64,
    /// Graviton.
    Arm64,
}

impl Architecture {
    /// Rust's name of the platform.
    pub fn triple(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }
}

/// As Lambda spells it.
impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        })
    }
}

/// Where a function's code comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    /// The folder of a Cargo package with one binary, or a `.zip` that is uploaded as it is.
    pub path: PathBuf,
    /// What it has to run on.
    pub architecture: Architecture,
}

/// Code ready for upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The zip: in the cache, or the source itself.
    pub zip: PathBuf,
    /// SHA-256 of the zip in base64, as Lambda shows it in `CodeSha256`.
    pub sha256: String,
    /// Bytes of the zip.
    pub size: u64,
    /// Whether it was there already, so that no compiler ran.
    pub cached: bool,
}

/// What a build is busy with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The compiler was started for this package.
    Building {
        /// Name of the Cargo package.
        package: String,
    },
    /// One more crate of it is being compiled.
    Compiling {
        /// Name of the Cargo package being built.
        package: String,
        /// Name and version of the crate.
        name: String,
        /// How many crates were started so far, this one included.
        count: usize,
    },
}

/// Builds every source, or finds it in the folder `cache`; the answer is in the order of `sources`.
///
/// Each package has a `cargo build` of its own. One call for several would unify the features of what they
/// share, and the bytes of one function would depend on which others stand in the spec. What they share is
/// compiled once all the same, as they build into one target folder.
///
/// Blocks while the compiler runs.
pub fn build(
    sources: &[Source],
    cache: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Package>, PackageError> {
    let mut workspaces = workspace::Workspaces::default();
    let mut built: Vec<(&Source, Package)> = Vec::new();
    for source in sources {
        let package = match built.iter().find(|(earlier, _)| *earlier == source) {
            // The same code for two functions: compiled for the first, ready for the second.
            Some((_, package)) => package.clone(),
            None if source.path.extension().is_some_and(|extension| extension == "zip") => {
                archive::check(&source.path, source.architecture)?;
                describe(source.path.clone(), true)?
            }
            None => build_package(&mut workspaces, source, cache, progress)?,
        };
        built.push((source, package));
    }
    Ok(built.into_iter().map(|(_, package)| package).collect())
}

/// Finds one Cargo package in the cache, or has it compiled.
fn build_package(
    workspaces: &mut workspace::Workspaces,
    source: &Source,
    cache: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Package, PackageError> {
    let function = workspaces.function(&source.path)?;
    let toolchain = workspaces.toolchain(&function.workspace)?;
    let key = inputs::key(&function, &toolchain, source.architecture)?;
    let zip = cache.join(format!("{key}.zip"));
    if zip.is_file() {
        return describe(zip, true);
    }

    let executable = cargo::build(&function, &toolchain, source.architecture, progress)?;
    let bytes = archive::bootstrap(&fs_err::read(&executable)?)?;
    // Sources edited while the compiler read them, or files read from outside the hashed folders, would
    // leave an entry that later lies about its key. Such a build is used once and not found again.
    let honest =
        inputs::covers(&function, &executable) && inputs::key(&function, &toolchain, source.architecture)? == key;
    let zip = if honest { zip } else { cache.join(format!("{key}.once.zip")) };
    write_atomically(&zip, &bytes)?;
    describe(zip, false)
}

fn describe(zip: PathBuf, cached: bool) -> Result<Package, PackageError> {
    let bytes = fs_err::read(&zip)?;
    let size = bytes.len() as u64;
    if size > archive::LIMIT {
        return Err(PackageError::TooLarge { path: zip, size });
    }
    Ok(Package { zip, sha256: BASE64.encode(Sha256::digest(&bytes)), size, cached })
}

/// Writes a file that others see whole or not at all.
fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), PackageError> {
    let folder = path.parent().expect("a cache entry lies in the cache folder");
    fs_err::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    std::io::Write::write_all(&mut file, bytes)?;
    file.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}
