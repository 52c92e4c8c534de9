//! End to end: the real binary on a strict sandbox, with real Lambda code.

mod drift;
mod lifecycle;
mod readme;
mod refusals;
mod world;
