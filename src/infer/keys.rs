//! Keys: which columns differ from row to row, and how finite ones are combined so that no two rows
//! share a key.

use crate::scenario::Generator;

use super::condition::Condition;
use super::draft::TableDraft;
use super::types::Kind;

/// Of what a column's values are drawn where they repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Driver {
    /// Rows of a referenced table.
    Reference(usize),
    /// Lines of a component's pool.
    Pool(usize),
}

/// How a driver goes on: so many rows in turn have the same, of so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub driver: Driver,
    pub each: u64,
    pub of: u64,
}

/// Gives columns whose values have to differ a generator that makes them differ, where there is
/// one. `referenced`: whether other tables refer to the column.
pub(super) fn drive(draft: &mut TableDraft, referenced: &[bool]) {
    if draft.filled {
        return;
    }
    for column in 0..draft.columns.len() {
        let own = &draft.columns[column];
        if own.numbered && own.reference.is_none() && own.generated.is_none() {
            let limit = match own.profile.kind {
                Kind::Integer { max, .. } => max.unsigned_abs(),
                _ => u64::MAX,
            };
            let asked = own.templates.iter().find(|(template, _)| template == "{n}");
            let was_asked = !own.taken.is_empty() || !own.templates.is_empty();
            let limit = match (was_asked, asked) {
                (true, Some((_, capacity))) if *capacity >= draft.rows => limit,
                (true, _) => continue,
                (false, _) => limit,
            };
            draft.columns[column].driven = Some((Generator::Serial, limit));
        }
    }
    for (column, referenced) in referenced.iter().enumerate() {
        if *referenced && draft.columns[column].reference.is_none() {
            draft.make_differ(column, draft.rows);
        }
    }
    drive_exclusions(draft);
    drive_pairs(draft);
    for at in 0..draft.keys.len() {
        let key = draft.keys[at].clone();
        if key.columns.iter().any(|c| draft.differs(*c)) {
            continue;
        }
        // Columns whose other constraints are few first; of them the texts.
        let mut free: Vec<usize> = key
            .columns
            .iter()
            .copied()
            .filter(|c| draft.columns[*c].reference.is_none() && !is_closed(draft, *c))
            .collect();
        free.sort_by_key(|c| draft.component_of(*c).map(|k| draft.components[k].columns.len()));
        if !free.iter().any(|column| draft.make_differ(*column, draft.rows))
            && key.columns.len() == 1
        {
            // The template that goes furthest, if it goes further than single values do.
            let column = key.columns[0];
            let own = &draft.columns[column];
            let furthest = own.templates.iter().map(|(_, capacity)| *capacity).max().unwrap_or(0);
            let alone =
                draft.component_of(column).is_none_or(|c| draft.components[c].columns.len() == 1);
            if alone && furthest > own.taken.len() as u64 {
                draft.make_differ(column, furthest);
            }
        }
    }
}

/// Whether a column's values are a list that says something: a state, a kind.
fn is_closed(draft: &TableDraft, column: usize) -> bool {
    matches!(draft.columns[column].profile.natural, Some(Generator::Choice { .. }))
}

/// An exclusion by overlap holds where ranges follow each other.
fn drive_exclusions(draft: &mut TableDraft) {
    for exclusion in draft.exclusions.clone() {
        let overlap = exclusion.elements.iter().find(|(_, operator)| operator == "&&");
        match overlap.map(|(columns, _)| columns.as_slice()) {
            Some([range]) => {
                draft.make_differ(*range, draft.rows);
            }
            Some([from, to]) => {
                let kinds = [*from, *to].map(|c| draft.columns[c].profile.kind);
                let templates = match kinds[0] {
                    Kind::Instant => ["{n*7200:time}", "{n*7200+3600:time}"],
                    Kind::Date => ["{n*3:date}", "{n*3+1:date}"],
                    _ => ["{n*10}", "{n*10+5}"],
                };
                for (column, template) in [*from, *to].into_iter().zip(templates) {
                    let template = template.to_owned();
                    draft.columns[column].driven =
                        Some((Generator::Numbered { template }, u64::MAX));
                }
            }
            _ => {
                let equal = exclusion.elements.iter().filter(|(_, operator)| operator == "=");
                let columns: Vec<usize> = equal.flat_map(|(columns, _)| columns.clone()).collect();
                let _ =
                    columns.iter().any(|c| draft.differs(*c) || draft.make_differ(*c, draft.rows));
            }
        }
    }
}

/// Two keys of which one is less than the other: even numbers and odd ones.
fn drive_pairs(draft: &mut TableDraft) {
    let of = |name: &str| draft.columns.iter().position(|own| own.name == name);
    let mut pairs = Vec::new();
    for check in &draft.checks {
        let [alternative] = check.alternatives.as_slice() else { continue };
        for condition in alternative {
            let Condition::Pair { left, operator, right } = condition else { continue };
            let (Some(left), Some(right)) = (of(left), of(right)) else { continue };
            pairs.extend(match operator.as_str() {
                "<" | "<=" => Some((left, right)),
                ">" | ">=" => Some((right, left)),
                _ => None,
            });
        }
    }
    for (low, high) in pairs {
        let most = [low, high].map(|column| {
            let own = &draft.columns[column];
            let free = own.reference.is_none() && own.generated.is_none() && own.driven.is_none();
            let alone = draft.keys.iter().any(|key| key.columns == [column]);
            match own.profile.kind {
                Kind::Integer { max, .. } if free && alone => Some(max.unsigned_abs() / 2),
                _ => None,
            }
        });
        let [Some(low_most), Some(high_most)] = most else { continue };
        let most = low_most.min(high_most).saturating_sub(1);
        for (column, template) in [(low, "{n*2}"), (high, "{n*2+1}")] {
            let template = template.to_owned();
            draft.columns[column].driven = Some((Generator::Numbered { template }, most));
        }
    }
}

