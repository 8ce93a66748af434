//! Which part of a statement makes it hold its lock, for what to do instead.

use squawk_syntax::ast::{self, AlterTableAction, AstNode, Stmt};
use squawk_syntax::{SyntaxKind, SyntaxNode};

use crate::pg::syntax;

use super::data::Certainty;
use super::rewrite;

/// What a statement does under its lock. The first is what takes longest on a large table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// ALTER COLUMN … TYPE, which rewrites the table unless both types are stored alike.
    TypeChange,
    /// ADD COLUMN … GENERATED ALWAYS AS (…) STORED: every row is written anew.
    StoredColumn,
    /// ADD COLUMN with a default that each row gets a value of its own from.
    DefaultPerRow,
    /// A serial or an identity column: every row gets a number.
    NumberedColumn,
    /// SET LOGGED, UNLOGGED, TABLESPACE or ACCESS METHOD, which copy the table.
    Storage,
    /// VACUUM FULL or CLUSTER.
    Compaction,
    /// ADD PRIMARY KEY or UNIQUE without USING INDEX.
    UniqueKey,
    /// ADD EXCLUDE.
    Exclusion,
    /// ADD FOREIGN KEY without NOT VALID.
    ForeignKey,
    /// ADD CHECK without NOT VALID.
    Check,
    /// SET NOT NULL.
    NotNull,
    /// CREATE INDEX without CONCURRENTLY.
    IndexBuild,
    /// REINDEX without CONCURRENTLY.
    Reindex,
    /// REFRESH MATERIALIZED VIEW without CONCURRENTLY.
    Refresh,
    /// VALIDATE CONSTRAINT.
    Validation,
    /// ATTACH PARTITION, or CREATE TABLE … PARTITION OF, beside a DEFAULT partition.
    Attach,
    /// DETACH PARTITION without CONCURRENTLY.
    Detach,
    /// ALTER DOMAIN … ADD CONSTRAINT or SET NOT NULL.
    Domain,
    /// TRUNCATE.
    Truncate,
    /// INSERT, UPDATE, DELETE, MERGE or COPY FROM.
    Rows,
    /// LOCK TABLE.
    Lock,
    /// DROP COLUMN.
    DropColumn,
    /// DROP of a table, a view, an index or a sequence.
    Drop,
    /// A new name for a table or a column.
    Rename,
    /// ADD COLUMN that stores nothing, and what else changes the catalogue alone.
    Catalogue,
}

impl Work {
    /// Whether it takes longer the larger the table is.
    pub fn grows(self) -> bool {
        !matches!(
            self,
            Work::Truncate
                | Work::Lock
                | Work::DropColumn
                | Work::Drop
                | Work::Rename
                | Work::Catalogue
                | Work::Detach
        )
    }
}

/// What the statements of a text do, the longest first. Text that does not parse: nothing.
pub fn works(text: &str) -> Vec<Work> {
    let of_tree = |tree: &ast::SourceFile| {
        let mut works: Vec<Work> = tree.stmts().flat_map(|statement| of(&statement)).collect();
        works.sort_unstable();
        works.dedup();
        works
    };
    syntax::with_tree(text, of_tree).unwrap_or_default()
}

/// Whether a query returns every column of a table, whichever they are (`*`, `t.*`).
pub fn returns_all_columns(text: &str) -> bool {
    let is_star = |node: &SyntaxNode| {
        let lists = matches!(node.kind(), SyntaxKind::TARGET | SyntaxKind::FIELD_EXPR);
        lists && node.children_with_tokens().any(|part| part.kind() == SyntaxKind::STAR)
    };
    let of_tree = |tree: &ast::SourceFile| tree.syntax().descendants().any(|node| is_star(&node));
    syntax::with_tree(text, of_tree).unwrap_or(false)
}

