//! The crash matrix on a real server: each kind of fault is shown to have happened, in the history
//! and in the server's own log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pgauntlet::history::{AttemptEnd, ClosedBy, Event, History, silent};
use pgauntlet::provision::{self, SourceRequest};
use pgauntlet::result::{CrashRequest, Matrix, ResultFile};
use pgauntlet::run::{OnJudged, Request, SizeRequest, Work, run, stored};
use pgauntlet::scenario::{self, Outcome, Scenario};
use pgauntlet::trial::FaultKind;
use rstest::rstest;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::common;

/// Rows of the largest table: an index build of some milliseconds.
const ROWS: u64 = 20_000;

fn bundled(name: &str) -> Scenario {
    let directory = Path::new("scenarios").join(name);
    let loaded = scenario::load(&directory);
    loaded.unwrap_or_else(|problems| panic!("{}", scenario::render(&problems))).value
}

/// A run's results, its histories, and the log of the server that it ran on.
struct Crashed {
    results: ResultFile,
    out: TempDir,
    log: PathBuf,
}

impl Crashed {
    async fn of(scenario: Scenario, crash: CrashRequest) -> Crashed {
        let server = common::server_with(&[]).await;
        let url = server.conninfo("postgres");
        let out = tempfile::tempdir().expect("a directory");
        let request = Request {
            scenarios: vec![scenario],
            work: Work::Crash,
            crash,
            state: None,
            repeat: 1,
            share: None,
            sizes: SizeRequest::default(),
            other_majors: Vec::new(),
            clones: None,
            answers: false,
            at: Vec::new(),
            retry: None,
            server: provision::Request {
                source: SourceRequest::Url(url),
                cache: None,
                run_as: None,
            },
            out: Some(out.path().join("out")),
        };
        let heard: OnJudged = Arc::new(|_| {});
        let cancel = CancellationToken::new();
        let ran = run(&request, &silent(), &heard, &cancel).await;
        let results = ran.unwrap_or_else(|error| panic!("failed to {error}"));
        Crashed { results, out, log: server.log_path }
    }

    fn matrix(&self) -> &Matrix {
        &self.results.crash_matrices[0]
    }

    /// Of the cases that were met, in the order of the matrix.
    fn histories(&self) -> Vec<History> {
        let scenario = self.out.path().join("out").join(&self.matrix().trial.key.scenario);
        let entries = std::fs::read_dir(scenario.join("crash")).expect("cases");
        let mut files: Vec<PathBuf> =
            entries.map(|entry| entry.expect("a case").path().join("history.jsonl")).collect();
        files.sort();
        let read = |file: &PathBuf| History::read(file).expect("a history");
        let met = |history: &History| {
            let fault = history.header.trial.fault.as_ref();
            fault.is_some_and(|fault| {
                let cases = self.matrix().cases.iter();
                cases.filter(|case| case.outcome.is_some()).any(|case| case.fault == *fault)
            })
        };
        files.iter().map(read).filter(met).collect()
    }

    /// Lines of the server's log about the backends of the attempt with the fault.
    fn log_of(&self, history: &History) -> Vec<String> {
        let text = std::fs::read(&self.log).expect("the server's log");
        let text = String::from_utf8_lossy(&text).into_owned();
        let pids: Vec<String> = pids(history).iter().map(|pid| format!("[{pid}]")).collect();
        let about = |line: &&str| pids.iter().any(|pid| line.contains(pid));
        text.lines().filter(about).map(str::to_owned).collect()
    }
}

/// Backends of attempt 0.
fn pids(history: &History) -> Vec<i32> {
    let of_death = history.entries.iter().filter_map(|entry| match &entry.event {
        Event::ConnectionOpened(opened) if opened.attempt == 0 => Some(opened.session.pid),
        _ => None,
    });
    of_death.collect()
}

fn end(history: &History) -> AttemptEnd {
    let mut ends = history.entries.iter().filter_map(|entry| match &entry.event {
        Event::AttemptEnded { attempt: 0, end } => Some(end.clone()),
        _ => None,
    });
    ends.next().expect("an end of the attempt with the fault")
}

fn closed_by(history: &History) -> Vec<ClosedBy> {
    let closed = history.entries.iter().filter_map(|entry| match &entry.event {
        Event::ConnectionClosed(closed) if closed.attempt == 0 => Some(closed.by),
        _ => None,
    });
    closed.collect()
}

