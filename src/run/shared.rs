//! What the trials and crash matrices of one run share: whom they ask, and the result as far as it
//! goes.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::explain::assessed;
use crate::history::Listener;
use crate::provision::Server;
use crate::result::{Judgement, Matrix, ResultFile, RetryOdds};
use crate::trial::TrialKey;

use super::Error;
use super::databases::Databases;
use super::effects::Effects;
use super::execute::Executor;
use super::request::Request;

/// A result, as soon as it is there.
#[derive(Clone, Copy)]
pub enum Judged<'a> {
    /// A trial has been judged.
    Trial(&'a Judgement),
    /// A crash matrix is complete, as far as it will be.
    Matrix(&'a Matrix),
    /// The rounds of a retry policy are over.
    Retries(&'a RetryOdds),
}

/// Who is told of each result.
pub type OnJudged = Arc<dyn Fn(Judged<'_>) + Send + Sync>;

/// What the trials and matrices of one call share.
pub struct Run<'a> {
    pub effects: &'a dyn Effects,
    pub request: &'a Request,
    pub cancel: &'a CancellationToken,
    pub out: Option<&'a Path>,
    pub listener: &'a Listener,
    pub on_judged: &'a OnJudged,
    pub databases: &'a Databases,
    /// As far as it goes.
    pub result: Mutex<ResultFile>,
    /// Operations per second that were found, by scenario.
    pub rates: Mutex<BTreeMap<String, f64>>,
}

impl Run<'_> {
    pub fn executor<'e>(&'e self, server: &'e dyn Server) -> Executor<'e> {
        Executor { effects: self.effects, server, databases: self.databases }
    }

    /// The undisturbed run has shown which cases the matrix of this key is to have.
    pub fn plans_cases(
        &self,
        key: &TrialKey,
        cases: Vec<String>,
        random: u32,
    ) -> Result<(), Error> {
        self.keep(|result| {
            let planned = &mut result.planned.crash_matrices;
            if let Some(planned) = planned.iter_mut().find(|planned| planned.key == *key) {
                (planned.cases, planned.random) = (Some(cases), random);
            }
        })
    }

    /// Changes the result, and writes result.json as far as it goes.
    pub fn keep(&self, change: impl FnOnce(&mut ResultFile)) -> Result<(), Error> {
        let mut result = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut result);
        assessed(&mut result);
        if let Some(out) = self.out {
            result.write(out)?;
        }
        Ok(())
    }
}
