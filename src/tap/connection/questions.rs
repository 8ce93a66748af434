//! Questions that are put to the change's own session between its statements.

use std::collections::BTreeMap;
use std::io;

use bytes::BytesMut;

use super::super::conversation::StatementOutcome;
use super::super::frame::Frame;
use super::super::injected::{self, Question, Settings};
use super::super::message::{FromServer, values};
use super::super::probes;
use super::super::tracer::rewritable;
use super::super::watch::LockSnapshot;
use super::{Connection, End};
use crate::history::TransactionStatus;

impl Connection {
    pub(super) async fn read_settings(&mut self, in_pipeline: bool) -> Result<(), End> {
        let question = injected::settings(self.conversation.server_version, in_pipeline)?;
        let rows = self.ask(question, in_pipeline).await?;
        match rows.as_deref().and_then(Settings::of_rows) {
            Some(settings) => {
                let others = self.tracer.settings != settings;
                let transaction = self.conversation.transaction();
                let inside = transaction == TransactionStatus::InTransaction;
                self.tracer.probes.settings_read(others, inside);
                self.tracer.settings = settings;
            }
            None => {
                self.missed("the settings in force cannot be read");
            }
        }
        Ok(())
    }

    /// Relfilenodes that the open transaction may have changed, as it sees them.
    pub(super) async fn own_filenodes(
        &mut self,
        snapshot: &LockSnapshot,
        outcome: &StatementOutcome,
    ) -> Result<BTreeMap<u32, u32>, End> {
        let oids = rewritable(snapshot);
        let rows_only = self.tracer.kind().is_none_or(probes::moves_rows);
        if oids.is_empty() || rows_only || probes::took_no_snapshot(&outcome.tags) {
            return Ok(BTreeMap::new());
        }
        let in_pipeline = outcome.in_pipeline;
        let question = injected::filenodes(&oids, in_pipeline)?;
        let Some(rows) = self.ask(question, in_pipeline).await? else {
            if self.from_server.open && self.conversation.parting.is_none() {
                self.missed("what the open transaction rewrote cannot be read");
            }
            return Ok(BTreeMap::new());
        };
        let number = |value: Option<&Option<String>>| value?.as_deref()?.parse::<u32>().ok();
        let pair = |row: &Vec<Option<String>>| Some((number(row.first())?, number(row.get(1))?));
        Ok(rows.iter().filter_map(pair).collect())
    }

    /// Puts a question of our own to the change's session and keeps its answer from the client.
    /// None: the server answered with an error, or is gone.
    pub(super) async fn ask(
        &mut self,
        question: Question,
        in_pipeline: bool,
    ) -> Result<Option<Vec<Vec<Option<String>>>>, End> {
        self.to_server.push(question.bytes);
        if self.to_server.flush().await.is_err() {
            // Its last words may still be on their way.
            self.to_server.give_up();
        }
        let (mut rows, mut closes) = (BytesMut::new(), 0);
        let (mut parsed, mut failed) = (false, false);
        loop {
            let next = self.from_server.frames.next_frame();
            let Some(frame) = next.map_err(io::Error::other)? else {
                self.from_server.open &= self.from_server.read().await.is_ok();
                if !self.from_server.open {
                    return Ok(None);
                }
                continue;
            };
            let done = match frame.tag() {
                Some(b'E') => {
                    failed = true;
                    self.failed_question(&frame, in_pipeline);
                    in_pipeline
                }
                Some(b'1') => {
                    parsed = true;
                    false
                }
                Some(b'N') if parsed && question.warns => false,
                Some(b'N' | b'A' | b'S') => {
                    self.tell(frame.bytes().clone());
                    false
                }
                // What comes before the answer to our Parse is for the client.
                _ if !parsed && !failed => {
                    self.tell(frame.bytes().clone());
                    false
                }
                None => {
                    rows.extend_from_slice(frame.bytes());
                    false
                }
                Some(b'3') => {
                    closes += 1;
                    in_pipeline && closes == question.closes
                }
                Some(b'Z') => true,
                Some(_) => false,
            };
            if done {
                return Ok((!failed).then(|| values(rows)));
            }
        }
    }

    /// An error that ends the client's own pipeline, or its connection, is the client's to know.
    fn failed_question(&mut self, frame: &Frame, in_pipeline: bool) {
        let message = FromServer::of(frame);
        let fatal = matches!(message, FromServer::Error { fatal: true, .. });
        if fatal || in_pipeline {
            self.tell(frame.bytes().clone());
            self.conversation.question_failed(message);
        }
    }
}
