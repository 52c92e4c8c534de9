//! How a plan is carried out.

use super::events::Event;
use crate::graph::{Address, Meta};

/// How a plan is carried out.
pub struct Options<'a> {
    /// The kinds in dependency order.
    pub kinds: &'a [Meta],
    /// The most steps at once.
    pub parallelism: usize,
    /// Says whether to start nothing more (the user pressed Ctrl-C).
    pub stopping: &'a (dyn Fn() -> bool + Sync),
    /// Hears what happens.
    pub events: &'a (dyn Fn(Event) + Sync),
}

/// Whether a new object is made before the one it replaces goes.
pub(super) fn is_created_first(kinds: &[Meta], address: &Address) -> bool {
    Meta::find(kinds, address).is_some_and(|meta| meta.create_first)
}
