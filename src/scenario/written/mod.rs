//! A scenario as its author would write it: the files of a directory, from the types.
//!
//! What is written reads again as what it was written from.

mod background;
mod toml_text;

use std::collections::BTreeMap;
use std::path::Path;

use crate::pg::lex::{self, TokenKind};

use super::change::{Scope, Timeouts};
use super::condition::Condition;
use super::draft::{Applied, Demands, DraftChange};
use super::generate::instant_text;
use super::pool::PoolFile;
use super::table::{Column, FakeKind, Generator, Table};
use super::traffic::{
    Follow, Invariant, LedgerRule, OperationSpec, OperationStatement, Parameter, PlanLimit, Pool,
    Rows, Since, Traffic,
};
use super::{Arrivals, On, Rate, Values};
use toml_text::{inline, key, names, text};

/// A scenario to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// Why the scenario exists; a paragraph.
    pub analysis: String,
    /// The only source of randomness.
    pub rng_seed: u64,
    /// Text of `schema.sql`.
    pub schema: String,
    /// Text of `indexes.sql`; None: there is none.
    pub indexes: Option<String>,
    /// The schema is the whole one: what slows the load down is taken off for it.
    pub whole: bool,
    /// In load order.
    pub tables: Vec<Table>,
    /// The application's operations and their rate.
    pub traffic: Traffic,
    /// Its pool, what it can bear, and what is accepted of the change.
    pub demands: Demands,
    /// Reads that have to hold.
    pub invariants: Vec<Invariant>,
    /// The change, which is expected to be safe; None: the scenario has none yet, and cannot be
    /// read before its author adds one.
    pub change: Option<DraftChange>,
    /// Conditions under each of which it is tried.
    pub conditions: Vec<Condition>,
    /// Comments above a table, an operation or an invariant, by its name; by an empty one above
    /// everything.
    pub remarks: BTreeMap<String, Vec<String>>,
}

impl Draft {
    /// Texts by the file's name: `scenario.toml`, `schema.sql`, `pools/orders.tsv`.
    pub fn to_files(&self) -> BTreeMap<String, String> {
        let mut files = BTreeMap::from([
            ("scenario.toml".to_owned(), self.toml()),
            ("schema.sql".to_owned(), self.schema.clone()),
        ]);
        files.extend(self.indexes.iter().map(|text| ("indexes.sql".to_owned(), text.clone())));
        let applied = self.change.as_ref().map(|change| &change.applied);
        if let Some(Applied::Sql { text, .. }) = applied {
            files.insert("migration.sql".to_owned(), text.clone());
        }
        for (file, pool) in self.pools() {
            files.insert(file.to_owned(), pool.to_text());
        }
        files
    }

    /// Files of candidates that some generator names.
    fn pools(&self) -> BTreeMap<&str, PoolFile> {
        let columns = self.tables.iter().flat_map(|table| &table.columns);
        let operations = self.traffic.operations.iter();
        let parameters = operations.flat_map(|operation| operation.parameters.values());
        let generators = columns
            .map(|column| &column.generator)
            .chain(parameters.map(|parameter| match parameter {
                Parameter::Generated { generator, .. } => generator,
                Parameter::Follow(follow) => &follow.otherwise,
            }))
            .chain(self.invariants.iter().flat_map(|read| read.parameters.values()));
        let mut pools = BTreeMap::<&str, PoolFile>::new();
        for generator in generators.flat_map(with_nulls) {
            let Generator::Pool { file, column, values, .. } = generator else { continue };
            let empty = || PoolFile { columns: Vec::new() };
            let pool = pools.entry(file).or_insert_with(empty);
            if pool.column(column).is_none() {
                pool.columns.push((column.clone(), Values::clone(values)));
            }
        }
        pools
    }

