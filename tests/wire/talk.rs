//! A tap between such a client and such a server, and what has to be true of it afterwards.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use pgauntlet::clock::Clock;
use pgauntlet::history::{Event, Recorder, Since, silent};
use pgauntlet::pg::LockMode;
use pgauntlet::tap::{
    Action, Announcements, BoxStream, Hold, LockSnapshot, ProbedRelations, SeenLock, Tap, TapSetup,
    Upstream, Watch,
};
use tokio::io::{DuplexStream, duplex};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::client::{self, Said};
use super::messages::{cut, flush};
use super::script::{Ending, Script};
use super::server::{Facts, Report, Server, Told};

/// A conversation takes milliseconds.
const TALK_TIMEOUT: Duration = Duration::from_secs(30);

/// Gives the server's end of each connection to whoever plays the server.
pub struct Doors {
    dialled: mpsc::UnboundedSender<DuplexStream>,
    /// Bytes on their way between tap and server.
    capacity: usize,
}

impl Upstream for Doors {
    fn dial(&self) -> BoxFuture<'_, std::io::Result<BoxStream>> {
        let (ours, theirs) = duplex(self.capacity);
        let _ = self.dialled.send(theirs);
        std::future::ready(Ok(Box::new(ours) as BoxStream)).boxed()
    }

    fn watch(&self) -> BoxFuture<'_, Result<Arc<dyn Watch>, String>> {
        std::future::ready(Ok(Arc::new(Canned) as Arc<dyn Watch>)).boxed()
    }
}

/// A session beside the change's that always sees the same: what makes the tap ask most.
struct Canned;

impl Watch for Canned {
    fn probe(&self, _: i32, _: &ProbedRelations) -> BoxFuture<'_, Result<LockSnapshot, String>> {
        let lock = SeenLock {
            oid: 16_385,
            name: "t".to_owned(),
            table: None,
            mode: LockMode::AccessExclusiveLock,
            filenode: 16_385,
        };
        let snapshot = LockSnapshot { locks: vec![lock], ..LockSnapshot::default() };
        std::future::ready(Ok(snapshot)).boxed()
    }

    fn since(&self, _: i32) -> BoxFuture<'_, Result<Option<Since>, String>> {
        async { Ok(None) }.boxed()
    }

    fn inject(&self, _: i32, _: &Action) -> BoxFuture<'_, Result<bool, String>> {
        std::future::ready(Ok(false)).boxed()
    }

    fn cancel(&self, _: i32) -> BoxFuture<'_, Result<(), String>> {
        std::future::ready(Ok(())).boxed()
    }

    fn terminate(&self, _: i32) -> BoxFuture<'_, Result<(), String>> {
        std::future::ready(Ok(())).boxed()
    }

    fn block<'a>(
        &'a self,
        _: &'a str,
        _: LockMode,
    ) -> BoxFuture<'a, Result<Box<dyn Hold>, String>> {
        std::future::ready(Err("nobody has the lock".to_owned())).boxed()
    }
}

pub struct Tapped {
    pub tap: Tap,
    pub recorder: Recorder,
    pub dialled: mpsc::UnboundedReceiver<DuplexStream>,
}

impl Tapped {
    /// `traced`: the tap asks and looks; else it carries only.
    pub async fn start(traced: bool, capacity: usize) -> Tapped {
        let (dials, dialled) = mpsc::unbounded_channel();
        let recorder = Recorder::in_memory(Clock::start());
        let setup = TapSetup {
            upstream: Arc::new(Doors { dialled: dials, capacity }),
            recorder: &recorder,
            listener: &silent(),
            attempt: 0,
            announcements: (!traced).then(|| Arc::new(Announcements::default())),
            faults: Vec::new(),
            gate: None,
        };
        let tap = Tap::start(setup).await.expect("a tap");
        Tapped { tap, recorder, dialled }
    }

    pub async fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.tap.address()).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        stream
    }

    /// The statements of the history, in order, each of which has ended.
    pub async fn told(self) -> Vec<Told> {
        self.tap.stop(Duration::from_secs(5)).await;
        let history = self.recorder.finish().expect("a history");
        let (mut began, mut told) = (Vec::new(), Vec::new());
        for entry in history.entries {
            match entry.event {
                Event::StatementBegan(event) => began.push(event.statement),
                Event::StatementEnded(ended) => {
                    assert_eq!(began.get(told.len()), Some(&ended.statement), "they alternate");
                    let error = ended.error.map(|error| error.message);
                    told.push(Told { tags: ended.tags, error });
                }
                // Said instead of a question that would change what the client's pipeline does.
                Event::MeasurementFailed { message, .. }
                    if message.contains("in a pipeline that has run nothing") => {}
                Event::MeasurementFailed { stage, message } => panic!("{stage}: {message}"),
                _ => {}
            }
        }
        assert_eq!(began.len(), told.len(), "each statement ends once");
        told
    }
}

/// Lets both sides talk to their ends.
pub async fn talk(script: &Script, traced: bool) -> (Said, Report, Vec<Told>) {
    let capacity = [64, 1_024, 64 * 1_024][usize::try_from(script.seed % 3).expect("small")];
    let talk = async {
        let mut tapped = Tapped::start(traced, capacity).await;
        let stream = tapped.connect().await;
        let (says, facts) = watch::channel(Facts::default());
        let serve = async {
            let stream = tapped.dialled.recv().await.expect("the tap dials");
            Server::new(stream, script.seed, says).serve().await
        };
        let (said, report) = tokio::join!(client::talk(stream, script, facts), serve);
        (said, report, tapped.told().await)
    };
    let talked = tokio::time::timeout(TALK_TIMEOUT, talk).await;
    talked.expect("the conversation comes to its end")
}

/// Everything came through as it was said; what the tap asked for itself is not seen.
pub fn assert_transparent(script: &Script, traced: bool, said: &Said, report: &Report) {
    assert_eq!(report.violations, Vec::<String>::new());
    let silent = !traced && !script.is_ambiguous();
    assert!(!silent || report.questions == 0, "{} questions", report.questions);
    assert!(said.heard == report.sent, "{:?}\nis not\n{:?}", said.heard, report.sent);
    let startup = &report.received[0];
    assert!(said.said.starts_with(startup), "the startup packet is another");
    let mut messages = cut(&said.said[startup.len()..]).into_iter().peekable();
    let flush = flush();
    for received in &report.received[1..] {
        let matches = messages.next_if(|said| said == received).is_some();
        assert!(matches || *received == flush, "not said, or not now: {received:?}");
    }
    // A server that dies reads nothing more.
    let left: Vec<Vec<u8>> = messages.collect();
    assert!(script.ending == Ending::Dies || left.is_empty(), "never arrived: {left:?}");
}
