//! Random schemas, as SQL that every major runs: columns of many types, keys, CHECKs, partitions,
//! and foreign keys in all directions.

// Each test binary compiles this module for itself and uses a part of it.
#![allow(dead_code)]

use proptest::prelude::*;
use proptest::sample::Index;

/// What the tables' columns are of.
pub const GROUND: &str = "
CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN airport AS text CHECK (VALUE ~ '^[A-Z]{3}$');
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
";

const KEY_TYPES: &[&str] = &["int", "bigint", "text", "uuid", "date", "varchar(12)"];

/// What a CHECK may ask of a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Number,
    Text,
    Time,
    Truth,
    Other,
}

/// Types, and whether a B-tree can hold them.
const TYPES: &[(&str, Family, bool)] = &[
    ("int", Family::Number, true),
    ("bigint", Family::Number, true),
    ("smallint", Family::Number, true),
    ("numeric(8,2)", Family::Number, true),
    ("numeric", Family::Number, true),
    ("real", Family::Number, true),
    ("double precision", Family::Number, true),
    ("percent", Family::Number, true),
    ("text", Family::Text, true),
    ("varchar(20)", Family::Text, true),
    ("date", Family::Time, true),
    ("timestamptz", Family::Time, true),
    ("timestamp", Family::Time, true),
    ("boolean", Family::Truth, true),
    ("mood", Family::Other, true),
    ("airport", Family::Other, true),
    ("char(3)", Family::Other, true),
    ("uuid", Family::Other, true),
    ("time", Family::Other, true),
    ("interval", Family::Other, true),
    ("bytea", Family::Other, true),
    ("inet", Family::Other, true),
    ("macaddr", Family::Other, true),
    ("bit(8)", Family::Other, true),
    ("money", Family::Other, true),
    ("text[]", Family::Other, true),
    ("int[]", Family::Other, true),
    ("int4range", Family::Other, true),
    ("jsonb", Family::Other, true),
    ("point", Family::Other, false),
];

/// CHECKs on one column.
const OF_NUMBERS: &[&str] = &[
    "{a} >= 10",
    "{a} BETWEEN 5 AND 90",
    "{a} IN (1, 5, 9)",
    "{a} <> 0",
    "{a} > 0 AND {a} % 5 = 0",
    "{a} < 50 OR {a} > 60",
];
const OF_TEXTS: &[&str] = &[
    "length({a}) BETWEEN 3 AND 10",
    "{a} ~ '^[a-z]{2,8}[0-9]?$'",
    "{a} IN ('new', 'paid', 'gone')",
    "{a} <> ''",
    "{a} = lower({a})",
    "{a} LIKE 'x-%'",
    "{a} ~* '^[a-f0-9]{6}$'",
];
const OF_TIMES: &[&str] = &["{a} > '2020-01-01'", "{a} BETWEEN '2021-01-01' AND '2022-12-31'"];
/// CHECKs on two columns of one type.
const OF_PAIRS: &[&str] = &["{a} <= {b}", "{a} <> {b}", "{a} < {b}"];
/// CHECKs on any two columns.
const OF_NULLS: &[&str] = &[
    "{a} IS NULL OR {b} IS NOT NULL",
    "({a} IS NULL) = ({b} IS NULL)",
    "num_nonnulls({a}, {b}) = 1",
    "{a} IS NOT NULL OR {b} IS NOT NULL",
];
/// CHECKs on three columns of one type.
const OF_THREE: &[&str] = &["{a} = {b} + {c}", "{a} >= {b} + {c}", "{a} + {b} <= {c}"];

#[derive(Clone, Debug)]
pub struct Column {
    of: usize,
    not_null: bool,
}

#[derive(Clone, Debug)]
pub struct Unique {
    kind: usize,
    first: Index,
    second: Index,
}

#[derive(Clone, Debug)]
pub struct Reference {
    to: Index,
    /// Whether it may refer to any table, its own and later ones too; else to an earlier one.
    around: bool,
    not_null: bool,
    /// The first of its columns is the first of the table's own key, where the types are the same.
    shared: bool,
    full: bool,
}

#[derive(Clone, Debug)]
pub struct Check {
    kind: usize,
    form: Index,
    columns: [Index; 3],
}

#[derive(Clone, Debug)]
pub struct Table {
    key: Vec<usize>,
    columns: Vec<Column>,
    unique: Vec<Unique>,
    references: Vec<Reference>,
    checks: Vec<Check>,
    partitions: Option<usize>,
    generated: bool,
}

pub fn schema() -> impl Strategy<Value = Vec<Table>> {
    prop::collection::vec(table(), 2..=6)
}

