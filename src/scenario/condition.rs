//! Conditions: what production has beside a change, as named sets of background sessions.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::background::{Disturbance, Sessions, Until};
use super::between::{Network, PoolMode, Pooler};
use super::problem::known_names;
use crate::pg::{quote_literal, quote_qualified};

/// For how long a change is made to wait where no file says it.
pub const HOLD_MS_DEFAULT: u64 = 4_000;
/// Short writers, of the length that a lock_timeout of a second loses against.
const SHORT_WRITERS: u32 = 8;
const SHORT_WRITE_MS: u64 = 1_500;
/// Between the two locks of a transaction that takes them one after the other, in seconds.
const BETWEEN_LOCKS_S: &str = "0.02";
/// Sessions that take locks in each order.
const LOCKERS: u32 = 4;
/// Pages that autovacuum has to go through, at 100 ms and more each.
const PAGES_THAWED: u32 = 2_000;
/// Sessions of VACUUM, and as many of ANALYZE.
const VACUUMS_MAX: usize = 8;
/// Transaction ids that are burnt: the least autovacuum_freeze_max_age there is.
const FREEZE_MAX_AGE: u32 = 100_000;

/// What else goes on while the change runs; the scenario is judged under each of its conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Its name, in kebab-case.
    pub name: String,
    /// The kind, with what it is about; None: its own background sessions are all.
    pub known: Option<KnownCondition>,
    /// Settings that the server has under it.
    pub settings: BTreeMap<String, String>,
    /// Background sessions of its own, beside those of the kind and of the scenario.
    pub disturbances: Vec<Disturbance>,
    /// A pooler between clients and server.
    pub pooler: Option<Pooler>,
    /// A network between the application and what it connects to.
    pub network: Option<Network>,
}

/// There is no condition of the name, neither declared nor known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Nothing has that name.
    #[error("try {scenario} under {name}: no condition has that name; {remedy}")]
    Unknown {
        /// The scenario.
        scenario: String,
        /// What was asked for.
        name: String,
        /// The nearest, and all that there are.
        remedy: String,
    },
    /// It has to be about more tables than there are.
    #[error(
        "try {scenario} under {kind}: it is about {} table(s) or more, and there is {}",
        .kind.tables_min(),
        if .tables.is_empty() { "none".to_owned() } else { .tables.join(", ") }
    )]
    Tables {
        /// The scenario, or the change.
        scenario: String,
        /// The kind.
        kind: ConditionKind,
        /// Tables that it could be about.
        tables: Vec<String>,
    },
}

/// A condition of a known kind.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownCondition {
    /// Which.
    pub kind: ConditionKind,
    /// Tables that it is about, by name.
    pub tables: Vec<String>,
    /// For how long the change waits for it at most, in milliseconds.
    pub hold_ms: u64,
}

impl Condition {
    /// One of a known kind, by the kind's name.
    pub fn of(kind: ConditionKind, tables: &[String]) -> Condition {
        let tables = tables.to_vec();
        let known = KnownCondition { kind, tables, hold_ms: HOLD_MS_DEFAULT };
        Condition {
            name: kind.to_string(),
            known: Some(known),
            settings: BTreeMap::new(),
            disturbances: Vec::new(),
            pooler: None,
            network: None,
        }
    }

    /// Those of that name among the declared ones, else of the known kinds, about these tables;
    /// each once.
    ///
    /// # Errors
    /// A name is of neither, or its kind has to be about more tables.
    pub fn named(
        names: &[String],
        scenario: &str,
        declared: &[Condition],
        tables: &[String],
    ) -> Result<Vec<Condition>, ConditionError> {
        let one = |name: &String| {
            if let Some(known) = declared.iter().find(|known| known.name == *name) {
                return Ok(known.clone());
            }
            let Some(kind) = ConditionKind::named(name) else {
                let own = declared.iter().map(|condition| condition.name.as_str());
                let known: BTreeSet<&str> = kinds().chain(own).collect();
                return Err(unknown(name, scenario, known));
            };
            if kind.tables_min() > tables.len() {
                let (scenario, tables) = (scenario.to_owned(), tables.to_vec());
                return Err(ConditionError::Tables { scenario, kind, tables });
            }
            Ok(Condition::of(kind, tables))
        };
        let mut found: Vec<Condition> = Vec::new();
        for name in names {
            let condition = one(name)?;
            if !found.contains(&condition) {
                found.push(condition);
            }
        }
        Ok(found)
    }

