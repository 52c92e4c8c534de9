//! The server's process: how it is started, when it is ready, how it ends.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};

use super::python::{Environment, last_lines};
use super::{Options, SandboxError, blocking, cache, carried, http};

/// A start takes half a second; a machine under load and a first import get more.
const READY: Duration = Duration::from_secs(30);

/// The server saves what it holds when it is told to stop.
pub(super) const STOP: Duration = Duration::from_secs(20);

/// What it saves when it is stopped, in its folder: `state` there is drctl's own, which may be lost.
const SAVED: &str = "aws";
const SAVED_OBJECTS: &str = "s3";

/// Interpreter and extension, ready to be started.
#[derive(Debug)]
pub(super) struct Runtime {
    python: PathBuf,
    extension: PathBuf,
}

impl Runtime {
    /// Finds what the server needs, and makes what is missing.
    pub(super) async fn prepare(progress: &mut dyn FnMut(&str)) -> Result<Self, SandboxError> {
        let cache = cache()?;
        let environment = blocking({
            let cache = cache.clone();
            move || Environment::find(&cache)
        })
        .await?;
        if !environment.is_complete() {
            progress("making the Python environment of the sandbox (first use only, takes about half a minute)");
            let environment = environment.clone();
            blocking(move || environment.make()).await?;
        }
        Ok(Self { python: environment.python(), extension: carried::extension(&cache)? })
    }
}

/// How long a server lives.
#[derive(Debug)]
pub(super) enum Life {
    /// As long as this process, even when it is killed.
    Bound,
    /// Until it is stopped; it keeps what it holds, and this lock.
    Kept(File),
}

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pub(super) port: u16,
    folder: PathBuf,
}

impl Server {
    /// Starts a server that keeps all of its files in `folder`. It is not ready yet.
    ///
    /// It gets a process group of its own, which Ctrl-C in the terminal does not reach: a command that is
    /// interrupted finishes its running steps first, and those need the server.
    pub(super) fn spawn(
        runtime: &Runtime,
        folder: &Path,
        port: u16,
        options: Options,
        life: Life,
    ) -> Result<Self, SandboxError> {
        let temp = temp(folder);
        // What a killed server left. It is in nobody's way, should an orphaned function still write there.
        let _ = fs_err::remove_dir_all(&temp);
        fs_err::create_dir_all(&temp)?;
        let log = fs_err::File::create(log(folder))?.into_file();

        let mut command = command(runtime, folder, port, options);
        match life {
            Life::Bound => {
                command.env("DRCTL_SANDBOX_PARENT", std::process::id().to_string()).stdin(Stdio::null());
            }
            Life::Kept(lock) => {
                command
                    .env("PERSIST_STATE", "1")
                    .env("STATE_DIR", folder.join(SAVED))
                    .env("S3_PERSIST", "1")
                    .env("S3_DATA_DIR", folder.join(SAVED_OBJECTS))
                    // As its standard input the lock is the server's until it ends, however it ends.
                    .stdin(lock);
            }
        }
        let child = command.stdout(log.try_clone()?).stderr(log).spawn()?;
        Ok(Self { child, port, folder: folder.to_owned() })
    }

