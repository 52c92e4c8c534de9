//! What can go wrong with the sandbox, and what to do about it.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use super::Options;

/// Why there is no sandbox.
#[derive(Debug, Error, Diagnostic)]
pub enum SandboxError {
    /// Neither `HOME` nor a cache folder is set.
    #[error("there is no home folder to keep the sandbox in")]
    #[diagnostic(code(drctl::sandbox::no_home), help("set `HOME` or `XDG_CACHE_HOME`"))]
    NoHome,

    /// No Python, or only an old one.
    #[error("the sandbox needs Python 3.10 or newer, and there is {found}")]
    #[diagnostic(
        code(drctl::sandbox::no_python),
        help(
            "install it: `apt install python3 python3-venv`, `dnf install python3`, `brew install python`, or `uv python install 3.12`"
        )
    )]
    NoPython {
        /// What was found instead.
        found: String,
    },

    /// The private Python environment could not be made.
    #[error("the sandbox's Python environment could not be made: {step} failed\n{output}")]
    #[diagnostic(code(drctl::sandbox::environment))]
    Environment {
        /// The command that failed.
        step: String,
        /// The end of what it said.
        output: String,
        /// What usually helps at this step.
        #[help]
        help: &'static str,
    },

    /// The server ended or did not answer in time.
    #[error("the sandbox did not start: {reason}\n{lines}")]
    #[diagnostic(code(drctl::sandbox::not_ready), help("all of its log: {}", log.display()))]
    NotReady {
        /// What was waited for.
        reason: String,
        /// The end of its log.
        lines: String,
        /// Where the rest is.
        log: PathBuf,
    },

    /// The server's process lives and says nothing.
    #[error("the sandbox is running (process {pid}) and does not answer at {endpoint}")]
    #[diagnostic(
        code(drctl::sandbox::not_answering),
        help("`drctl sandbox down` stops it; its log: {}", log.display())
    )]
    NotAnswering {
        /// Its process.
        pid: u32,
        /// Where it should answer.
        endpoint: String,
        /// What it wrote.
        log: PathBuf,
    },

    /// It is up, and not as it was asked for.
    #[error("the sandbox is up with `{running}`, and `{wanted}` was asked for")]
    #[diagnostic(
        code(drctl::sandbox::other_options),
        help(
            "`drctl sandbox down` stops it, and the next `drctl sandbox up` takes the new options; what it holds is kept"
        )
    )]
    OtherOptions {
        /// How it runs.
        running: Options,
        /// How it should run.
        wanted: Options,
    },

    /// Not even a kill ended the server.
    #[error("the sandbox (process {pid}) does not stop")]
    #[diagnostic(code(drctl::sandbox::wont_stop), help("look at it with `ps -fp {pid}`"))]
    WontStop {
        /// Its process.
        pid: u32,
    },

    /// Another drctl starts or stops the sandbox, for too long.
    #[error("{} is held by another drctl", lock.display())]
    #[diagnostic(
        code(drctl::sandbox::busy),
        help("another drctl starts or stops the sandbox: wait for it, or look with `fuser {}`", lock.display())
    )]
    Busy {
        /// The lock file.
        lock: PathBuf,
    },

    /// A request to the server itself failed.
    #[error("{method} {url} failed: {reason}")]
    #[diagnostic(code(drctl::sandbox::request), help("`drctl sandbox status` shows whether it is up"))]
    Request {
        /// HTTP method.
        method: &'static str,
        /// Where it went.
        url: String,
        /// What came back instead.
        reason: String,
    },

    /// Faults that the sandbox does not take.
    #[error("the faults are not as the sandbox takes them, and nothing was changed: {reason}")]
    #[diagnostic(
        code(drctl::sandbox::faults),
        help(r#"a rule is written like {{"service": "dynamodb", "operation": "Describe*", "action": "error", "times": 2}}; sandbox/README.md shows every key"#)
    )]
    Faults {
        /// Which rule, and what is wrong with it.
        reason: String,
    },

    /// A file could not be read or written.
    #[error("the sandbox's files: {0}")]
    #[diagnostic(code(drctl::sandbox::io))]
    Io(#[from] std::io::Error),
}
