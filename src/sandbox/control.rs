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

/// Replaces the injected faults; `None` ends them all.
pub async fn set_faults(endpoint: &str, faults: Option<&Value>) -> Result<(), SandboxError> {
    match faults {
        Some(faults) => ask(endpoint, "PUT", "/_drctl/faults", &faults.to_string()).await.map(drop),
        None => ask(endpoint, "DELETE", "/_drctl/faults", "").await.map(drop),
    }
}

/// Empties the sandbox, as if it had just been made.
pub async fn reset(endpoint: &str) -> Result<(), SandboxError> {
    ask(endpoint, "POST", "/_ministack/reset", "").await.map(drop)
}

async fn ask(endpoint: &str, method: &'static str, path: &str, body: &str) -> Result<String, SandboxError> {
    match http::send(endpoint, method, path, body).await {
        Ok((200..300, body)) => Ok(body),
        Ok((status, body)) => Err(failed(endpoint, method, path, format!("{status} {}", body.trim()))),
        Err(error) => Err(failed(endpoint, method, path, error.to_string())),
    }
}

fn failed(endpoint: &str, method: &'static str, path: &str, reason: String) -> SandboxError {
    SandboxError::Request { method, url: format!("{endpoint}{path}"), reason }
}
