//! Makes a scenario from a schema: a server of ours is asked what its tables take.

mod base;
mod concerned;
mod doubtful;
mod fitted;
mod rehearsal;

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use crate::connect::{Address, Session};
use crate::history::{Event, Listener, Progress};
use crate::infer::{self, Catalogue, Doubt, Inferred, Mix, Options, OwnRows, Remark, Rows};
use crate::provision::{self, Server};
use crate::scenario::{
    Applied, Arrivals, Change, Condition, Demands, Draft, DraftChange, Problem, Rate, Traffic,
    TransactionRule, psql_inlined, psql_script,
};
use crate::{judge, observe, seed};

use super::databases::Databases;
use super::effects::{Effects, Origin};
use super::found::rows_by_table;
use super::like::{Known, Like, Prepared};
use super::queries::{Own, OwnQueries, Queries};
use super::stage::{Stage, read_back};
use super::{Error, Postgres, identities};

use concerned::Concerned;
use fitted::Fitted;
use rehearsal::Rehearsal;

pub use base::{Base, DatabaseUrl};

/// `application_name` of the session that asks.
const APPLICATION: &str = "pgauntlet infer";
/// Why a scenario is refused, as far as it is said.
const PROBLEMS_MAX: usize = 5;
/// What is written where no change is given.
const NO_CHANGE: &str = "-- The change goes here. Until it does, the scenario shows that the \
                         application runs well without one.\nSELECT 1;\n";

/// What a scenario is made from.
#[derive(Debug)]
pub struct InferRequest<'a> {
    /// The schema that the change begins from.
    pub base: &'a Base,
    /// The change; None: one that does nothing.
    pub change: Option<&'a Change>,
    /// The change as the scenario's own files have it; None: one that does nothing.
    pub written: Option<DraftChange>,
    /// The application's pool, what it can bear, and what is accepted.
    pub demands: &'a Demands,
    /// Under which conditions it is tried; none: as it is.
    pub conditions: &'a [String],
    /// How many rows there are.
    pub rows: RowsRequest<'a>,
    /// Decides every draw.
    pub rng_seed: u64,
    /// How many operations there are.
    pub rate: Rate,
    /// Which operations there are most of; None: as the statistics say, else mixed.
    pub mix: Option<Mix>,
    /// Whose rows they are like.
    pub like: Option<Like<'a>>,
    /// The application's own statements; None: its operations are inferred.
    pub own: Option<OwnQueries<'a>>,
    /// The server that is asked.
    pub server: &'a provision::Request,
}

/// Rows of all tables together that a change is not about: thousands of tables are made in seconds.
const OTHERS_MAX: u64 = 200_000;
/// But each has so many.
const OTHERS_EACH_MIN: u64 = 10;

/// How many rows are asked for.
#[derive(Clone, Copy, Debug)]
pub struct RowsRequest<'a> {
    /// Rows of a table that nothing else is said of.
    pub each: u64,
    /// Rows of a table that the change is about; None: as any other. The tables beside it get a
    /// tenth. With `like`, of the largest table, and of all others in proportion.
    pub concerned: Option<u64>,
    /// Rows of single tables, by name, with or without the schema's.
    pub of: &'a [(String, u64)],
}

/// A scenario that was made.
#[derive(Debug)]
pub struct InferredScenario {
    /// Texts by the file's name.
    pub files: BTreeMap<String, String>,
    /// What was read of another database's statistics, as one line.
    pub statistics: Option<String>,
    /// Tables that hold rows of their own, with the rows that each gets.
    pub tables: BTreeMap<String, u64>,
    /// Tables that the change is about, as far as that is known before it is tried.
    pub concerned: Vec<String>,
    /// What cannot be met, or not in full.
    pub remarks: Vec<Remark>,
    /// Operations, and what has none with the reason.
    pub operations: usize,
    /// What the application leaves alone, and why.
    pub left_out: Vec<String>,
}