    /// Whether each of the names is that of a kind.
    ///
    /// # Errors
    /// One is not.
    pub fn are_kinds(names: &[String], scenario: &str) -> Result<(), ConditionError> {
        match names.iter().find(|name| ConditionKind::named(name).is_none()) {
            None => Ok(()),
            Some(name) => Err(unknown(name, scenario, kinds())),
        }
    }

    /// Its background sessions.
    pub fn sessions(&self) -> Vec<Disturbance> {
        let known = self.known.iter().flat_map(KnownCondition::sessions);
        known.chain(self.disturbances.iter().cloned()).collect()
    }

    /// Settings of the server, the kind's and its own, which win.
    pub fn server_settings(&self) -> BTreeMap<String, String> {
        let known = self.known.iter().flat_map(|known| known.kind.settings());
        let mut settings: BTreeMap<String, String> =
            known.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        settings.extend(self.settings.clone());
        settings
    }

    /// What is run in the trial's database before anything else.
    pub fn preparation(&self) -> Vec<String> {
        self.known.iter().flat_map(KnownCondition::preparation).collect()
    }
}

impl Condition {
    /// The network under it: its own, or its kind's.
    pub fn network_between(&self) -> Option<Network> {
        let of_kind = || self.known.as_ref().and_then(|known| known.kind.network());
        self.network.or_else(of_kind)
    }

    /// The pooler under it: its own, or its kind's.
    pub fn pooler_between(&self) -> Option<Pooler> {
        let of_kind = || self.known.as_ref().and_then(|known| known.kind.pooler());
        self.pooler.clone().or_else(of_kind)
    }
}

fn unknown<'a>(
    name: &str,
    scenario: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> ConditionError {
    let remedy = known_names(name, "conditions", known);
    let (scenario, name) = (scenario.to_owned(), name.to_owned());
    ConditionError::Unknown { scenario, name, remedy }
}

/// What the kinds are called.
fn kinds<'a>() -> impl Iterator<Item = &'a str> {
    ConditionKind::ALL.iter().map(|kind| kind.as_str())
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal, $tables:literal;)+) => {
        /// A condition that a scenario names, without sessions of its own.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum ConditionKind {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ConditionKind {
            /// In the order in which they are listed.
            pub const ALL: &[ConditionKind] = &[$(ConditionKind::$variant,)+];

            /// As a scenario file and a command line have it.
            pub fn as_str(self) -> &'static str {
                match self { $(ConditionKind::$variant => $name,)+ }
            }

            /// What goes on under it, as one line.
            pub fn summary(self) -> String {
                let text = match self { $(ConditionKind::$variant => concat!($($doc),+),)+ };
                text.trim().to_owned()
            }

            /// The fewest tables that it has to be about.
            pub fn tables_min(self) -> usize {
                match self { $(ConditionKind::$variant => $tables,)+ }
            }
        }
    };
}

