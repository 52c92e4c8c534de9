//! What the extension offers beside AWS: how often it was called, faults, a fresh start.

use serde_json::Value;

use super::{SandboxError, http};

/// How often AWS was called, by service, operation and region.
pub async fn calls(endpoint: &str) -> Result<Value, SandboxError> {
    let text = ask(endpoint, "GET", "/_drctl/calls", "").await?;
    serde_json::from_str(&text).map_err(|error| failed(endpoint, "GET", "/_drctl/calls", error.to_string()))
}

/// Starts counting calls from nothing.
pub async fn reset_calls(endpoint: &str) -> Result<(), SandboxError> {
    ask(endpoint, "DELETE", "/_drctl/calls", "").await.map(drop)
}

/// The faults in force, in the form of `sandbox/README.md`.
pub async fn faults(endpoint: &str) -> Result<Value, SandboxError> {
    let text = ask(endpoint, "GET", FAULTS, "").await?;
    serde_json::from_str(&text).map_err(|error| failed(endpoint, "GET", FAULTS, error.to_string()))
}

/// Replaces the injected faults; `None` ends them all. Rules that make no sense change nothing.
pub async fn set_faults(endpoint: &str, faults: Option<&Value>) -> Result<(), SandboxError> {
    let Some(faults) = faults else { return ask(endpoint, "DELETE", FAULTS, "").await.map(drop) };
    match http::send(endpoint, "PUT", FAULTS, &faults.to_string()).await {
        Ok((200, _)) => Ok(()),
        Ok((400, answer)) => {
            let said = serde_json::from_str::<Value>(&answer).ok();
            let reason = said.as_ref().and_then(|said| said["error"].as_str()).unwrap_or(answer.trim());
            Err(SandboxError::Faults { reason: reason.to_owned() })
        }
        other => answered(endpoint, "PUT", FAULTS, other).map(drop),
    }
}

/// Empties the embedded AWS, as if it had just been made.
pub(super) async fn reset(endpoint: &str) -> Result<(), SandboxError> {
    ask(endpoint, "POST", "/_ministack/reset", "").await.map(drop)
}

const FAULTS: &str = "/_drctl/faults";

async fn ask(endpoint: &str, method: &'static str, path: &str, body: &str) -> Result<String, SandboxError> {
    answered(endpoint, method, path, http::send(endpoint, method, path, body).await)
}

fn answered(
    endpoint: &str,
    method: &'static str,
    path: &str,
    answer: std::io::Result<(u16, String)>,
) -> Result<String, SandboxError> {
    match answer {
        Ok((200..300, body)) => Ok(body),
        Ok((status, body)) => Err(failed(endpoint, method, path, format!("{status} {}", body.trim()))),
        Err(error) => Err(failed(endpoint, method, path, error.to_string())),
    }
}

fn failed(endpoint: &str, method: &'static str, path: &str, reason: String) -> SandboxError {
    SandboxError::Request { method, url: format!("{endpoint}{path}"), reason }
}
