//! The user's own sandbox, kept between commands.
//!
//! The server holds a file lock from its first moment to its last, so whether it runs is a fact of the
//! system and needs no look at process ids, which get reused. `run.json` tells the rest.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};

use super::server::{self, Life, Runtime, Server};
use super::{Log, Options, SandboxError, Wanted, cache, carried, control, http, lock};

/// A sandbox that is up.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub endpoint: String,
    /// Its port, which it gets again the next time if it is free.
    pub port: u16,
    /// Its process.
    pub pid: u32,
    /// Where it keeps what it holds.
    pub folder: PathBuf,
    /// Where drctl keeps its state of systems in it.
    pub state: PathBuf,
    /// Since when it is up.
    pub started: Timestamp,
    /// What it wrote.
    pub log: PathBuf,
    /// How it was started.
    pub options: Options,
}

/// What `run.json` holds. It stays when the server stops: the next one takes the same port and options.
#[derive(Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) pid: u32,
    /// In which run of the system this is its process.
    #[serde(default)]
    pub(super) boot: Option<String>,
    /// Whether it ended in good order; its process id may be anybody's since.
    #[serde(default)]
    pub(super) stopped: bool,
    pub(super) port: u16,
    pub(super) started: Timestamp,
    pub(super) strict: bool,
    pub(super) speed: f64,
    /// Version of the extension it runs.
    pub(super) extension: String,
}

impl Run {
    /// How it was started.
    fn options(&self) -> Options {
        Options { strict: self.strict, speed: self.speed }
    }

    /// The process group in which functions may have outlived their server; none if its id can be somebody else's.
    pub(super) fn orphans(&self, boot: Option<&str>) -> Option<u32> {
        (!self.stopped && boot.is_some() && self.boot.as_deref() == boot).then_some(self.pid)
    }

    fn info(&self, home: &Home) -> Info {
        Info {
            endpoint: server::endpoint(self.port),
            port: self.port,
            pid: self.pid,
            folder: home.0.clone(),
            state: home.0.join(STATE),
            started: self.started,
            log: server::log(&home.0),
            options: self.options(),
        }
    }

    /// What is there for a user who asked for these options.
    fn as_asked(&self, home: &Home, asked: Wanted) -> Result<Info, SandboxError> {
        let (running, wanted) = (self.options(), asked.over(self.options()));
        if running == wanted { Ok(self.info(home)) } else { Err(SandboxError::OtherOptions { running, wanted }) }
    }
}

/// Returns the running sandbox, or starts it with everything it held when it was stopped.
///
/// What is not asked for is as it was when the sandbox last ran; one that runs with other options than those asked for
/// is an error. One that another version of drctl started is restarted, so that it behaves as this version expects.
pub async fn up(asked: Wanted, progress: &mut dyn FnMut(&str)) -> Result<Info, SandboxError> {
    let home = Home::open()?;
    {
        let door = home.enter().await?;
        match door.running().await? {
            Some(run) if run.extension == carried::version() => return run.as_asked(&home, asked),
            _ => {}
        }
    }
    // Without the door: the first use takes a while, and `status` need not wait for it.
    let runtime = Runtime::prepare(progress).await?;
    let door = home.enter().await?;
    match door.running().await? {
        Some(run) if run.extension == carried::version() => return run.as_asked(&home, asked),
        Some(run) => {
            progress("restarting the sandbox: another version of drctl started it");
            door.stop(run).await?;
        }
        None => progress("starting the sandbox"),
    }
    Ok(door.start(&runtime, asked).await?.info(&home))
}

/// Stops the sandbox, which saves what it holds; `false` if it was not up.
pub async fn down() -> Result<bool, SandboxError> {
    let home = Home::open()?;
    let door = home.enter().await?;
    if !door.is_up()? {
        return Ok(false);
    }
    let run = door.live()?;
    door.stop(run).await?;
    Ok(true)
}

/// The sandbox, if it is up.
pub async fn status() -> Result<Option<Info>, SandboxError> {
    let home = Home::open()?;
    let door = home.enter().await?;
    Ok(door.running().await?.map(|run| run.info(&home)))
}

/// Whether the sandbox is up, without asking whether it answers.
pub async fn is_up() -> Result<bool, SandboxError> {
    Home::open()?.enter().await?.is_up()
}

/// Empties the sandbox, up or not: AWS is then as if it had just been made. It keeps running if it runs.
pub async fn reset() -> Result<(), SandboxError> {
    let home = Home::open()?;
    let door = home.enter().await?;
    match door.running().await? {
        Some(run) => control::reset(&server::endpoint(run.port)).await,
        None => server::forget_saved(&home.0),
    }
}

/// Where drctl keeps its state of systems in the sandbox.
pub fn state_folder() -> Result<PathBuf, SandboxError> {
    Ok(Home::open()?.0.join(STATE))
}