/// Makes the schema on a server, asks what its tables take, and drops it.
///
/// # Errors
/// The schema does not run, or the environment fails.
pub async fn infer(
    request: &InferRequest<'_>,
    listener: &Listener,
    cancel: &CancellationToken,
) -> Result<InferredScenario, Error> {
    // Before anything is started: it may be what fails.
    let (queries, like) = tokio::select! {
        read = read(request) => read?,
        () = cancel.cancelled() => return Err(Error::Interrupted),
    };
    let effects = Postgres::of(request.base.clones());
    let made = on_server(&effects, request, (queries.as_ref(), like), listener, cancel).await;
    effects.concluded(made, listener).await
}

async fn on_server(
    effects: &Postgres,
    request: &InferRequest<'_>,
    (queries, like): (Option<&Queries>, Option<Prepared>),
    listener: &Listener,
    cancel: &CancellationToken,
) -> Result<InferredScenario, Error> {
    let server = tokio::select! {
        server = effects.provision(request.server, listener) => server?,
        () = cancel.cancelled() => return Err(Error::Interrupted),
    };
    let made = async {
        if let Some(like) = &like {
            like.fits(server.facts().version_num / 10_000)?;
        }
        let databases = Databases::of(effects.claim(&*server, listener).await?);
        let workshop = Workshop { effects, server: &*server, databases: &databases, listener };
        let made = workshop.make(request, queries, like).await;
        databases.drop_all(effects, &server.address()).await;
        made
    };
    let made = tokio::select! {
        made = made => made,
        () = cancel.cancelled() => Err(Error::Interrupted),
    };
    let stopped = server.stop().await;
    let made = made?;
    stopped?;
    Ok(made)
}

/// What is read before there is a server.
async fn read(request: &InferRequest<'_>) -> Result<(Option<Queries>, Option<Prepared>), Error> {
    let queries = match &request.own {
        Some(own) => Some(Queries::read(own).await?),
        None => None,
    };
    let like = match &request.like {
        Some(like) => Some(like.prepare().await?),
        None => None,
    };
    Ok((queries, like))
}

/// Where a scenario is made.
struct Workshop<'a> {
    effects: &'a dyn Effects,
    server: &'a dyn Server,
    databases: &'a Databases,
    listener: &'a Listener,
}

