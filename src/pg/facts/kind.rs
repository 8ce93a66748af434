//! What kind of statement it is and what it is for.

use squawk_syntax::ast::{self, Stmt};

use crate::pg::purpose::Purpose;
use crate::pg::syntax::{Kind, must_run_outside_transaction};

use super::explain::explain_runs;
use super::name::RelationName;
use super::rows;

pub(super) fn kind(statement: &Stmt) -> Kind {
    match statement {
        Stmt::Begin(_) => Kind::Begin,
        Stmt::Commit(ast::Commit::CommitTransaction(_)) => Kind::Commit,
        Stmt::Rollback(ast::Rollback::RollbackTransaction(_)) => Kind::Rollback,
        Stmt::Rollback(ast::Rollback::RollbackToSavepoint(_))
        | Stmt::SavepointCreate(_)
        | Stmt::ReleaseSavepoint(_) => Kind::Savepoint,
        Stmt::Set(_)
        | Stmt::SetConstraints(_)
        | Stmt::SetRole(_)
        | Stmt::SetSessionAuth(_)
        | Stmt::SetTransaction(_)
        | Stmt::Reset(_)
        | Stmt::ResetRole(_)
        | Stmt::ResetSessionAuth(_) => Kind::Set,
        Stmt::Show(_) => Kind::Show,
        Stmt::CreateIndex(create) => create_index(create),
        Stmt::DropIndex(drop) => {
            Kind::DropIndex { concurrently: drop.concurrently_token().is_some() }
        }
        Stmt::Reindex(reindex) => reindex_kind(reindex),
        Stmt::AlterTable(alter) if detaches_concurrently(alter) => Kind::DetachConcurrently,
        Stmt::AlterTable(_) => Kind::AlterTable,
        Stmt::Lock(_) => Kind::Lock,
        Stmt::Do(_) => Kind::Do,
        Stmt::Call(_) => Kind::Call,
        Stmt::Update(_) => Kind::Update,
        Stmt::Delete(_) => Kind::Delete,
        Stmt::Insert(_) => Kind::Insert,
        Stmt::Select(_)
        | Stmt::SelectInto(_)
        | Stmt::CompoundSelect(_)
        | Stmt::ParenSelect(_)
        | Stmt::Table(_)
        | Stmt::Values(_) => Kind::Select,
        Stmt::Vacuum(_) => Kind::Vacuum,
        Stmt::CreateDatabase(_)
        | Stmt::AlterDatabase(_)
        | Stmt::DropDatabase(_)
        | Stmt::CreateTablespace(_)
        | Stmt::AlterTablespace(_)
        | Stmt::DropTablespace(_)
        | Stmt::AlterSystem(_) => Kind::ServerWide,
        _ => Kind::Other,
    }
}

fn create_index(create: &ast::CreateIndex) -> Kind {
    Kind::CreateIndex {
        concurrently: create.concurrently_token().is_some(),
        if_not_exists: create.if_not_exists().is_some(),
        name: RelationName::of_node(create.index()).map(|name| name.name),
    }
}

fn reindex_kind(reindex: &ast::Reindex) -> Kind {
    use ast::ReindexTarget::{ReindexTargetDatabase, ReindexTargetSystem};
    match reindex.reindex_target() {
        _ if reindex.is_concurrently() => Kind::ReindexConcurrently,
        Some(ReindexTargetDatabase(_) | ReindexTargetSystem(_)) => Kind::ServerWide,
        _ => Kind::Other,
    }
}

fn detaches_concurrently(alter: &ast::AlterTable) -> bool {
    alter.actions().any(|action| match action {
        ast::AlterTableAction::DetachPartition(detach) => matches!(
            detach.detach_partition_option(),
            Some(ast::DetachPartitionOption::DetachConcurrently(_))
        ),
        _ => false,
    })
}

