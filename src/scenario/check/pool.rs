//! Checks pools: the file, the column of it, and that a table's columns take the same line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use toml::Spanned;

use super::super::pool::PoolFile;
use super::super::problem::{Source, beside, known_names};
use super::super::{Generator, wire};
use super::Checker;

impl Checker<'_> {
    pub(super) fn pool_column(
        &mut self,
        source: &Source,
        pool: &wire::PoolColumn,
    ) -> Option<Generator> {
        let each = self.each(source, pool.each.as_ref());
        let path = self.pool_file(source, &pool.file);
        let found = self.pools.get(&path)?.as_ref()?;
        let name = pool.column.get_ref();
        let Some(values) = found.column(name) else {
            let known = found.columns.iter().map(|(name, _)| name.as_str());
            let remedy = known_names(name, "columns", known);
            let message = format!("no column `{name}` in {}", pool.file.get_ref());
            self.push_with(source, &pool.column, message, remedy);
            return None;
        };
        let values = values.clone();
        let (file, column) = (pool.file.get_ref().clone(), name.clone());
        Some(Generator::Pool { file, column, values, each })
    }

    /// Reads the file once, however many columns name it.
    fn pool_file(&mut self, source: &Source, file: &Spanned<String>) -> PathBuf {
        let path = beside(&source.path, file.get_ref());
        if !self.pools.contains_key(&path) {
            let opened = self.open(source, file);
            let read = opened.map(|opened| PoolFile::read(&opened)).transpose();
            let read = read.unwrap_or_else(|problem| {
                self.problems.push(problem);
                None
            });
            self.pools.insert(path.clone(), read);
        }
        path
    }

    /// Reports columns of a table, or parameters of an operation, that could not keep together
    /// what they share.
    pub(super) fn shared(&mut self, source: &Source, columns: &wire::Named<wire::Value>) {
        let mut lines = BTreeMap::<&str, Option<u64>>::new();
        let mut nulls = BTreeMap::<&str, f64>::new();
        let mut rows = BTreeMap::<&str, String>::new();
        for value in columns.values() {
            let stated = value.get_ref();
            if let Some((row, said)) = grouped(stated) {
                let known = rows.entry(row.get_ref()).or_insert_with(|| said.clone());
                if *known != said {
                    let message = format!("references of the row `{}` differ", row.get_ref());
                    let remedy = "those of one row say the same, but for their column";
                    self.push_with(source, row, message, remedy);
                }
            }
            let marks = stated.reference.as_ref().and_then(|r| r.get_ref().nulls.as_ref());
            if let Some(fraction) = stated.null_fraction.as_ref().filter(|_| marks.is_some()) {
                let remedy = "the file says which rows are NULL";
                self.push_with(source, fraction, "`null_fraction` beside `nulls`", remedy);
            }
            for pool in stated.pool.iter().chain(marks) {
                let file = pool.get_ref().file.get_ref();
                let each = pool.get_ref().each.as_ref().map(|each| *each.get_ref());
                if *lines.entry(file).or_insert(each) != each {
                    let remedy = "columns that name the same file hold the same line in one row";
                    self.push_with(source, pool, format!("`each` differs for {file}"), remedy);
                }
            }
            let Some(with) = &stated.null_with else { continue };
            let Some(fraction) = &stated.null_fraction else {
                let remedy = "say with `null_fraction` how many rows are NULL";
                self.push_with(source, with, "`null_with` makes nothing NULL alone", remedy);
                continue;
            };
            let share = *fraction.get_ref();
            if *nulls.entry(with.get_ref()).or_insert(share) != share {
                let message = format!("`null_fraction` differs for `{}`", with.get_ref());
                let remedy = "columns of the same `null_with` are NULL in the same rows";
                self.push_with(source, fraction, message, remedy);
            }
        }
    }
}

/// The group of a reference, and all that it has in common with the group's other references.
fn grouped(value: &wire::Value) -> Option<(&Spanned<String>, String)> {
    let reference = value.reference.as_ref()?.get_ref();
    let wire::Reference {
        table,
        column: _,
        hit_rate,
        skew,
        misses,
        newest,
        each,
        earlier,
        row,
        nulls: _,
    } = reference;
    fn plain<T: std::fmt::Debug>(value: &Option<Spanned<T>>) -> Option<&T> {
        value.as_ref().map(Spanned::get_ref)
    }
    let numbers = [hit_rate, skew, newest, &value.null_fraction].map(plain);
    let others = (plain(misses), plain(each), plain(earlier));
    Some((row.as_ref()?, format!("{} {numbers:?} {others:?}", table.get_ref())))
}
