//! Faults at random moments, drawn from `rng_seed`; one that does not end clean is made as early
//! as it can be.

use std::sync::{Mutex, PoisonError};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use sha2::{Digest, Sha256};

use crate::clock::Micros;
use crate::judge::crash::{FeasibleFault, Needs, Span};
use crate::result::{Case, RandomFaults};
use crate::scenario::Outcome;
use crate::trial::{Fault, FaultKind, InjectionPoint};

use super::super::Error;
use super::cases::Cases;
use super::points::{InjectionPoints, kinds, total};
use super::undisturbed::Kept;

/// Most faults that are tried to find an earlier one.
const SHRINKS_MAX: u32 = 24;

pub async fn faults(
    cases: &Cases<'_>,
    points: &InjectionPoints,
    kept: &Kept,
) -> Result<Option<RandomFaults>, Error> {
    let spans = &points.spans;
    let (kinds, total) = (kinds(&cases.spec.crash), total(spans));
    if points.random == 0 {
        return Ok(None);
    }
    let found = Mutex::new(Vec::new());
    let failed = Mutex::new(None);
    let runtime = tokio::runtime::Handle::current();
    // The library's runner is not async; other threads of the runtime go on.
    tokio::task::block_in_place(|| {
        let moments = (0..total, 0..kinds.len());
        let faults = moments.prop_map(|(at, kind)| feasible(spans, Micros(at), kinds[kind]));
        let over = || cases.run.cancel.is_cancelled() || lock(&failed).is_some();
        let runner = &mut runner(points.random, cases.spec.base.scenario.rng_seed);
        let outcome = runner.run(&faults, |feasible| {
            if over() {
                return Ok(());
            }
            let number = lock(&found).len();
            match runtime.block_on(interruptible(cases, &feasible, kept, number)) {
                Ok(case) => {
                    let bad = case.outcome.is_some_and(|outcome| outcome != Outcome::Clean);
                    lock(&found).push(case);
                    if bad { Err(TestCaseError::fail("it is not clean")) } else { Ok(()) }
                }
                Err(error) => {
                    lock(&failed).get_or_insert(error);
                    Err(TestCaseError::fail("the case could not be run"))
                }
            }
        });
        // What failed is in `found`, in the order in which it was tried.
        drop(outcome);
    });
    match lock(&failed).take() {
        Some(error) => Err(error),
        None => Ok(RandomFaults::of(std::mem::take(&mut *lock(&found)))),
    }
}

fn runner(cases: u32, rng_seed: u64) -> TestRunner {
    let config = Config {
        cases,
        max_shrink_iters: SHRINKS_MAX,
        failure_persistence: None,
        ..Config::default()
    };
    let mut hash = Sha256::new();
    hash.update(b"pgauntlet random deaths");
    hash.update(rng_seed.to_le_bytes());
    let seed: [u8; 32] = hash.finalize().into();
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed))
}

/// The moment as a statement of the undisturbed run and the time into it.
fn feasible(spans: &[Span], at: Micros, kind: FaultKind) -> FeasibleFault {
    let mut into = at;
    let mut hit = &spans[0];
    for span in spans {
        hit = span;
        if into < span.took {
            break;
        }
        into = into - span.took;
    }
    let at = InjectionPoint {
        into_us: Some(into),
        ..InjectionPoint::new(hit.statement, hit.text.clone(), hit.nth)
    };
    FeasibleFault { fault: Fault { kind, at }, needs: Needs::Nothing }
}

/// The library's runner hears of no interrupt by itself.
async fn interruptible(
    cases: &Cases<'_>,
    feasible: &FeasibleFault,
    kept: &Kept,
    number: usize,
) -> Result<Case, Error> {
    let name = format!("random-{number:03}-{}", feasible.fault.kind);
    tokio::select! {
        case = cases.one(&name, feasible, kept) => case,
        () = cases.run.cancel.cancelled() => Err(Error::Interrupted),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