fn of(statement: &Stmt) -> Vec<Work> {
    let one = |work| vec![work];
    match statement {
        Stmt::AlterTable(alter) => {
            alter.actions().filter_map(|action| of_action(&action)).collect()
        }
        Stmt::CreateIndex(create) if create.concurrently_token().is_none() => one(Work::IndexBuild),
        Stmt::Reindex(reindex) if !reindex.is_concurrently() => one(Work::Reindex),
        Stmt::Vacuum(vacuum) if vacuum.is_full() => one(Work::Compaction),
        Stmt::Cluster(_) | Stmt::Repack(_) => one(Work::Compaction),
        Stmt::Truncate(_) => one(Work::Truncate),
        Stmt::CreateTable(create) if create.partition_of().is_some() => one(Work::Attach),
        Stmt::Refresh(refresh) if refresh.concurrently_token().is_none() => one(Work::Refresh),
        Stmt::AlterDomain(_) => one(Work::Domain),
        Stmt::Lock(_) => one(Work::Lock),
        Stmt::Insert(_) | Stmt::Update(_) | Stmt::Delete(_) | Stmt::Merge(_) => one(Work::Rows),
        Stmt::Copy(copy) => match copy.copy_direction() {
            Some(ast::CopyDirection::CopyFrom(_)) => one(Work::Rows),
            _ => Vec::new(),
        },
        Stmt::DropTable(_)
        | Stmt::DropView(_)
        | Stmt::DropMaterializedView(_)
        | Stmt::DropSequence(_) => one(Work::Drop),
        Stmt::DropIndex(drop) if drop.concurrently_token().is_none() => one(Work::Drop),
        Stmt::CreateTrigger(_) | Stmt::DropTrigger(_) | Stmt::CreatePolicy(_) => {
            one(Work::Catalogue)
        }
        _ => Vec::new(),
    }
}

fn of_action(action: &AlterTableAction) -> Option<Work> {
    use AlterTableAction::{
        AddColumn, AddConstraint, AlterColumn, AttachPartition, DetachPartition, DropColumn,
        RenameColumn, SetAccessMethod, SetLogged, SetTablespace, SetUnlogged, TableRenameTo,
        ValidateConstraint,
    };
    Some(match action {
        AddColumn(add) => of_new_column(add),
        AddConstraint(add) => return of_constraint(add),
        AlterColumn(alter) => match alter.option()? {
            ast::AlterColumnOption::SetType(_) => Work::TypeChange,
            ast::AlterColumnOption::SetExpression(_) => Work::StoredColumn,
            ast::AlterColumnOption::SetNotNull(_) => Work::NotNull,
            _ => Work::Catalogue,
        },
        ValidateConstraint(_) => Work::Validation,
        AttachPartition(_) => Work::Attach,
        DetachPartition(detach) => match detach.detach_partition_option() {
            Some(_) => return None,
            None => Work::Detach,
        },
        DropColumn(_) => Work::DropColumn,
        RenameColumn(_) | TableRenameTo(_) => Work::Rename,
        SetLogged(_) | SetUnlogged(_) | SetTablespace(_) | SetAccessMethod(_) => Work::Storage,
        _ => Work::Catalogue,
    })
}

fn of_new_column(add: &ast::AddColumn) -> Work {
    let mut works: Vec<Work> = add.constraints().filter_map(|c| of_column_part(&c)).collect();
    if add.ty().is_some_and(|ty| rewrite::of_type(ty.syntax()) == Certainty::Yes) {
        works.push(Work::NumberedColumn);
    }
    works.into_iter().min().unwrap_or(Work::Catalogue)
}

fn of_column_part(constraint: &ast::Constraint) -> Option<Work> {
    Some(match constraint {
        ast::Constraint::GeneratedConstraint(generated) => match rewrite::of_generated(generated) {
            Certainty::No => return None,
            _ if is_identity(generated.syntax()) => Work::NumberedColumn,
            _ => Work::StoredColumn,
        },
        ast::Constraint::DefaultConstraint(default) => {
            match rewrite::of_default(default.syntax()) {
                Certainty::No => return None,
                _ => Work::DefaultPerRow,
            }
        }
        ast::Constraint::CheckConstraint(_) => Work::Check,
        ast::Constraint::ReferencesConstraint(_) => Work::ForeignKey,
        ast::Constraint::UniqueConstraint(_) | ast::Constraint::PrimaryKeyConstraint(_) => {
            Work::UniqueKey
        }
        _ => return None,
    })
}

fn is_identity(generated: &SyntaxNode) -> bool {
    generated.descendants().any(|node| ast::GeneratedIdentity::can_cast(node.kind()))
}

