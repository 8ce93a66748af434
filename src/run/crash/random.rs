//! Deaths at moments that nobody chose: drawn from `rng_seed`, and one that does not end clean is
//! made as early as it can be.

use std::sync::{Mutex, PoisonError};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use sha2::{Digest, Sha256};

use crate::clock::Micros;
use crate::history::{Death, History};
use crate::judge::crash::{self as judged, Lethal, Means, Span};
use crate::result::{Cell, RandomDeaths};
use crate::scenario::{Crash, Outcome, Way};

use super::cell::{Cells, Kept};
use super::{Error, one};

/// Deaths that making one small may take.
const SHRINKS_MAX: u32 = 24;

/// Ways that make sense at any moment, the gentlest first.
const WAYS: [Way; 3] = [Way::Cancel, Way::KillBackend, Way::CutBefore];

pub async fn deaths(
    cells: &Cells<'_>,
    crash: &Crash,
    undisturbed: &History,
    kept: &Kept,
) -> Result<Option<RandomDeaths>, Error> {
    let spans = judged::spans(undisturbed);
    let ways: Vec<Way> = WAYS.into_iter().filter(|way| crash.ways.contains(way)).collect();
    let total: u64 = spans.iter().map(|span| span.took.0).sum();
    if crash.random == 0 || ways.is_empty() || total == 0 {
        return Ok(None);
    }
    let found = Mutex::new(Vec::new());
    let failed = Mutex::new(None);
    let runtime = tokio::runtime::Handle::current();
    // The library's runner is not async; other threads of the runtime go on.
    tokio::task::block_in_place(|| {
        let moments = (0..total, 0..ways.len());
        let points = moments.prop_map(|(at, way)| lethal(&spans, Micros(at), ways[way]));
        let over = || cells.run.cancel.is_cancelled() || lock(&failed).is_some();
        let outcome = runner(crash, cells.start.scenario.rng_seed).run(&points, |lethal| {
            if over() {
                return Ok(());
            }
            let number = lock(&found).len();
            match runtime.block_on(interruptible(cells, &lethal, kept, number)) {
                Ok(cell) => {
                    let bad = cell.outcome.is_some_and(|outcome| outcome != Outcome::Clean);
                    let told = cell.sentence.clone();
                    lock(&found).push(cell);
                    if bad { Err(TestCaseError::fail(told)) } else { Ok(()) }
                }
                Err(error) => {
                    lock(&failed).get_or_insert(error);
                    Err(TestCaseError::fail("the cell could not be run"))
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

fn runner(crash: &Crash, rng_seed: u64) -> TestRunner {
    let config = Config {
        cases: crash.random,
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
    cells: &Cells<'_>,
    lethal: &Lethal,
    kept: &Kept,
    number: usize,
) -> Result<Cell, Error> {
    let name = format!("random-{number:03}-{}", lethal.death.way);
    tokio::select! {
        cell = one(cells, &name, lethal, kept) => cell,
        () = cells.run.cancel.cancelled() => Err(Error::Interrupted),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
