//! A client that sends the messages which it is told to send, and reads what comes.

use std::net::SocketAddr;

use bytes::{Buf, BytesMut};
use pgauntlet::connect::{Address, Wire};
use pgauntlet::tap::frame::{Frame, Frames, Sender};
use postgres_protocol::IsNull;
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::SOON;

pub struct Raw {
    stream: Box<dyn Wire>,
    frames: Frames,
    out: BytesMut,
    pub pid: i32,
}

impl Raw {
    pub async fn open(address: SocketAddr, user: &str, database: &str) -> Raw {
        let stream = TcpStream::connect(address).await.expect("the tap listens");
        Raw::begin(Box::new(stream), user, database).await
    }

    /// Straight to the server.
    pub async fn beside(address: &Address) -> Raw {
        let stream = address.dial().await.expect("the server listens");
        Raw::begin(stream, address.user(), address.database()).await
    }

    async fn begin(stream: Box<dyn Wire>, user: &str, database: &str) -> Raw {
        let (frames, out) = (Frames::new(Sender::Client), BytesMut::new());
        let mut raw = Raw { stream, frames, out, pid: 0 };
        let parameters = [("user", user), ("database", database), ("application_name", "raw")];
        frontend::startup_message(parameters, &mut raw.out).expect("a startup packet");
        raw.send().await;
        let answers = raw.until_ready().await;
        let key = answers.iter().find(|frame| frame.tag() == Some(b'K')).expect("a key");
        raw.pid = key.body().get_i32();
        raw
    }

    pub fn query(&mut self, sql: &str) -> &mut Raw {
        frontend::query(sql, &mut self.out).expect("a message");
        self
    }

    pub fn parse(&mut self, name: &str, sql: &str, types: &[u32]) -> &mut Raw {
        let types = types.iter().copied();
        frontend::parse(name, sql, types, &mut self.out).expect("a message");
        self
    }

    /// With text parameters, and results as text.
    pub fn bind(&mut self, portal: &str, statement: &str, values: &[&str]) -> &mut Raw {
        let write = |value: &&str, out: &mut BytesMut| {
            out.extend_from_slice(value.as_bytes());
            Ok(IsNull::No)
        };
        let formats = std::iter::empty::<i16>();
        let bound = frontend::bind(
            portal,
            statement,
            formats.clone(),
            values.iter(),
            write,
            formats,
            &mut self.out,
        );
        bound.map_err(|_| "a value").expect("a message");
        self
    }

    pub fn describe_statement(&mut self, name: &str) -> &mut Raw {
        frontend::describe(b'S', name, &mut self.out).expect("a message");
        self
    }

    pub fn close_statement(&mut self, name: &str) -> &mut Raw {
        frontend::close(b'S', name, &mut self.out).expect("a message");
        self
    }

    /// 0 rows: all.
    pub fn execute(&mut self, portal: &str, rows: i32) -> &mut Raw {
        frontend::execute(portal, rows, &mut self.out).expect("a message");
        self
    }

    /// A statement without parameters, by the unnamed statement and portal.
    pub fn run(&mut self, sql: &str) -> &mut Raw {
        self.parse("", sql, &[]).bind("", "", &[]).execute("", 0)
    }

    /// Any message, by its tag and what comes after its length.
    pub fn message(&mut self, tag: u8, body: &[u8]) -> &mut Raw {
        let length = i32::try_from(body.len() + 4).expect("a short message");
        self.out.extend_from_slice(&[tag]);
        self.out.extend_from_slice(&length.to_be_bytes());
        self.out.extend_from_slice(body);
        self
    }

    pub fn flush(&mut self) -> &mut Raw {
        frontend::flush(&mut self.out);
        self
    }

    pub fn sync(&mut self) -> &mut Raw {
        frontend::sync(&mut self.out);
        self
    }

    pub async fn send(&mut self) {
        let out = self.out.split();
        self.stream.write_all(&out).await.expect("the connection is open");
    }

    /// Sends, and reads up to the answer to a Sync or a query.
    pub async fn until_ready(&mut self) -> Vec<Frame> {
        self.until(b'Z').await
    }

    /// Sends, and reads up to a message of this tag.
    pub async fn until(&mut self, tag: u8) -> Vec<Frame> {
        self.send().await;
        let mut answers = Vec::new();
        while answers.last().and_then(Frame::tag) != Some(tag) {
            let frame = self.next().await;
            answers.push(frame.unwrap_or_else(|| panic!("closed after {:?}", tags(&answers))));
        }
        answers
    }

    /// What still comes until the other side closes.
    pub async fn until_closed(&mut self) -> Vec<Frame> {
        let mut answers = Vec::new();
        while let Some(frame) = self.next().await {
            answers.push(frame);
        }
        answers
    }

    /// None: closed.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.frames.next_frame().expect("messages") {
                return Some(frame);
            }
            let read = self.stream.read_buf(self.frames.buffer());
            let read = tokio::time::timeout(SOON, read).await.expect("an answer in time");
            // A side that is cut may reset the connection instead of ending it.
            if read.unwrap_or(0) == 0 {
                return None;
            }
        }
    }
}

/// `ParseComplete` is `1`, and so on: the tags as one word, which is easy to compare.
pub fn tags(answers: &[Frame]) -> String {
    answers.iter().filter_map(Frame::tag).map(char::from).collect()
}

/// The SQLSTATEs among the answers.
pub fn errors(answers: &[Frame]) -> Vec<String> {
    let errors = answers.iter().filter(|frame| frame.tag() == Some(b'E'));
    let code = |frame: &Frame| {
        let text = String::from_utf8_lossy(frame.body()).into_owned();
        text.split('\0').find_map(|field| field.strip_prefix('C')).map(str::to_owned)
    };
    errors.filter_map(code).collect()
}
