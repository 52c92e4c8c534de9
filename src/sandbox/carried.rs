//! The Python side, carried in the binary: drctl's extension and the list of what it runs on.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::SandboxError;

/// ministack and everything below it, pinned by version and hash.
pub(super) const REQUIREMENTS: &str = include_str!("../../sandbox/requirements.txt");

macro_rules! carried {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../sandbox/drctl_sandbox/", $name)))),*]
    };
}

/// The files of the Python package `drctl_sandbox`.
const EXTENSION: &[(&str, &str)] = carried![
    "__init__.py",
    "__main__.py",
    "actions.py",
    "authorization.py",
    "calls.py",
    "clock.py",
    "cloudformation.py",
    "cloudwatch.py",
    "connection.py",
    "dynamodb.py",
    "dynamodb_strict.py",
    "encryption.py",
    "errors.py",
    "faults.py",
    "health.py",
    "hooks.py",
    "iam.py",
    "kms.py",
    "lambda_.py",
    "logs.py",
    "operations.py",
    "replication.py",
    "route53.py",
    "s3.py",
    "secretsmanager.py",
    "sns.py",
    "stale.py",
    "store.py",
    "tagging.py",
    "wrapper.py",
];

/// A short name for this version of the extension.
pub(super) fn version() -> String {
    short_hash(EXTENSION.iter().flat_map(|(name, content)| [*name, *content]))
}

/// Writes the extension below `cache`, unless it is there, and returns the folder to import from.
pub(super) fn extension(cache: &Path) -> Result<PathBuf, SandboxError> {
    let folder = cache.join(format!("extension-{}", version()));
    if folder.is_dir() {
        return Ok(folder);
    }
    fs_err::create_dir_all(cache)?;
    let new = tempfile::Builder::new().prefix("extension-new-").tempdir_in(cache)?;
    let package = new.path().join("drctl_sandbox");
    fs_err::create_dir(&package)?;
    for (name, content) in EXTENSION {
        fs_err::write(package.join(name), content)?;
    }
    // Whole or not at all; another drctl that was faster wrote the same.
    match fs_err::rename(new.path(), &folder) {
        Err(error) if !folder.is_dir() => Err(error.into()),
        _ => Ok(folder),
    }
}

/// Sixteen hex digits that differ when any part does.
pub(super) fn short_hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // Lengths first, so that no two lists of parts run together into the same bytes.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_file_of_the_extension_is_carried() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sandbox/drctl_sandbox");
        let there: BTreeSet<_> = fs_err::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".py"))
            .collect();
        let carried: BTreeSet<_> = EXTENSION.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(carried, there);
    }

    #[test]
    fn the_extension_is_written_once_and_whole() {
        let cache = tempfile::tempdir().unwrap();
        let folder = extension(cache.path()).unwrap();
        for (name, content) in EXTENSION {
            assert_eq!(fs_err::read_to_string(folder.join("drctl_sandbox").join(name)).unwrap(), *content);
        }
        assert_eq!(extension(cache.path()).unwrap(), folder);
        assert_eq!(fs_err::read_dir(cache.path()).unwrap().count(), 1);
    }

    #[test]
    fn all_requirements_are_pinned_by_hash() {
        let pinned = REQUIREMENTS.lines().filter(|line| line.contains("==") && !line.starts_with('#'));
        assert_eq!(pinned.clone().count(), pinned.filter(|line| line.ends_with('\\')).count());
        assert!(REQUIREMENTS.contains("\nministack==") && REQUIREMENTS.contains("\ncbor2=="));
    }

    #[test]
    fn a_hash_knows_where_parts_end() {
        assert_ne!(short_hash(["ab", "c"]), short_hash(["a", "bc"]));
        assert_eq!(short_hash(["ab"]).len(), 16);
    }
}
