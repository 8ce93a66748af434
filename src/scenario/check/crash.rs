//! Checks the crash matrix: its size, its kinds of faults, the steps by hand, what is expected.

use toml::Spanned;

use crate::trial::FaultKind;

use super::super::problem::{Source, known_names};
use super::super::sql::Sql;
use super::super::{Base, CRASH_ROWS_DEFAULT, Crash, Outcome, Sizes, State, Step, Table, wire};
use super::Checker;
use super::sql::EACH_BY_ITSELF;

/// A night of faults, at a few seconds each.
const RANDOM_MAX: u32 = 10_000;

impl Checker<'_> {
    /// `states` are the scenario's; none: it starts from its base.
    pub(super) fn crash(&mut self, states: &[State], tables: &[Table]) -> Option<Crash> {
        let (source, section) = self.files.section(|file| file.crash.as_ref())?;
        let crash = section.get_ref();
        let state = self.crash_state(source, crash.state.as_ref(), states);
        let declared = Sizes(tables.iter().map(|t| (t.name.clone(), t.rows)).collect());
        let random = crash.random.as_ref();
        Some(Crash {
            faults: self.fault_kinds(source, crash.faults.as_ref()),
            rows: self.crash_rows(source, crash.rows.as_ref(), &state, &declared),
            traffic: self.crash_traffic(source, crash.traffic.as_ref(), &state),
            state: crash.state.as_ref().map(|name| name.get_ref().clone()),
            random: random.map_or(0, |n| self.within(source, "random", n, 0..=RANDOM_MAX)),
            steps: self.steps(source, &crash.step),
            expect: self.outcomes(source, &crash.expect, &[]),
            may: self.outcomes(source, &crash.may, &crash.expect),
        })
    }

    fn fault_kinds(
        &mut self,
        source: &Source,
        given: Option<&Spanned<Vec<Spanned<FaultKind>>>>,
    ) -> Vec<FaultKind> {
        let Some(given) = given else { return FaultKind::ALL.to_vec() };
        if given.get_ref().is_empty() {
            let remedy = "leave it out for all of them";
            self.push_with(source, given, "there is no fault to inject", remedy);
        }
        self.once_each(source, given.get_ref());
        given.get_ref().iter().map(|kind| *kind.get_ref()).collect()
    }

    /// The state from which every case starts.
    fn crash_state(
        &mut self,
        source: &Source,
        given: Option<&Spanned<String>>,
        states: &[State],
    ) -> State {
        let base = [State::base()];
        let states = if states.is_empty() { &base } else { states };
        let Some(name) = given else { return states[0].clone() };
        let found = states.iter().find(|state| state.name == *name.get_ref());
        if found.is_none() {
            let message = format!("no state `{}`", name.get_ref());
            let known = states.iter().map(|state| state.name.as_str());
            let remedy = known_names(name.get_ref(), "states", known);
            self.push_with(source, name, message, remedy);
        }
        found.unwrap_or(&states[0]).clone()
    }

    /// Never more than the state holds: the matrix is a small copy of it.
    fn crash_rows(
        &mut self,
        source: &Source,
        given: Option<&Spanned<u64>>,
        state: &State,
        declared: &Sizes,
    ) -> u64 {
        let largest = state.sizes(declared).largest();
        match given {
            None => CRASH_ROWS_DEFAULT.min(largest.max(1)),
            Some(rows) if largest == 0 || state.from == Base::Empty => {
                let message = format!("`rows` where the state `{}` has none", state.name);
                self.push_with(source, rows, message, "there is nothing to scale: leave it out");
                *rows.get_ref()
            }
            Some(rows) => self.within(source, "rows", rows, 1..=largest),
        }
    }

    fn crash_traffic(
        &mut self,
        source: &Source,
        given: Option<&Spanned<bool>>,
        state: &State,
    ) -> bool {
        let possible = state.from == Base::Base;
        if let Some(wanted) = given.filter(|wanted| *wanted.get_ref() && !possible) {
            let message = format!("`traffic` where the state `{}` has no tables", state.name);
            self.push_with(source, wanted, message, "no application runs there: leave it out");
        }
        given.map_or(possible, |wanted| *wanted.get_ref())
    }

    fn steps(&mut self, source: &Source, given: &[wire::Step]) -> Vec<Step> {
        let mut seen = Vec::new();
        let mut checked = Vec::new();
        for step in given {
            self.unique_name(source, &step.name, &mut seen);
            checked.push(self.step(source, step));
        }
        checked
    }

    fn step(&mut self, source: &Source, step: &wire::Step) -> Step {
        let name = step.name.get_ref();
        let problems = self.problems.len();
        if step.sql.is_some() == step.statements.is_some() {
            let message = format!("step `{name}` needs its SQL in exactly one place");
            let remedy = "right would be one of `sql` and `statements`";
            self.push_with(source, &step.name, message, remedy);
        }
        let mut statements = Vec::new();
        for sql in step.sql.iter().chain(step.statements.iter().flatten()) {
            let sql = Sql::inline(source, sql);
            statements.extend(self.plain_statements(&sql, EACH_BY_ITSELF));
        }
        if statements.is_empty() && self.problems.len() == problems {
            let remedy = "a step is something to do: write its SQL";
            self.push_with(source, &step.name, format!("step `{name}` has no statement"), remedy);
        }
        Step { name: name.clone(), statements }
    }

    /// Outcomes, none of which is among `others`.
    fn outcomes(
        &mut self,
        source: &Source,
        given: &[Spanned<Outcome>],
        others: &[Spanned<Outcome>],
    ) -> Vec<Outcome> {
        self.once_each(source, given);
        for outcome in given {
            if others.iter().any(|other| other.get_ref() == outcome.get_ref()) {
                let message = format!("`{}` is in both `expect` and `may`", outcome.get_ref());
                let remedy = "what is in `expect` must be found, what is in `may` need not be";
                self.push_with(source, outcome, message, remedy);
            }
        }
        given.iter().map(|outcome| *outcome.get_ref()).collect()
    }
}
