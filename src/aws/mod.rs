//! The AWS SDK at arm's length: clients of each place, one way of failing,
//! one of retrying and one of waiting. Knows no kind of resource.

mod arn;
mod call;
#[cfg(test)]
pub(crate) mod canned;
mod clients;
mod connect;
mod meter;
mod reach;
mod retry;
mod sign;
mod tags;
mod wait;

pub use arn::Arn;
pub use call::{Call, given};
pub use clients::{Clients, Regional};
pub use connect::{ConnectError, Target, connect};
pub use meter::Meter;
pub use reach::{Asked, Reach};
pub use retry::{Transient, retry};
pub use tags::{STACK, TagIndex, is_aws, own};
pub use wait::{Look, Wait, poll};