fn table() -> impl Strategy<Value = Table> {
    let column = (0..TYPES.len(), any::<bool>());
    let column = column.prop_map(|(of, not_null)| Column { of, not_null });
    let unique = (0..4_usize, any::<Index>(), any::<Index>());
    let unique = unique.prop_map(|(kind, first, second)| Unique { kind, first, second });
    let seldom = || prop::bool::weighted(0.25);
    let reference = (any::<Index>(), seldom(), any::<bool>(), seldom(), any::<bool>());
    let reference = reference.prop_map(|(to, around, not_null, shared, full)| Reference {
        to,
        around,
        not_null,
        shared,
        full,
    });
    let check = (0..6_usize, any::<Index>(), any::<[Index; 3]>());
    let check = check.prop_map(|(kind, form, columns)| Check { kind, form, columns });
    let parts = (
        prop::collection::vec(0..KEY_TYPES.len(), 1..=3),
        prop::collection::vec(column, 1..=7),
        prop::collection::vec(unique, 0..=2),
        prop::collection::vec(reference, 0..=2),
        prop::collection::vec(check, 0..=4),
        prop::option::weighted(0.25, 0..6_usize),
        any::<bool>(),
    );
    parts.prop_map(|(key, columns, unique, references, checks, partitions, generated)| Table {
        key,
        columns,
        unique,
        references,
        checks,
        partitions,
        generated,
    })
}

/// The statements that make these tables.
pub fn sql(tables: &[Table]) -> String {
    let mut sql = GROUND.to_owned();
    for (number, table) in tables.iter().enumerate() {
        sql.push_str(&table.create(number, tables));
        if table.partitions.is_none() {
            sql.push_str(&table.uniques(&name(number)));
        }
    }
    for (number, table) in tables.iter().enumerate() {
        sql.push_str(&table.foreign_keys(number, tables));
    }
    sql
}

/// Some of the names have to be quoted.
fn name(number: usize) -> String {
    if number % 3 == 2 { format!("\"Mixed {number}\"") } else { format!("t{number}") }
}

fn key_type(of: usize) -> &'static str {
    KEY_TYPES[of % KEY_TYPES.len()]
}

impl Reference {
    /// The table that it refers to, from the table of that number.
    fn target(&self, number: usize, tables: &[Table]) -> usize {
        let among = if self.around || number == 0 { tables.len() } else { number };
        self.to.index(among)
    }
}

