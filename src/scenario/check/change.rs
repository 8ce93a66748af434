//! Checks the change, the limits that it is held to, and what its author expects of it.
//!
//! A change that looks dangerous is no problem here: to show what it does is what scenarios are
//! for.

use toml::Spanned;

use super::super::change::{BACKOFF_MS_DEFAULT, DEADLINE_MS_DEFAULT, RERUN_ATTEMPTS_DEFAULT};
use super::super::problem::{Problem, Source, beside};
use super::super::tools::foreign_markers;
use super::super::wire;
use super::super::{
    Change, Expect, FindingKind, Limits, Migration, Pause, Recognised, Repeat, Retries,
    RetryPolicy, RunsAs, Scope, Stop, Timeouts, Tool, TransactionRule, Versions, read_migrations,
};
use super::{Checker, find_created};

const DEADLINE_S_MAX: u64 = 86_400;
const RERUN_ATTEMPTS_MAX: u32 = 1_000;
/// As Postgres limits its own timeouts: milliseconds in an int.
const TIMEOUT_MS_MAX: u64 = i32::MAX as u64;
const RETRIES_MAX: u32 = 1_000;
const PAUSE_MS_MAX: u64 = 3_600_000;
const ROUNDS_MAX: u32 = 1_000_000;
/// More than the pods that a rollout starts at once.
const RUNNERS_MAX: u32 = 16;

