//! Where payments are kept, as far as taking one needs to know.

use payments::{Payment, Recorded};
use std::fmt;

/// Keeps payments, each id once.
pub(crate) trait Store {
    /// Writes the payment down unless its id is taken; then says what is there.
    async fn put_new(&self, payment: &Payment) -> Result<Put, StoreError>;
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is written.
    New,
    /// The id was taken, by this.
    Taken(Recorded),
}

/// The store did not answer, or not in a way that can be used: the payment may or may not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoreError(pub(crate) String);

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