kinds! {
    /// Nothing but the application.
    Calm "calm", 0;
    /// A snapshot and a lock on every table, as pg_dump holds them.
    Backup "backup", 0;
    /// A transaction that has read the tables and goes on.
    LongReader "long-reader", 1;
    /// A transaction whose snapshot is old, on other tables.
    OldSnapshot "old-snapshot", 0;
    /// A transaction that has written to the tables and sits idle.
    IdleInTransaction "idle-in-transaction", 1;
    /// A transaction that has written to the tables and still works.
    LongWriter "long-writer", 1;
    /// Eight writers to the tables, each transaction 1.5 s long.
    ShortWriters "short-writers", 1;
    /// Transactions that write to the same row of a table to which others refer, all the time.
    HotParent "hot-parent", 1;
    /// Short transactions that write to two tables, in both orders.
    LockOrder "lock-order", 2;
    /// VACUUM and ANALYZE of the tables.
    Vacuum "vacuum", 1;
    /// An autovacuum to prevent wraparound, which does not give way.
    AntiWraparoundVacuum "anti-wraparound-vacuum", 1;
    /// Another service that holds every connection that the server admits.
    FullServer "full-server", 0;
    /// A checkpoint after the other.
    CheckpointStorm "checkpoint-storm", 0;
    /// Each round trip between application and server takes 20 ms longer.
    SlowNetwork "slow-network", 0;
    /// The application's connections are cut every second while the change is applied.
    CutNetwork "cut-network", 0;
    /// PgBouncer in session mode before application and change.
    PgbouncerSession "pgbouncer-session", 0;
    /// PgBouncer in transaction mode before application and change.
    PgbouncerTransaction "pgbouncer-transaction", 0;
}

impl fmt::Display for ConditionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl ConditionKind {
    /// The kind of that name.
    pub fn named(name: &str) -> Option<ConditionKind> {
        ConditionKind::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// What is between clients and server under it.
    pub(super) fn pooler(self) -> Option<Pooler> {
        match self {
            ConditionKind::PgbouncerSession => Some(Pooler::of(PoolMode::Session)),
            ConditionKind::PgbouncerTransaction => Some(Pooler::of(PoolMode::Transaction)),
            _ => None,
        }
    }

    /// The network under it.
    pub(super) fn network(self) -> Option<Network> {
        match self {
            ConditionKind::SlowNetwork => Some(Network::slow()),
            ConditionKind::CutNetwork => Some(Network::cut()),
            _ => None,
        }
    }

    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            ConditionKind::AntiWraparoundVacuum => {
                &[("autovacuum", "on"), ("autovacuum_naptime", "1s")]
            }
            // Our own sessions still get in.
            ConditionKind::FullServer => &[("superuser_reserved_connections", "20")],
            _ => &[],
        }
    }
}

impl KnownCondition {
    fn quoted(&self) -> impl DoubleEndedIterator<Item = String> {
        self.tables.iter().map(|table| quote_qualified(table))
    }

    fn list(&self) -> String {
        self.quoted().collect::<Vec<_>>().join(", ")
    }

    /// One session of the kind's name, which goes on until the change is over.
    fn one(&self, statements: Vec<String>) -> Disturbance {
        let of_time = Disturbance::transaction(self.kind.as_str(), statements, self.hold_ms);
        Disturbance { until: Until::Change, ..of_time }
    }

    fn reader(&self, statements: Vec<String>) -> Vec<Disturbance> {
        vec![Disturbance { isolation: Some(READERS_ISOLATION.to_owned()), ..self.one(statements) }]
    }

