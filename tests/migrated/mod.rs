//! The built-in runner, or a command, on a database of its own, and what it recorded.
//!
//! `mod common; mod migrated;` in a test file.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use pgauntlet::clock::Clock;
use pgauntlet::connect::{Address, Session};
use pgauntlet::history::{
    AttemptEnd, Event, History, Recorder, StatementBegan, StatementEnded, silent,
};
use pgauntlet::migrate;
use pgauntlet::pg::split;
use pgauntlet::scenario::{
    Change, Migration, Retries, RunsAs, Scope, Script, Sizes, Statement, Timeouts, TransactionRule,
    VersionRows, Versions,
};
use pgauntlet::tap::Injection;

pub fn script(text: &str) -> Script {
    let pieces = split(text).expect("SQL that splits");
    let statements = pieces.into_iter().map(|p| Statement::new(p.text, p.line));
    Script { path: "migration.sql".into(), statements: statements.collect() }
}

pub fn migration(version: &str, text: &str) -> Migration {
    Migration::new(version.to_owned(), script(text), None)
}

pub fn change(migrations: Vec<Migration>) -> Change {
    Change {
        migrations,
        tool: None,
        command: None,
        transaction: TransactionRule::PerMigration,
        timeouts: Timeouts {
            scope: Scope::Local,
            lock_timeout_ms: Some(3_000),
            statement_timeout_ms: Some(30_000),
            idle_in_transaction_session_timeout_ms: None,
            scale_with: None,
        },
        retries: Retries { backoff_ms: 50, ..Retries::default() },
        versions: Some(Versions {
            table: "schema_versions".to_owned(),
            column: "version".to_owned(),
            rows: VersionRows::Each,
            tool: None,
        }),
        deadline_ms: 60_000,
        stop: None,
        runners: 1,
        advisory_lock: None,
        rerun_attempts: 1,
        rerun: None,
        other_databases: false,
        runs_as: RunsAs::Superuser,
    }
}

pub struct Trial {
    pub address: Address,
    recorder: Recorder,
}

impl Trial {
    pub async fn with(sql: &str) -> Trial {
        Trial::on(crate::common::fresh_database().await, sql).await
    }

    pub async fn on(address: Address, sql: &str) -> Trial {
        let trial = Trial { address, recorder: Recorder::in_memory(Clock::start()) };
        trial.session().await.batch(sql).await.expect("the schema");
        trial
    }

    pub async fn session(&self) -> Session {
        Session::open(&self.address, "test", &Default::default()).await.expect("a session")
    }

    pub async fn apply(&self, change: &Change, attempt: u32) -> AttemptEnd {
        self.apply_with(change, attempt, &[]).await
    }

    pub async fn apply_with(
        &self,
        change: &Change,
        attempt: u32,
        faults: &[Injection],
    ) -> AttemptEnd {
        let sizes = Sizes::default();
        let setup = migrate::ApplySetup {
            address: &self.address,
            change_address: &self.address,
            change,
            declared: &sizes,
            sizes: &sizes,
            recorder: &self.recorder,
            listener: &silent(),
            faults,
            pooled: None,
            output: None,
        };
        migrate::prepare(&self.address, change).await.expect("a version table");
        migrate::apply(&setup, attempt).await.expect("an end")
    }

    pub async fn text(&self, sql: &str) -> String {
        let row = self.session().await.client().query_one(sql, &[]).await.expect("a row");
        row.get(0)
    }

    /// Whether a statement has failed so far.
    pub fn has_failed(&self) -> bool {
        self.recorder.any(|entry| match &entry.event {
            Event::StatementEnded(ended) => ended.error.is_some(),
            _ => false,
        })
    }

    pub fn events(&self) -> Vec<Event> {
        let history: History = self.recorder.finish().expect("a history");
        history.entries.into_iter().map(|entry| entry.event).collect()
    }

    pub fn traces(&self) -> Vec<(StatementBegan, StatementEnded)> {
        let (mut began, mut ended) = (Vec::new(), Vec::new());
        for event in self.events() {
            match event {
                Event::StatementBegan(statement) => began.push(*statement),
                Event::StatementEnded(statement) => ended.push(*statement),
                _ => {}
            }
        }
        assert_eq!(began.len(), ended.len(), "every statement that began has an end");
        began.into_iter().zip(ended).collect()
    }

    /// Of several runners at once.
    pub fn traces_of_any(&self) -> Vec<StatementBegan> {
        let began = self.events().into_iter().filter_map(|event| match event {
            Event::StatementBegan(statement) => Some(*statement),
            _ => None,
        });
        began.collect()
    }

    pub fn trace(&self, starts_with: &str) -> (StatementBegan, StatementEnded) {
        let mut traces = self.traces().into_iter();
        traces.find(|(b, _)| b.text.starts_with(starts_with)).expect("such a statement")
    }
}

pub fn code(end: &AttemptEnd) -> Option<&str> {
    match end {
        AttemptEnd::Failed { error, .. } => error.sqlstate.as_ref().map(|s| s.code()),
        _ => None,
    }
}
