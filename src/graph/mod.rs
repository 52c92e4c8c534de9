//! The vocabulary everything else is written in: places and addresses, the
//! properties of a resource, references between resources, and the graph that
//! the spec describes. Knows no AWS call, no file and no clock.

mod address;
mod document;
mod failure;
mod nodes;
mod properties;
mod resource;
mod site;
mod text;

pub use address::{Address, AddressError, Place, Region};
pub use document::Document;
pub use failure::{Failure, FailureClass};
pub use nodes::{Graph, Node, Origin};
pub use properties::{Attributes, Input, Properties, Reference};
pub use resource::{Lag, Meta, Owner, Resource, Tags};
pub use site::{AnsweredBy, Site};
pub use text::printable;
