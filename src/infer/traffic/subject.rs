//! A table that the application uses: what the catalogue and the seed know of it together.

use std::rc::Rc;

use crate::scenario::{Column as SeededColumn, Generator, MISSES_DEFAULT, Table as SeededTable};

use super::super::policies::{self, Setting, SettingValue};
use super::super::{
    Catalogue, Column, Constraint, ConstraintKind, Index, Inferred, Oid, Table, TypeKind,
};
use super::beside::Beside;
use super::draft::{Draft, Drawn};

/// Share of the newest rows that an application still works on.
const RECENT: f64 = 0.1;

pub struct Subject<'a> {
    pub catalogue: &'a Catalogue,
    pub table: &'a Table,
    seeded: &'a SeededTable,
    inferred: &'a Inferred,
    /// What triggers do beside the application's writes to all of the tables.
    pub beside: Rc<Beside>,
    /// What policies read of the session before they show a row.
    pub settings: Vec<Setting>,
}

/// Those of the concerned tables that hold rows of the seed. A partition's rows belong to what it
/// is a partition of.
pub fn subjects<'a>(
    catalogue: &'a Catalogue,
    inferred: &'a Inferred,
    concerned: &[Oid],
    left_out: &mut Vec<String>,
) -> Vec<Subject<'a>> {
    let mut subjects = Vec::new();
    let own = |table: &&Table| concerned.contains(&table.oid) && table.bound.is_none();
    // A partition may have triggers of its own.
    let written = |table: &&Table| {
        concerned.contains(&table.oid) || table.parents.iter().any(|oid| concerned.contains(oid))
    };
    let beside = Rc::new(Beside::of(catalogue, catalogue.tables.iter().filter(written)));
    for table in catalogue.tables.iter().filter(own) {
        let name = table.seeded_name();
        match inferred.tables.iter().find(|seeded| seeded.name == name && seeded.rows > 0) {
            Some(seeded) => {
                let beside = Rc::clone(&beside);
                let settings = match table.row_security {
                    true => policies::settings(catalogue, table),
                    false => Vec::new(),
                };
                subjects.push(Subject { catalogue, table, seeded, inferred, beside, settings });
            }
            None => left_out.push(format!("{name}: the seed has no rows for it")),
        }
    }
    subjects
}

