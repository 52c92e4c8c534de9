//! The keys that encrypt the members of a global table.

mod aws;

pub(super) use aws::{change, changed, is_changing, of, specification};
