//! What findings rest on besides what the server answered: times and outcomes as we measured them.

use crate::clock::Micros;

use super::evidence::{Evidence, FailureKind, LatencyPhase, SlowPhase, WaitCause};

/// When what a finding rests on was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// All of a phase.
    Phase(LatencyPhase),
    /// From one moment to another.
    Span(Micros, Micros),
}

/// How much of it there has to be for the finding to hold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// Something lasted this long, and may last no longer than the limit.
    Length {
        /// How long.
        took_us: Micros,
        /// How long it may.
        limit_us: Micros,
    },
    /// More than this share of the operations lasted longer than the limit; 0: any.
    Operations {
        /// How long one may last.
        limit_us: Micros,
        /// From 0 to 1.
        share: f64,
    },
}

/// What a finding rests on. A server's answer, a catalogue, a witnessed wait rest on nothing that
/// is here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Basis {
    /// Times that our own process took, and from when to when.
    pub times: Option<(Period, Measure)>,
    /// It compares with what was before the change.
    pub against_baseline: bool,
    /// It would be another one if the samples had shown a wait that they did not.
    pub unseen: bool,
    /// It lasted this long; an operation that took half as long before the change shows that this
    /// machine does so by itself, where most of them were slow.
    pub like_before: Option<Micros>,
    /// None of its operations was seen at work or waiting in the server, and the slowest took so
    /// long: only a stall of such a length explains it.
    pub unattributed: Option<Micros>,
    /// All of its operations waited for a connection of the pool, and the slowest took so long:
    /// only a stall, or a pool that was empty, of such a length explains it.
    pub queued: Option<Micros>,
    /// A stall that was seen is no explanation of it: what waited because of one is not in it.
    pub apart_from_stalls: bool,
    /// The change failed, and did not come to its end when it was applied again.
    pub change_failed: bool,
    /// Operations failed.
    pub operations_failed: bool,
    /// Kinds of failed operations, and how many of each there were.
    pub failures: Vec<(FailureKind, u64)>,
}

impl Evidence {
    /// What of our own measuring it rests on.
    pub fn basis(&self) -> Basis {
        let length = |from: Micros, took_us, limit_us| {
            Some((Period::Span(from, from + took_us), Measure::Length { took_us, limit_us }))
        };
        match self {
            Evidence::Stall(of) => {
                let (took_us, limit_us) = (of.longest_us, of.limit_us);
                let span = Period::Span(of.from_us, of.to_us);
                let times = Some((span, Measure::Length { took_us, limit_us }));
                Basis { times, like_before: Some(took_us), ..Basis::default() }
            }
            Evidence::RerunLock(of) => {
                let times = length(of.from_us, of.held_us, of.limit_us);
                Basis { times, ..Basis::default() }
            }
            Evidence::PoolExhaustion(of) => {
                let times = length(of.from_us, of.exhausted_us, of.limit_us);
                Basis { times, ..Basis::of_traffic() }
            }
            Evidence::AcquireTimeout(of) => {
                let limit_us = Micros::from_millis(of.timeout_ms / 2);
                let measure = Measure::Operations { limit_us, share: 0.0 };
                let times = Some((Period::Span(of.from_us, of.to_us), measure));
                Basis { times, ..Basis::of_traffic() }
            }
            Evidence::OperationWaited(of) => {
                let measure = Measure::Operations { limit_us: of.limit_us, share: 0.0 };
                let times = Some((Period::Span(of.from_us, of.to_us), measure));
                Basis { times, apart_from_stalls: true, ..Basis::of_traffic() }
            }
            Evidence::Latency(of) => {
                let measure = Measure::Operations { limit_us: of.limit_us, share: 0.01 };
                let times = Some((Period::Phase(of.phase), measure));
                let (unattributed, queued) = (unattributed(of), queued(of));
                Basis { times, unattributed, queued, ..Basis::of_traffic() }
            }
            Evidence::OperationSlower(_) => Basis { against_baseline: true, ..Basis::default() },
            Evidence::NotRecovered(of) if of.failed == 0 => {
                let measure = Measure::Operations { limit_us: of.limit_us, share: 0.0 };
                let times = Some((Period::Span(of.from_us, of.to_us), measure));
                Basis { times, ..Basis::of_traffic() }
            }
            Evidence::NotRecovered(_) => Basis { operations_failed: true, ..Basis::default() },
            Evidence::OperationFailed(of) => {
                let failures = of.causes.iter().map(|c| (c.kind(), c.operations)).collect();
                Basis { failures, operations_failed: true, ..Basis::default() }
            }
            Evidence::ChangeFailed(_)
            | Evidence::CommandFailed(_)
            | Evidence::RerunFailed(_)
            | Evidence::InvalidIndex(_)
            | Evidence::NotValidConstraint(_)
            | Evidence::HiddenDebris(_)
            | Evidence::LeftBehind(_) => Basis { change_failed: true, ..Basis::default() },
            _ => Basis::default(),
        }
    }
}

/// How long the slowest took, where no operation was seen at work or waiting in the server. While
/// the change runs, what nobody saw may be its doing; what had not reached the server is not.
fn unattributed(of: &SlowPhase) -> Option<Micros> {
    let operations = |is: fn(&WaitCause) -> bool| {
        let counts = of.causes.iter().filter(|count| is(&count.cause));
        counts.map(|count| count.operations).sum::<u64>()
    };
    let elsewhere = operations(|cause| {
        !matches!(cause, WaitCause::Connection | WaitCause::NotBegun | WaitCause::Unseen)
    });
    let not_begun = operations(|cause| *cause == WaitCause::NotBegun);
    let unseen = operations(|cause| *cause == WaitCause::Unseen);
    let explained = match of.phase {
        LatencyPhase::During => not_begun > 0 && not_begun >= unseen,
        LatencyPhase::After | LatencyPhase::Rerun => not_begun + unseen > 0,
    };
    let longest = of.causes.iter().map(|count| count.longest_us).max();
    longest.filter(|_| elsewhere == 0 && explained)
}

/// How long the slowest took, where after the change all of them waited for a connection alone.
fn queued(of: &SlowPhase) -> Option<Micros> {
    let alone = of.causes.iter().all(|count| count.cause == WaitCause::Connection);
    let longest = of.causes.iter().map(|count| count.longest_us).max();
    longest.filter(|_| alone && of.phase != LatencyPhase::During)
}

impl Basis {
    fn of_traffic() -> Basis {
        Basis { against_baseline: true, unseen: true, ..Basis::default() }
    }
}
