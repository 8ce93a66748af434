//! Checks what a change is said to do on purpose, and which findings are accepted.

use toml::Spanned;

use crate::pg::lex;

use super::super::acceptance::day;
use super::super::acknowledged::{acknowledged, not_acceptable};
use super::super::problem::Source;
use super::super::{Acceptance, Accepted, Change, FindingKind, Meant, wire};
use super::Checker;

impl Checker<'_> {
    /// Of the scenario's file, and what the files of its change accept.
    pub(super) fn accepted_on_purpose(
        &mut self,
        change: Option<&Change>,
    ) -> (Vec<Meant>, Vec<Acceptance>) {
        let (source, file) = self.files.main;
        let (mut meant, mut acceptances) = (Vec::new(), Vec::new());
        for one in file.accept.iter().flat_map(Spanned::get_ref) {
            match &one.get_ref().finding {
                Some(kind) => acceptances.extend(self.accepted_finding(source, one, kind)),
                None => meant.push(self.one_meant(source, one)),
            }
        }
        acceptances.extend(self.acknowledged(change));
        (meant, acceptances)
    }

    fn one_meant(&mut self, source: &Source, one: &Spanned<wire::Accept>) -> Meant {
        let given = one.get_ref();
        if set_of(given) != 1 {
            self.about_one_thing(source, one);
        }
        for (key, at) in [
            ("reason", given.reason.as_ref().map(Spanned::span)),
            ("until", given.until.as_ref().map(Spanned::span)),
        ] {
            let message = format!("`{key}` goes with `finding`");
            self.problems.extend(at.map(|at| source.problem(at, message)));
        }
        let wire::Accept { rows, values, difference, no_rows, .. } = given;
        let text = |text: &Option<Spanned<String>>| text.as_ref().map(|t| t.get_ref().clone());
        Meant {
            rows: text(rows),
            values: text(values),
            difference: difference.as_ref().and_then(|text| {
                let accepted = Accepted::parse(text.get_ref());
                if accepted.is_none() {
                    let message = format!("`{}` names no difference", text.get_ref());
                    let remedy = "right would be KIND NAME or KIND NAME: PROPERTY, as in `table \
                                  public.orders: owner`";
                    self.push_with(source, text, message, remedy);
                }
                accepted
            }),
            no_rows: no_rows.as_ref().is_some_and(|no_rows| *no_rows.get_ref()),
        }
    }

    fn about_one_thing(&mut self, source: &Source, one: &Spanned<wire::Accept>) {
        let message = "an `[[accept]]` is about one thing";
        let remedy = "right would be `rows`, `values`, `difference`, `no_rows` or `finding`";
        self.push_with(source, one, message, remedy);
    }

    fn accepted_finding(
        &mut self,
        source: &Source,
        one: &Spanned<wire::Accept>,
        kind: &Spanned<FindingKind>,
    ) -> Option<Acceptance> {
        let given = one.get_ref();
        if set_of(given) != 1 {
            self.about_one_thing(source, one);
        }
        let Some(reason) = &given.reason else {
            let message = format!("`{}` is accepted without a `reason`", kind.get_ref());
            self.push_with(source, kind, message, "say why it may be: reason = \"…\"");
            return None;
        };
        self.acceptance(source, kind, reason, given.until.as_ref())
    }

    /// A finding that is accepted, where it can be.
    pub(super) fn acceptance(
        &mut self,
        source: &Source,
        kind: &Spanned<FindingKind>,
        reason: &Spanned<String>,
        until: Option<&Spanned<toml::Value>>,
    ) -> Option<Acceptance> {
        let text = reason.get_ref().split_whitespace().collect::<Vec<_>>().join(" ");
        if text.is_empty() {
            let message = format!("`{}` is accepted without a reason", kind.get_ref());
            self.push_with(source, reason, message, "say why it may be");
        }
        if !kind.get_ref().may_be_accepted() {
            self.problems.push(not_acceptable(source, kind.span(), *kind.get_ref()));
            return None;
        }
        let (line, _) = lex::position(&source.text, kind.span().start);
        Some(Acceptance {
            kind: Some(*kind.get_ref()),
            reason: text,
            until: until.and_then(|until| self.last_day(source, until)),
            file: source.path.display().to_string(),
            line,
            within: None,
            in_change: false,
        })
    }

    /// `2027-01-31`, in quotes or not.
    fn last_day(&mut self, source: &Source, until: &Spanned<toml::Value>) -> Option<String> {
        let text = match until.get_ref() {
            toml::Value::String(text) => Some(text.clone()),
            toml::Value::Datetime(date) => Some(date.to_string()),
            _ => None,
        };
        let found = text.as_deref().and_then(day);
        if found.is_none() {
            let message =
                text.map_or("wrong type".to_owned(), |text| format!("`{text}` is no day"));
            let remedy = "right would be the last day on which it holds, as in 2027-01-31";
            self.push_with(source, until, message, remedy);
        }
        found
    }

    /// What the files of the change accept.
    fn acknowledged(&mut self, change: Option<&Change>) -> Vec<Acceptance> {
        let migrations = change.map(|change| change.migrations.as_slice()).unwrap_or_default();
        let mut files: Vec<_> = migrations.iter().map(|m| &m.script.path).collect();
        files.dedup();
        let mut found = Vec::new();
        for path in &files {
            match acknowledged(path, files.len() > 1) {
                Ok(of_file) => found.extend(of_file),
                Err(problems) => self.problems.extend(problems),
            }
        }
        found
    }
}

/// How many things it is about.
fn set_of(given: &wire::Accept) -> usize {
    let wire::Accept { rows, values, difference, no_rows, finding, reason: _, until: _ } = given;
    let set = [
        rows.is_some(),
        values.is_some(),
        difference.is_some(),
        no_rows.is_some(),
        finding.is_some(),
    ];
    set.into_iter().filter(|set| *set).count()
}
