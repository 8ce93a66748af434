//! Tests of single stages, and of the command line, against servers that they start.
//!
//! One binary for many files: each binary links the library anew, which is most of a build. The
//! files share the servers of `common`, so that what a test asks of a server is asked of its own
//! database: roles, backends and locks of other tests are there at the same time.

// A test stops where something is not as it has to be, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../ddl/mod.rs"]
mod ddl;
#[path = "../example/mod.rs"]
mod example;
#[path = "../inferred/mod.rs"]
mod inferred;
#[path = "../leftovers/mod.rs"]
mod leftovers;
#[path = "../migrated/mod.rs"]
mod migrated;
#[path = "../shapes/mod.rs"]
mod shapes;
#[path = "../spans/mod.rs"]
mod spans;
#[path = "../tapped/mod.rs"]
mod tapped;
#[path = "../toolbox/mod.rs"]
mod toolbox;
#[path = "../traffic/mod.rs"]
mod traffic;

mod answers;
mod bad_input;
mod broken_off;
mod cascades;
mod catalogue;
mod cli;
mod clones;
mod command;
mod conditions;
mod crash_matrix;
mod diff;
mod disturb;
mod drive;
mod drive_ledger;
mod fetched;
mod fingerprint;
mod fingerprint_random;
mod foreign;
mod infer;
mod infer_app;
mod infer_base;
mod infer_fitted;
mod infer_random;
mod infer_secured;
mod infer_together;
mod infer_triggers;
mod invariants;
mod like;
mod liquibase;
mod migrate;
mod migrate_deaths;
mod migration_directories;
mod migration_readers;
mod migration_transactions;
mod nothing_left;
mod observe_changes;
mod observe_contents;
mod observe_control;
mod observe_gaps;
mod observe_log;
mod pooler;
mod provision;
mod provision_ends;
mod provision_local;
mod roles;
mod seed;
mod seed_left_out;
mod seed_psql;
mod seed_sequences;
mod seed_whole;
mod server_down;
mod standby;
mod tables;
mod tool_readers;
mod uncounted;
mod version_tables;