    /// Waits until it takes requests. On failure it is gone, and the error shows what it said last.
    pub(super) async fn ready(&mut self) -> Result<(), SandboxError> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Err(self.not_ready(format!("its process ended ({status})")));
            }
            if self.has_bound() && http::is_healthy(&self.endpoint()).await {
                return Ok(());
            }
            if start.elapsed() > READY {
                self.kill()?;
                return Err(self.not_ready(format!("it was not ready within {} s", READY.as_secs())));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Whether the port is this server's. Another one may have taken it since it was chosen, and would
    /// answer in its place; that one is not in this log.
    fn has_bound(&self) -> bool {
        let bound = format!("Running on {}", self.endpoint());
        fs_err::read_to_string(log(&self.folder)).is_ok_and(|log| log.contains(&bound))
    }

    fn not_ready(&self, reason: String) -> SandboxError {
        let log = log(&self.folder);
        let said = fs_err::read(&log).unwrap_or_default();
        SandboxError::NotReady { reason, lines: last_lines(&String::from_utf8_lossy(&said), 12), log }
    }

    pub(super) fn endpoint(&self) -> String {
        endpoint(self.port)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Tells it to stop and waits; after a while it is killed.
    pub(super) async fn stop(&mut self) -> Result<(), SandboxError> {
        signal(self.pid(), Signal::TERM)?;
        let start = Instant::now();
        while self.child.try_wait()?.is_none() && start.elapsed() < STOP {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.kill().map(drop)
    }

    /// Ends it and the functions it runs, at once.
    pub(super) fn kill(&mut self) -> Result<ExitStatus, SandboxError> {
        kill_group(self.pid())?;
        Ok(self.child.wait()?)
    }
}

/// The command that starts a server, with the whole of its environment.
fn command(runtime: &Runtime, folder: &Path, port: u16, options: Options) -> Command {
    let mut command = Command::new(&runtime.python);
    command.args(["-m", "drctl_sandbox"]).current_dir(folder).process_group(0).env_clear();
    // Functions inherit this environment, so nothing of the user's may be in it.
    for name in ["PATH", "HOME", "LANG", "LC_ALL"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    command
        .env("TMPDIR", temp(folder))
        .env("PYTHONPATH", &runtime.extension)
        .env("PYTHONUNBUFFERED", "1")
        .env("GATEWAY_PORT", port.to_string())
        .env("BIND_HOST", Ipv4Addr::LOCALHOST.to_string())
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0")
        .env("AWS_ENDPOINT_URL", endpoint(port))
        // SDKs in functions would read those of the user, below HOME.
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("DRCTL_HEALTH_CACHE_MS", "1000")
        .env("DRCTL_SANDBOX_STRICT", if options.strict { "1" } else { "0" })
        .env("DRCTL_SANDBOX_SPEED", options.speed.to_string());
    command
}

/// Where the server and its functions put what nobody needs any more once they are gone.
fn temp(folder: &Path) -> PathBuf {
    folder.join("tmp")
}

/// Where a server that keeps its files in `folder` writes what it does.
pub(super) fn log(folder: &Path) -> PathBuf {
    folder.join("server.log")
}

/// Removes what a stopped server saved in `folder`.
pub(super) fn forget_saved(folder: &Path) -> Result<(), SandboxError> {
    for saved in [SAVED, SAVED_OBJECTS] {
        match fs_err::remove_dir_all(folder.join(saved)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

/// The address of a server on this machine.
pub(super) fn endpoint(port: u16) -> String {
    format!("http://{}:{port}", Ipv4Addr::LOCALHOST)
}

/// A port that is free now: `wanted`, if it is.
pub(super) fn free_port(wanted: Option<u16>) -> Result<u16, SandboxError> {
    let wanted = wanted.and_then(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok());
    let listener = wanted.map_or_else(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)), Ok)?;
    Ok(listener.local_addr()?.port())
}

/// Whether something listens there.
pub(super) fn is_taken(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err()
}

/// Sends a signal to a server.
pub(super) fn signal(pid: u32, signal: Signal) -> Result<(), SandboxError> {
    gone_is_fine(kill_process(process(pid), signal))
}

/// Kills a server and every function it started.
pub(super) fn kill_group(pid: u32) -> Result<(), SandboxError> {
    match kill_process_group(process(pid), Signal::KILL) {
        // What macOS answers when only zombies are left.
        Err(rustix::io::Errno::PERM) => Ok(()),
        result => gone_is_fine(result),
    }
}

/// Ends the functions of a server that was killed. Its process is gone and its group is not, which keeps the
/// system from giving the same id to anybody else.
pub(super) fn kill_orphans(pid: u32) -> Result<(), SandboxError> {
    match test_kill_process(process(pid)) {
        Err(rustix::io::Errno::SRCH) => kill_group(pid),
        _ => Ok(()),
    }
}

/// Which run of the system this is: in another one, also of a container, process ids are other processes'.
pub(super) fn boot() -> Option<String> {
    let of_macos = || {
        let asked = Command::new("sysctl").args(["-n", "kern.bootsessionuuid"]).stdin(Stdio::null()).output().ok()?;
        asked.status.success().then(|| String::from_utf8_lossy(&asked.stdout).into_owned())
    };
    let id = fs_err::read_to_string("/proc/sys/kernel/random/boot_id").ok().or_else(of_macos)?;
    let namespace = fs_err::read_link("/proc/self/ns/pid").unwrap_or_default();
    Some(format!("{} {}", id.trim(), namespace.display()))
}

fn process(pid: u32) -> Pid {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.expect("the id of a process is a positive i32")
}

fn gone_is_fine(result: rustix::io::Result<()>) -> Result<(), SandboxError> {
    match result {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(std::io::Error::from(error).into()),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    #[test]
    fn functions_find_no_settings_of_the_users_for_aws() {
        let runtime = Runtime { python: "python3".into(), extension: "extension".into() };
        let command = command(&runtime, Path::new("/sandbox"), 4566, Options::default());
        let given = |name: &str| command.get_envs().find(|(key, _)| *key == name).and_then(|(_, value)| value);
        for file in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
            assert_eq!(given(file), Some(OsStr::new("/dev/null")), "{file}");
        }
        assert_eq!(given("AWS_ENDPOINT_URL"), Some(OsStr::new("http://127.0.0.1:4566")));
        assert_eq!(given("AWS_PROFILE"), None);
    }

    #[test]
    fn a_run_of_the_system_has_a_name() {
        assert_eq!(boot(), boot());
        assert!(boot().is_some());
    }
}
