//! Reads the log of a server of ours while a trial runs: what it says of waits and deadlocks.
//!
//! The log is exact where the sampler is not, and it has what the sampler cannot see. It is read by
//! offset, from the trial's begin on. A message of our own at the end says that everything before
//! it has been read: a container's log arrives late.

use std::collections::BTreeMap;
use std::io::SeekFrom;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::clock::{Clock, Micros};
use crate::connect::{self, Address, Session};
use crate::history::{Event, LogReport, Recorder, Role, SessionSeen};

use super::APPLICATION_NAME;
use super::log_lines::{Lines, Message};
use super::log_waits::{Found, LogWaits};

/// Between two readings: a table that is dropped still has its name when a wait for it is read.
const INTERVAL: Duration = Duration::from_millis(250);
/// Longest wait for an answer of our own session.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for our own last message.
const LAST_TIMEOUT: Duration = Duration::from_secs(3);
const LAST_POLL: Duration = Duration::from_millis(20);
/// How often the server is asked for its time.
const EPOCH_ANSWERS: usize = 5;
/// Bytes that are read at once.
const PIECE_BYTES: u64 = 1 << 20;
/// A log that grows by more than this in a trial is not read any further.
const BYTES_MAX: u64 = 1 << 30;

const OWNERS: &str = include_str!("sql/owners.sql");
const SETTINGS: &str = "\
SELECT current_setting('log_lock_waits')::bool,
       (SELECT setting::int8 FROM pg_settings WHERE name = 'deadlock_timeout'),
       current_database()::text";
const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::int8";
/// The text of our own last message; the number of its trial's database follows.
const LAST: &str = "pgauntlet: end of ";

/// The log is being read. Dropped, that ends, and nothing is reported.
pub struct LogReading {
    stop: DropGuard,
    task: JoinHandle<()>,
}

/// Begins to read the log at its present end; without a path there is none that we could read.
pub async fn read_log(address: &Address, recorder: &Recorder, path: Option<&Path>) -> LogReading {
    let stop = CancellationToken::new();
    let reader = Reader::open(address, recorder, path).await;
    let (recorder, stopped) = (recorder.clone(), stop.clone());
    let task = tokio::spawn(async move {
        let report = match reader {
            Ok(reader) => reader.run(&recorder, stopped).await,
            Err(why) => LogReport { not_read: Some(why), ..LogReport::default() },
        };
        recorder.record(Event::Log(report));
    });
    LogReading { stop: stop.drop_guard(), task }
}

impl LogReading {
    /// Reads the rest, and records what came of it.
    pub async fn stop(self) {
        drop(self.stop);
        // A task that panicked has recorded nothing: the log is no evidence then.
        let _ = self.task.await;
    }
}

struct Reader {
    session: Session,
    database: String,
    path: PathBuf,
    file: File,
    /// The server's time since the epoch when the trial's clock read zero.
    epoch: Micros,
    lines: Lines,
    waits: LogWaits,
    report: LogReport,
    /// Our own last message was read.
    ended: bool,
}

impl Reader {
    /// Fails with what keeps the log from being read.
    async fn open(
        address: &Address,
        recorder: &Recorder,
        path: Option<&Path>,
    ) -> Result<Reader, String> {
        let path = path.ok_or("the log of this server cannot be read from here")?.to_owned();
        let session = Session::open(address, APPLICATION_NAME, &settings()).await;
        let session = session.map_err(|error| error.to_string())?;
        let seen = SessionSeen { session: session.id(), role: Role::Observer };
        recorder.record(Event::Session(seen));
        let row = session.client().query_one(SETTINGS, &[]).await;
        let row = row.map_err(|error| connect::Error::query(SETTINGS, &error).to_string())?;
        if !row.get::<_, bool>(0) {
            return Err("log_lock_waits is off".to_owned());
        }
        let timeout_ms = row.get::<_, Option<i64>>(1).and_then(|ms| u64::try_from(ms).ok());
        let database = row.get(2);
        let unreadable = |error: std::io::Error| format!("read {}: {error}", path.display());
        let mut file = File::open(&path).await.map_err(unreadable)?;
        file.seek(SeekFrom::End(0)).await.map_err(unreadable)?;
        let epoch = epoch(&session, recorder.clock()).await.ok_or("the server has no time")?;
        let report = LogReport {
            deadlock_timeout_us: timeout_ms.map(Micros::from_millis),
            ..LogReport::default()
        };
        Ok(Reader {
            session,
            database,
            path,
            file,
            epoch,
            lines: Lines::default(),
            waits: LogWaits::default(),
            report,
            ended: false,
        })
    }

