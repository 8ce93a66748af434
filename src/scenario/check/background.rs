//! Checks what goes on beside the application and the change: background sessions, conditions.

use std::ops::RangeInclusive;

use toml::Spanned;

use crate::pg::facts::facts;
use crate::pg::syntax::Kind;

use super::super::background::{Beside, Disturbance, Sessions, Until};
use super::super::between::{Network, Pooler};
use super::super::condition::{Condition, ConditionKind, HOLD_MS_DEFAULT, KnownCondition};
use super::super::problem::{Source, known_names};
use super::super::sql::Sql;
use super::super::wire;
use super::Checker;
use super::sql::IN_ONE_TRANSACTION;
use super::traffic::PHASE_MS_MAX;

/// Of a reader, whose file names none: it holds a snapshot, for which a build of an index waits.
const READERS_ISOLATION: &str = "REPEATABLE READ";
const ISOLATION_LEVELS: [&str; 4] =
    ["READ COMMITTED", "REPEATABLE READ", "REPEATABLE READ, READ ONLY", "SERIALIZABLE"];

/// Why a statement that `transaction = false` lets go alone may not open one.
const EACH_ALONE: &str = "each of these statements is a transaction of its own";
/// Sessions of one disturbance.
const SESSIONS: RangeInclusive<u32> = 1..=1_000;
/// A network in which nobody would wait longer.
const ROUND_TRIP_MS_MAX: u64 = 10_000;
/// The application has to reconnect in between.
const CUT_EVERY_MS: RangeInclusive<u64> = 50..=PHASE_MS_MAX;
/// Server connections of a pooler, for each role.
const POOL_SIZES: RangeInclusive<u32> = 1..=1_000;

