//! What the application and the background sessions may write, by their statements and by what
//! those reach through foreign keys, triggers and functions.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::TableState;
use crate::observe::{KeyActions, Reached, Touch, Updates};
use crate::pg::facts::{RelationName, StatementFacts, facts};
use crate::pg::lex;
use crate::pg::purpose::Purpose;
use crate::pg::syntax::Kind;
use crate::scenario::{LedgerRule, Scenario};

use super::names::root_of;

type States = BTreeMap<String, TableState>;

/// What is known of the application's writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Application {
    /// Tables that it may write at all, as a state names them.
    pub writes: BTreeSet<String>,
    /// What it may have done to them without its ledger.
    pub touches: BTreeMap<String, Touch>,
    /// What it may have done to them at all.
    done: BTreeMap<String, Touch>,
}

/// `unknown`: operations whose ledger does not know all that they wrote. `keyed`: statements of
/// which the key of every row that they wrote is known, by their operations.
pub fn application(
    scenario: &Scenario,
    states: &States,
    reach: &[Reached],
    (unknown, keyed): (&BTreeSet<usize>, &BTreeSet<(usize, usize)>),
) -> Application {
    let mut found = Application::default();
    // A trigger may write other rows of its table too.
    let of_its_table = |r: &&Reached| r.to.as_deref() == Some(&r.from) && !r.own_row;
    let triggers = reach.iter().filter(|r| r.key.is_none()).filter(of_its_table);
    let of_triggers: Vec<RelationName> =
        triggers.map(|reached| RelationName::unquoted(&reached.from)).collect();
    for (kind, operation) in scenario.traffic.operations.iter().enumerate() {
        let ledger = operation.ledger.as_ref().filter(|_| !unknown.contains(&kind));
        let statements: Vec<(&str, Vec<StatementFacts>)> = operation
            .statements
            .iter()
            .map(|statement| (statement.sql.as_str(), facts(&statement.sql).statements))
            .collect();
        for (place, (sql, known)) in statements.iter().enumerate() {
            let by_key = keyed.contains(&(kind, place));
            for statement in known {
                // The ledger's table is written once: by the statement that it is about.
                let times = |rule: &RelationName| {
                    let all = statements.iter().flat_map(|(_, facts)| facts);
                    all.filter(|s| s.writes_to(rule)).count()
                };
                let accounted = |name: &RelationName| {
                    let by_key = by_key && !of_triggers.iter().any(|table| table.may_be(name));
                    by_key
                        || ledger
                            .is_some_and(|rule| is_accounted(rule, sql, statement, name, &times))
                };
                found.add(states, sql, statement, &accounted);
            }
            found.call(states, reach, sql);
        }
    }
    let disturbances = scenario.disturbances.iter().filter(|disturbance| disturbance.may_write());
    for sql in disturbances.flat_map(|disturbance| &disturbance.statements) {
        for statement in &facts(sql).statements {
            found.add(states, sql, statement, &|_| false);
        }
        found.call(states, reach, sql);
    }
    found.spread(states, reach);
    found
}

fn is_accounted(
    rule: &LedgerRule,
    sql: &str,
    statement: &StatementFacts,
    name: &RelationName,
    times: &dyn Fn(&RelationName) -> usize,
) -> bool {
    let (table, kind) = match rule {
        LedgerRule::Insert { table, .. } => (table, Kind::Insert),
        LedgerRule::Update { table, .. } => (table, Kind::Update),
        LedgerRule::Delete { table, .. } => (table, Kind::Delete),
    };
    let table = RelationName::of(table);
    table.may_be(name) && statement.kind == kind && !is_upsert(sql) && times(&table) == 1
}

/// Whether an INSERT may update the row that is in its way.
fn is_upsert(sql: &str) -> bool {
    let is = |word: &&str, known: &str| word.eq_ignore_ascii_case(known);
    let found: Vec<&str> = words(sql).collect();
    let does_nothing = || found.windows(2).any(|two| is(&two[0], "do") && is(&two[1], "nothing"));
    found.iter().any(|word| is(word, "conflict")) && !does_nothing()
}

impl Application {
    fn add(
        &mut self,
        states: &States,
        sql: &str,
        statement: &StatementFacts,
        accounted: &dyn Fn(&RelationName) -> bool,
    ) {
        let hidden = statement.dynamic || statement.locks.is_none();
        if hidden && statement.purpose == Purpose::Work {
            self.may_write_any(states);
            return;
        }
        for name in &statement.writes {
            let tables: Vec<String> = states
                .iter()
                .filter(|(table, _)| RelationName::unquoted(table).may_be(name))
                .map(|(table, state)| root_of(table, state).to_owned())
                .collect();
            for table in tables {
                self.writes.insert(table.clone());
                let touch = touch_of(sql, statement);
                add(self.done.entry(table.clone()).or_default(), &touch);
                if !accounted(name) {
                    add(self.touches.entry(table).or_default(), &touch);
                }
            }
        }
    }

