//! Working with a system that is deployed: its outputs, its endpoints, what operators do by hand.

#[cfg(feature = "aws")]
mod aws;
mod endpoint;
mod guard;
mod iam_policy;
mod outputs;
mod secret;
#[cfg(feature = "aws")]
mod state_bucket;

#[cfg(feature = "aws")]
pub use aws::{bucket_content, count_items, inventory, set_concurrency};
pub use endpoint::{Answer, Request, RequestError};
pub use guard::guard;
pub use iam_policy::iam_policy;
pub use outputs::{Output, health_url, outputs, payment_url};
pub use secret::{SecretStatus, SecretValue, ValueError};
#[cfg(feature = "aws")]
pub use secret::{put_secret, secret_in, wait_for_version};
#[cfg(feature = "aws")]
pub use state_bucket::{Ensured, Unfit, ensure_state_bucket, state_bucket_lacks};
