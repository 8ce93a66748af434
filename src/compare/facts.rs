//! What is compared exactly, however often it was repeated: verdicts, findings, cases.

use std::collections::BTreeSet;

use crate::scenario::{FindingKind, Verdict};

use super::baseline::{MatrixSamples, Seen, TrialSamples, size_words, trial_name};
use super::comparison::{CrashPair, Delta, Fact, worst_delta};

/// Kinds that a slower machine alone can cause: each is a limit of time that was broken.
const OF_TIME: &[FindingKind] = &[
    FindingKind::Stall,
    FindingKind::PoolExhaustion,
    FindingKind::AcquireTimeout,
    FindingKind::OperationFailed,
    FindingKind::Latency,
    FindingKind::ReplicaLag,
    FindingKind::RecoveryConflict,
    FindingKind::NotRecovered,
    FindingKind::LockTimeout,
    FindingKind::StatementTimeout,
    FindingKind::IdleInTransactionTimeout,
    FindingKind::TransactionTimeout,
    FindingKind::RerunLock,
];

/// Differences and the verdict; what is the same otherwise is left out.
pub fn of_trials(a: &TrialSamples, b: &TrialSamples, slower: bool) -> Vec<Fact> {
    let worse_than_a = |(kind, seen): &(&FindingKind, &Seen)| {
        a.findings.get(kind).is_none_or(|known| known.verdict < seen.verdict)
    };
    let fresh: Vec<FindingKind> =
        b.findings.iter().filter(worse_than_a).map(|(kind, _)| *kind).collect();
    let gone =
        a.findings.keys().any(|kind| !OF_TIME.contains(kind) && !b.findings.contains_key(kind));
    // What is no longer found, or what else is found, no speed of a machine explains.
    let excused =
        slower && !gone && !fresh.is_empty() && fresh.iter().all(|kind| OF_TIME.contains(kind));
    let mut facts = vec![verdict(a.worst(), b.worst(), excused)];
    let expected_a = (a.as_expected, a.repetitions);
    facts.extend(as_expected(expected_a, (b.as_expected, b.repetitions), excused));
    let kinds: BTreeSet<FindingKind> =
        a.findings.keys().chain(b.findings.keys()).copied().collect();
    for kind in kinds {
        let sides = (a.findings.get(&kind), b.findings.get(&kind));
        let excused = slower && OF_TIME.contains(&kind);
        facts.extend(finding(kind, sides, (a.repetitions, b.repetitions), excused));
    }
    if a.with.sizes != b.with.sizes {
        facts.push(Fact {
            what: "sizes".to_owned(),
            a: size_words(&a.with.sizes),
            b: size_words(&b.with.sizes),
            delta: Delta::Undecided,
            why: "the numbers of other sizes are not compared; run both with the same".to_owned(),
        });
    }
    facts
}

const EXCUSE: &str = "the machine was slower, and a limit of time is what was broken: compare on \
                      machines of one speed";

fn verdict(a: Verdict, b: Verdict, excused: bool) -> Fact {
    let unproven = a == Verdict::Unproven || b == Verdict::Unproven;
    let (delta, why) = match () {
        () if unproven && a == b => (Delta::Undecided, "neither side carries an answer"),
        () if unproven => (Delta::Undecided, "one side carries no answer"),
        () if b > a && excused => (Delta::Undecided, EXCUSE),
        () if b > a => (Delta::Worse, ""),
        () if b < a => (Delta::Better, ""),
        () => (Delta::Same, ""),
    };
    let (a, b, why) = (a.to_string(), b.to_string(), why.to_owned());
    Fact { what: "verdict".to_owned(), a, b, delta, why }
}

/// An expectation that always held and does no longer.
fn as_expected(a: (u64, u64), b: (u64, u64), excused: bool) -> Option<Fact> {
    let always = |(held, of): (u64, u64)| held == of;
    let delta = match (always(a), always(b)) {
        (true, false) if excused => Delta::Undecided,
        (true, false) => Delta::Worse,
        (false, true) => Delta::Better,
        _ => return None,
    };
    let words = |(held, of): (u64, u64)| format!("{held} of {of}");
    let why = if delta == Delta::Undecided { EXCUSE } else { "" };
    let what = "as expected".to_owned();
    Some(Fact { what, a: words(a), b: words(b), delta, why: why.to_owned() })
}

/// None: both have it alike.
fn finding(
    kind: FindingKind,
    (a, b): (Option<&Seen>, Option<&Seen>),
    (of_a, of_b): (u64, u64),
    excused: bool,
) -> Option<Fact> {
    let (worst_a, worst_b) = (a.map(|seen| seen.verdict), b.map(|seen| seen.verdict));
    let (delta, why) = match (worst_a, worst_b) {
        (one, other) if one == other => return None,
        (_, Some(Verdict::Unsafe)) if excused => (Delta::Undecided, EXCUSE),
        (_, Some(Verdict::Unsafe)) => (Delta::Worse, ""),
        (_, Some(Verdict::Unproven)) | (Some(Verdict::Unproven), _) => {
            (Delta::Undecided, "that trial carries no answer")
        }
        (Some(Verdict::Unsafe), _) | (Some(_), None) => (Delta::Better, ""),
        _ => (Delta::Same, "it is new, and bounded"),
    };
    let words = |seen: Option<&Seen>, of: u64| match seen {
        Some(seen) => format!("{} in {} of {of}", seen.verdict, seen.repetitions),
        None => format!("none in {of}"),
    };
    let what = format!("finding {kind}");
    Some(Fact { what, a: words(a, of_a), b: words(b, of_b), delta, why: why.to_owned() })
}

const BY_THE_MOMENT: &str = "the scenario expects such outcomes, and A has some: the moment at \
                             which a fault is injected decides";

/// A case that became worse is named, also where the verdict stays what it was.
pub fn of_matrices(name: String, a: &MatrixSamples, b: &MatrixSamples) -> CrashPair {
    let mut facts = vec![verdict(a.worst(), b.worst(), false)];
    facts.extend(as_expected((a.as_expected, a.runs), (b.as_expected, b.runs), false));
    // The moment decides whether a fault hits the middle of a statement, and its outcome.
    let known = |outcome| a.cases.values().any(|other| *other == outcome);
    let as_expected = b.as_expected == b.runs;
    let mut cases_same = 0;
    for (case, before) in &a.cases {
        let Some(after) = b.cases.get(case) else { continue };
        let delta = match after.cmp(before) {
            std::cmp::Ordering::Less => Delta::Better,
            std::cmp::Ordering::Equal => {
                cases_same += 1;
                continue;
            }
            std::cmp::Ordering::Greater if as_expected && known(*after) => Delta::Undecided,
            std::cmp::Ordering::Greater => Delta::Worse,
        };
        let why = if delta == Delta::Undecided { BY_THE_MOMENT } else { "" };
        let (what, why) = (format!("case {case}"), why.to_owned());
        facts.push(Fact { what, a: before.to_string(), b: after.to_string(), delta, why });
    }
    let only = |one: &MatrixSamples, other: &MatrixSamples| -> Vec<String> {
        let gone = one.cases.iter().filter(|(case, _)| !other.cases.contains_key(*case));
        gone.map(|(case, outcome)| format!("{case}: {outcome}")).collect()
    };
    CrashPair {
        name,
        a: trial_name(&a.key),
        b: trial_name(&b.key),
        delta: worst_delta(facts.iter().map(|fact| fact.delta)),
        facts,
        cases_same,
        cases_only_in_a: only(a, b),
        cases_only_in_b: only(b, a),
    }
}
