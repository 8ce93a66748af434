//! Rows of before and after, by hashes of their keys and of one value: what became of them.

/// The hash of a row's key and that of its value; None: there is no value.
pub type Hashed = (i64, Option<i64>);

/// Keys that are remembered as examples.
const EXAMPLES: usize = 3;

/// What became of the rows, with the hashes of the first keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Merged {
    pub gone: u64,
    pub added: u64,
    /// Another value, or none, is where one was.
    pub changed: u64,
    /// A value is where none was.
    pub filled: u64,
    pub gone_keys: Vec<i64>,
    pub changed_keys: Vec<i64>,
}

/// Several rows may have one key: those with equal values are the same ones.
pub fn merge(mut before: Vec<Hashed>, mut after: Vec<Hashed>) -> Merged {
    before.sort_unstable();
    after.sort_unstable();
    let mut merged = Merged::default();
    let (mut was, mut is) = (before.as_slice(), after.as_slice());
    while let Some(key) = was.first().into_iter().chain(is.first()).map(|row| row.0).min() {
        let of = |rows: &[Hashed]| rows.iter().take_while(|row| row.0 == key).count();
        let (old, rest) = was.split_at(of(was));
        let (new, later) = is.split_at(of(is));
        (was, is) = (rest, later);
        merged.add(key, old, new);
    }
    merged
}

impl Merged {
    /// Both sorted, and of one key.
    fn add(&mut self, key: i64, old: &[Hashed], new: &[Hashed]) {
        if old == new {
            return;
        }
        let (left, right) = apart(old, new);
        let both = left.len().min(right) as u64;
        let without = left.iter().filter(|value| value.is_none()).count() as u64;
        let (filled, gone) = (without.min(both), left.len() as u64 - both);
        self.filled += filled;
        self.changed += both - filled;
        self.gone += gone;
        self.added += right as u64 - both;
        if gone > 0 && self.gone_keys.len() < EXAMPLES {
            self.gone_keys.push(key);
        }
        if both > filled && self.changed_keys.len() < EXAMPLES {
            self.changed_keys.push(key);
        }
    }

    /// That of another part of the rows.
    pub fn and(mut self, other: Merged) -> Merged {
        self.gone += other.gone;
        self.added += other.added;
        self.changed += other.changed;
        self.filled += other.filled;
        self.gone_keys.extend(other.gone_keys);
        self.changed_keys.extend(other.changed_keys);
        self.gone_keys.truncate(EXAMPLES);
        self.changed_keys.truncate(EXAMPLES);
        self
    }
}

/// Values of before that have no equal after, and how many of after have none before.
fn apart(old: &[Hashed], new: &[Hashed]) -> (Vec<Option<i64>>, usize) {
    let (mut left, mut right) = (Vec::new(), 0);
    let (mut was, mut is) = (old.iter().peekable(), new.iter().peekable());
    loop {
        match (was.peek(), is.peek()) {
            (None, None) => return (left, right),
            (Some(a), Some(b)) if a == b => {
                was.next();
                is.next();
            }
            (Some(a), b) if b.is_none_or(|b| a < b) => {
                left.push(a.1);
                was.next();
            }
            _ => {
                right += 1;
                is.next();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(before: &[Hashed], after: &[Hashed]) -> (u64, u64, u64, u64) {
        let merged = merge(before.to_vec(), after.to_vec());
        (merged.gone, merged.added, merged.changed, merged.filled)
    }

    #[test]
    fn rows_with_a_key_are_gone_added_changed_or_filled() {
        let before = [(1, Some(1)), (2, Some(2)), (3, None), (4, Some(4)), (5, None)];
        let after = [(6, Some(6)), (5, None), (4, Some(9)), (3, Some(3)), (1, Some(1))];
        assert_eq!(merged(&before, &after), (1, 1, 1, 1));
        let found = merge(before.to_vec(), after.to_vec());
        assert_eq!((found.gone_keys, found.changed_keys), (vec![2], vec![4]));
    }

    #[test]
    fn a_value_that_is_taken_away_is_a_change() {
        assert_eq!(merged(&[(1, Some(1))], &[(1, None)]), (0, 0, 1, 0));
    }

    #[test]
    fn rows_of_one_key_are_told_apart_by_their_values() {
        let before = [(0, Some(1)), (0, Some(1)), (0, None), (0, Some(2))];
        assert_eq!(
            merged(&before, &[(0, Some(1)), (0, Some(1)), (0, Some(3)), (0, Some(2))]),
            (0, 0, 0, 1)
        );
        assert_eq!(merged(&before, &[(0, Some(1)), (0, Some(2))]), (2, 0, 0, 0));
        assert_eq!(merged(&before, &[]), (4, 0, 0, 0));
    }
}
