//! The scenario's operations with every name resolved to a number, once, before traffic begins.
//!
//! What runs a thousand times a second looks nothing up by name. Pure: nothing here connects.

use crate::pg::lex::{self, TokenKind};
use crate::scenario::{
    LedgerRule, On, OperationSpec, Parameter, SqlPlace, Traffic, returns_row_of,
};

/// What is known of all operations before the first one runs.
pub struct Plan {
    /// By kind: the index into the scenario's operations.
    pub operations: Vec<PlannedOperation>,
}

pub struct PlannedOperation {
    pub name: String,
    pub statements: Vec<PlannedStatement>,
    /// Names of the parameters in the order in which values are drawn and passed on.
    pub parameters: Vec<String>,
    pub ledger: Option<LedgerPlan>,
    /// By which name others follow the key that a statement returns: its place is behind those of
    /// the parameters.
    pub returned: Option<String>,
    /// Parameters that later operations follow.
    pub fed: Vec<usize>,
    /// Whether the operation may change anything: an operation that only reads is never
    /// indeterminate.
    pub writes: bool,
    /// Whether it runs on the standby.
    pub on_replica: bool,
}

pub struct PlannedStatement {
    /// Number among all statements of the plan.
    pub slot: usize,
    pub sql: String,
    /// Where it is written.
    pub place: Option<SqlPlace>,
    /// Index into the operation's parameters of `$1`, `$2`, …
    pub arguments: Vec<usize>,
    /// Whether it does nothing but give settings a value: its row is none of a table.
    pub sets: bool,
    /// Whether its row count tells if the write that the ledger remembers took place.
    pub counts: bool,
    /// Whether its row's first column is the key that the ledger remembers.
    pub returns_key: bool,
}

/// What is remembered of one acknowledged write; indices are into the operation's parameters.
pub struct LedgerPlan {
    /// None: a statement returns it.
    pub key: Option<usize>,
    /// In the order of the rule's columns; empty for a delete.
    pub set: Vec<usize>,
}

/// A name in the scenario that leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("resolve operation {operation:?}: it names the {what} {name:?}, which is not declared")]
pub struct UnknownName {
    /// Operation that has the name.
    pub operation: String,
    /// What the name was taken for: a table, a column, a parameter.
    pub what: &'static str,
    /// The name itself.
    pub name: String,
}

impl Plan {
    pub fn new(traffic: &Traffic) -> Result<Plan, UnknownName> {
        let mut operations = Vec::with_capacity(traffic.operations.len());
        let mut slot = 0;
        for spec in &traffic.operations {
            operations.push(resolve(spec, &mut slot)?);
        }
        for (kind, spec) in traffic.operations.iter().enumerate() {
            for (source, parameter) in followed(spec) {
                let (source, parameter) = locate(&operations, kind, source, parameter)?;
                let fed = &mut operations[source].fed;
                if !fed.contains(&parameter) {
                    fed.push(parameter);
                }
            }
        }
        Ok(Plan { operations })
    }

    /// Those that run on one of the two servers, with their kinds.
    pub fn on(&self, replica: bool) -> impl Iterator<Item = (usize, &PlannedOperation)> {
        let operations = self.operations.iter().enumerate();
        operations.filter(move |(_, operation)| operation.on_replica == replica)
    }

    /// Without a standby everything runs on the primary.
    pub fn without_replica(mut self) -> Plan {
        self.operations.iter_mut().for_each(|operation| operation.on_replica = false);
        self
    }

    /// Kind of the operation that is followed, and the position of the parameter in what it
    /// feeds. None for what [`Plan::new`] would have refused.
    pub fn feed_position(&self, operation: &str, parameter: &str) -> Option<(usize, usize)> {
        let (kind, source) =
            self.operations.iter().enumerate().find(|(_, o)| o.name == operation)?;
        let index = source.position(parameter)?;
        Some((kind, source.fed.iter().position(|fed| *fed == index)?))
    }
}

fn resolve(spec: &OperationSpec, slot: &mut usize) -> Result<PlannedOperation, UnknownName> {
    let parameters: Vec<String> = spec.parameters.keys().cloned().collect();
    let index = |name: &String| {
        let found = parameters.iter().position(|p| p == name);
        found.ok_or_else(|| unknown(spec, "parameter", name))
    };
    let ledger = match &spec.ledger {
        None => None,
        Some(LedgerRule::Insert { key_parameter, set, .. }) => {
            let key = key_parameter.as_ref().map(index).transpose()?;
            let set = set.values().map(index).collect::<Result<_, _>>()?;
            Some(LedgerPlan { key, set })
        }
        Some(LedgerRule::Delete { key_parameter, .. }) => {
            Some(LedgerPlan { key: Some(index(key_parameter)?), set: Vec::new() })
        }
        Some(LedgerRule::Update { key_parameter, set, .. }) => {
            let set = set.values().map(index).collect::<Result<_, _>>()?;
            Some(LedgerPlan { key: Some(index(key_parameter)?), set })
        }
    };
    let mut statements = Vec::with_capacity(spec.statements.len());
    for statement in &spec.statements {
        let arguments: Vec<usize> =
            statement.placeholders.iter().map(index).collect::<Result<_, _>>()?;
        let key = ledger.as_ref().and_then(|ledger| ledger.key);
        let names_key = key.is_some_and(|key| arguments.contains(&key));
        let returns_key = match &spec.ledger {
            Some(LedgerRule::Insert { table, key_parameter: None, .. }) => {
                returns_row_of(&statement.sql, table)
            }
            _ => false,
        };
        let counts = returns_key || (names_key && !only_reads(&statement.sql));
        statements.push(PlannedStatement {
            slot: *slot,
            sql: statement.sql.clone(),
            place: statement.place.clone(),
            arguments,
            sets: only_sets(&statement.sql),
            counts,
            returns_key,
        });
        *slot += 1;
    }
    let writes = ledger.is_some() || statements.iter().any(|s| !only_reads(&s.sql));
    let (name, fed) = (spec.name.clone(), Vec::new());
    let returned = spec.ledger.as_ref().and_then(LedgerRule::returned);
    let on_replica = spec.on == On::Replica;
    Ok(PlannedOperation { name, statements, parameters, ledger, returned, fed, writes, on_replica })
}