impl Workshop<'_> {
    fn step(&self, sentence: &str) {
        (self.listener)(Progress::SeedStep(sentence.to_owned()));
    }

    async fn make(
        &self,
        request: &InferRequest<'_>,
        queries: Option<&Queries>,
        like: Option<Prepared>,
    ) -> Result<InferredScenario, Error> {
        let is_clone = request.base.clones().is_some();
        // Of a clone no script makes any.
        let _roles = match is_clone {
            true => None,
            false => Some(seed::hold_roles(&self.server.address()).await?),
        };
        let own = (self.server, self.databases);
        let text = request.base.text(self.effects, own, self.listener).await?;
        let (name, address) = self.tables(request.base, &text).await?;
        let catalogue = {
            let session = Session::open(&address, APPLICATION, &BTreeMap::new()).await?;
            observe::tables(&session).await?
        };
        let origin = if is_clone { Origin::Clone } else { Origin::Copy(name) };
        let (concerned, after) = self.concerned(request, &catalogue, origin).await?;
        self.step("ask the server which values the tables take");
        let session = Session::open(&address, APPLICATION, &BTreeMap::new()).await?;
        let known = match (&request.like, like) {
            (Some(like), Some(Prepared::Script(script))) => {
                Some(like.restore(&session, &script).await?)
            }
            (_, Some(Prepared::Known(known))) => Some(*known),
            (_, _) => None,
        };
        let own = match is_clone {
            true => observe::sampled_rows(&session, &catalogue).await?,
            false => observe::own_rows(&session, &catalogue).await?,
        };
        let rows = rows(request.rows, &catalogue, (&concerned, known.as_ref()), own)?;
        let options = Options { rows, rng_seed: request.rng_seed };
        let statistics = known.as_ref().map(Known::statistics);
        let tables = (&catalogue, after.as_ref());
        let fitted = fitted::rows(&session, tables, statistics, options).await?;
        let own = match queries {
            Some(queries) => {
                let rng_seed = request.rng_seed;
                Some(queries.operations(&address, &catalogue, &fitted.inferred, rng_seed).await?)
            }
            None => None,
        };
        let known = known.as_ref();
        let schema = whole(psql_inlined(&request.base.path(), &text))?;
        let mut made = made(request, schema, &catalogue, (&concerned, known, fitted))?;
        if is_clone {
            // What was read of them are samples.
            let found = rows_by_table(&self.effects.states(&address).await?);
            made.sizes.extend(found);
        }
        if queries.is_none_or(|queries| queries.adds) {
            self.try_doubtful(&mut made, is_clone).await?;
        }
        if let (Some(own), Some(queries)) = (own, queries) {
            self.put_own(&mut made, own, queries.adds, &catalogue).await?;
        }
        if let Err(problems) = read_back(&made.draft)? {
            let problems = problems.into_iter().take(PROBLEMS_MAX);
            made.left_out.extend(problems.map(|why| format!("the scenario is refused: {why}")));
        }
        Ok(made.scenario())
    }

    /// Puts the application's own statements into the scenario, as far as they run.
    async fn put_own(
        &self,
        made: &mut Made,
        mut own: Own,
        adds: bool,
        catalogue: &Catalogue,
    ) -> Result<(), Error> {
        own.put_into(&mut made.draft, adds);
        infer::keep_whole(catalogue, &mut made.draft.traffic.operations);
        if !adds {
            made.left_out.clear();
        }
        let few = self.databases.name();
        let few = self.effects.make(self.server, &Origin::Empty, &few).await?;
        own.rehearse(&mut made.draft, catalogue, self.server, &few, self.listener).await?;
        made.left_out.extend(own.left_out);
        Ok(())
    }

    /// Tries what row security or a trigger may refuse.
    async fn try_doubtful(&self, made: &mut Made, is_clone: bool) -> Result<(), Error> {
        let operations = &made.draft.traffic.operations;
        if !operations.iter().any(|operation| made.doubts.contains_key(&operation.name)) {
            return Ok(());
        }
        self.step("try the operations on tables with row security or triggers");
        let origin = if is_clone { Origin::Clone } else { Origin::Empty };
        let address = self.effects.make(self.server, &origin, &self.databases.name()).await?;
        match Stage::of(&made.draft, self.server, &address, is_clone).await? {
            Ok(mut stage) => {
                let said = doubtful::let_in(&mut made.draft, &mut stage, &made.doubts).await?;
                made.left_out.extend(said);
            }
            Err(problem) => made.left_out.push(format!(
                "what row security or a trigger may refuse was not tried: {problem}"
            )),
        }
        Ok(())
    }

    /// The database with the tables, and what it is called.
    async fn tables(&self, base: &Base, text: &str) -> Result<(String, Address), Error> {
        let name = self.databases.name();
        if base.clones().is_some() {
            let address = self.effects.make(self.server, &Origin::Clone, &name).await?;
            return Ok((name, address));
        }
        let script = whole(psql_script(&base.path(), text))?;
        let address = self.effects.make(self.server, &Origin::Empty, &name).await?;
        self.step("create the tables");
        seed::run_schema(&address, &script.value, self.listener).await?;
        Ok((name, address))
    }

    /// Tables that the change is about, and all tables as it leaves them; None: it fails, or rows
    /// are there already. It is applied once to a copy of the empty tables, beside what its text
    /// says: what a command does is seen in no other way.
    async fn concerned(
        &self,
        request: &InferRequest<'_>,
        catalogue: &Catalogue,
        origin: Origin,
    ) -> Result<(Concerned, Option<Catalogue>), Error> {
        let Some(change) = request.change else {
            return Ok((Concerned::of(catalogue, Vec::new()), None));
        };
        let to = if origin == Origin::Clone { "a clone" } else { "the empty tables" };
        self.step(&format!("apply the change once to {to}"));
        let name = self.databases.name();
        let address = self.effects.make(self.server, &origin, &name).await?;
        let over_tcp = identities::over_tcp(self.server, &address);
        let addresses = (&address, &over_tcp);
        let rehearsal = Rehearsal::of(self.effects, addresses, change, self.listener).await?;
        let after = match rehearsal.failure().is_some() || origin == Origin::Clone {
            true => None,
            false => {
                let session = Session::open(&address, APPLICATION, &BTreeMap::new()).await?;
                Some(observe::tables(&session).await?)
            }
        };
        self.databases.drop(self.effects, &self.server.address(), &name).await?;
        if let Some(why) = rehearsal.failure() {
            let sentence = format!("the change fails on {to}: {why}");
            (self.listener)(Progress::Note(sentence));
        }
        let tables = catalogue.tables.iter().map(infer::Table::seeded_name).collect::<Vec<_>>();
        let seen = judge::concerned(&rehearsal.history, &tables);
        let is_seen = |table: &&infer::Table| seen.contains(&table.seeded_name());
        let seen = catalogue.tables.iter().filter(is_seen).map(|table| table.oid);
        let texts = change.migrations.iter().flat_map(|m| &m.script.statements);
        let named = texts.flat_map(|statement| concerned::named(catalogue, &statement.text));
        let sent = rehearsal.history.entries.iter().filter_map(|entry| match &entry.event {
            Event::StatementBegan(began) => Some(began.text.as_str()),
            _ => None,
        });
        let found = Concerned::of(catalogue, seen.chain(named).collect());
        let found = found.with_locks(catalogue, sent);
        Ok((found, after))
    }
}

