//! Deaths at moments that nobody chose: drawn from `rng_seed`, and one that does not end clean is
//! made as early as it can be.

use std::sync::{Mutex, PoisonError};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use sha2::{Digest, Sha256};

use crate::clock::Micros;
use crate::history::Death;
use crate::judge::crash::{Lethal, Means, Span};
use crate::result::{Cell, RandomDeaths};
use crate::scenario::{Crash, Outcome, Way};

use super::undisturbed::Kept;
use super::{Cases, Error, InjectionPoints};

/// Deaths that making one small may take.
const SHRINKS_MAX: u32 = 24;

/// Ways that make sense at any moment, the gentlest first.
const WAYS: [Way; 3] = [Way::Cancel, Way::KillBackend, Way::CutBefore];

/// Those of them that the matrix has.
pub fn ways(crash: &Crash) -> Vec<Way> {
    WAYS.into_iter().filter(|way| crash.ways.contains(way)).collect()
}

/// How long all statements took together.
pub fn total(spans: &[Span]) -> u64 {
    spans.iter().map(|span| span.took.0).sum()
}

pub async fn faults(
    cases: &Cases<'_>,
    points: &InjectionPoints,
    kept: &Kept,
) -> Result<Option<RandomDeaths>, Error> {
    let spans = &points.spans;
    let (ways, total) = (ways(&cases.spec.crash), total(spans));
    if points.random == 0 {
        return Ok(None);
    }
    let found = Mutex::new(Vec::new());
    let failed = Mutex::new(None);
    let runtime = tokio::runtime::Handle::current();
    // The library's runner is not async; other threads of the runtime go on.
    tokio::task::block_in_place(|| {
        let moments = (0..total, 0..ways.len());
        let faults = moments.prop_map(|(at, way)| lethal(spans, Micros(at), ways[way]));
        let over = || cases.run.cancel.is_cancelled() || lock(&failed).is_some();
        let runner = &mut runner(points.random, cases.spec.base.scenario.rng_seed);
        let outcome = runner.run(&faults, |lethal| {
            if over() {
                return Ok(());
            }
            let number = lock(&found).len();
            match runtime.block_on(interruptible(cases, &lethal, kept, number)) {
                Ok(cell) => {
                    let bad = cell.outcome.is_some_and(|outcome| outcome != Outcome::Clean);
                    let told = cell.sentence.clone();
                    lock(&found).push(cell);
                    if bad { Err(TestCaseError::fail(told)) } else { Ok(()) }
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
        None => Ok(RandomDeaths::of(std::mem::take(&mut *lock(&found)))),
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
fn lethal(spans: &[Span], at: Micros, way: Way) -> Lethal {
    let mut into = at;
    let mut met = &spans[0];
    for span in spans {
        met = span;
        if into < span.took {
            break;
        }
        into = into - span.took;
    }
    let death = Death {
        statement: met.statement,
        text: met.text.clone(),
        nth: met.nth,
        way: way.as_str().to_owned(),
        into_us: Some(into),
    };
    Lethal { death, means: Means::Plain }
}

/// The library's runner hears of no interrupt by itself.
async fn interruptible(
    cases: &Cases<'_>,
    lethal: &Lethal,
    kept: &Kept,
    number: usize,
) -> Result<Cell, Error> {
    let name = format!("random-{number:03}-{}", lethal.death.way);
    tokio::select! {
        cell = cases.one(&name, lethal, kept) => cell,
        () = cases.run.cancel.cancelled() => Err(Error::Interrupted),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
