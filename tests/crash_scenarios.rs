//! The crash matrix of every bundled scenario that has one, run for real on a private server: each
//! ends as it expects.

mod toolbox;

use std::sync::Arc;

use pgauntlet::history::silent;
use pgauntlet::provision::{self, SourceRequest};
use pgauntlet::report;
use pgauntlet::run::{CrashRequest, OnJudged, Request, SizeRequest, Work, run};
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn every_bundled_crash_matrix_ends_as_it_expects() {
    let (mut scenarios, _unpacked) = toolbox::bundled();
    scenarios.retain(|scenario| scenario.crash.is_some());
    assert!(scenarios.len() >= 4);
    let local = SourceRequest::Local { pg_bin: None, major: None };
    let request = Request {
        scenarios,
        work: Work::Crash,
        crash: CrashRequest::default(),
        state: None,
        sizes: SizeRequest::default(),
        server: provision::Request { source: local, cache: None, run_as: None },
        out: None,
    };
    let on_judged: OnJudged = Arc::new(|_| {});
    let cancel = CancellationToken::new();
    let results = run(&request, &silent(), &on_judged, &cancel).await.expect("a run");
    assert_eq!(results.matrices.len(), request.scenarios.len());
    let wrong = results.matrices.iter().filter(|matrix| !matrix.as_expected);
    let wrong: Vec<String> = wrong.map(report::matrix).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
