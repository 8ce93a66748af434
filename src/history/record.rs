//! The recorder that workers append to, and the file: a header line, then one event per line.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Deserialize;

use crate::clock::{Clock, Micros};

use super::event::{Entry, Event};
use super::format_4::Header4;
use super::header::{Header, VERSION, VERSION_READ};

/// How long an event may stay in memory before it is written out.
const WRITE_INTERVAL: Duration = Duration::from_millis(200);

/// A whole history in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The file's first line.
    pub header: Header,
    /// In the order of `at_us`.
    pub entries: Vec<Entry>,
}

/// Why a history cannot be read.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant is")]
pub enum ReadError {
    #[error("read {path}: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error("read {path}, line {line}: {source}")]
    Line { path: PathBuf, line: usize, source: serde_json::Error },
    #[error("read {path}: it is empty; a history begins with a header line")]
    Empty { path: PathBuf },
    #[error(
        "read {path}: history format {found}, this pgauntlet reads {VERSION_READ} to {VERSION}; {}",
        remedy(*found)
    )]
    Version { path: PathBuf, found: u32 },
}

/// A history that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("write {path}: {source}")]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// What the system says.
    pub source: std::io::Error,
}

/// Opens an ordinary file: opening a pipe waits for a writer, which may never come.
///
/// # Errors
/// The file cannot be opened, or is none: a pipe, a directory, a device.
pub fn open_ordinary(path: &Path) -> std::io::Result<File> {
    match std::fs::metadata(path)?.is_file() {
        true => File::open(path),
        false => Err(std::io::Error::other("it is no ordinary file")),
    }
}

impl History {
    /// Reads a file that a recorder wrote. A last line that was cut short is not read: the
    /// process that wrote it was killed.
    ///
    /// # Errors
    /// The file cannot be read, is empty, holds a line that is no event, or is of an unknown
    /// version.
    pub fn read(path: &Path) -> Result<History, ReadError> {
        let io = |source| ReadError::Io { path: path.to_owned(), source };
        let mut lines = BufReader::new(open_ordinary(path).map_err(io)?).lines();
        let first = lines.next().ok_or(ReadError::Empty { path: path.to_owned() })?.map_err(io)?;
        let header = parse_header(path, &first)?;
        let mut entries = Vec::new();
        let mut broken: Option<ReadError> = None;
        for (index, line) in lines.enumerate() {
            if let Some(error) = broken.take() {
                return Err(error);
            }
            match serde_json::from_str(&line.map_err(io)?) {
                Ok(entry) => entries.push(entry),
                Err(source) => {
                    let path = path.to_owned();
                    broken = Some(ReadError::Line { path, line: index + 2, source });
                }
            }
        }
        Ok(History::new(header, entries))
    }

    /// Puts the entries in order.
    pub fn new(header: Header, mut entries: Vec<Entry>) -> History {
        entries.sort_by_key(|entry| entry.at_us);
        History { header, entries }
    }
}

fn parse_header(path: &Path, line: &str) -> Result<Header, ReadError> {
    #[derive(Deserialize)]
    struct Versioned {
        pgauntlet_history: u32,
    }
    let at = |source| ReadError::Line { path: path.to_owned(), line: 1, source };
    let versioned: Versioned = serde_json::from_str(line).map_err(at)?;
    match versioned.pgauntlet_history {
        VERSION => serde_json::from_str(line).map_err(at),
        VERSION_READ => Ok(serde_json::from_str::<Header4>(line).map_err(at)?.into()),
        found => Err(ReadError::Version { path: path.to_owned(), found }),
    }
}

/// What to do with a file of a version that is not read.
fn remedy(found: u32) -> &'static str {
    match found > VERSION {
        true => "a newer pgauntlet wrote it and can judge it",
        false => "the pgauntlet that wrote it can judge it; or run it again",
    }
}

/// Appends events from many workers. Clones share one history.
#[derive(Clone)]
pub struct Recorder {
    clock: Clock,
    shared: Arc<RecorderState>,
}

struct RecorderState {
    header: Header,
    entries: Mutex<Vec<Entry>>,
    writer: Option<Writer>,
}

