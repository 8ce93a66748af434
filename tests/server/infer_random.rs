//! Random schemas: each table gets its rows, or a remark names it and what is in the way; and no
//! row that is there violates anything. PROPTEST_CASES sets how many are tried, at random; without
//! it they are the same ones each time.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use rstest::rstest;

use crate::inferred;
use crate::shapes;

/// Rows of each table.
const ROWS: u64 = 60;
const CASES: u32 = 8;
/// Of these, those that are filled without a fault, at least.
const WHOLE: u32 = 2;

/// What is known to be missing: no row violates anything, but the scenario is refused, or rows are
/// left out at the load that no remark has announced.
const OPEN: &[&str] = &[
    // Two foreign keys that share a column, and what refers to such a table.
    "` is no key",
    "no row is referred to by the foreign key",
    // A table that gets no rows, in a circle of references.
    "` has no rows to refer to",
    // Operations on a table of which a key's columns belong to different references.
    "references of the row `",
    // No table gets rows.
    "the section [[operation]] is missing",
    // A CHECK on which column is NULL, and a foreign key over both.
    "null value in column",
];

fn runner() -> TestRunner {
    let config = Config { failure_persistence: None, max_shrink_iters: 40, ..Config::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => TestRunner::new(config),
        None => {
            let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            TestRunner::new_with_rng(Config { cases: CASES, ..config }, rng)
        }
    }
}

/// Says whether there is no fault at all.
async fn holds(major: u32, sql: &str) -> Result<bool, TestCaseError> {
    let outcome = inferred::outcome(major, sql, ROWS).await;
    let faults = inferred::faults(&outcome, ROWS);
    let is_open = |fault: &String| OPEN.iter().any(|open| fault.contains(open));
    faults.iter().filter(|fault| is_open(fault)).for_each(|fault| println!("open: {fault}"));
    let new: Vec<&String> = faults.iter().filter(|fault| !is_open(fault)).collect();
    prop_assert!(new.is_empty(), "{:#?}\n{}", new, sql);
    if let Ok(outcome) = outcome {
        prop_assert_eq!(outcome.violated, [""; 0], "{}", sql);
        prop_assert_eq!(outcome.changed, [""; 0], "{}", sql);
    }
    Ok(faults.is_empty())
}

#[rstest]
#[case::oldest(14)]
#[case::newest(18)]
fn a_random_schema_is_filled_or_what_is_in_the_way_is_named(#[case] major: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let whole = Cell::new(0);
    let tried = runner().run(&shapes::schema(), |tables| {
        let is_whole = runtime.block_on(holds(major, &shapes::sql(&tables)))?;
        whole.set(whole.get() + u32::from(is_whole));
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
    let whole = whole.get();
    let fewest = if std::env::var_os("PROPTEST_CASES").is_some() { 0 } else { WHOLE };
    assert!(whole >= fewest, "{whole} of {CASES} schemas are filled without a fault");
}
