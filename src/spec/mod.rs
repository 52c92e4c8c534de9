//! Reading TOML so that every problem is found at once and knows its place:
//! sources, the tree they are merged into with positions, a reader for tables, the scalar
//! types of the spec, and the tree as TOML again. Knows nothing of what the tables mean.

mod node;
mod problem;
mod reader;
mod scalar;
mod sources;
mod write;

pub use node::{At, Key, Node, Table, Value};
pub use problem::{InvalidSpec, Problem, Problems};
pub use reader::{FromNode, Mismatch, Spanned, TableReader};
pub use scalar::{Days, Name, Seconds, Size, did_you_mean, nearest};
pub use sources::{Assignment, NoAssignment, Sources};
