//! Whether a statement reads all rows of a table, or writes the table anew.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AlterTableAction, AstNode, Stmt};

use super::data::Certainty::{self, Maybe, No, Yes};
use super::name::parts;

/// Whether it scans, and whether it rewrites, as far as the text says.
pub(super) fn work_on_rows(statement: &Stmt) -> (Certainty, Certainty) {
    match statement {
        Stmt::AlterTable(alter) => {
            let works = alter.actions().map(|action| of_action(&action));
            works.fold((No, No), |all, one| (all.0.max(one.0), all.1.max(one.1)))
        }
        Stmt::CreateIndex(create) => match create.if_not_exists() {
            Some(_) => (Maybe, No),
            None => (Yes, No),
        },
        Stmt::Reindex(_) | Stmt::Truncate(_) | Stmt::Cluster(_) | Stmt::Repack(_) => (Yes, Yes),
        Stmt::Vacuum(vacuum) if vacuum.is_full() => (Yes, Yes),
        Stmt::Vacuum(_) => (Maybe, No),
        Stmt::Refresh(refresh) if refresh.concurrently_token().is_none() => (No, Yes),
        Stmt::AlterDomain(_) | Stmt::AlterType(_) => (Maybe, Maybe),
        Stmt::AlterIndex(alter) => match alter.action() {
            Some(ast::AlterIndexAction::SetTablespace(_)) => (No, Yes),
            _ => (No, No),
        },
        Stmt::AlterMaterializedView(_) | Stmt::AlterSequence(_) => (No, Maybe),
        Stmt::Call(_) | Stmt::Execute(_) | Stmt::Explain(_) => (Maybe, Maybe),
        Stmt::CreateExtension(_) | Stmt::AlterExtension(_) => (Maybe, Maybe),
        _ => (No, No),
    }
}

fn of_action(action: &AlterTableAction) -> (Certainty, Certainty) {
    use AlterTableAction::{
        AddColumn, AddConstraint, AlterColumn, AttachPartition, MergePartitions, SetAccessMethod,
        SetLogged, SetTablespace, SetUnlogged, SplitPartition, ValidateConstraint,
    };
    match action {
        AddColumn(add) => {
            let rewrites = of_new_column(add);
            let checks = add
                .constraints()
                .any(|constraint| matches!(constraint, ast::Constraint::CheckConstraint(_)));
            (rewrites.max(if checks { Maybe } else { No }), rewrites)
        }
        AddConstraint(add) => (of_constraint(add), No),
        AlterColumn(alter) => match alter.option() {
            Some(ast::AlterColumnOption::SetType(_)) => (Maybe, Maybe),
            Some(ast::AlterColumnOption::SetExpression(_)) => (Maybe, Maybe),
            // A valid CHECK spares it.
            Some(ast::AlterColumnOption::SetNotNull(_)) => (Maybe, No),
            _ => (No, No),
        },
        ValidateConstraint(_) => (Maybe, No),
        // A valid CHECK spares it.
        AttachPartition(_) => (Maybe, No),
        SetLogged(_) | SetUnlogged(_) | SetTablespace(_) | SetAccessMethod(_) => (Maybe, Maybe),
        MergePartitions(_) | SplitPartition(_) => (Yes, Yes),
        _ => (No, No),
    }
}

fn of_constraint(add: &ast::AddConstraint) -> Certainty {
    match add.constraint() {
        Some(constraint) if constraint.is_not_valid() => No,
        Some(
            ast::Constraint::CheckConstraint(_)
            | ast::Constraint::ForeignKeyConstraint(_)
            | ast::Constraint::ExcludeConstraint(_),
        ) => Yes,
        Some(ast::Constraint::NotNullConstraint(_)) => Maybe,
        // The columns of a primary key may have to be made NOT NULL.
        Some(constraint) if uses_index(&constraint) => Maybe,
        Some(_) => Yes,
        None => No,
    }
}