impl Table {
    /// The key's types; a partitioned table's first one fits its bounds.
    fn key_types(&self) -> Vec<&'static str> {
        let mut types: Vec<&str> = self.key.iter().map(|of| key_type(*of)).collect();
        match self.partitions {
            Some(0 | 1) => types[0] = "int",
            Some(2) => types[0] = "date",
            Some(3 | 4) => {
                types[0] = "text";
                // Three values are no key.
                if types.len() == 1 {
                    types.push("int");
                }
            }
            _ => {}
        }
        types
    }

    fn create(&self, number: usize, tables: &[Table]) -> String {
        let name = name(number);
        let types = self.key_types();
        let mut lines: Vec<String> =
            types.iter().enumerate().map(|(at, of)| format!("k{at} {of}")).collect();
        for (at, column) in self.columns.iter().enumerate() {
            let null = if column.not_null { " NOT NULL" } else { "" };
            lines.push(format!("c{at} {}{null}", TYPES[column.of].0));
        }
        for (at, reference) in self.references.iter().enumerate() {
            let null = if reference.not_null { " NOT NULL" } else { "" };
            let target = tables[reference.target(number, tables)].key_types();
            let own =
                target.iter().enumerate().skip(usize::from(self.shares(reference, number, tables)));
            lines.extend(own.map(|(of, key)| format!("r{at}_{of} {key}{null}")));
        }
        lines.extend(self.generated_column());
        let key: Vec<String> = (0..types.len()).map(|at| format!("k{at}")).collect();
        lines.push(format!("PRIMARY KEY ({})", key.join(", ")));
        lines.extend(self.checks.iter().filter_map(|check| self.check(check)));
        let lines = lines.join(",\n    ");
        let Some(partitions) = self.partitions else {
            return format!("CREATE TABLE {name} (\n    {lines}\n);\n");
        };
        let (by, bounds) = partitions_of(partitions);
        let mut sql = format!("CREATE TABLE {name} (\n    {lines}\n) PARTITION BY {by} (k0);\n");
        let plain = name.trim_matches('"');
        for (at, bound) in bounds.iter().enumerate() {
            sql.push_str(&format!("CREATE TABLE \"{plain}_{at}\" PARTITION OF {name} {bound};\n"));
        }
        sql
    }

    fn shares(&self, reference: &Reference, number: usize, tables: &[Table]) -> bool {
        let target = tables[reference.target(number, tables)].key_types();
        reference.shared && target.len() > 1 && target[0] == self.key_types()[0]
    }

    fn generated_column(&self) -> Option<String> {
        let of = |(at, column): (usize, &Column)| match TYPES[column.of] {
            ("int" | "smallint" | "percent", ..) => {
                Some(format!("g bigint GENERATED ALWAYS AS (c{at}::bigint * 2) STORED"))
            }
            ("text" | "varchar(20)", ..) => {
                Some(format!("g text GENERATED ALWAYS AS (lower(c{at})) STORED"))
            }
            _ => None,
        };
        self.columns.iter().enumerate().filter(|_| self.generated).find_map(of)
    }

    /// A column of a family.
    fn of_family(&self, family: Family, pick: &Index) -> Option<usize> {
        let is_of = |at: &usize| TYPES[self.columns[*at].of].1 == family;
        let own: Vec<usize> = (0..self.columns.len()).filter(is_of).collect();
        (!own.is_empty()).then(|| *pick.get(&own))
    }

    /// Columns of one type, none of them twice.
    fn alike(&self, count: usize, pick: &Index) -> Option<Vec<usize>> {
        let first = pick.get(&self.columns).of;
        let (_, family, _) = TYPES[first];
        let is_of = |at: &usize| self.columns[*at].of == first;
        let own: Vec<usize> = (0..self.columns.len()).filter(is_of).take(count).collect();
        let adds = family == Family::Number || (count == 2 && family == Family::Time);
        (own.len() == count && adds).then_some(own)
    }

    fn check(&self, check: &Check) -> Option<String> {
        let [a, b, _] = &check.columns;
        let (forms, columns) = match check.kind {
            0 => (OF_NUMBERS, vec![self.of_family(Family::Number, a)?]),
            1 => (OF_TEXTS, vec![self.of_family(Family::Text, a)?]),
            2 => (OF_TIMES, vec![self.of_family(Family::Time, a)?]),
            3 => (OF_PAIRS, self.alike(2, a)?),
            4 => (OF_THREE, self.alike(3, a)?),
            _ => {
                let (a, b) = (a.index(self.columns.len()), b.index(self.columns.len()));
                (OF_NULLS, (a != b).then(|| vec![a, b])?)
            }
        };
        let of_float = columns
            .iter()
            .any(|at| matches!(TYPES[self.columns[*at].of].0, "real" | "double precision"));
        let mut form = (*check.form.get(forms)).to_owned();
        if of_float && form.contains('%') {
            return None;
        }
        for (place, at) in ["{a}", "{b}", "{c}"].iter().zip(&columns) {
            form = form.replace(place, &format!("c{at}"));
        }
        Some(format!("CHECK ({form})"))
    }

    fn uniques(&self, name: &str) -> String {
        let sorted = |at: &usize| TYPES[self.columns[*at].of].2;
        let own: Vec<usize> = (0..self.columns.len()).filter(sorted).collect();
        let mut sql = String::new();
        for unique in self.unique.iter().filter(|_| !own.is_empty()) {
            let (a, b) = (*unique.first.get(&own), *unique.second.get(&own));
            let text = self.of_family(Family::Text, &unique.first);
            let on = match (unique.kind, text) {
                (0, _) => format!("(c{a})"),
                (1, _) if a != b => format!("(c{a}, c{b})"),
                (2, _) => format!("(c{a}) WHERE c{b} IS NOT NULL"),
                (3, Some(text)) => format!("(lower(c{text}))"),
                _ => continue,
            };
            sql.push_str(&format!("CREATE UNIQUE INDEX ON {name} {on};\n"));
        }
        sql
    }

    fn foreign_keys(&self, number: usize, tables: &[Table]) -> String {
        let mut sql = String::new();
        for (at, reference) in self.references.iter().enumerate() {
            let to = reference.target(number, tables);
            let shared = self.shares(reference, number, tables);
            let keys = tables[to].key_types().len();
            let own = (0..keys).map(|of| match of {
                0 if shared => "k0".to_owned(),
                of => format!("r{at}_{of}"),
            });
            let own: Vec<String> = own.collect();
            let full = if reference.full && keys > 1 && !shared { " MATCH FULL" } else { "" };
            let (name, to) = (name(number), name(to));
            let own = own.join(", ");
            sql.push_str(&format!(
                "ALTER TABLE {name} ADD CONSTRAINT fk{at} \
                 FOREIGN KEY ({own}) REFERENCES {to}{full};\n"
            ));
        }
        sql
    }
}

fn partitions_of(kind: usize) -> (&'static str, &'static [&'static str]) {
    match kind {
        0 => (
            "RANGE",
            &["FOR VALUES FROM (MINVALUE) TO (100)", "FOR VALUES FROM (100) TO (1000)", "DEFAULT"],
        ),
        1 => ("RANGE", &["FOR VALUES FROM (0) TO (500)", "FOR VALUES FROM (500) TO (5000)"]),
        2 => (
            "RANGE",
            &[
                "FOR VALUES FROM ('2023-01-01') TO ('2024-01-01')",
                "FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')",
            ],
        ),
        3 => ("LIST", &["FOR VALUES IN ('eu')", "FOR VALUES IN ('us', 'ca')"]),
        4 => ("LIST", &["FOR VALUES IN ('eu')", "FOR VALUES IN ('us', 'ca')", "DEFAULT"]),
        _ => (
            "HASH",
            &[
                "FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
                "FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
            ],
        ),
    }
}