/// Rows of the tables that are seeded. What the base has made stays, unless other rows are asked
/// for by the table's name, or needed at size.
fn rows(
    asked: RowsRequest<'_>,
    catalogue: &Catalogue,
    (concerned, known): (&Concerned, Option<&Known>),
    own: BTreeMap<String, OwnRows>,
) -> Result<Rows, Error> {
    let tables = catalogue.seeded().count() as u64;
    let each = asked.concerned.map_or(asked.each, |_| others(asked.each, tables));
    let mut of = match (known, asked.concerned) {
        (Some(known), most) => {
            let default = most.unwrap_or(each);
            known.rows(catalogue, &Rows { default, ..Rows::default() }).of
        }
        (None, Some(most)) => concerned.rows(catalogue, most, each),
        (None, None) => BTreeMap::new(),
    };
    of.retain(|name, _| !own.contains_key(name) || concerned.is_locked(catalogue, name));
    of.extend(named(asked.of, catalogue)?);
    Ok(Rows { default: each, of, own })
}

/// Rows of a table that the change is not about: fewer, the more of them there are.
fn others(each: u64, tables: u64) -> u64 {
    each.min((OTHERS_MAX / tables.max(1)).max(OTHERS_EACH_MIN))
}

/// What is asked for by name, with or without the schema's, by qualified name.
fn named(asked: &[(String, u64)], catalogue: &Catalogue) -> Result<BTreeMap<String, u64>, Error> {
    let mut found = BTreeMap::new();
    for (name, count) in asked {
        let is_named = |table: &&infer::Table| *name == table.name || *name == table.seeded_name();
        let named: Vec<String> =
            catalogue.seeded().filter(is_named).map(infer::Table::seeded_name).collect();
        match named.as_slice() {
            [one] => found.insert(one.clone(), *count),
            [] => {
                let known = catalogue.seeded().map(infer::Table::seeded_name).collect();
                return Err(Error::NoSuchTable { table: name.clone(), known });
            }
            _ => {
                let (table, tables) = (name.clone(), named.join(", "));
                return Err(Error::AmbiguousTable { table, tables });
            }
        };
    }
    Ok(found)
}

