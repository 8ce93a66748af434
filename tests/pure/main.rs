//! Tests that start no server: judgements of histories made by hand, comparisons, reports, pages in
//! a browser, scenario files, the files for CI, and the shape of the code.
//!
//! One binary for many files: each binary links the library anew, which is most of a build.

// A test stops where something is not as it has to be, helpers included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../browser/mod.rs"]
mod browser;
#[path = "../example/mod.rs"]
mod example;
#[path = "../judge/long.rs"]
mod long;
#[path = "../judge/made.rs"]
mod made;
#[path = "../page/mod.rs"]
mod page;
#[path = "../schemas/mod.rs"]
mod schemas;
#[path = "../judge/sent.rs"]
mod sent;
#[path = "../compare/synthetic.rs"]
mod synthetic;
#[path = "../world/mod.rs"]
mod world;

mod accepted;
mod accepted_crash;
mod assess;
mod bad_input;
mod book;
mod ci_files;
mod compare;
mod compare_browser;
mod compare_cli;
mod evidence_of_contents;
mod evidence_of_failures;
mod evidence_of_predictions;
mod evidence_of_replica;
mod evidence_of_runners;
mod evidence_of_slower;
mod evidence_samples;
mod findings;
mod findings_refused;
mod foreseen;
mod format_4;
mod judge;
mod judge_answers;
mod judge_background;
mod judge_between;
mod judge_constraints;
mod judge_contents;
mod judge_crash;
mod judge_deaths;
mod judge_earlier;
mod judge_evidence;
mod judge_hangs;
mod judge_left_out;
mod judge_log;
mod judge_long;
mod judge_matrix;
mod judge_new_rows;
mod judge_own_locks;
mod judge_pids;
mod judge_reads;
mod judge_replica;
mod judge_rerun;
mod judge_sessions;
mod judge_slower;
mod judge_states;
mod judge_timeline;
mod judge_unseen;
mod judge_untried;
mod judge_work;
mod kubernetes;
mod predictions;
mod project_file;
mod release;
mod remedies;
mod report;
mod report_answer;
mod report_browser;
mod report_formats;
mod report_page;
mod report_width;
mod report_words;
mod run_without_server;
mod scenario_files;
mod scenario_states;
mod scenario_written;
mod shell_pages;
mod sql_unknown;
mod statement_parameters;
mod stored_scenario;
mod tidy;
mod try_messages;