impl TableDraft {
    /// Whether a column's values differ in all of the table's rows.
    pub fn differs(&self, column: usize) -> bool {
        self.columns[column].driven.as_ref().is_some_and(|(_, capacity)| *capacity >= self.rows)
    }

    /// Gives a column a generator whose values differ in so many rows; false: there is none.
    fn make_differ(&mut self, column: usize, rows: u64) -> bool {
        if self.differs(column) {
            return true;
        }
        let checked =
            self.component_of(column).is_some_and(|c| !self.components[c].checks.is_empty());
        // A text of which a check of several columns asks something: no template was tried with it.
        let entangled = self
            .checks
            .iter()
            .any(|check| check.columns.len() > 1 && check.by_value.contains(&column));
        let own = &mut self.columns[column];
        let text = matches!(own.profile.kind, Kind::Text { .. });
        if own.reference.is_some() || own.generated.is_some() || (entangled && text) {
            return false;
        }
        if own.profile.natural == Some(Generator::Uuid) && !checked && own.domain.is_empty() {
            own.driven = Some((Generator::Uuid, u64::MAX));
            return true;
        }
        let found = own.templates.iter().find(|(_, capacity)| *capacity >= rows);
        let Some((template, capacity)) = found.cloned() else { return false };
        let generator = match template.as_str() {
            "{n}" if matches!(own.profile.kind, Kind::Integer { .. }) => Generator::Serial,
            _ => Generator::Numbered { template },
        };
        own.driven = Some((generator, capacity));
        true
    }
}

/// Steps for the drivers of a key so that its rows differ, keeping those that are decided; and how
/// many rows differ so.
pub(super) fn chain(decided: &mut Vec<Step>, drivers: &[(Driver, u64)], rows: u64) -> u64 {
    let is_of = |step: &Step| drivers.iter().any(|(driver, _)| *driver == step.driver);
    let mut own: Vec<Step> = decided.iter().copied().filter(is_of).collect();
    own.sort_by_key(|step| step.each);
    let mut open: Vec<(Driver, u64)> = drivers
        .iter()
        .copied()
        .filter(|(driver, _)| decided.iter().all(|step| step.driver != *driver))
        .collect();
    open.sort_by_key(|(driver, of)| (std::cmp::Reverse(*of), *driver));
    let mut open = open.into_iter();
    // Rows that differ so far: within each block of so many.
    let mut block: u64 = 1;
    let mut own = own.into_iter().peekable();
    while block < rows {
        if let Some(step) = own.next_if(|step| step.each <= block) {
            block = block.max(step.each.saturating_mul(step.of));
            continue;
        }
        let Some((driver, of)) = open.next() else { break };
        // No larger than it has to be, so that smaller tables keep it as well.
        let least = rows.div_ceil(of.max(1)).max(1);
        let each = if open.len() == 0 && own.peek().is_none() { least.min(block) } else { block };
        decided.push(Step { driver, each, of });
        block = each.saturating_mul(of);
    }
    block.min(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Driver = Driver::Reference(0);
    const B: Driver = Driver::Reference(1);
    const C: Driver = Driver::Pool(0);

    /// Rows that do not differ from an earlier one.
    fn doubled(steps: &[Step], rows: u64) -> usize {
        let mut seen = std::collections::BTreeSet::new();
        let at = |row: u64| steps.iter().map(|s| row / s.each % s.of).collect::<Vec<u64>>();
        (0..rows).filter(|row| !seen.insert(at(*row))).count()
    }

    #[rstest::rstest]
    #[case(&[(A, 1_000)], 1_000)]
    #[case(&[(A, 100), (B, 100)], 1_000)]
    #[case(&[(A, 100), (B, 40)], 4_000)]
    #[case(&[(A, 30), (B, 7), (C, 5)], 1_000)]
    fn combined_drivers_differ_in_every_row(#[case] drivers: &[(Driver, u64)], #[case] rows: u64) {
        let mut steps = Vec::new();
        assert_eq!(chain(&mut steps, drivers, rows), rows);
        assert_eq!(doubled(&steps, rows), 0, "{steps:?}");
    }

    #[test]
    fn pairs_stay_apart_where_all_tables_shrink() {
        let mut steps = Vec::new();
        chain(&mut steps, &[(A, 100), (B, 100)], 1_000);
        let shrunk: Vec<Step> = steps.iter().map(|s| Step { of: s.of / 5, ..*s }).collect();
        assert_eq!(doubled(&shrunk, 200), 0, "{steps:?}");
    }

    #[test]
    fn what_is_decided_stays_and_what_does_not_suffice_is_said() {
        let mut steps = vec![Step { driver: A, each: 1, of: 10 }];
        assert_eq!(chain(&mut steps, &[(A, 10), (B, 3)], 100), 30);
        assert_eq!(doubled(&steps, 30), 0, "{steps:?}");
        assert_eq!(steps[0], Step { driver: A, each: 1, of: 10 });
    }

    #[test]
    fn a_key_with_a_decided_column_that_turns_slowly_is_filled_from_below() {
        let mut steps = vec![Step { driver: A, each: 10, of: 10 }];
        assert_eq!(chain(&mut steps, &[(A, 10), (B, 50)], 100), 100);
        assert_eq!(doubled(&steps, 100), 0, "{steps:?}");
    }
}
