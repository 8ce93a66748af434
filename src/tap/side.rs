//! The two directions of one side of a connection: what comes from it, what goes to it.

use std::collections::VecDeque;
use std::io::IoSlice;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};

use super::frame::{Frames, Sender};
use super::watch::BoxStream;

/// Room for one read. Copied data comes in such pieces.
const READ_BYTES: usize = 128 * 1024;
/// Bytes on their way to one side beyond which nothing more is read from the other.
const OUT_BYTES_MAX: usize = 512 * 1024;
/// Pieces written in one call.
const SLICES_MAX: usize = 32;

pub struct Incoming {
    pub frames: Frames,
    reader: ReadHalf<BoxStream>,
    /// It has not said its end yet.
    pub open: bool,
}

pub struct Outgoing {
    writer: WriteHalf<BoxStream>,
    pieces: VecDeque<Bytes>,
    bytes: usize,
    closed: bool,
}

pub fn split(stream: BoxStream, sender: Sender) -> (Incoming, Outgoing) {
    let (reader, writer) = tokio::io::split(stream);
    let incoming = Incoming { frames: Frames::new(sender), reader, open: true };
    let outgoing = Outgoing { writer, pieces: VecDeque::new(), bytes: 0, closed: false };
    (incoming, outgoing)
}

impl Incoming {
    /// Reads once. May be dropped: nothing is lost.
    pub async fn read(&mut self) -> std::io::Result<()> {
        let buffer = self.frames.buffer();
        buffer.reserve(READ_BYTES);
        if self.reader.read_buf(buffer).await? == 0 {
            self.open = false;
        }
        Ok(())
    }

    /// Reads and forgets until the side says its end or breaks off.
    pub async fn until_gone(&mut self) {
        while self.open && self.read().await.is_ok() {
            self.frames.take_rest();
        }
    }

    /// Reads and forgets until the side breaks off. One that only says its end may still listen.
    pub async fn discard(&mut self) {
        while self.open {
            if self.read().await.is_err() {
                return;
            }
            self.frames.take_rest();
        }
        std::future::pending().await
    }
}

impl Outgoing {
    pub fn push(&mut self, bytes: Bytes) {
        // No task is there to take it; what it is about goes on all the same.
        if !self.closed && !bytes.is_empty() {
            self.bytes += bytes.len();
            self.pieces.push_back(bytes);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub fn has_room(&self) -> bool {
        self.bytes < OUT_BYTES_MAX
    }

    /// Writes once. May be dropped: what was not written is still there.
    pub async fn write(&mut self) -> std::io::Result<()> {
        let slices: Vec<IoSlice<'_>> =
            self.pieces.iter().take(SLICES_MAX).map(|piece| IoSlice::new(piece)).collect();
        let mut written = self.writer.write_vectored(&slices).await?;
        if written == 0 {
            return Err(std::io::ErrorKind::WriteZero.into());
        }
        self.bytes -= written;
        while let Some(first) = self.pieces.front_mut() {
            if written < first.len() {
                first.advance(written);
                break;
            }
            written -= first.len();
            self.pieces.pop_front();
        }
        Ok(())
    }

    pub async fn flush(&mut self) -> std::io::Result<()> {
        while !self.is_empty() {
            self.write().await?;
        }
        Ok(())
    }

    /// Says the end after what is still to be written, and takes nothing more.
    pub async fn close(&mut self) {
        if !self.closed {
            // A side that is gone has no use for it.
            let _ = self.flush().await;
            let _ = self.writer.shutdown().await;
            self.give_up();
        }
    }

    /// The side is gone: what is left for it goes nowhere.
    pub fn give_up(&mut self) {
        self.closed = true;
        self.bytes = 0;
        self.pieces.clear();
    }
}
