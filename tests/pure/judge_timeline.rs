//! The timeline of a trial, from histories made by hand: what happened when, in few steps.

use pgauntlet::clock::Micros;
use pgauntlet::history::{Event, OperationOutcome, WalSample};
use pgauntlet::judge::timeline::{STEPS_MAX, Timeline, timeline};

use crate::made::{APP, CHANGE, Made};

fn ms(ms: u64) -> Micros {
    Micros::from_millis(ms)
}

fn timeline_of(made: Made) -> Timeline {
    let scenario = made.scenario.clone();
    timeline(&scenario, &made.history())
}

/// ALTER TABLE takes the lock at 5.0 s, and an UPDATE keeps it until 8.0 s.
fn stalled() -> Made {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_020, "ALTER TABLE spans ADD COLUMN task_id varchar", true);
    made.statement(1, 5_020, 8_000, "UPDATE spans SET task_id = trace_id", true);
    made.blocked_pid(APP, 5_100, 7_990, &[CHANGE]);
    made
}

#[test]
fn a_stall_has_its_span_its_statements_and_who_waited_for_whom() {
    let timeline = timeline_of(stalled());
    let [stall] = timeline.stalls.as_slice() else { panic!("{:?}", timeline.stalls) };
    assert_eq!(stall.from_us, ms(5_100));
    assert!(stall.to_us >= ms(7_980), "{:?}", stall.to_us);
    assert!(stall.during.as_ref().is_some_and(|s| s.text.starts_with("UPDATE")));
    assert!(stall.taken_by.as_ref().is_some_and(|s| s.text.starts_with("ALTER")));
    let [edge] = stall.graph.as_slice() else { panic!("{:?}", stall.graph) };
    assert_eq!((edge.waiter.as_str(), edge.waiters), ("insert-span", 1));
    assert_eq!(
        (edge.blocker.as_str(), edge.held.as_deref()),
        ("the change", Some("AccessExclusiveLock"))
    );
    assert_eq!(edge.relation.as_deref(), Some("spans"));
}

#[test]
fn a_lock_is_held_from_its_statement_to_the_end_of_the_transaction() {
    let timeline = timeline_of(stalled());
    let [lock] = timeline.locks.as_slice() else { panic!("{:?}", timeline.locks) };
    assert_eq!((lock.relation.as_str(), lock.mode.as_str()), ("spans", "AccessExclusiveLock"));
    assert_eq!(lock.from_us, ms(5_000));
    assert!(lock.to_us >= ms(8_000));
    assert_eq!(timeline.statements.len(), 2);
    assert_eq!(
        (timeline.statements[1].from_us, timeline.statements[1].to_us),
        (ms(5_020), ms(8_000))
    );
}

#[test]
fn the_lock_queue_is_as_long_as_its_samples_say_throughout_the_stall() {
    let timeline = timeline_of(stalled());
    let queue = |from: u64, to: u64| {
        let within = timeline
            .steps
            .iter()
            .filter(move |step| step.from_us >= ms(from) && step.from_us < ms(to));
        within.map(|step| step.lock_waits).collect::<Vec<_>>()
    };
    assert!(queue(5_200, 7_900).iter().all(|waiting| *waiting == 1), "{:?}", queue(5_200, 7_900));
    assert!(queue(0, 5_000).iter().all(|waiting| *waiting == 0));
}

#[test]
fn what_was_offered_and_what_ended_are_all_in_some_step() {
    let mut made = stalled();
    made.operation(9_000, None, 9_500, OperationOutcome::AcquireTimeout, None);
    let scheduled = made.counters.scheduled;
    let timeline = timeline_of(made);
    let sum = |of: fn(&pgauntlet::judge::timeline::TimelineStep) -> u64| {
        timeline.steps.iter().map(of).sum::<u64>()
    };
    assert_eq!(sum(|step| step.offered), scheduled);
    assert_eq!((sum(|step| step.completed), sum(|step| step.failed)), (scheduled - 1, 1));
}

#[test]
fn wal_between_two_samples_is_spread_over_the_time_between_them() {
    let mut made = stalled();
    for (at, bytes) in [(1_000, 500), (1_400, 4_500), (3_000, 4_500)] {
        made.at(at, Event::Wal(WalSample { bytes }));
    }
    let timeline = timeline_of(made);
    let wal: Vec<Option<u64>> = timeline.steps.iter().map(|step| step.wal_bytes).collect();
    assert_eq!(wal.iter().flatten().sum::<u64>(), 4_000);
    assert_eq!(wal[10..14], [Some(1_000); 4]);
    assert_eq!((wal[9], wal[20]), (None, Some(0)));
}

#[test]
fn an_hour_has_as_few_steps_as_a_minute() {
    for end_s in [60, 3_600, 100_000] {
        let mut made = stalled();
        made.operation(
            end_s * 1_000,
            Some(end_s * 1_000),
            end_s * 1_000 + 2,
            OperationOutcome::Succeeded,
            None,
        );
        let timeline = timeline_of(made);
        assert!(timeline.steps.len() as u64 <= STEPS_MAX, "{} steps", timeline.steps.len());
        assert!(timeline.steps.len() > 100, "{} steps", timeline.steps.len());
        assert_eq!(timeline.end_us.0 / timeline.width_us.0 + 1, timeline.steps.len() as u64);
    }
}
