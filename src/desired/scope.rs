//! What a section emits its resources into.

use std::collections::BTreeSet;

use super::{CodeHashes, Spec};
use crate::graph::{Address, Graph, Input, Origin, Owner, Reference, Region, Resource, Tags};
use crate::spec::At;

/// The graph being made, and what every resource of it shares.
pub struct Scope<'a> {
    /// The whole spec.
    pub spec: &'a Spec,
    /// The AWS account.
    pub account: &'a str,
    /// The code of the functions.
    pub code: &'a CodeHashes,
    owner: Owner,
    graph: Graph,
}

impl<'a> Scope<'a> {
    pub(super) fn new(spec: &'a Spec, account: &'a str, code: &'a CodeHashes) -> Self {
        Self { owner: spec.owner(), spec, account, code, graph: Graph::default() }
    }

    pub(super) fn into_graph(self) -> Graph {
        self.graph
    }

    /// Both regions.
    pub fn regions(&self) -> [Region; 2] {
        self.spec.regions()
    }

    /// A name as it appears in AWS.
    pub fn suffixed(&self, name: &str) -> String {
        suffixed(self.spec, name)
    }

    /// The tags of one resource: the spec's own and the ownership marks.
    pub fn tags(&self, address: &Address) -> Tags {
        let mut tags = self.spec.system.tags.clone();
        tags.extend(self.owner.marks(address));
        tags
    }

    /// A value that another resource will have.
    pub fn refer<T: Resource>(&self, address: &Address, attribute: &str) -> Input {
        debug_assert_eq!(address.kind, T::KIND);
        Input::From(Reference { address: address.clone(), attribute: attribute.to_owned() })
    }

    /// Says something that whoever reads the plan should know.
    pub fn warn(&mut self, warning: String) {
        self.graph.warn(warning);
    }

    /// Adds a resource that comes from the table at `at`, after others of which it needs no value.
    pub fn add<T: Resource>(
        &mut self,
        address: Address,
        resource: &T,
        after: impl IntoIterator<Item = Address>,
        at: At,
    ) {
        let origin = Origin { file: self.spec.sources.path(at).to_owned(), line: self.spec.line(at) };
        self.graph.add(address, resource, after.into_iter().collect::<BTreeSet<_>>(), origin);
    }
}

/// A name as it appears in AWS: with the system's suffix.
pub(super) fn suffixed(spec: &Spec, name: &str) -> String {
    format!("{name}-{}", spec.system.suffix.as_str())
}

/// A part of a name with a capital, for ids that have letters and digits only.
pub(super) fn capital(part: &str) -> String {
    part[..1].to_ascii_uppercase() + &part[1..]
}