/// Whether Postgres refuses it inside a transaction block.
pub(super) fn outside_transaction(statement: &Stmt, kind: &Kind) -> bool {
    match statement {
        Stmt::Cluster(cluster) => {
            cluster.table_name_ref().is_none() && cluster.cluster_legacy().is_none()
        }
        Stmt::Reindex(reindex) => {
            reindex.is_concurrently()
                || !matches!(
                    reindex.reindex_target(),
                    Some(
                        ast::ReindexTarget::ReindexTargetIndex(_)
                            | ast::ReindexTarget::ReindexTargetTable(_)
                    )
                )
        }
        _ => must_run_outside_transaction(kind),
    }
}

pub(super) fn purpose(statement: &Stmt) -> Purpose {
    match statement {
        Stmt::Begin(_)
        | Stmt::Commit(_)
        | Stmt::Rollback(_)
        | Stmt::SavepointCreate(_)
        | Stmt::ReleaseSavepoint(_)
        | Stmt::PrepareTransaction(_) => Purpose::Transaction,
        Stmt::Set(_)
        | Stmt::SetConstraints(_)
        | Stmt::SetRole(_)
        | Stmt::SetSessionAuth(_)
        | Stmt::SetTransaction(_)
        | Stmt::Reset(_)
        | Stmt::ResetRole(_)
        | Stmt::ResetSessionAuth(_)
        | Stmt::Show(_)
        | Stmt::Lock(_)
        | Stmt::Deallocate(_)
        | Stmt::Discard(_)
        | Stmt::Listen(_)
        | Stmt::Load(_)
        | Stmt::Notify(_)
        | Stmt::Prepare(_)
        | Stmt::Unlisten(_)
        | Stmt::EmptyStmt(_) => Purpose::Setting,
        _ if is_temporary(statement) => Purpose::Setting,
        Stmt::Close(_) | Stmt::Declare(_) | Stmt::Fetch(_) | Stmt::Move(_) => Purpose::Read,
        Stmt::SelectInto(_) => Purpose::Work,
        Stmt::Select(_)
        | Stmt::CompoundSelect(_)
        | Stmt::ParenSelect(_)
        | Stmt::Table(_)
        | Stmt::Values(_)
        | Stmt::Copy(_) => writes_or_reads(statement),
        Stmt::Explain(explain) => match explain.explain_stmt() {
            Some(
                ast::ExplainStmt::CreateMaterializedView(_)
                | ast::ExplainStmt::CreateTableAs(_)
                | ast::ExplainStmt::SelectInto(_)
                | ast::ExplainStmt::Execute(_),
            ) if explain_runs(explain) => Purpose::Work,
            _ => writes_or_reads(statement),
        },
        _ => Purpose::Work,
    }
}

fn writes_or_reads(statement: &Stmt) -> Purpose {
    if rows::written(statement).is_empty() { Purpose::Read } else { Purpose::Work }
}

fn is_temporary(statement: &Stmt) -> bool {
    let temporary = |persistence| matches!(persistence, Some(ast::Persistence::Temp(_)));
    match statement {
        Stmt::CreateTable(create) => temporary(create.persistence()),
        Stmt::CreateTableAs(create) => temporary(create.persistence()),
        Stmt::CreateView(create) => temporary(create.persistence()),
        Stmt::CreateSequence(create) => temporary(create.persistence()),
        Stmt::SelectInto(select) => {
            select.into_clause().is_some_and(|into| temporary(into.persistence()))
        }
        _ => false,
    }
}

/// Whether it runs what its text does not show.
pub(super) fn is_dynamic(statement: &Stmt) -> bool {
    match statement {
        Stmt::Call(_) | Stmt::Execute(_) => true,
        Stmt::CreateExtension(_) | Stmt::AlterExtension(_) => true,
        Stmt::CreateTableAs(create) => {
            matches!(create.query(), Some(ast::CreateTableAsQuery::Execute(_)))
        }
        Stmt::Explain(explain) => {
            matches!(explain.explain_stmt(), Some(ast::ExplainStmt::Execute(_)))
        }
        _ => false,
    }
}
