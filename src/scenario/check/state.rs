//! Checks the starting states: what the database is before the change, and how it got there.
//!
//! A path that leaves the database in a wrong state is no problem here: what the change does with
//! such a database is what states are for.

use std::collections::BTreeMap;

use toml::Spanned;

use super::super::problem::Source;
use super::super::{Accepted, Base, Change, Migration, State, TransactionRule, wire};
use super::Checker;
use super::table::ROWS_MAX;

impl Checker<'_> {
    /// The states, the reference first. `change` is the scenario's own; None: it is missing.
    pub(super) fn states(&mut self, change: Option<&Change>) -> Vec<State> {
        let section = self.files.section(|file| file.state.as_ref());
        let Some((source, section)) = section else { return Vec::new() };
        if section.get_ref().is_empty() {
            let remedy = "leave it out: the scenario then starts from its base alone";
            self.push_with(source, section, "there is no state", remedy);
        }
        let mut seen = Vec::new();
        let mut checked = Vec::new();
        for (index, state) in section.get_ref().iter().enumerate() {
            self.unique_name(source, &state.name, &mut seen);
            if let Some(accept) = state.accept.as_ref().filter(|_| index == 0) {
                let message = "`accept` has no place in the first state";
                let remedy = "it is the reference: the others may differ from it";
                self.push_with(source, accept, message, remedy);
            }
            checked.push(self.state(source, state, change));
        }
        checked
    }

    fn state(&mut self, source: &Source, state: &wire::State, change: Option<&Change>) -> State {
        let from = state.from.as_ref().map_or(Base::Base, |from| *from.get_ref());
        if let Some(rows) = state.rows.as_ref().filter(|_| from == Base::Empty) {
            let message = "`rows` has no place beside from = \"empty\"";
            self.push_with(source, rows, message, "such a database has no tables to fill");
        }
        let accept = state.accept.as_ref().map(|list| list.get_ref().as_slice());
        State {
            name: state.name.get_ref().clone(),
            from,
            path: self.path(source, state, change),
            rows: state.rows.as_ref().map(|r| self.rows(source, r.get_ref())).unwrap_or_default(),
            accept: self.accepted(source, accept.unwrap_or_default()),
            expect: state.expect.as_ref().map(|expect| self.expectation(source, expect)),
        }
    }

    fn path(
        &mut self,
        source: &Source,
        state: &wire::State,
        change: Option<&Change>,
    ) -> Option<Change> {
        if let Some(file) = &state.file {
            if state.path.is_some() || state.stop.is_some() {
                let remedy = "a state is reached in one way";
                self.push_with(source, file, "`file` beside `path` or `stop`", remedy);
            }
            return self.by_hand(source, file);
        }
        match (&state.path, &state.stop) {
            (None, None) => None,
            // A missing change is reported by itself.
            (None, Some(stop)) => self.part_of(source, stop, change?),
            (Some(path), stop) => {
                if let Some(stop) = stop {
                    let remedy = "a path says where it stops itself: [state.path.stop]";
                    self.push_with(source, stop, "`stop` beside `path`", remedy);
                }
                Some(self.own_path(source, path, change))
            }
        }
    }

    /// What a user typed: each statement by itself, without a version row.
    fn by_hand(&mut self, source: &Source, file: &Spanned<String>) -> Option<Change> {
        let script = self.script(source, file)?;
        let migration = Migration::new(file.get_ref().clone(), script, None);
        let transaction = TransactionRule::None;
        Some(Change { transaction, versions: None, ..Change::of(vec![migration]) })
    }

    /// The scenario's own change, stopped on its way.
    fn part_of(
        &mut self,
        source: &Source,
        stop: &Spanned<wire::Stop>,
        change: &Change,
    ) -> Option<Change> {
        if change.command.is_some() {
            let message = "`stop` has no place where a command applies the change";
            let remedy =
                "it tells the built-in runner; write a [state.path] that goes part of the way";
            self.push_with(source, stop, message, remedy);
            return None;
        }
        let stop = Some(self.stop(source, stop.get_ref(), change));
        Some(Change { stop, runners: 1, ..change.clone() })
    }

    /// A path remembers what it applied where the change will look for it.
    fn own_path(
        &mut self,
        source: &Source,
        path: &Spanned<wire::Change>,
        change: Option<&Change>,
    ) -> Change {
        let given = path.get_ref();
        for (key, count) in [("runners", &given.runners), ("rerun_attempts", &given.rerun_attempts)]
        {
            if let Some(count) = count {
                let message = format!("`{key}` has no place in a path");
                self.push_with(source, count, message, "one runner applies it, and once");
            }
        }
        if let Some(rerun) = &given.rerun {
            self.push_with(source, rerun, "`rerun` has no place in a path", "it is applied once");
        }
        let mut checked = self.change_at(source, "state.path", path);
        if given.versions.is_none() && checked.command.is_none() {
            // A table of ours would be there in this state alone.
            if let Some(change) = change {
                checked.versions = change.versions.clone();
            }
        }
        checked
    }

    fn rows(&mut self, source: &Source, given: &wire::Named<u64>) -> BTreeMap<String, u64> {
        let mut checked = BTreeMap::new();
        for (table, rows) in given {
            self.filled_table(source, table);
            let rows = self.within(source, table.get_ref(), rows, 0..=ROWS_MAX);
            checked.insert(table.get_ref().clone(), rows);
        }
        checked
    }

    fn accepted(&mut self, source: &Source, given: &[Spanned<String>]) -> Vec<Accepted> {
        self.once_each(source, given);
        let mut checked = Vec::new();
        for text in given {
            let accepted = Accepted::parse(text.get_ref());
            if accepted.is_none() {
                let message = format!("`{}` names no difference", text.get_ref());
                let remedy = "right would be KIND NAME or KIND NAME: PROPERTY, as in `index \
                              public.orders_by_customer: indisvalid`";
                self.push_with(source, text, message, remedy);
            }
            checked.extend(accepted);
        }
        checked
    }
}
