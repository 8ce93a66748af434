//! What the scenarios of a standby show, against what the servers themselves say of it.

use std::path::PathBuf;
use std::sync::Arc;

use pgauntlet::history::{Event, History, silent};
use pgauntlet::pg::SqlState;
use pgauntlet::provision::{self, SourceRequest};
use pgauntlet::result::{CrashRequest, Evidence, Finding, Judgement};
use pgauntlet::run::{HISTORY_FILE, OnJudged, Request, SizeRequest, Work, run};
use pgauntlet::scenario::{FindingKind, Scenario};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::toolbox;

/// Between two samples of the standby, and as much for the server's own figure.
const TOLERANCE_MS: u64 = 400;

fn scenario(name: &str) -> Scenario {
    let (scenarios, _unpacked) = toolbox::bundled();
    scenarios.into_iter().find(|scenario| scenario.name == name).expect("a scenario")
}

/// Debian's server has pg_basebackup, those of ci/setup do not.
fn server(on: &str) -> SourceRequest {
    let Ok(major) = on.parse() else {
        let image = std::env::var("PGAUNTLET_TEST_IMAGE");
        let image = image.unwrap_or_else(|_| "pgauntlet-test-postgres:15".to_owned());
        return SourceRequest::Docker { image: Some(image), major: None };
    };
    let base = std::env::var("PGAUNTLET_CI_DIR");
    let base = base.unwrap_or_else(|_| "/var/lib/pgauntlet-ci".to_owned());
    let bin = PathBuf::from(format!("{base}/pg/{major}/native/bin"));
    SourceRequest::Local { pg_bin: bin.exists().then_some(bin), major: Some(major) }
}

fn request(scenario: Scenario, source: SourceRequest, out: Option<PathBuf>) -> Request {
    Request {
        scenarios: vec![scenario],
        work: Work::All,
        crash: CrashRequest::default(),
        state: None,
        repeat: 1,
        share: None,
        sizes: SizeRequest::default(),
        clones: None,
        answers: false,
        at: Vec::new(),
        other_majors: Vec::new(),
        retry: None,
        server: provision::Request { source, cache: None, run_as: None },
        out,
    }
}

async fn judged(name: &str, on: &str) -> (Judgement, History) {
    let out = tempfile::tempdir().expect("a directory");
    let out = out.path().join("out");
    let request = request(scenario(name), server(on), Some(out.clone()));
    let on_judged: OnJudged = Arc::new(|_| {});
    let results = run(&request, &silent(), &on_judged, &CancellationToken::new()).await;
    let results = results.unwrap_or_else(|e| panic!("failed to {e}"));
    let history = History::read(&out.join(name).join(HISTORY_FILE)).expect("a history");
    (results.trials.into_iter().next().expect("a trial"), history)
}

fn told(judgement: &Judgement) -> String {
    let findings = judgement.findings.iter().map(|f| format!("{}: {}\n", f.kind, f.sentence));
    format!("{}\n{}", judgement.verdict, findings.collect::<String>())
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_long_read_is_cancelled_and_the_dropped_column_is_to_blame(
    #[values("15", "18", "docker")] on: &str,
) {
    let (judgement, history) = judged("standby-drop-column-under-long-reads", on).await;
    assert!(judgement.as_expected, "{}", told(&judgement));
    let of_orders = |f: &&Finding| {
        f.kind == FindingKind::RecoveryConflict && f.subject.relation.as_deref() == Some("orders")
    };
    let finding = judgement.findings.iter().find(of_orders);
    let finding = finding.unwrap_or_else(|| panic!("{}", told(&judgement)));
    let Some(Evidence::RecoveryConflict(of)) = &finding.evidence else { panic!("{finding:?}") };
    let statement = finding.subject.statement.as_ref().expect("a statement");
    assert!(statement.text.contains("DROP COLUMN note"), "{statement:?}");
    let error = of.error.as_ref().expect("an error");
    assert!(error.sqlstate.as_ref().is_some_and(|s| s.is(SqlState::SERIALIZATION_FAILURE)));

    // What is derived, against the servers' own figures.
    let replica = judgement.measured.replica.as_ref().expect("figures");
    let samples = history.entries.iter().filter_map(|entry| match &entry.event {
        Event::Replica(sample) => Some(sample),
        _ => None,
    });
    let said = samples.filter_map(|sample| sample.sender.as_ref()?.replay_lag_us).max();
    let said = said.expect("a figure of the server");
    let apart = said.0.abs_diff(replica.lag_us_max.0);
    assert!(apart <= TOLERANCE_MS * 1_000, "{said} and {}", replica.lag_us_max);
    // The traffic's own updates may cancel a read as well, by what they remove.
    let counted: u64 = replica.conflicts.values().sum();
    assert!(replica.conflicts["lock"] > 0, "{replica:?}");
    assert_eq!(counted, replica.cancelled, "{replica:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_short_reads_the_same_change_is_safe() {
    let (judgement, _) = judged("standby-drop-column-beside-short-reads", "18").await;
    assert!(judgement.as_expected, "{}", told(&judgement));
    let replica = judgement.measured.replica.as_ref().expect("figures");
    assert!(replica.operations > 0 && replica.cancelled == 0, "{replica:?}");
}

#[tokio::test]
async fn a_standby_of_a_server_that_is_not_ours_is_refused_before_anything_starts() {
    let url = SourceRequest::Url("postgres://nobody@127.0.0.1:1/none".to_owned());
    let request = request(scenario("standby-drop-column-beside-short-reads"), url, None);
    let on_judged: OnJudged = Arc::new(|_| {});
    let error = run(&request, &silent(), &on_judged, &CancellationToken::new()).await;
    let error = error.map(|_| ()).expect_err("refused").to_string();
    assert!(
        error.contains("application.toml:26: a standby is made of a server of pgauntlet's own"),
        "{error}"
    );
}