impl<'a> Subject<'a> {
    pub fn name(&self) -> &'a str {
        &self.seeded.name
    }

    pub fn quoted(&self) -> String {
        format!(
            "{}.{}",
            self.catalogue.quoted(&self.table.schema),
            self.catalogue.quoted(&self.table.name)
        )
    }

    /// All tables that the seed fills.
    pub fn seeded_tables(&self) -> &'a [SeededTable] {
        &self.inferred.tables
    }

    /// Its columns as the seed fills them.
    pub fn seeded_columns(&self) -> &'a [SeededColumn] {
        &self.seeded.columns
    }

    pub fn rows(&self) -> u64 {
        self.seeded.rows
    }

    /// How the seed fills a column; None: it does not.
    pub fn filled(&self, column: &Column) -> Option<&'a SeededColumn> {
        self.seeded.columns.iter().find(|seeded| seeded.name == column.name)
    }

    /// The primary key's columns; None where there is none, or its values cannot be named.
    pub fn key(&self) -> Option<Vec<&'a Column>> {
        let key = self.table.primary_key()?;
        let columns: Vec<&Column> = self.columns_of(&key.columns)?;
        let alone = columns.len() == 1;
        let named = |column: &&Column| {
            let filled = self.filled(column).filter(|_| self.is_sent(column));
            filled.is_some_and(|filled| alone || is_of_row(filled))
        };
        columns.iter().all(named).then_some(columns)
    }

    /// Why it has no key whose values can be named.
    pub fn why_no_key(&self) -> &'static str {
        match self.table.primary_key() {
            None => "it has no primary key",
            Some(_) => "its key's values are not known of a row",
        }
    }

    /// By what parameters of these columns are drawn of one row, where that matters; the operation
    /// names the row.
    pub fn together(&self, draft: &mut Draft, key: &[&Column], recent: bool) -> Option<String> {
        (key.len() > 1 || !self.settings.is_empty()).then(|| {
            let row = format!("row of {}", self.name());
            draft.rows.push((self.table.oid, row.clone(), newest(recent)));
            row
        })
    }

    /// Whether a policy reads the column: a row with another value may be hidden.
    pub fn is_secured(&self, column: &Column) -> bool {
        let own = SettingValue::Column(self.table.oid, column.number);
        self.settings.iter().any(|setting| setting.value == own)
    }

    pub fn columns_of(&self, numbers: &[i16]) -> Option<Vec<&'a Column>> {
        numbers.iter().map(|number| self.table.column(*number)).collect()
    }

    /// Whether a driver can send and receive the column's values.
    pub fn is_sent(&self, column: &Column) -> bool {
        self.catalogue.is_binary(column.type_oid)
    }

    /// Keys and unique indexes, as the numbers of their columns; 0 is an expression.
    pub fn unique(&self) -> impl Iterator<Item = &'a Index> {
        self.table.indexes.iter().filter(|index| index.unique)
    }

    pub fn foreign_keys(&self) -> impl Iterator<Item = &'a Constraint> {
        let keys = self.table.constraints.iter();
        keys.filter(|constraint| constraint.kind == ConstraintKind::ForeignKey)
    }

    pub fn quote(&self, column: &Column) -> String {
        self.catalogue.quoted(&column.name)
    }

    /// The table's columns, named, without those that no driver can receive; behind an alias
    /// where there is one.
    pub fn list(&self, alias: Option<&str>) -> String {
        let alias = alias.map(|alias| format!("{alias}.")).unwrap_or_default();
        let columns = self.table.columns.iter().filter(|column| self.is_sent(column));
        let named = columns.map(|column| format!("{alias}{}", self.quote(column)));
        named.collect::<Vec<_>>().join(", ")
    }

    /// The value of a column that some row of the table has, a recent one where `recent`. Columns
    /// that are drawn with the same `together` are of one row.
    pub fn present(&self, column: &Column, recent: bool, together: Option<&str>) -> Option<Drawn> {
        let seeded = self.filled(column).filter(|_| self.is_sent(column))?;
        let newest = newest(recent);
        let of_row = is_by_row(seeded) || (together.is_some() && is_of_row(seeded));
        let generator = match of_row {
            true => referring(self.name(), &column.name, newest, together, None),
            // Not of one row, but of some.
            false => as_parameter(&seeded.generator),
        };
        Some(Drawn { generator, null_fraction: 0.0 })
    }

    /// Foreign keys of which a part is a new value and another a reference: no row has both.
    pub fn unmet(&self) -> Vec<&'a Constraint> {
        let unmet = self.foreign_keys().filter(|key| {
            let columns = self.columns_of(&key.columns).unwrap_or_default();
            let refers = |column: &&Column| {
                let filled = self.filled(column).map(|seeded| &seeded.generator);
                matches!(filled, Some(Generator::Reference { .. } | Generator::Pool { .. }))
            };
            let (referring, new): (Vec<&Column>, Vec<&Column>) =
                columns.into_iter().partition(refers);
            let always_null = new.iter().any(|column| {
                self.filled(column).is_some_and(|seeded| seeded.null_fraction >= 1.0)
            });
            !referring.is_empty() && !new.is_empty() && !always_null
        });
        unmet.collect()
    }

    /// Columns by which rows of the seed refer to themselves, beside what other keys decide: a new
    /// row refers to none.
    pub fn of_itself(&self) -> impl Iterator<Item = i16> {
        let keys = self.foreign_keys().filter(|key| {
            let refers = key.refers.as_ref();
            key.columns.len() > 1 && refers.is_some_and(|to| to.table == self.table.oid)
        });
        let columns = keys.filter_map(|key| self.columns_of(&key.columns)).flatten();
        let refers = |column: &&Column| {
            let Some(seeded) = self.filled(column) else { return false };
            let to_own = matches!(&seeded.generator, Generator::Reference { table, each, .. }
                if *table == self.seeded.name && each.is_some());
            to_own && !column.not_null && column.default.is_none()
        };
        columns.filter(refers).map(|column| column.number)
    }

    /// Columns of foreign keys that share one, where the seed's rows agree and rows that are drawn
    /// anew would not. A foreign key over one of `without` refers to nothing.
    pub fn entangled(&self, without: &[i16]) -> Vec<i16> {
        let drawn = |number: &i16| {
            let column = self.table.column(*number)?;
            match &self.filled(column)?.generator {
                Generator::Reference { table, row, .. } => Some((table.as_str(), row.as_deref())),
                _ => None,
            }
        };
        let keys = || {
            let refers = |key: &&Constraint| !key.columns.iter().any(|c| without.contains(c));
            self.foreign_keys().filter(refers)
        };
        let mut found = Vec::new();
        for key in keys() {
            let drawn: Vec<_> = key.columns.iter().filter_map(drawn).collect();
            let together = drawn.windows(2).all(|pair| pair[0] == pair[1]);
            let target = key.refers.as_ref().and_then(|to| self.catalogue.table(to.table));
            let target = target.map(Table::seeded_name);
            let known = |(table, _): &(&str, _)| {
                Some(*table) == target.as_deref() || self.is_implied(table, key)
            };
            if !together || !drawn.iter().all(known) {
                found.extend(&key.columns);
            }
        }
        // What shares a column with them has to agree as well.
        loop {
            let joined = |key: &&Constraint| key.columns.iter().any(|c| found.contains(c));
            let joined = keys().filter(joined).flat_map(|key| &key.columns);
            let more: Vec<i16> = joined.filter(|c| !found.contains(c)).copied().collect();
            if more.is_empty() {
                return found;
            }
            found.extend(more);
        }
    }

    /// Whether rows of the table, which the key's columns are drawn from, refer to what the key
    /// refers to.
    fn is_implied(&self, table: &str, key: &Constraint) -> bool {
        let through = self.catalogue.tables.iter().find(|known| known.seeded_name() == table);
        let target = key.refers.as_ref().map(|refers| refers.table);
        through.is_some_and(|through| {
            let refers = |c: &Constraint| c.refers.as_ref().map(|refers| refers.table);
            through.constraints.iter().any(|c| refers(c) == target)
        })
    }

    /// A new value for a column, as the seed draws them.
    pub fn fresh(&self, column: &Column) -> Option<Drawn> {
        let seeded = self.filled(column).filter(|_| self.is_sent(column))?;
        let generator = as_parameter(&seeded.generator);
        Some(Drawn { generator, null_fraction: seeded.null_fraction })
    }

    /// Whether the column's values do not suffice for more rows.
    pub fn is_exhausted(&self, column: &Column) -> bool {
        let of = (self.seeded.name.clone(), column.name.clone());
        self.inferred.exhausted.contains(&of)
    }

    /// Whether the column's value is known from the row's number.
    pub fn is_by_row(&self, column: &Column) -> bool {
        self.filled(column).is_some_and(is_by_row)
    }

    /// Whether a fresh value differs from those of all rows.
    pub fn is_new_each_time(&self, column: &Column) -> bool {
        let filled = self.filled(column).map(|seeded| &seeded.generator);
        match filled {
            Some(
                Generator::Uuid
                | Generator::Serial
                | Generator::Numbered { .. }
                | Generator::Fake { unique: true, .. },
            ) => true,
            _ => column.numbered,
        }
    }

    /// Whether no two rows have the same value, because of how it is drawn.
    pub fn is_one_row_s(&self, column: &Column) -> bool {
        match self.filled(column).map(|seeded| &seeded.generator) {
            Some(Generator::Uuid | Generator::Serial) => true,
            // Part of a row's number is that of several.
            Some(Generator::Numbered { template }) => !template.contains(['/', '%']),
            _ => false,
        }
    }

    /// Whether the application reads a value of the column as the text that the server takes it
    /// for: numbers, uuids, texts.
    pub fn is_read_back(&self, column: &Column) -> bool {
        let mut known = self.catalogue.type_of(column.type_oid);
        while let Some(base) = known.filter(|known| known.kind == TypeKind::Domain) {
            known = base.base.and_then(|oid| self.catalogue.type_of(oid));
        }
        known.is_some_and(|known| {
            let name = known.name.as_str();
            known.schema == "pg_catalog"
                && matches!(name, "int2" | "int4" | "int8" | "uuid" | "text" | "varchar")
        })
    }

    /// Whether the column is NULL in some rows of the seed.
    pub fn is_null_in_some(&self, column: &Column) -> bool {
        let may_be_null = |generator: &Generator| match generator {
            Generator::Pool { values, .. } => values.iter().any(Option::is_none),
            _ => false,
        };
        self.filled(column).is_some_and(|seeded| {
            seeded.null_fraction > 0.0
                || match &seeded.generator {
                    Generator::Reference { nulls, .. } => nulls.as_deref().is_some_and(may_be_null),
                    other => may_be_null(other),
                }
        })
    }

    /// Whether the columns of a pool's file hold one line of it together.
    pub fn shares_pool(&self, column: &Column) -> bool {
        let others = self.table.columns.iter().filter(|other| other.number != column.number);
        others.into_iter().any(|other| self.share_pool(column.number, other.number))
    }

    /// Whether two columns hold one line of a pool's file together.
    pub fn share_pool(&self, one: i16, other: i16) -> bool {
        let file = |seeded: &SeededColumn| match &seeded.generator {
            Generator::Pool { file, .. } => Some(file.clone()),
            Generator::Reference { nulls, .. } => match nulls.as_deref() {
                Some(Generator::Pool { file, .. }) => Some(file.clone()),
                _ => None,
            },
            _ => None,
        };
        let of = |number| self.table.column(number).and_then(|c| self.filled(c)).and_then(file);
        let (one, other) = (of(one), of(other));
        one.is_some() && one == other
    }
}

