//! Checks the hot standby: its settings, those of its primary, and who reads there.

use std::collections::BTreeMap;

use toml::Spanned;

use crate::pg::lex;

use super::super::problem::Source;
use super::super::replica::{CONNECTIONS_DEFAULT, DELAY_MS_DEFAULT, Replica, is_refused};
use super::super::traffic::{On, SqlPlace};
use super::super::{OperationStatement, wire};
use super::Checker;
use super::traffic::{PHASE_MS_MAX, POOL_MAX};

impl Checker<'_> {
    pub(super) fn replica(&mut self, server: &BTreeMap<String, String>) -> Option<Replica> {
        let (source, section) = self.files.section(|file| file.replica.as_ref())?;
        let given = section.get_ref();
        let delay = match &given.max_standby_streaming_delay_ms {
            Some(ms) => self.within(source, "max_standby_streaming_delay_ms", ms, 0..=PHASE_MS_MAX),
            None => DELAY_MS_DEFAULT,
        };
        let connections = match &given.connections {
            Some(count) => self.within(source, "connections", count, 1..=POOL_MAX),
            None => CONNECTIONS_DEFAULT,
        };
        self.primary_can_have_one(source, section, server);
        let flag = |given: &Option<Spanned<bool>>, or| given.as_ref().map_or(or, |f| *f.get_ref());
        let (line, _) = lex::position(&source.text, section.span().start);
        Some(Replica {
            max_standby_streaming_delay_ms: delay,
            hot_standby_feedback: flag(&given.hot_standby_feedback, false),
            slot: flag(&given.slot, true),
            connections,
            place: Some(SqlPlace { path: source.path.clone(), line }),
        })
    }

    /// Reports settings of the scenario's with which no standby can follow.
    fn primary_can_have_one(
        &mut self,
        source: &Source,
        section: &Spanned<wire::Replica>,
        server: &BTreeMap<String, String>,
    ) {
        let least = [("max_wal_senders", 2), ("max_replication_slots", 1)];
        for (name, least) in least {
            let set = server.get(name).and_then(|value| value.parse::<u32>().ok());
            if set.is_some_and(|set| set < least) {
                let message = format!("no standby can follow with `{name}` below {least}");
                let remedy = format!("leave `{name}` out of [server]");
                self.push_with(source, section, message, remedy);
            }
        }
        if server.get("wal_level").is_some_and(|level| level == "minimal") {
            let message = "no standby can follow with `wal_level` = minimal";
            self.push_with(source, section, message, "leave `wal_level` out of [server]");
        }
    }

    /// Where the operation runs; reports what a standby cannot do.
    pub(super) fn runs_on(
        &mut self,
        source: &Source,
        operation: &wire::Operation,
        statements: &[OperationStatement],
    ) -> On {
        let Some(on) = &operation.on else { return On::Primary };
        if on.get_ref().is_primary() {
            return On::Primary;
        }
        if self.files.section(|file| file.replica.as_ref()).is_none() {
            let message = "there is no standby to read on";
            self.push_with(source, on, message, "add a [replica]; its keys have defaults");
        }
        let name = operation.name.get_ref();
        if let Some(written) = statements.iter().find(|statement| is_refused(&statement.sql)) {
            let message = format!("operation `{name}` does not only read: {}", written.sql.trim());
            let remedy = "a standby takes reads only; leave `on` out";
            self.push_with(source, on, message, remedy);
        }
        if let Some(ledger) = &operation.ledger {
            let message = "a read has no ledger";
            self.push_with(source, ledger, message, "leave it out, or leave out `on`");
        }
        On::Replica
    }
}
