//! What people and scripts see of plans, runs and failures.

mod events;
mod graph;
mod hint;
mod human;
mod json;
#[cfg(feature = "aws")]
mod progress;
mod style;
#[cfg(test)]
mod tests;

pub use events::{event_line, loss_line, outcome_line, plan_line};
pub use graph::{graph_dot, graph_mermaid};
pub use hint::next_step;
pub use human::{amount, plan_text, took, waiting_text};
pub use json::plan_json;
#[cfg(feature = "aws")]
pub use progress::Reporter;
pub use style::Style;
