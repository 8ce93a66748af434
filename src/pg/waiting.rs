//! What a server says of waits for locks: the messages of `log_lock_waits` and the DETAIL of a
//! deadlock, as `proc.c` and `deadlock.c` of PostgreSQL 14 to 18 write them in English.

/// A message of `log_lock_waits`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitMessage {
    /// The waiter's.
    pub pid: i32,
    /// How far the wait has come.
    pub about: WaitStage,
    /// As in `pg_locks.mode`.
    pub mode: String,
    /// `relation 16384 of database 5`, `transaction 742`.
    pub object: String,
    /// Microseconds.
    pub waited_us: u64,
}

/// How far a wait has come when the server logs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitStage {
    /// It has lasted `deadlock_timeout`, and goes on.
    Still,
    /// It got the lock.
    Acquired,
    /// It is given up: the error follows.
    GivenUp,
}

/// Who waits for whom in a deadlock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadlockEdge {
    /// The waiter's.
    pub pid: i32,
    /// As in `pg_locks.mode`.
    pub mode: String,
    /// `relation 16384 of database 5`, `transaction 742`.
    pub object: String,
    /// The pid that holds it, or waits for it ahead.
    pub blocked_by: i32,
    /// What the waiter ran; None: the DETAIL that a client gets does not say it.
    pub statement: Option<String>,
}

/// Reads a message; None: it is about something else.
pub fn wait_message(text: &str) -> Option<WaitMessage> {
    let (pid, rest) = text.strip_prefix("process ")?.split_once(' ')?;
    let pid = pid.parse().ok()?;
    let stages = [
        ("still waiting for ", WaitStage::Still),
        ("avoided deadlock for ", WaitStage::Still),
        ("acquired ", WaitStage::Acquired),
        ("detected deadlock while waiting for ", WaitStage::GivenUp),
        ("failed to acquire ", WaitStage::GivenUp),
    ];
    let stage = |(verb, about)| rest.strip_prefix(verb).map(|rest| (rest, about));
    let (rest, about) = stages.into_iter().find_map(stage)?;
    let (mode, rest) = rest.split_once(" on ")?;
    let (object, waited) = rest.rsplit_once(" after ")?;
    let object = object.strip_suffix(" by rearranging queue order").unwrap_or(object);
    let (ms, us) = waited.strip_suffix(" ms")?.split_once('.')?;
    let waited_us = ms.parse::<u64>().ok()?.checked_mul(1_000)? + us.parse::<u64>().ok()?;
    Some(WaitMessage { pid, about, mode: mode.to_owned(), object: object.to_owned(), waited_us })
}

/// The pids of `Process holding the lock: 1. Wait queue: 2, 3.`: of holders, and of the queue.
pub fn holders_and_queue(detail: &str) -> (Vec<i32>, Vec<i32>) {
    let holders = detail.split_once("holding the lock: ").map_or("", |(_, rest)| rest);
    let (holders, queue) = holders.split_once(". Wait queue: ").unwrap_or((holders, ""));
    (pids(holders), pids(queue))
}

fn pids(list: &str) -> Vec<i32> {
    let words = list.split(|c: char| !c.is_ascii_digit());
    words.filter_map(|word| word.parse().ok()).collect()
}

/// Reads the DETAIL of `deadlock detected`, the client's or the log's.
pub fn deadlock_edges(detail: &str) -> Vec<DeadlockEdge> {
    let mut edges: Vec<DeadlockEdge> = Vec::new();
    let mut speaker: Option<usize> = None;
    for line in detail.lines() {
        if let Some(edge) = deadlock_edge(line) {
            edges.push(edge);
        } else if let Some((pid, text)) = statement_of(line) {
            speaker = edges.iter().position(|edge| edge.pid == pid);
            if let Some(edge) = speaker.and_then(|at| edges.get_mut(at)) {
                edge.statement = Some(text.to_owned());
            }
        } else if let Some(edge) = speaker.and_then(|at| edges.get_mut(at))
            && let Some(statement) = &mut edge.statement
        {
            statement.push('\n');
            statement.push_str(line);
        }
    }
    edges
}

fn deadlock_edge(line: &str) -> Option<DeadlockEdge> {
    let (pid, rest) = line.strip_prefix("Process ")?.split_once(" waits for ")?;
    let (mode, rest) = rest.split_once(" on ")?;
    let (object, blocker) = rest.rsplit_once("; blocked by process ")?;
    Some(DeadlockEdge {
        pid: pid.parse().ok()?,
        mode: mode.to_owned(),
        object: object.to_owned(),
        blocked_by: blocker.strip_suffix('.')?.parse().ok()?,
        statement: None,
    })
}

fn statement_of(line: &str) -> Option<(i32, &str)> {
    let (pid, text) = line.strip_prefix("Process ")?.split_once(": ")?;
    Some((pid.parse().ok()?, text))
}

