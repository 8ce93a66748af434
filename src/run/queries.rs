//! Statements of one's own application as the operations of a scenario: prepared on the tables,
//! then tried on a few rows as the application's role.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::connect::{Address, Session};
use crate::history::{Listener, Progress};
use crate::infer::{
    self, Catalogue, Inferred, Narrowed, Query, Recorded, read_queries, recorded_queries,
};
use crate::pg::facts::facts;
use crate::pg::lex;
use crate::pg::syntax::Kind;
use crate::provision::Server;
use crate::scenario::{Draft, OperationSpec, Parameter, render};
use crate::{observe, seed};

use super::Error;
use super::stage::{ROUNDS, Stage, put};

/// `application_name` of the session that prepares.
const APPLICATION: &str = "pgauntlet infer";
/// Characters of a statement's text in messages.
const SHOWN_CHARS: usize = 100;

/// The application's own statements.
#[derive(Clone, Copy, Debug)]
pub struct OwnQueries<'a> {
    /// Where they are.
    pub source: OwnSource<'a>,
    /// Whether the inferred operations stay beside them.
    pub adds: bool,
}

/// Where the application's own statements are.
#[derive(Clone, Copy, Debug)]
pub enum OwnSource<'a> {
    /// In a file, by its path for messages and its text.
    File(&'a Path, &'a str),
    /// In what a database's server has counted (pg_stat_statements); it is only read.
    Recorded(&'a Address),
}

/// Statements that were read.
pub(super) struct Queries {
    found: Found,
    pub adds: bool,
}

enum Found {
    /// Queries of a file, by its path and its text.
    File(Vec<Query>, String, String),
    /// Which of them are on the tables is not known before those are.
    Recorded(Vec<Recorded>),
}

/// Queries, and where each is written.
#[derive(Default)]
struct Named {
    queries: Vec<Query>,
    /// By query: as messages name it.
    places: Vec<String>,
    /// The file's path and text, for places of what the server refuses.
    file: Option<(String, String)>,
    left_out: Vec<String>,
}

/// Operations of the application's own, and what cannot be one.
#[derive(Debug, Default)]
pub(super) struct Own {
    pub operations: Vec<OperationSpec>,
    /// As messages name them, by the operation's name.
    places: BTreeMap<String, String>,
    pub left_out: Vec<String>,
}

impl Queries {
    /// # Errors
    /// Every problem of the file; or the database has not counted its statements.
    pub async fn read(own: &OwnQueries<'_>) -> Result<Queries, Error> {
        let found = match own.source {
            OwnSource::File(path, text) => {
                let queries = read_queries(path, text)
                    .map_err(|problems| Error::Queries(render(&problems).trim_end().to_owned()))?;
                Found::File(queries, path.display().to_string(), text.to_owned())
            }
            OwnSource::Recorded(address) => {
                Found::Recorded(observe::recorded_statements(address).await?)
            }
        };
        Ok(Queries { found, adds: own.adds })
    }

    fn named(&self, catalogue: &Catalogue) -> Named {
        match &self.found {
            Found::File(queries, path, text) => {
                let place = |query: &Query| format!("{path}:{}: {}", query.line, query.name);
                Named {
                    places: queries.iter().map(place).collect(),
                    queries: queries.clone(),
                    file: Some((path.clone(), text.clone())),
                    left_out: Vec::new(),
                }
            }
            Found::Recorded(recorded) => {
                let (found, mut left_out) = recorded_queries(catalogue, recorded);
                if found.is_empty() {
                    left_out.push(format!(
                        "pg_stat_statements: none of its {} statements reads or writes these \
                         tables: let the application run against that database",
                        recorded.len()
                    ));
                }
                let place = |(_, recorded): &(Query, Recorded)| {
                    let line = lex::one_line(&recorded.text);
                    let shown: String = line.chars().take(SHOWN_CHARS).collect();
                    let more = if shown.len() < line.len() { "…" } else { "" };
                    format!("pg_stat_statements, {} calls: {shown}{more}", recorded.calls)
                };
                let places = found.iter().map(place).collect();
                let queries = found.into_iter().map(|(query, _)| query).collect();
                Named { queries, places, file: None, left_out }
            }
        }
    }

    /// Prepares them in a database with the tables, and chooses their values.
    pub async fn operations(
        &self,
        address: &Address,
        catalogue: &Catalogue,
        inferred: &Inferred,
        rng_seed: u64,
    ) -> Result<Own, Error> {
        // Another session than that which reads catalogues: it finds tables as an application does.
        let session = Session::open(address, APPLICATION, &BTreeMap::new()).await?;
        let mut catalogue = catalogue.clone();
        let named = self.named(&catalogue);
        let types = seed::describe(&session, &mut catalogue, &named.queries).await?;
        let mut own = Own { left_out: named.left_out.clone(), ..Own::default() };
        let mut taken = Vec::new();
        for (at, (query, types)) in named.queries.iter().zip(types).enumerate() {
            match types {
                Ok(types) => taken.push((at, query, types)),
                Err(refusal) => own.left_out.push(named.refused(at, &refusal)),
            }
        }
        let written = infer::operations(&catalogue, inferred, rng_seed, &taken);
        for (at, why) in written.refused {
            own.left_out.push(format!("{}: {why}", named.places[at]));
        }
        for (at, operation) in written.operations {
            own.places.insert(operation.name.clone(), named.places[at].clone());
            own.operations.push(operation);
        }
        Ok(own)
    }
}

