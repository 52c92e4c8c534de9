//! Looking at AWS and changing it: observation, execution, and what happens on the way.
//!
//! Everything here works on the [`Cloud`] seam; the real one is in `live`, a fake
//! one for tests in `fake`.

mod adopt;
mod cloud;
mod code;
mod events;
mod execute;
#[cfg(test)]
pub(crate) mod fake;
#[cfg(feature = "aws")]
mod live;
mod observe;
mod options;
#[cfg(test)]
mod properties;
mod rebuild;
mod settle;

pub use adopt::observe_lookalikes;
pub use cloud::{Cloud, Freshness, Progress};
pub use code::leave_code;
pub use events::Event;
pub use execute::{Outcome, execute};
#[cfg(feature = "aws")]
pub use live::AwsCloud;
pub use observe::{Subject, observe};
pub use options::Options;
pub use rebuild::recorded_as_live;
