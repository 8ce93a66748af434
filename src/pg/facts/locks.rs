//! Which locks a statement asks for on which relations.
//!
//! Source: PostgreSQL documentation, "Explicit Locking" and the pages of the commands; measured on
//! PostgreSQL 14 to 18 with one session that runs the statement and one that reads `pg_locks`.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode, Stmt};

use crate::pg::LockMode::{
    self, AccessExclusiveLock, AccessShareLock, ExclusiveLock, RowExclusiveLock, ShareLock,
    ShareRowExclusiveLock, ShareUpdateExclusiveLock,
};

use super::data::{AskedLock, Relation};
use super::name::{RelationName, parts};
use super::{alter, kind, rows};

/// None: unknown. What a DO block's body asks for is not in here.
pub(super) fn locks(statement: &Stmt) -> Option<Vec<AskedLock>> {
    if kind::is_dynamic(statement) || drops_unnamed(statement) {
        return None;
    }
    let found = of_tables(statement)
        .or_else(|| of_indexes(statement))
        .or_else(|| of_objects_on_tables(statement))
        .or_else(|| of_maintenance(statement))
        .unwrap_or_else(|| rows::locks_of_queries(statement.syntax()));
    let mut locks: Vec<AskedLock> = Vec::new();
    for lock in found {
        if !locks.contains(&lock) {
            locks.push(lock);
        }
    }
    Some(locks)
}

/// Whether it drops or changes what others depend on, which the text does not name.
fn drops_unnamed(statement: &Stmt) -> bool {
    let cascades = |behavior| matches!(behavior, Some(ast::DropBehavior::Cascade(_)));
    match statement {
        Stmt::DropOwned(_) | Stmt::Reassign(_) | Stmt::DropExtension(_) => true,
        Stmt::DropType(drop) => cascades(drop.drop_behavior()),
        Stmt::DropDomain(drop) => cascades(drop.drop_behavior()),
        Stmt::DropFunction(drop) => cascades(drop.drop_behavior()),
        _ => false,
    }
}

fn on(node: Option<impl AstNode>, mode: LockMode) -> Option<AskedLock> {
    let relation = Relation::Named(RelationName::of_node(node)?);
    Some(AskedLock { relation, mode })
}

fn on_each<N: AstNode>(nodes: impl IntoIterator<Item = N>, mode: LockMode) -> Vec<AskedLock> {
    nodes.into_iter().filter_map(|node| on(Some(node), mode)).collect()
}

fn on_index(node: Option<ast::IndexRef>, mode: LockMode) -> Option<AskedLock> {
    let relation = Relation::OfIndex(RelationName::of_node(node)?);
    Some(AskedLock { relation, mode })
}

fn on_any(mode: LockMode) -> AskedLock {
    AskedLock { relation: Relation::Any, mode }
}

fn listed(one: Option<AskedLock>) -> Vec<AskedLock> {
    one.into_iter().collect()
}