/// A scenario whose operations may still change.
struct Made {
    draft: Draft,
    statistics: Option<String>,
    sizes: BTreeMap<String, u64>,
    concerned: Vec<String>,
    remarks: Vec<Remark>,
    /// Operations that have to be tried.
    doubts: BTreeMap<String, Doubt>,
    left_out: Vec<String>,
}

/// Conditions of those kinds about the tables that the change is about; where it is about none,
/// about all.
fn conditions(
    kinds: &[String],
    concerned: &[String],
    sizes: &BTreeMap<String, u64>,
) -> Result<Vec<Condition>, Error> {
    let all: Vec<String> = sizes.keys().cloned().collect();
    let tables = if concerned.is_empty() { &all } else { concerned };
    Ok(Condition::named(kinds, "the change", &[], tables)?)
}

impl Made {
    fn scenario(self) -> InferredScenario {
        let Made { draft, statistics, sizes, concerned, remarks, left_out, .. } = self;
        InferredScenario {
            files: draft.to_files(),
            statistics,
            tables: sizes,
            concerned,
            remarks,
            operations: draft.traffic.operations.len(),
            left_out,
        }
    }
}

/// What a script of the base's gives.
fn whole<T>(read: Result<T, Vec<Problem>>) -> Result<T, Error> {
    read.map_err(|problems| {
        Error::Schema(problems.first().map(ToString::to_string).unwrap_or_default())
    })
}

fn made(
    request: &InferRequest<'_>,
    schema: String,
    catalogue: &Catalogue,
    (concerned, known, fitted): (&Concerned, Option<&Known>, Fitted),
) -> Result<Made, Error> {
    let used = concerned.used(catalogue);
    let counted = || known.map_or(Mix::default(), |known| Mix::of(known.statistics()));
    let mix = request.mix.unwrap_or_else(counted);
    let Fitted { catalogue: fitting, inferred } = fitted;
    let application = infer::application(&fitting, &inferred, &used, mix);
    let Inferred { tables, remarks, .. } = inferred;
    let mut sizes: BTreeMap<String, u64> = catalogue
        .tables
        .iter()
        .filter(|table| table.bound.is_none())
        .map(|table| (table.seeded_name(), 0))
        .collect();
    sizes.extend(tables.iter().map(|table| (table.name.clone(), table.rows)));
    let conditions = conditions(request.conditions, &concerned.names(catalogue), &sizes)?;
    let statistics = known.map(|known| known.line(catalogue));
    let mut comments = known.map_or_else(BTreeMap::new, |known| {
        known.comments(catalogue, request.mix.is_none().then_some(mix))
    });
    for remark in &remarks {
        let about = format!("{}: {}", remark.about, remark.text);
        comments.entry(remark.table.clone()).or_default().push(about);
    }
    let draft = Draft {
        analysis: format!("Rows and traffic for {}, made from its catalogue.", request.base.name()),
        rng_seed: request.rng_seed,
        schema,
        indexes: None,
        whole: true,
        tables,
        traffic: Traffic {
            rate: request.rate,
            arrivals: Arrivals::Poisson,
            operations: application.operations,
            baseline_ms: 5_000,
            recovery_min_ms: 2_000,
            recovery_max_ms: 60_000,
        },
        demands: request.demands.clone(),
        invariants: application.invariants,
        change: Some(request.written.clone().unwrap_or_else(|| {
            DraftChange::of(Applied::Sql {
                version: "1".to_owned(),
                text: NO_CHANGE.to_owned(),
                transaction: TransactionRule::None,
            })
        })),
        conditions,
        remarks: comments,
    };
    let (left_out, concerned) = (application.left_out, concerned.names(catalogue));
    let doubts = application.doubts;
    Ok(Made { draft, statistics, sizes, concerned, remarks, doubts, left_out })
}

#[cfg(test)]
mod tests {
    use super::others;

    #[test]
    fn thousands_of_tables_that_the_change_is_not_about_share_their_rows() {
        assert_eq!(
            [5, 200, 1_000, 10_000, 90_000].map(|n| others(1_000, n)),
            [1_000, 1_000, 200, 20, 10]
        );
    }
}
