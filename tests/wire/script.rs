//! What a client says: statements, batches, copies in legal orders.

use proptest::prelude::*;

use super::messages::{bind, close, describe, execute, flush, message, parse, query, sync, texts};

/// A statement; its text tells the server of these tests what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sql {
    Select {
        rows: u8,
        bytes: u32,
    },
    Insert {
        padding: u32,
    },
    Alter,
    Vacuum,
    Begin,
    Commit,
    Rollback,
    Savepoint,
    RollbackTo,
    Set,
    Empty,
    BadSyntax,
    /// Fails when it is bound.
    BadParameter,
    Fails,
    CopyOut {
        rows: u8,
    },
}

impl Sql {
    pub fn text(&self) -> String {
        match self {
            Sql::Select { rows, bytes } => format!("SELECT {rows} {bytes}"),
            Sql::Insert { padding } => {
                format!("INSERT INTO t /* {} */ VALUES (1)", "x".repeat(*padding as usize))
            }
            Sql::Alter => "ALTER TABLE t ADD COLUMN a int".to_owned(),
            Sql::Vacuum => "VACUUM t".to_owned(),
            Sql::Begin => "BEGIN".to_owned(),
            Sql::Commit => "COMMIT".to_owned(),
            Sql::Rollback => "ROLLBACK".to_owned(),
            Sql::Savepoint => "SAVEPOINT a".to_owned(),
            Sql::RollbackTo => "ROLLBACK TO a".to_owned(),
            Sql::Set => "SET lock_timeout = 1".to_owned(),
            Sql::Empty => String::new(),
            Sql::BadSyntax => "SELEC".to_owned(),
            Sql::BadParameter => "SELECT bad parameter".to_owned(),
            Sql::Fails => "UPDATE t SET a = 1 / 0".to_owned(),
            Sql::CopyOut { rows } => format!("COPY t TO STDOUT {rows}"),
        }
    }
}

