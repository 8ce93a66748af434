//! Executes the cases of a matrix and judges each.

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::history::{Listener, Progress, ShortTable};
use crate::judge::crash::{self as judged, FeasibleFault};
use crate::result::Case;
use crate::trial::Fault;

use super::super::Error;
use super::super::effects::Origin;
use super::super::execute::{Executor, Order};
use super::super::expand::{MatrixSpec, TrialSpec};
use super::super::files::{CRASH_DIRECTORY, UNDISTURBED_AGAIN};
use super::super::shared::Run;
use super::procedures::{UndisturbedAgain, WithFault};
use super::undisturbed::{Compared, Kept};

/// Cases at once, however many cores there are: they share one server's disk.
const AT_ONCE_MAX: u32 = 8;

/// What all cases of a matrix share.
pub struct Cases<'a> {
    pub run: &'a Run<'a>,
    pub executor: Executor<'a>,
    pub spec: &'a MatrixSpec,
    /// The snapshot that each case begins as a copy of.
    pub origin: Origin,
    /// Tables of the seed that have fewer rows than were asked for.
    pub short: &'a [ShortTable],
    /// The phases of cases are not shown, of which several run at once.
    pub listener: Listener,
}

impl Cases<'_> {
    pub async fn again(&self, kept: &Kept) -> Result<Compared, Error> {
        let output = self.directory(UNDISTURBED_AGAIN);
        let procedure = UndisturbedAgain { kept, compared: Mutex::default() };
        self.executor.execute(self.order(&self.spec.base, &output), &procedure).await?;
        Ok(procedure.compared.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Several at a time, reported in the order in which they were planned.
    pub async fn inject(
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
    pub async fn one(&self, name: &str, fault: &FeasibleFault, kept: &Kept) -> Result<Case, Error> {
        let spec = self.spec.base.with_fault(fault.clone());
        let output = self.directory(name);
        let procedure = WithFault { fault, kept };
        let history = self.executor.execute(self.order(&spec, &output), &procedure).await?;
        let Fault { kind, at } = &fault.fault;
        judged::case(&spec.scenario, &history)
            .ok_or_else(|| Error::NoFault { kind: *kind, statement: at.statement })
    }

    pub fn order<'o>(&'o self, spec: &'o TrialSpec, output: &'o Option<PathBuf>) -> Order<'o> {
        let Cases { origin, short, listener, .. } = self;
        Order { spec, origin, short, listener, output: output.as_deref(), standby: None }
    }

    pub fn directory(&self, name: &str) -> Option<PathBuf> {
        Some(self.run.out?.join(self.spec.base.path()).join(CRASH_DIRECTORY).join(name))
    }

    pub fn at_once(&self) -> u32 {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        let cores = u32::try_from(cores).unwrap_or(AT_ONCE_MAX).min(AT_ONCE_MAX);
        self.run.request.crash.at_once.unwrap_or(cores).max(1)
    }
}
