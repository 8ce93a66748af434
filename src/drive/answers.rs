//! What operations answer with replaced functions, and what they answer with the old ones.
//!
//! One transaction, which is rolled back, with no other traffic: each operation that calls the
//! function runs with values of its own generators, twice with the new definition and once with the
//! old one. Compared is what it returns and what it writes; of rows that it deletes, how many. What
//! differs each time is not compared.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use tokio_postgres::SimpleQueryMessage;

use crate::clock::Micros;
use crate::connect::{self, Address, Session, server_error};
use crate::history::{ComparedAnswers, NotCompared, SAMPLE_CHARS_MAX, SAMPLES_MAX, ServerError};
use crate::pg::facts::facts;
use crate::pg::quote_literal;
use crate::pg::syntax::Kind;
use crate::scenario::{Scenario, Sizes};
use crate::schema::ReplacedFunction;

use super::error::Error;
use super::parameters::{Drawing, Feeds, Values};
use super::plan::{Plan, PlannedOperation, PlannedStatement};
use super::rehearse::STRIDE;
use super::written::{Answer, ROWS_MAX, Writes, too_many};

/// `application_name` of the session that compares.
const APPLICATION: &str = "pgauntlet answers";
/// Longest time of one statement, and of a wait for a lock.
const LIMITS: [(&str, &str); 2] = [("statement_timeout", "30s"), ("lock_timeout", "10s")];
/// Sets of values that an operation is run with.
const DRAWS_MAX: u64 = 16;
/// No operation is run with more values once a function has taken so long.
const FUNCTION_MAX: Duration = Duration::from_secs(30);
/// The streams that values are drawn from: no worker's, and not those of a rehearsal.
const ANSWERS_WORKER: u64 = u32::MAX as u64 / 2;
/// The number of the first draw: traffic has used those before it.
const FIRST: u64 = 50_000;

/// A function and the statements that call it.
#[derive(Clone, Debug)]
pub struct CalledFunction {
    /// As it was.
    pub function: ReplacedFunction,
    /// Each by its operation and its place in it.
    pub statements: BTreeSet<(usize, usize)>,
    /// Columns that the server numbers: what they get is another value each time.
    pub numbered: BTreeSet<String>,
}

/// What the statements of one operation that call the function returned.
type Answers = Result<Vec<Answer>, ServerError>;

/// Each function with its old definition and its new one. What keeps one from being compared
/// is in that function's answer.
///
/// # Errors
/// A name leads nowhere, or the session is gone.
pub async fn function_answers(
    address: &Address,
    scenario: &Scenario,
    sizes: &Sizes,
    called: &[CalledFunction],
) -> Result<Vec<ComparedAnswers>, Error> {
    if called.is_empty() {
        return Ok(Vec::new());
    }
    let plan = Plan::new(&scenario.traffic)?;
    let mut settings: BTreeMap<String, String> = scenario.pool.settings.clone();
    settings.extend(LIMITS.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let session = Session::open(address, APPLICATION, &settings).await.map_err(lost)?;
    session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ").await.map_err(lost)?;
    if !counts_writes(&session).await? {
        let why = "the server counts no writes (track_counts), so what it writes is not known";
        let of = |called: &CalledFunction| {
            let why = NotCompared::Because(why.to_owned());
            ComparedAnswers::not_compared(&called.function.object(), why)
        };
        return Ok(called.iter().map(of).collect());
    }
    let mut drawing = Drawing::new(scenario, sizes, &plan, ANSWERS_WORKER);
    let mut found = Vec::new();
    for called in called {
        let comparing = Comparing { session: &session, plan: &plan, called };
        found.push(comparing.compare(&mut drawing).await?);
    }
    session.batch("ROLLBACK").await.map_err(lost)?;
    Ok(found)
}

async fn counts_writes(session: &Session) -> Result<bool, Error> {
    let sql = "SELECT pg_catalog.current_setting('track_counts')::bool";
    let row = session.client().query_one(sql, &[]).await;
    Ok(row.map_err(|error| lost(connect::Error::query(sql, &error)))?.get(0))
}

fn lost(source: connect::Error) -> Error {
    Error::Answers(Box::new(source))
}

struct Comparing<'a> {
    session: &'a Session,
    plan: &'a Plan,
    called: &'a CalledFunction,
}

