//! Which settings a statement sets, and to what.

use squawk_syntax::SyntaxNode;
use squawk_syntax::ast::{self, AstNode, LitKind};

use super::data::SettingSet;
use super::name::parts;

const DEFAULT: &str = "default";

pub(super) fn sets(statement: &ast::Stmt) -> Vec<SettingSet> {
    match statement {
        ast::Stmt::Set(set) => set_of(set).into_iter().collect(),
        ast::Stmt::Reset(reset) => reset_of(reset).into_iter().collect(),
        ast::Stmt::Discard(discard) => match discard.discard_target() {
            Some(ast::DiscardTarget::DiscardAll(_)) => vec![reset("all".to_owned())],
            _ => Vec::new(),
        },
        ast::Stmt::Select(_)
        | ast::Stmt::CompoundSelect(_)
        | ast::Stmt::ParenSelect(_)
        | ast::Stmt::Values(_) => statement
            .syntax()
            .descendants()
            .filter_map(ast::CallExpr::cast)
            .filter_map(called)
            .collect(),
        _ => Vec::new(),
    }
}

/// What is set anywhere below the node: by SET, and by set_config however it is called.
pub(super) fn sets_below(node: &SyntaxNode) -> Vec<SettingSet> {
    let set = |node: SyntaxNode| match ast::Set::cast(node.clone()) {
        Some(set) => set_of(&set),
        None => ast::CallExpr::cast(node).and_then(called),
    };
    node.descendants().filter_map(set).collect()
}

fn reset(name: String) -> SettingSet {
    SettingSet { name, value: Some(DEFAULT.to_owned()), local: false }
}

fn reset_of(statement: &ast::Reset) -> Option<SettingSet> {
    Some(reset(match statement.reset_target()? {
        ast::ResetTarget::All(_) => "all".to_owned(),
        ast::ResetTarget::ConfigParameterRef(name) => name_of(&name),
        ast::ResetTarget::ResetTimeZone(_) => "timezone".to_owned(),
        ast::ResetTarget::ResetTransactionIsolation(_) => "transaction_isolation".to_owned(),
    }))
}

fn set_of(statement: &ast::Set) -> Option<SettingSet> {
    let local = matches!(statement.set_scope(), Some(ast::SetScope::LocalScope(_)));
    let (name, value) = match statement.set_target()? {
        ast::SetTarget::SetConfig(config) => {
            let value = match config.config_assignment()? {
                ast::ConfigAssignment::ToConfigValue(to) => Some(value_of(&to)),
                ast::ConfigAssignment::FromCurrent(_) => None,
            };
            (name_of(&config.config_parameter_ref()?), value)
        }
        ast::SetTarget::SetTimeZone(zone) => {
            let value = zone.config_value().map(|value| plain(value.syntax()));
            ("timezone".to_owned(), value)
        }
        ast::SetTarget::SetSchemaValue(schema) => {
            let value = schema.literal().map(|literal| plain(literal.syntax()));
            ("search_path".to_owned(), value)
        }
        ast::SetTarget::SetCatalog(_) | ast::SetTarget::SetXmlOption(_) => return None,
    };
    Some(SettingSet { name, value, local })
}

fn name_of(name: &ast::ConfigParameterRef) -> String {
    parts(name.syntax()).join(".").to_ascii_lowercase()
}

fn value_of(to: &ast::ToConfigValue) -> String {
    if to.default_token().is_some() {
        return DEFAULT.to_owned();
    }
    let values = to.config_values().map(|value| plain(value.syntax()));
    values.collect::<Vec<_>>().join(", ")
}

/// The node's text; of a string, what is in it.
fn plain(node: &SyntaxNode) -> String {
    let literal = node.descendants().find_map(ast::Literal::cast);
    literal.and_then(|literal| string(&literal)).unwrap_or_else(|| node.text().to_string())
}

/// None: it is no string.
fn string(literal: &ast::Literal) -> Option<String> {
    let is_string = matches!(
        literal.kind()?,
        LitKind::String(_)
            | LitKind::EscString(_)
            | LitKind::UnicodeEscString(_)
            | LitKind::DollarQuotedString(_)
    );
    is_string.then(|| literal.string_value()).flatten()
}

/// `set_config('lock_timeout', '3s', true)`
fn called(call: ast::CallExpr) -> Option<SettingSet> {
    let function = call.expr()?;
    if parts(function.syntax()).pop()? != "set_config" {
        return None;
    }
    let arguments: Vec<_> = call.arg_list()?.args().collect();
    let literal = |at: usize| -> Option<ast::Literal> {
        let node = arguments.get(at)?.syntax().clone();
        node.first_child().and_then(ast::Literal::cast)
    };
    let local = literal(2).is_some_and(|of| matches!(of.kind(), Some(LitKind::True(_))));
    let name = string(&literal(0)?)?.to_ascii_lowercase();
    Some(SettingSet { name, value: literal(1).and_then(|of| string(&of)), local })
}
