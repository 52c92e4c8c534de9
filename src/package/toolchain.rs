//! The compiler: which cargo to call, and with which environment.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Architecture, PackageError};

/// The compiler of one workspace, which its `rust-toolchain.toml` may choose.
#[derive(Clone, Debug)]
pub(super) struct Toolchain {
    /// All of `rustc -vV`: release, commit, host and LLVM.
    pub(super) version: String,
    /// Rust's name of this machine's platform.
    pub(super) host: String,
}

impl Toolchain {
    /// Asks the compiler that a build in `folder` would use.
    pub(super) fn of(folder: &Path) -> Result<Self, PackageError> {
        let version = ask(Command::new("rustc").arg("-vV"), folder)?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or("unknown").to_owned();
        Ok(Self { version, host })
    }

    /// Whether what this machine builds without asking is what Lambda runs.
    pub(super) fn is_native(&self, architecture: Architecture) -> bool {
        let (processor, _) = architecture.triple().split_once('-').expect("a triple has dashes");
        self.host.starts_with(processor) && self.host.contains("-linux-")
    }

    /// Whether this machine runs Linux, on any processor.
    pub(super) fn is_linux(&self) -> bool {
        self.host.contains("-linux-")
    }
}

/// Where the compiler keeps its own files.
pub(super) fn sysroot(folder: &Path) -> Result<PathBuf, PackageError> {
    Ok(ask(Command::new("rustc").args(["--print", "sysroot"]), folder)?.trim().into())
}

/// Whether the standard library for `triple` is installed.
pub(super) fn has_target(folder: &Path, triple: &str) -> Result<bool, PackageError> {
    let libraries = ask(Command::new("rustc").args(["--print", "target-libdir", "--target", triple]), folder)?;
    Ok(Path::new(libraries.trim()).is_dir())
}

/// Whether `cargo zigbuild` can be called.
pub(super) fn has_zigbuild() -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let program = format!("cargo-zigbuild{}", env::consts::EXE_SUFFIX);
    env::split_paths(&path).chain([cargo_home().join("bin")]).any(|folder| folder.join(&program).is_file())
}

/// Cargo's folder of downloaded crates.
pub(super) fn cargo_home() -> PathBuf {
    let given = env::var_os("CARGO_HOME").filter(|home| !home.is_empty());
    given.map_or_else(|| env::home_dir().unwrap_or_default().join(".cargo"), PathBuf::from)
}

/// The cargo to call. Under `cargo run` and `cargo test`, `CARGO` is the one that runs drctl, not a wish.
pub(super) fn cargo() -> OsString {
    env::var_os("CARGO").filter(|_| !under_cargo()).unwrap_or_else(|| "cargo".into())
}

fn under_cargo() -> bool {
    env::var_os("CARGO_MANIFEST_DIR").is_some()
}

/// Takes away what could change the bytes: settings of cargo and rustc that this build does not make itself,
/// and what a cargo that runs drctl leaves behind. Rustup is told to download nothing.
pub(super) fn clean(command: &mut Command) -> &mut Command {
    for name in unwanted() {
        command.env_remove(name);
    }
    command.env("RUSTUP_AUTO_INSTALL", "0")
}

/// The names of the environment variables that [`clean`] removes.
pub(super) fn unwanted() -> Vec<OsString> {
    let under_cargo = under_cargo();
    env::vars_os().map(|(name, _)| name).filter(|name| is_unwanted(name, under_cargo)).collect()
}

fn is_unwanted(name: &OsStr, under_cargo: bool) -> bool {
    // Where to find crates, how to reach them and how to link does not change what is compiled.
    const KEPT: [&str; 9] = [
        "CARGO_HOME",
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_JOBS",
        "CARGO_HTTP_",
        "CARGO_NET_",
        "CARGO_REGISTRY_",
        "CARGO_REGISTRIES_",
        "CARGO_SOURCE_",
        "CARGO_ZIGBUILD_",
    ];
    const REMOVED: [&str; 18] = [
        "CARGO",
        "DEBUG",
        "HOST",
        "MAKEFLAGS",
        "MFLAGS",
        "NUM_JOBS",
        "OPT_LEVEL",
        "OUT_DIR",
        "PROFILE",
        "RUSTC",
        "RUSTC_BOOTSTRAP",
        "RUSTC_LINKER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTDOC",
        "RUSTDOCFLAGS",
        "RUSTFLAGS",
        "RUST_RECURSION_COUNT",
        "TARGET",
    ];
    let Some(name) = name.to_str() else {
        return false;
    };
    if name.starts_with("CARGO_TARGET_") && name.ends_with("_LINKER") {
        return false;
    }
    (name.starts_with("CARGO_") && !KEPT.iter().any(|kept| name.starts_with(kept)))
        || REMOVED.contains(&name)
        // Chosen by the user it is a wish; under cargo it is what runs drctl.
        || (name == "RUSTUP_TOOLCHAIN" && under_cargo)
}

/// Runs a question to the compiler and returns what it answers.
fn ask(command: &mut Command, folder: &Path) -> Result<String, PackageError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let failed = |message: String| PackageError::NoToolchain { program: program.clone(), message };
    let output =
        clean(command).current_dir(folder).stdin(Stdio::null()).output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_bytes_is_unwanted_and_what_finds_crates_is_kept() {
        let unwanted = |name: &str| is_unwanted(OsStr::new(name), false);
        assert!(["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_PROFILE_RELEASE_LTO"].into_iter().all(unwanted));
        assert!(["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_INCREMENTAL"].into_iter().all(unwanted));
        assert!(["CARGO_BUILD_TARGET", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS"].into_iter().all(unwanted));
        assert!(!["PATH", "HOME", "CARGO_HOME", "CARGO_HTTP_PROXY", "CARGO_TARGET_DIR"].into_iter().any(unwanted));
        assert!(!unwanted("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER"));
    }

    #[test]
    fn a_toolchain_is_a_wish_of_the_user_unless_cargo_runs_drctl() {
        assert!(!is_unwanted(OsStr::new("RUSTUP_TOOLCHAIN"), false));
        assert!(is_unwanted(OsStr::new("RUSTUP_TOOLCHAIN"), true));
    }

    #[test]
    fn native_is_linux_on_the_same_processor() {
        let on = |host: &str| Toolchain { version: String::new(), host: host.into() };
        assert!(on("x86_64-unknown-linux-gnu").is_native(Architecture::X86_64));
        assert!(on("x86_64-unknown-linux-musl").is_native(Architecture::X86_64));
        assert!(!on("x86_64-unknown-linux-gnu").is_native(Architecture::Arm64));
        assert!(!on("aarch64-apple-darwin").is_native(Architecture::Arm64));
        assert!(!on("aarch64-apple-darwin").is_linux());
    }
}
