//! Everything that tests drctl from outside, in one binary, so that the SDKs are linked once.

#[cfg(feature = "aws")]
mod cli;
#[cfg(feature = "aws")]
mod e2e;
mod floors;
mod golden;
mod permissions;
mod readme;
mod traps;
