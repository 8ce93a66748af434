//! One session to the server.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio_postgres::{CancelToken, Client, Connection};

use crate::history::{Node, ServerError, SessionId, since};
use crate::pg::{SqlState, quote_ident, quote_literal};

use super::Address;

/// Longest wait for a server to accept a session.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// What the pooler of a trial is called.
const POOLER: &str = "pgbouncer";
/// Longest wait for a cancel request to be taken.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(5);
/// Who this session is. The function shows its own session to any role; the view above it would
/// read all sessions for that.
const OWN_ID: &str = "SELECT pg_backend_pid(), \
    (SELECT (extract(epoch FROM a.backend_start) * 1000000)::int8 \
     FROM pg_stat_get_activity(pg_backend_pid()) AS a)";

/// Why a session could not be opened, or a statement on it failed.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum Error {
    #[error("connect to {place}: {error}")]
    Connect { place: String, error: Box<ServerError> },
    #[error("connect to {place}: no answer within {} s", CONNECT_TIMEOUT.as_secs())]
    ConnectTimeout { place: String },
    #[error("run {sql:?}: {error}")]
    Query { sql: String, error: Box<ServerError> },
}

impl Error {
    /// Wraps what the driver reports of a statement.
    pub fn query(sql: &str, error: &tokio_postgres::Error) -> Error {
        Error::Query { sql: shorten(sql), error: Box::new(server_error(error)) }
    }

    /// The server's error, where there was one.
    pub fn server_error(&self) -> Option<&ServerError> {
        match self {
            Error::Connect { error, .. } | Error::Query { error, .. } => Some(error),
            Error::ConnectTimeout { .. } => None,
        }
    }

    /// Whether the server gave one of these SQLSTATEs.
    pub fn is_one_of(&self, codes: &[&str]) -> bool {
        self.server_error().is_some_and(|error| error.is_one_of(codes))
    }
}

/// A client and its backend.
pub struct Session {
    client: Client,
    id: SessionId,
    place: Address,
    ended: Ended,
    carrier: AbortHandle,
}

/// What the connection ended with. The sender is gone when the connection is.
type Ended = watch::Receiver<Option<ServerError>>;

impl Session {
    /// Opens a session, names it (`pg_stat_activity.application_name`) and sets `settings` on it.
    ///
    /// # Errors
    /// The server cannot be reached in time, refuses the role, or refuses a setting.
    pub async fn open(
        address: &Address,
        application_name: &str,
        settings: &BTreeMap<String, String>,
    ) -> Result<Session, Error> {
        let mut session = Session::connect(address, application_name).await?;
        let sql = OWN_ID;
        let row = session.client.query_one(sql, &[]).await.map_err(|e| Error::query(sql, &e))?;
        session.id = SessionId::new(row.get(0), since(row.get(1)));
        session.set_all(settings).await?;
        Ok(session)
    }