/// Whether every row has a value that is a function of the row alone, so that others can name it.
fn is_by_row(column: &SeededColumn) -> bool {
    let without_null = column.null_fraction == 0.0;
    without_null
        && match &column.generator {
            Generator::Uuid | Generator::Serial | Generator::Numbered { .. } => true,
            Generator::Pool { each, values, .. } => {
                each.is_some() && values.iter().all(Option::is_some)
            }
            Generator::Reference { each, nulls, .. } => each.is_some() && nulls.is_none(),
            _ => false,
        }
}

/// Whether the value of each row can be named beside its other values.
pub fn is_of_row(column: &SeededColumn) -> bool {
    let drawn = match &column.generator {
        Generator::Pool { values, .. } => values.iter().all(Option::is_some),
        Generator::Reference { row, nulls, earlier, .. } => {
            row.is_some() && nulls.is_none() && !earlier
        }
        Generator::Constant { .. } => true,
        _ => is_by_row(column),
    };
    drawn && column.null_fraction == 0.0
}

/// Share of the newest rows that are drawn from.
fn newest(recent: bool) -> f64 {
    if recent { RECENT } else { 1.0 }
}

/// A generator of a column as one of a parameter: a reference goes to any row.
pub fn as_parameter(generator: &Generator) -> Generator {
    match generator {
        Generator::Reference { table, column, row, nulls, .. } => {
            let nulls = nulls.as_deref().map(as_parameter);
            referring(table, column, 1.0, row.as_deref(), nulls)
        }
        Generator::Pool { file, column, values, .. } => {
            let (file, column) = (file.clone(), column.clone());
            Generator::Pool { file, column, values: values.clone(), each: None }
        }
        other => other.clone(),
    }
}

pub fn referring(
    table: &str,
    column: &str,
    newest: f64,
    together: Option<&str>,
    nulls: Option<Generator>,
) -> Generator {
    Generator::Reference {
        table: table.to_owned(),
        column: column.to_owned(),
        hit_rate: 1.0,
        skew: 0.0,
        misses: MISSES_DEFAULT,
        newest,
        each: None,
        earlier: false,
        row: together.map(str::to_owned),
        nulls: nulls.map(Box::new),
    }
}
