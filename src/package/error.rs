//! What can go wrong with function code, and what to do about it.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use super::Architecture;

/// Why there is no code to upload.
#[derive(Debug, Error, Diagnostic)]
pub enum PackageError {
    /// Neither a folder with a `Cargo.toml` nor a zip.
    #[error("{} is no Cargo package: {reason}", path.display())]
    #[diagnostic(
        code(drctl::package::not_a_package),
        help("`source` names the folder of a Cargo package with one binary, or a `.zip` that holds `bootstrap`")
    )]
    NotAPackage {
        /// The source as given.
        path: PathBuf,
        /// What was found instead.
        reason: String,
    },

    /// A function is one program; the package has none or several.
    #[error("the Cargo package `{package}` has {} binaries{}", found.len(), list(found))]
    #[diagnostic(
        code(drctl::package::not_one_binary),
        help("a function is one binary: keep one `[[bin]]` or `src/main.rs`, or name it with `default-run`")
    )]
    NotOneBinary {
        /// Name of the package.
        package: String,
        /// Names of its binaries.
        found: Vec<String>,
    },

    /// `cargo metadata` does not understand the package.
    #[error("cargo cannot read the package in {}:\n{message}", path.display())]
    #[diagnostic(code(drctl::package::metadata), help("`cargo metadata --no-deps` in that folder shows the same"))]
    Metadata {
        /// The source as given.
        path: PathBuf,
        /// Cargo's own words.
        message: String,
    },

    /// Cargo or rustc did not start, or its toolchain is not installed.
    #[error("{program} does not work: {message}")]
    #[diagnostic(
        code(drctl::package::no_toolchain),
        help(
            "install Rust (https://rustup.rs), or the toolchain that `rust-toolchain.toml` asks for with `rustup toolchain install`; or give a finished zip as `source`"
        )
    )]
    NoToolchain {
        /// What was called.
        program: String,
        /// What it or the system said.
        message: String,
    },

    /// Without a lock file the same sources give other bytes tomorrow.
    #[error("the workspace in {} has no Cargo.lock", workspace.display())]
    #[diagnostic(
        code(drctl::package::no_lock),
        help(
            "run `cargo generate-lockfile` there and commit the file: without it the same sources give other bytes tomorrow"
        )
    )]
    NoLock {
        /// Root of the workspace.
        workspace: PathBuf,
    },

    /// The standard library for the other processor is not there.
    #[error("the Rust target {triple} is not installed")]
    #[diagnostic(
        code(drctl::package::missing_target),
        help("run `rustup target add {triple}`, or set the function's `architecture` to that of this machine")
    )]
    MissingTarget {
        /// Rust's name of the platform.
        triple: &'static str,
    },

    /// Linking for Linux on another system needs a linker that can.
    #[error("building for {triple} on {host} needs a cross linker")]
    #[diagnostic(
        code(drctl::package::needs_zigbuild),
        help("run `pip install cargo-zigbuild ziglang`, or build on Linux")
    )]
    NeedsZigbuild {
        /// Rust's name of this machine's platform.
        host: String,
        /// Rust's name of the platform wanted.
        triple: &'static str,
    },

    /// The compiler refused; its messages follow.
    #[error("`{package}` does not build:\n{messages}")]
    #[diagnostic(code(drctl::package::build))]
    Build {
        /// Name of the package.
        package: String,
        /// The errors as the compiler shows them, without the warnings.
        messages: String,
        /// What usually helps, when that is known.
        #[help]
        help: Option<String>,
    },

    /// The program was linked against a newer C library than Lambda has.
    #[error("{} needs {symbol}, and Amazon Linux 2023 has glibc 2.34", path.display())]
    #[diagnostic(
        code(drctl::package::too_new),
        help(
            "run `pip install cargo-zigbuild ziglang`, and drctl links against glibc 2.34; or build on an older system, or for musl"
        )
    )]
    TooNew {
        /// The program.
        path: PathBuf,
        /// The newest version it asks for.
        symbol: String,
    },

    /// Not a program Lambda can start.
    #[error("{} cannot run on Lambda as {architecture}: {reason}", path.display())]
    #[diagnostic(
        code(drctl::package::wrong_program),
        help("`bootstrap` has to be a Linux program for {architecture}, static or linked against glibc, or a script")
    )]
    WrongProgram {
        /// The program, or the zip it is in.
        path: PathBuf,
        /// What it should run on.
        architecture: Architecture,
        /// What is wrong with it.
        reason: String,
    },

    /// A zip that holds no function.
    #[error("{} is no function code: {reason}", path.display())]
    #[diagnostic(
        code(drctl::package::bad_zip),
        help(
            "the zip needs an executable file `bootstrap` at its root: `chmod +x bootstrap && zip function.zip bootstrap`"
        )
    )]
    BadZip {
        /// The zip.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// More than Lambda takes in one call.
    #[error("{} has {:.1} MB, and Lambda takes zips of up to 50 MB", path.display(), *size as f64 / 1_048_576.0)]
    #[diagnostic(
        code(drctl::package::too_large),
        help("strip the program and leave out what it does not read at run time")
    )]
    TooLarge {
        /// The zip.
        path: PathBuf,
        /// Its bytes.
        size: u64,
    },

    /// A file could not be read or written.
    #[error("building function code: {0}")]
    #[diagnostic(code(drctl::package::io))]
    Io(#[from] std::io::Error),
}

fn list(names: &[String]) -> String {
    if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) }
}
