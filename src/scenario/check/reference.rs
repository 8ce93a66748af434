//! Checks references: that the table and its column exist, and that the column can be referred to.
//!
//! A column can be referred to if its value is a function of its row alone, since a reference
//! computes it. A reference is one itself with `each` or `row`, if what it refers to is.

use toml::Spanned;

use super::super::problem::{Source, known_names};
use super::super::table::MISSES_DEFAULT;
use super::super::{Generator, wire};
use super::holds::Holds;
use super::{Checker, Filled};

/// Beyond this exponent the heaviest row alone gets nearly everything.
pub(super) const SKEW_MAX: f64 = 3.0;
/// Rows in turn that refer to one row, or hold one line of a pool.
pub(super) const EACH_MAX: u64 = 1 << 40;
/// References to references that are followed.
const DEPTH_MAX: usize = 32;

impl Checker<'_> {
    pub(super) fn reference(
        &mut self,
        source: &Source,
        reference: &wire::Reference,
    ) -> Option<Generator> {
        let table = reference.table.get_ref();
        if !self.filled.contains_key(table) {
            self.filled_table(source, &reference.table);
            return None;
        }
        self.referred(source, reference);
        let fraction = |checker: &mut Self, key: &str, value: &Option<Spanned<f64>>| match value {
            Some(value) => checker.within(source, key, value, 0.0..=1.0),
            None => 1.0,
        };
        let hit_rate = fraction(self, "hit_rate", &reference.hit_rate);
        let newest = fraction(self, "newest", &reference.newest);
        let skew = match &reference.skew {
            Some(skew) => self.within(source, "skew", skew, 0.0..=SKEW_MAX),
            None => 0.0,
        };
        let misses = match &reference.misses {
            Some(misses) => self.within(source, "misses", misses, 1..=u64::from(u32::MAX)),
            None => MISSES_DEFAULT,
        };
        let each = self.each(source, reference.each.as_ref());
        let earlier = self.earlier(source, reference);
        for (key, value) in [("skew", &reference.skew), ("newest", &reference.newest)] {
            let Some(value) = value else { continue };
            if each.is_some() || (earlier && key == "skew") {
                let other = if each.is_some() { "each" } else { "earlier" };
                self.push(source, value, format!("`{key}` has no place beside `{other}`"));
            }
        }
        let (table, column) = (table.clone(), reference.column.get_ref().clone());
        let row = reference.row.as_ref().map(|row| row.get_ref().clone());
        let nulls = match &reference.nulls {
            Some(pool) => Some(Box::new(self.pool_column(source, pool.get_ref())?)),
            None => None,
        };
        Some(Generator::Reference {
            table,
            column,
            hit_rate,
            skew,
            misses,
            newest,
            each,
            earlier,
            row,
            nulls,
        })
    }

    pub(super) fn each(&mut self, source: &Source, each: Option<&Spanned<u64>>) -> Option<u64> {
        each.map(|each| self.within(source, "each", each, 1..=EACH_MAX))
    }

    fn earlier(&mut self, source: &Source, reference: &wire::Reference) -> bool {
        let Some(earlier) = reference.earlier.as_ref().filter(|earlier| *earlier.get_ref()) else {
            return false;
        };
        if self.within.as_ref() != Some(reference.table.get_ref()) {
            let remedy = "only a column that refers to its own table has earlier rows";
            self.push_with(source, earlier, "`earlier` has no place here", remedy);
        }
        true
    }

    /// Reports a column that cannot be referred to, at its name.
    fn referred(&mut self, source: &Source, reference: &wire::Reference) {
        let (table, column) = (reference.table.get_ref(), reference.column.get_ref());
        let Some(Filled { rows, columns }) = self.filled.get(table) else { return };
        let dangles = reference.hit_rate.as_ref().is_some_and(|rate| *rate.get_ref() < 1.0);
        let (message, remedy) = match columns.get(column) {
            None => {
                let known = columns.iter().filter(|(_, holds)| !matches!(holds, Holds::Drawn(_)));
                let known = known.map(|(column, _)| column.as_str());
                let message = format!("table `{table}` fills no column `{column}`");
                (message, Some(known_names(column, "keys", known)))
            }
            Some(Holds::Drawn(why)) => {
                (format!("`{table}.{column}` is no key"), Some((*why).to_owned()))
            }
            Some(_) if *rows == 0 => (format!("table `{table}` has no rows to refer to"), None),
            Some(Holds::Key) => return,
            Some(_) if dangles => {
                let message = format!("no values are known that `{table}.{column}` does not have");
                (message, Some("`hit_rate` is for references to a uuid or a serial".to_owned()))
            }
            Some(Holds::ByRow) => return,
            Some(Holds::Through { .. }) => match self.followed(table, column) {
                Ok(()) => return,
                Err(why) => (format!("`{table}.{column}` is no key"), Some(why)),
            },
        };
        let problem = source.problem(reference.column.span(), message);
        self.problems.push(match remedy {
            Some(remedy) => problem.remedy(remedy),
            None => problem,
        });
    }

    /// Follows references to the column whose values they are.
    fn followed(&self, table: &str, column: &str) -> Result<(), String> {
        let (mut table, mut column) = (table, column);
        for _ in 0..DEPTH_MAX {
            let holds = self.filled.get(table).and_then(|filled| filled.columns.get(column));
            match holds {
                Some(Holds::Key | Holds::ByRow) => return Ok(()),
                Some(Holds::Through { table: next, column: found }) => {
                    (table, column) = (next, found);
                }
                Some(Holds::Drawn(why)) => {
                    return Err(format!("it refers to `{table}.{column}`: {why}"));
                }
                // Reported where it is named.
                None => return Ok(()),
            }
        }
        Err(format!("its references lead in a circle, by way of `{table}.{column}`"))
    }
}
