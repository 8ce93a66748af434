//! The plan of a declared read: the tree that EXPLAIN tells, as a list from its root down.

use std::pin::pin;

use futures_util::TryStreamExt;
use serde_json::Value;
use tokio_postgres::SimpleQueryMessage;

use crate::connect::{Session, server_error};
use crate::history::{PlanNode, ServerError};

/// A plan as a list.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Total cost, as the server estimates it.
    pub cost: f64,
    /// The root first.
    pub nodes: Vec<PlanNode>,
}

/// `sql` ends with an EXPLAIN in JSON.
pub(super) async fn plan(session: &Session, sql: &str) -> Result<Plan, ServerError> {
    let failed = |error| server_error(&error);
    let mut answers = pin!(session.client().simple_query_raw(sql).await.map_err(failed)?);
    let mut text = String::new();
    while let Some(answer) = answers.try_next().await.map_err(failed)? {
        if let SimpleQueryMessage::Row(row) = answer {
            text.push_str(row.get(0).unwrap_or_default());
        }
    }
    parse(&text).map_err(|error| ServerError {
        sqlstate: None,
        message: format!("EXPLAIN answered with what is no plan: {error}"),
        ..ServerError::default()
    })
}

/// One plan per statement that the rules of a table make of one.
fn parse(text: &str) -> Result<Plan, serde_json::Error> {
    let plans: Vec<Value> = serde_json::from_str(text)?;
    let mut parsed = Plan::default();
    for plan in &plans {
        parsed.cost += plan["Plan"]["Total Cost"].as_f64().unwrap_or_default();
        add(&plan["Plan"], &mut parsed.nodes);
    }
    Ok(parsed)
}

/// A node before its children. Trees are as deep as the SQL is, and serde_json stops at 128.
fn add(node: &Value, nodes: &mut Vec<PlanNode>) {
    let text = |key: &str| node[key].as_str().map(str::to_owned);
    let Some(node_type) = text("Node Type") else { return };
    let relation = text("Relation Name").map(|relation| match text("Schema") {
        Some(schema) => format!("{schema}.{relation}"),
        None => relation,
    });
    // An estimate may be greater than any integer of JSON's readers.
    let rows = node["Plan Rows"].as_f64().unwrap_or_default() as u64;
    nodes.push(PlanNode { node_type, relation, index: text("Index Name"), rows });
    for child in node["Plans"].as_array().into_iter().flatten() {
        add(child, nodes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_told_from_its_root_down() {
        let text = r#"[{"Plan": {"Node Type": "Sort", "Total Cost": 8.5, "Plan Rows": 3, "Plans": [
            {"Node Type": "Bitmap Heap Scan", "Relation Name": "spans", "Schema": "public",
             "Plan Rows": 1e30, "Plans": [
                {"Node Type": "Bitmap Index Scan", "Index Name": "ix", "Plan Rows": 312}]},
            {"Node Type": "Seq Scan", "Relation Name": "tasks", "Plan Rows": 0}]}}]"#;
        let found = parse(text).expect("a plan");
        let shown = found.nodes.iter().map(|node| {
            let of = node.relation.as_deref().or(node.index.as_deref()).unwrap_or("");
            (node.node_type.as_str(), of, node.rows)
        });
        let expected = [
            ("Sort", "", 3),
            ("Bitmap Heap Scan", "public.spans", u64::MAX),
            ("Bitmap Index Scan", "ix", 312),
            ("Seq Scan", "tasks", 0),
        ];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        assert_eq!(found.cost, 8.5);
    }

    #[test]
    fn what_is_no_json_is_no_plan() {
        assert!(parse("Seq Scan on spans").is_err());
        assert!(parse("").is_err());
    }
}