/// CREATE, ALTER and DROP of tables, views, sequences and schemas. None: not one of these.
fn of_tables(statement: &Stmt) -> Option<Vec<AskedLock>> {
    Some(match statement {
        Stmt::AlterTable(alter) => {
            altered(on(alter.table_relation_name(), ShareLock), alter.actions())
        }
        Stmt::AlterForeignTable(alter) => {
            altered(on(alter.table_relation_name(), ShareLock), alter.actions())
        }
        Stmt::CreateTable(create) => created(create.syntax(), create.table_name()),
        Stmt::CreateForeignTable(create) => created(create.syntax(), create.table_name()),
        Stmt::CreateView(create) => {
            let replaced = create.or_replace().and_then(|_| on(create.view(), AccessExclusiveLock));
            let mut locks = rows::locks_of_queries(create.syntax());
            locks.extend(replaced);
            locks
        }
        Stmt::CreateSchema(create) => {
            let elements = create.schema_elements();
            let statements = elements.filter_map(|element| Stmt::cast(element.syntax().clone()));
            statements.filter_map(|statement| locks(&statement)).flatten().collect()
        }
        Stmt::DropTable(drop) => on_each(drop.table_name_refs(), AccessExclusiveLock),
        Stmt::DropForeignTable(drop) => on_each(drop.table_name_refs(), AccessExclusiveLock),
        Stmt::DropView(drop) => on_each(drop.view_refs(), AccessExclusiveLock),
        Stmt::DropMaterializedView(drop) => on_each(drop.view_refs(), AccessExclusiveLock),
        Stmt::DropSequence(drop) => on_each(drop.sequence_refs(), AccessExclusiveLock),
        Stmt::DropSchema(drop) => match drop.drop_behavior() {
            Some(ast::DropBehavior::Cascade(_)) => {
                drop.schema_refs().filter_map(in_schema).collect()
            }
            _ => Vec::new(),
        },
        Stmt::AlterView(alter) => listed(on(alter.view_ref(), AccessExclusiveLock)),
        Stmt::AlterMaterializedView(alter) => altered_view(alter),
        Stmt::AlterSequence(alter) => {
            let options = alter
                .actions()
                .all(|action| matches!(action, ast::AlterSequenceAction::SequenceOption(_)));
            let mode = if options { ShareRowExclusiveLock } else { AccessExclusiveLock };
            listed(on(alter.sequence_ref(), mode))
        }
        Stmt::Truncate(truncate) => {
            let tables = truncate.table_list().into_iter().flat_map(|l| l.table_relation_names());
            on_each(tables, AccessExclusiveLock)
        }
        Stmt::Lock(lock) => explicit(lock),
        Stmt::Copy(copy) => match (copy.copy_table(), copy.copy_direction()) {
            (Some(table), Some(ast::CopyDirection::CopyFrom(_))) => {
                listed(on(table.table_name_ref(), RowExclusiveLock))
            }
            (Some(table), _) => listed(on(table.table_name_ref(), AccessShareLock)),
            (None, _) => rows::locks_of_queries(copy.syntax()),
        },
        _ => return None,
    })
}

/// Without a name it is ALTER TABLE ALL IN TABLESPACE.
fn altered(
    named: Option<AskedLock>,
    actions: impl Iterator<Item = ast::AlterTableAction>,
) -> Vec<AskedLock> {
    let relation = named.map_or(Relation::Any, |lock| lock.relation);
    alter::locks(relation, actions)
}

fn altered_view(alter: &ast::AlterMaterializedView) -> Vec<AskedLock> {
    use ast::AlterMaterializedViewAction::AlterTableAction;
    let (mut actions, mut renamed) = (Vec::new(), false);
    for action in alter.action() {
        match action {
            AlterTableAction(action) => actions.push(action),
            _ => renamed = true,
        }
    }
    let view = on(alter.view_ref(), AccessExclusiveLock);
    if renamed { listed(view) } else { altered(view, actions.into_iter()) }
}

/// On parents, on what it is made LIKE, and on what its foreign keys reference.
fn created(node: &SyntaxNode, table: Option<ast::TableName>) -> Vec<AskedLock> {
    let itself = RelationName::of_node(table);
    let mut locks = alter::referenced(node);
    for node in node.descendants() {
        if let Some(parent) = ast::PartitionOf::cast(node.clone()) {
            locks.extend(on(parent.table_name_ref(), AccessExclusiveLock));
        } else if let Some(inherits) = ast::Inherits::cast(node.clone()) {
            locks.extend(on_each(inherits.table_name_refs(), ShareUpdateExclusiveLock));
        } else if let Some(like) = ast::LikeClause::cast(node) {
            locks.extend(on(like.relation_name_ref(), AccessShareLock));
        }
    }
    locks.retain(|lock| match (&lock.relation, &itself) {
        (Relation::Named(name), Some(itself)) => name != itself,
        _ => true,
    });
    locks
}

fn in_schema(schema: ast::SchemaRef) -> Option<AskedLock> {
    let relation = Relation::InSchema(parts(schema.syntax()).pop()?);
    Some(AskedLock { relation, mode: AccessExclusiveLock })
}

fn explicit(lock: &ast::Lock) -> Vec<AskedLock> {
    let mode = match lock.lock_mode_clause().and_then(|clause| clause.lock_mode()) {
        None | Some(ast::LockMode::AccessExclusive(_)) => AccessExclusiveLock,
        Some(ast::LockMode::AccessShare(_)) => AccessShareLock,
        Some(ast::LockMode::Exclusive(_)) => ExclusiveLock,
        Some(ast::LockMode::RowExclusive(_)) => RowExclusiveLock,
        Some(ast::LockMode::RowShare(_)) => LockMode::RowShareLock,
        Some(ast::LockMode::Share(_)) => ShareLock,
        Some(ast::LockMode::ShareRowExclusive(_)) => ShareRowExclusiveLock,
        Some(ast::LockMode::ShareUpdateExclusive(_)) => ShareUpdateExclusiveLock,
    };
    on_each(lock.relation_list().into_iter().flat_map(|list| list.relation_names()), mode)
}

