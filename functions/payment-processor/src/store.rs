//! Where payments are kept, as far as taking one needs to know.

use payments::{Payment, Recorded};
use std::fmt;

/// Keeps payments, each id once.
pub(crate) trait Store {
    /// Writes the payment down unless its id is taken; then says what is there.
    async fn put_new(&self, payment: &Payment) -> Result<Put, StoreError>;
}

/// Keeps a log of payments beside the store, for people and audits.
pub(crate) trait Logbook {
    /// Writes the payment's log once, or says why not. A payment that is taken stays taken without its log.
    async fn keep(&self, payment: &Payment) -> Result<(), String>;
}

/// A system without a bucket for logs keeps none.
impl<L: Logbook> Logbook for Option<L> {
    async fn keep(&self, payment: &Payment) -> Result<(), String> {
        match self {
            Some(logbook) => logbook.keep(payment).await,
            None => Ok(()),
        }
    }
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
