//! End to end: the real binary on a strict sandbox, with real Lambda code.

mod alerts;
mod bucket;
mod dns;
mod drift;
mod fields;
mod json;
mod lifecycle;
mod payment_logs;
mod readme;
mod refusals;
mod sandbox;
mod secret;
mod world;
