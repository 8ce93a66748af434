//! The list of scenarios: a name, the verdicts that are expected, and a sentence.

use super::grid::{Column, Grid};
use super::text::{Text, Width, columns};

/// What a sentence needs to be beside its name.
const SENTENCE_MIN: usize = 50;

/// None: a scenario is a line, for what reads lines.
pub fn list(scenarios: impl IntoIterator<Item = [String; 3]>, width: Option<Width>) -> String {
    let scenarios: Vec<[String; 3]> = scenarios.into_iter().collect();
    let mut out = Text::new(width.unwrap_or(Width::UNLIMITED));
    let widest = |of: usize| scenarios.iter().map(|row| columns(&row[of])).max().unwrap_or(0);
    if out.width.columns() < widest(0) + widest(1) + SENTENCE_MIN {
        for [name, verdicts, sentence] in &scenarios {
            out.paragraph("", &format!("{name} ({verdicts})"));
            out.paragraph("    ", sentence);
        }
        return out.into_string();
    }
    let no_head = [""; 3];
    let mut grid = Grid::new(0, &[Column::Name, Column::Word, Column::Words], no_head);
    scenarios.into_iter().for_each(|scenario| grid.row(scenario));
    grid.write(&mut out);
    out.into_string()
}
