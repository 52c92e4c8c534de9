//! What people and scripts see of plans, runs and failures.

mod drift;
mod events;
mod graph;
mod hint;
mod human;
mod json;
mod observation;
#[cfg(feature = "aws")]
mod progress;
mod refusal;
mod state;
mod style;
#[cfg(test)]
mod tests;

pub use drift::{drift_json, drift_text};
pub use events::{event_line, loss_line, outcome_line, plan_line};
pub use graph::{graph_dot, graph_mermaid};
pub use hint::next_step;
pub use human::{amount, plan_text, took, waiting_text};
pub use json::plan_json;
pub use observation::{Snapshot, SnapshotError, live_text, observation_text, read_snapshot, snapshot_json};
#[cfg(feature = "aws")]
pub use progress::Reporter;
pub use refusal::{refusal_next, refusal_text};
pub use state::{state_json, state_text};
pub use style::Style;