    fn sessions(&self) -> Vec<Disturbance> {
        match self.kind {
            ConditionKind::Calm
            | ConditionKind::SlowNetwork
            | ConditionKind::CutNetwork
            | ConditionKind::PgbouncerSession
            | ConditionKind::PgbouncerTransaction => Vec::new(),
            ConditionKind::Backup => self.reader(backup()),
            ConditionKind::OldSnapshot => self.reader(vec![SNAPSHOT.to_owned()]),
            ConditionKind::LongReader => {
                let read = |table| format!("SELECT count(*) FROM (SELECT FROM {table} LIMIT 1) r");
                self.reader(self.quoted().map(read).collect())
            }
            ConditionKind::IdleInTransaction => vec![self.one(self.writes())],
            ConditionKind::LongWriter => vec![self.long_writer()],
            ConditionKind::ShortWriters => vec![Disturbance {
                every_ms: Some(SHORT_WRITE_MS),
                hold_ms: SHORT_WRITE_MS,
                sessions: Sessions::Count(SHORT_WRITERS),
                ..self.one(vec![self.row_exclusive()])
            }],
            ConditionKind::HotParent => vec![Disturbance {
                every_ms: Some(0),
                hold_ms: 20,
                sessions: Sessions::Count(LOCKERS),
                ..self.one(self.writes())
            }],
            ConditionKind::LockOrder => self.lock_order(),
            ConditionKind::Vacuum => self.vacuum(),
            ConditionKind::AntiWraparoundVacuum => vec![self.wraparound()],
            ConditionKind::FullServer => {
                vec![Disturbance { sessions: Sessions::All, ..self.one(Vec::new()) }]
            }
            ConditionKind::CheckpointStorm => vec![Disturbance {
                transaction: false,
                every_ms: Some(100),
                hold_ms: 0,
                ..self.one(vec!["CHECKPOINT".to_owned()])
            }],
        }
    }

    /// The lock of a writer, without a row.
    fn row_exclusive(&self) -> String {
        format!("LOCK TABLE {} IN ROW EXCLUSIVE MODE", self.list())
    }

    /// What an UPDATE holds, a row of each table included; no trigger fires, and no row changes.
    fn writes(&self) -> Vec<String> {
        let row = |table| format!("SELECT FROM {table} LIMIT 1 FOR NO KEY UPDATE");
        std::iter::once(self.row_exclusive()).chain(self.quoted().map(row)).collect()
    }

    /// A transaction that works is one that idle_in_transaction_session_timeout does not end.
    fn long_writer(&self) -> Disturbance {
        let mut statements = self.writes();
        statements.push(format!("SELECT pg_catalog.pg_sleep({})", 3_600));
        Disturbance { in_place: Some(asleep(self.kind)), ..self.one(statements) }
    }

    fn lock_order(&self) -> Vec<Disturbance> {
        let ordered = |name: &str, tables: Vec<String>| {
            let lock = |table: &String| format!("LOCK TABLE {table} IN ROW EXCLUSIVE MODE");
            let pause = format!("SELECT pg_catalog.pg_sleep({BETWEEN_LOCKS_S})");
            let statements: Vec<String> =
                tables.iter().flat_map(|table| [lock(table), pause.clone()]).collect();
            let (every_ms, sessions) = (Some(5), Sessions::Count(LOCKERS));
            Disturbance {
                name: name.to_owned(),
                every_ms,
                hold_ms: 0,
                sessions,
                ..self.one(statements)
            }
        };
        vec![
            ordered("as-they-are-named", self.quoted().collect()),
            ordered("the-other-way-round", self.quoted().rev().collect()),
        ]
    }

    /// Slow, as on a table that is large, and again as long as the change runs. Of each table one
    /// of the two always has the lock, for the other one waits for it; only where there are many
    /// tables do some share their sessions.
    fn vacuum(&self) -> Vec<Disturbance> {
        let tables: Vec<String> = self.quoted().collect();
        let pairs = tables.len().min(VACUUMS_MAX);
        let each = |nth: usize, name: &str, command: &str, is_there: &str| {
            let name = if nth == 0 { name.to_owned() } else { format!("{name}-{}", nth + 1) };
            let slow = ["SET vacuum_cost_delay = 100", "SET vacuum_cost_limit = 1"];
            let its = tables.iter().skip(nth).step_by(pairs);
            let work = its.map(|table| format!("{command} {table}"));
            let statements = slow.into_iter().map(str::to_owned).chain(work).collect();
            let in_place = Some(maintains(&name, is_there));
            let of_kind = self.one(statements);
            Disturbance { name, transaction: false, every_ms: Some(0), in_place, ..of_kind }
        };
        let both = |nth| {
            let vacuum = each(nth, "vacuum", "VACUUM (DISABLE_PAGE_SKIPPING)", "l.granted");
            [vacuum, each(nth, "analyze", "ANALYZE", "true")]
        };
        (0..pairs).flat_map(both).collect()
    }