impl PlannedOperation {
    /// Where the value of this name is among those that others follow.
    fn position(&self, name: &str) -> Option<usize> {
        match self.returned.as_deref() == Some(name) {
            true => Some(self.parameters.len()),
            false => self.parameters.iter().position(|parameter| parameter == name),
        }
    }
}

/// (operation, parameter) that the operation's own parameters follow.
fn followed(spec: &OperationSpec) -> impl Iterator<Item = (&str, &str)> {
    spec.parameters.values().filter_map(|parameter| match parameter {
        Parameter::Follow(follow) => Some((follow.operation.as_str(), follow.parameter.as_str())),
        Parameter::Generated { .. } => None,
    })
}

fn locate(
    operations: &[PlannedOperation],
    follower: usize,
    operation: &str,
    parameter: &str,
) -> Result<(usize, usize), UnknownName> {
    let missing = |what, name: &str| UnknownName {
        operation: operations[follower].name.clone(),
        what,
        name: name.to_owned(),
    };
    let source = operations.iter().position(|o| o.name == operation);
    let source = source.ok_or_else(|| missing("operation", operation))?;
    let index = operations[source].position(parameter);
    Ok((source, index.ok_or_else(|| missing("parameter", parameter))?))
}

fn unknown(spec: &OperationSpec, what: &'static str, name: &str) -> UnknownName {
    UnknownName { operation: spec.name.clone(), what, name: name.to_owned() }
}

/// Whether a statement surely changes no row. A function that is called may write all the same;
/// such an operation needs a ledger rule, which makes it a write.
fn only_reads(sql: &str) -> bool {
    let code = without_leading_comments(sql);
    let mut words =
        code.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty());
    let Some(first) = words.next() else { return true };
    let is = |word: &str, names: &[&str]| names.iter().any(|n| word.eq_ignore_ascii_case(n));
    match first {
        first if is(first, &["select", "table", "values", "show"]) => true,
        first if is(first, &["with"]) => {
            !words.any(|w| is(w, &["insert", "update", "delete", "merge"]))
        }
        _ => false,
    }
}

/// Whether a statement calls `set_config` and reads nothing.
fn only_sets(sql: &str) -> bool {
    let tokens = lex::tokens(sql).unwrap_or_default();
    let mut words = tokens.iter().filter(|token| token.kind == TokenKind::Word);
    let begins = words.next().is_some_and(|token| token.is_word(sql, "select"))
        && words.next().is_some_and(|token| token.is_word(sql, "set_config"));
    begins && !words.any(|token| token.is_word(sql, "from"))
}

fn without_leading_comments(sql: &str) -> &str {
    let mut rest = sql.trim_start();
    loop {
        let after = match rest {
            line if line.starts_with("--") => line.split_once('\n').map(|(_, after)| after),
            block if block.starts_with("/*") => block.split_once("*/").map(|(_, after)| after),
            code => return code,
        };
        match after {
            Some(after) => rest = after.trim_start(),
            None => return "",
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("SELECT 1", true)]
    #[case("  -- a note\n /* another */ select * from t", true)]
    #[case("(SELECT 1)", true)]
    #[case("TABLE t", true)]
    #[case("WITH a AS (SELECT 1) SELECT * FROM a", true)]
    #[case("WITH a AS (DELETE FROM t RETURNING id) SELECT * FROM a", false)]
    #[case("INSERT INTO t SELECT 1", false)]
    #[case("CALL p()", false)]
    fn what_only_reads_is_told_from_what_may_write(#[case] sql: &str, #[case] reads: bool) {
        assert_eq!(only_reads(sql), reads);
    }

    #[rstest]
    #[case("SELECT set_config('app.tenant', $1::text, true)", true)]
    #[case("/* who */ select SET_CONFIG('a.b', $1, true), set_config('a.c', 'x', true)", true)]
    #[case("SELECT set_config('app.tenant', name, true) FROM tenants", false)]
    #[case("SELECT id FROM t", false)]
    fn the_row_of_a_setting_is_none_of_a_table(#[case] sql: &str, #[case] sets: bool) {
        assert_eq!(only_sets(sql), sets);
    }
}
