//! What people and scripts see of plans, runs and failures.

mod adoption;
mod drift;
mod events;
mod graph;
mod hint;
mod human;
mod json;
mod markdown;
mod observation;
#[cfg(feature = "aws")]
mod progress;
mod refusal;
mod stale;
mod state;
mod stderr;
mod style;
#[cfg(test)]
mod tests;

pub use adoption::{adoption_text, hindrance_next, hindrance_text};
pub use drift::{drift_json, drift_text};
pub use events::{event_line, loss_line, outcome_line, plan_line};
pub use graph::{graph_dot, graph_mermaid};
pub use hint::next_step;
pub use human::{amount, plan_text, took, waiting_text};
pub use json::plan_json;
pub use markdown::plan_markdown;
pub use observation::{Snapshot, SnapshotError, live_text, observation_text, read_snapshot, snapshot_json};
#[cfg(feature = "aws")]
pub use progress::Reporter;
pub use refusal::{refusal_next, refusal_text};
pub use stale::stale_text;
pub use state::{state_json, state_text};
pub use stderr::say;
pub use style::Style;
