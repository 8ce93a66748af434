//! A table as its rows have to be made: its columns' roles, the constraints that tie them together,
//! its keys and what it refers to.

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::Generator;

use super::catalogue::Oid;

use super::condition::{Alternative, Condition};

use super::statistics::Spread;
use super::types::{Kind, Profile};

/// Equations for one column that are tried.
const EQUATIONS_MAX: usize = 3;

/// A table in the making.
#[derive(Clone, Debug)]
pub(super) struct TableDraft {
    pub oid: Oid,
    /// With its schema, as the scenario names it.
    pub name: String,
    pub columns: Vec<ColumnDraft>,
    pub checks: Vec<Check>,
    /// Sets of columns that share checks, or a column by itself; each column is in one.
    pub components: Vec<Component>,
    pub keys: Vec<Key>,
    pub references: Vec<ForeignKey>,
    pub exclusions: Vec<Exclusion>,
    /// Rows that it can have.
    pub rows: u64,
    /// Rows that are asked for.
    pub asked: u64,
    /// Whether it has the rows that the schema's own script put in it, as the lines of a pool.
    pub filled: bool,
    /// Where these are a sample of what is there: columns that have values for no more rows.
    pub sampled: Option<BTreeSet<usize>>,
}

#[derive(Clone, Debug)]
pub(super) struct ColumnDraft {
    pub name: String,
    pub type_name: String,
    pub nullable: bool,
    /// Share of NULLs of a real one; None: it is not known.
    pub null_fraction: Option<f64>,
    /// What draws values like real ones; with constraints only if the server takes them.
    pub like: Option<Generator>,
    /// Shares of the values of a real one, where those are few.
    pub shares: Vec<f64>,
    /// The server takes whatever `like` draws, of many that it was asked.
    pub likeness_fits: bool,
    /// Whether it is a row of columns.
    pub composite: bool,
    pub profile: Profile,
    /// From what it is generated, and from which columns.
    pub generated: Option<(String, Vec<usize>)>,
    /// Whether a sequence numbers it.
    pub numbered: bool,
    pub has_default: bool,
    /// Whether a row that says nothing of it has a value.
    pub by_default: bool,
    /// Whether a foreign key of a table that gets rows refers to it.
    pub referenced: bool,
    /// Which of `references` gives its values.
    pub reference: Option<usize>,
    /// What the domain that it is of asks.
    pub domain: Vec<Vec<Alternative>>,
    /// Values that the server takes for the column alone.
    pub taken: Vec<String>,
    /// Templates that the server takes, and up to which row.
    pub templates: Vec<(String, u64)>,
    /// It refers to rows whose values are not known here: its constraints are asked with others.
    pub unknown: bool,
    /// Whether the application names its value beside others of the row: it follows from the row.
    pub named: bool,
    /// What makes its values differ from row to row.
    pub driven: Option<(Generator, u64)>,
}

/// A condition on the rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Check {
    pub name: String,
    pub sql: String,
    pub columns: Vec<usize>,
    pub alternatives: Vec<Alternative>,
    /// Columns of which only matters whether they are NULL, and that they are not another column.
    pub marked: Vec<usize>,
    /// Columns of which it asks more than whether they are NULL.
    pub by_value: Vec<usize>,
    /// Columns that it makes of others.
    pub equations: Vec<Equation>,
    /// Whether it says which partition takes a row.
    pub of_partitions: bool,
}

/// A column that is equal to something.
#[derive(Clone, Debug)]
pub(super) struct Equation {
    pub column: usize,
    /// What it is equal to, as SQL.
    pub sql: String,
    /// The columns in it.
    pub of: Vec<usize>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Component {
    pub columns: Vec<usize>,
    pub checks: Vec<usize>,
    /// Columns of the lines: those that are not driven.
    pub pooled: Vec<usize>,
    /// Tuples that the server takes.
    pub lines: Vec<Vec<Option<String>>>,
    /// Why others were not taken, and how often.
    pub failures: Vec<(String, usize)>,
}

/// Columns, or expressions over them, that no two rows share.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub name: String,
    /// Columns, those within expressions included.
    pub columns: Vec<usize>,
    /// Expressions over one column, with it: the column's values must make them differ.
    pub expressions: Vec<(usize, String)>,
    pub nulls_not_distinct: bool,
}