    /// What makes autovacuum come, and go slowly once it is there: it reads every page that is not
    /// frozen, as a seed's are, and the lock of a row takes that from a page without changing it.
    fn preparation(&self) -> Vec<String> {
        let of = |table: String| {
            [
                format!(
                    "ALTER TABLE {table} SET (autovacuum_freeze_max_age = {FREEZE_MAX_AGE}, \
                     autovacuum_freeze_table_age = 0, autovacuum_freeze_min_age = 0, \
                     autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)"
                ),
                format!(
                    "SELECT FROM {table} WHERE ctid < '({PAGES_THAWED},0)' \
                     AND (ctid::text::point)[1] = 1 FOR UPDATE"
                ),
            ]
        };
        match self.kind {
            ConditionKind::AntiWraparoundVacuum => self.quoted().flat_map(of).collect(),
            _ => Vec::new(),
        }
    }

    fn wraparound(&self) -> Disturbance {
        let burn = format!(
            "DO $$ BEGIN FOR i IN 1 .. {FREEZE_MAX_AGE} + 1000 LOOP \
             PERFORM pg_catalog.txid_current(); COMMIT; END LOOP; END $$"
        );
        let relations: Vec<String> = self
            .quoted()
            .map(|table| format!("{}::pg_catalog.regclass", quote_literal(&table)))
            .collect();
        let in_place = format!(
            "SELECT a.pid FROM pg_catalog.pg_stat_activity a \
             JOIN pg_catalog.pg_locks l USING (pid) \
             WHERE a.backend_type = 'autovacuum worker' AND a.datname = current_database() \
             AND a.query LIKE '%(to prevent wraparound)' AND l.granted \
             AND l.relation IN ({})",
            relations.join(", ")
        );
        let statements = vec!["SET synchronous_commit = off".to_owned(), burn];
        Disturbance { transaction: false, in_place: Some(in_place), ..self.one(statements) }
    }
}

/// As pg_dump begins.
const READERS_ISOLATION: &str = "REPEATABLE READ, READ ONLY";

/// A first SELECT takes the snapshot, which a LOCK TABLE does not.
const SNAPSHOT: &str = "SELECT count(*) FROM pg_catalog.pg_class";

fn backup() -> Vec<String> {
    let lock = "DO $$ DECLARE tables text; BEGIN \
                SELECT pg_catalog.string_agg(pg_catalog.format('%I.%I', nspname, relname), ', ') \
                INTO tables FROM pg_catalog.pg_class c \
                JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' \
                AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'; \
                IF tables IS NOT NULL THEN \
                EXECUTE 'LOCK TABLE ' || tables || ' IN ACCESS SHARE MODE'; END IF; END $$";
    vec![SNAPSHOT.to_owned(), lock.to_owned()]
}

/// Whether the session of that disturbance is in its last statement.
fn asleep(kind: ConditionKind) -> String {
    format!(
        "SELECT pid FROM pg_catalog.pg_stat_activity WHERE datname = current_database() \
         AND application_name = {} AND state = 'active' AND wait_event = 'PgSleep'",
        quote_literal(&super::background::application_name(kind.as_str()))
    )
}

/// Whether the session of that disturbance has the lock of a table's maintenance, or waits for it,
/// as `is_there` says of the lock `l`.
fn maintains(name: &str, is_there: &str) -> String {
    format!(
        "SELECT a.pid FROM pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_locks l USING (pid) \
         WHERE a.datname = current_database() AND a.application_name = {} \
         AND l.mode = 'ShareUpdateExclusiveLock' AND {is_there}",
        quote_literal(&super::background::application_name(name))
    )
}
