//! A connection of the application: a session and the statements that are prepared on it.
//!
//! Statements are prepared once per connection, as the application's drivers do, so that
//! "cached plan must not change result type" can happen here when it can happen there.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use bytes::BytesMut;
use tokio_postgres::Statement;
use tokio_postgres::types::{Format, FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use crate::clock::Micros;
use crate::connect::{Address, Error, Session};
use crate::history::{Event, Node, Recorder, Role, STANDBY, SessionId, SessionSeen};
use crate::tap::{APPLICATION_CLIENT, PoolState};

use super::plan::PlannedStatement;
use super::pool::Opener;

/// `application_name` of every pooled session.
pub const APPLICATION_NAME: &str = "pgauntlet app";

/// Opens the application's sessions.
pub struct SessionOpener {
    address: Address,
    settings: BTreeMap<String, String>,
    recorder: Recorder,
    node: Node,
    pooled: Option<Pooled>,
    /// Clients of the pooler so far.
    clients: AtomicI32,
}

/// The pooler that the application's connections go through.
#[derive(Clone)]
pub struct Pooled {
    /// Its server connections.
    pub state: Arc<PoolState>,
    /// It takes the server connection back after each transaction, and with it what was prepared
    /// there: statements go unnamed.
    pub by_transaction: bool,
}

impl Pooled {
    /// The session of the server's that has served the client since then, and from when on; None:
    /// it still waits for one.
    pub fn served(&self, client: &SessionId, since: Micros) -> Option<(Micros, SessionId)> {
        self.state.served(client.pid, since)
    }
}

impl SessionOpener {
    pub fn new(
        address: &Address,
        settings: &BTreeMap<String, String>,
        recorder: &Recorder,
    ) -> SessionOpener {
        let (address, settings, node) = (address.clone(), settings.clone(), Node::Primary);
        let (pooled, clients) = (None, AtomicI32::new(0));
        SessionOpener { address, settings, recorder: recorder.clone(), node, pooled, clients }
    }

    /// The same where the address is the standby's.
    pub fn on_replica(self) -> SessionOpener {
        SessionOpener { node: Node::Standby(STANDBY.into()), ..self }
    }

    /// The same by way of a pooler.
    pub fn through(self, pooled: Option<Pooled>) -> SessionOpener {
        SessionOpener { pooled, ..self }
    }
}

impl Opener for SessionOpener {
    type Connection = Connection;
    type Error = Error;

    async fn open(&self) -> Result<Connection, Error> {
        if let Some(pooled) = &self.pooled {
            let client = self.clients.fetch_add(1, Ordering::Relaxed) + 1;
            let name = format!("{APPLICATION_CLIENT}{client}");
            let (address, settings) = (&self.address, &self.settings);
            let session = Session::open_pooled(address, &name, settings, client).await?;
            let by_transaction = pooled.by_transaction;
            let id = session.id();
            return Ok(Connection { session, id, prepared: Vec::new(), by_transaction });
        }
        let session = Session::open(&self.address, APPLICATION_NAME, &self.settings).await?;
        let id = SessionId { node: self.node.clone(), ..session.id() };
        let seen = SessionSeen { session: id.clone(), role: Role::Application };
        self.recorder.record(Event::Session(seen));
        Ok(Connection { session, id, prepared: Vec::new(), by_transaction: false })
    }

    fn is_broken(&self, connection: &Connection) -> bool {
        connection.session.is_closed()
    }
}

pub struct Connection {
    session: Session,
    id: SessionId,
    /// By the statement's slot.
    prepared: Vec<Option<Statement>>,
    /// What is prepared is gone after the transaction: it is only a description.
    by_transaction: bool,
}

impl Connection {
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Which session it is, of which server.
    pub fn id(&self) -> SessionId {
        self.id.clone()
    }

    /// The statement, prepared at its first use.
    pub async fn prepare(
        &mut self,
        statement: &PlannedStatement,
    ) -> Result<Statement, tokio_postgres::Error> {
        if let Some(Some(known)) = self.prepared.get(statement.slot) {
            return Ok(known.clone());
        }
        let prepared = match self.by_transaction {
            false => self.session.client().prepare(&statement.sql).await?,
            true => self.describe(&statement.sql).await?,
        };
        if self.prepared.len() <= statement.slot {
            self.prepared.resize(statement.slot + 1, None);
        }
        self.prepared[statement.slot] = Some(prepared.clone());
        Ok(prepared)
    }

    /// Has the server describe the statement, in a transaction of its own: what the driver asks of
    /// types takes several messages, and they have to be one session's.
    async fn describe(&self, sql: &str) -> Result<Statement, tokio_postgres::Error> {
        let client = self.session.client();
        client.batch_execute("BEGIN").await?;
        let described = client.prepare(sql).await;
        client.batch_execute("ROLLBACK").await?;
        described
    }

    /// Whether statements go unnamed, each in one message.
    pub fn is_by_transaction(&self) -> bool {
        self.by_transaction
    }

    /// Prepares the statement again at its next use.
    pub fn forget(&mut self, statement: &PlannedStatement) {
        if let Some(known) = self.prepared.get_mut(statement.slot) {
            *known = None;
        }
    }
}

/// A parameter in text format, whatever type the server inferred: it parses the text as it would
/// parse a quoted constant.
#[derive(Debug)]
pub struct Text<'a>(pub Option<&'a str>);

impl ToSql for Text<'_> {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        Ok(match self.0 {
            Some(text) => {
                out.extend_from_slice(text.as_bytes());
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// A number, a uuid or a text as the server prints it; None: a value of another type.
#[derive(Debug, PartialEq, Eq)]
pub struct KeyText(pub Option<String>);

impl<'a> FromSql<'a> for KeyText {
    fn from_sql(
        of: &Type,
        raw: &'a [u8],
    ) -> Result<KeyText, Box<dyn std::error::Error + Sync + Send>> {
        if let Kind::Domain(base) = of.kind() {
            return KeyText::from_sql(base, raw);
        }
        Ok(KeyText(match *of {
            Type::INT2 => Some(i16::from_sql(of, raw)?.to_string()),
            Type::INT4 => Some(i32::from_sql(of, raw)?.to_string()),
            Type::INT8 => Some(i64::from_sql(of, raw)?.to_string()),
            Type::UUID => {
                let digits = |range: Range<usize>| {
                    let bytes = raw.get(range).unwrap_or_default();
                    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
                };
                Some([0..4, 4..6, 6..8, 8..10, 10..16].map(digits).join("-"))
            }
            Type::TEXT | Type::VARCHAR => Some(String::from_sql(of, raw)?),
            _ => None,
        }))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
