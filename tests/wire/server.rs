//! A server by the rules of the protocol, whose statements only pretend.
//!
//! It keeps its answers until a Flush, a Sync, an error or a copy, or until its buffer is full;
//! after an error in the extended protocol it passes over everything up to the next Sync; while it
//! reads copied data it passes over Sync and Flush; it does not read while it writes. It knows
//! which messages are the tap's own, and notes where one of them does what a tap must not do.

use std::collections::HashMap;

use bytes::BytesMut;
use pgauntlet::scenario::generate::Rng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::watch;

use super::messages::{TAP, complaint, complete, message, read_texts, ready, row, take, texts};

/// As a server's own.
const OUT_BYTES_MAX: usize = 8 * 1024;

/// How far the server is, for a client that waits.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Messages of the client's that were worked off; Flushes are not counted.
    pub messages: usize,
    /// Bytes that the client is to have, sent or not.
    pub bytes: usize,
    pub copying: bool,
    pub closed: bool,
}

/// What a statement has to be told as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub tags: Vec<String>,
    pub error: Option<String>,
}

#[derive(Debug, Default)]
pub struct Report {
    /// Messages that came, without the tap's own.
    pub received: Vec<Vec<u8>>,
    /// Bytes that the client has to get.
    pub sent: Vec<u8>,
    pub told: Vec<Told>,
    /// Questions of the tap's.
    pub questions: usize,
    pub violations: Vec<String>,
}

struct Portal {
    text: String,
    /// Rows that it has still to give.
    left: u32,
}

pub struct Server {
    stream: DuplexStream,
    input: BytesMut,
    out: Vec<u8>,
    /// Of it what is the client's.
    out_for_client: Vec<u8>,
    rng: Rng,
    facts: watch::Sender<Facts>,
    report: Report,
    statements: HashMap<String, String>,
    portals: HashMap<String, Portal>,
    /// As ReadyForQuery tells it.
    status: u8,
    /// Up to the next Sync.
    skipping: bool,
    /// Something was run since the last Sync or COMMIT, by anybody or by the client.
    executed: bool,
    executed_by_client: bool,
    /// The client prepared a statement and did not run it yet.
    prepared: bool,
    /// The message before was the last of a question of the tap's.
    after_question: bool,
    /// The message that is worked off is the tap's.
    for_tap: bool,
    dead: bool,
}

/// Why a statement did not end well; the message.
type Outcome = Result<String, String>;

impl Server {
    pub fn new(stream: DuplexStream, seed: u64, facts: watch::Sender<Facts>) -> Server {
        Server {
            stream,
            input: BytesMut::new(),
            out: Vec::new(),
            out_for_client: Vec::new(),
            rng: Rng::seed_from_u64(seed),
            facts,
            report: Report::default(),
            statements: HashMap::new(),
            portals: HashMap::new(),
            status: b'I',
            skipping: false,
            executed: false,
            executed_by_client: false,
            prepared: false,
            after_question: false,
            for_tap: false,
            dead: false,
        }
    }

    pub async fn serve(mut self) -> Report {
        self.start().await;
        while !self.dead
            && let Some((tag, message)) = self.read().await
        {
            self.work_off(tag, &message[5..]).await;
            self.worked_off(tag);
        }
        self.facts.send_modify(|facts| facts.closed = true);
        self.report
    }

    /// No questions asked, and a key as long as protocol 3.2 allows.
    async fn start(&mut self) {
        while self.input.len() < 8 || self.input.len() < self.startup_length() {
            if !matches!(self.stream.read_buf(&mut self.input).await, Ok(1..)) {
                self.dead = true;
                return;
            }
        }
        let length = self.startup_length();
        self.report.received.push(self.input.split_to(length).to_vec());
        self.emit(message(b'R', &[0; 4])).await;
        let version = if self.rng.random() { "14.20" } else { "17.2 (Debian)" };
        self.emit(message(b'S', &texts(&["server_version", version], &[]))).await;
        let key = if self.rng.random() { 8 } else { 36 };
        self.emit(message(b'K', &vec![7; key])).await;
        self.ready().await;
    }

    fn startup_length(&self) -> usize {
        let length = self.input[..4].try_into().expect("four bytes");
        u32::from_be_bytes(length) as usize
    }

    /// None: the connection has ended.
    async fn read(&mut self) -> Option<(u8, BytesMut)> {
        loop {
            if let Some((tag, message)) = take(&mut self.input) {
                self.received(tag, &message);
                return Some((tag, message));
            }
            if !matches!(self.stream.read_buf(&mut self.input).await, Ok(1..)) {
                return None;
            }
        }
    }