fn of_constraint(add: &ast::AddConstraint) -> Option<Work> {
    let constraint = add.constraint()?;
    if constraint.is_not_valid() {
        return Some(Work::Catalogue);
    }
    Some(match constraint {
        _ if rewrite::uses_index(&constraint) => Work::Catalogue,
        ast::Constraint::CheckConstraint(_) => Work::Check,
        ast::Constraint::ForeignKeyConstraint(_) => Work::ForeignKey,
        ast::Constraint::ExcludeConstraint(_) => Work::Exclusion,
        ast::Constraint::UniqueConstraint(_) | ast::Constraint::PrimaryKeyConstraint(_) => {
            Work::UniqueKey
        }
        ast::Constraint::NotNullConstraint(_) => Work::NotNull,
        _ => Work::Catalogue,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_of_a_statement_that_takes_long_is_known() {
        let cases: [(&str, &[Work]); 32] = [
            (
                "ALTER TABLE t ADD COLUMN c int GENERATED ALWAYS AS (a * 2) STORED",
                &[Work::StoredColumn],
            ),
            ("ALTER TABLE t ADD COLUMN c uuid DEFAULT gen_random_uuid()", &[Work::DefaultPerRow]),
            ("ALTER TABLE t ADD COLUMN c bigserial", &[Work::NumberedColumn]),
            ("ALTER TABLE t ADD c int GENERATED BY DEFAULT AS IDENTITY", &[Work::NumberedColumn]),
            ("ALTER TABLE t ADD COLUMN c int DEFAULT 0 NOT NULL", &[Work::Catalogue]),
            ("ALTER TABLE t ADD COLUMN c int REFERENCES u", &[Work::ForeignKey]),
            ("ALTER TABLE t ALTER COLUMN c TYPE bigint", &[Work::TypeChange]),
            (
                "ALTER TABLE t ADD COLUMN d int, ALTER c TYPE bigint",
                &[Work::TypeChange, Work::Catalogue],
            ),
            ("ALTER TABLE t ALTER COLUMN c SET NOT NULL", &[Work::NotNull]),
            ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u", &[Work::ForeignKey]),
            ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u NOT VALID", &[Work::Catalogue]),
            ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)", &[Work::Check]),
            ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID", &[Work::Catalogue]),
            ("ALTER TABLE t ADD CONSTRAINT c UNIQUE (a)", &[Work::UniqueKey]),
            ("ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i", &[Work::Catalogue]),
            ("ALTER TABLE t VALIDATE CONSTRAINT c", &[Work::Validation]),
            ("ALTER TABLE t SET UNLOGGED", &[Work::Storage]),
            ("ALTER TABLE t ATTACH PARTITION p DEFAULT", &[Work::Attach]),
            ("CREATE TABLE p PARTITION OF t FOR VALUES FROM (1) TO (2)", &[Work::Attach]),
            ("CREATE TABLE p (a int)", &[]),
            ("ALTER TABLE t DETACH PARTITION p", &[Work::Detach]),
            ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY", &[]),
            ("ALTER TABLE t RENAME COLUMN a TO b", &[Work::Rename]),
            ("ALTER TABLE t DROP COLUMN a", &[Work::DropColumn]),
            ("CREATE INDEX i ON t (a)", &[Work::IndexBuild]),
            ("CREATE INDEX CONCURRENTLY i ON t (a)", &[]),
            ("REINDEX TABLE t", &[Work::Reindex]),
            ("VACUUM FULL t", &[Work::Compaction]),
            ("REFRESH MATERIALIZED VIEW v", &[Work::Refresh]),
            ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", &[]),
            ("UPDATE t SET a = 1", &[Work::Rows]),
            ("DROP TABLE t", &[Work::Drop]),
        ];
        for (text, expected) in cases {
            assert_eq!(works(text), expected, "{text}");
        }
    }

    #[test]
    fn a_star_in_a_list_of_columns_is_every_column_and_one_in_a_count_is_none() {
        let all =
            ["SELECT * FROM t", "SELECT t.*, 1 FROM t", "INSERT INTO t VALUES (1) RETURNING *"];
        let named = ["SELECT a, b FROM t", "SELECT count(*) FROM t", "SELECT a * b FROM t"];
        assert!(all.iter().all(|text| returns_all_columns(text)));
        assert!(!named.iter().any(|text| returns_all_columns(text)));
    }
}
