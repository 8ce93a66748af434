//! Text for a terminal: wrapped paragraphs, labelled lines, tables that are set in.

use std::fmt::Write;

use anstyle::Style;
use comfy_table::Table;

/// Columns of the text, wrapped; a terminal that is wider gains nothing from longer lines.
pub const WIDTH: usize = 100;
pub const DIM: Style = Style::new().dimmed();

pub fn labelled(out: &mut String, label: &str, text: &str) {
    let head = format!("      {DIM}{label:<9}{DIM:#} ");
    for (index, line) in wrap(text, WIDTH - 16).iter().enumerate() {
        let lead = if index == 0 { head.as_str() } else { "                " };
        let _ = writeln!(out, "{lead}{line}");
    }
}

pub fn paragraph(out: &mut String, lead: &str, text: &str) {
    for (index, line) in wrap(text, WIDTH - lead.len()).iter().enumerate() {
        let lead = if index == 0 { lead.to_owned() } else { " ".repeat(lead.len()) };
        let _ = writeln!(out, "{lead}{line}");
    }
}

/// Breaks at spaces; a word that is longer than a line has its own.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

pub fn indent(out: &mut String, table: &Table) {
    for line in table.to_string().lines() {
        let _ = writeln!(out, "  {}", line.trim_end());
    }
}
