//! Where the evidence carries no answer.

use crate::clock::Micros;
use crate::result::evidence::{
    Absence, BrokenBaseline, EndedBy, FailedMeasurement, Lag, MissingSamples, Progressed, Unreached,
};
use crate::result::{Doubt, Subject};

use crate::stats::grouped;

use super::files::Files;
use super::reads::{node, rule};
use super::replica;
use super::words::{count, quoted};

pub fn generator_lag(of: &Lag) -> String {
    let (lag, limit) = (of.p99_us, of.limit_us);
    format!(
        "operations were sent up to {lag} (p99) after they were due (limit {limit}): this machine \
         is too busy to say what the server did; lower rate_per_s or use another machine"
    )
}

pub fn samples_missing(of: &MissingSamples) -> String {
    let MissingSamples { missing, due, longest_gap_us } = of;
    match due {
        0 => "the lock table was never sampled".to_owned(),
        _ => format!(
            "{missing} of {due} samples of the lock table are missing, the longest gap \
             {longest_gap_us}"
        ),
    }
}

pub fn baseline_broken(of: &BrokenBaseline) -> String {
    match of {
        BrokenBaseline::Traffic { p99_us, limit_us, failed } => format!(
            "before the change began p99 latency was {p99_us} (limit {limit_us}) and {} failed: \
             what followed cannot be put down to the change",
            count(*failed, "operation")
        ),
        BrokenBaseline::Plan { read, node: had, limit } => {
            let (had, limit) = (node(had), rule(limit));
            format!(
                "the plan of the read {read} had {had} before the change began, and must have \
                 {limit}: it does not hold"
            )
        }
        BrokenBaseline::ReadChanged { read } => {
            format!("the read {read} changed before the change began: it does not hold")
        }
        BrokenBaseline::ReadUnwanted { read, rows } => format!(
            "the read {read} returned {} before the change began, and must return none: it does \
             not hold",
            count(*rows, "row")
        ),
    }
}

pub fn not_reached(of: &Unreached, subject: &Subject, files: &Files) -> String {
    match of {
        Unreached::NoEnd => "the change has no end in the history".to_owned(),
        Unreached::Deadline { deadline_us, running, progress } => {
            let last = subject.statement.as_ref().map(|last| quoted(last, files));
            let place = match (running, last) {
                (true, Some(last)) => format!("during {last}"),
                (false, Some(last)) => format!("after {last}, when no statement ran"),
                (_, None) => "before its first statement".to_owned(),
            };
            let more = match (progress, running) {
                (Some(of), _) => format!(
                    "it was at work ({}): raise change.deadline_s if it may take longer",
                    made(of)
                ),
                (None, true) => "it was not seen to wait for a lock, and the server reports no \
                                 progress of it, so whether it would have ended is not known"
                    .to_owned(),
                (None, false) => "whether it would have ended is not known".to_owned(),
            };
            format!("the change was not done after {deadline_us} and was ended {place}; {more}")
        }
        Unreached::CutShort => "the trial was cut short: its history has no end".to_owned(),
        Unreached::NoStatement { by_command: true } => {
            "the command ran no statement that changes anything".to_owned()
        }
        Unreached::NoStatement { by_command: false } => {
            "the change ran no statement: all its versions were applied already".to_owned()
        }
        Unreached::Stopped => "the change was stopped, and never applied to its end".to_owned(),
    }
}

fn not_in_force(name: &str, why: Absence) -> String {
    let why = match why {
        Absence::NeverInPlace => "it never got hold of what it was to hold",
        Absence::HeldNothing => {
            "it held neither a lock nor a snapshot: a transaction that has read or locked nothing \
             is in nobody's way"
        }
        Absence::HeldElsewhere => {
            "what it held was on other tables than those that the change locked: name one table \
             for it"
        }
        Absence::EndedBefore => {
            "it was over before the change ran a statement: give it a longer hold_ms, or \
             until = \"change\""
        }
        Absence::BeganAfter => "it was in place only when the change had run its statements",
        Absence::NoAttempt => "it was for attempts that follow the first, and there were none",
        Absence::NothingCut => return format!("no connection was cut by {name}"),
        Absence::NothingPassed => return format!("nothing went through {name}"),
    };
    format!("the disturbance {name} was not in force: {why}")
}

