//! Changes of other people's databases, reduced to scenarios of our own: each has its verdict, and
//! the explanation says what decides it.
//!
//! Each stands for a kind. What has to be said is compared word by word; what takes long does so by
//! a pause or a function that sleeps, so a busy machine decides nothing.

use std::path::Path;

use pgauntlet::history::silent;
use pgauntlet::provision::{self, SourceRequest};
use pgauntlet::result::{CrashRequest, Judgement};
use pgauntlet::run::{OnJudged, Request, SizeRequest, Work, run};
use pgauntlet::scenario::{self, FindingKind, Scenario};
use rstest::rstest;
use tokio_util::sync::CancellationToken;

use crate::toolbox;

/// A scenario, the kind of a finding, and words of its sentence, its witness or its remedy.
type Said = (&'static str, FindingKind, &'static [&'static str]);

/// What the application fails with.
const FAILURES: &[Said] = &[
    (
        "column-dropped-under-the-old-release",
        FindingKind::OperationFailed,
        &["42703", "column \"category\"", "two releases"],
    ),
    (
        "column-dropped-under-the-old-release",
        FindingKind::NotRecovered,
        &["operations still failed"],
    ),
    (
        "grants-lost-with-a-swapped-table",
        FindingKind::OperationFailed,
        &["42501", "permission denied for table counters", "GRANT to the application"],
    ),
    (
        "grants-lost-with-a-swapped-table",
        FindingKind::AccessChanged,
        &["table public.counters", "was DELETE, INSERT, SELECT, UPDATE, is not set"],
    ),
    ("grants-lost-with-a-swapped-table", FindingKind::NotRecovered, &["operations still failed"]),
    (
        "key-widened-in-one-transaction",
        FindingKind::OperationFailed,
        &["0A000", "the type of refs.id was integer and is bigint", "under another name"],
    ),
    ("key-widened-in-one-transaction", FindingKind::Stall, &["AccessExclusiveLock", "refs"]),
    ("old-release-writes-after-the-relabel", FindingKind::ReadChanged, &["old-label"]),
    (
        "publication-of-a-table-without-a-key",
        FindingKind::OperationFailed,
        &["55000", "replica identity", "until then each UPDATE and DELETE of it fails"],
    ),
    (
        "publication-of-a-table-without-a-key",
        FindingKind::NotRecovered,
        &["operations still failed"],
    ),
    ("table-recreated-without-its-sequence", FindingKind::OperationFailed, &["23505", "setval"]),
    (
        "table-recreated-without-its-sequence",
        FindingKind::LostWrite,
        &["acknowledged between the snapshot of INSERT INTO shares_new", "DROP TABLE shares"],
    ),
    (
        "table-recreated-without-its-sequence",
        FindingKind::SequenceBehind,
        &["shares_new_id_seq returns"],
    ),
];

/// For whom the application waits.
const STALLS: &[Said] = &[
    (
        "column-added-behind-a-reader-and-a-pooler",
        FindingKind::Stall,
        &["ADD COLUMN note", "AccessShareLock", "report", "lock_timeout"],
    ),
    (
        "generated-column-on-a-large-table",
        FindingKind::Stall,
        &["executions", "AccessExclusiveLock", "plain nullable column", "trigger", "expression"],
    ),
    (
        "new-partition-beside-a-default-one",
        FindingKind::Stall,
        &["events_default", "report", "AccessShareLock", "lock_timeout"],
    ),
    (
        "not-valid-and-validate-in-one-transaction",
        FindingKind::Stall,
        &["uploads", "VALIDATE CONSTRAINT in a transaction of its own"],
    ),
    (
        "refresh-of-a-view-that-is-read",
        FindingKind::Stall,
        &["medians", "AccessExclusiveLock", "REFRESH MATERIALIZED VIEW CONCURRENTLY"],
    ),
    (
        "trigger-made-again-at-every-start",
        FindingKind::Stall,
        &["DROP TRIGGER IF EXISTS", "idle-in-transaction", "lock_timeout"],
    ),
    (
        "migration-waits-for-its-own-transaction",
        FindingKind::ChangeHung,
        &["one connection of the change waits for another", "no deadline is long enough"],
    ),
];

/// What the change itself fails with, and leaves.
const CHANGES: &[Said] = &[
    (
        "enum-value-used-in-its-transaction",
        FindingKind::ChangeFailed,
        &["55P04", "ADD VALUE 'compat' (add-label.sql:1) had added the label", "of its own"],
    ),
    (
        "key-validated-over-orphans",
        FindingKind::ChangeFailed,
        &["23503", "DETAIL: Key (user_id)=(", "find the rows without a parent"],
    ),
    (
        "key-validated-over-orphans",
        FindingKind::RerunFailed,
        &["another reason", "42710", "the first application had done it"],
    ),
    ("key-validated-over-orphans", FindingKind::NotValidConstraint, &["tokens_user"]),
    (
        "two-pods-build-one-index-concurrently",
        FindingKind::Deadlock,
        &["runner 1", "runner 2", "is chance", "INVALID index", "one runner at a time"],
    ),
    (
        "two-unnamed-indexes-without-transaction",
        FindingKind::InvalidIndex,
        &["owners_name_idx", "it enforces nothing"],
    ),
    (
        "two-unnamed-indexes-without-transaction",
        FindingKind::LeftBehind,
        &["repos_owner_idx1", "each try leaves one more", "give each index a name"],
    ),
];

/// What a pooler makes of a change, and a change of a pooler's server connections.
const POOLED: &[Said] = &[
    (
        "advisory-lock-left-by-a-killed-runner",
        FindingKind::SessionStateLeft,
        &["1 server connection of PgBouncer (transaction mode)", "(4711)", "pg_advisory_xact_lock"],
    ),
    (
        "advisory-lock-of-the-transaction-by-a-killed-runner",
        FindingKind::CommandFailed,
        &["status 137", "Killed"],
    ),
    (
        "lock-timeout-set-behind-a-pooler",
        FindingKind::SessionStateLeft,
        &["lock_timeout = 3000", "SET lock_timeout", "the application's next", "SET LOCAL"],
    ),
    (
        "two-runners-on-one-pooled-session",
        FindingKind::RunnersOverlap,
        &["of 2 runners at once did the same work", "INSERT INTO rates"],
    ),
];

/// Their cures.
const POOLED_SAFE: [&str; 2] =
    ["lock-timeout-set-local-behind-a-pooler", "two-runners-past-the-pooler"];

/// Those in which nothing is wrong; from one state of the first all went well.
const SAFE: [&str; 3] = [
    "enum-label-added-by-itself",
    "refresh-concurrently-of-a-view-that-is-read",
    "trigger-made-only-if-absent",
];

fn load(name: &str) -> Scenario {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(name);
    match scenario::load(&directory) {
        Ok(checked) => {
            let mut scenario = checked.value;
            if let Some(command) = &mut scenario.change.command {
                command.environment.insert("PATH".to_owned(), toolbox::path());
            }
            scenario
        }
        Err(problems) => panic!("{}", scenario::render(&problems)),
    }
}

async fn judged(names: &[&str]) -> Vec<Judgement> {
    let local = SourceRequest::Local { pg_bin: None, major: None };
    let request = Request {
        scenarios: names.iter().map(|name| load(name)).collect(),
        work: Work::Trials,
        crash: CrashRequest::default(),
        state: None,
        repeat: 1,
        share: None,
        sizes: SizeRequest::default(),
        other_majors: Vec::new(),
        clones: None,
        answers: false,
        at: Vec::new(),
        retry: None,
        server: provision::Request { source: local, cache: None, run_as: None },
        out: None,
    };
    let on_judged: OnJudged = std::sync::Arc::new(|_| {});
    let cancel = CancellationToken::new();
    run(&request, &silent(), &on_judged, &cancel).await.expect("a run").trials
}

/// All that is said of one finding.
fn said(judgement: &Judgement, kind: FindingKind) -> Vec<String> {
    let of_kind = judgement.findings.iter().filter(|finding| finding.kind == kind);
    let words = of_kind.map(|finding| {
        let witness = serde_json::to_string(&finding.witness).expect("a witness");
        let remedy = finding.remedy.clone().unwrap_or_default();
        format!("{}\n{witness}\n{remedy}", finding.sentence)
    });
    words.collect()
}

#[rstest]
#[case::failures(FAILURES, &[])]
#[case::stalls(STALLS, &SAFE)]
#[case::changes(CHANGES, &[])]
#[case::pooled(POOLED, &POOLED_SAFE)]
#[tokio::test(flavor = "multi_thread")]
async fn a_case_has_its_verdict_and_its_reason(#[case] wanted: &[Said], #[case] safe: &[&str]) {
    let mut names: Vec<&str> = wanted.iter().map(|(name, ..)| *name).chain(safe.to_vec()).collect();
    names.dedup();
    let judged = judged(&names).await;
    let mut wrong: Vec<String> = Vec::new();
    for judgement in judged.iter().filter(|judgement| !judgement.as_expected) {
        let (key, verdict) = (&judgement.trial.key, judgement.verdict);
        let findings = judgement.findings.iter().map(|f| format!("\n  {}: {}", f.kind, f.sentence));
        let findings: String = findings.collect();
        let mismatches = judgement.mismatches.join("; ");
        wrong.push(format!("{} {verdict}: {mismatches}{findings}", key.scenario));
    }
    for (name, kind, words) in wanted {
        let of_case = judged.iter().filter(|judgement| judgement.trial.key.scenario == *name);
        let said: Vec<String> = of_case.flat_map(|judgement| said(judgement, *kind)).collect();
        let has_all = |one: &String| words.iter().all(|word| one.contains(word));
        if !said.iter().any(has_all) {
            wrong.push(format!("{name}: {kind} does not say {words:?}: {said:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_is_run() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let named = [FAILURES, STALLS, CHANGES, POOLED].concat();
    let safe = SAFE.into_iter().chain(POOLED_SAFE);
    let named: Vec<&str> = named.iter().map(|(name, ..)| *name).chain(safe).collect();
    for found in scenario::find(&directory).expect("cases") {
        let name = found.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        assert!(named.contains(&name.as_str()), "{name} is run by no test");
    }
}
