//! The crash matrix of a scenario: at each statement of the change each fault is injected once,
//! each time on a copy of one snapshot, and the change is applied again as an operator would: once.

mod by_hand;
mod faults;
mod procedures;
mod random;
mod undisturbed;

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::assess::{self, Effort};
use crate::clock::Micros;
use crate::history::{History, Listener, Progress, silent};
use crate::judge::crash::{self as judged, FeasibleFault, Span};
use crate::provision::Server;
use crate::result::{Case, Matrix};
use crate::scenario::Crash;
use crate::trial::Fault;

use super::effects::Origin;
use super::execute::{Executor, Order};
use super::expand::{MatrixSpec, TrialSpec};
use super::{CRASH_DIRECTORY, Error, Run, UNDISTURBED, UNDISTURBED_AGAIN, ended_with};

use procedures::{UndisturbedAgain, WithFault};
use undisturbed::{Compared, Kept};

/// Cases at once, however many cores there are: they share one server's disk.
const AT_ONCE_MAX: u32 = 8;

/// What all cases of a matrix share.
struct Cases<'a> {
    run: &'a Run<'a>,
    executor: Executor<'a>,
    spec: &'a MatrixSpec,
    /// The snapshot that each case begins as a copy of.
    origin: Origin,
    /// Nobody is shown the phases of cases, of which several run at once.
    listener: Listener,
}

/// Runs the matrix.
pub async fn matrix(
    run: &Run<'_>,
    server: &mut dyn Server,
    spec: &MatrixSpec,
) -> Result<Matrix, Error> {
    let began = Instant::now();
    server.apply_settings(&spec.base.scenario.server).await?;
    let executor = run.executor(server);
    let origin = run.effects.origin(executor.server, &spec.base, run.listener).await?;
    let order = Order { spec: &spec.base, origin: &origin, listener: run.listener, output: None };
    let snapshot = run.databases.name();
    let found = match executor.make(order, &snapshot).await {
        Ok(_) => {
            let origin = Origin::Copy(snapshot.clone());
            let cases = Cases { run, executor, spec, origin, listener: silent() };
            let undisturbed = run.databases.name();
            let found = cases.all(&undisturbed, began).await;
            executor.drop(&undisturbed).await.and(found)
        }
        Err(error) => Err(error),
    };
    let dropped = executor.drop(&snapshot).await;
    let matrix = found?;
    dropped?;
    Ok(matrix)
}

impl Cases<'_> {
    /// `database` is the name of that in which nothing is disturbed, which is left.
    async fn all(&self, database: &str, began: Instant) -> Result<Matrix, Error> {
        let MatrixSpec { base, crash, statement } = self.spec;
        let output = self.directory(UNDISTURBED);
        let undisturbed = self.executor.in_database(
            self.order(base, &output),
            &procedures::Undisturbed,
            database,
        );
        let undisturbed = undisturbed.await?;
        let at_once = self.at_once();
        let took = || Micros(u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
        let shown = judged::undisturbed(&undisturbed);
        let matrix = |cases, random| {
            let effort = Effort { took_us: took(), at_once };
            assess::matrix(&base.scenario, crash, (&shown, effort), cases, random)
        };
        let Some(ended) = ended_with(&undisturbed) else { return Ok(matrix(Vec::new(), None)) };
        let points = InjectionPoints::of(&undisturbed, crash, *statement);
        self.run.plans_cases(&base.key, points.labels(), points.random)?;
        let address = self.executor.server.address().with_database(database);
        let mut kept = Kept::of(&undisturbed, ended, address);
        // What is not the same a second time, beside an application, is no sign of anything: a time
        // of day, a copy of rows that the application writes.
        kept.compared = self.again(&kept).await?;
        let found = self.inject(&points.faults, &kept, at_once).await?;
        let random = random::faults(self, &points, &kept).await?;
        Ok(matrix(found, random))
    }

    async fn again(&self, kept: &Kept) -> Result<Compared, Error> {
        let output = self.directory(UNDISTURBED_AGAIN);
        let procedure = UndisturbedAgain { kept, compared: Mutex::default() };
        self.executor.execute(self.order(&self.spec.base, &output), &procedure).await?;
        Ok(procedure.compared.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Several at a time, reported in the order in which they were planned.
    async fn inject(
        &self,
        faults: &[FeasibleFault],
        kept: &Kept,
        at_once: u32,
    ) -> Result<Vec<Case>, Error> {
        let of = faults.len();
        let cases = faults.iter().enumerate().map(|(number, fault)| async move {
            let name = format!("{number:03}-{}", fault.fault.kind);
            self.one(&name, fault, kept).await
        });
        let mut cases = stream::iter(cases).buffered(at_once as usize);
        let mut found = Vec::with_capacity(of);
        while let Some(case) = cases.try_next().await? {
            let (kind, statement) = (case.fault.kind, case.fault.at.text.clone());
            found.push(case);
            let done = found.len();
            (self.run.listener)(Progress::Case { done, of, kind, statement });
        }
        Ok(found)
    }

    /// Executes one case and judges it.
    async fn one(&self, name: &str, fault: &FeasibleFault, kept: &Kept) -> Result<Case, Error> {
        let spec = self.spec.base.with_fault(fault.clone());
        let output = self.directory(name);
        let procedure = WithFault { fault, kept };
        let history = self.executor.execute(self.order(&spec, &output), &procedure).await?;
        let Fault { kind, at } = &fault.fault;
        judged::case(&spec.scenario, &history)
            .ok_or_else(|| Error::NoFault { kind: *kind, statement: at.statement })
    }

    fn order<'o>(&'o self, spec: &'o TrialSpec, output: &'o Option<PathBuf>) -> Order<'o> {
        Order { spec, origin: &self.origin, listener: &self.listener, output: output.as_deref() }
    }

    fn directory(&self, name: &str) -> Option<PathBuf> {
        Some(self.run.out?.join(self.spec.base.path()).join(CRASH_DIRECTORY).join(name))
    }

    fn at_once(&self) -> u32 {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let cores = u32::try_from(cores).unwrap_or(AT_ONCE_MAX).min(AT_ONCE_MAX);
        self.run.request.crash.at_once.unwrap_or(cores).max(1)
    }
}

/// Where faults can be injected, as the undisturbed run shows it.
pub struct InjectionPoints {
    pub faults: Vec<FeasibleFault>,
    pub spans: Vec<Span>,
    /// Faults at random moments.
    pub random: u32,
}

impl InjectionPoints {
    /// `statement`: only faults at this one.
    pub fn of(undisturbed: &History, crash: &Crash, statement: Option<u32>) -> InjectionPoints {
        let mut faults = judged::faults(undisturbed, &crash.faults);
        let at = |fault: &FeasibleFault, id| fault.fault.at.statement == id;
        faults.retain(|fault| statement.is_none_or(|id| at(fault, id)));
        let spans = judged::spans(undisturbed);
        let can_be = random::total(&spans) > 0 && !random::kinds(crash).is_empty();
        let random = if can_be { crash.random } else { 0 };
        InjectionPoints { faults, spans, random }
    }

    /// As the keys of the cases name them.
    pub fn labels(&self) -> Vec<String> {
        self.faults.iter().map(|fault| fault.fault.label()).collect()
    }
}