fn of_indexes(statement: &Stmt) -> Option<Vec<AskedLock>> {
    Some(match statement {
        Stmt::CreateIndex(create) => {
            let concurrently = create.concurrently_token().is_some();
            let mode = if concurrently { ShareUpdateExclusiveLock } else { ShareLock };
            listed(on(create.table_relation_name(), mode))
        }
        Stmt::DropIndex(drop) => {
            let concurrently = drop.concurrently_token().is_some();
            let mode = if concurrently { ShareUpdateExclusiveLock } else { AccessExclusiveLock };
            drop.index_refs().filter_map(|index| on_index(Some(index), mode)).collect()
        }
        Stmt::AlterIndex(alter) => {
            use ast::AlterIndexAction::{
                DependsOnExtension, NoDependsOnExtension, ResetOptions, SetOptions, SetTablespace,
            };
            let mode = match alter.action() {
                Some(SetOptions(set)) => alter::of_options(set.attribute_list()),
                Some(ResetOptions(reset)) => alter::of_options(reset.attribute_list()),
                Some(SetTablespace(_) | DependsOnExtension(_) | NoDependsOnExtension(_)) => {
                    AccessExclusiveLock
                }
                _ => ShareUpdateExclusiveLock,
            };
            listed(on_index(alter.index_ref(), mode))
        }
        Stmt::Reindex(reindex) => reindexed(reindex),
        _ => return None,
    })
}

/// The table is kept from writers, the index from everybody: planning a query opens each index of
/// its tables.
fn reindexed(reindex: &ast::Reindex) -> Vec<AskedLock> {
    let modes: &[LockMode] = match reindex.is_concurrently() {
        true => &[ShareUpdateExclusiveLock],
        false => &[ShareLock, AccessExclusiveLock],
    };
    let relation = match reindex.reindex_target() {
        Some(ast::ReindexTarget::ReindexTargetIndex(target)) => {
            RelationName::of_node(target.index_ref()).map(Relation::OfIndex)
        }
        Some(ast::ReindexTarget::ReindexTargetTable(target)) => {
            RelationName::of_node(target.table_name_ref()).map(Relation::Named)
        }
        Some(ast::ReindexTarget::ReindexTargetSchema(target)) => {
            let schema = target.schema_ref().and_then(|schema| parts(schema.syntax()).pop());
            schema.map(Relation::InSchema)
        }
        _ => Some(Relation::Any),
    };
    let lock = |relation: &Relation, mode| AskedLock { relation: relation.clone(), mode };
    relation.iter().flat_map(|of| modes.iter().map(|mode| lock(of, *mode))).collect()
}

/// Triggers, policies, rules, statistics, comments, domains.
fn of_objects_on_tables(statement: &Stmt) -> Option<Vec<AskedLock>> {
    let table = |node: Option<ast::OnTable>, mode| listed(on(node, mode));
    let relation = |node: Option<ast::OnRelation>, mode| listed(on(node, mode));
    Some(match statement {
        Stmt::CreateTrigger(create) => {
            let from = on(create.from_table(), AccessShareLock);
            let itself = on(create.on_relation(), ShareRowExclusiveLock);
            itself.into_iter().chain(from).collect()
        }
        Stmt::AlterTrigger(alter) => relation(alter.on_relation(), AccessExclusiveLock),
        Stmt::DropTrigger(drop) => relation(drop.on_relation(), AccessExclusiveLock),
        Stmt::CreatePolicy(create) => table(create.on_table(), AccessExclusiveLock),
        Stmt::AlterPolicy(alter) => table(alter.on_table(), AccessExclusiveLock),
        Stmt::DropPolicy(drop) => table(drop.on_table(), AccessExclusiveLock),
        Stmt::CreateRule(create) => {
            let on_rule = create.rule_on().and_then(|rule| rule.relation_name_ref());
            listed(on(on_rule, AccessExclusiveLock))
        }
        Stmt::AlterRule(alter) => relation(alter.on_relation(), AccessExclusiveLock),
        Stmt::DropRule(drop) => relation(drop.on_relation(), AccessExclusiveLock),
        Stmt::CreateStatistics(create) => listed(on(create.from_table(), ShareUpdateExclusiveLock)),
        Stmt::CommentOn(comment) => comment.comment_object().map(commented).unwrap_or_default(),
        Stmt::AlterDomain(alter) => altered_domain(alter),
        // Their bodies are text, or run later.
        Stmt::CreateFunction(_) | Stmt::CreateProcedure(_) => Vec::new(),
        _ => return None,
    })
}

