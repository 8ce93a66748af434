//! Which values a parameter gets: those of the column that the statement uses it with, else those
//! of its type.

use crate::pg::facts::{ColumnAt, ColumnName, RelationName, Usage};
use crate::scenario::Generator;

use super::super::catalogue::{Catalogue, Column, Oid, Table, Type, TypeKind};
use super::super::traffic::Drawn;
use super::super::traffic::subject::Subject;
use super::super::types;
use super::arrays;

/// Values of a type that are tried.
const CANDIDATES_MAX: usize = 8;

/// Values of a column that are named one by one.
const DISTINCT_MAX: usize = 12;

/// The tables that statements use.
pub(super) struct World<'a> {
    pub catalogue: &'a Catalogue,
    pub subjects: &'a [Subject<'a>],
    pub rng_seed: u64,
}

/// A column that was found, of a table with rows.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub subject: &'a Subject<'a>,
    pub column: &'a Column,
    /// The place at which the statement names the table.
    pub item: usize,
}

impl<'a> World<'a> {
    /// The table of a name, or what it is a partition of.
    pub fn table(&self, name: &RelationName) -> Option<&'a Table> {
        let named = self.catalogue.tables.iter().filter(|table| {
            let schema = name.schema.as_ref().is_none_or(|schema| *schema == table.schema);
            table.name == name.name && schema
        });
        let mut table = named.min_by_key(|table| table.schema != "public")?;
        while let Some(above) = table.bound.as_ref().and(table.parents.first()) {
            table = self.catalogue.table(*above)?;
        }
        Some(table)
    }

    pub fn subject(&self, table: &Table) -> Option<&'a Subject<'a>> {
        self.subjects.iter().find(|subject| subject.table.oid == table.oid)
    }

    /// The first of the columns that is there.
    pub fn find(&self, columns: &[ColumnAt]) -> Option<Found<'a>> {
        let mut found = columns.iter().filter_map(|at| {
            let table = self.table(&at.table)?;
            let column = match &at.column {
                ColumnName::Named(name) => table.columns.iter().find(|c| c.name == *name)?,
                ColumnName::Numbered(position) => table.columns.get(*position)?,
            };
            Some((self.subject(table), column, at.item))
        });
        let (subject, column, item) = found.next()?;
        Some(Found { subject: subject?, column, item })
    }

    /// A column of these tables by a parameter's name.
    pub fn by_name(&self, tables: &[RelationName], name: &str) -> Option<Found<'a>> {
        let column = |table: &RelationName| ColumnAt {
            table: table.clone(),
            item: 0,
            column: ColumnName::Named(name.to_ascii_lowercase()),
        };
        let columns: Vec<ColumnAt> = tables.iter().map(column).collect();
        self.find(&columns)
    }

    fn type_of(&self, oid: Oid) -> Option<&'a Type> {
        let known = self.catalogue.type_of(oid)?;
        match (known.kind, known.base) {
            (TypeKind::Domain, Some(base)) => self.type_of(base),
            _ => Some(known),
        }
    }

    /// Whether the column, or what its domain is of, is of that type.
    pub fn is_of(&self, parameter: Oid, column: &Column) -> bool {
        let base = self.type_of(column.type_oid).map(|known| known.oid);
        parameter == column.type_oid || base == Some(parameter)
    }

    /// Whether texts of the column's values are texts of the parameter's type.
    pub fn fits(&self, parameter: Oid, column: &Column) -> bool {
        let of = (self.type_of(parameter), self.type_of(column.type_oid));
        let (Some(wanted), Some(given)) = of else { return parameter == column.type_oid };
        let among = |one: &Type, names: &[&str]| names.contains(&one.name.as_str());
        const TIMES: &[&str] = &["date", "timestamp", "timestamptz"];
        const WHOLE: &[&str] = &["int2", "int4", "int8"];
        const ANY: &[&str] = &["numeric", "float4", "float8"];
        wanted.oid == given.oid
            || wanted.category == "S"
            || (among(wanted, TIMES) && among(given, TIMES))
            || (among(wanted, ANY) && (among(given, WHOLE) || among(given, ANY)))
            || (among(wanted, &["int4", "int8"]) && among(given, WHOLE))
    }

    /// Values for what is done with a column, of a parameter of this type; None: none are known.
    pub fn by_use(
        &self,
        usage: Usage,
        found: Option<Found<'a>>,
        parameter: Oid,
        together: Option<&str>,
    ) -> Option<Drawn> {
        let text = self.type_of(parameter).is_some_and(|known| known.category == "S");
        let number = self.type_of(parameter).is_some_and(|known| known.category == "N");
        match usage {
            Usage::Limit => Some(one_of(&["10", "20", "50"])),
            Usage::Offset => Some(one_of(&["0", "20", "100"])),
            Usage::Pattern if text => Some(one_of(&["a%", "b%", "%e%", "s%"])),
            Usage::Regex if text => Some(one_of(&["a", "^b", "[0-9]"])),
            Usage::Added if number => Some(one_of(&["1", "2"])),
            Usage::Pattern | Usage::Regex | Usage::Added => None,
            Usage::Among => {
                let Found { subject, column, .. } = found?;
                let element = self.type_of(parameter)?.element?;
                let fits = self.fits(element, column);
                fits.then(|| arrays::of_column(self.rng_seed, subject, column)).flatten()
            }
            Usage::Equal | Usage::Compared => {
                let Found { subject, column, .. } = found?;
                let fits = self.fits(parameter, column);
                fits.then(|| subject.present(column, false, together)).flatten().map(to_compare)
            }
            Usage::Assigned | Usage::Inserted => {
                let Found { subject, column, .. } = found?;
                let fits = self.fits(parameter, column);
                fits.then(|| subject.fresh(column)).flatten()
            }
        }
    }

    /// Values of a type, which a name may narrow; None: none are known.
    pub fn by_type(&self, parameter: Oid, name: &str) -> Option<Drawn> {
        let profile = types::profile(self.catalogue, parameter, -1, name);
        let generator = profile.natural.or_else(|| {
            let candidates = profile.candidates.iter().take(CANDIDATES_MAX);
            let values: Vec<String> = candidates.cloned().collect();
            let weights = vec![1.0; values.len()];
            (!values.is_empty()).then_some(Generator::Choice { values, weights })
        })?;
        Some(Drawn { generator, null_fraction: 0.0 })
    }
}

/// Values to compare with are none of them NULL, and need not fit to others.
fn to_compare(drawn: Drawn) -> Drawn {
    let mut generator = drawn.generator;
    match &mut generator {
        Generator::Pool { values, .. } => {
            let mut known: Vec<&str> = values.iter().flatten().map(String::as_str).collect();
            known.sort_unstable();
            known.dedup();
            if (1..=DISTINCT_MAX).contains(&known.len()) {
                return one_of(&known);
            }
        }
        Generator::Reference { nulls, .. } => *nulls = None,
        _ => {}
    }
    Drawn { generator, null_fraction: 0.0 }
}

fn one_of(values: &[&str]) -> Drawn {
    let weights = vec![1.0; values.len()];
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Drawn { generator: Generator::Choice { values, weights }, null_fraction: 0.0 }
}