    async fn run(mut self, recorder: &Recorder, stopped: CancellationToken) -> LogReport {
        while !stopped.is_cancelled() {
            if let Err(error) = self.read(recorder).await {
                return self.unread(error.to_string());
            }
            let _ = tokio::time::timeout(INTERVAL, stopped.cancelled()).await;
        }
        let last = tokio::time::timeout(LAST_TIMEOUT, self.read_to_the_last(recorder)).await;
        let now = recorder.clock().now();
        let messages: Vec<Message> = self.lines.end().into_iter().collect();
        self.take(recorder, &messages).await;
        for wait in std::mem::take(&mut self.waits).end() {
            recorder.record_at(now, Event::LoggedWait(wait.into()));
        }
        match last {
            Ok(Ok(())) => self.report,
            Ok(Err(why)) => self.unread(why),
            Err(_) => {
                let seconds = LAST_TIMEOUT.as_secs();
                self.unread(format!("a message of our own was not in it within {seconds} s"))
            }
        }
    }

    fn unread(self, why: String) -> LogReport {
        let not_read = Some(format!("read {}: {why}", self.path.display()));
        LogReport { not_read, ..self.report }
    }

    /// Writes a message to the log, and reads until it comes.
    async fn read_to_the_last(&mut self, recorder: &Recorder) -> Result<(), String> {
        let database = self.database.replace('\'', "''");
        let sql = format!("DO $$BEGIN RAISE LOG '{LAST}%', '{database}'; END$$");
        self.session.batch(&sql).await.map_err(|error| error.to_string())?;
        loop {
            self.read(recorder).await.map_err(|error| error.to_string())?;
            if self.ended {
                return Ok(());
            }
            tokio::time::sleep(LAST_POLL).await;
        }
    }

    /// Reads what has come, and records what it says.
    async fn read(&mut self, recorder: &Recorder) -> std::io::Result<()> {
        loop {
            let mut piece = Vec::new();
            (&mut self.file).take(PIECE_BYTES).read_to_end(&mut piece).await?;
            self.report.bytes += piece.len() as u64;
            if piece.is_empty() {
                return Ok(());
            }
            if self.report.bytes > BYTES_MAX {
                return Err(std::io::Error::other("it grew too large"));
            }
            let messages = self.lines.add(&piece);
            self.take(recorder, &messages).await;
        }
    }

    /// Records what messages of the trial's database say.
    async fn take(&mut self, recorder: &Recorder, messages: &[Message]) {
        // The message that is being put together counts too: nothing may come after the last.
        self.ended |= messages.iter().chain(self.lines.last()).any(|message| self.is_last(message));
        let ours = messages.iter().filter(|message| message.database == self.database);
        let ours: Vec<Message> = ours.cloned().collect();
        let unnamed = self.waits.unnamed(&ours);
        if !unnamed.is_empty() {
            self.waits.name(self.names(&unnamed).await.into_iter());
            // A server's clock may be set while a trial runs.
            self.epoch = epoch(&self.session, recorder.clock()).await.unwrap_or(self.epoch);
        }
        for message in &ours {
            for found in self.waits.add(message.at - self.epoch, message) {
                let (at, event) = match found {
                    Found::Wait(at, wait) => (at, Event::LoggedWait(wait.into())),
                    Found::Deadlock(at, deadlock) => (at, Event::LoggedDeadlock(deadlock.into())),
                };
                recorder.record_at(at, event);
            }
        }
    }

    fn is_last(&self, message: &Message) -> bool {
        message.database == self.database && message.text.starts_with(LAST)
    }

    /// The relations that are still there, as their users know them.
    async fn names(&self, oids: &[u32]) -> BTreeMap<u32, String> {
        let oids = oids.to_vec();
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 1] = [&oids];
        let asked = self.session.client().query(OWNERS, &parameters);
        match tokio::time::timeout(ANSWER_TIMEOUT, asked).await {
            Ok(Ok(rows)) => rows.iter().map(|row| (row.get(0), row.get(1))).collect(),
            _ => BTreeMap::new(),
        }
    }
}

/// The server's time at the zero of the trial's clock, by the quickest of some answers: half a
/// round trip bounds the error.
async fn epoch(session: &Session, clock: Clock) -> Option<Micros> {
    let mut quickest: Option<(Micros, Micros)> = None;
    for _ in 0..EPOCH_ANSWERS {
        let asked = clock.now();
        let answer = session.client().query_one(NOW, &[]);
        let answer = tokio::time::timeout(ANSWER_TIMEOUT, answer).await;
        let took = clock.now() - asked;
        let server: i64 = answer.ok()?.ok()?.get(0);
        let epoch = Micros(u64::try_from(server).ok()?) - (asked + Micros(took.0 / 2));
        if quickest.is_none_or(|(least, _)| took < least) {
            quickest = Some((took, epoch));
        }
    }
    quickest.map(|(_, epoch)| epoch)
}

/// What a database or a role may have set would end the session, or keep our message from the log.
fn settings() -> BTreeMap<String, String> {
    let statement_timeout = ANSWER_TIMEOUT.as_millis().to_string();
    [
        ("statement_timeout", statement_timeout.as_str()),
        ("idle_session_timeout", "0"),
        ("default_transaction_isolation", "read committed"),
        ("default_transaction_read_only", "off"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}