/// Whether the constraint takes an index that is there: USING INDEX.
pub(super) fn uses_index(constraint: &ast::Constraint) -> bool {
    constraint.syntax().descendants().any(|node| ast::UsingIndexName::can_cast(node.kind()))
}

/// Every row gets a value of its own unless one constant will do for all.
fn of_new_column(add: &ast::AddColumn) -> Certainty {
    let base = add.ty().map_or(No, |ty| of_type(ty.syntax()));
    let certainty = if add.if_not_exists().is_some() { Maybe } else { Yes };
    let constraints = add.constraints().map(|constraint| match constraint {
        ast::Constraint::GeneratedConstraint(generated) => of_generated(&generated),
        ast::Constraint::DefaultConstraint(default) => of_default(default.syntax()),
        _ => No,
    });
    constraints.fold(base, Certainty::max).min(certainty)
}

pub(super) fn of_generated(generated: &ast::GeneratedConstraint) -> Certainty {
    match generated.generated_as() {
        Some(ast::GeneratedAs::GeneratedIdentity(_)) => Yes,
        Some(ast::GeneratedAs::GeneratedStored(of)) => {
            let kind = of.generated_kind().map(|kind| kind.syntax().text().to_string());
            match kind.map(|kind| kind.to_ascii_lowercase()).as_deref() {
                Some("stored") => Yes,
                Some(_) => No,
                // Virtual since PostgreSQL 18.
                None => Maybe,
            }
        }
        None => Maybe,
    }
}

/// Types of which one constant may be stored once for all rows. A domain may have constraints that
/// each row has to be checked against.
pub(super) fn of_type(node: &SyntaxNode) -> Certainty {
    const SERIAL: [&str; 6] =
        ["serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"];
    const BUILT_IN: [&str; 35] = [
        "int",
        "integer",
        "bigint",
        "smallint",
        "int2",
        "int4",
        "int8",
        "real",
        "float",
        "float4",
        "float8",
        "numeric",
        "decimal",
        "dec",
        "text",
        "varchar",
        "bpchar",
        "char",
        "bool",
        "boolean",
        "date",
        "time",
        "timetz",
        "timestamp",
        "timestamptz",
        "interval",
        "uuid",
        "json",
        "jsonb",
        "bytea",
        "inet",
        "cidr",
        "xml",
        "oid",
        "tsvector",
    ];
    let Some(path) = ast::PathType::can_cast(node.kind()).then(|| node.clone()) else {
        // `double precision`, `character varying`, arrays and the like.
        return No;
    };
    let names = path.children().find_map(ast::PathRef::cast).map(|path| parts(path.syntax()));
    match names.unwrap_or_default().last() {
        Some(name) if SERIAL.contains(&name.as_str()) => Yes,
        Some(name) if BUILT_IN.contains(&name.as_str()) => No,
        _ => Maybe,
    }
}

/// A volatile function is called once for each row.
pub(super) fn of_default(default: &SyntaxNode) -> Certainty {
    const VOLATILE: [&str; 10] = [
        "clock_timestamp",
        "gen_random_uuid",
        "nextval",
        "random",
        "timeofday",
        "uuid_generate_v1",
        "uuid_generate_v1mc",
        "uuid_generate_v4",
        "uuidv4",
        "uuidv7",
    ];
    const ONCE: [&str; 8] = [
        "now",
        "current_setting",
        "statement_timestamp",
        "transaction_timestamp",
        "timezone",
        "lower",
        "upper",
        "make_interval",
    ];
    let calls = default.descendants().filter_map(ast::CallExpr::cast);
    let of_call = |call: ast::CallExpr| {
        let function = call.expr().and_then(|function| parts(function.syntax()).pop());
        match function {
            Some(name) if VOLATILE.contains(&name.as_str()) => Yes,
            Some(name) if ONCE.contains(&name.as_str()) => No,
            _ => Maybe,
        }
    };
    calls.map(of_call).max().unwrap_or(No)
}