/// What the sandbox writes, and wrote when it was last up; `None` if it never was.
pub fn log() -> Result<Option<Log>, SandboxError> {
    Log::open(&server::log(&Home::open()?.0))
}

/// drctl's state, in the folder of the sandbox.
const STATE: &str = "state";

/// The folder of the shared sandbox.
struct Home(PathBuf);

/// One drctl at a time starts, stops or looks.
struct Door<'a> {
    home: &'a Path,
    _lock: File,
}

impl Home {
    /// `DRCTL_SANDBOX_HOME`, or a folder in the cache.
    fn open() -> Result<Self, SandboxError> {
        let given = std::env::var_os("DRCTL_SANDBOX_HOME").filter(|home| !home.is_empty());
        let folder = match given {
            Some(home) => std::path::absolute(home)?,
            None => cache()?.join("shared"),
        };
        fs_err::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    async fn enter(&self) -> Result<Door<'_>, SandboxError> {
        Ok(Door { home: &self.0, _lock: lock::take(&self.0.join("door.lock")).await? })
    }
}

impl Door<'_> {
    fn lock_of_server(&self) -> PathBuf {
        self.home.join("server.lock")
    }

    fn is_up(&self) -> Result<bool, SandboxError> {
        Ok(lock::try_take(&self.lock_of_server())?.is_none())
    }

    fn record(&self) -> Option<Run> {
        serde_json::from_str(&fs_err::read_to_string(self.home.join("run.json")).ok()?).ok()
    }

    /// What is known of the server that holds its lock.
    fn live(&self) -> Result<Run, SandboxError> {
        self.record().filter(|run| !run.stopped).ok_or_else(|| self.unknown())
    }

    /// What runs and answers; a server that lives and does not answer is an error.
    async fn running(&self) -> Result<Option<Run>, SandboxError> {
        if !self.is_up()? {
            return Ok(None);
        }
        let run = self.live()?;
        let endpoint = server::endpoint(run.port);
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) {
            if http::is_healthy(&endpoint).await {
                return Ok(Some(run));
            }
            if !self.is_up()? {
                return Ok(None);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(SandboxError::NotAnswering { pid: run.pid, endpoint, log: server::log(self.home) })
    }

    /// A server holds its lock, and nothing tells which: drctl was killed in the instant between.
    fn unknown(&self) -> SandboxError {
        SandboxError::Busy { lock: self.lock_of_server() }
    }

    async fn start(&self, runtime: &Runtime, asked: Wanted) -> Result<Run, SandboxError> {
        let (before, boot) = (self.record(), server::boot());
        if let Some(pid) = before.as_ref().and_then(|run| run.orphans(boot.as_deref())) {
            server::kill_orphans(pid)?;
        }
        let options = asked.over(before.as_ref().map_or_else(Options::default, Run::options));
        let mut wanted = before.map(|run| run.port);
        let mut attempts = 3;
        loop {
            attempts -= 1;
            let port = server::free_port(wanted.take())?;
            let lock = lock::take(&self.lock_of_server()).await?;
            let mut server = Server::spawn(runtime, self.home, port, options, Life::Kept(lock))?;
            let run = Run {
                pid: server.pid(),
                boot: boot.clone(),
                stopped: false,
                port,
                started: Timestamp::now(),
                strict: options.strict,
                speed: options.speed,
                extension: carried::version(),
            };
            // Before it is ready: a drctl that is killed while it waits leaves a server that can be found.
            self.write(&run)?;
            match server.ready().await {
                Ok(()) => return Ok(run),
                // Somebody else took the port since it was found free.
                Err(SandboxError::NotReady { .. }) if attempts > 0 && server::is_taken(port) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn write(&self, run: &Run) -> Result<(), SandboxError> {
        let text = serde_json::to_string_pretty(run).expect("a record is plain data");
        let new = self.home.join("run.json.new");
        fs_err::write(&new, text)?;
        Ok(fs_err::rename(new, self.home.join("run.json"))?)
    }

    async fn stop(&self, run: Run) -> Result<(), SandboxError> {
        let pid = run.pid;
        server::signal(pid, Signal::TERM)?;
        if !self.wait_for_end(server::STOP).await? {
            tracing::warn!(pid, "the sandbox did not stop in time and is killed; what it held may be lost");
            server::kill_group(pid)?;
            if !self.wait_for_end(Duration::from_secs(5)).await? {
                return Err(SandboxError::WontStop { pid });
            }
        }
        // Functions it may have left running.
        server::kill_group(pid)?;
        self.write(&Run { stopped: true, ..run })
    }

    async fn wait_for_end(&self, patience: Duration) -> Result<bool, SandboxError> {
        let start = Instant::now();
        while self.is_up()? {
            if start.elapsed() > patience {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(true)
    }
}