struct Writer {
    path: PathBuf,
    /// Not written yet. Nothing wakes the writing thread: the recording one is being measured.
    unwritten: Weak<Mutex<Vec<Entry>>>,
    /// Dropped to end the thread.
    end: Mutex<Option<Sender<()>>>,
    thread: Mutex<Option<JoinHandle<std::io::Result<()>>>>,
}

impl Recorder {
    /// Starts a history; with a path, events are written there as they come.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn start(
        clock: Clock,
        header: Header,
        path: Option<&Path>,
    ) -> Result<Recorder, WriteError> {
        let writer = path.map(|path| Writer::start(path, &header)).transpose()?;
        let shared = RecorderState { header, entries: Mutex::new(Vec::new()), writer };
        Ok(Recorder { clock, shared: Arc::new(shared) })
    }

    /// For tests and benches: in memory, with an empty header.
    pub fn in_memory(clock: Clock) -> Recorder {
        let header = Header::unnamed();
        let shared = RecorderState { header, entries: Mutex::new(Vec::new()), writer: None };
        Recorder { clock, shared: Arc::new(shared) }
    }

    /// The trial's clock, by which events are dated.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Appends an event that happens now.
    pub fn record(&self, event: Event) {
        self.record_at(self.clock.now(), event);
    }

    /// Records an event that happened at `at`, which is not later than now.
    pub fn record_at(&self, at: Micros, event: Event) {
        let entry = Entry { at_us: at, event };
        if let Some(writer) = &self.shared.writer {
            writer.write(entry.clone());
        }
        lock(&self.shared.entries).push(entry);
    }

    /// Whether an event so far is a wanted one. Recording waits meanwhile.
    pub fn any(&self, wanted: impl FnMut(&Entry) -> bool) -> bool {
        lock(&self.shared.entries).iter().any(wanted)
    }

    /// Ends the history: what is on the way to the file is written and synced.
    ///
    /// # Errors
    /// An event could not be written, now or earlier.
    pub fn finish(&self) -> Result<History, WriteError> {
        if let Some(writer) = &self.shared.writer {
            writer.finish()?;
        }
        let entries = std::mem::take(&mut *lock(&self.shared.entries));
        Ok(History::new(self.shared.header.clone(), entries))
    }
}

impl Writer {
    fn start(path: &Path, header: &Header) -> Result<Writer, WriteError> {
        let fail = |source| WriteError { path: path.to_owned(), source };
        let mut file = BufWriter::new(File::create(path).map_err(fail)?);
        let first = serde_json::to_string(header).map_err(|e| fail(e.into()))?;
        writeln!(file, "{first}").and_then(|()| file.flush()).map_err(fail)?;
        let entries = Arc::new(Mutex::new(Vec::new()));
        let unwritten = Arc::downgrade(&entries);
        let (sender, end) = channel();
        let thread = std::thread::spawn(move || write_lines(file, &entries, &end));
        Ok(Writer {
            path: path.to_owned(),
            unwritten,
            end: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
        })
    }

    fn write(&self, entry: Entry) {
        // A thread that is gone has failed to write; `finish` tells why.
        if let Some(unwritten) = self.unwritten.upgrade() {
            lock(&unwritten).push(entry);
        }
    }

    fn finish(&self) -> Result<(), WriteError> {
        drop(lock(&self.end).take());
        let Some(thread) = lock(&self.thread).take() else { return Ok(()) };
        let written = thread.join().unwrap_or_else(|_| {
            Err(std::io::Error::other("the thread that writes the history panicked"))
        });
        written.map_err(|source| WriteError { path: self.path.clone(), source })
    }
}

/// Writes what has come at intervals, until it is asked to end.
fn write_lines(
    mut file: BufWriter<File>,
    entries: &Mutex<Vec<Entry>>,
    end: &Receiver<()>,
) -> std::io::Result<()> {
    loop {
        let ended = end.recv_timeout(WRITE_INTERVAL) == Err(RecvTimeoutError::Disconnected);
        for entry in std::mem::take(&mut *lock(entries)) {
            serde_json::to_writer(&mut file, &entry)?;
            file.write_all(b"\n")?;
        }
        file.flush()?;
        if ended {
            return file.get_ref().sync_all();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
