//! `[guard]`: what must not be deleted by the way.

use std::collections::BTreeSet;

use crate::kinds;
use crate::spec::{Problem, TableReader, nearest};

/// `[guard]`
#[derive(Debug)]
pub struct GuardSection {
    /// Kinds that are deleted or replaced only when their address is allowed by name.
    pub protect: BTreeSet<String>,
}

impl Default for GuardSection {
    /// Everything that holds data.
    fn default() -> Self {
        let data = kinds::REGISTRY.iter().filter(|kind| kind.meta.holds_data);
        Self { protect: data.map(|kind| kind.meta.kind.to_owned()).collect() }
    }
}

impl GuardSection {
    pub(super) fn read(mut reader: TableReader<'_>) -> Self {
        let known: Vec<_> = kinds::REGISTRY.iter().map(|kind| kind.meta.kind).collect();
        let protect = reader.strings("protect").map(|names| {
            for name in names.iter().filter(|name| !known.contains(&name.as_str())) {
                let help = nearest(name, &known).map_or_else(
                    || format!("write one of: {}", known.join(", ")),
                    |near| format!("did you mean \"{near}\"?"),
                );
                reader.problems().push(
                    Problem::new("kind", name.at, format!("there is no kind of resource `{}`", **name)).help(help),
                );
            }
            names.into_iter().map(|name| name.value).collect()
        });
        reader.finish();
        protect.map_or_else(Self::default, |protect| Self { protect })
    }
}