    fn toml(&self) -> String {
        let mut out = Lines::default();
        for line in self.remarks.get("").into_iter().flatten().flat_map(|remark| remark.lines()) {
            out.line(format!("# {line}").trim_end());
        }
        out.line(&format!("analysis = {}", text(&self.analysis)));
        if self.rng_seed != super::definition::RNG_SEED_DEFAULT {
            out.line(&format!("rng_seed = {}", self.rng_seed));
        }
        let mut schema = vec![("tables", text("schema.sql"))];
        schema.extend(self.indexes.iter().map(|_| ("indexes", text("indexes.sql"))));
        schema.extend(self.whole.then(|| ("whole", "true".to_owned())));
        out.section("[schema]", schema);
        for table in &self.tables {
            self.remarked(&mut out, &table.name);
            out.section("[[table]]", table_keys(table));
            if !table.columns.is_empty() {
                let columns: Vec<_> = table.columns.iter().map(column).collect();
                let columns = columns.iter().map(|(name, value)| (&**name, value.clone()));
                out.section("[table.columns]", columns.collect());
            }
        }
        out.section("[traffic]", traffic(&self.traffic));
        for operation in &self.traffic.operations {
            self.remarked(&mut out, &operation.name);
            out.section("[[operation]]", operation_keys(operation));
            let parameters: Vec<(String, String)> =
                operation.parameters.iter().map(|(name, p)| (key(name), parameter(p))).collect();
            if !parameters.is_empty() {
                let parameters = parameters.iter().map(|(name, value)| (&**name, value.clone()));
                out.section("[operation.params]", parameters.collect());
            }
        }
        out.section("[pool]", pool(&self.demands.pool));
        for invariant in &self.invariants {
            self.remarked(&mut out, &invariant.name);
            out.section("[[invariant]]", invariant_keys(invariant));
            if !invariant.parameters.is_empty() {
                let plain = |g: &Generator| inline(generator_keys(g));
                let parameters: Vec<(String, String)> =
                    invariant.parameters.iter().map(|(name, g)| (key(name), plain(g))).collect();
                let parameters = parameters.iter().map(|(name, value)| (&**name, value.clone()));
                out.section("[invariant.params]", parameters.collect());
            }
        }
        self.conditions(&mut out);
        let limits = self.demands.limits.stated();
        if !limits.is_empty() {
            out.section("[limits]", limits);
        }
        for acceptance in &self.demands.acceptances {
            if let Some(kind) = acceptance.kind {
                let mut keys = vec![("finding", text(kind.as_str()))];
                keys.push(("reason", text(&acceptance.reason)));
                keys.extend(acceptance.until.iter().map(|until| ("until", text(until))));
                out.section("[[accept]]", keys);
            }
        }
        self.change(&mut out);
        out.text
    }

    fn conditions(&self, out: &mut Lines) {
        for condition in &self.conditions {
            out.section("[[condition]]", background::condition_keys(condition));
            for disturbance in &condition.disturbances {
                let keys = background::disturbance_keys(disturbance);
                out.section("[[condition.disturbance]]", keys);
            }
            if let Some(network) = &condition.network {
                out.section("[condition.network]", background::network_keys(network));
            }
            if let Some(pooler) = &condition.pooler {
                out.section("[condition.pooler]", background::pooler_keys(pooler));
            }
        }
    }

    fn change(&self, out: &mut Lines) {
        let Some(change) = &self.change else { return };
        let path = |path: &Path| text(&path.display().to_string());
        let mut keys = match &change.applied {
            Applied::Sql { transaction, .. } => vec![("transaction", text(transaction.as_str()))],
            Applied::Tool { tool, directory, only } => {
                let only: Vec<String> = only.iter().map(|version| text(version)).collect();
                let only = format!("[{}]", only.join(", "));
                vec![("migrations", path(directory)), ("tool", text(tool.as_str())), ("only", only)]
            }
            Applied::Command { line, directory } => {
                vec![("command", text(line)), ("directory", path(directory))]
            }
        };
        keys.extend(change.runs_as.stated());
        keys.extend(change.rerun.map(|rerun| ("rerun", rerun.to_string())));
        out.section("[change]", keys);
        if let Applied::Sql { version, .. } = &change.applied {
            let keys = vec![("version", text(version)), ("file", text("migration.sql"))];
            out.section("[[change.migration]]", keys);
        }
        let timeouts = &change.timeouts;
        if *timeouts != (Timeouts { scope: timeouts.scope, ..Timeouts::default() }) {
            let scope = match timeouts.scope {
                Scope::Local => "local",
                Scope::Session => "session",
            };
            let given = [
                ("lock_timeout_ms", timeouts.lock_timeout_ms),
                ("statement_timeout_ms", timeouts.statement_timeout_ms),
                (
                    "idle_in_transaction_session_timeout_ms",
                    timeouts.idle_in_transaction_session_timeout_ms,
                ),
            ];
            let given = given.iter().filter_map(|(key, ms)| Some((*key, (*ms)?.to_string())));
            let keys = [("scope", text(scope))].into_iter().chain(given).collect();
            out.section("[change.timeouts]", keys);
        }
        out.section("[expect]", vec![("verdict", text("safe"))]);
    }

