//! Arrays of values that rows of the seed have: for `= ANY ($1)`.

use crate::scenario::generate::{Drawer, stream};
use crate::scenario::{Generator, Sizes};

use super::super::catalogue::Column;
use super::super::traffic::Drawn;
use super::super::traffic::subject::Subject;

/// Arrays of a parameter.
const ARRAYS: u64 = 16;
/// Elements of an array.
const ELEMENTS: u64 = 3;
/// Rows from which elements are: of a run with fewer rows, most are still there.
const ROWS_MAX: u64 = 200;

/// Some arrays of values of a column; None: its values are not known.
pub(super) fn of_column(rng_seed: u64, subject: &Subject<'_>, column: &Column) -> Option<Drawn> {
    let seeded = subject.filled(column)?;
    let tables = subject.seeded_tables();
    let sizes = Sizes(tables.iter().map(|table| (table.name.clone(), table.rows)).collect());
    let drawer = Drawer::for_column(tables, &sizes, rng_seed, subject.name(), seeded);
    let rows = subject.rows().clamp(1, ROWS_MAX);
    let mut values = Vec::new();
    for array in 0..ARRAYS {
        // Rows that are apart, so that arrays of a small table differ as well.
        let row = |element: u64| (array * ELEMENTS + element) * 7 % rows;
        let element = |element: u64| {
            let mut rng = stream(rng_seed, "arrays of parameters", row(element));
            drawer.draw(&mut rng, row(element)).to_text().map(|text| quoted(&text))
        };
        let mut elements: Vec<String> = (0..ELEMENTS).filter_map(element).collect();
        elements.dedup();
        let text = format!("{{{}}}", elements.join(","));
        if !elements.is_empty() && !values.contains(&text) {
            values.push(text);
        }
    }
    let weights = vec![1.0; values.len()];
    let known = !values.is_empty();
    let generator = Generator::Choice { values, weights };
    known.then_some(Drawn { generator, null_fraction: 0.0 })
}

/// An element as an array's text has it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
