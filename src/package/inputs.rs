//! What goes into a build, as one hash: equal hash, equal bytes.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::locked::Parts;
use super::toolchain::Toolchain;
use super::workspace::Function;
use super::{Architecture, PackageError, cargo};

/// Raise it when a build of the same inputs gives other bytes than before.
const FORMAT: &str = "drctl package 1";

/// Folders that hold history, not code.
const HISTORY: [&str; 4] = [".git", ".hg", ".jj", ".svn"];

/// Hashes everything a build reads: sources, its part of workspace and lock file, compiler, settings.
pub(super) fn key(
    function: &Function,
    toolchain: &Toolchain,
    architecture: Architecture,
) -> Result<String, PackageError> {
    let mut hash = Sha256::new();
    let mut add = |name: &str, content: &[u8]| {
        // Lengths first, so that no two lists of parts run together into the same bytes.
        hash.update((name.len() as u64).to_le_bytes());
        hash.update(name);
        hash.update((content.len() as u64).to_le_bytes());
        hash.update(content);
    };
    add("format", FORMAT.as_bytes());
    add("compiler", toolchain.version.as_bytes());
    add("settings", cargo::SETTINGS.join("\n").as_bytes());
    add("architecture", architecture.triple().as_bytes());
    add("binary", function.binary.as_bytes());
    let [manifest, lock] =
        ["Cargo.toml", "Cargo.lock"].map(|name| fs_err::read_to_string(function.workspace.join(name)));
    let (manifest, lock) = (manifest?, lock?);
    // What cannot be read counts whole; cargo then says what is wrong with it.
    let parts = Parts::of(&function.name, &manifest, &lock).unwrap_or(Parts { manifest, lock });
    add("Cargo.toml", parts.manifest.as_bytes());
    add("Cargo.lock", parts.lock.as_bytes());
    for folder in function.workspace.ancestors() {
        for name in [".cargo/config.toml", ".cargo/config"] {
            // Most folders have none. One that cannot be read stops cargo too, which then says so.
            if let Ok(content) = fs_err::read(folder.join(name)) {
                add(name, &content);
            }
        }
    }
    for (label, folder) in &function.folders {
        add("folder", label.as_bytes());
        for file in files(folder)? {
            let name = file.strip_prefix(folder).expect("a file found in a folder is below it");
            add(&name.to_string_lossy(), &fs_err::read(&file)?);
        }
    }
    Ok(hash.finalize().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}"); // a String takes everything
        hex
    }))
}

/// All files below `folder` in a fixed order, except what cargo built and version control keeps.
fn files(folder: &Path) -> Result<Vec<PathBuf>, PackageError> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    // By their real place, so that a link upwards does not lead around in circles.
    let mut seen = std::collections::HashSet::new();
    while let Some(at) = open.pop() {
        if at.is_file() {
            found.push(at);
        } else if at.is_dir() && seen.insert(fs_err::canonicalize(&at)?) {
            for entry in fs_err::read_dir(&at)? {
                let entry = entry?;
                let path = entry.path();
                let skip = HISTORY.iter().any(|name| entry.file_name() == *name) || is_target(&path);
                if !skip {
                    open.push(path);
                }
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Cargo marks what it builds into, whatever that folder is called.
fn is_target(path: &Path) -> bool {
    path.join("CACHEDIR.TAG").is_file()
}

/// Whether the hash saw every file of the project that the compiler read, as its dependency file lists them.
///
/// `include_str!` of a file beside the package, or a crate that `[patch]` took from elsewhere, is not seen.
pub(super) fn covers(function: &Function, executable: &Path) -> bool {
    let Ok(list) = fs_err::read_to_string(executable.with_extension("d")) else {
        return false;
    };
    let Some((_, read)) = list.lines().next().and_then(|line| line.split_once(": ")) else {
        return false;
    };
    let hashed: Vec<PathBuf> =
        function.folders.values().filter_map(|folder| fs_err::canonicalize(folder).ok()).collect();
    let target = fs_err::canonicalize(&function.target).unwrap_or_else(|_| function.target.clone());
    unescape(read).iter().all(|file| {
        let file = function.workspace.join(file);
        let file = fs_err::canonicalize(&file).unwrap_or(file);
        file.starts_with(&target) || hashed.iter().any(|folder| file.starts_with(folder))
    })
}

/// Splits a line of a dependency file, in which a space inside a name is written `\ `.
fn unescape(line: &str) -> Vec<String> {
    line.replace("\\ ", "\0").split_whitespace().map(|name| name.replace('\0', " ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_inside_a_name_does_not_split_it() {
        assert_eq!(unescape(r"/a\ b/c.rs /d.rs"), ["/a b/c.rs", "/d.rs"]);
    }

    #[test]
    fn build_output_and_history_are_no_sources() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for name in ["src/main.rs", "src/target/mod.rs", "target/debug/x", ".git/HEAD", "out/CACHEDIR.TAG", "out/y"] {
            fs_err::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            fs_err::write(root.join(name), "").unwrap();
        }
        fs_err::write(root.join("target/CACHEDIR.TAG"), "").unwrap();
        let found: Vec<_> = files(root).unwrap();
        let found: Vec<_> = found.iter().map(|file| file.strip_prefix(root).unwrap().to_str().unwrap()).collect();
        assert_eq!(found, ["src/main.rs", "src/target/mod.rs"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_upwards_ends_the_walk() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::write(folder.path().join("a"), "").unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("up")).unwrap();
        assert_eq!(files(folder.path()).unwrap(), [folder.path().join("a")]);
    }
}
