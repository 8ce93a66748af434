//! Checks pgauntlet.toml: with a scenario's sections as in a scenario.

use toml::Spanned;

use super::super::definition::is_kebab_case;
use super::super::problem::{Source, beside};
use super::super::project::{ProjectBase, ProjectChange, ProjectDefaults, Trying};
use super::super::traffic::{RATE_PER_S_MAX, RATE_PER_S_MIN};
use super::super::wire::{ProjectFile, Try};
use super::super::{Acceptance, Demands};
use super::Checker;

/// Most rows of a table.
const ROWS_MAX: u64 = 1_000_000_000_000;

impl Checker<'_> {
    pub(super) fn project(&mut self, source: &Source, file: &ProjectFile) -> ProjectDefaults {
        self.one_of(source, ("change", &file.change), ("command", &file.command));
        self.one_of(source, ("schema", &file.schema), ("base", &file.base));
        if let (Some(tool), Some(_)) = (&file.tool, &file.command) {
            let remedy = "it says whose directory `change` is";
            self.push_with(source, tool, "`tool` does not go with `command`", remedy);
        }
        let path = |path: &Spanned<String>| beside(&source.path, path.get_ref());
        let text = |text: &Spanned<String>| text.get_ref().clone();
        let of_path = file.change.as_ref().map(|change| ProjectChange::Path(path(change)));
        let change =
            of_path.or_else(|| file.command.as_ref().map(text).map(ProjectChange::Command));
        let schema = file.schema.as_ref().map(text).map(ProjectBase::Schema);
        let base = schema.or_else(|| file.base.as_ref().map(text).map(ProjectBase::Command));
        let mut rows = Vec::new();
        for (table, count) in file.rows.iter().flatten() {
            let count = self.within(source, table.get_ref(), count, 1..=ROWS_MAX);
            rows.push((table.get_ref().clone(), count));
        }
        let (pool, limits) = (self.pool(), self.limits());
        let (mut acceptances, mut of_change) = (Vec::new(), Vec::new());
        for (change, acceptance) in self.accepted_of_project(source, file) {
            match change {
                Some(change) => of_change.push((change, acceptance)),
                None => acceptances.push(acceptance),
            }
        }
        let trying = self.trying(source, file.r#try.as_ref());
        let runs_as = self.connects_as(source, &file.role, &file.superuser);
        let demands = Demands { runs_as, pool, limits, acceptances };
        let tool = file.tool.as_ref().map(|tool| *tool.get_ref());
        ProjectDefaults { change, tool, base, rows, demands, of_change, trying }
    }

    /// Reports the second of two keys that say the same, and one that is empty.
    fn one_of(
        &mut self,
        source: &Source,
        (first, one): (&str, &Option<Spanned<String>>),
        (second, other): (&str, &Option<Spanned<String>>),
    ) {
        if let (Some(_), Some(other)) = (one, other) {
            let message = format!("`{second}` does not go with `{first}`");
            self.push_with(source, other, message, "one of them says it");
        }
        for (key, value) in [(first, one), (second, other)] {
            if let Some(value) = value.as_ref().filter(|value| value.get_ref().trim().is_empty()) {
                self.push(source, value, format!("`{key}` says nothing"));
            }
        }
    }

    fn accepted_of_project(
        &mut self,
        source: &Source,
        file: &ProjectFile,
    ) -> Vec<(Option<String>, Acceptance)> {
        let mut found = Vec::new();
        for one in &file.accept {
            let acceptance = self.acceptance(source, &one.finding, &one.reason, Some(&one.until));
            if let Some(change) = one.change.as_ref().filter(|name| !is_kebab_case(name.get_ref()))
            {
                let message = format!("`{}` is no name of a change", change.get_ref());
                let remedy = "as the verdict has it: its file's name in lower-case words and \
                              digits, joined by hyphens";
                self.push_with(source, change, message, remedy);
            }
            let change = one.change.as_ref().map(|change| change.get_ref().clone());
            found.extend(acceptance.map(|acceptance| (change, acceptance)));
        }
        found
    }

    fn trying(&mut self, source: &Source, given: Option<&Try>) -> Trying {
        let Some(given) = given else { return Trying::default() };
        let range = RATE_PER_S_MIN..=RATE_PER_S_MAX;
        let rate = given.rate.as_ref().map(|rate| self.within(source, "rate", rate, range));
        let conditions = given.conditions.as_ref().map(|list| {
            if list.get_ref().is_empty() {
                let remedy = "right would be \"calm\", \"backup\" or others of scenarios/README.md";
                self.push_with(source, list, "there is no condition to try under", remedy);
            }
            self.once_each(source, list.get_ref());
            list.get_ref().iter().map(|condition| *condition.get_ref()).collect()
        });
        let Try { budget, fail_on, traffic, .. } = given;
        Trying { budget: *budget, conditions, fail_on: *fail_on, traffic: *traffic, rate }
    }
}