#[derive(Clone, Debug)]
pub(super) struct ForeignKey {
    pub name: String,
    pub columns: Vec<usize>,
    pub table: Oid,
    /// Names of the columns there.
    pub targets: Vec<String>,
    /// How real references spread over the rows there; None: it is not known.
    pub spread: Option<Spread>,
}

/// What no two rows may share by operators.
#[derive(Clone, Debug)]
pub(super) struct Exclusion {
    pub name: String,
    /// Per element: its columns and the operator.
    pub elements: Vec<(Vec<usize>, String)>,
}

/// Equations in an order in which each finds the others' results; what leads in a circle is left
/// out.
fn in_order(mut open: Vec<&Equation>) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    loop {
        let waits = |equation: &Equation| {
            let needs = |other: &&Equation| equation.of.contains(&other.column);
            open.iter().any(|other| other.column != equation.column && needs(other))
        };
        let Some(next) = open.iter().position(|equation| !waits(equation)) else { return found };
        let Equation { column, sql, .. } = open.remove(next);
        found.push((*column, sql.clone()));
    }
}

impl TableDraft {
    /// Each column takes its value from one foreign key: the widest that has it; what is left of
    /// another one from that one.
    ///
    /// `own`: columns of a key that stay what they are.
    pub fn claim_columns(&mut self, own: &BTreeSet<(String, usize)>) {
        for (at, key) in self.references.iter().enumerate() {
            let free = key.columns.iter().filter(|c| {
                let apart = key.columns.len() > 1 && own.contains(&(key.name.clone(), **c));
                self.columns[**c].reference.is_none() && !apart
            });
            let free: Vec<usize> = free.copied().collect();
            for column in free {
                // A column that refers to itself is a value of its own.
                if !self.is_itself(key, column) {
                    self.columns[column].reference = Some(at);
                }
            }
        }
    }

    /// Whether a foreign key's column refers to that column of the table.
    pub fn is_itself(&self, key: &ForeignKey, column: usize) -> bool {
        let mut pairs = key.columns.iter().zip(&key.targets);
        key.table == self.oid
            && pairs.any(|(own, target)| *own == column && *target == self.columns[column].name)
    }

    /// The columns that a foreign key of several columns alone decides, where the row itself is one
    /// that it may refer to: what it shares with other keys refers to itself, and nothing else is
    /// asked of its own.
    pub fn own_of_itself(&self, reference: usize) -> Option<Vec<usize>> {
        let key = &self.references[reference];
        let claimed = |column: &usize| self.columns[*column].reference == Some(reference);
        let (own, shared): (Vec<usize>, Vec<usize>) = key.columns.iter().partition(|c| claimed(c));
        let is_checked = |column: &usize| self.checks.iter().any(|c| c.columns.contains(column));
        let fits = key.table == self.oid
            && !own.is_empty()
            && !shared.is_empty()
            && shared.iter().all(|column| self.is_itself(key, *column))
            && !own.iter().any(is_checked);
        fits.then_some(own)
    }

    /// Has a column by itself drawn from the values that were taken, where nothing better is known
    /// or an open key or a reference needs values that can be counted.
    pub fn pool_alone(&mut self, column: usize, referenced: bool) {
        let Some(at) = self.component_of(column) else { return };
        let own = &self.columns[column];
        let component = &self.components[at];
        if own.driven.is_some() || own.reference.is_some() || component.columns.len() > 1 {
            return;
        }
        if own.likeness_fits {
            return;
        }
        let plain = component.checks.is_empty() && own.domain.is_empty();
        let open = self.keys.iter().any(|key| {
            key.columns.contains(&column)
                && !key.columns.iter().any(|c| self.columns[*c].driven.is_some())
        });
        if (plain && own.profile.natural.is_some() && !referenced && !open) || own.taken.is_empty()
        {
            return;
        }
        let lines = own.taken.iter().map(|text| vec![Some(text.clone())]).collect();
        let component = &mut self.components[at];
        component.lines = lines;
        component.pooled = vec![column];
    }

    /// Whether a column's values decide which partition has a row: all of them get some.
    pub fn is_spread(&self, column: usize) -> bool {
        let mut partitions = self.checks.iter().filter(|check| check.of_partitions);
        partitions.any(|check| check.columns.contains(&column) && !check.alternatives.is_empty())
    }

