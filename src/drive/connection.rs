//! A connection of the application: a session and the statements that are prepared on it.
//!
//! Statements are prepared once per connection, as the application's drivers do, so that
//! "cached plan must not change result type" can happen here when it can happen there.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::BytesMut;
use tokio_postgres::Statement;
use tokio_postgres::types::{Format, FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use crate::connect::{Address, Error, Session};
use crate::history::{Event, Recorder, Role, SessionSeen};

use super::plan::PlannedStatement;
use super::pool::Opener;

/// `application_name` of every pooled session.
pub const APPLICATION_NAME: &str = "pgauntlet app";

/// Opens the application's sessions.
pub struct SessionOpener {
    address: Address,
    settings: BTreeMap<String, String>,
    recorder: Recorder,
}

impl SessionOpener {
    pub fn new(
        address: &Address,
        settings: &BTreeMap<String, String>,
        recorder: &Recorder,
    ) -> SessionOpener {
        let (address, settings) = (address.clone(), settings.clone());
        SessionOpener { address, settings, recorder: recorder.clone() }
    }
}

impl Opener for SessionOpener {
    type Connection = Connection;
    type Error = Error;

    async fn open(&self) -> Result<Connection, Error> {
        let session = Session::open(&self.address, APPLICATION_NAME, &self.settings).await?;
        let seen = SessionSeen { session: session.id(), role: Role::Application };
        self.recorder.record(Event::Session(seen));
        Ok(Connection { session, prepared: Vec::new() })
    }

    fn is_broken(&self, connection: &Connection) -> bool {
        connection.session.is_closed()
    }
}

pub struct Connection {
    session: Session,
    /// By the statement's slot.
    prepared: Vec<Option<Statement>>,
}

impl Connection {
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The statement, prepared at its first use.
    pub async fn prepare(
        &mut self,
        statement: &PlannedStatement,
    ) -> Result<Statement, tokio_postgres::Error> {
        if let Some(Some(known)) = self.prepared.get(statement.slot) {
            return Ok(known.clone());
        }
        let prepared = self.session.client().prepare(&statement.sql).await?;
        if self.prepared.len() <= statement.slot {
            self.prepared.resize(statement.slot + 1, None);
        }
        self.prepared[statement.slot] = Some(prepared.clone());
        Ok(prepared)
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