    fn received(&mut self, tag: u8, message: &[u8]) {
        let body = &message[5..];
        let names = match tag {
            b'P' | b'B' | b'E' => read_texts(body),
            b'C' => read_texts(&body[1..]),
            _ => Vec::new(),
        };
        let named = names.first().is_some_and(|name| name == TAP);
        self.for_tap = named || self.after_question && matches!(tag, b'S' | b'H');
        self.after_question = named && tag == b'C';
        if !self.for_tap {
            self.report.received.push(message.to_vec());
        } else if !named {
            self.report.questions += 1;
        }
        if self.for_tap && self.status == b'E' && tag == b'E' {
            self.violation("asks in a failed transaction");
        }
    }

    fn worked_off(&mut self, tag: u8) {
        if !self.for_tap && tag != b'H' {
            self.facts.send_modify(|facts| facts.messages += 1);
        }
    }

    fn violation(&mut self, what: &str) {
        self.report.violations.push(format!("the tap {what}"));
    }

    async fn work_off(&mut self, tag: u8, body: &[u8]) {
        match tag {
            b'X' => self.dead = true,
            b'S' => self.sync().await,
            _ if self.skipping => {}
            b'H' => self.flush().await,
            b'Q' => self.query(&read_texts(body)[0]).await,
            b'F' => self.function(body[3] != 0).await,
            b'P' | b'B' | b'C' | b'D' => {
                let prepares = matches!(tag, b'P' | b'B') && !self.for_tap;
                self.prepared |= prepares;
                if let Err(error) = self.prepare(tag, body).await {
                    if std::mem::take(&mut self.prepared) {
                        self.tell(Vec::new(), Some(error.clone()));
                    }
                    self.fail(&error, true).await;
                }
            }
            b'E' => {
                let name = read_texts(body).swap_remove(0);
                let limit = u32::from(body[body.len() - 1]);
                self.execute(&name, limit).await;
            }
            // Of a copy that is over.
            b'd' | b'c' | b'f' => {}
            other => panic!("a client does not say {other}"),
        }
    }

    async fn prepare(&mut self, tag: u8, body: &[u8]) -> Result<(), String> {
        let names = read_texts(if matches!(tag, b'C' | b'D') { &body[1..] } else { body });
        match tag {
            b'P' => {
                self.allowed(&names[1])?;
                if names[1].starts_with("SELEC ") || names[1] == "SELEC" {
                    return Err("syntax error".to_owned());
                }
                if !names[0].is_empty() && self.statements.contains_key(&names[0]) {
                    return Err("the statement exists".to_owned());
                }
                self.statements.insert(names[0].clone(), names[1].clone());
                self.emit(message(b'1', &[])).await;
            }
            b'B' => {
                let text = self.statements.get(&names[1]).ok_or("no such statement")?.clone();
                self.allowed(if text.is_empty() { "nothing, bound" } else { &text })?;
                if text == "SELECT bad parameter" {
                    return Err("bad parameter".to_owned());
                }
                if !names[0].is_empty() && self.portals.contains_key(&names[0]) {
                    return Err("the portal exists".to_owned());
                }
                let left = rows(&text).map_or(0, |(rows, _)| rows);
                self.portals.insert(names[0].clone(), Portal { text, left });
                self.emit(message(b'2', &[])).await;
            }
            b'C' => {
                match body[0] {
                    b'S' => self.statements.remove(&names[0]).is_some(),
                    _ => self.portals.remove(&names[0]).is_some(),
                };
                self.emit(message(b'3', &[])).await;
            }
            _ if body[0] == b'S' => {
                let text = self.statements.get(&names[0]).ok_or("no such statement")?.clone();
                self.emit(message(b't', &[0, 0])).await;
                self.describe(&text).await;
            }
            _ => {
                let portal = self.portals.get(&names[0]).ok_or("no such portal")?;
                let text = portal.text.clone();
                self.describe(&text).await;
            }
        }
        Ok(())
    }

    async fn describe(&mut self, text: &str) {
        match rows(text) {
            Some(_) => self.emit(message(b'T', &[0, 0])).await,
            None => self.emit(message(b'n', &[])).await,
        }
    }

    /// In a failed transaction only its end is, and nothing at all.
    fn allowed(&self, text: &str) -> Result<(), String> {
        let allowed = ["", "COMMIT", "ROLLBACK", "ROLLBACK TO a"];
        match self.status == b'E' && !allowed.contains(&text) {
            true => Err("current transaction is aborted".to_owned()),
            false => Ok(()),
        }
    }

