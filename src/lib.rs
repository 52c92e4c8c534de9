//! drctl: one TOML spec, one reconciler for a two-region disaster-recovery system on AWS.
//!
//! `ARCHITECTURE.md` shows the floors that these modules stand on.

// Both panic once nobody reads them any more.
#![warn(clippy::print_stdout, clippy::print_stderr)]

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "aws")]
pub mod cli;
pub mod desired;
#[cfg(test)]
mod fuzz;
pub mod graph;
pub mod iam;
pub mod kinds;
pub mod ops;
pub mod package;
pub mod plan;
pub mod render;
pub mod run;
pub mod sandbox;
pub mod saved;
pub mod spec;
pub mod state;
#[cfg(test)]
mod tests;