    fn remarked(&self, out: &mut Lines, name: &str) {
        let Some(remarks) = self.remarks.get(name) else { return };
        out.text.push('\n');
        for line in remarks.iter().flat_map(|remark| remark.lines()) {
            out.line(format!("# {line}").trim_end());
        }
        out.remarked = true;
    }
}

#[derive(Default)]
struct Lines {
    text: String,
    /// The last line is a comment that belongs to what follows.
    remarked: bool,
}

impl Lines {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A head and its keys, their signs below each other.
    fn section(&mut self, head: &str, keys: Vec<(&str, String)>) {
        if !std::mem::take(&mut self.remarked) {
            self.text.push('\n');
        }
        self.line(head);
        let width = keys.iter().map(|(key, _)| key.chars().count()).max().unwrap_or(0);
        for (key, value) in keys {
            self.line(&format!("{key:width$} = {value}"));
        }
    }
}

/// A generator, and the pool that says where it is NULL.
fn with_nulls(generator: &Generator) -> impl Iterator<Item = &Generator> {
    let nulls = match generator {
        Generator::Reference { nulls, .. } => nulls.as_deref(),
        _ => None,
    };
    [generator].into_iter().chain(nulls)
}

fn number(value: f64) -> String {
    toml::Value::Float(value).to_string()
}

fn list<'a>(values: impl Iterator<Item = &'a str>) -> String {
    format!("[{}]", values.map(text).collect::<Vec<_>>().join(", "))
}

fn column(column: &Column) -> (String, String) {
    let mut keys = generator_keys(&column.generator);
    if column.null_fraction > 0.0 {
        keys.push(("null_fraction", number(column.null_fraction)));
    }
    keys.extend(column.null_with.iter().map(|with| ("null_with", text(with))));
    (key(&column.name), inline(keys))
}

fn generator_keys(asked: &Generator) -> Vec<(&'static str, String)> {
    let mut keys = vec![generator(asked)];
    match asked {
        Generator::Fake { unique: true, .. } => keys.push(("unique", "true".to_owned())),
        Generator::Repeated { distinct, skew, .. } => {
            keys.push(("distinct", distinct.to_string()));
            keys.extend((*skew > 0.0).then(|| ("skew", number(*skew))));
        }
        _ => {}
    }
    keys
}

fn generator(asked: &Generator) -> (&'static str, String) {
    match asked {
        Generator::Repeated { of, .. } => generator(of),
        Generator::Uuid => ("uuid", inline(vec![])),
        Generator::Serial => ("serial", inline(vec![])),
        Generator::Now => ("now", inline(vec![])),
        Generator::Integer { min, max } => ("integer", format!("[{min}, {max}]")),
        Generator::Reference { .. } => ("reference", reference(asked)),
        Generator::Timestamp { from_us, to_us, hot_fraction, hot_span_us } => {
            let mut keys =
                vec![("from", text(&instant_text(*from_us))), ("to", text(&instant_text(*to_us)))];
            if *hot_span_us > 0 {
                keys.push(("hot_fraction", number(*hot_fraction)));
                keys.push(("hot_span_s", (hot_span_us / 1_000_000).to_string()));
            }
            ("timestamp", inline(keys))
        }
        Generator::Fake { kind, .. } => ("fake", text(fake(*kind))),
        Generator::Json { min_bytes, max_bytes } => {
            ("json", inline(vec![("bytes", format!("[{min_bytes}, {max_bytes}]"))]))
        }
        Generator::Choice { values, weights } => {
            let mut keys = vec![("values", list(values.iter().map(String::as_str)))];
            if weights.iter().any(|weight| *weight != 1.0) {
                let weights: Vec<String> = weights.iter().map(|w| number(*w)).collect();
                keys.push(("weights", format!("[{}]", weights.join(", "))));
            }
            ("choice", inline(keys))
        }
        Generator::Constant { value } => ("constant", text(value)),
        Generator::Pool { file, column, each, .. } => {
            let mut keys = vec![("file", text(file)), ("column", text(column))];
            keys.extend(each.map(|each| ("each", each.to_string())));
            ("pool", inline(keys))
        }
        Generator::Pattern { pattern } => ("pattern", text(pattern)),
        Generator::Decimal { min_units, max_units, scale } => {
            let decimal = |units: i64| text(&decimal_text(units, *scale));
            let keys = vec![
                ("min", decimal(*min_units)),
                ("max", decimal(*max_units)),
                ("scale", scale.to_string()),
            ];
            ("decimal", inline(keys))
        }
        Generator::Numbered { template } => ("numbered", text(template)),
    }
}

