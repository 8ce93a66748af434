//! The crash matrix of every bundled scenario that has one, run for real on a private server: each
//! ends as it expects. And a migration tool of somebody else's, killed and started twice.

use std::sync::Arc;

use pgauntlet::history::silent;
use pgauntlet::pg::purpose::Purpose;
use pgauntlet::provision::{self, SourceRequest};
use pgauntlet::report::{self, Width};
use pgauntlet::result::{CrashRequest, ResultFile};
use pgauntlet::run::{OnJudged, Request, SizeRequest, Work, run};
use pgauntlet::scenario::{FindingKind, Outcome, Scenario, Verdict};
use pgauntlet::trial::FaultKind;
use tokio_util::sync::CancellationToken;

use crate::toolbox;

#[tokio::test(flavor = "multi_thread")]
async fn every_bundled_crash_matrix_ends_as_it_expects() {
    let (mut scenarios, _unpacked) = toolbox::bundled();
    scenarios.retain(|scenario| scenario.crash.is_some());
    assert!(scenarios.len() >= 4);
    let of = scenarios.len();
    let results = ran(scenarios, Work::Crash, CrashRequest::default()).await;
    assert_eq!(results.crash_matrices.len(), of);
    let wrong = results.crash_matrices.iter().filter(|matrix| !matrix.as_expected);
    let wrong: Vec<String> = wrong.map(|of| report::matrix(of, Width::default())).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn ran(scenarios: Vec<Scenario>, work: Work, crash: CrashRequest) -> ResultFile {
    let local = SourceRequest::Local { pg_bin: None, major: None };
    let request = Request {
        scenarios,
        work,
        crash,
        state: None,
        repeat: 1,
        share: None,
        sizes: SizeRequest { quick: work == Work::Trials, ..SizeRequest::default() },
        other_majors: Vec::new(),
        clones: None,
        answers: false,
        at: Vec::new(),
        retry: None,
        server: provision::Request { source: local, cache: None, run_as: None },
        out: None,
    };
    let on_judged: OnJudged = Arc::new(|_| {});
    let cancel = CancellationToken::new();
    run(&request, &silent(), &on_judged, &cancel).await.expect("a run")
}

fn of_name(name: &str) -> (Vec<Scenario>, tempfile::TempDir) {
    let (mut scenarios, unpacked) = toolbox::bundled();
    scenarios.retain(|scenario| scenario.name == name);
    assert_eq!(scenarios.len(), 1);
    (scenarios, unpacked)
}

#[tokio::test(flavor = "multi_thread")]
async fn alembic_is_killed_and_made_to_give_up_where_it_was_meant_to_be() {
    let (scenarios, _unpacked) = of_name("spans-task-id-alembic-reduced");
    let faults = vec![FaultKind::LockTimeout, FaultKind::KillRunner];
    let crash = CrashRequest { faults: Some(faults), ..CrashRequest::default() };
    let results = ran(scenarios, Work::Crash, crash).await;
    let matrix = &results.crash_matrices[0];
    let of = |kind: FaultKind| matrix.cases.iter().filter(move |case| case.fault.kind == kind);
    let seen = |kind| of(kind).filter(|case| case.outcome.is_some()).map(|case| case.seen.as_str());
    assert!(of(FaultKind::KillRunner).count() >= 6, "{}", report::matrix(matrix, Width::default()));
    assert!(
        seen(FaultKind::KillRunner).all(|seen| seen == "SIGKILL"),
        "{}",
        report::matrix(matrix, Width::default())
    );
    assert!(seen(FaultKind::LockTimeout).all(|seen| seen.starts_with("55P03")));
    assert!(of(FaultKind::KillRunner).all(|case| case.outcome == Some(Outcome::Clean)));
    let debris = of(FaultKind::LockTimeout).filter(|case| case.outcome == Some(Outcome::Debris));
    assert_eq!(debris.count(), 2, "{}", report::matrix(matrix, Width::default()));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_alembics_at_once_get_in_each_others_way_and_both_come_to_an_end() {
    let (mut scenarios, _unpacked) = of_name("spans-task-id-alembic-reduced");
    scenarios[0].change.runners = 2;
    let results = ran(scenarios, Work::Trials, CrashRequest::default()).await;
    let trial = &results.trials[0];
    let told = report::trial(trial, Width::default());
    let found = |kind| trial.findings.iter().any(|finding| finding.kind == kind);
    // Alembic takes no lock, and nothing it does twice here is done twice: the second one waits
    // for the first one's locks, or fails.
    assert!(!found(FindingKind::RunnerHung) && !found(FindingKind::RunnersOverlap), "{told}");
    // Two processes that are started at once need not meet: one may come when all is done.
    let worked = trial.measured.statements.iter().filter(|row| row.purpose == Purpose::Work);
    let both = (0..2).all(|runner| worked.clone().any(|row| row.attempt == runner));
    let met = found(FindingKind::RunnerWaited) || trial.verdict > Verdict::Safe;
    assert!(met || !both, "{told}");
    let exits: Vec<_> = trial.measured.commands.iter().map(|c| (c.attempt, c.exit_code)).collect();
    assert!(exits.iter().any(|(attempt, _)| *attempt == 1), "{told}");
    assert_eq!(exits.last().expect("a rerun").1, Some(0), "{told}");
}
