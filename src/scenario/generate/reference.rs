//! References, compiled: which row one points at, and what that row's column holds.
//!
//! A column that others refer to is a function of its row, so a reference computes what is there
//! instead of looking it up. Such a column may be a reference itself.

use super::Rng;
use super::key::{KeySpace, digest};
use super::pool::Lines;
use super::targets::{Chosen, Targets, Wanted};
use super::template::Template;
use super::value::Drawn;
use crate::scenario::{Generator, Sizes, Table};

/// References to references that are followed; `check` refuses circles.
const DEPTH_MAX: usize = 64;

/// A compiled [`Generator::Reference`].
#[derive(Debug)]
pub struct Reference {
    targets: Targets,
    cell: Cell,
    dangling: Dangling,
    nulls: Option<Lines>,
}

/// What a column holds, as a function of the row.
#[derive(Debug)]
enum Cell {
    Uuid(KeySpace),
    Serial,
    Numbered(Template),
    Line(Lines),
    Constant(String),
    Reference(Box<Reference>),
}

/// Values that look like the referenced column's and that none of its rows has.
#[derive(Debug)]
enum Dangling {
    Uuid(KeySpace),
    /// No sequence ever counts down to these.
    Negative,
    /// None are known of such a column.
    Null,
}

/// The tables in which references are looked up.
#[derive(Clone, Copy)]
pub struct Tables<'a> {
    pub tables: &'a [Table],
    pub sizes: &'a Sizes,
    pub rng_seed: u64,
}

/// What a generator says of a reference.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub table: &'a str,
    pub column: &'a str,
    pub wanted: Wanted<'a>,
    /// A pool whose NULLs are the reference's.
    pub nulls: Option<&'a Generator>,
}

impl<'a> Asked<'a> {
    /// None: the generator is no reference.
    pub fn of(generator: &'a Generator) -> Option<Asked<'a>> {
        match generator {
            Generator::Reference {
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
            } => {
                let wanted = Wanted {
                    hit_rate: *hit_rate,
                    skew: *skew,
                    misses: *misses,
                    newest: *newest,
                    each: *each,
                    earlier: *earlier,
                    row: row.as_deref(),
                };
                Some(Asked { table, column, wanted, nulls: nulls.as_deref() })
            }
            _ => None,
        }
    }
}

impl Reference {
    /// `within` is the table of the column that refers; empty for a parameter.
    pub fn compile(of: Tables<'_>, within: &str, asked: &Asked<'_>) -> Reference {
        Reference::nested(of, within, asked, DEPTH_MAX)
    }

    fn nested(of: Tables<'_>, within: &str, asked: &Asked<'_>, depth: usize) -> Reference {
        let Asked { table, column, wanted, nulls } = asked;
        let generator = of
            .tables
            .iter()
            .find(|t| t.name == *table)
            .and_then(|t| t.columns.iter().find(|c| c.name == *column))
            .map(|c| &c.generator);
        let (cell, dangling) = Cell::compile(of, table, column, generator, depth);
        // Columns of one row have the same heavy rows.
        let heavy = salt(of.rng_seed, table, if wanted.row.is_some() { "" } else { column });
        let targets = Targets::new((of.rng_seed, within), of.sizes.rows(table), heavy, wanted);
        let nulls = nulls.and_then(|pool| match pool {
            Generator::Pool { file, values, each, .. } => {
                Some(Lines::new(of.rng_seed, within, file, values, *each))
            }
            _ => None,
        });
        Reference { targets, cell, dangling, nulls }
    }

    /// Whether its values are texts that only the server can read.
    pub fn is_written(&self) -> bool {
        match &self.cell {
            Cell::Uuid(_) | Cell::Serial | Cell::Constant(_) => false,
            Cell::Numbered(template) => template.is_written(),
            Cell::Line(_) => true,
            Cell::Reference(reference) => reference.is_written(),
        }
    }

    /// Draws a value; a text that is not at hand is written to `text`, which is empty.
    pub fn draw<'a>(&'a self, rng: &mut Rng, row: u64, text: &'a mut String) -> Drawn<'a> {
        let chosen = self.targets.choose(rng, row);
        match self.is_null(row) {
            true => Drawn::Null,
            false => self.value(chosen, text),
        }
    }

    fn is_null(&self, row: u64) -> bool {
        self.nulls.as_ref().is_some_and(|lines| lines.of_row(row).is_none())
    }

    fn value<'a>(&'a self, chosen: Chosen, text: &'a mut String) -> Drawn<'a> {
        match (chosen, &self.dangling) {
            (Chosen::Row(row), _) => return self.cell.value(row, text),
            (Chosen::Dangling(n), Dangling::Uuid(keys)) => keys.push(n, text),
            (Chosen::Dangling(n), Dangling::Negative) => return Drawn::Int(-1 - n as i64),
            (Chosen::Dangling(_), Dangling::Null) | (Chosen::None, _) => return Drawn::Null,
        }
        Drawn::Text(text)
    }
}

impl Cell {
    fn compile(
        of: Tables<'_>,
        table: &str,
        column: &str,
        generator: Option<&Generator>,
        depth: usize,
    ) -> (Cell, Dangling) {
        match generator {
            Some(Generator::Serial) => (Cell::Serial, Dangling::Negative),
            Some(Generator::Numbered { template }) => {
                (Cell::Numbered(Template::of(template)), Dangling::Null)
            }
            Some(Generator::Pool { file, values, each, .. }) => {
                let lines = Lines::new(of.rng_seed, table, file, values, *each);
                (Cell::Line(lines), Dangling::Null)
            }
            Some(Generator::Constant { value }) => (Cell::Constant(value.clone()), Dangling::Null),
            other => match other.and_then(Asked::of).filter(|_| depth > 0) {
                Some(asked) => {
                    let reference = Reference::nested(of, table, &asked, depth - 1);
                    (Cell::Reference(Box::new(reference)), Dangling::Null)
                }
                None => (
                    Cell::Uuid(KeySpace::of_column(of.rng_seed, table, column)),
                    Dangling::Uuid(KeySpace::dangling(of.rng_seed, table, column)),
                ),
            },
        }
    }

    fn value<'a>(&'a self, row: u64, text: &'a mut String) -> Drawn<'a> {
        match self {
            Cell::Uuid(keys) => keys.push(row, text),
            Cell::Serial => return Drawn::Int(row as i64 + 1),
            Cell::Numbered(template) => return template.drawn(row as i64 + 1, text),
            Cell::Line(lines) => return lines.of_row(row).map_or(Drawn::Null, Drawn::Text),
            Cell::Constant(value) => return Drawn::Text(value),
            Cell::Reference(reference) if reference.is_null(row) => return Drawn::Null,
            Cell::Reference(reference) => {
                return reference.value(reference.targets.fixed(row), text);
            }
        }
        Drawn::Text(text)
    }
}

/// Of the referenced column alone: a parameter's heavy rows are those of the tables.
fn salt(rng_seed: u64, table: &str, column: &str) -> u64 {
    let digest = digest(rng_seed, &["heavy rows", table, column], 0);
    u64::from_le_bytes(std::array::from_fn(|i| digest[i]))
}