    /// What functions that the statement names reach.
    fn call(&mut self, states: &States, reach: &[Reached], sql: &str) {
        let called: BTreeSet<String> =
            words(sql).map(|word| format!("function {}", word.trim_matches('"'))).collect();
        for reached in reach.iter().filter(|reached| called.contains(&reached.from)) {
            match &reached.to {
                Some(table) => self.may_do_anything(table),
                None => self.may_write_any(states),
            }
        }
    }

    fn may_do_anything(&mut self, table: &str) {
        self.writes.insert(table.to_owned());
        self.touches.insert(table.to_owned(), Touch::anything());
        self.done.insert(table.to_owned(), Touch::anything());
    }

    fn may_write_any(&mut self, states: &States) {
        for (table, state) in states {
            self.may_do_anything(root_of(table, state));
        }
    }

    /// On to what the tables reach that it writes.
    fn spread(&mut self, states: &States, reach: &[Reached]) {
        loop {
            let before = self.clone();
            for Reached { from, to, key, .. } in reach {
                if !self.writes.contains(from) {
                    continue;
                }
                match (to, key) {
                    (Some(to), Some(key)) => self.refer(from, to, key),
                    // A trigger may set other columns of the row that is written.
                    (Some(to), None) if to == from => {
                        for touches in [&mut self.touches, &mut self.done] {
                            if let Some(touch) = touches.get_mut(from)
                                && matches!(touch.updates, Updates::Of(_))
                            {
                                touch.updates = Updates::Any;
                            }
                        }
                    }
                    (Some(to), None) => self.may_do_anything(to),
                    (None, _) => self.may_write_any(states),
                }
            }
            if before == *self {
                return;
            }
        }
    }
}

impl Application {
    /// To the rows that refer to those which it deletes or updates.
    fn refer(&mut self, from: &str, to: &str, key: &KeyActions) {
        let reached = self.done.get(from).map(|done| key.reached(done)).unwrap_or_default();
        if !reached.is_none() {
            self.writes.insert(to.to_owned());
            add(self.touches.entry(to.to_owned()).or_default(), &reached);
            add(self.done.entry(to.to_owned()).or_default(), &reached);
        }
    }
}

fn touch_of(sql: &str, statement: &StatementFacts) -> Touch {
    if statement.writes.len() > 1 {
        return Touch::anything();
    }
    let of_words = || Updates::Of(words(sql).map(|w| w.trim_matches('"').to_owned()).collect());
    match statement.kind {
        Kind::Insert => {
            let updates = if is_upsert(sql) { of_words() } else { Updates::None };
            Touch { inserts: true, deletes: false, updates }
        }
        Kind::Update => Touch { updates: of_words(), ..Touch::default() },
        Kind::Delete => Touch { deletes: true, ..Touch::default() },
        _ => Touch::anything(),
    }
}

fn add(touch: &mut Touch, more: &Touch) {
    touch.inserts |= more.inserts;
    touch.deletes |= more.deletes;
    touch.updates = match (std::mem::take(&mut touch.updates), more.updates.clone()) {
        (Updates::Any, _) | (_, Updates::Any) => Updates::Any,
        (Updates::Of(mut words), Updates::Of(others)) => {
            words.extend(others);
            words.sort_unstable();
            words.dedup();
            Updates::Of(words)
        }
        (Updates::Of(words), Updates::None) | (Updates::None, Updates::Of(words)) => {
            Updates::Of(words)
        }
        (Updates::None, Updates::None) => Updates::None,
    };
}

/// Words and quoted names of a statement.
fn words(sql: &str) -> impl Iterator<Item = &str> {
    let tokens = lex::tokens(sql).unwrap_or_default();
    let is_name = |kind| matches!(kind, lex::TokenKind::Word | lex::TokenKind::QuotedIdent);
    tokens.into_iter().filter(move |token| is_name(token.kind)).map(move |token| token.text(sql))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What they do is known, so that every row that they do not write has to be what it was.
    #[test]
    fn no_condition_may_write_any_table() {
        let burn = "DO $$ BEGIN FOR i IN 1 .. 9 LOOP PERFORM pg_catalog.txid_current(); COMMIT; \
                    END LOOP; END $$";
        assert!(!facts(burn).statements.iter().any(|s| s.dynamic || s.locks.is_none()));
    }
}
