//! Every bundled scenario, run for real at a small size on a private server: each ends as it
//! expects, its history judges to the same verdict again, and nothing is left behind.

use std::sync::{Arc, Mutex};

use pgauntlet::history::silent;
use pgauntlet::judge::Judgement;
use pgauntlet::provision::{self, SourceRequest};
use pgauntlet::run::{OnJudged, Request, SizeRequest, judge_again, run};
use pgauntlet::scenario::{self, Scenario};
use tokio_util::sync::CancellationToken;

/// The scenarios, and the directory in which their commands run.
fn bundled() -> (Vec<Scenario>, tempfile::TempDir) {
    let unpacked = tempfile::tempdir().expect("a directory");
    scenario::bundled::unpack(unpacked.path()).expect("the bundled scenarios");
    let found = scenario::find(unpacked.path()).expect("scenario directories");
    let load = |directory: &std::path::PathBuf| match scenario::load(directory) {
        Ok(scenario) => scenario,
        Err(problems) => panic!("{}", scenario::render(&problems)),
    };
    let scenarios = found.iter().map(load).collect();
    (scenarios, unpacked)
}

fn told(judgement: &Judgement) -> String {
    let findings = judgement.findings.iter().map(|f| format!("\n    {}: {}", f.kind, f.sentence));
    format!(
        "{} {}: {}{}",
        judgement.trial.scenario,
        judgement.verdict,
        judgement.mismatches.join("; "),
        findings.collect::<String>()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bundled_scenario_ends_as_it_expects() {
    let out = tempfile::tempdir().expect("a directory");
    let local = SourceRequest::Local { pg_bin: None, major: None };
    let (scenarios, _unpacked) = bundled();
    let request = Request {
        scenarios,
        sizes: SizeRequest { quick: true, ..SizeRequest::default() },
        server: provision::Request { source: local, cache: None, run_as: None },
        out: Some(out.path().join("out")),
    };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let on_judged: OnJudged = Arc::new(move |judgement| {
        sink.lock().expect("a lock").push(judgement.trial.scenario.clone());
    });
    let cancel = CancellationToken::new();
    let judged = run(&request, &silent(), &on_judged, &cancel).await.expect("a run");
    assert_eq!(judged.len(), request.scenarios.len());
    assert_eq!(seen.lock().expect("a lock").len(), judged.len());
    let wrong: Vec<String> = judged.iter().filter(|j| !j.as_expected).map(told).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let again = judge_again(&out.path().join("out")).expect("stored histories");
    assert_eq!(again, judged, "a stored history is judged as it was when it was made");
}
