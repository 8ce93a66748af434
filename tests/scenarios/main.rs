//! Whole runs, which take long: the bundled scenarios and their crash matrices, shards of a run,
//! and the migration tools.
//!
//! One binary for many files: each binary links the library anew, which is most of a build.

// A test stops where something is not as it has to be, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../toolbox/mod.rs"]
mod toolbox;

mod accepted;
mod cases;
mod conditions;
mod crash_scenarios;
mod inferred_application;
mod operations;
mod own;
mod replayed;
mod retries;
mod scenarios;
mod shards;
mod standby;
mod tools;
mod try_false_safes;
mod try_options;
mod try_rights;
mod try_silent;
