//! Locks of ALTER TABLE's subcommands.
//!
//! Source: PostgreSQL documentation, "ALTER TABLE", and `AlterTableGetLockLevel` in
//! src/backend/commands/tablecmds.c; measured on PostgreSQL 14 to 18.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AlterTableAction, AstNode};

use crate::pg::LockMode;

use super::data::{AskedLock, Relation};
use super::name::{RelationName, parts};

/// Of a statement with these subcommands on this relation: the strongest on it that one of them
/// needs, and those on other relations.
pub(super) fn locks(
    relation: Relation,
    actions: impl Iterator<Item = AlterTableAction>,
) -> Vec<AskedLock> {
    let (mut strongest, mut others) = (None, Vec::new());
    for action in actions {
        strongest = strongest.max(Some(on_itself(&action)));
        others.extend(on_others(&action));
    }
    let mode = strongest.unwrap_or(LockMode::AccessExclusiveLock);
    let itself = AskedLock { relation, mode };
    std::iter::once(itself).chain(others).collect()
}

fn on_itself(action: &AlterTableAction) -> LockMode {
    use AlterTableAction::{
        AddConstraint, AlterColumn, AttachPartition, ClusterOn, DetachPartition, DisableTrigger,
        EnableAlwaysTrigger, EnableReplicaTrigger, EnableTrigger, ResetOptions, SetOptions,
        SetWithoutCluster, ValidateConstraint,
    };
    match action {
        AddConstraint(add) => match add.constraint() {
            Some(ast::Constraint::ForeignKeyConstraint(_)) => LockMode::ShareRowExclusiveLock,
            _ => LockMode::AccessExclusiveLock,
        },
        AlterColumn(alter) => match alter.option() {
            Some(
                ast::AlterColumnOption::SetStatistics(_)
                | ast::AlterColumnOption::SetOptions(_)
                | ast::AlterColumnOption::ResetOptions(_),
            ) => LockMode::ShareUpdateExclusiveLock,
            _ => LockMode::AccessExclusiveLock,
        },
        SetOptions(set) => of_options(set.attribute_list()),
        ResetOptions(reset) => of_options(reset.attribute_list()),
        AttachPartition(_) | ClusterOn(_) | SetWithoutCluster(_) | ValidateConstraint(_) => {
            LockMode::ShareUpdateExclusiveLock
        }
        DetachPartition(detach) => match detach.detach_partition_option() {
            Some(_) => LockMode::ShareUpdateExclusiveLock,
            None => LockMode::AccessExclusiveLock,
        },
        EnableTrigger(_) | DisableTrigger(_) | EnableAlwaysTrigger(_) | EnableReplicaTrigger(_) => {
            LockMode::ShareRowExclusiveLock
        }
        _ => LockMode::AccessExclusiveLock,
    }
}

/// Of storage parameters, those that only later work goes by need no more than to keep VACUUM out.
pub(super) fn of_options(list: Option<ast::AttributeList>) -> LockMode {
    const LIGHT: [&str; 8] = [
        "fillfactor",
        "toast_tuple_target",
        "parallel_workers",
        "vacuum_index_cleanup",
        "vacuum_truncate",
        "vacuum_max_eager_freeze_failure_rate",
        "log_autovacuum_min_duration",
        "deduplicate_items",
    ];
    let names = list.into_iter().flat_map(|list| list.attribute_options()).map(|option| {
        option.name().and_then(|name| parts(name.syntax()).pop()).unwrap_or_default()
    });
    let is_light = |name: String| LIGHT.contains(&name.as_str()) || name.starts_with("autovacuum_");
    let names: Vec<String> = names.collect();
    if !names.is_empty() && names.into_iter().all(is_light) {
        LockMode::ShareUpdateExclusiveLock
    } else {
        LockMode::AccessExclusiveLock
    }
}

fn on_others(action: &AlterTableAction) -> Vec<AskedLock> {
    use LockMode::{AccessExclusiveLock, AccessShareLock, ShareUpdateExclusiveLock};
    let one = |node: Option<ast::TableNameRef>, mode| {
        let name = RelationName::of_node(node).map(Relation::Named);
        name.map(|relation| AskedLock { relation, mode }).into_iter().collect()
    };
    match action {
        AlterTableAction::AttachPartition(attach) => {
            one(attach.table_name_ref(), AccessExclusiveLock)
        }
        AlterTableAction::DetachPartition(detach) => {
            let concurrently = matches!(
                detach.detach_partition_option(),
                Some(ast::DetachPartitionOption::DetachConcurrently(_))
            );
            let mode = if concurrently { ShareUpdateExclusiveLock } else { AccessExclusiveLock };
            one(detach.table_name_ref(), mode)
        }
        AlterTableAction::InheritTable(inherit) => {
            one(inherit.table_name_ref(), ShareUpdateExclusiveLock)
        }
        AlterTableAction::NoInheritTable(inherit) => one(inherit.table_name_ref(), AccessShareLock),
        AlterTableAction::MergePartitions(merge) => {
            let tables = merge.table_name_ref_list().into_iter().flat_map(|l| l.table_name_refs());
            tables.flat_map(|table| one(Some(table), AccessExclusiveLock)).collect()
        }
        AlterTableAction::SplitPartition(split) => one(split.table_name_ref(), AccessExclusiveLock),
        AlterTableAction::AddConstraint(add) => {
            let using = add.syntax().descendants().find_map(ast::UsingIndexName::cast);
            let index = using.and_then(|using| RelationName::of_node(using.index_ref()));
            let index = index.map(|name| AskedLock {
                relation: Relation::OfIndex(name),
                mode: ShareUpdateExclusiveLock,
            });
            referenced(add.syntax()).into_iter().chain(index).collect()
        }
        AlterTableAction::AddColumn(add) => referenced(add.syntax()),
        _ => Vec::new(),
    }
}

/// On the tables that foreign keys below the node reference.
pub(super) fn referenced(node: &SyntaxNode) -> Vec<AskedLock> {
    let table = |node: SyntaxNode| -> Option<ast::TableNameRef> {
        match ast::ReferencesConstraint::cast(node.clone()) {
            Some(constraint) => constraint.table(),
            None => ast::ForeignKeyConstraint::cast(node)?.table_name_ref(),
        }
    };
    let names = node.descendants().filter_map(table).filter_map(|t| RelationName::of_node(Some(t)));
    let lock =
        |name| AskedLock { relation: Relation::Named(name), mode: LockMode::ShareRowExclusiveLock };
    names.map(lock).collect()
}
