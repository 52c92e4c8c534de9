//! The desired system: resources and what each needs before it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;

use super::{Address, Properties, Resource};

/// Where in the spec a resource comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file, as the user named it.
    pub file: PathBuf,
    /// The line of its table, from 1.
    pub line: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// One desired resource.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its properties; references in them are dependencies.
    pub properties: Properties,
    /// What AWS will know it by, if that can be told beforehand.
    pub id: Option<String>,
    /// What must be there first although no value of it is needed.
    pub after: BTreeSet<Address>,
    /// Its place in the spec.
    pub origin: Origin,
}

/// Every desired resource by address.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: BTreeMap<Address, Node>,
    warnings: Vec<String>,
}

impl Graph {
    /// Adds a resource. Adding an address twice is a mistake in drctl, not in a spec.
    pub fn add<T: Resource>(&mut self, address: Address, resource: &T, after: BTreeSet<Address>, origin: Origin) {
        let node = Node { properties: Properties::of(resource), id: resource.id(), after, origin };
        let twice = self.nodes.insert(address.clone(), node).is_some();
        debug_assert!(!twice, "{address} is emitted twice");
    }

    /// Adds something that whoever reads the plan should know.
    pub fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// What whoever reads the plan should know.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// One resource.
    pub fn get(&self, address: &Address) -> Option<&Node> {
        self.nodes.get(address)
    }

    /// All resources, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Address, &mut Node)> {
        self.nodes.iter_mut()
    }

    /// All resources in the order of their addresses.
    pub fn iter(&self) -> impl Iterator<Item = (&Address, &Node)> {
        self.nodes.iter()
    }

    /// What `address` needs before it: what it refers to and what it comes after.
    pub fn needs(&self, address: &Address) -> BTreeSet<Address> {
        let Some(node) = self.nodes.get(address) else { return BTreeSet::new() };
        let referred = node.properties.references().into_iter().map(|reference| reference.address);
        referred.chain(node.after.iter().cloned()).collect()
    }
}
