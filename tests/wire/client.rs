//! A client that says what the script has, cut anywhere, and keeps all that it hears.

use std::time::Duration;

use pgauntlet::scenario::generate::Rng;
use rand::{RngExt, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

use super::messages::startup;
use super::script::{Ending, Script, Step};
use super::server::Facts;

/// What was said and what was heard, all of it.
#[derive(Debug, Default)]
pub struct Said {
    pub said: Vec<u8>,
    pub heard: Vec<u8>,
}

struct Writer {
    stream: OwnedWriteHalf,
    rng: Rng,
    said: Vec<u8>,
    /// Not written yet.
    due: Vec<u8>,
    /// Messages said, without Flushes and the startup.
    messages: usize,
    heard: watch::Receiver<usize>,
    facts: watch::Receiver<Facts>,
}

pub async fn talk(stream: TcpStream, script: &Script, facts: watch::Receiver<Facts>) -> Said {
    let (reading, writing) = stream.into_split();
    let (hears, heard) = watch::channel(0);
    let writer = Writer {
        stream: writing,
        rng: Rng::seed_from_u64(script.seed),
        said: Vec::new(),
        due: Vec::new(),
        messages: 0,
        heard,
        facts,
    };
    let rng = Rng::seed_from_u64(script.seed ^ 1);
    match script.reads_late {
        true => {
            let (said, _writing) = writer.write(script).await;
            Said { said, heard: listen(reading, rng, hears).await }
        }
        false => {
            let ((said, _writing), heard) =
                tokio::join!(writer.write(script), listen(reading, rng, hears));
            Said { said, heard }
        }
    }
}

async fn listen(mut stream: OwnedReadHalf, mut rng: Rng, hears: watch::Sender<usize>) -> Vec<u8> {
    let mut heard = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        let most = if rng.random() { piece.len() } else { rng.random_range(1..200) };
        match stream.read(&mut piece[..most]).await {
            Ok(read @ 1..) => heard.extend_from_slice(&piece[..read]),
            Ok(_) | Err(_) => return heard,
        }
        hears.send_replace(heard.len());
    }
}

impl Writer {
    /// Gives the socket back as well: dropped, it would say the end.
    async fn write(mut self, script: &Script) -> (Vec<u8>, OwnedWriteHalf) {
        self.due = startup(&[("user", "wire"), ("application_name", "a test")]);
        if !script.optimistic {
            self.wait().await;
        }
        for step in script.steps() {
            match step {
                Step::Send(message) => self.say(&message),
                Step::Wait if script.patient => self.wait().await,
                Step::Wait => {}
                Step::Copy { data, otherwise } => {
                    let wanted = !script.patient || self.facts.borrow().copying;
                    let messages = if wanted { data } else { otherwise };
                    messages.iter().for_each(|message| self.say(message));
                }
            }
        }
        self.send().await;
        if script.ending == Ending::HalfClose {
            // A server that is gone has closed it already.
            let _ = self.stream.shutdown().await;
        }
        (self.said, self.stream)
    }

    fn say(&mut self, message: &[u8]) {
        self.messages += usize::from(message[0] != b'H');
        self.due.extend_from_slice(message);
    }

    /// Writes what is due in pieces.
    async fn send(&mut self) {
        let due = std::mem::take(&mut self.due);
        let mut rest = &due[..];
        while !rest.is_empty() {
            let most = if self.rng.random() { rest.len() } else { self.rng.random_range(1..30) };
            let (piece, behind) = rest.split_at(most.min(rest.len()));
            // A server that is gone hears nothing more.
            let _ = self.stream.write_all(piece).await;
            rest = behind;
            match self.rng.random_range(0..20) {
                0 => tokio::time::sleep(Duration::from_millis(1)).await,
                1..8 => tokio::task::yield_now().await,
                _ => {}
            }
        }
        self.said.extend_from_slice(&due);
    }

    /// Until all that was said is worked off and all answers are here.
    async fn wait(&mut self) {
        self.send().await;
        loop {
            let facts = self.facts.borrow_and_update().clone();
            let heard = *self.heard.borrow_and_update();
            let worked_off = facts.messages + usize::from(facts.copying);
            let started = facts.bytes > 0;
            let answered = worked_off == self.messages && heard == facts.bytes && started;
            if answered || facts.closed {
                return;
            }
            tokio::select! {
                changed = self.facts.changed() => if changed.is_err() { return },
                changed = self.heard.changed() => if changed.is_err() { return },
            }
        }
    }
}