/// The relation that an object of the log is, or is in, by its oid.
pub fn relation_oid(object: &str) -> Option<u32> {
    let (_, rest) = object.rsplit_once("relation ")?;
    rest.split_once(' ').map_or(rest, |(oid, _)| oid).parse().ok()
}

/// `pg_locks.locktype` of an object of the log.
pub fn locktype(object: &str) -> &'static str {
    let kinds = [
        ("relation", "relation"),
        ("extension of", "extend"),
        ("pg_database.datfrozenxid", "frozenid"),
        ("page", "page"),
        ("tuple", "tuple"),
        ("transaction", "transactionid"),
        ("virtual transaction", "virtualxid"),
        ("speculative token", "spectoken"),
        ("object", "object"),
        ("user lock", "userlock"),
        ("advisory lock", "advisory"),
        ("remote transaction", "applytransaction"),
    ];
    let kind = kinds.into_iter().find(|(start, _)| object.starts_with(start));
    kind.map_or("unknown", |(_, locktype)| locktype)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(
        "process 7 still waiting for ShareLock on transaction 742 after 1000.123 ms",
        WaitStage::Still,
        "ShareLock",
        "transaction 742",
        1_000_123
    )]
    #[case(
        "process 7 acquired AccessExclusiveLock on relation 16384 of database 5 after 12.001 ms",
        WaitStage::Acquired,
        "AccessExclusiveLock",
        "relation 16384 of database 5",
        12_001
    )]
    #[case(
        "process 7 avoided deadlock for ShareLock on page 1 of relation 3 of database 5 by \
            rearranging queue order after 1.000 ms",
        WaitStage::Still,
        "ShareLock",
        "page 1 of relation 3 of database 5",
        1_000
    )]
    #[case(
        "process 7 detected deadlock while waiting for ExclusiveLock on advisory lock \
            [5,0,1,1] after 1000.001 ms",
        WaitStage::GivenUp,
        "ExclusiveLock",
        "advisory lock [5,0,1,1]",
        1_000_001
    )]
    fn a_message_about_a_wait_is_read(
        #[case] text: &str,
        #[case] about: WaitStage,
        #[case] mode: &str,
        #[case] object: &str,
        #[case] waited_us: u64,
    ) {
        let read = wait_message(text).unwrap();
        assert_eq!((read.pid, read.about, read.waited_us), (7, about, waited_us));
        assert_eq!((read.mode.as_str(), read.object.as_str()), (mode, object));
    }

    #[rstest]
    #[case("process 7 exited with exit code 1")]
    #[case("checkpoint starting: time")]
    #[case("process x still waiting for ShareLock on transaction 1 after 1.000 ms")]
    fn another_message_is_none(#[case] text: &str) {
        assert_eq!(wait_message(text), None);
    }

    #[test]
    fn holders_and_queue_are_in_their_order() {
        let one = "Process holding the lock: 12. Wait queue: 14, 13.";
        assert_eq!(holders_and_queue(one), (vec![12], vec![14, 13]));
        let two = "Processes holding the lock: 12, 11. Wait queue: .";
        assert_eq!(holders_and_queue(two), (vec![12, 11], vec![]));
    }

    #[test]
    fn a_deadlock_has_both_sides_with_their_statements_where_the_log_gives_them() {
        let log = "Process 1 waits for ShareLock on transaction 742; blocked by process 2.\n\
                   Process 2 waits for AccessExclusiveLock on relation 16384 of database 5; \
                   blocked by process 1.\n\
                   Process 1: UPDATE a\nSET n = 1\n\
                   Process 2: ALTER TABLE a ADD b int";
        let edges = deadlock_edges(log);
        let statements: Vec<_> = edges.iter().map(|edge| edge.statement.as_deref()).collect();
        assert_eq!(statements, [Some("UPDATE a\nSET n = 1"), Some("ALTER TABLE a ADD b int")]);
        assert_eq!((edges[0].pid, edges[0].blocked_by), (1, 2));
        assert_eq!(edges[1].object, "relation 16384 of database 5");
        let client: Vec<&str> = log.lines().take(2).collect();
        let edges = deadlock_edges(&client.join("\n"));
        assert!(edges.iter().all(|edge| edge.statement.is_none()) && edges.len() == 2);
    }

    #[test]
    fn an_object_has_its_relation_and_its_kind_of_lock() {
        let tuple = "tuple (0,1) of relation 16384 of database 5";
        assert_eq!((relation_oid(tuple), locktype(tuple)), (Some(16_384), "tuple"));
        let virtual_one = "virtual transaction 3/17";
        assert_eq!((relation_oid(virtual_one), locktype(virtual_one)), (None, "virtualxid"));
        assert_eq!(locktype("transaction 742"), "transactionid");
    }
}
