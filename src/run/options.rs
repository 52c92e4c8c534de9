//! How a plan is carried out.

use super::events::Event;
use crate::graph::{Address, Meta, Properties};

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

/// What is compared and remembered of a resource.
pub(super) fn managed(kinds: &[Meta], address: &Address, properties: &Properties) -> Properties {
    let meta = kinds.iter().find(|meta| meta.kind == address.kind);
    meta.map_or_else(|| properties.clone(), |meta| meta.managed(properties))
}

pub(super) fn is_created_first(kinds: &[Meta], address: &Address) -> bool {
    kinds.iter().any(|meta| meta.kind == address.kind && meta.create_first)
}
