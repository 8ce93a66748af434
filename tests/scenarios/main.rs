//! Whole runs, which take long: the bundled scenarios and their crash matrices, shards of a run,
//! and the migration tools.
//!
//! One binary for many files: each binary links the library anew, which is most of a build.

#[path = "../toolbox/mod.rs"]
mod toolbox;

mod crash_scenarios;
mod scenarios;
mod shards;
mod tools;
