//! Checks the declared reads: their SQL in both forms, and what must hold of rows and plans.

use toml::Spanned;

use crate::pg::NODE_TYPES;

use super::super::problem::{Source, known_names};
use super::super::sql::Sql;
use super::super::{Invariant, OperationStatement, PlanLimit, Rows, Since, wire};
use super::Checker;
use super::sql::Uses;
use super::table::ROWS_MAX;

impl Checker<'_> {
    pub(super) fn invariants(&mut self) -> Vec<Invariant> {
        let section = self.files.section(|file| file.invariant.as_ref());
        let Some((source, section)) = section else { return Vec::new() };
        let mut seen = Vec::new();
        let mut checked = Vec::new();
        for invariant in section.get_ref() {
            self.unique_name(source, &invariant.name, &mut seen);
            checked.extend(self.invariant(source, invariant));
        }
        checked
    }

    fn invariant(&mut self, source: &Source, invariant: &wire::Invariant) -> Option<Invariant> {
        let known: Vec<&str> = invariant.params.keys().map(|k| k.get_ref().as_str()).collect();
        let mut uses = Uses::new();
        let statement = self.read(source, &invariant.sql, &known, &mut uses);
        let before = invariant.before.as_ref();
        let before = before.map(|sql| self.read(source, sql, &known, &mut uses));
        let plan = invariant.plan.as_ref().map(|plan| self.plan(source, plan));
        if let (Some(since), Some(_)) = (&invariant.since, &invariant.before) {
            let remedy = "`before` is what is read until the change is over";
            self.push_with(source, since, "`since` has no place beside `before`", remedy);
        }
        // What a text that cannot be read uses is unknown.
        let (statement, before) = (statement?, before.map_or(Some(None), |read| read.map(Some))?);
        self.unused_parameters(source, &invariant.params, &uses);
        Some(Invariant {
            name: invariant.name.get_ref().clone(),
            statement,
            parameters: self.plain_generators(source, &invariant.params),
            before,
            rows: invariant.rows.as_ref().map_or(Rows::Same, |rows| *rows.get_ref()),
            since: invariant.since.as_ref().map_or(Since::Start, |since| *since.get_ref()),
            plan,
        })
    }

    fn read(
        &mut self,
        source: &Source,
        sql: &Spanned<String>,
        known: &[&str],
        uses: &mut Uses,
    ) -> Option<OperationStatement> {
        let problems = self.problems.len();
        let mut statements = self.named_statements(&Sql::inline(source, sql), known, uses);
        if self.problems.len() == problems && statements.len() != 1 {
            let message = format!("{} statements; an invariant is one read", statements.len());
            self.push(source, sql, message);
        }
        statements.pop()
    }

    fn plan(&mut self, source: &Source, plan: &Spanned<wire::PlanLimit>) -> PlanLimit {
        let given = plan.get_ref();
        if given.absent.is_empty() && given.rows_max.is_none() {
            let remedy = "right would be `absent`, `rows_max` or both";
            self.push_with(source, plan, "`plan` limits nothing", remedy);
        }
        self.once_each(source, &given.absent);
        for node in &given.absent {
            let name = node.get_ref().as_str();
            if !NODE_TYPES.contains(&name) {
                let message = format!("`{name}` is no node type of a plan");
                let remedy = known_names(name, "node types", NODE_TYPES.iter().copied());
                self.push_with(source, node, message, remedy);
            }
        }
        let rows_max = given.rows_max.as_ref();
        PlanLimit {
            absent: given.absent.iter().map(|node| node.get_ref().clone()).collect(),
            rows_max: rows_max.map(|rows| self.within(source, "rows_max", rows, 1..=ROWS_MAX)),
        }
    }
}