impl Comparing<'_> {
    async fn compare(&self, drawing: &mut Drawing) -> Result<ComparedAnswers, Error> {
        let object = self.called.function.object();
        let not_compared = |why| ComparedAnswers::not_compared(&object, why);
        let kinds: BTreeSet<usize> = self.called.statements.iter().map(|(kind, _)| *kind).collect();
        let nothing_to_follow = Feeds::new(self.plan);
        let (mut runs, mut refused) = (Vec::new(), None);
        let began = Instant::now();
        let all = (0..DRAWS_MAX).flat_map(|number| kinds.iter().map(move |kind| (number, *kind)));
        let draws: Vec<(u64, usize)> = all.collect();
        for (number, kind) in draws {
            if began.elapsed() > FUNCTION_MAX {
                break;
            }
            let seq = (FIRST + number) * STRIDE + kind as u64;
            let values = drawing.draw(kind as u16, seq, Micros::ZERO, &nothing_to_follow);
            let new = self.run(kind, &values).await?;
            let again = self.run(kind, &values).await?;
            match (new, again) {
                (Ok(new), Ok(again)) => {
                    if !new.iter().zip(&again).all(|(one, other)| one.is_same(other)) {
                        return Ok(not_compared(NotCompared::Volatile));
                    }
                    runs.push((kind, values, new));
                }
                // The traffic sees what fails with the new one.
                (Err(error), _) | (_, Err(error)) => refused = refused.or(Some(error.message)),
            }
        }
        if runs.is_empty() {
            let why = refused.unwrap_or_default();
            return Ok(not_compared(NotCompared::Because(why)));
        }
        self.session.batch("SAVEPOINT old").await.map_err(lost)?;
        let compared = match self.make_old().await? {
            Err(why) => not_compared(NotCompared::OldFails(why)),
            Ok(()) => self.with_old(&object, runs).await?,
        };
        self.session.batch("ROLLBACK TO SAVEPOINT old").await.map_err(lost)?;
        Ok(compared)
    }

    /// Gives the old definition its place. What has taken it with other arguments, or returns
    /// something else, is renamed.
    async fn make_old(&self) -> Result<Result<(), String>, Error> {
        let function = &self.called.function;
        if function.definition.starts_with("CREATE AGGREGATE") {
            return Ok(Err("of an aggregate, no statement that makes it is kept".to_owned()));
        }
        for (number, name) in function.instead.iter().enumerate() {
            if let Err(error) = self.tried(&rename(name, number)).await? {
                return Ok(Err(error.message));
            }
        }
        let refused = match self.tried(&function.definition).await? {
            Ok(()) => return Ok(Ok(())),
            Err(error) => error,
        };
        let renamed = self.tried(&rename(&function.name, function.instead.len())).await?;
        match (renamed, self.tried(&function.definition).await?) {
            (Ok(()), Ok(())) => Ok(Ok(())),
            _ => Ok(Err(refused.message)),
        }
    }

    async fn with_old(
        &self,
        object: &str,
        runs: Vec<(usize, Values, Vec<Answer>)>,
    ) -> Result<ComparedAnswers, Error> {
        let mut found = ComparedAnswers { object: object.to_owned(), ..ComparedAnswers::default() };
        let mut returned = 0;
        for (kind, values, new) in runs {
            returned += new.iter().map(|answer| answer.rows.len() as u64).sum::<u64>();
            match self.run(kind, &values).await? {
                Ok(old) => {
                    let pairs = old.iter().zip(&new);
                    pairs.for_each(|(old, new)| add(&mut found, old, new));
                }
                Err(error) => {
                    if let Some(why) = in_the_way(&error) {
                        return Ok(ComparedAnswers::not_compared(object, why(error.message)));
                    }
                    let refusal = [Some(format!("ERROR: {}", error.message))];
                    sample(&mut found.gone_rows, std::iter::once(shown(&refusal)));
                    (found.rows, found.gone) = (found.rows + 1, found.gone + 1);
                    for new in &new {
                        found.new += new.rows.len() as u64;
                        sample(&mut found.new_rows, new.rows.iter().map(|row| shown(row)));
                    }
                }
            }
        }
        if found.gone + found.new > 0 {
            return Ok(found);
        }
        let why = (found.rows + returned == 0).then_some(NotCompared::NoRows);
        Ok(ComparedAnswers { not_compared: why, ..found })
    }

    /// Runs the operation and undoes it.
    async fn run(&self, kind: usize, values: &Values) -> Result<Answers, Error> {
        let Some(operation) = self.plan.operations.get(kind) else { return Ok(Ok(Vec::new())) };
        self.session.batch("SAVEPOINT one").await.map_err(lost)?;
        let answers = self.answers(kind, operation, values).await;
        self.session.batch("ROLLBACK TO SAVEPOINT one").await.map_err(lost)?;
        Ok(answers)
    }

    async fn answers(&self, kind: usize, operation: &PlannedOperation, values: &Values) -> Answers {
        let writes = Writes::so_far(self.session).await?;
        let mut found = Vec::new();
        for (place, statement) in operation.statements.iter().enumerate() {
            let mut answer = answer(self.session, &text(statement, values)).await?;
            if self.called.statements.contains(&(kind, place)) {
                if inserts(&statement.sql) {
                    answer.leave_out(&self.called.numbered);
                }
                if self.called.function.returns_nothing() {
                    answer.empty_is_null();
                }
                found.push(answer);
            }
        }
        found.push(writes.since(self.session, &self.called.numbered).await?);
        Ok(found)
    }

    async fn tried(&self, sql: &str) -> Result<Result<(), ServerError>, Error> {
        self.session.batch("SAVEPOINT one").await.map_err(lost)?;
        let Err(error) = self.session.batch(sql).await else { return Ok(Ok(())) };
        self.session.batch("ROLLBACK TO SAVEPOINT one").await.map_err(lost)?;
        Ok(Err(error.server_error().cloned().unwrap_or_default()))
    }
}