    async fn execute(&mut self, name: &str, limit: u32) {
        self.prepared = false;
        let outcome = match self.portals.get_mut(name) {
            None => Err("no such portal".to_owned()),
            Some(portal) => {
                let text = portal.text.clone();
                let given = if limit == 0 { portal.left } else { portal.left.min(limit) };
                portal.left -= given;
                let suspended = limit > 0 && given == limit;
                self.run(&text, given, suspended).await
            }
        };
        match outcome {
            Ok(tag) => {
                self.answer(&tag).await;
                self.tell(vec![tag], None);
            }
            Err(error) => {
                self.tell(Vec::new(), Some(error.clone()));
                self.fail(&error, true).await;
            }
        }
    }

    async fn answer(&mut self, tag: &str) {
        match tag {
            "suspended" => self.emit(message(b's', &[])).await,
            "" => self.emit(message(b'I', &[])).await,
            tag => self.emit(complete(tag)).await,
        }
    }

    async fn query(&mut self, text: &str) {
        self.prepared = false;
        self.statements.remove("");
        self.portals.remove("");
        let (mut tags, mut error) = (Vec::new(), None);
        let mut pieces: Vec<&str> = text.split("; ").filter(|piece| !piece.is_empty()).collect();
        if pieces.is_empty() {
            pieces.push("");
        }
        for piece in pieces {
            let all = rows(piece).map(|(rows, _)| rows);
            if all.is_some() {
                self.emit(message(b'T', &[0, 0])).await;
            }
            match self.run(piece, all.unwrap_or_default(), false).await {
                Ok(tag) => {
                    self.answer(&tag).await;
                    tags.push(tag);
                }
                Err(failed) => {
                    error = Some(failed);
                    break;
                }
            }
        }
        self.tell(tags, error.clone());
        if let Some(error) = error {
            self.fail(&error, false).await;
        }
        self.implicit_end();
        self.ready().await;
    }

    async fn function(&mut self, fails: bool) {
        match fails {
            true => {
                self.tell(Vec::new(), Some("no such function".to_owned()));
                self.fail("no such function", false).await;
            }
            false => {
                self.tell(Vec::new(), None);
                self.emit(message(b'V', &[255; 4])).await;
            }
        }
        self.implicit_end();
        self.ready().await;
    }

    /// Gives its rows and the tag.
    async fn run(&mut self, text: &str, given: u32, suspended: bool) -> Outcome {
        if text == "SELECT dies" {
            self.dead = true;
            return Err("terminating connection".to_owned());
        }
        self.allowed(text)?;
        let control = self.control(text)?;
        if control.is_none() {
            self.executed = true;
            self.executed_by_client |= !self.for_tap;
        }
        if let Some(tag) = control {
            return Ok(tag);
        }
        if let Some((_, bytes)) = rows(text) {
            let value = vec![b'v'; bytes as usize];
            for _ in 0..given {
                self.emit(row(&value)).await;
            }
            let tag = if suspended { "suspended".to_owned() } else { format!("SELECT {given}") };
            return Ok(tag);
        }
        match text.split(' ').collect::<Vec<_>>()[..] {
            ["COPY", table, "FROM", "STDIN"] => self.copy_in(table).await,
            ["COPY", "t", "TO", "STDOUT", rows] => self.copy_out(rows).await,
            ["UPDATE", ..] => Err("division by zero".to_owned()),
            ["SELEC", ..] | ["SELECT", "bad", ..] => Err("syntax error".to_owned()),
            ["ALTER", ..] => Ok("ALTER TABLE".to_owned()),
            ["INSERT", ..] => Ok("INSERT 0 1".to_owned()),
            ["SHOW", _] | ["SELECT", "oid,", ..] if self.for_tap => {
                self.emit(row(b"0")).await;
                Ok("SHOW".to_owned())
            }
            [word, ..] => Ok(word.to_owned()),
            [] => Ok(String::new()),
        }
    }

    /// Transactions, and what must not run inside one; None: another statement.
    fn control(&mut self, text: &str) -> Result<Option<String>, String> {
        let in_transaction = self.status != b'I';
        let tag = match text {
            "BEGIN" => {
                self.status = if in_transaction { self.status } else { b'T' };
                "BEGIN"
            }
            "COMMIT" | "ROLLBACK" => {
                let failed = self.status == b'E';
                self.status = b'I';
                self.implicit_end();
                if failed { "ROLLBACK" } else { text }
            }
            "SAVEPOINT a" | "ROLLBACK TO a" if !in_transaction => {
                return Err("no transaction is open".to_owned());
            }
            "SAVEPOINT a" => "SAVEPOINT",
            "ROLLBACK TO a" => {
                self.status = b'T';
                "ROLLBACK"
            }
            "VACUUM t" if in_transaction || self.executed_by_client => {
                return Err("VACUUM cannot run inside a transaction block".to_owned());
            }
            "VACUUM t" => {
                if self.executed {
                    self.violation("ran something ahead of a statement that has to be the first");
                }
                self.implicit_end();
                "VACUUM"
            }
            _ => return Ok(None),
        };
        Ok(Some(tag.to_owned()))
    }