    /// The same by way of a pooler, whose client has a number of ours there: which session of the
    /// server's serves it, and whether it is the same one for two statements, is the pooler's to
    /// decide.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub async fn open_pooled(
        address: &Address,
        application_name: &str,
        settings: &BTreeMap<String, String>,
        client: i32,
    ) -> Result<Session, Error> {
        let mut session = Session::connect(address, application_name).await?;
        session.id = SessionId { node: Node::Pooler(POOLER.into()), pid: client, since: None };
        session.set_all(settings).await?;
        Ok(session)
    }

    async fn set_all(&self, settings: &BTreeMap<String, String>) -> Result<(), Error> {
        for (name, value) in settings {
            let sql = format!("SET {} = {}", quote_ident(name), quote_literal(value));
            self.batch(&sql).await?;
        }
        Ok(())
    }

    async fn connect(address: &Address, application_name: &str) -> Result<Session, Error> {
        let place = address.place();
        let opening = open_client(address, application_name);
        let opened = tokio::time::timeout(CONNECT_TIMEOUT, opening).await;
        let (client, ended, carrier) = match opened {
            Ok(Ok(parts)) => parts,
            Ok(Err(e)) => return Err(Error::Connect { place, error: Box::new(server_error(&e)) }),
            Err(_) => return Err(Error::ConnectTimeout { place }),
        };
        Ok(Session { client, id: 0.into(), place: address.clone(), ended, carrier })
    }

    /// `pg_backend_pid()`.
    pub fn pid(&self) -> i32 {
        self.id.pid
    }

    /// The same session as others can tell it from a later one with its pid.
    pub fn id(&self) -> SessionId {
        self.id.clone()
    }

    /// The driver's client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// Returns when the connection is gone, with what the server said last: a session that is
    /// terminated while it is idle gets an error (57P01, 25P03), but no request returns it.
    pub async fn closed(&self) -> Option<ServerError> {
        let mut ended = self.ended.clone();
        while ended.changed().await.is_ok() {}
        ended.borrow().clone()
    }

    /// Runs statements by the simple protocol: several in one text are one implicit transaction.
    ///
    /// # Errors
    /// The server refuses a statement, or the connection breaks.
    pub async fn batch(&self, sql: &str) -> Result<(), Error> {
        self.client.batch_execute(sql).await.map_err(|e| Error::query(sql, &e))
    }

    /// Why the connection ended, where the server said so: a timeout that fires between two
    /// statements belongs to no request.
    pub fn parting_error(&self) -> Option<ServerError> {
        self.ended.borrow().clone()
    }

    /// Ends the session as a killed process does: nothing more is sent, not even a goodbye.
    pub fn break_off(self) {
        self.carrier.abort();
    }

    /// What is needed to cancel this session's statement from elsewhere.
    pub fn canceller(&self) -> Canceller {
        Canceller { token: self.client.cancel_token(), place: self.place.clone() }
    }
}

/// Cancels the statement that a session runs.
pub struct Canceller {
    token: CancelToken,
    place: Address,
}

impl Canceller {
    /// Asks the server to cancel; whether it does is seen by the session itself.
    pub async fn cancel(&self) {
        let asked = async {
            match self.place.tls().connector() {
                Some(tls) => self.token.cancel_query(tls).await,
                None => self.token.cancel_query(tokio_postgres::NoTls).await,
            }
        };
        // A request that is lost is followed by the caller's deadline, then by a kill.
        let _ = tokio::time::timeout(CANCEL_TIMEOUT, asked).await;
    }
}

async fn open_client(address: &Address, name: &str) -> Result<Carried, tokio_postgres::Error> {
    let mut config = address.config().clone();
    config.application_name(name);
    match address.tls().connector() {
        Some(tls) => {
            let (client, connection) = config.connect(tls).await?;
            Ok(carry(client, connection))
        }
        None => {
            let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
            Ok(carry(client, connection))
        }
    }
}

type Carried = (Client, Ended, AbortHandle);

/// Carries the bytes on a task of its own; dropping the client says goodbye and ends it.
fn carry<S, T>(client: Client, mut connection: Connection<S, T>) -> Carried
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (end, ended) = watch::channel(None);
    let carrier = tokio::spawn(async move {
        // Messages that belong to no request, such as notices, are of no use to us.
        while let Some(message) = poll_fn(|cx| connection.poll_message(cx)).await {
            if let Err(error) = message {
                end.send_replace(Some(server_error(&error)));
                return;
            }
        }
    });
    (client, ended, carrier.abort_handle())
}

/// What the server, or the end of the connection, said.
pub fn server_error(error: &tokio_postgres::Error) -> ServerError {
    match error.as_db_error() {
        Some(db) => ServerError {
            sqlstate: Some(SqlState::new(db.code().code())),
            message: db.message().to_owned(),
            detail: db.detail().map(str::to_owned),
            hint: db.hint().map(str::to_owned),
            context: db.where_().map(str::to_owned),
        },
        None => ServerError { sqlstate: None, message: chain(error), ..ServerError::default() },
    }
}

/// The driver's own errors say little without their source.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

fn shorten(sql: &str) -> String {
    const CHARACTERS: usize = 120;
    match sql.char_indices().nth(CHARACTERS) {
        Some((end, _)) => format!("{}…", &sql[..end]),
        None => sql.to_owned(),
    }
}