impl Named {
    /// What the server said of a statement, with its place in the file.
    fn refused(&self, at: usize, refusal: &seed::Refusal) -> String {
        let query = &self.queries[at];
        let statement = query.statements.get(refusal.statement);
        let offset = statement.map(|statement| statement.place(refusal.at.unwrap_or(0)));
        let place = match (&self.file, offset) {
            (Some((path, text)), Some(offset)) => {
                let (line, column) = lex::position(text, offset);
                format!("{path}:{line}:{column}: {}", query.name)
            }
            _ => self.places[at].clone(),
        };
        format!("{place}: the server does not take it: {}", refusal.message)
    }
}

impl Own {
    /// Puts the operations into the scenario, in place of what was inferred or beside it.
    pub fn put_into(&mut self, draft: &mut Draft, adds: bool) {
        let names: BTreeSet<&String> = self.places.keys().collect();
        let inferred = &mut draft.traffic.operations;
        let follows = |operation: &OperationSpec| {
            operation.parameters.values().any(|parameter| matches!(parameter, Parameter::Follow(_)))
        };
        inferred
            .retain(|operation| adds && !names.contains(&operation.name) && !follows(operation));
        // What these statements do to the same rows is not known.
        draft.invariants.clear();
        if self.operations.iter().any(writes) {
            inferred.iter_mut().for_each(|operation| operation.ledger = None);
        }
        let sum = |operations: &[OperationSpec]| -> f64 {
            operations.iter().map(|operation| operation.weight).sum()
        };
        // Beside each other, both are half of the traffic.
        let factor = match inferred.is_empty() {
            true => 1.0,
            false => sum(inferred) / sum(&self.operations).max(f64::MIN_POSITIVE),
        };
        inferred.extend(self.operations.iter().map(|operation| {
            let weight = ((operation.weight * factor) * 1e4).round().max(1.0) / 1e4;
            OperationSpec { weight, ..operation.clone() }
        }));
    }

    fn leave_out(&mut self, draft: &mut Draft, name: &str, why: &str) {
        draft.traffic.operations.retain(|operation| operation.name != name);
        if let Some(place) = self.places.remove(name) {
            self.left_out.push(format!("{place}: {why}"));
        }
    }

    /// Tries the operations on a few rows in a database that is empty, and takes out what fails.
    ///
    /// # Errors
    /// None is left, or the environment fails.
    pub async fn rehearse(
        &mut self,
        draft: &mut Draft,
        catalogue: &Catalogue,
        server: &dyn Server,
        address: &Address,
        listener: &Listener,
    ) -> Result<(), Error> {
        let of_others = infer::deletes_what_others_need(catalogue, &draft.traffic.operations);
        for (name, why) in of_others {
            self.leave_out(draft, &name, &why);
        }
        self.is_something_left()?;
        listener(Progress::SeedStep("try the application's operations".to_owned()));
        let mut stage = match Stage::of(draft, server, address, false).await? {
            Ok(stage) => stage,
            Err(problem) => {
                self.left_out.push(format!("the operations were not tried: {problem}"));
                return Ok(());
            }
        };
        // Rows that are deleted are gone for those that come after.
        for deletes in [false, true] {
            let is_own = |operation: &&OperationSpec| {
                self.places.contains_key(&operation.name) && has_delete(operation) == deletes
            };
            let own = draft.traffic.operations.iter().filter(is_own).cloned().collect();
            self.rounds(draft, own, &mut stage).await?;
        }
        self.is_something_left()
    }

    /// Tries operations until none fails, or it was often enough.
    async fn rounds(
        &mut self,
        draft: &mut Draft,
        mut pending: Vec<OperationSpec>,
        stage: &mut Stage,
    ) -> Result<(), Error> {
        for round in 0..ROUNDS {
            if pending.is_empty() {
                break;
            }
            let mut again = Vec::new();
            for tried in stage.tried(pending, round).await? {
                let name = tried.operation.name.clone();
                match tried.narrowed {
                    Narrowed::Fits => put(draft, tried.operation),
                    Narrowed::Fewer(fewer) if round + 1 < ROUNDS => again.push(fewer),
                    Narrowed::Fewer(_) => {
                        let why = said(&tried.error.unwrap_or_default());
                        self.leave_out(draft, &name, &why);
                    }
                    Narrowed::Fails(error) => self.leave_out(draft, &name, &said(&error)),
                }
            }
            pending = again;
        }
        Ok(())
    }

    fn is_something_left(&self) -> Result<(), Error> {
        match self.places.is_empty() {
            true => Err(Error::NoQueries(self.left_out.clone())),
            false => Ok(()),
        }
    }
}

fn said(error: &str) -> String {
    format!("it fails on the tables' rows: {error}")
}

fn has_delete(operation: &OperationSpec) -> bool {
    let mut statements = operation.statements.iter();
    statements.any(|statement| {
        let uses = crate::pg::facts::parameters(&statement.sql);
        uses.is_some_and(|uses| !uses.deletes.is_empty())
    })
}

fn writes(operation: &OperationSpec) -> bool {
    let texts = operation.statements.iter().map(|statement| facts(&statement.sql));
    texts.flat_map(|facts| facts.statements).any(|statement| {
        statement.kind != Kind::Select || !statement.writes.is_empty() || statement.dynamic
    })
}
