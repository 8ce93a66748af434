//! Cuts a byte stream into messages by tag and length, and nothing more.
//!
//! Only small messages are gathered whole. Of a long one the head is given out as soon as it is
//! there and the rest as it comes, and rows go through in the pieces in which they were read, so
//! that no message is ever held in memory. Whatever is given out, in order, is what came in.

use bytes::{Bytes, BytesMut};
use postgres_protocol::message::backend::Header;

/// Tag and length.
const HEADER_BYTES: usize = 5;
/// Longer messages are not gathered: this much of them is enough to trace.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// A piece of the stream. The bytes hold tag and length as they were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A whole message.
    Message {
        /// The message's type byte.
        tag: u8,
        /// Tag, length and body.
        bytes: Bytes,
    },
    /// The head of a long message; what is left of it follows as [`Frame::Rows`].
    Head {
        /// The message's type byte.
        tag: u8,
        /// Tag, length and the first bytes of the body.
        bytes: Bytes,
    },
    /// Rows or copied data, in whatever pieces, and the rest of long messages.
    Rows {
        /// The bytes as they were read.
        bytes: Bytes,
    },
}

impl Frame {
    /// The bytes to pass on.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Frame::Message { bytes, .. } | Frame::Head { bytes, .. } | Frame::Rows { bytes } => {
                bytes
            }
        }
    }

    /// None: the middle of something.
    pub fn tag(&self) -> Option<u8> {
        match self {
            Frame::Message { tag, .. } | Frame::Head { tag, .. } => Some(*tag),
            Frame::Rows { .. } => None,
        }
    }

    /// What comes after tag and length, as far as it is here.
    pub fn body(&self) -> &[u8] {
        match self {
            Frame::Message { bytes, .. } | Frame::Head { bytes, .. } => &bytes[HEADER_BYTES..],
            Frame::Rows { .. } => &[],
        }
    }
}

/// The length of a message is less than the length itself takes: not this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cut the stream into messages: a length is below 4")]
pub struct BadLength;

/// Who sends the stream; a tag means one thing from a client and another from a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// The client of the protocol.
    Client,
    /// The server.
    Server,
}

impl Sender {
    /// CopyData of either, DataRow of a server.
    fn is_row(self, tag: u8) -> bool {
        tag == b'd' || (tag == b'D' && self == Sender::Server)
    }
}

/// One direction of a connection.
#[derive(Debug)]
pub struct Frames {
    sender: Sender,
    /// Read and not given out.
    buffer: BytesMut,
    /// Bytes that are still to come of the message that was given out last.
    left: usize,
}

impl Frames {
    /// A direction on which nothing has come yet.
    pub fn new(sender: Sender) -> Frames {
        Frames { sender, buffer: BytesMut::new(), left: 0 }
    }

    /// Where to read to.
    pub fn buffer(&mut self) -> &mut BytesMut {
        &mut self.buffer
    }

    /// What is there and is no whole piece yet; for a caller that gives up on messages.
    pub fn take_rest(&mut self) -> Bytes {
        self.left = 0;
        self.buffer.split().freeze()
    }

    /// The next piece; None: more has to be read.
    ///
    /// # Errors
    /// A message states a length that none can have.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, BadLength> {
        let rows = self.rows()?;
        if rows > 0 {
            return Ok(Some(Frame::Rows { bytes: self.buffer.split_to(rows).freeze() }));
        }
        let Some((tag, total)) = header(&self.buffer)? else { return Ok(None) };
        if self.buffer.len() >= total && total <= HEAD_BYTES_MAX {
            return Ok(Some(Frame::Message { tag, bytes: self.buffer.split_to(total).freeze() }));
        }
        if total > HEAD_BYTES_MAX && self.buffer.len() >= HEAD_BYTES_MAX {
            self.left = total - HEAD_BYTES_MAX;
            let bytes = self.buffer.split_to(HEAD_BYTES_MAX).freeze();
            return Ok(Some(Frame::Head { tag, bytes }));
        }
        Ok(None)
    }

    /// How many bytes from the start go through unread: the rest of a message, and rows.
    fn rows(&mut self) -> Result<usize, BadLength> {
        let mut at = self.left.min(self.buffer.len());
        self.left -= at;
        while self.left == 0
            && let Some((tag, total)) = header(&self.buffer[at..])?
            && self.sender.is_row(tag)
        {
            let here = total.min(self.buffer.len() - at);
            self.left = total - here;
            at += here;
        }
        Ok(at)
    }
}

/// Tag and length of the whole message with its tag; None: too little is here.
fn header(bytes: &[u8]) -> Result<Option<(u8, usize)>, BadLength> {
    let Some(header) = Header::parse(bytes).map_err(|_| BadLength)? else { return Ok(None) };
    // `Header::parse` refuses a negative length.
    let length = usize::try_from(header.len()).map_err(|_| BadLength)?;
    Ok(Some((header.tag(), length + 1)))
}
