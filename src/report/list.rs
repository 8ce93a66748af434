//! The list of scenarios: a name, the verdicts that are expected, and a sentence.

use super::grid::{Column, Grid};
use super::text::{Text, Width};

/// None: a scenario is a line, for what reads lines.
pub fn list(scenarios: impl IntoIterator<Item = [String; 3]>, width: Option<Width>) -> String {
    let no_head = [""; 3];
    let mut grid = Grid::new(0, &[Column::Name, Column::Word, Column::Words], no_head);
    scenarios.into_iter().for_each(|scenario| grid.row(scenario));
    let mut out = Text::new(width.unwrap_or(Width::UNLIMITED));
    grid.write(&mut out);
    out.into_string()
}
