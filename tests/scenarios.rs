//! Every bundled scenario, run for real at a small size on a private server: each ends as it
//! expects, its history judges to the same verdict again, and what Alembic runs is judged as the
//! same statements in SQL files are.

mod toolbox;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use pgauntlet::history::silent;
use pgauntlet::judge::Judgement;
use pgauntlet::provision::{self, SourceRequest};
use pgauntlet::run::{OnJudged, Request, SizeRequest, judge_again, run};
use pgauntlet::scenario::{self, FindingKind, Scenario};
use tokio_util::sync::CancellationToken;

/// The scenarios, and the directory in which their commands run.
fn bundled() -> (Vec<Scenario>, tempfile::TempDir) {
    let unpacked = tempfile::tempdir().expect("a directory");
    scenario::bundled::unpack(unpacked.path()).expect("the bundled scenarios");
    let found = scenario::find(unpacked.path()).expect("scenario directories");
    let load = |directory: &std::path::PathBuf| match scenario::load(directory) {
        Ok(mut scenario) => {
            if let Some(command) = &mut scenario.change.command {
                command.environment.insert("PATH".to_owned(), toolbox::path());
            }
            scenario
        }
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

/// What was found, but for how busy the machine was.
fn kinds(judgement: &Judgement) -> BTreeSet<FindingKind> {
    let of_the_machine = [FindingKind::GeneratorLag, FindingKind::SamplesMissing];
    let kinds = judgement.findings.iter().map(|finding| finding.kind);
    kinds.filter(|kind| !of_the_machine.contains(kind)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bundled_scenario_ends_as_it_expects_and_alembic_as_sql_files() {
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

    for twin in ["original", "reduced", "session-timeout"] {
        let of = |name: String| judged.iter().find(|j| j.trial.scenario == name).expect("a trial");
        let sql = of(format!("spans-task-id-{twin}"));
        let alembic = of(format!("spans-task-id-alembic-{twin}"));
        assert_eq!(alembic.verdict, sql.verdict, "{}\n{}", told(sql), told(alembic));
        assert_eq!(kinds(alembic), kinds(sql), "{}\n{}", told(sql), told(alembic));
    }

    let again = judge_again(&out.path().join("out")).expect("stored histories");
    assert_eq!(again, judged, "a stored history is judged as it was when it was made");
}
