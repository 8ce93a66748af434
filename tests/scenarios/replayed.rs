//! What the model of the pool says of a hold, against what a trial with such a hold measured.

use std::sync::Arc;

use pgauntlet::assess::replayed_stall;
use pgauntlet::history::silent;
use pgauntlet::provision::{self, SourceRequest};
use pgauntlet::result::{CrashRequest, Judgement};
use pgauntlet::run::{OnJudged, Request, SizeRequest, Work, run};
use pgauntlet::scenario::Scenario;
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::toolbox;

/// Share of what was measured by which the model may be off.
const MISS_MAX: f64 = 0.2;

async fn judged(scenario: Scenario) -> Judgement {
    let local = SourceRequest::Local { pg_bin: None, major: None };
    let request = Request {
        scenarios: vec![scenario],
        work: Work::Trials,
        crash: CrashRequest::default(),
        state: None,
        repeat: 1,
        share: None,
        sizes: SizeRequest { scale: Some(0.01), ..SizeRequest::default() },
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
    let results = run(&request, &silent(), &on_judged, &cancel).await.expect("a run");
    results.trials.into_iter().next().expect("a trial")
}

/// The bundled stalls behind a reader and behind an idle transaction, as they are, where the pool
/// gives up on operations, and where a timeout of the application's ends them.
#[rstest]
#[case::behind_a_reader("no-lock-timeout-behind-reader", None, None)]
#[case::the_pool_gives_up("no-lock-timeout-behind-reader", Some(2_000), None)]
#[case::the_application_gives_up("no-lock-timeout-behind-reader", None, Some("1500ms"))]
#[case::an_idle_transaction("idle-in-transaction-without-timeout", None, None)]
#[tokio::test]
async fn the_model_of_the_pool_is_within_a_fifth_of_a_trial(
    #[case] name: &str,
    #[case] acquire_timeout_ms: Option<u64>,
    #[case] lock_timeout: Option<&str>,
) {
    let (scenarios, _unpacked) = toolbox::bundled();
    let mut scenario = scenarios.into_iter().find(|s| s.name == name).expect("a scenario");
    if let Some(ms) = acquire_timeout_ms {
        scenario.pool.acquire_timeout_ms = ms;
    }
    if let Some(timeout) = lock_timeout {
        scenario.pool.settings.insert("lock_timeout".to_owned(), timeout.to_owned());
    }
    let judgement = judged(scenario.clone()).await;
    let stall = replayed_stall(&scenario, &judgement).expect("a stall");
    println!("{stall:?}");
    let gives_up = acquire_timeout_ms.is_some() || lock_timeout.is_some();
    assert_eq!(stall.failed > 50, gives_up, "{stall:?}");
    let missed = stall.missed().unwrap_or_else(|| panic!("exhausted in one alone: {stall:?}"));
    assert!(missed <= MISS_MAX, "off by {missed:.2}: {stall:?}");
}