    async fn copy_in(&mut self, table: &str) -> Outcome {
        self.emit(message(b'G', &[0; 3])).await;
        self.flush().await;
        if table == "v" {
            return Err("cannot copy to a view".to_owned());
        }
        self.facts.send_modify(|facts| facts.copying = true);
        let outcome = self.copied(table).await;
        self.facts.send_modify(|facts| facts.copying = false);
        outcome
    }

    async fn copied(&mut self, table: &str) -> Outcome {
        let mut rows = 0;
        loop {
            let Some((tag, _)) = self.read().await else {
                self.dead = true;
                return Err("unexpected EOF".to_owned());
            };
            if self.for_tap {
                self.violation("asks while data is copied");
            }
            match tag {
                b'd' if table == "bad" => {
                    self.worked_off(tag);
                    return Err("bad data".to_owned());
                }
                b'd' => rows += 1,
                b'S' | b'H' => {}
                b'c' => {
                    self.worked_off(tag);
                    return Ok(format!("COPY {rows}"));
                }
                b'f' => {
                    self.worked_off(tag);
                    return Err("COPY from stdin failed".to_owned());
                }
                other => panic!("a client does not say {other} while it copies"),
            }
            self.worked_off(tag);
        }
    }

    async fn copy_out(&mut self, rows: &str) -> Outcome {
        self.emit(message(b'H', &[0; 3])).await;
        for _ in 0..rows.parse::<u32>().expect("rows") {
            self.emit(message(b'd', b"a row\n")).await;
        }
        self.emit(message(b'c', &[])).await;
        Ok(format!("COPY {rows}"))
    }

    async fn fail(&mut self, error: &str, extended: bool) {
        if self.status == b'T' {
            self.status = b'E';
        }
        let severity = if self.dead { "FATAL" } else { "ERROR" };
        self.emit(complaint(b'E', severity, error)).await;
        self.flush().await;
        self.skipping = extended;
    }

    async fn sync(&mut self) {
        if self.for_tap && self.skipping {
            self.violation("let go on what has failed");
        }
        let open = self.executed_by_client || self.prepared || !self.portals.is_empty();
        if self.for_tap && self.status == b'I' && open {
            self.violation("ended a transaction of the client's");
        }
        (self.skipping, self.prepared) = (false, false);
        self.implicit_end();
        self.ready().await;
    }

    /// Of what was run outside a transaction's block.
    fn implicit_end(&mut self) {
        if self.status == b'I' {
            self.portals.clear();
        }
        (self.executed, self.executed_by_client) = (false, false);
    }

    async fn ready(&mut self) {
        if !self.dead {
            let status = self.status;
            self.emit(ready(status)).await;
            self.flush().await;
        }
    }

    fn tell(&mut self, tags: Vec<String>, error: Option<String>) {
        if !self.for_tap {
            self.report.told.push(Told { tags, error });
        }
    }

    async fn emit(&mut self, bytes: Vec<u8>) {
        if self.rng.random_ratio(1, 12) {
            let unasked = match self.rng.random_range(0..3) {
                0 => complaint(b'N', "NOTICE", "by the way"),
                1 => message(b'A', &texts(&["", "", "", "", "channel", "payload"], &[])),
                _ => message(b'S', &texts(&["application_name", "another"], &[])),
            };
            self.push(unasked, false).await;
        }
        self.push(bytes, self.for_tap).await;
    }

    async fn push(&mut self, bytes: Vec<u8>, for_tap: bool) {
        self.out.extend_from_slice(&bytes);
        if !for_tap {
            self.out_for_client.extend_from_slice(&bytes);
            self.facts.send_modify(|facts| facts.bytes += bytes.len());
        }
        if self.out.len() > OUT_BYTES_MAX {
            self.flush().await;
        }
    }

    async fn flush(&mut self) {
        let out = std::mem::take(&mut self.out);
        self.report.sent.append(&mut self.out_for_client);
        if self.stream.write_all(&out).await.is_err() {
            self.dead = true;
        }
    }
}

/// Rows of a SELECT and their bytes.
fn rows(text: &str) -> Option<(u32, u32)> {
    let (rows, bytes) = text.strip_prefix("SELECT ")?.split_once(' ')?;
    Some((rows.parse().ok()?, bytes.parse().ok()?))
}
