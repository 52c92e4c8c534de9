//! One call of cargo: the same settings in every workspace, progress on the way, only errors at the end.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use cargo_metadata::Message;
use cargo_metadata::diagnostic::DiagnosticLevel;

use super::elf::{self, Unfit};
use super::toolchain::{self, Toolchain};
use super::workspace::Function;
use super::{Architecture, PackageError, Progress, archive};

/// The profile of a function. Handed to cargo in the call, as a user's workspace need not know it: small,
/// one unit so that the bytes do not depend on how the work was split, and nothing left for a debugger.
pub(super) const SETTINGS: [&str; 8] = [
    r#"profile.lambda.inherits="release""#,
    r#"profile.lambda.opt-level="z""#,
    r#"profile.lambda.lto="fat""#,
    "profile.lambda.codegen-units=1",
    r#"profile.lambda.panic="abort""#,
    "profile.lambda.debug=false",
    "profile.lambda.strip=true",
    "profile.lambda.incremental=false",
];

/// How the program gets linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Linking {
    /// For this machine, by its own linker.
    Native,
    /// For another processor, by the linker that cargo's configuration names.
    Cross,
    /// By zig, against the glibc that Lambda has.
    Zig,
}

/// Compiles a function and returns the program, which Lambda can start.
pub(super) fn build(
    function: &Function,
    toolchain: &Toolchain,
    architecture: Architecture,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, PackageError> {
    let triple = architecture.triple();
    let zig = toolchain::has_zigbuild();
    let native = toolchain.is_native(architecture);
    if !native && !toolchain::has_target(&function.workspace, triple)? {
        return Err(PackageError::MissingTarget { triple });
    }
    let linking = match (native, zig) {
        (true, _) => Linking::Native,
        (false, true) => Linking::Zig,
        (false, false) if toolchain.is_linux() => Linking::Cross,
        (false, false) => {
            return Err(PackageError::NeedsZigbuild { host: toolchain.host.clone(), triple });
        }
    };

    progress(Progress::Building { package: function.name.clone() });
    let mut call = |linking| -> Result<(PathBuf, Result<(), Unfit>), PackageError> {
        let program = run(function, toolchain, architecture, linking, progress)?;
        let fit = elf::check(&fs_err::read(&program)?, architecture);
        Ok((program, fit))
    };
    let (program, fit) = match call(linking)? {
        // A build host newer than Lambda.
        (_, Err(Unfit::TooNew(_))) if linking == Linking::Native && zig => call(Linking::Zig)?,
        done => done,
    };
    fit.map_err(|unfit| archive::unfit_program(&program, architecture, unfit))?;
    Ok(program)
}

fn run(
    function: &Function,
    toolchain: &Toolchain,
    architecture: Architecture,
    linking: Linking,
    progress: &mut dyn FnMut(Progress),
) -> Result<PathBuf, PackageError> {
    let mut command = Command::new(toolchain::cargo());
    toolchain::clean(&mut command)
        .current_dir(&function.workspace)
        .arg(if linking == Linking::Zig { "zigbuild" } else { "build" })
        .args(["--profile", "lambda", "--locked", "--color", "never", "--message-format", "json"])
        .args(["-p", &function.id, "--bin", &function.binary])
        .arg("--target-dir")
        .arg(&function.target)
        .env("CARGO_BUILD_BUILD_DIR", &function.target)
        .args(SETTINGS.iter().flat_map(|setting| ["--config", setting]))
        .env("CARGO_ENCODED_RUSTFLAGS", rust_flags(function, toolchain)?)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let triple = architecture.triple();
    let target = match linking {
        Linking::Native => None,
        Linking::Cross => Some(triple.to_owned()),
        Linking::Zig => Some(format!("{triple}.2.34")),
    };
    if let Some(target) = target {
        command.args(["--target", &target]);
    }
    tracing::debug!(?command, "building a function");

    let program = command.get_program().to_string_lossy().into_owned();
    let mut child =
        command.spawn().map_err(|error| PackageError::NoToolchain { program, message: error.to_string() })?;
    let output = listen(&mut child, &function.name, progress);
    if !child.wait()?.success() {
        let messages = output.errors();
        let help = if messages.contains("--locked") {
            Some("run `cargo build` in that workspace once and commit its Cargo.lock".to_owned())
        } else if linking == Linking::Cross && messages.contains("linking with") {
            Some("run `pip install cargo-zigbuild ziglang`: it links for other processors".to_owned())
        } else {
            None
        };
        return Err(PackageError::Build { package: function.name.clone(), messages, help });
    }
    output.executable.ok_or_else(|| PackageError::Build {
        package: function.name.clone(),
        messages: "cargo reported no program".into(),
        help: None,
    })
}

/// Folders of this machine get names that are the same on every machine; the last match wins.
fn rust_flags(function: &Function, toolchain: &Toolchain) -> Result<OsString, PackageError> {
    let commit = toolchain.version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or("unknown");
    let library = toolchain::sysroot(&function.workspace)?.join("lib/rustlib/src/rust");
    let names: [(&Path, &str); 4] = [
        (&function.workspace, "/workspace"),
        (&function.target, "/target"),
        (&toolchain::cargo_home(), "/cargo"),
        (&library, &format!("/rustc/{commit}")),
    ];
    let mut flags = OsString::new();
    for (folder, name) in names {
        if !flags.is_empty() {
            flags.push("\x1f");
        }
        flags.push("--remap-path-prefix=");
        flags.push(folder);
        flags.push("=");
        flags.push(name);
    }
    Ok(flags)
}

/// What cargo said in one call.
#[derive(Default)]
struct Output {
    executable: Option<PathBuf>,
    /// Errors of the compiler, as it shows them.
    rendered: Vec<String>,
    /// Lines of cargo itself.
    lines: Vec<String>,
}

impl Output {
    fn note(&mut self, message: Message) {
        match message {
            Message::CompilerArtifact(artifact) if artifact.executable.is_some() => {
                self.executable = artifact.executable.map(PathBuf::from);
            }
            Message::CompilerMessage(compiler) => {
                if matches!(compiler.message.level, DiagnosticLevel::Error | DiagnosticLevel::Ice) {
                    self.rendered.extend(compiler.message.rendered);
                }
            }
            _ => {}
        }
    }

    /// The errors without warnings and status lines.
    fn errors(&self) -> String {
        let is_error = |line: &String| line.starts_with("error") || line.starts_with("Error");
        let cargo = self.lines.iter().skip_while(|line| !is_error(line));
        // These only repeat that the errors above are errors.
        let repeats = ["error: could not compile", "warning: build failed"];
        let cargo = cargo.filter(|line| !repeats.iter().any(|start| line.starts_with(start)));
        let errors = self.rendered.iter().map(|error| error.trim_end());
        let errors: Vec<_> = errors.chain(cargo.map(String::as_str)).collect();
        if errors.is_empty() { self.lines.join("\n") } else { errors.join("\n") }
    }
}

enum Said {
    Message(Box<Message>),
    Line(String),
}

/// Reads both streams of cargo to their end.
fn listen(child: &mut std::process::Child, package: &str, progress: &mut dyn FnMut(Progress)) -> Output {
    let (say, said) = mpsc::channel();
    let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
    let stderr = BufReader::new(child.stderr.take().expect("stderr is piped"));
    let say_message = say.clone();
    thread::spawn(move || {
        for message in Message::parse_stream(stdout).map_while(Result::ok) {
            // Nobody listens once the caller has panicked.
            let _ = say_message.send(Said::Message(Box::new(message)));
        }
    });
    thread::spawn(move || {
        for line in stderr.lines().map_while(Result::ok) {
            let _ = say.send(Said::Line(line)); // as above
        }
    });

    let mut output = Output::default();
    let mut count = 0;
    for said in said {
        match said {
            Said::Message(message) => output.note(*message),
            Said::Line(line) => {
                if let Some(compiling) = line.trim_start().strip_prefix("Compiling ") {
                    count += 1;
                    let name = compiling.split(" (").next().unwrap_or(compiling).to_owned();
                    progress(Progress::Compiling { package: package.to_owned(), name, count });
                }
                output.lines.push(line);
            }
        }
    }
    output
}