/// Empty for any other generator.
fn reference(generator: &Generator) -> String {
    let Generator::Reference {
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
    } = generator
    else {
        return String::new();
    };
    let mut keys = vec![("table", text(table)), ("column", text(column))];
    let mut unlike = |key, value: f64, default: f64| {
        keys.extend((value != default).then(|| (key, number(value))));
    };
    unlike("hit_rate", *hit_rate, 1.0);
    unlike("skew", *skew, 0.0);
    unlike("newest", *newest, 1.0);
    if *misses != super::table::MISSES_DEFAULT {
        keys.push(("misses", misses.to_string()));
    }
    keys.extend(each.map(|each| ("each", each.to_string())));
    keys.extend(earlier.then(|| ("earlier", "true".to_owned())));
    keys.extend(row.iter().map(|row| ("row", text(row))));
    keys.extend(nulls.iter().map(|pool| ("nulls", self::generator(pool).1)));
    inline(keys)
}

fn fake(kind: FakeKind) -> &'static str {
    match kind {
        FakeKind::Name => "name",
        FakeKind::Email => "email",
        FakeKind::Company => "company",
        FakeKind::Street => "street",
        FakeKind::Sentence => "sentence",
        FakeKind::Word => "word",
    }
}

fn decimal_text(units: i64, scale: u32) -> String {
    let mut text = String::new();
    super::generate::push_decimal(units, scale, &mut text);
    text
}

fn table_keys(table: &Table) -> Vec<(&'static str, String)> {
    let mut keys = vec![("name", text(&table.name)), ("rows", table.rows.to_string())];
    keys.extend(table.asked.as_ref().map(|asked| {
        let why: Vec<String> = asked.why.iter().map(|why| text(why)).collect();
        let why = format!("[{}]", why.join(", "));
        ("asked", inline(vec![("rows", asked.rows.to_string()), ("why", why)]))
    }));
    if !table.unfilled.is_empty() {
        let columns = table.unfilled.iter().map(|(name, why)| (key(name), text(why)));
        let columns: Vec<(String, String)> = columns.collect();
        let columns = columns.iter().map(|(name, why)| (name.as_str(), why.clone()));
        keys.push(("unfilled", inline(columns.collect())));
    }
    if !table.fitted.is_empty() {
        let demands: Vec<String> = table.fitted.iter().map(|demand| text(demand)).collect();
        keys.push(("fitted", format!("[{}]", demands.join(", "))));
    }
    keys
}

fn traffic(traffic: &Traffic) -> Vec<(&'static str, String)> {
    let rate = match traffic.rate {
        Rate::PerS(per_s) => ("rate_per_s", number(per_s)),
        Rate::CapacityShare(share) => ("capacity_share", number(share)),
    };
    let mut keys = vec![rate];
    if traffic.arrivals == Arrivals::Uniform {
        keys.push(("arrivals", text("uniform")));
    }
    keys.push(("baseline_ms", traffic.baseline_ms.to_string()));
    keys.push(("recovery_min_ms", traffic.recovery_min_ms.to_string()));
    keys.push(("recovery_max_ms", traffic.recovery_max_ms.to_string()));
    keys
}

fn pool(pool: &Pool) -> Vec<(&'static str, String)> {
    let mut keys = vec![
        ("size", pool.size.to_string()),
        ("overflow", pool.overflow.to_string()),
        ("acquire_timeout_ms", pool.acquire_timeout_ms.to_string()),
    ];
    if !pool.settings.is_empty() {
        keys.push(("settings", names(pool.settings.iter())));
    }
    keys.extend(pool.role.iter().map(|role| ("role", text(role))));
    keys
}

