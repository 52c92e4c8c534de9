//! What a person should know although it stops nothing.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Hears remarks, each once. Clones share what was told.
#[derive(Clone)]
pub struct Remarks {
    tell: Arc<dyn Fn(&str) + Send + Sync>,
    told: Arc<Mutex<BTreeSet<String>>>,
}

impl Remarks {
    /// Hands each remark to `tell`.
    pub fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { tell: Arc::new(tell), told: Arc::default() }
    }

    pub(super) fn tell(&self, remark: &str) {
        if self.told.lock().unwrap_or_else(PoisonError::into_inner).insert(remark.to_owned()) {
            (self.tell)(remark);
        }
    }
}

impl fmt::Debug for Remarks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remarks")
    }
}