impl Checker<'_> {
    pub(super) fn change(&mut self) -> Option<Change> {
        let Some((source, section)) = self.files.section(|file| file.change.as_ref()) else {
            self.missing_section("[change]");
            return None;
        };
        Some(self.change_at(source, "change", section))
    }

    /// A change of any section: `key` is `change` or `state.path`.
    pub(super) fn change_at(
        &mut self,
        source: &Source,
        key: &str,
        section: &Spanned<wire::Change>,
    ) -> Change {
        let change = section.get_ref();
        let deadline_ms = match &change.deadline_s {
            Some(seconds) => {
                let seconds = self.within(source, "deadline_s", seconds, 1..=DEADLINE_S_MAX);
                seconds.saturating_mul(1_000)
            }
            None => DEADLINE_MS_DEFAULT,
        };
        let rerun_attempts = match &change.rerun_attempts {
            Some(count) => self.within(source, "rerun_attempts", count, 1..=RERUN_ATTEMPTS_MAX),
            None => RERUN_ATTEMPTS_DEFAULT,
        };
        let runners = match &change.runners {
            Some(count) => self.within(source, "runners", count, 1..=RUNNERS_MAX),
            None => 1,
        };
        let command = self.command(source, change);
        let transaction = change.transaction.as_ref().map(|rule| *rule.get_ref());
        let (migrations, tool) = self.migrations(source, key, section);
        let whose = tool.as_ref().map(|recognised| recognised.tool);
        let by_command = change.command.is_some();
        let versions = self.versions(source, change.versions.as_ref(), by_command, whose);
        let mut checked = Change {
            migrations,
            tool,
            command,
            transaction: transaction
                .or(whose.map(TransactionRule::of))
                .unwrap_or(TransactionRule::PerMigration),
            timeouts: self.timeouts(source, change.timeouts.as_ref()),
            retries: Retries::default(),
            versions,
            deadline_ms,
            stop: None,
            runners,
            advisory_lock: change.advisory_lock.as_ref().map(|lock| *lock.get_ref()),
            rerun_attempts,
            rerun: change.rerun.as_ref().map(|rerun| *rerun.get_ref()),
            other_databases: change.other_databases.unwrap_or_default(),
            runs_as: self.runs_as(source, key, change),
        };
        if let Some(retries) = &change.retries {
            checked.retries = self.retries(source, retries, &mut checked.timeouts);
            if change.timeouts.is_none() && checked.timeouts.lock_timeout_ms.is_some() {
                checked.timeouts.scope = Scope::Session;
            }
        }
        if let Some(stop) = &change.stop {
            checked.stop = Some(self.stop(source, stop.get_ref(), &checked));
        }
        checked
    }

    fn runs_as(&mut self, source: &Source, key: &str, change: &wire::Change) -> RunsAs {
        for (name, span) in [
            ("role", change.role.as_ref().map(Spanned::span)),
            ("superuser", change.superuser.as_ref().map(Spanned::span)),
        ] {
            if let Some(span) = span.filter(|_| key != "change") {
                let message = format!("`{name}` in a state's path");
                let remedy = "a state is made as the [change] runs";
                self.push_with(source, &Spanned::new(span, ()), message, remedy);
            }
        }
        self.connects_as(source, &change.role, &change.superuser)
    }

    /// As which role a change connects.
    pub(super) fn connects_as(
        &mut self,
        source: &Source,
        role: &Option<Spanned<String>>,
        superuser: &Option<Spanned<bool>>,
    ) -> RunsAs {
        match (role, superuser.as_ref().filter(|superuser| *superuser.get_ref())) {
            (Some(role), Some(_)) => {
                let remedy = "a superuser that the schema makes is a role as any other";
                self.push_with(source, role, "`role` beside `superuser`", remedy);
                RunsAs::Superuser
            }
            (None, Some(_)) => RunsAs::Superuser,
            (Some(role), None) => self.role(source, role).map_or(RunsAs::Migrator, RunsAs::Role),
            (None, None) => RunsAs::Migrator,
        }
    }

    /// The name of a role, not empty.
    pub(super) fn role(&mut self, source: &Source, role: &Spanned<String>) -> Option<String> {
        if role.get_ref().is_empty() {
            self.push(source, role, "`role` is empty");
            return None;
        }
        Some(role.get_ref().clone())
    }

    fn migrations(
        &mut self,
        source: &Source,
        key: &str,
        change: &Spanned<wire::Change>,
    ) -> (Vec<Migration>, Option<Recognised>) {
        let given = change.get_ref();
        let list = given.migration.as_ref().filter(|list| !list.get_ref().is_empty());
        if let Some(command) = &given.command {
            for (other, there) in [
                (format!("[[{key}.migration]]"), list.is_some()),
                ("`migrations`".to_owned(), given.migrations.is_some()),
            ] {
                if there {
                    let message = format!("`command` and {other} exclude each other");
                    self.push_with(source, command, message, "a change is applied by one of them");
                }
            }
            return (Vec::new(), None);
        }
        if let Some(dir) = &given.migrations {
            return self.owned_directory(source, key, given, dir);
        }
        if let Some(only) = &given.only {
            let remedy = "it says which migrations of that directory are the change";
            self.push_with(source, only, "`only` without `migrations`", remedy);
        }
        if let Some(tool) = &given.tool {
            let remedy = "it says whose files are in the directory that `migrations` names";
            self.push_with(source, tool, "`tool` without `migrations`", remedy);
        }
        let Some(list) = list else {
            let remedy = format!(
                "right would be a [[{key}.migration]] with `version` and `file`, a directory: \
                 `migrations`, or a `command`"
            );
            let what = key.rsplit('.').next().unwrap_or(key);
            self.push_with(source, change, format!("the {what} is empty"), remedy);
            return (Vec::new(), None);
        };
        let mut seen: Vec<&str> = Vec::new();
        let mut checked = Vec::new();
        for migration in list.get_ref() {
            let version = migration.version.get_ref();
            if seen.contains(&version.as_str()) {
                let message = format!("there are two migrations of version `{version}`");
                self.push(source, &migration.version, message);
            }
            if version.is_empty() {
                self.push(source, &migration.version, "`version` is empty");
            }
            seen.push(version);
            checked.extend(self.migration(source, given, migration));
        }
        (checked, None)
    }

    /// A tool's directory, with the tool's own transaction rules.
    fn owned_directory(
        &mut self,
        source: &Source,
        key: &str,
        change: &wire::Change,
        named: &Spanned<String>,
    ) -> (Vec<Migration>, Option<Recognised>) {
        if let Some(list) = &change.migration {
            let remedy = "either a directory or single files";
            let message = format!("[[{key}.migration]] beside `migrations`");
            self.push_with(source, list, message, remedy);
        }
        if let Some(rule) = &change.transaction {
            let remedy = "the files say it in the way of their tool";
            self.push_with(source, rule, "`transaction` beside `migrations`", remedy);
        }
        let dir = beside(&source.path, named.get_ref());
        let tool = change.tool.as_ref().map(|tool| *tool.get_ref());
        let read = read_migrations(&dir, tool);
        let read = read.map(|read| {
            self.notices.extend(read.notices);
            let migrations = match &change.only {
                Some(only) => self.only(source, only, read.migrations),
                None => read.migrations,
            };
            (migrations, Some(read.recognised))
        });
        read.unwrap_or_else(|problems| {
            // What is wrong with the directory as a whole is reported where it is named.
            let place = |problem: Problem| match problem.path == dir {
                true => {
                    let message = format!("{}: {}", dir.display(), problem.message);
                    Problem { remedy: problem.remedy, ..source.problem(named.span(), message) }
                }
                false => problem,
            };
            self.problems.extend(problems.into_iter().map(place));
            (Vec::new(), None)
        })
    }

    /// Those of these versions.
    fn only(
        &mut self,
        source: &Source,
        only: &Spanned<Vec<Spanned<String>>>,
        mut migrations: Vec<Migration>,
    ) -> Vec<Migration> {
        if only.get_ref().is_empty() {
            self.push_with(source, only, "`only` is empty", "an empty change shows nothing");
        }
        for version in only.get_ref() {
            if !migrations.iter().any(|m| m.version == *version.get_ref()) {
                let newest = migrations.last().map_or("none", |newest| newest.version.as_str());
                let remedy = format!("a version as the tool writes it; the newest is {newest}");
                let message = format!("no migration has version `{}`", version.get_ref());
                self.push_with(source, version, message, &remedy);
            }
        }
        let named = |m: &Migration| only.get_ref().iter().any(|v| *v.get_ref() == m.version);
        migrations.retain(named);
        migrations
    }

    fn migration(
        &mut self,
        source: &Source,
        change: &wire::Change,
        migration: &wire::Migration,
    ) -> Option<Migration> {
        let problems = self.problems.len();
        let script = self.script(source, &migration.file)?;
        let says_rule = change.transaction.is_some() || migration.transaction.is_some();
        self.problems.extend(foreign_markers(&script.path, says_rule));
        if script.statements.is_empty() && self.problems.len() == problems {
            let message = format!("{} has no statement", migration.file.get_ref());
            self.push_with(source, &migration.file, message, "an empty change shows nothing");
        }
        let count = u32::try_from(script.statements.len()).unwrap_or(u32::MAX);
        let mut pauses = Vec::new();
        for pause in &migration.pauses {
            let after = *pause.get_ref().after.get_ref();
            if after == 0 || after > count {
                let message = format!("`after` = {after} is no statement of the file");
                let remedy = format!("they are numbered from 1, the last one is {count}");
                self.push_with(source, &pause.get_ref().after, message, remedy);
            }
            let ms = self.within(source, "ms", &pause.get_ref().ms, 1..=PAUSE_MS_MAX);
            pauses.push(Pause { after, ms });
        }
        let repeat = migration.repeat.as_ref().map(|repeat| {
            let repeat = repeat.get_ref();
            let pause_ms = self.within(source, "pause_ms", &repeat.pause_ms, 0..=PAUSE_MS_MAX);
            Repeat { pause_ms, limit: self.within(source, "limit", &repeat.limit, 1..=ROUNDS_MAX) }
        });
        let transaction = migration.transaction.as_ref().map(|flag| *flag.get_ref());
        let version = migration.version.get_ref().clone();
        Some(Migration { repeat, pauses, ..Migration::new(version, script, transaction) })
    }

    fn timeouts(&mut self, source: &Source, given: Option<&Spanned<wire::Timeouts>>) -> Timeouts {
        let Some(given) = given.map(Spanned::get_ref) else {
            return Timeouts::default();
        };
        let mut timeout = |key: &str, value: &Option<Spanned<u64>>| {
            value.as_ref().map(|ms| self.within(source, key, ms, 0..=TIMEOUT_MS_MAX))
        };
        let lock_timeout_ms = timeout("lock_timeout_ms", &given.lock_timeout_ms);
        let statement_timeout_ms = timeout("statement_timeout_ms", &given.statement_timeout_ms);
        let idle = &given.idle_in_transaction_session_timeout_ms;
        let idle = timeout("idle_in_transaction_session_timeout_ms", idle);
        if let Some(table) = &given.scale_with {
            self.filled_table(source, table);
            if statement_timeout_ms.is_none() {
                let remedy = "it scales `statement_timeout_ms`";
                self.push_with(source, table, "`scale_with` scales nothing here", remedy);
            }
        }
        Timeouts {
            scope: *given.scope.get_ref(),
            lock_timeout_ms,
            statement_timeout_ms,
            idle_in_transaction_session_timeout_ms: idle,
            scale_with: given.scale_with.as_ref().map(|table| table.get_ref().clone()),
        }
    }

    /// A policy's lock_timeout is the change's.
    fn retries(
        &mut self,
        source: &Source,
        section: &Spanned<wire::Retries>,
        timeouts: &mut Timeouts,
    ) -> Retries {
        let given = section.get_ref();
        let of = given.of.unwrap_or_default();
        match (&given.policy, &given.on_lock_timeout) {
            (Some(text), None) => match text.get_ref().parse::<RetryPolicy>() {
                Ok(_) if given.backoff_ms.is_some() => {
                    let remedy = "the policy says it: 'backoff 1s'";
                    self.push_with(source, section, "`backoff_ms` beside `policy`", remedy);
                }
                Ok(_) if timeouts.lock_timeout_ms.is_some() => {
                    let remedy = "the policy begins with it: take it out of [change.timeouts]";
                    self.push_with(source, text, "there are two lock_timeouts", remedy);
                }
                Ok(policy) => {
                    timeouts.lock_timeout_ms = Some(policy.lock_timeout_ms);
                    return Retries::of_policy(&policy, of);
                }
                Err(error) => self.push(source, text, error.to_string()),
            },
            (None, Some(count)) => {
                let on_lock_timeout =
                    self.within(source, "on_lock_timeout", count, 0..=RETRIES_MAX);
                let backoff_ms = match &given.backoff_ms {
                    Some(ms) => self.within(source, "backoff_ms", ms, 0..=PAUSE_MS_MAX),
                    None => BACKOFF_MS_DEFAULT,
                };
                return Retries { on_lock_timeout, backoff_ms, of, ..Retries::default() };
            }
            _ => {
                let message = "one of `policy` and `on_lock_timeout` says how often";
                let remedy = "right would be `policy = \"3s x5 backoff 1s\"`";
                self.push_with(source, section, message, remedy);
            }
        }
        Retries::default()
    }

    /// The table of a command is the command's to know and to make.
    fn versions(
        &mut self,
        source: &Source,
        given: Option<&Spanned<wire::Versions>>,
        by_command: bool,
        tool: Option<Tool>,
    ) -> Option<Versions> {
        let Some(given) = given.map(Spanned::get_ref) else {
            let own = || tool.map_or_else(Versions::default, Versions::of);
            return (!by_command).then(own);
        };
        let tool = Versions::owner(given.table.get_ref(), tool).filter(|_| !by_command);
        let made_elsewhere = by_command || tool.is_some();
        if !made_elsewhere || find_created(&self.created, given.table.get_ref()).is_some() {
            self.created_column(source, &given.table, Some(&given.column));
        }
        Some(Versions {
            table: given.table.get_ref().clone(),
            column: given.column.get_ref().clone(),
            rows: *given.rows.get_ref(),
            tool,
        })
    }

    /// Where the change stops: before a statement that it has.
    pub(super) fn stop(&mut self, source: &Source, stop: &wire::Stop, change: &Change) -> Stop {
        let most = u64::from(ROUNDS_MAX);
        let count = &stop.after_statements;
        let after_statements = self.within(source, "after_statements", count, 1..=most);
        // What could not be read would have had more of them.
        let statements = statements(change).filter(|_| self.problems.is_empty());
        match (&stop.scale_with, statements) {
            (Some(table), _) => self.filled_table(source, table),
            (None, Some(last)) if (last..=most).contains(&after_statements) => {
                let message = format!("`after_statements` = {after_statements} stops nothing");
                let remedy = match last {
                    1 => "the migrations have one statement".to_owned(),
                    _ => format!(
                        "of the migrations' {last} statements at most {} come before a stop",
                        last - 1
                    ),
                };
                self.push_with(source, count, message, remedy);
            }
            _ => {}
        }
        let scale_with = stop.scale_with.as_ref().map(|table| table.get_ref().clone());
        Stop { after_statements, scale_with }
    }

    pub(super) fn limits(&mut self) -> Limits {
        let defaults = Limits::default();
        let section = self.files.section(|file| file.limits.as_ref());
        let Some((source, section)) = section else { return defaults };
        let given = section.get_ref();
        let p99_ratio_max = match &given.p99_ratio_max {
            Some(ratio) => self.within(source, "p99_ratio_max", ratio, 1.0..=1e6),
            None => defaults.p99_ratio_max,
        };
        let or = |given: &Option<Spanned<u64>>, default: u64| {
            given.as_ref().map_or(default, |value| *value.get_ref())
        };
        Limits {
            stall_ms_max: or(&given.stall_ms_max, defaults.stall_ms_max),
            acquire_timeouts_max: or(&given.acquire_timeouts_max, defaults.acquire_timeouts_max),
            failed_operations_max: or(&given.failed_operations_max, defaults.failed_operations_max),
            p99_ratio_max,
            p99_ms_floor: or(&given.p99_ms_floor, defaults.p99_ms_floor),
            rerun_lock_ms_max: or(&given.rerun_lock_ms_max, defaults.rerun_lock_ms_max),
            generator_lag_ms_max: or(&given.generator_lag_ms_max, defaults.generator_lag_ms_max),
            replica_lag_ms_max: given.replica_lag_ms_max.as_ref().map(|max| *max.get_ref()),
            replica_lag_bytes_max: given.replica_lag_bytes_max.as_ref().map(|max| *max.get_ref()),
        }
    }

    pub(super) fn expect(&mut self) -> Option<Expect> {
        let Some((source, section)) = self.files.section(|file| file.expect.as_ref()) else {
            self.missing_section("[expect]");
            return None;
        };
        Some(self.expectation(source, section.get_ref()))
    }

    pub(super) fn expectation(&mut self, source: &Source, expect: &wire::Expect) -> Expect {
        let verdict = expect.verdict.get_ref().0.clone();
        if verdict.is_empty() {
            self.push(source, &expect.verdict, "no verdict is expected");
        }
        let findings = kinds(&expect.findings);
        for absent in expect.absent.iter().filter(|kind| findings.contains(kind.get_ref())) {
            let message = format!("`{}` cannot be expected and absent", absent.get_ref());
            self.push(source, absent, message);
        }
        let both = expect.findings.iter().chain(&expect.absent);
        for predicted in both.clone().filter(|kind| kind.get_ref().is_predicted()) {
            let message = format!("no trial finds `{}`", predicted.get_ref());
            let remedy = "[sizes] has `at` and `expect` for what is predicted";
            self.push_with(source, predicted, message, remedy);
        }
        for crash in both.filter(|kind| *kind.get_ref() == FindingKind::Crash) {
            let remedy = "[crash] has `expect` and `may` for how its cases end";
            self.push_with(source, crash, "no trial finds `crash`", remedy);
        }
        Expect { verdict, findings, absent: kinds(&expect.absent) }
    }
}

/// How many statements the change runs; None: that follows from the rows or the locks that it
/// meets.
fn statements(change: &Change) -> Option<u64> {
    let count = |m: &Migration| m.repeat.is_none().then_some(m.script.statements.len() as u64);
    let total: u64 = change.migrations.iter().map(count).sum::<Option<u64>>()?;
    (total > 0 && change.retries.on_lock_timeout == 0).then_some(total)
}

fn kinds(given: &[Spanned<FindingKind>]) -> Vec<FindingKind> {
    given.iter().map(|kind| *kind.get_ref()).collect()
}
