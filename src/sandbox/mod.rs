//! The embedded AWS: ministack as a child process, with drctl's own Python extension loaded into it.
//!
//! Everything it needs is carried in the binary or pinned by hash. The first use makes a private Python
//! environment in the user's cache folder; after that a sandbox is up in about half a second. It listens on
//! the loopback only.
//!
//! [`Owned`] is for one run and leaves nothing behind; [`up`], [`down`] and [`status`] are about the one
//! that a user keeps between commands.

mod carried;
mod control;
mod error;
mod http;
mod lock;
mod log;
mod owned;
mod python;
mod server;
mod shared;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;

use etcetera::BaseStrategy as _;

pub use control::{calls, faults, reset_calls, set_faults};
pub use error::SandboxError;
pub use log::Log;
pub use owned::Owned;
pub use shared::{Info, down, is_up, log, reset, state_folder, status, up};

/// How the sandbox behaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// As unkind as AWS: eventual consistency, pending states, conflicts.
    pub strict: bool,
    /// How many times faster than AWS its clocks run: intervals of health checks, cool-downs, lags.
    pub speed: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { strict: false, speed: 1.0 }
    }
}

impl fmt::Display for Options {
    /// As they are asked for on the command line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--strict={} --speed={}", self.strict, self.speed)
    }
}

/// What a user asks for; what they leave out stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Whether it is to be as unkind as AWS.
    pub strict: Option<bool>,
    /// How much faster than AWS its clocks are to run.
    pub speed: Option<f64>,
}

impl Wanted {
    /// The options of a sandbox that had `last`.
    fn over(self, last: Options) -> Options {
        Options { strict: self.strict.unwrap_or(last.strict), speed: self.speed.unwrap_or(last.speed) }
    }
}

/// What a POSIX shell evaluates so that other AWS tools speak to the sandbox.
pub fn shell_env(info: &Info) -> String {
    let exports = [
        ("AWS_ENDPOINT_URL", info.endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let mut text: String = exports.iter().map(|(name, value)| format!("export {name}={value}\n")).collect();
    // Left over from real work they would win over the keys above.
    text.push_str("unset AWS_PROFILE AWS_SESSION_TOKEN\n");
    text
}

/// The address on the loopback of a function URL as AWS writes it: `https://ID.lambda-url.REGION.on.aws/PATH`.
pub fn function_url(endpoint: &str, stored_url: &str) -> Option<String> {
    let (host, path) = stored_url.strip_prefix("https://")?.split_once('/').unwrap_or((&stored_url[8..], ""));
    let (id, rest) = host.split_once(".lambda-url.")?;
    rest.strip_suffix(".on.aws")?;
    Some(format!("{endpoint}/_aws/lambda-url/{id}/{path}"))
}

/// Where the Python environment, the extension and the shared sandbox live.
fn cache() -> Result<PathBuf, SandboxError> {
    let folders = etcetera::choose_base_strategy().map_err(|_| SandboxError::NoHome)?;
    Ok(folders.cache_dir().join("drctl").join("sandbox"))
}

/// Runs what blocks where it holds up nobody.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SandboxError> + Send + 'static,
) -> Result<T, SandboxError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
    }
}