    /// Whether the column refers to a row, and its constraints ask only whether it does.
    pub fn is_marked(&self, column: usize) -> bool {
        let checks: Vec<&Check> =
            self.checks.iter().filter(|check| check.columns.contains(&column)).collect();
        let marked = checks.iter().all(|check| check.marked.contains(&column));
        let marked = marked || self.columns[column].unknown;
        let asked = !checks.is_empty() || self.columns[column].unknown;
        self.columns[column].reference.is_some() && asked && marked
    }

    /// Whether a column refers to a row of its own table.
    pub fn is_own(&self, column: usize) -> bool {
        let reference = self.columns[column].reference;
        reference.is_some_and(|at| self.references[at].table == self.oid)
    }

    /// Ways to make columns of a component from others by its equations, the last one being to make
    /// none; each in an order in which what is needed is there.
    pub fn assignments(&self, component: usize) -> Vec<Vec<(usize, String)>> {
        let checks = self.components[component].checks.iter().map(|c| &self.checks[*c]);
        let mut by_column: BTreeMap<usize, Vec<&Equation>> = BTreeMap::new();
        for equation in checks.flat_map(|check| &check.equations) {
            let free = self.columns[equation.column].reference.is_none()
                && self.columns[equation.column].driven.is_none();
            if free {
                by_column.entry(equation.column).or_default().push(equation);
            }
        }
        let most = by_column.values().map(Vec::len).max().unwrap_or(0).min(EQUATIONS_MAX);
        let mut ways = Vec::new();
        for turn in 0..most {
            let chosen = by_column.values().map(|of| of[turn % of.len()]).collect();
            ways.push(in_order(chosen));
        }
        // One of a column and no more, where equations lie in alternatives.
        let plain = by_column.values().filter_map(|of| of.iter().find(|e| e.of.len() > 1));
        ways.push(in_order(plain.copied().collect()));
        ways.push(Vec::new());
        ways.dedup();
        ways
    }

    /// Whether a reference is left NULL: to keep it apart from another one, or because a constraint
    /// asks for values that are not known.
    pub fn is_left_out(&self, column: usize) -> bool {
        let own = &self.columns[column];
        let mut checks = self.checks.iter().filter(|check| check.columns.contains(&column));
        own.nullable
            && self.is_marked(column)
            && checks.any(|check| {
                let others = check.alternatives.iter().flatten().filter_map(|one| match one {
                    Condition::Pair { left, right, .. } if *left == own.name => Some(right),
                    Condition::Pair { left, right, .. } if *right == own.name => Some(left),
                    _ => None,
                });
                let mut others =
                    others.filter_map(|name| self.columns.iter().find(|c| c.name == *name));
                check.by_value.contains(&column) || others.any(|other| other.reference.is_some())
            })
    }

    /// Whether a column's values are those of a list that the schema has: it has no others.
    pub fn is_listed(&self, column: usize) -> bool {
        let own = &self.columns[column];
        let of_type = matches!(own.profile.natural, Some(Generator::Choice { .. }))
            && !matches!(own.profile.kind, Kind::Text { .. });
        let among = |alternatives: &Vec<Alternative>| {
            let is_list = |one: &Condition| match one {
                Condition::In { among: true, column, .. } => *column == own.name,
                _ => false,
            };
            !alternatives.is_empty() && alternatives.iter().all(|all| all.iter().any(is_list))
        };
        own.reference.is_none()
            && (of_type
                || self.checks.iter().any(|check| among(&check.alternatives))
                || own.domain.iter().any(among))
    }

    /// The component of a column.
    pub fn component_of(&self, column: usize) -> Option<usize> {
        self.components.iter().position(|component| component.columns.contains(&column))
    }

    /// Whether a key has the column.
    pub fn in_key(&self, column: usize) -> bool {
        self.keys.iter().any(|key| key.columns.contains(&column))
    }
}

impl ColumnDraft {
    /// Whether so many rows are as many as its type has values for.
    pub fn ends_at(&self, rows: u64) -> bool {
        matches!(self.profile.kind, Kind::Integer { max, .. } if max.unsigned_abs() <= rows)
    }
}

impl Component {
    /// Whether nothing is drawn from a pool, and nothing was refused.
    pub fn is_free(&self, draft: &TableDraft) -> bool {
        let own =
            |c: &usize| draft.columns[*c].reference.is_some() || draft.columns[*c].driven.is_some();
        self.failures.is_empty() && self.columns.iter().all(own)
    }
}

impl Exclusion {
    /// Whether it is about the column.
    pub fn has(&self, column: usize) -> bool {
        self.elements.iter().any(|(columns, _)| columns.contains(&column))
    }
}