fn operation_keys(operation: &OperationSpec) -> Vec<(&'static str, String)> {
    let mut keys = vec![("name", text(&operation.name)), ("weight", number(operation.weight))];
    let statements: Vec<String> =
        operation.statements.iter().map(|statement| text(&named(statement))).collect();
    match statements.as_slice() {
        [one] => keys.push(("sql", one.clone())),
        several => {
            let lines: Vec<String> = several.iter().map(|s| format!("    {s},\n")).collect();
            keys.push(("statements", format!("[\n{}]", lines.concat())));
        }
    }
    keys.extend(operation.ledger.iter().map(|rule| ("ledger", ledger(rule))));
    keys.extend((operation.on == On::Replica).then(|| ("on", text("replica"))));
    keys
}

/// With `$name` again in place of `$1`.
fn named(statement: &OperationStatement) -> String {
    let sql = &statement.sql;
    // It was split, so its quotes are closed.
    let tokens = lex::tokens(sql).unwrap_or_default();
    let (mut text, mut copied) = (String::new(), 0);
    for token in tokens.iter().filter(|token| token.kind == TokenKind::Positional) {
        let number: Option<usize> = token.text(sql).trim_start_matches('$').parse().ok();
        let name = number.and_then(|n| statement.placeholders.get(n.checked_sub(1)?));
        let Some(name) = name else { continue };
        text.push_str(sql.get(copied..token.start).unwrap_or_default());
        text.push('$');
        text.push_str(name);
        copied = token.end;
    }
    text.push_str(sql.get(copied..).unwrap_or_default());
    text
}

fn parameter(parameter: &Parameter) -> String {
    match parameter {
        Parameter::Generated { generator, null_fraction } => {
            let name = String::new();
            let (null_fraction, null_with) = (*null_fraction, None);
            let generator = generator.clone();
            column(&Column { name, null_fraction, null_with, generator }).1
        }
        Parameter::Follow(Follow { operation, parameter, after_ms, otherwise }) => {
            let follow = inline(vec![
                ("operation", text(operation)),
                ("param", text(parameter)),
                ("after_ms", after_ms.to_string()),
                ("otherwise", inline(generator_keys(otherwise))),
            ]);
            inline(vec![("follow", follow)])
        }
    }
}

fn ledger(rule: &LedgerRule) -> String {
    match rule {
        LedgerRule::Insert { table, key_column, key_parameter, set } => {
            let mut keys = vec![("table", text(table)), ("key", text(key_column))];
            keys.extend(key_parameter.iter().map(|parameter| ("param", text(parameter))));
            keys.extend((!set.is_empty()).then(|| ("set", names(set.iter()))));
            inline(vec![("insert", inline(keys))])
        }
        LedgerRule::Update { table, key_column, key_parameter, set } => {
            let keys = vec![
                ("table", text(table)),
                ("key", text(key_column)),
                ("param", text(key_parameter)),
                ("set", names(set.iter())),
            ];
            inline(vec![("update", inline(keys))])
        }
        LedgerRule::Delete { table, key_column, key_parameter } => {
            let keys = vec![
                ("table", text(table)),
                ("key", text(key_column)),
                ("param", text(key_parameter)),
            ];
            inline(vec![("delete", inline(keys))])
        }
    }
}

fn invariant_keys(invariant: &Invariant) -> Vec<(&'static str, String)> {
    let mut keys =
        vec![("name", text(&invariant.name)), ("sql", text(&named(&invariant.statement)))];
    keys.extend(invariant.before.iter().map(|before| ("before", text(&named(before)))));
    if invariant.rows == Rows::None {
        keys.push(("rows", text("none")));
    }
    if invariant.since == Since::Change {
        keys.push(("since", text("change")));
    }
    if let Some(PlanLimit { absent, rows_max }) = &invariant.plan {
        let mut plan = vec![("absent", list(absent.iter().map(String::as_str)))];
        plan.extend(rows_max.map(|rows| ("rows_max", rows.to_string())));
        keys.push(("plan", inline(plan)));
    }
    keys
}
