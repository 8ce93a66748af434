//! What passes on a server connection of a pooler: whose it is, and what is left there.

use std::sync::Arc;

use super::super::conversation::Statement;
use super::super::injected;
use super::super::pool::{Clients, Own, PoolState};
use super::super::shared::TapState;
use super::super::tracer::Tracer;
use super::lent::{Pooled, Served, state};
use super::{Connection, End};
use crate::history::{ConnectionOpened, Event, Protocol, Role, TransactionStatus};

impl Connection {
    /// As a server connection of a pooler.
    pub fn of_pooler(mut self, pool: &Arc<PoolState>, clients: Clients) -> Connection {
        self.pooled = Some(Box::new(Pooled::new(pool, self.number, clients)));
        self
    }

    /// Whether the statement is the change's. On a pooler's server connection the others are the
    /// application's, or the pooler's own.
    pub(super) fn is_of_the_change(&mut self, statement: &Statement) -> bool {
        let idle = self.conversation.transaction() == TransactionStatus::Idle;
        let Some(pooled) = &mut self.pooled else { return true };
        if idle
            && statement.protocol == Protocol::Simple
            && let Some(own) = Own::of(&statement.text)
        {
            match own {
                Own::Settings(Some(name)) => pooled.name = name,
                // The name is among what it takes back.
                Own::Reset => pooled.name.clear(),
                Own::Settings(None) | Own::Check => {}
            }
            return false;
        }
        match pooled.served() {
            Served::Application(client) => {
                pooled.is(Role::Application);
                if idle {
                    pooled.pool.serves(client, &pooled.session);
                }
                // It is no connection of the change meanwhile, which a cancel would be for.
                self.serve(None);
                false
            }
            Served::Nobody => {
                self.serve(None);
                false
            }
            Served::Change(attempt) => {
                pooled.is(Role::Change);
                pooled.pool.serves_the_change();
                self.serve(Some(attempt));
                true
            }
        }
    }

    /// What follows is that attempt's, or none's.
    fn serve(&mut self, attempt: Option<Arc<TapState>>) {
        let Some(pooled) = &mut self.pooled else { return };
        let shared = attempt.unwrap_or_else(|| Arc::clone(&pooled.pool.nobody));
        if Arc::ptr_eq(&shared, &self.shared) {
            return;
        }
        self.shared.closed(self.number);
        self.shared = shared;
        let session = pooled.session.clone();
        self.tracer = Tracer::new(&self.shared, self.number);
        self.tracer.session = session.clone();
        self.shared.opened(self.number, &self.cut);
        self.shared.has_pid(self.number, session.pid);
        let is_nobody = Arc::ptr_eq(&self.shared, &pooled.pool.nobody);
        if is_nobody || !pooled.opened_for.insert(self.shared.attempt) {
            return;
        }
        self.announced_itself = true;
        let event = ConnectionOpened {
            attempt: self.shared.attempt,
            connection: self.number,
            session,
            application_name: pooled.name.clone(),
            settings: Vec::new(),
        };
        self.shared.recorder.record(Event::ConnectionOpened(event));
    }

    /// Answers who wants to know what is set, once nothing runs.
    pub(super) async fn tell_state(&mut self) -> Result<(), End> {
        let is_asked = self.pooled.as_ref().is_some_and(|pooled| !pooled.waiting.is_empty());
        if !is_asked || self.held.is_some() || !self.conversation.rests() {
            return Ok(());
        }
        let rows = self.ask(injected::session_state()?, false).await?;
        let Some(pooled) = &mut self.pooled else { return Ok(()) };
        let waiting = std::mem::take(&mut pooled.waiting);
        // Without an answer the connection is gone, and what was set with it.
        let Some(rows) = rows else { return Ok(()) };
        let state = state(&pooled.session, &rows, pooled.clients == Clients::Both);
        for request in waiting {
            // Who has given up needs no answer.
            let _ = request.send(state.clone());
        }
        Ok(())
    }

    pub(super) fn leaves_pool(&self) {
        if let Some(pooled) = &self.pooled {
            pooled.pool.closed(self.number);
        }
    }
}