impl Checker<'_> {
    pub(super) fn disturbances(&mut self) -> Vec<Disturbance> {
        let section = self.files.section(|file| file.disturbance.as_ref());
        let Some((source, section)) = section else { return Vec::new() };
        let mut seen = Vec::new();
        let mut checked = Vec::new();
        for disturbance in section.get_ref() {
            self.unique_name(source, &disturbance.name, &mut seen);
            checked.push(self.disturbance(source, disturbance));
        }
        checked
    }

    pub(super) fn conditions(&mut self) -> Vec<Condition> {
        let section = self.files.section(|file| file.condition.as_ref());
        let Some((source, section)) = section else { return Vec::new() };
        let mut seen = Vec::new();
        let mut checked = Vec::new();
        for condition in section.get_ref() {
            self.unique_name(source, &condition.name, &mut seen);
            let mut names = Vec::new();
            let mut disturbances = Vec::new();
            for disturbance in &condition.disturbance {
                self.unique_name(source, &disturbance.name, &mut names);
                disturbances.push(self.disturbance(source, disturbance));
            }
            let known = self.known_condition(source, condition);
            let settings = self.settings(source, &condition.settings);
            let name = condition.name.get_ref().clone();
            let pooler = condition.pooler.as_ref().map(|given| self.pooler(source, given));
            let network = condition.network.as_ref().map(|given| self.network(source, given));
            checked.push(Condition { name, known, settings, disturbances, pooler, network });
        }
        checked
    }

    fn pooler(&mut self, source: &Source, given: &wire::Pooler) -> Pooler {
        let pool_size = given.pool_size.as_ref();
        Pooler {
            mode: *given.mode.get_ref(),
            before: given.before.as_ref().map(|before| *before.get_ref()).unwrap_or_default(),
            pool_size: pool_size.map(|size| self.within(source, "pool_size", size, POOL_SIZES)),
        }
    }

    fn network(&mut self, source: &Source, given: &wire::Network) -> Network {
        let mut within = |key, given: &Option<Spanned<u64>>, range| {
            given.as_ref().map(|ms| self.within(source, key, ms, range))
        };
        Network {
            round_trip_ms: within("round_trip_ms", &given.round_trip_ms, 0..=ROUND_TRIP_MS_MAX)
                .unwrap_or_default(),
            cut_every_ms: within("cut_every_ms", &given.cut_every_ms, CUT_EVERY_MS),
        }
    }

    /// The kind that the condition is of: as it says, or by its name where it has no sessions.
    fn known_condition(
        &mut self,
        source: &Source,
        condition: &wire::Condition,
    ) -> Option<KnownCondition> {
        let name = condition.name.get_ref();
        let by_name = ConditionKind::named(name).filter(|_| condition.disturbance.is_empty());
        let kind = condition.kind.as_ref().map(|kind| *kind.get_ref()).or(by_name);
        let Some(kind) = kind else {
            let nothing = condition.disturbance.is_empty() && condition.settings.is_empty();
            if nothing && condition.pooler.is_none() && condition.network.is_none() {
                let message = format!("nothing goes on under the condition `{name}`");
                let kinds = ConditionKind::ALL.iter().map(|kind| kind.as_str());
                let kinds = known_names(name, "kinds", kinds);
                let remedy = format!("give it a [[condition.disturbance]], or a `kind`: {kinds}");
                self.push_with(source, &condition.name, message, remedy);
            }
            for (key, at) in [
                ("tables", condition.tables.as_ref().map(Spanned::span)),
                ("hold_ms", condition.hold_ms.as_ref().map(Spanned::span)),
            ] {
                if let Some(at) = at {
                    let message = format!("`{key}` belongs to a `kind` of condition");
                    self.problems.push(source.problem(at, message));
                }
            }
            return None;
        };
        let tables = self.tables_of(source, condition, kind);
        let hold_ms = match &condition.hold_ms {
            Some(ms) => self.within(source, "hold_ms", ms, 0..=PHASE_MS_MAX),
            None => HOLD_MS_DEFAULT,
        };
        Some(KnownCondition { kind, tables, hold_ms })
    }

    /// The tables that it is about: those that it names, else all that are filled.
    fn tables_of(
        &mut self,
        source: &Source,
        condition: &wire::Condition,
        kind: ConditionKind,
    ) -> Vec<String> {
        let named = condition.tables.as_ref();
        let tables: Vec<String> = match named {
            Some(named) => {
                self.once_each(source, named.get_ref());
                for table in named.get_ref() {
                    self.created_column(source, table, None);
                }
                named.get_ref().iter().map(|table| table.get_ref().clone()).collect()
            }
            None => self.filled.keys().cloned().collect(),
        };
        let fewest = kind.tables_min();
        if tables.len() < fewest {
            let message = format!("the condition {kind} is about {fewest} table(s) or more");
            let remedy = "name them: tables = [\"orders\"]";
            match named {
                Some(named) => self.push_with(source, named, message, remedy),
                None => self.push_with(source, &condition.name, message, remedy),
            }
        }
        if fewest == 0 { Vec::new() } else { tables }
    }

    fn disturbance(&mut self, source: &Source, disturbance: &wire::Disturbance) -> Disturbance {
        let sessions = self.sessions(source, disturbance);
        let transaction = disturbance.transaction.as_ref().is_none_or(|flag| *flag.get_ref());
        let statements = self.disturbing(source, disturbance, transaction);
        let isolation = self.isolation(source, disturbance, transaction);
        let reader = || (transaction && reads(&statements)).then(|| READERS_ISOLATION.to_owned());
        let isolation = isolation.or_else(reader);
        let mut ms = |key: &str, given: &Option<Spanned<u64>>| {
            given.as_ref().map(|ms| self.within(source, key, ms, 0..=PHASE_MS_MAX))
        };
        let hold_ms = ms("hold_ms", &disturbance.hold_ms);
        let after_ms = ms("after_ms", &disturbance.after_ms).unwrap_or(0);
        let every_ms = ms("every_ms", &disturbance.every_ms);
        let until = disturbance.until.as_ref().map_or(Until::Time, |until| *until.get_ref());
        if hold_ms.is_none() && every_ms.is_none() {
            let message = "the key `hold_ms` is missing";
            let remedy = "for how long it goes on: hold_ms = 4_000";
            self.push_with(source, &disturbance.name, message, remedy);
        }
        let role = disturbance.role.as_ref().and_then(|role| self.role(source, role));
        let text = |given: &Option<Spanned<String>>| given.as_ref().map(|at| at.get_ref().clone());
        Disturbance {
            name: disturbance.name.get_ref().clone(),
            statements,
            isolation,
            hold_ms: hold_ms.unwrap_or(0),
            at: disturbance.at.as_ref().map_or(Beside::Change, |at| *at.get_ref()),
            after_ms,
            until,
            every_ms,
            transaction,
            sessions,
            role,
            database: text(&disturbance.database),
            in_place: text(&disturbance.in_place),
        }
    }

    /// Its statements, from the one place that has them.
    fn disturbing(
        &mut self,
        source: &Source,
        disturbance: &wire::Disturbance,
        transaction: bool,
    ) -> Vec<String> {
        let one = disturbance.sql.is_some() != disturbance.statements.is_some();
        // Sessions that only take the connections need none.
        let none = disturbance.sql.is_none() && disturbance.statements.is_none();
        let takes_connections = disturbance.sessions.is_some() && none;
        if !one && !takes_connections {
            let name = disturbance.name.get_ref();
            let message = format!("disturbance `{name}` needs its SQL in exactly one place");
            let remedy = "right would be one of `sql` and `statements`";
            self.push_with(source, &disturbance.name, message, remedy);
        }
        let within = if transaction { IN_ONE_TRANSACTION } else { EACH_ALONE };
        let mut statements = Vec::new();
        for sql in disturbance.sql.iter().chain(disturbance.statements.iter().flatten()) {
            let sql = Sql::inline(source, sql);
            statements.extend(self.plain_statements(&sql, within));
        }
        statements
    }

    fn isolation(
        &mut self,
        source: &Source,
        disturbance: &wire::Disturbance,
        transaction: bool,
    ) -> Option<String> {
        let level = disturbance.isolation.as_ref()?;
        let text = level.get_ref().to_uppercase();
        if !ISOLATION_LEVELS.contains(&text.as_str()) {
            let message = format!("`{}` is no isolation level", level.get_ref());
            let remedy = known_names(&text, "levels", ISOLATION_LEVELS);
            self.push_with(source, level, message, remedy);
        }
        if !transaction {
            let message = "`isolation` is of a transaction, and `transaction` is false";
            self.push_with(source, level, message, "leave one of them out");
        }
        Some(text)
    }

    fn sessions(&mut self, source: &Source, disturbance: &wire::Disturbance) -> Sessions {
        let Some(given) = &disturbance.sessions else { return Sessions::Count(1) };
        match given.get_ref() {
            wire::SessionCount::Count(count) => {
                if !SESSIONS.contains(count) {
                    let message = format!("`sessions` = {count} is out of range");
                    let remedy = format!("right would be 1 to {}, or \"all\"", SESSIONS.end());
                    self.push_with(source, given, message, remedy);
                }
                Sessions::Count(*count)
            }
            wire::SessionCount::Text(text) => {
                if text != "all" {
                    let message = format!("`sessions` = \"{text}\" is no number");
                    let remedy = "right would be a number, or \"all\": as many as get in";
                    self.push_with(source, given, message, remedy);
                }
                Sessions::All
            }
        }
    }
}

/// Whether it does nothing but read tables.
fn reads(statements: &[String]) -> bool {
    let a_read = |sql: &String| {
        let facts = facts(sql);
        *facts.kind() == Kind::Select && facts.locks().next().is_some()
    };
    !statements.is_empty() && statements.iter().all(a_read)
}
