//! pgauntlet runs a schema change against a real Postgres under live writers and judges it.
//!
//! The modules are layers: each imports only from layers below its own, and siblings never meet.
//! `tests/pure/tidy.rs` computes the graph from the source and holds it. From the bottom:
//!
//! | layer | modules |
//! |---|---|
//! | the time axis | `clock` |
//! | vocabulary and identities | `pg`, `stats`, `trial` |
//! | data | `history`, `scenario`, `schema` |
//! | what is stored of a run | `result` |
//! | from a catalogue to a scenario, pure | `infer` |
//! | a linter's opinion beside what was measured, pure | `lint` |
//! | sessions | `connect`, `tap` |
//! | effects | `provision`, `seed`, `drive`, `migrate`, `disturb`, `observe` |
//! | what one trial shows, pure | `judge` |
//! | what the trials of a change mean together, pure | `assess` |
//! | sentences of findings, comparison of results, pure | `explain`, `compare` |
//! | rendering | `report` |
//! | order of the phases | `run` |
//! | command line | `cli`, `exit` |

pub mod clock;
pub mod pg;
pub mod stats;

pub mod trial;

pub mod history;
pub mod scenario;
pub mod schema;

pub mod result;

pub mod infer;
pub mod lint;

pub mod connect;
pub mod tap;

pub mod disturb;
pub mod drive;
pub mod migrate;
pub mod observe;
pub mod provision;
pub mod seed;

pub mod judge;

pub mod assess;

pub mod compare;
pub mod explain;

pub mod report;

pub mod run;

pub mod cli;
pub mod exit;
