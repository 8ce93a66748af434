//! Every bundled scenario, run for real at a small size on a private server: each ends as it
//! expects, its history judges to the same verdict again, and what Alembic runs is judged as the
//! same statements in SQL files are.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use pgauntlet::history::silent;
use pgauntlet::provision::{self, SourceRequest};
use pgauntlet::result::{CrashRequest, Judgement};
use pgauntlet::run::{Judged, OnJudged, Request, SizeRequest, Work, run, stored};
use pgauntlet::scenario::{FindingKind, Scenario, Verdict};
use tokio_util::sync::CancellationToken;

use crate::toolbox;

fn told(judgement: &Judgement) -> String {
    let findings = judgement.findings.iter().map(|f| format!("\n    {}: {}", f.kind, f.sentence));
    format!(
        "{} {}: {}{}",
        judgement.trial.key.scenario,
        judgement.verdict,
        judgement.mismatches.join("; "),
        findings.collect::<String>()
    )
}

/// What was found, but for how busy the machine was. After a stall of many seconds operations may
/// be slower for a while, which informs.
fn kinds(judgement: &Judgement) -> BTreeSet<FindingKind> {
    let of_the_machine =
        [FindingKind::GeneratorLag, FindingKind::SamplesMissing, FindingKind::OperationSlower];
    let kinds = judgement.findings.iter().map(|finding| finding.kind);
    kinds.filter(|kind| !of_the_machine.contains(kind)).collect()
}

fn quick(scenarios: Vec<Scenario>, out: Option<PathBuf>) -> Request {
    let local = SourceRequest::Local { pg_bin: None, major: None };
    Request {
        scenarios,
        work: Work::All,
        crash: CrashRequest::default(),
        state: None,
        repeat: 1,
        share: None,
        sizes: SizeRequest { quick: true, ..SizeRequest::default() },
        other_majors: Vec::new(),
        clones: None,
        answers: false,
        at: Vec::new(),
        retry: None,
        server: provision::Request { source: local, cache: None, run_as: None },
        out,
    }
}

/// What is still not as expected of the scenario.
async fn once_more(request: &Request, unproven: &Judgement) -> Vec<String> {
    println!("once more: {}", told(unproven));
    let name = &unproven.trial.key.scenario;
    let of_it = request.scenarios.iter().filter(|scenario| scenario.name == *name);
    let request = quick(of_it.cloned().collect(), None);
    let on_judged: OnJudged = Arc::new(|_| {});
    let results = run(&request, &silent(), &on_judged, &CancellationToken::new()).await;
    results.expect("a run").trials.iter().filter(|j| !j.as_expected).map(told).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bundled_scenario_ends_as_it_expects_and_alembic_as_sql_files() {
    let out = tempfile::tempdir().expect("a directory");
    let (scenarios, _unpacked) = toolbox::bundled();
    let out = out.path().join("out");
    let request = quick(scenarios, Some(out.clone()));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let on_judged: OnJudged = Arc::new(move |judged| {
        let Judged::Trial(judgement) = judged else { panic!("a matrix under --quick") };
        sink.lock().expect("a lock").push(judgement.trial.key.scenario.clone());
    });
    let cancel = CancellationToken::new();
    let results = run(&request, &silent(), &on_judged, &cancel).await.expect("a run");
    let judged = &results.trials;
    let states = request.scenarios.iter().map(|s| s.starting_states().len());
    assert_eq!(judged.len(), states.sum::<usize>());
    assert_eq!(seen.lock().expect("a lock").len(), judged.len());
    let mut wrong: Vec<String> = Vec::new();
    for judgement in judged.iter().filter(|j| !j.as_expected) {
        // A machine that was too busy to tell is no verdict: the scenario is run once more.
        match judgement.verdict {
            Verdict::Unproven => wrong.extend(once_more(&request, judgement).await),
            _ => wrong.push(told(judgement)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    for twin in ["original", "reduced", "session-timeout"] {
        let of =
            |name: String| judged.iter().find(|j| j.trial.key.scenario == name).expect("a trial");
        let sql = of(format!("spans-task-id-{twin}"));
        let alembic = of(format!("spans-task-id-alembic-{twin}"));
        assert_eq!(alembic.verdict, sql.verdict, "{}\n{}", told(sql), told(alembic));
        assert_eq!(kinds(alembic), kinds(sql), "{}\n{}", told(sql), told(alembic));
    }

    let again = stored(&out).expect("stored histories").result;
    assert_eq!(again, results, "a stored history is judged as it was when it was made");
}