pub fn measurement_failed(of: &FailedMeasurement) -> String {
    match of {
        FailedMeasurement::Stage { stage, message } => {
            format!("{stage} failed, so what it would have shown is unknown: {message}")
        }
        FailedMeasurement::Disturbance { name, error } => {
            format!("the disturbance {name} was ended by the server: {error}")
        }
        FailedMeasurement::NotInForce { name, why } => not_in_force(name, *why),
        FailedMeasurement::Accounts { missing, scheduled } => format!(
            "the driver's accounts do not balance: {} are missing of {scheduled} scheduled",
            count(*missing, "operation")
        ),
        FailedMeasurement::PlanUnread { read, after, error } => {
            let side = if *after { "after" } else { "before" };
            format!("the plan of the read {read} could not be read {side} the change: {error}")
        }
        FailedMeasurement::PlanNeverRead { read } => {
            format!("the plan of the read {read} was never read after the change")
        }
        FailedMeasurement::ReadUnanswered { read } => {
            format!("the read {read} was never answered after the change")
        }
        FailedMeasurement::Overhead { paused_us, change_us } => format!(
            "the tap held the change back for {paused_us} of its {change_us} to ask the server \
             what each statement did: the change was not measured as it runs"
        ),
        FailedMeasurement::Standby(gap) => replica::gap(gap),
        FailedMeasurement::ServerDown { times } => {
            let often = match times {
                1 => String::new(),
                times => format!(" {times} times"),
            };
            format!(
                "the server went down{often} in the midst of the trial: it crashed, or another \
                 stopped it; what came of the change without that is not known"
            )
        }
        FailedMeasurement::OperationsEnded { operations, by, message } => format!(
            "{} ended {}, which says nothing of the change; the first: {message}",
            ended_by(*by),
            count(*operations, "operation"),
        ),
    }
}

/// `CREATE INDEX, building index: 3,000 of 8,000`.
fn made(of: &Progressed) -> String {
    let total = match of.total {
        0 => String::new(),
        total => format!(" of {}", grouped(total)),
    };
    format!("{}, {}: {}{total}", of.command, of.phase, grouped(of.done))
}

fn ended_by(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Interruption => "the end of the broken-off trial",
        EndedBy::Crash => "a crash or stop of the server",
        EndedBy::Cut => "a cut of the network, which is the condition,",
        EndedBy::FullServer => {
            "another service, which is the condition, by holding every connection of the server,"
        }
        EndedBy::FullDisk => "the disk of the trial's server, which was full,",
        EndedBy::Administrator => "an administrator's command, which the change did not send,",
    }
}

/// Why a finding proves nothing, as it follows its sentence.
pub fn doubt(doubt: Doubt) -> String {
    match doubt {
        Doubt::GeneratorLag(lag) => format!(
            "; this proves nothing: our own load generator was behind for {lag} of that time, and \
             without it the limit holds"
        ),
        Doubt::LateThroughout(lag) => format!(
            "; this proves nothing: operations were sent up to {lag} (p99) after they were due, so \
             this machine may have been the slow one"
        ),
        Doubt::SamplesMissing(Micros::ZERO) => {
            "; this proves nothing: too many samples are missing to say what was waited for"
                .to_owned()
        }
        Doubt::SamplesMissing(gap) => format!(
            "; this proves nothing: for {gap} of that time nothing was sampled, so what was waited \
             for is not known"
        ),
        Doubt::BaselineBroken => {
            "; this proves nothing: it was so before the change too".to_owned()
        }
        Doubt::NotSeen => "; this proves nothing: none of them was seen at work or waiting in the \
                           server, so this machine may have been the slow one"
            .to_owned(),
        Doubt::MadeUpRows => "; this proves nothing of your rows: these were made up from the \
                              schema, and yours may be others (try it on a copy of yours: \
                              --clone)"
            .to_owned(),
        Doubt::NotOnThisServer => "; this proves nothing: the server of the trial lacks what it \
                                   takes; install it there, or name one that has it (--server)"
            .to_owned(),
        Doubt::OwnRole => "; this proves nothing: it ran as a role of pgauntlet's own, and yours \
                           may have that right ([change] role, or superuser = true)"
            .to_owned(),
        Doubt::ApplicationRole => {
            "; this proves nothing: the application's role is pgauntlet's own \
                                   here, and may use only what its operations used before the \
                                   change ([pool] role names yours)"
                .to_owned()
        }
        Doubt::Ended(by) => {
            format!("; this says nothing of the change: {} ended it", ended_by(by))
        }
    }
}
