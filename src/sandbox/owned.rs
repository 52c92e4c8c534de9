//! A sandbox for one run: the demo's and the tests'.

use std::path::Path;

use super::server::{self, Life, Runtime, Server};
use super::{Options, SandboxError};

/// A sandbox that lives as long as this value. Dropping it ends the server and removes its folder; when
/// drctl is killed, the server notices and ends itself, and only the folder stays.
#[derive(Debug)]
pub struct Owned {
    endpoint: String,
    // Dropped in this order: first the server, then the folder it writes to.
    server: Running,
    folder: tempfile::TempDir,
}

/// Ends the server with the value.
#[derive(Debug)]
struct Running(Server);

impl Owned {
    /// Starts a sandbox that has no memory of any other.
    pub async fn start(options: Options, progress: &mut dyn FnMut(&str)) -> Result<Self, SandboxError> {
        let runtime = Runtime::prepare(progress).await?;
        let folder = tempfile::Builder::new().prefix("drctl-sandbox-").tempdir()?;
        progress("starting the sandbox");
        let mut attempts = 3;
        loop {
            attempts -= 1;
            let port = server::free_port(None)?;
            let mut server = Running(Server::spawn(&runtime, folder.path(), port, options, Life::Bound)?);
            match server.0.ready().await {
                Ok(()) => {
                    return Ok(Self { endpoint: server.0.endpoint(), server, folder });
                }
                // Somebody else took the port since it was found free.
                Err(SandboxError::NotReady { .. }) if attempts > 0 && server::is_taken(port) => {}
                Err(error) => {
                    // The log that the error names outlives the failed start.
                    let _ = folder.keep();
                    return Err(error);
                }
            }
        }
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Its folder, for files that belong to its contents; removed with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Stops it in good order, and reports what a drop could not.
    pub async fn stop(mut self) -> Result<(), SandboxError> {
        self.server.0.stop().await?;
        let Self { server, folder, .. } = self;
        drop(server);
        Ok(folder.close()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Nobody is left to tell, and the server also ends by itself once drctl is gone.
        let _ = self.0.kill();
    }
}