#[rstest]
#[case(FaultKind::LockTimeout, "55P03", "canceling statement due to lock timeout")]
#[case(FaultKind::Cancel, "57014", "canceling statement due to user request")]
#[case(FaultKind::KillBackend, "57P01", "terminating connection due to administrator command")]
#[tokio::test(flavor = "multi_thread")]
async fn a_death_by_the_server_has_its_sqlstate_and_stands_in_the_servers_log(
    #[case] kind: FaultKind,
    #[case] sqlstate: &str,
    #[case] logged: &str,
) {
    let crash = CrashRequest { faults: Some(vec![kind]), ..CrashRequest::default() };
    let crashed = Crashed::of(bundled("spans-task-id-reduced"), crash).await;
    let met: Vec<_> = crashed.matrix().cases.iter().filter(|case| case.outcome.is_some()).collect();
    assert!(met.len() >= 2, "{:#?}", crashed.matrix().cases);
    for case in met {
        assert!(case.seen.starts_with(sqlstate), "{case:#?}");
    }
    for history in crashed.histories() {
        let log = crashed.log_of(&history);
        assert!(log.iter().any(|line| line.contains(logged)), "{:?} {log:#?}", history.header);
    }
}

#[rstest]
#[case(FaultKind::CutBefore)]
#[case(FaultKind::CutAfter)]
#[tokio::test(flavor = "multi_thread")]
async fn a_cut_is_the_taps_doing_and_the_server_hears_of_no_goodbye(#[case] kind: FaultKind) {
    let crash = CrashRequest { faults: Some(vec![kind]), ..CrashRequest::default() };
    let crashed = Crashed::of(bundled("add-column-guarded"), crash).await;
    let histories = crashed.histories();
    assert_eq!(histories.len(), crashed.matrix().cases.len(), "{:#?}", crashed.matrix().cases);
    for history in histories {
        assert!(matches!(end(&history), AttemptEnd::Failed { .. }), "{:?}", end(&history));
        assert!(closed_by(&history).contains(&ClosedBy::Fault), "{:?}", closed_by(&history));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_runner_leaves_what_it_committed_without_its_version() {
    let crash =
        CrashRequest { faults: Some(vec![FaultKind::KillRunner]), ..CrashRequest::default() };
    let crashed = Crashed::of(bundled("add-column-outside-transaction"), crash).await;
    let histories = crashed.histories();
    assert_eq!(histories.len(), 1, "{:#?}", crashed.matrix().cases);
    assert_eq!(end(&histories[0]), AttemptEnd::Killed);
    let case = &crashed.matrix().cases[0];
    assert_eq!(case.seen, "SIGKILL");
    assert_eq!(case.outcome, Some(Outcome::ManualStep), "{case:#?}");
    assert!(case.sentence.contains("recording the version spans-cost by hand"), "{case:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn stored_cells_are_judged_as_they_were_when_they_were_made() {
    let scenario = bundled("add-column-outside-transaction");
    let crashed = Crashed::of(scenario, CrashRequest::default()).await;
    let again = stored(&crashed.out.path().join("out")).expect("stored histories").result;
    let timeless = |matrix: &Matrix| {
        let mut matrix = matrix.clone();
        (matrix.took_us, matrix.at_once) = Default::default();
        matrix
    };
    assert_eq!(timeless(&again.crash_matrices[0]), timeless(crashed.matrix()));
    assert!(crashed.matrix().as_expected, "{:#?}", crashed.matrix().mismatches);
    assert_eq!(crashed.matrix().trial.sizes["spans"], ROWS);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_database_of_a_matrix_is_left_but_the_seed() {
    let crash =
        CrashRequest { faults: Some(vec![FaultKind::CutBefore]), ..CrashRequest::default() };
    let crashed = Crashed::of(bundled("add-column-guarded"), crash).await;
    assert!(!crashed.matrix().cases.is_empty());
    let server = common::server_with(&[]).await;
    let none = Default::default();
    let session = pgauntlet::connect::Session::open(&server.address, "test", &none).await;
    let session = session.expect("a session");
    let sql = "SELECT count(*) FROM pg_database WHERE starts_with(datname, 'pgauntlet_trial_')";
    let left =
        async || session.client().query_one(sql, &[]).await.expect("a count").get::<_, i64>(0);
    // Other tests of this file use the server at the same time; their databases go as well.
    let began = std::time::Instant::now();
    while left().await > 0 {
        assert!(began.elapsed().as_secs() < 120, "databases of trials are left");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}