#[derive(Clone, Debug)]
pub enum Part {
    /// Parse, Bind, Execute; `limit`: by one row, then the rest.
    Run {
        sql: Sql,
        name: &'static str,
        describe: Option<u8>,
        limit: bool,
    },
    /// Bind and Execute of what was prepared before, perhaps.
    Again {
        name: &'static str,
    },
    /// Execute of a portal that may be there still.
    More,
    Prepare {
        sql: Sql,
        name: &'static str,
    },
    Describe {
        name: &'static str,
    },
    Close {
        what: u8,
        name: &'static str,
    },
    /// With `wait`, a patient client reads the answers first.
    Flush {
        wait: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopySource {
    Good,
    /// The server asks for data and then refuses, before it has read any.
    View,
    /// The server stumbles over the first data.
    BadData,
    /// The server knows of no such table.
    BadSyntax,
}

#[derive(Clone, Debug)]
pub enum Unit {
    Simple(Vec<Sql>),
    /// Ends with so many Syncs.
    Batch {
        parts: Vec<Part>,
        syncs: u8,
    },
    /// A Query while a pipeline is open.
    BatchThenQuery {
        parts: Vec<Part>,
        sql: Sql,
    },
    CopyIn {
        source: CopySource,
        extended: bool,
        early_sync: bool,
        pieces: Vec<u32>,
        fail: bool,
    },
    Function {
        fails: bool,
    },
}

/// What the client does one after the other.
#[derive(Clone, Debug)]
pub enum Step {
    Send(Vec<u8>),
    /// Until everything sent has been worked off and every answer is here.
    Wait,
    /// Copied data and its end, and what is sent where no data is wanted (any more).
    Copy {
        data: Vec<Vec<u8>>,
        otherwise: Vec<Vec<u8>>,
    },
}

impl Unit {
    pub fn steps(&self) -> Vec<Step> {
        match self {
            Unit::Simple(statements) => {
                let texts: Vec<String> = statements.iter().map(Sql::text).collect();
                vec![Step::Send(query(&texts.join("; "))), Step::Wait]
            }
            Unit::Batch { parts, syncs } => {
                let mut steps: Vec<Step> = parts.iter().flat_map(Part::steps).collect();
                steps.extend((0..*syncs).map(|_| Step::Send(sync())));
                steps.push(Step::Wait);
                steps
            }
            Unit::BatchThenQuery { parts, sql } => {
                let mut steps: Vec<Step> = parts.iter().flat_map(Part::steps).collect();
                steps.extend([query(&sql.text()), sync()].map(Step::Send));
                steps.push(Step::Wait);
                steps
            }
            Unit::CopyIn { source, extended, early_sync, pieces, fail } => {
                copy_in(*source, *extended, *early_sync, pieces, *fail)
            }
            Unit::Function { fails } => {
                let oid = [0, 0, 0, u8::from(*fails)];
                vec![Step::Send(message(b'F', &[&oid[..], &[0; 6]].concat())), Step::Wait]
            }
        }
    }
}

fn copy_in(
    source: CopySource,
    extended: bool,
    early_sync: bool,
    pieces: &[u32],
    fail: bool,
) -> Vec<Step> {
    let sql = match source {
        CopySource::Good => "COPY t FROM STDIN",
        CopySource::View => "COPY v FROM STDIN",
        CopySource::BadData => "COPY bad FROM STDIN",
        CopySource::BadSyntax => "SELEC t FROM STDIN",
    };
    let mut steps = match extended {
        false => vec![query(sql)],
        // By a name that nobody binds again, to have it copy without data.
        true => vec![close(b'S', "copy"), parse("copy", sql), bind("", "copy"), execute("", 0)],
    };
    if extended {
        // One of both makes the server speak.
        steps.push(if early_sync { sync() } else { flush() });
    }
    let mut data: Vec<Vec<u8>> =
        pieces.iter().map(|bytes| message(b'd', &vec![b'x'; *bytes as usize])).collect();
    data.push(match fail {
        true => message(b'f', &texts(&["no more"], &[])),
        false => message(b'c', &[]),
    });
    let mut otherwise = Vec::new();
    if extended {
        data.push(sync());
        if !early_sync {
            otherwise.push(sync());
        }
    }
    let mut steps: Vec<Step> = steps.into_iter().map(Step::Send).collect();
    steps.extend([Step::Wait, Step::Copy { data, otherwise }, Step::Wait]);
    steps
}

impl Part {
    fn steps(&self) -> Vec<Step> {
        let messages = match self {
            Part::Run { sql, name, describe: described, limit } => {
                let mut messages = vec![parse(name, &sql.text()), bind(name, name)];
                messages.extend(described.map(|what| describe(what, name)));
                if *limit {
                    messages.push(execute(name, 1));
                }
                messages.push(execute(name, 0));
                messages
            }
            Part::Again { name } => vec![bind("", name), execute("", 0)],
            Part::More => vec![execute("b", 0)],
            Part::Prepare { sql, name } => {
                vec![parse(name, &sql.text()), describe(b'S', name)]
            }
            Part::Describe { name } => vec![describe(b'S', name)],
            Part::Close { what, name } => vec![close(*what, name)],
            Part::Flush { .. } => vec![flush()],
        };
        let waits = matches!(self, Part::Flush { wait: true });
        let messages = messages.into_iter().map(Step::Send);
        messages.chain(waits.then_some(Step::Wait)).collect()
    }
}

/// How the client ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Terminate,
    /// It says no more and listens to the end.
    HalfClose,
    /// The server ends it: FATAL.
    Dies,
}

#[derive(Clone, Debug)]
pub struct Script {
    pub units: Vec<Unit>,
    pub ending: Ending,
    /// Answers are awaited at the end of each unit; else everything is sent at once.
    pub patient: bool,
    /// Nothing is read before everything is written.
    pub reads_late: bool,
    /// Statements are sent before the session is there.
    pub optimistic: bool,
    /// Of cuts, delays, and what the server says unasked.
    pub seed: u64,
}

impl Script {
    pub fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = self.units.iter().flat_map(Unit::steps).collect();
        match self.ending {
            Ending::Terminate => steps.push(Step::Send(message(b'X', &[]))),
            Ending::Dies => steps.push(Step::Send(query("SELECT dies"))),
            Ending::HalfClose => {}
        }
        steps
    }

