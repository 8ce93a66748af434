//! Tests that start no server: judgements of histories made by hand, comparisons, reports, pages in
//! a browser, scenario files, the files for CI, and the shape of the code.
//!
//! One binary for many files: each binary links the library anew, which is most of a build.

#[path = "../browser/mod.rs"]
mod browser;
#[path = "../example/mod.rs"]
mod example;
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

mod ci_files;
mod compare;
mod compare_browser;
mod compare_cli;
mod format_4;
mod judge;
mod judge_course;
mod judge_crash;
mod judge_deaths;
mod judge_matrix;
mod judge_reads;
mod judge_rerun;
mod judge_sessions;
mod judge_states;
mod report;
mod report_browser;
mod report_formats;
mod report_page;
mod scenario_files;
mod scenario_states;
mod stored_scenario;
mod tidy;