fn rename(function: &str, number: usize) -> String {
    format!("ALTER ROUTINE {function} RENAME TO pgauntlet_answers_{number}")
}

/// Names, types and syntax are of the schema; a timeout is of the server. What else is refused is
/// an answer to these values.
fn in_the_way(error: &ServerError) -> Option<fn(String) -> NotCompared> {
    let code = error.sqlstate.as_ref().map_or("", |state| state.code());
    match code.get(..2) {
        Some("42" | "0A") => Some(NotCompared::OldFails),
        Some("57" | "55" | "53") | None => Some(NotCompared::Because),
        Some(_) => None,
    }
}

/// The line break ends a comment with which the statement may end.
fn text(statement: &PlannedStatement, values: &Values) -> String {
    let sql = statement.sql.trim().trim_end_matches(';');
    if statement.arguments.is_empty() {
        return sql.to_owned();
    }
    let value = |at: &usize| match values.get(*at).and_then(Option::as_ref) {
        Some(text) => quote_literal(text),
        None => "NULL".to_owned(),
    };
    let arguments: Vec<String> = statement.arguments.iter().map(value).collect();
    let arguments = arguments.join(", ");
    format!("DEALLOCATE ALL; PREPARE answers AS {sql}\n; EXECUTE answers({arguments})")
}

fn inserts(sql: &str) -> bool {
    facts(sql).statements.last().is_some_and(|statement| statement.kind == Kind::Insert)
}

/// The simple protocol answers in text, whatever the types are.
async fn answer(session: &Session, sql: &str) -> Result<Answer, ServerError> {
    let failed = |error| server_error(&error);
    let mut messages = pin!(session.client().simple_query_raw(sql).await.map_err(failed)?);
    let (mut found, mut rows) = (Answer::default(), 0);
    while let Some(message) = messages.try_next().await.map_err(failed)? {
        let SimpleQueryMessage::Row(row) = message else { continue };
        rows += 1;
        if found.columns.is_empty() {
            found.columns = row.columns().iter().map(|c| c.name().to_owned()).collect();
        }
        if rows <= ROWS_MAX {
            let values = (0..row.len()).map(|column| row.get(column).map(str::to_owned));
            found.rows.push(values.collect());
        }
    }
    if rows > ROWS_MAX { Err(too_many("returns")) } else { Ok(found) }
}

/// What the two differ in, in the columns that both have; one without rows has no columns.
fn add(found: &mut ComparedAnswers, old: &Answer, new: &Answer) {
    let named = if old.rows.is_empty() { &new.columns } else { &old.columns };
    let other = if new.rows.is_empty() { named } else { &new.columns };
    let both: Vec<&String> = named.iter().filter(|column| other.contains(column)).collect();
    let (was, is) = (old.counts(&both), new.counts(&both));
    found.rows += old.rows.len() as u64;
    let beyond = |one: &BTreeMap<Vec<Option<String>>, i64>,
                  other: &BTreeMap<Vec<Option<String>>, i64>| {
        let more = |(row, n): (&Vec<Option<String>>, &i64)| {
            let more = n - other.get(row).copied().unwrap_or(0);
            (more > 0).then(|| (shown(row), more as u64))
        };
        one.iter().filter_map(more).collect::<Vec<_>>()
    };
    let (gone, more) = (beyond(&was, &is), beyond(&is, &was));
    found.gone += gone.iter().map(|(_, n)| n).sum::<u64>();
    found.new += more.iter().map(|(_, n)| n).sum::<u64>();
    sample(&mut found.gone_rows, gone.into_iter().map(|(row, _)| row));
    sample(&mut found.new_rows, more.into_iter().map(|(row, _)| row));
}

fn sample(samples: &mut Vec<String>, rows: impl Iterator<Item = String>) {
    let left = SAMPLES_MAX.saturating_sub(samples.len());
    samples.extend(rows.take(left));
}

/// A row as the server writes one.
fn shown(row: &[Option<String>]) -> String {
    let values = row.iter().map(|value| value.as_deref().unwrap_or_default());
    let text = format!("({})", values.collect::<Vec<_>>().join(","));
    text.chars().take(SAMPLE_CHARS_MAX).collect()
}
