//! Who waited for whom, as a graph: sessions that wait for none are on the right.
//!
//! Every edge leaves its waiter at a height of its own and runs level for as long as its label is,
//! so that no label lies on another one.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::judge::timeline::WaitEdge;

use super::html::{cut, text};

const NODE_WIDTH: f64 = 168.0;
/// Between two columns of nodes: room for a label, and for the bend behind it.
const GAP: f64 = 264.0;
const BEND: f64 = 48.0;
/// Of an edge's place at its waiter: two lines of a label.
const EDGE_HEIGHT: f64 = 46.0;
const NODE_SPACE: f64 = 18.0;
const MARGIN: f64 = 8.0;
/// Characters that fit.
const NAME_MAX: usize = 22;
const LABEL_MAX: usize = 36;

struct Node<'g> {
    name: &'g str,
    /// Backends that wait under this name; none: it only blocks.
    waiters: u64,
    column: usize,
    edges_out: usize,
    edges_in: usize,
    y: f64,
}

impl Node<'_> {
    fn height(&self) -> f64 {
        EDGE_HEIGHT * self.edges_out.max(1) as f64
    }
}

pub fn graph(edges: &[WaitEdge]) -> String {
    let mut nodes = nodes(edges);
    let columns = nodes.iter().map(|node| node.column + 1).max().unwrap_or(1);
    let height = place(&mut nodes, columns);
    let width = columns as f64 * (NODE_WIDTH + GAP) - GAP + 2.0 * MARGIN;
    let mut out = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"wait graph\">\
         <svg class=\"graph\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"who waited for whom; the list below says the same\">\n"
    );
    let mut used: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for edge in edges {
        write_edge(&mut out, &nodes, columns, edge, &mut used);
    }
    nodes.iter().for_each(|node| write_node(&mut out, node, columns));
    out.push_str("</svg></div>\n");
    out
}

fn nodes(edges: &[WaitEdge]) -> Vec<Node<'_>> {
    let mut nodes: Vec<Node<'_>> = Vec::new();
    for edge in edges {
        for name in [edge.waiter.as_str(), edge.blocker.as_str()] {
            if !nodes.iter().any(|node| node.name == name) {
                let (waiters, column, y) = (0, 0, 0.0);
                nodes.push(Node { name, waiters, column, edges_out: 0, edges_in: 0, y });
            }
        }
        for node in &mut nodes {
            if node.name == edge.waiter {
                node.edges_out += 1;
                node.waiters += edge.waiters;
            }
            if node.name == edge.blocker {
                node.edges_in += 1;
            }
        }
    }
    let names: Vec<&str> = nodes.iter().map(|node| node.name).collect();
    for node in &mut nodes {
        node.column = depth(edges, node.name, names.len());
    }
    nodes
}

/// Edges to the farthest one that waits for no session. A circle of waiters has no end: `left`
/// ends it.
fn depth(edges: &[WaitEdge], name: &str, left: usize) -> usize {
    let mut depths: BTreeMap<&str, usize> = BTreeMap::new();
    for _ in 0..left {
        for edge in edges.iter().filter(|edge| edge.waiter != edge.blocker) {
            let below = depths.get(edge.blocker.as_str()).copied().unwrap_or(0);
            let own = depths.entry(edge.waiter.as_str()).or_default();
            *own = (*own).max(below + 1).min(left.saturating_sub(1));
        }
    }
    depths.get(name).copied().unwrap_or(0)
}

