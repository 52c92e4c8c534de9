//! What a payment is, and what both functions share around it.
//!
//! Plain data and decisions only: no clock, no network, and no SDK types unless the feature `aws` is on.
//! A body becomes a [`PaymentRequest`] or a list of [`FieldError`]s; a request that is accepted becomes a [`Payment`],
//! which knows how it is stored; what is stored comes back as a [`Recorded`].

mod currency;
mod customer;
mod environment;
mod id;
mod money;
mod payment;
mod problem;
mod request;
mod time;

#[cfg(feature = "aws")]
pub mod aws;
pub mod http;
#[cfg(feature = "aws")]
pub mod log;

pub use currency::Currency;
pub use customer::CustomerId;
pub use environment::{Environment, Missing};
pub use id::{IdempotencyKey, TransactionId};
pub use money::{Amount, Money};
pub use payment::{Attribute, Payment, Receipt, Recorded};
pub use problem::FieldError;
pub use request::{Fingerprint, PaymentRequest};
pub use time::UtcTime;
