//! The private Python environment that ministack runs in, made on first use.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{SandboxError, carried, lock};

/// Names of interpreters, the one the user means by "python" first.
const NAMES: [&str; 6] = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/// What ministack asks for.
const OLDEST: (u32, u32) = (3, 10);

/// An interpreter of this machine.
#[derive(Clone, Debug)]
struct Python {
    executable: PathBuf,
    version: String,
}

/// A virtual environment for one list of requirements and one interpreter.
#[derive(Clone, Debug)]
pub(super) struct Environment {
    base: Python,
    folder: PathBuf,
}

impl Environment {
    /// Chooses the interpreter, and with it the folder below `cache`; makes nothing.
    pub(super) fn find(cache: &Path) -> Result<Self, SandboxError> {
        let base = find_python()?;
        let name = carried::short_hash([carried::REQUIREMENTS, &base.version, &base.executable.to_string_lossy()]);
        Ok(Self { base, folder: cache.join(format!("venv-{name}")) })
    }

    /// Its interpreter.
    pub(super) fn python(&self) -> PathBuf {
        self.folder.join("bin/python")
    }

    /// Whether it was made to the end, and its interpreter is still there.
    pub(super) fn is_complete(&self) -> bool {
        self.marker().is_file() && self.python().is_file()
    }

    /// Makes it, unless another drctl does so first. Takes a while, and the network.
    pub(super) fn make(&self) -> Result<(), SandboxError> {
        let cache = self.folder.parent().expect("the environment lies in the cache folder");
        fs_err::create_dir_all(cache)?;
        let making = lock::open(&cache.join("venv.lock"))?;
        making.lock()?;
        if self.is_complete() {
            return Ok(());
        }
        // An environment knows its own place, so it cannot be made elsewhere and moved here; the marker,
        // written last, tells a finished one from one that was interrupted.
        if self.folder.exists() {
            fs_err::remove_dir_all(&self.folder)?;
        }
        let requirements = cache.join("requirements.txt");
        fs_err::write(&requirements, carried::REQUIREMENTS)?;
        match find_program("uv") {
            Some(uv) => self.make_with_uv(&uv, &requirements)?,
            None => self.make_with_pip(&requirements)?,
        }
        Ok(fs_err::write(self.marker(), &self.base.version)?)
    }

    fn make_with_uv(&self, uv: &Path, requirements: &Path) -> Result<(), SandboxError> {
        const HELP: &str =
            "the package index has to be reachable; with `uv` out of PATH, pip and its settings are used";
        run(Command::new(uv).args(["venv", "--quiet", "--python"]).arg(&self.base.executable).arg(&self.folder), HELP)?;
        let mut install = Command::new(uv);
        install.args(["pip", "install", "--quiet", "--require-hashes", "--python"]).arg(self.python());
        run(install.arg("-r").arg(requirements), HELP)
    }

    fn make_with_pip(&self, requirements: &Path) -> Result<(), SandboxError> {
        run(
            Command::new(&self.base.executable).args(["-m", "venv"]).arg(&self.folder),
            "Debian and Ubuntu keep venv in a package of its own: `apt install python3-venv`; or install `uv`",
        )?;
        let mut install = Command::new(self.python());
        install.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
        run(
            install.args(["--require-hashes", "-r"]).arg(requirements),
            "the package index (https://pypi.org, or what pip is configured for) has to be reachable",
        )
    }

    fn marker(&self) -> PathBuf {
        self.folder.join(".complete")
    }
}

/// Looks for an interpreter that is new enough, at last among those that `uv` installed.
fn find_python() -> Result<Python, SandboxError> {
    let by_name = NAMES.iter().map(PathBuf::from);
    let mut too_old = None;
    for candidate in by_name.chain(std::iter::from_fn({
        let mut asked = false;
        move || {
            if std::mem::replace(&mut asked, true) { None } else { python_of_uv() }
        }
    })) {
        let Some(python) = ask(&candidate) else {
            continue;
        };
        if is_new_enough(&python.version) {
            return Ok(python);
        }
        too_old.get_or_insert(python.version);
    }
    let found = too_old.map_or_else(|| "none in PATH".to_owned(), |version| format!("Python {version}"));
    Err(SandboxError::NoPython { found })
}

/// The version and the true place of an interpreter: a name in PATH may be a shim that starts slowly.
fn ask(candidate: &Path) -> Option<Python> {
    // Inside a virtual environment the one behind it: ours should outlive the user's.
    let question = "import platform, sys; \
        print(platform.python_version(), getattr(sys, '_base_executable', sys.executable))";
    let output = clean(Command::new(candidate).args(["-I", "-c", question])).stdin(Stdio::null()).output().ok()?;
    let answer = String::from_utf8(output.stdout).ok()?;
    let (version, executable) = answer.trim_end().split_once(' ')?;
    Some(Python { executable: executable.into(), version: version.to_owned() })
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    matches!((numbers.next(), numbers.next()), (Some(major), Some(minor)) if (major, minor) >= OLDEST)
}

fn python_of_uv() -> Option<PathBuf> {
    let output = Command::new(find_program("uv")?)
        .args(["python", "find", "--no-python-downloads", ">=3.10"])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    Some(path.trim()).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// Takes away what would send packages elsewhere or bring others in; proxies and indexes of the user stay.
fn clean(command: &mut Command) -> &mut Command {
    for name in ["PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIREMENT"] {
        command.env_remove(name);
    }
    command
}

/// Runs one step of the making; its output is shown only when it fails.
fn run(command: &mut Command, help: &'static str) -> Result<(), SandboxError> {
    let step = format!("{command:?}").replace('"', "");
    let failed = |output: String| SandboxError::Environment { step: step.clone(), output, help };
    let output = clean(command).stdin(Stdio::null()).output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(failed(last_lines(&String::from_utf8_lossy(&said), 15)))
}

/// The end of a text, where the reason usually is.
pub(super) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(["3.10.0", "3.14.0rc1", "3.100.2", "4.0.0"].into_iter().all(is_new_enough));
        assert!(!["3.9.18", "2.7.18", "", "three"].into_iter().any(is_new_enough));
    }

    #[test]
    fn the_last_lines_are_the_end_of_a_text() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "b\nc");
        assert_eq!(last_lines("a", 2), "a");
    }

    #[test]
    fn an_environment_without_its_interpreter_is_not_complete() {
        let folder = tempfile::tempdir().unwrap();
        let base = Python { executable: "python3".into(), version: "3.12.0".into() };
        let environment = Environment { base, folder: folder.path().to_owned() };
        fs_err::write(environment.marker(), "3.12.0").unwrap();
        assert!(!environment.is_complete());
        fs_err::create_dir(folder.path().join("bin")).unwrap();
        fs_err::write(environment.python(), "").unwrap();
        assert!(environment.is_complete());
    }
}