    /// A Sync may have been passed over or not, and nothing that the server says tells which: the
    /// tap has to ask.
    pub fn is_ambiguous(&self) -> bool {
        let ambiguous =
            |unit: &Unit| matches!(unit, Unit::CopyIn { extended: true, early_sync: true, .. });
        self.units.iter().any(ambiguous)
    }
}

fn sql() -> impl Strategy<Value = Sql> {
    prop_oneof![
        6 => (0..4_u8, prop_oneof![4 => 0..50_u32, 1 => 0..70_000_u32])
            .prop_map(|(rows, bytes)| Sql::Select { rows, bytes }),
        3 => prop_oneof![8 => 0..20_u32, 1 => 65_000..66_000_u32]
            .prop_map(|padding| Sql::Insert { padding }),
        4 => Just(Sql::Alter),
        2 => Just(Sql::Vacuum),
        3 => Just(Sql::Begin),
        3 => Just(Sql::Commit),
        1 => Just(Sql::Rollback),
        1 => Just(Sql::Savepoint),
        1 => Just(Sql::RollbackTo),
        1 => Just(Sql::Set),
        1 => Just(Sql::Empty),
        1 => Just(Sql::BadSyntax),
        1 => Just(Sql::BadParameter),
        2 => Just(Sql::Fails),
        1 => (0..4_u8).prop_map(|rows| Sql::CopyOut { rows }),
    ]
}

fn name() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just(""), 1 => Just("a"), 1 => Just("b")]
}

fn part() -> impl Strategy<Value = Part> {
    let described = prop_oneof![Just(None), Just(Some(b'S')), Just(Some(b'P'))];
    prop_oneof![
        8 => (sql(), name(), described, prop::bool::weighted(0.2))
            .prop_map(|(sql, name, describe, limit)| Part::Run { sql, name, describe, limit }),
        2 => name().prop_map(|name| Part::Again { name }),
        1 => Just(Part::More),
        2 => (sql(), name()).prop_map(|(sql, name)| Part::Prepare { sql, name }),
        1 => name().prop_map(|name| Part::Describe { name }),
        2 => (prop_oneof![Just(b'S'), Just(b'P')], name())
            .prop_map(|(what, name)| Part::Close { what, name }),
        2 => any::<bool>().prop_map(|wait| Part::Flush { wait }),
    ]
}

fn unit() -> impl Strategy<Value = Unit> {
    let source = prop_oneof![
        4 => Just(CopySource::Good),
        1 => Just(CopySource::View),
        1 => Just(CopySource::BadData),
        1 => Just(CopySource::BadSyntax),
    ];
    let pieces = prop::collection::vec(prop_oneof![8 => 0..50_u32, 1 => 0..80_000_u32], 0..4);
    let parts = || prop::collection::vec(part(), 0..6);
    prop_oneof![
        3 => prop::collection::vec(sql(), 1..4).prop_map(Unit::Simple),
        8 => (parts(), 1..3_u8).prop_map(|(parts, syncs)| Unit::Batch { parts, syncs }),
        1 => (parts(), sql()).prop_map(|(parts, sql)| Unit::BatchThenQuery { parts, sql }),
        2 => (source, any::<bool>(), any::<bool>(), pieces, prop::bool::weighted(0.2)).prop_map(
            |(source, extended, early_sync, pieces, fail)| Unit::CopyIn {
                source,
                extended,
                early_sync,
                pieces,
                fail
            }
        ),
        1 => any::<bool>().prop_map(|fails| Unit::Function { fails }),
    ]
}

pub fn script() -> impl Strategy<Value = Script> {
    let ending = prop_oneof![
        3 => Just(Ending::Terminate),
        1 => Just(Ending::HalfClose),
        1 => Just(Ending::Dies),
    ];
    let units = prop::collection::vec(unit(), 0..8);
    (units, ending, any::<bool>(), any::<bool>(), any::<bool>(), any::<u64>()).prop_map(
        |(units, ending, patient, reads_late, optimistic, seed)| Script {
            units,
            ending,
            patient,
            reads_late: reads_late && !patient,
            optimistic: (optimistic || reads_late) && !patient,
            seed,
        },
    )
}
