//! End to end: the real binary on a strict sandbox, with real Lambda code.

mod alerts;
mod bucket;
mod crash;
mod dark;
mod dns;
mod drift;
mod faults;
mod fields;
mod guards;
mod interrupt;
mod json;
mod lifecycle;
mod observe;
mod overrides;
mod payment_logs;
mod readme;
mod refusals;
mod removal;
mod runbook;
mod sandbox;
mod scale;
mod secret;
mod spec;
mod state;
mod world;
