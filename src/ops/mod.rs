//! Working with a system that is deployed: its outputs, its endpoints.

mod endpoint;
mod outputs;

pub use endpoint::{Answer, RequestError, get, post};
pub use outputs::{Output, health_url, outputs, payment_url};