fn commented(object: ast::CommentObject) -> Vec<AskedLock> {
    use ast::CommentObject;
    listed(match object {
        CommentObject::ObjectTable(of) => on(of.table_name_ref(), ShareUpdateExclusiveLock),
        CommentObject::ObjectForeignTable(of) => on(of.table_name_ref(), ShareUpdateExclusiveLock),
        CommentObject::ObjectView(of) => on(of.view_ref(), ShareUpdateExclusiveLock),
        CommentObject::ObjectMaterializedView(of) => on(of.view_ref(), ShareUpdateExclusiveLock),
        CommentObject::ObjectSequence(of) => on(of.sequence_ref(), ShareUpdateExclusiveLock),
        CommentObject::ObjectIndex(of) => on_index(of.index_ref(), ShareUpdateExclusiveLock),
        CommentObject::ObjectColumn(of) => {
            let table = of.name().and_then(|name| RelationName::of_column(&name));
            let lock = |name| AskedLock {
                relation: Relation::Named(name),
                mode: ShareUpdateExclusiveLock,
            };
            table.map(lock)
        }
        CommentObject::ObjectConstraint(of) => on(of.table_name_ref(), AccessShareLock),
        CommentObject::ObjectPolicy(of) => on(of.table_name_ref(), AccessShareLock),
        CommentObject::ObjectTrigger(of) => on(of.relation_name_ref(), AccessShareLock),
        CommentObject::ObjectRule(of) => on(of.relation_name_ref(), AccessShareLock),
        _ => None,
    })
}

/// What checks the values that are there keeps writers out of the tables.
fn altered_domain(alter: &ast::AlterDomain) -> Vec<AskedLock> {
    let checks = match alter.action() {
        Some(ast::AlterDomainAction::AddConstraint(add)) => {
            add.constraint().is_some_and(|constraint| !constraint.is_not_valid())
        }
        Some(
            ast::AlterDomainAction::SetNotNull(_) | ast::AlterDomainAction::ValidateConstraint(_),
        ) => true,
        _ => false,
    };
    let name = RelationName::of_node(alter.domain_ref()).filter(|_| checks);
    let lock = |name| AskedLock { relation: Relation::OfType(name), mode: ShareLock };
    listed(name.map(lock))
}

/// VACUUM, ANALYZE, CLUSTER, REFRESH.
fn of_maintenance(statement: &Stmt) -> Option<Vec<AskedLock>> {
    let tables = |list: Option<ast::TableAndColumnsList>, mode| match list {
        Some(list) => {
            let tables = list.table_and_columnss();
            on_each(tables.filter_map(|table| table.table_relation_name()), mode)
        }
        None => vec![on_any(mode)],
    };
    Some(match statement {
        Stmt::Vacuum(vacuum) => {
            let full = vacuum.is_full();
            let mode = if full { AccessExclusiveLock } else { ShareUpdateExclusiveLock };
            tables(vacuum.table_and_columns_list(), mode)
        }
        Stmt::Analyze(analyze) => {
            tables(analyze.table_and_columns_list(), ShareUpdateExclusiveLock)
        }
        Stmt::Repack(repack) => tables(repack.table_and_columns_list(), AccessExclusiveLock),
        Stmt::Cluster(cluster) => {
            let legacy = cluster.cluster_legacy().and_then(|legacy| legacy.on_path());
            let table = cluster.table_name_ref();
            let table = table.or_else(|| legacy.and_then(|legacy| legacy.table_name_ref()));
            match table {
                Some(table) => listed(on(Some(table), AccessExclusiveLock)),
                None => vec![on_any(AccessExclusiveLock)],
            }
        }
        Stmt::Refresh(refresh) => {
            let concurrently = refresh.concurrently_token().is_some();
            let mode = if concurrently { ExclusiveLock } else { AccessExclusiveLock };
            listed(on(refresh.view_ref(), mode))
        }
        _ => return None,
    })
}
