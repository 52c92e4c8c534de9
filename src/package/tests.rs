//! Whole builds of tiny packages, with the real cargo and nothing to download.

use std::path::{Path, PathBuf};

use super::*;

/// A workspace written into a folder of its own; removed at the end of the test.
struct Project {
    folder: tempfile::TempDir,
}

const LOCK: &str = r#"version = 4

[[package]]
name = "first"
version = "0.1.0"
dependencies = ["shared"]

[[package]]
name = "second"
version = "0.1.0"
dependencies = ["shared"]

[[package]]
name = "shared"
version = "0.1.0"
"#;

/// Generated code knows the folder it was built in.
const BUILD_SCRIPT: &str = r##"fn main() {
    let code = r#"pub fn greet() -> String { format!("hello {} {}", file!(), cfg!(feature = "loud")) }"#;
    std::fs::write(std::path::Path::new(&std::env::var("OUT_DIR").unwrap()).join("greet.rs"), code).unwrap();
}
"##;

impl Project {
    /// Two functions that share a crate, of which the second wants more.
    fn new() -> Self {
        let project = Self { folder: tempfile::tempdir().unwrap() };
        let manifest = |name: &str, more: &str| {
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}")
        };
        project.write("Cargo.toml", "[workspace]\nmembers = [\"first\", \"second\", \"shared\"]\nresolver = \"3\"\n");
        project.write("Cargo.lock", LOCK);
        project.write("shared/Cargo.toml", &manifest("shared", "[features]\nloud = []\n"));
        project.write("shared/build.rs", BUILD_SCRIPT);
        project.write("shared/src/lib.rs", "include!(concat!(env!(\"OUT_DIR\"), \"/greet.rs\"));\n");
        project.write("first/Cargo.toml", &manifest("first", "[dependencies]\nshared = { path = \"../shared\" }\n"));
        project.write("first/src/main.rs", "fn main() { println!(\"{}\", shared::greet()); }\n");
        project.write(
            "second/Cargo.toml",
            &manifest("second", "[dependencies]\nshared = { path = \"../shared\", features = [\"loud\"] }\n"),
        );
        project.write("second/src/main.rs", "fn main() { println!(\"{}\", shared::greet()); }\n");
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, content).unwrap();
    }

    fn source(&self, name: &str) -> Source {
        let architecture = if cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::X86_64 };
        Source { path: self.path(name), architecture }
    }

    /// Builds packages of this workspace, in this order, with the cache in its own folder.
    fn build(&self, names: &[&str]) -> Result<Vec<Package>, PackageError> {
        let sources: Vec<_> = names.iter().map(|name| self.source(name)).collect();
        build(&sources, &self.path("cache"), &mut |_| {})
    }

    #[track_caller]
    fn one(&self, name: &str) -> Package {
        self.build(&[name]).unwrap().remove(0)
    }
}

fn zip_of(path: &Path, name: &str, mode: u32, content: &[u8]) {
    let mut zip = zip::ZipWriter::new(fs_err::File::create(path).unwrap());
    zip.start_file(name, zip::write::SimpleFileOptions::default().unix_permissions(mode)).unwrap();
    std::io::Write::write_all(&mut zip, content).unwrap();
    zip.finish().unwrap();
}

#[test]
fn the_same_sources_are_the_same_bytes_in_any_folder_and_company() {
    let here = Project::new();
    let there = Project::new();
    let built = here.build(&["first", "second", "first"]).unwrap();
    assert_eq!(built[0], built[2]);
    assert_ne!(built[0].sha256, built[1].sha256);
    assert_eq!(there.one("first").sha256, built[0].sha256);
    assert_eq!(there.one("second").sha256, built[1].sha256);
}

#[test]
fn what_was_built_is_found_until_something_that_counts_changes() {
    let project = Project::new();
    let first = project.one("first");
    assert!(!first.cached);
    assert_eq!(project.one("first"), Package { cached: true, ..first.clone() });

    project.write("second/src/main.rs", "fn main() {}\n");
    assert!(project.one("first").cached, "another function is no part of this one");

    project.write("shared/src/lib.rs", "pub fn greet() -> &'static str { \"goodbye\" }\n");
    let changed = project.one("first");
    assert!(!changed.cached, "a path dependency is");
    assert_ne!(changed.sha256, first.sha256);
}

#[test]
fn a_build_that_reads_other_folders_is_not_found_again() {
    let project = Project::new();
    project.write("greeting.txt", "hello");
    project.write("first/src/main.rs", "fn main() { println!(include_str!(\"../../greeting.txt\")); }\n");
    let first = project.one("first");
    project.write("greeting.txt", "goodbye");
    let second = project.one("first");
    assert!(!second.cached);
    assert_ne!(first.sha256, second.sha256);
}

