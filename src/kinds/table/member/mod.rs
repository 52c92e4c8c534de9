//! One member of a global table, as the group and the member's own settings both see it.

mod aws;

pub(in crate::kinds) use aws::{api_tags, describe, tags};