/// Stacks each column, in the middle of the picture's height, which is returned.
fn place(nodes: &mut [Node<'_>], columns: usize) -> f64 {
    let tall = |nodes: &[Node<'_>], column: usize| -> f64 {
        let heights = nodes.iter().filter(|node| node.column == column).map(Node::height);
        heights.map(|height| height + NODE_SPACE).sum::<f64>() - NODE_SPACE
    };
    let most = (0..columns).map(|column| tall(nodes, column)).fold(0.0, f64::max);
    for column in 0..columns {
        let mut y = MARGIN + (most - tall(nodes, column)) / 2.0;
        for node in nodes.iter_mut().filter(|node| node.column == column) {
            node.y = y;
            y += node.height() + NODE_SPACE;
        }
    }
    most + 2.0 * MARGIN
}

fn left_of(node: &Node<'_>, columns: usize) -> f64 {
    MARGIN + (columns - 1 - node.column) as f64 * (NODE_WIDTH + GAP)
}

fn write_edge<'g>(
    out: &mut String,
    nodes: &[Node<'_>],
    columns: usize,
    edge: &'g WaitEdge,
    used: &mut BTreeMap<&'g str, (usize, usize)>,
) {
    let find = |name: &str| nodes.iter().find(|node| node.name == name);
    let (Some(from), Some(to)) = (find(&edge.waiter), find(&edge.blocker)) else { return };
    let out_index = used.get(edge.waiter.as_str()).map_or(0, |used| used.0);
    let in_index = used.get(edge.blocker.as_str()).map_or(0, |used| used.1);
    used.entry(&edge.waiter).or_default().0 += 1;
    used.entry(&edge.blocker).or_default().1 += 1;
    let x = left_of(from, columns) + NODE_WIDTH;
    let y = from.y + EDGE_HEIGHT * (out_index as f64 + 0.5);
    let (end_x, share) = (left_of(to, columns), (in_index as f64 + 0.5) / to.edges_in as f64);
    let (end_y, level) = (to.y + to.height() * share, x + GAP - BEND);
    let middle = level + (end_x - level) / 2.0;
    let _ = writeln!(
        out,
        "<path class=\"edge\" d=\"M{x:.0} {y:.1}H{level:.0}C{middle:.0} {y:.1} {middle:.0} \
         {end_y:.1} {:.0} {end_y:.1}\"/>\
         <path class=\"head\" d=\"M{end_x:.0} {end_y:.1}l-9 -4v8z\"/>",
        end_x - 6.0
    );
    let asked = match &edge.relation {
        Some(relation) => format!("{} on {relation}", edge.requested),
        None => edge.requested.clone(),
    };
    for (dy, class, label) in [(-6.0, "asked", asked), (15.0, "held", held(edge))] {
        let _ = writeln!(
            out,
            "<text class=\"{class}\" x=\"{:.0}\" y=\"{:.1}\">{}</text>",
            x + 8.0,
            y + dy,
            text(&cut(&label, LABEL_MAX))
        );
    }
}

fn held(edge: &WaitEdge) -> String {
    match &edge.held {
        Some(held) => format!("held {held}"),
        None => "ahead in the queue".to_owned(),
    }
}

fn write_node(out: &mut String, node: &Node<'_>, columns: usize) {
    let (x, y, height) = (left_of(node, columns), node.y, node.height());
    let class = if node.edges_out == 0 { "node root" } else { "node" };
    let count = match node.waiters {
        0 => "waits for no session".to_owned(),
        1 => "1 waits".to_owned(),
        n => format!("{n} wait"),
    };
    let _ = writeln!(
        out,
        "<rect class=\"{class}\" x=\"{x}\" y=\"{y:.1}\" width=\"{NODE_WIDTH}\" \
         height=\"{height:.1}\" rx=\"6\"/>\
         <text class=\"who\" x=\"{tx}\" y=\"{:.1}\">{}</text>\
         <text class=\"count\" x=\"{tx}\" y=\"{:.1}\">{count}</text>",
        y + height / 2.0 - 3.0,
        text(&cut(node.name, NAME_MAX)),
        y + height / 2.0 + 13.0,
        tx = x + 12.0,
    );
}

/// An edge as a sentence.
pub fn sentence(edge: &WaitEdge) -> String {
    let on = edge.relation.as_ref().map(|relation| format!(" on {relation}")).unwrap_or_default();
    let way = match &edge.held {
        Some(held) => format!("{} held {held}", edge.blocker),
        None => format!("{} was ahead in the queue", edge.blocker),
    };
    format!("{} × {} asked for {}{on}: {way}", edge.waiters, edge.waiter, edge.requested)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(waiter: &str, blocker: &str, held: Option<&str>) -> WaitEdge {
        WaitEdge {
            waiter: waiter.to_owned(),
            waiters: 3,
            relation: Some("spans".to_owned()),
            requested: "RowExclusiveLock".to_owned(),
            blocker: blocker.to_owned(),
            held: held.map(str::to_owned),
        }
    }

    #[test]
    fn who_waits_for_nobody_stands_on_the_right() {
        let edges = [edge("insert", "change", None), edge("change", "reader", Some("ShareLock"))];
        let columns: Vec<usize> = nodes(&edges).iter().map(|node| node.column).collect();
        assert_eq!(columns, [2, 1, 0]);
    }

    #[test]
    fn a_circle_of_waiters_has_a_picture_too() {
        let edges = [edge("a", "b", None), edge("b", "a", None), edge("c", "c", None)];
        let svg = graph(&edges);
        assert_eq!(svg.matches("class=\"edge\"").count(), 3, "{svg}");
    }

    #[test]
    fn an_edge_tells_what_was_asked_and_what_was_held() {
        let text = sentence(&edge("insert", "the change", Some("AccessExclusiveLock")));
        let wanted = "3 × insert asked for RowExclusiveLock on spans: the change held \
                      AccessExclusiveLock";
        assert_eq!(text, wanted);
    }
}
