//! What cargo knows of a package: its workspace, its binary, and which folders it is made of.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package, TargetKind};
use sha2::{Digest as _, Sha256};

use super::PackageError;
use super::toolchain::{self, Toolchain};

/// A Cargo package with one binary.
#[derive(Debug)]
pub(super) struct Function {
    /// Name of the package.
    pub(super) name: String,
    /// Cargo's unmistakable name of it, for `-p`.
    pub(super) id: String,
    /// Name of its binary.
    pub(super) binary: String,
    /// Root of its workspace.
    pub(super) workspace: PathBuf,
    /// Where cargo puts what it compiles.
    pub(super) target: PathBuf,
    /// Its folder and those of all its path dependencies, by a label that is the same in every checkout.
    pub(super) folders: BTreeMap<String, PathBuf>,
}

/// The workspaces met so far, each asked about once.
#[derive(Default)]
pub(super) struct Workspaces {
    loaded: Vec<Metadata>,
    toolchains: HashMap<PathBuf, Toolchain>,
}

impl Workspaces {
    /// Reads the package in `folder`.
    pub(super) fn function(&mut self, folder: &Path) -> Result<Function, PackageError> {
        if !folder.is_dir() {
            let reason = if folder.exists() { "it is neither a folder nor a .zip" } else { "it does not exist" };
            return Err(PackageError::NotAPackage { path: folder.to_owned(), reason: reason.into() });
        }
        let (metadata, package) = self.package(folder)?;
        let binary = one_binary(package)?;
        let workspace = metadata.workspace_root.clone().into_std_path_buf();
        let target = own_target(metadata.target_directory.as_std_path(), &workspace);
        if !workspace.join("Cargo.lock").is_file() {
            return Err(PackageError::NoLock { workspace });
        }
        let (name, id) = (package.name.to_string(), package.id.repr.clone());
        let folders = self.folders(folder, &workspace)?;
        Ok(Function { name, id, binary, workspace, target, folders })
    }

    /// The compiler that builds in this workspace.
    pub(super) fn toolchain(&mut self, workspace: &Path) -> Result<Toolchain, PackageError> {
        if let Some(known) = self.toolchains.get(workspace) {
            return Ok(known.clone());
        }
        let toolchain = Toolchain::of(workspace)?;
        self.toolchains.insert(workspace.to_owned(), toolchain.clone());
        Ok(toolchain)
    }

    /// Follows path dependencies, also out of the workspace. Those for tests only are no part of a build.
    fn folders(&mut self, first: &Path, workspace: &Path) -> Result<BTreeMap<String, PathBuf>, PackageError> {
        let mut folders = BTreeMap::new();
        let mut next = vec![first.to_owned()];
        while let Some(folder) = next.pop() {
            let (metadata, package) = self.package(&folder)?;
            let label = match package_folder(package).strip_prefix(workspace) {
                Ok(inside) => inside.to_string_lossy().into_owned(),
                Err(_) => {
                    // Its manifest may inherit from the workspace it lives in.
                    let label = format!("outside/{}", package.name);
                    folders.insert(format!("{label}/workspace"), metadata.workspace_root.join("Cargo.toml").into());
                    label
                }
            };
            if folders.insert(label, package_folder(package).to_owned()).is_none() {
                let used = package.dependencies.iter().filter(|used| used.kind != DependencyKind::Development);
                next.extend(used.filter_map(|used| used.path.clone()).map(PathBuf::from));
            }
        }
        Ok(folders)
    }

    /// The package in `folder`, from a workspace met before or by asking cargo.
    fn package(&mut self, folder: &Path) -> Result<(&Metadata, &Package), PackageError> {
        let folder = fs_err::canonicalize(folder)?;
        if self.find(&folder).is_none() {
            let metadata = read(&folder)?;
            self.loaded.push(metadata);
        }
        self.find(&folder).ok_or_else(|| PackageError::NotAPackage {
            path: folder,
            reason: "its Cargo.toml is that of a workspace; name one of the members".into(),
        })
    }

    fn find(&self, folder: &Path) -> Option<(&Metadata, &Package)> {
        let packages =
            self.loaded.iter().flat_map(|loaded| loaded.packages.iter().map(move |package| (loaded, package)));
        packages
            .into_iter()
            .find(|(_, package)| fs_err::canonicalize(package_folder(package)).is_ok_and(|at| at == folder))
    }
}

/// Cargo tells sources by their time and their path inside the workspace, so two checkouts that build into one
/// folder (`CARGO_TARGET_DIR`) can get each other's programs. There, each gets a folder of its own.
fn own_target(target: &Path, workspace: &Path) -> PathBuf {
    if target.starts_with(workspace) {
        return target.to_owned();
    }
    let hash = Sha256::digest(workspace.as_os_str().as_encoded_bytes());
    let name: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    target.join(format!("drctl-{name}"))
}

fn package_folder(package: &Package) -> &Path {
    package.manifest_path.parent().expect("a manifest lies in a folder").as_std_path()
}

fn one_binary(package: &Package) -> Result<String, PackageError> {
    let binaries = package.targets.iter().filter(|target| target.is_kind(TargetKind::Bin));
    let mut found: Vec<String> = binaries.map(|target| target.name.clone()).collect();
    match (&package.default_run, found.len()) {
        (Some(name), _) => Ok(name.clone()),
        (None, 1) => Ok(found.remove(0)),
        _ => Err(PackageError::NotOneBinary { package: package.name.to_string(), found }),
    }
}

/// Asks cargo about the workspace around `folder`. Nothing is resolved, so nothing is downloaded.
fn read(folder: &Path) -> Result<Metadata, PackageError> {
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        let reason = "it has no Cargo.toml".into();
        return Err(PackageError::NotAPackage { path: folder.to_owned(), reason });
    }
    let mut command =
        MetadataCommand::new().cargo_path(toolchain::cargo()).manifest_path(&manifest).no_deps().cargo_command();
    let program = command.get_program().to_string_lossy().into_owned();
    let output = toolchain::clean(&mut command)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| PackageError::NoToolchain { program, message: error.to_string() })?;
    let unreadable = |message: String| PackageError::Metadata { path: folder.to_owned(), message };
    if !output.status.success() {
        return Err(unreadable(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    MetadataCommand::parse(String::from_utf8_lossy(&output.stdout)).map_err(|error| unreadable(error.to_string()))
}
