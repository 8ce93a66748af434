//! The tap, before a scripted server and before real ones.
//!
//! One binary for many files: each binary links the library anew, which is most of a build.

// A test stops where something is not as it has to be, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../tapped/mod.rs"]
mod tapped;
#[path = "../ways/mod.rs"]
mod ways;
#[path = "../wire/mod.rs"]
mod wire;

mod tap_client;
mod tap_client_pipelines;
mod tap_client_sessions;
mod tap_conversations;
mod tap_deaths;
mod tap_faults;
mod tap_faults_by_text;
mod tap_gate;
mod tap_locks;
mod tap_pgbench;
mod tap_pipeline;
mod tap_session;
mod tap_settings;
mod tap_startup;
mod tap_trace;
mod tap_wire;
