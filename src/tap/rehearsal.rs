//! A connection without sockets: what passes, and what has to wait, from bytes given by hand.
//!
//! For fuzzing, where millions of streams go through. It does what `connection` does with each
//! message and probes nothing, asks nothing and records nothing.

use super::conversation::{ClientStep, Conversation, ServerStep};
use super::frame::{BadLength, Frame, Frames, Sender};
use super::message::{FromClient, FromServer, row_values};

#[derive(Debug)]
pub struct Rehearsal {
    conversation: Conversation,
    from_client: Frames,
    from_server: Frames,
    held: Option<(Frame, FromClient)>,
    /// One side does not speak the protocol: everything passes.
    unframed: bool,
    /// What went to the server, without the tap's own Flushes.
    pub to_server: Vec<u8>,
    pub to_client: Vec<u8>,
    /// Flushes of the tap's own.
    pub flushes: usize,
    /// Statements that began, and that ended or were dropped.
    pub began: usize,
    pub ended: usize,
}

impl Default for Rehearsal {
    fn default() -> Rehearsal {
        Rehearsal {
            conversation: Conversation::default(),
            from_client: Frames::new(Sender::Client),
            from_server: Frames::new(Sender::Server),
            held: None,
            unframed: false,
            to_server: Vec::new(),
            to_client: Vec::new(),
            flushes: 0,
            began: 0,
            ended: 0,
        }
    }
}

impl Rehearsal {
    /// One side says something more.
    pub fn hears(&mut self, sender: Sender, bytes: &[u8]) {
        let frames = match sender {
            Sender::Client => &mut self.from_client,
            Sender::Server => &mut self.from_server,
        };
        frames.buffer().extend_from_slice(bytes);
        loop {
            let moved = self.pass_server().and_then(|moved| Ok(moved | self.pass_client()?));
            self.unframed |= moved.is_err();
            if self.unframed {
                return self.pass_unframed();
            }
            if moved == Ok(false) {
                return;
            }
        }
    }

    /// What is here of the client's and has not gone on, in order.
    pub fn waiting(&mut self) -> (Vec<u8>, Vec<u8>) {
        let held = self.held.take().map(|(frame, _)| frame.bytes().clone()).unwrap_or_default();
        let client = [held, self.from_client.take_rest()].concat();
        (client, self.from_server.take_rest().to_vec())
    }

    /// The connection ends.
    pub fn gone(&mut self) {
        self.ended += usize::from(self.conversation.gone().is_some());
    }

    fn pass_client(&mut self) -> Result<bool, BadLength> {
        let mut moved = false;
        loop {
            let (frame, message) = match self.held.take() {
                Some(held) => held,
                None => match self.from_client.next_frame()? {
                    Some(frame) => {
                        let message = FromClient::of(&frame);
                        (frame, message)
                    }
                    None => return Ok(moved),
                },
            };
            match self.conversation.client(&message) {
                step @ (ClientStep::Hold | ClientStep::FlushAndHold) => {
                    self.flushes += usize::from(step == ClientStep::FlushAndHold);
                    self.held = Some((frame, message));
                    return Ok(moved);
                }
                ClientStep::Settle => {
                    self.conversation.settled();
                    self.held = Some((frame, message));
                    continue;
                }
                ClientStep::Begin(_) => self.began += 1,
                ClientStep::Forward | ClientStep::Run(_) => {}
            }
            self.to_server.extend_from_slice(frame.bytes());
            moved = true;
        }
    }

    fn pass_server(&mut self) -> Result<bool, BadLength> {
        let mut moved = false;
        while !self.unframed
            && let Some(frame) = self.from_server.next_frame()?
        {
            moved = true;
            if frame.tag().is_some() {
                let values = row_values(&frame);
                debug_assert!(values.len() <= usize::from(u16::MAX));
                match self.conversation.server(FromServer::of(&frame)) {
                    ServerStep::Ended(_) | ServerStep::Dropped => self.ended += 1,
                    ServerStep::Unframed => self.unframed = true,
                    ServerStep::Forward | ServerStep::Answered => {}
                }
            }
            self.to_client.extend_from_slice(frame.bytes());
        }
        Ok(moved)
    }

    fn pass_unframed(&mut self) {
        let (client, server) = self.waiting();
        self.to_server.extend_from_slice(&client);
        self.to_client.extend_from_slice(&server);
    }
}
