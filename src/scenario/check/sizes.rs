//! Checks `[sizes]`: enough of them, far enough apart, of tables that are there.

use std::collections::BTreeMap;

use super::super::problem::Source;
use super::super::size_axis::{SIZES_NEEDED, SizeAxis, show_growth};
use super::super::wire;
use super::Checker;

const ROWS_MAX: u64 = 1_000_000_000_000;

impl Checker<'_> {
    pub(super) fn size_axis(&mut self) -> Option<SizeAxis> {
        let (source, section) = self.files.section(|file| file.sizes.as_ref())?;
        let given = section.get_ref();
        let tried = self.tried(source, given);
        let mut at = BTreeMap::new();
        for (table, rows) in given.at.iter().flat_map(|named| named.get_ref()) {
            let name = table.get_ref();
            if !self.filled.contains_key(name) {
                let known: Vec<&str> = self.filled.keys().map(String::as_str).collect();
                let remedy = format!("tables with rows: {}", known.join(", "));
                let message = format!("no [[table]] is called `{name}`");
                self.push_with(source, table, message, remedy);
            }
            let rows = self.within(source, name, rows, 1..=ROWS_MAX);
            at.insert(name.clone(), rows);
        }
        let expect = given.expect.as_ref().map(|wanted| wanted.get_ref().0.clone());
        if let (Some(wanted), true) = (&given.expect, at.is_empty()) {
            let message = "a verdict is expected of a size that is not named";
            self.push_with(source, wanted, message, "name it: at = { orders = 24_000_000 }");
        }
        Some(SizeAxis { tried, at, expect: expect.unwrap_or_default() })
    }

    fn tried(&mut self, source: &Source, given: &wire::SizeAxis) -> Vec<u64> {
        let Some(list) = &given.tried else { return Vec::new() };
        let rows: Vec<u64> =
            list.get_ref().iter().map(|r| self.within(source, "tried", r, 1..=ROWS_MAX)).collect();
        self.once_each(source, list.get_ref());
        let mut sorted = rows;
        sorted.sort_unstable();
        if !show_growth(&sorted) {
            let message = "these sizes do not show how a statement grows";
            let remedy = format!("{SIZES_NEEDED}: [250_000, 500_000, 1_000_000, 2_000_000]");
            self.push_with(source, list, message, remedy);
        }
        sorted
    }
}
