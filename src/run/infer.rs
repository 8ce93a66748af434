//! Makes a scenario from a schema: a server of ours is asked what its tables take.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tokio_util::sync::CancellationToken;

use crate::connect::{Address, Session};
use crate::history::{Listener, Progress};
use crate::infer::{self, Catalogue, Inferred, Mix, Oid, Options, Remark, Rows};
use crate::pg::facts::{self, Relation, RelationName};
use crate::scenario::{Arrivals, Draft, Pool, Script, Traffic, psql_script};
use crate::{observe, provision, seed};

use super::databases::Databases;
use super::effects::{Effects, Origin};
use super::like::{Known, Like, Prepared};
use super::queries::{Own, OwnQueries, Queries};
use super::{Error, Postgres};

/// `application_name` of the session that asks.
const APPLICATION: &str = "pgauntlet infer";
/// What is written where no change is given.
const NO_CHANGE: &str = "-- The change goes here. Until it does, the scenario shows that the \
                         application runs well without one.\nSELECT 1;\n";
/// Tables that the application uses at most: those with most neighbours.
const CONCERNED_MAX: usize = 12;

/// What a scenario is made from.
#[derive(Debug)]
pub struct InferRequest<'a> {
    /// Where the schema's text is from, for errors.
    pub path: &'a Path,
    /// The schema, as psql would run it.
    pub schema: &'a str,
    /// The change, as psql would run it; None: the scenario is written with one that does nothing.
    pub change: Option<&'a str>,
    /// Rows of each table; with `like`, of the largest one that is not named.
    pub rows: Rows,
    /// Decides every draw.
    pub rng_seed: u64,
    /// Operations per second.
    pub rate_per_s: f64,
    /// Which operations there are most of; None: as the statistics say, else mixed.
    pub mix: Option<Mix>,
    /// Whose rows they are like.
    pub like: Option<Like<'a>>,
    /// The application's own statements; None: its operations are inferred.
    pub own: Option<OwnQueries<'a>>,
    /// The server that is asked.
    pub server: &'a provision::Request,
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
    let script = script(request)?;
    // Before anything is started: it may be what fails.
    let (queries, like) = tokio::select! {
        read = read(request) => read?,
        () = cancel.cancelled() => return Err(Error::Interrupted),
    };
    let effects = Postgres;
    let server = tokio::select! {
        server = effects.provision(request.server, listener) => server?,
        () = cancel.cancelled() => return Err(Error::Interrupted),
    };
    let made = async {
        if let Some(like) = &like {
            like.fits(server.facts().version_num / 10_000)?;
        }
        let databases = Databases::of(effects.claim(&*server, listener).await?);
        let made = async {
            let address = effects.make(&*server, &Origin::Empty, &databases.name()).await?;
            let given = Given { script: &script, queries: queries.as_ref(), like };
            let mut made = on_server(request, given, &address, listener).await?;
            if let Some(own) = &mut made.own {
                let few = effects.make(&*server, &Origin::Empty, &databases.name()).await?;
                let (draft, catalogue) = (&mut made.draft, &made.catalogue);
                own.rehearse(draft, catalogue, &*server, &few, listener).await?;
            }
            Ok(made.scenario())
        };
        let made = made.await;
        databases.drop_all(&effects, &server.address()).await;
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

fn script(request: &InferRequest<'_>) -> Result<Script, Error> {
    let read = psql_script(request.path, request.schema).map_err(|problems| {
        Error::Schema(problems.first().map(ToString::to_string).unwrap_or_default())
    });
    let mut script = read?.value;
    // Values are asked of empty tables.
    script.statements.retain(|statement| statement.rows.is_none());
    Ok(script)
}

/// What was read before there was a server.
struct Given<'a> {
    script: &'a Script,
    queries: Option<&'a Queries>,
    like: Option<Prepared>,
}

async fn on_server(
    request: &InferRequest<'_>,
    given: Given<'_>,
    address: &Address,
    listener: &Listener,
) -> Result<Made, Error> {
    let Given { script, queries, like } = given;
    let step = |sentence: &str| listener(Progress::SeedStep(sentence.to_owned()));
    let session = Session::open(address, APPLICATION, &BTreeMap::new()).await?;
    step("create the tables");
    seed::run_schema(address, script, listener).await?;
    let catalogue = observe::tables(&session).await?;
    step("ask the server which values the tables take");
    let known = match (&request.like, like) {
        (Some(like), Some(Prepared::Script(script))) => {
            Some(like.restore(&session, &script).await?)
        }
        (_, Some(Prepared::Known(known))) => Some(*known),
        (_, _) => None,
    };
    let asked = || request.rows.clone();
    let rows = known.as_ref().map_or_else(asked, |known| known.rows(&catalogue, &request.rows));
    let options = Options { rows, rng_seed: request.rng_seed };
    let statistics = known.as_ref().map(Known::statistics);
    let inferred = seed::infer_rows(&session, &catalogue, statistics, options).await?;
    let own = match queries {
        Some(queries) => {
            let rng_seed = request.rng_seed;
            Some(queries.operations(address, &catalogue, &inferred, rng_seed).await?)
        }
        None => None,
    };
    let mut made = made(request, catalogue, inferred, known.as_ref());
    if let (Some(mut own), Some(queries)) = (own, queries) {
        own.put_into(&mut made.draft, queries.adds);
        if !queries.adds {
            made.left_out.clear();
        }
        made.own = Some(own);
    }
    Ok(made)
}

/// A scenario whose operations may still change.
struct Made {
    draft: Draft,
    catalogue: Catalogue,
    statistics: Option<String>,
    sizes: BTreeMap<String, u64>,
    remarks: Vec<Remark>,
    left_out: Vec<String>,
    own: Option<Own>,
}