#[test]
fn a_failed_build_shows_errors_and_no_warnings() {
    let project = Project::new();
    project.write("first/src/main.rs", "fn main() { let unused = 1; nothing(); }\n");
    let error = project.build(&["first"]).unwrap_err().to_string();
    assert!(error.starts_with("`first` does not build:\nerror[E0425]: cannot find function `nothing`"), "{error}");
    assert!(error.contains("--> first/src/main.rs:1:29"), "{error}");
    assert!(!error.contains("warning"), "{error}");
}

#[test]
fn a_stale_lock_file_is_an_error_that_says_what_to_do() {
    let project = Project::new();
    project.write("Cargo.lock", "version = 4\n");
    let PackageError::Build { help: Some(help), .. } = project.build(&["first"]).unwrap_err() else {
        panic!("another error")
    };
    assert!(help.contains("commit its Cargo.lock"), "{help}");
}

#[test]
fn progress_names_the_crates() {
    let project = Project::new();
    project.write("first/src/main.rs", "fails early\n");
    let mut seen = Vec::new();
    build(&[project.source("first")], &project.path("cache"), &mut |progress| seen.push(progress)).unwrap_err();
    let package = "first".to_owned();
    let compiling =
        |name: &str, count| Progress::Compiling { package: "first".to_owned(), name: name.to_owned(), count };
    let crates = [compiling("shared v0.1.0", 1), compiling("first v0.1.0", 2)];
    assert_eq!(seen, [[Progress::Building { package }].as_slice(), &crates].concat());
}

#[test]
fn what_is_no_package_is_said_in_words() {
    let project = Project::new();
    let said =
        |name: &str| project.build(&[name]).unwrap_err().to_string().replace(&*project.path("").to_string_lossy(), "");
    assert_eq!(said("nowhere"), "nowhere is no Cargo package: it does not exist");
    assert_eq!(said("Cargo.lock"), "Cargo.lock is no Cargo package: it is neither a folder nor a .zip");
    assert_eq!(said("first/src"), "first/src is no Cargo package: it has no Cargo.toml");
    assert!(said("").contains("that of a workspace"), "{}", said(""));

    assert_eq!(said("shared"), "the Cargo package `shared` has 0 binaries");
    project.write("first/src/bin/other.rs", "fn main() {}\n");
    assert_eq!(said("first"), "the Cargo package `first` has 2 binaries: first, other");
    fs_err::remove_file(project.path("Cargo.lock")).unwrap();
    assert!(matches!(project.build(&["second"]), Err(PackageError::NoLock { .. })));
}

#[test]
fn a_finished_zip_is_used_as_it_is() {
    let project = Project::new();
    zip_of(&project.path("code.zip"), "bootstrap", 0o755, b"#!/bin/sh\n");
    let package = project.one("code.zip");
    assert_eq!(package.zip, project.path("code.zip"));
    assert_eq!(package.size, fs_err::metadata(&package.zip).unwrap().len());
    assert!(package.cached);
}

#[test]
fn a_zip_without_a_program_to_start_is_refused() {
    let project = Project::new();
    let refusal = |name: &str, mode: u32, content: &[u8]| {
        zip_of(&project.path("code.zip"), name, mode, content);
        project.build(&["code.zip"]).unwrap_err().to_string()
    };
    assert!(refusal("bin/bootstrap", 0o755, b"#!").ends_with("it has no `bootstrap` at its root"));
    assert!(refusal("bootstrap", 0o644, b"#!").ends_with("its `bootstrap` is not executable"));
    assert!(refusal("bootstrap", 0o755, b"MZ").ends_with("it is not a Linux program"));
    project.write("code.zip", "no zip");
    assert!(matches!(project.build(&["code.zip"]), Err(PackageError::BadZip { .. })));
}

#[test]
fn a_zip_above_the_limit_of_lambda_is_refused() {
    let project = Project::new();
    let file = fs_err::File::create(project.path("code.zip")).unwrap();
    file.file().set_len(archive::LIMIT + 1).unwrap();
    let error = project.build(&["code.zip"]).unwrap_err().to_string();
    assert!(error.ends_with("has 50.0 MB, and Lambda takes zips of up to 50 MB"), "{error}");
}

#[test]
fn the_zip_shows_no_time_and_an_executable_bootstrap() {
    let bytes = archive::bootstrap(b"program").unwrap();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    assert_eq!(zip.len(), 1);
    let entry = zip.by_name("bootstrap").unwrap();
    assert_eq!(entry.unix_mode().map(|mode| mode & 0o777), Some(0o755));
    assert_eq!(entry.last_modified(), Some(zip::DateTime::DEFAULT));
}

#[test]
fn checkouts_that_share_a_target_folder_keep_their_own_programs() {
    let shared = tempfile::tempdir().unwrap();
    let config = format!("[build]\ntarget-dir = {:?}\n", shared.path());
    let [old, new] = [(); 2].map(|()| Project::new());
    old.write("first/src/main.rs", "fn main() { println!(\"old\"); }\n");
    for project in [&new, &old] {
        project.write(".cargo/config.toml", &config);
    }
    // Cargo alone would call the second one fresh: its files are older than the first one's program.
    assert_ne!(new.one("first").sha256, old.one("first").sha256);
}