impl Made {
    fn scenario(self) -> InferredScenario {
        let Made { draft, statistics, sizes, remarks, mut left_out, own, .. } = self;
        left_out.extend(own.into_iter().flat_map(|own| own.left_out));
        InferredScenario {
            files: draft.to_files(),
            statistics,
            tables: sizes,
            remarks,
            operations: draft.traffic.operations.len(),
            left_out,
        }
    }
}

fn made(
    request: &InferRequest<'_>,
    catalogue: Catalogue,
    inferred: Inferred,
    known: Option<&Known>,
) -> Made {
    let concerned = concerned(&catalogue, request.change);
    let counted = || known.map_or(Mix::default(), |known| Mix::of(known.statistics()));
    let mix = request.mix.unwrap_or_else(counted);
    let application = infer::application(&catalogue, &inferred, &concerned, mix);
    let Inferred { tables, remarks, .. } = inferred;
    let mut sizes: BTreeMap<String, u64> = catalogue
        .tables
        .iter()
        .filter(|table| table.bound.is_none())
        .map(|table| (table.seeded_name(), 0))
        .collect();
    sizes.extend(tables.iter().map(|table| (table.name.clone(), table.rows)));
    let statistics = known.map(|known| known.line(&catalogue));
    let mut comments = known.map_or_else(BTreeMap::new, |known| {
        known.comments(&catalogue, request.mix.is_none().then_some(mix))
    });
    for remark in &remarks {
        let about = format!("{}: {}", remark.about, remark.text);
        comments.entry(remark.table.clone()).or_default().push(about);
    }
    let draft = Draft {
        analysis: format!(
            "Rows and traffic for {}, made from its catalogue.",
            request.path.display()
        ),
        rng_seed: request.rng_seed,
        schema: request.schema.to_owned(),
        indexes: None,
        whole: true,
        tables,
        traffic: Traffic {
            rate_per_s: request.rate_per_s,
            arrivals: Arrivals::Poisson,
            operations: application.operations,
            baseline_ms: 5_000,
            recovery_min_ms: 2_000,
            recovery_max_ms: 60_000,
        },
        pool: Pool::default(),
        invariants: Vec::new(),
        migration: Some(request.change.unwrap_or(NO_CHANGE).to_owned()),
        remarks: comments,
    };
    let left_out = application.left_out;
    Made { draft, catalogue, statistics, sizes, remarks, left_out, own: None }
}

/// The tables that the application uses: those that the change names and what refers to them or is
/// referred to by them, else those with most foreign keys to and from them.
fn concerned(catalogue: &Catalogue, change: Option<&str>) -> Vec<Oid> {
    let named = change.map(|change| named(catalogue, change)).unwrap_or_default();
    let refers = |table: &infer::Table| -> Vec<Oid> {
        table.constraints.iter().filter_map(|c| c.refers.as_ref()).map(|r| r.table).collect()
    };
    let pairs: Vec<(Oid, Oid)> = catalogue
        .tables
        .iter()
        .flat_map(|table| refers(table).into_iter().map(|to| (table.oid, to)))
        .collect();
    let neighbours = |oid: Oid| pairs.iter().filter(|(a, b)| *a == oid || *b == oid).count();
    let is_neighbour = |oid: Oid| {
        pairs
            .iter()
            .any(|(a, b)| (*a == oid && named.contains(b)) || (*b == oid && named.contains(a)))
    };
    let mut tables: Vec<&infer::Table> = catalogue.tables.iter().collect();
    tables.retain(|table| {
        let wanted = named.is_empty() || named.contains(&table.oid) || is_neighbour(table.oid);
        table.bound.is_none() && !table.foreign && wanted
    });
    tables.sort_by_key(|table| {
        let oid = table.oid;
        (!named.contains(&oid), std::cmp::Reverse(neighbours(oid)), table.seeded_name())
    });
    tables.into_iter().take(CONCERNED_MAX).map(|table| table.oid).collect()
}

/// Tables whose names the change's text holds; of a partition, what it is a partition of.
fn named(catalogue: &Catalogue, change: &str) -> Vec<Oid> {
    let mut relations: BTreeSet<Relation> = BTreeSet::new();
    for statement in facts::facts(change).statements {
        relations.extend(statement.defines.map(Relation::Named));
        relations.extend(statement.writes.into_iter().map(Relation::Named));
        let locks = statement.locks.unwrap_or_default();
        relations.extend(locks.into_iter().map(|lock| lock.relation));
    }
    let in_schema = |name: &RelationName, table: &infer::Table| match &name.schema {
        Some(schema) => *schema == table.schema,
        None => true,
    };
    let is_named = |table: &&infer::Table| {
        relations.iter().any(|relation| match relation {
            Relation::Named(name) => name.name == table.name && in_schema(name, table),
            Relation::OfIndex(index) => table.indexes.iter().any(|known| known.name == index.name),
            Relation::InSchema(schema) => *schema == table.schema,
            Relation::OfType(of) => table.columns.iter().any(|column| {
                catalogue.type_of(column.type_oid).is_some_and(|known| known.name == of.name)
            }),
            Relation::Any => false,
        })
    };
    let whole = |table: &infer::Table| {
        let mut whole = table;
        while let Some(above) = whole.bound.as_ref().and(whole.parents.first()) {
            let Some(above) = catalogue.table(*above) else { break };
            whole = above;
        }
        whole.oid
    };
    catalogue.tables.iter().filter(is_named).map(whole).collect()
}
