//! Which trial of one side corresponds to which of another.
//!
//! Two trials correspond where their keys are equal. An axis on which each side has one value, and
//! not the same, is what the two sides differ in, such as an old server and a new one: it is left
//! out of the comparison of keys, and `Pairing::differences` names it. So is the scenario.

use std::collections::{BTreeMap, BTreeSet};

use crate::trial::{Axis, TrialKey};

/// A trial, or what is kept of one, under its key.
pub type Keyed<'p, T> = (&'p TrialKey, &'p T);

/// What corresponds, and what has no counterpart.
#[derive(Debug, PartialEq, Eq)]
pub struct Paired<'p, T> {
    /// A trial of A and the trial of B that has the same key, in A's order.
    pub pairs: Vec<(Keyed<'p, T>, Keyed<'p, T>)>,
    /// Keys that B lacks.
    pub only_in_a: Vec<&'p TrialKey>,
    /// Keys that A lacks.
    pub only_in_b: Vec<&'p TrialKey>,
}

/// What of a key is left out of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairing {
    scenario: Option<(String, String)>,
    axes: BTreeMap<Axis, (String, String)>,
}

impl Pairing {
    /// From all keys of each side.
    pub fn of<'k>(
        a: impl Iterator<Item = &'k TrialKey> + Clone,
        b: impl Iterator<Item = &'k TrialKey> + Clone,
    ) -> Pairing {
        let scenario = single(a.clone().map(|key| &key.scenario), b.clone().map(|k| &k.scenario));
        let known: BTreeSet<&Axis> =
            a.clone().chain(b.clone()).flat_map(TrialKey::axes).map(|(axis, _)| axis).collect();
        let mut axes = BTreeMap::new();
        for axis in known {
            // A state is no circumstance: from another one it is another trial.
            if *axis == Axis::STATE {
                continue;
            }
            let sides = single(a.clone().map(|key| key.get(axis)), b.clone().map(|k| k.get(axis)));
            if let Some((Some(a), Some(b))) = sides {
                axes.insert(axis.clone(), (a.to_owned(), b.to_owned()));
            }
        }
        Pairing { scenario: scenario.map(|(a, b)| (a.clone(), b.clone())), axes }
    }

    /// The scenarios of the two sides, where they differ.
    pub fn scenarios(&self) -> Option<(&str, &str)> {
        self.scenario.as_ref().map(|(a, b)| (a.as_str(), b.as_str()))
    }

    /// The axes on which the sides differ as a whole, with the value of each.
    pub fn differences(&self) -> impl Iterator<Item = (&Axis, &str, &str)> {
        self.axes.iter().map(|(axis, (a, b))| (axis, a.as_str(), b.as_str()))
    }

    /// What of the key has to be equal.
    fn compared(&self, key: &TrialKey) -> TrialKey {
        let mut compared = self.axes.keys().fold(key.clone(), TrialKey::without);
        if self.scenario.is_some() {
            compared.scenario.clear();
        }
        compared
    }

    /// Sets the sides beside each other, in the order of A.
    pub fn pair<'p, T>(
        &self,
        a: impl Iterator<Item = Keyed<'p, T>>,
        b: impl Iterator<Item = Keyed<'p, T>> + Clone,
    ) -> Paired<'p, T> {
        let mut paired = Paired { pairs: Vec::new(), only_in_a: Vec::new(), only_in_b: Vec::new() };
        let mut of_b: BTreeMap<TrialKey, Keyed<'p, T>> = BTreeMap::new();
        for (key, other) in b.clone() {
            of_b.entry(self.compared(key)).or_insert((key, other));
        }
        let mut found = BTreeSet::new();
        for (key, one) in a {
            let compared = self.compared(key);
            match of_b.get(&compared) {
                Some(other) => {
                    paired.pairs.push(((key, one), *other));
                    found.insert(compared);
                }
                None => paired.only_in_a.push(key),
            }
        }
        let alone = b.map(|(key, _)| key).filter(|key| !found.contains(&self.compared(key)));
        paired.only_in_b = alone.collect();
        paired
    }
}

/// The only value of each side, where each has one and they differ.
fn single<T: PartialEq>(
    mut a: impl Iterator<Item = T>,
    mut b: impl Iterator<Item = T>,
) -> Option<(T, T)> {
    let (first_a, first_b) = (a.next()?, b.next()?);
    let alone = a.all(|other| other == first_a) && b.all(|other| other == first_b);
    (alone && first_a != first_b).then_some((first_a, first_b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(state: &str, server: &str) -> TrialKey {
        TrialKey::new("spans").with(Axis::STATE, state).with(Axis::SERVER, server)
    }

    fn paired<'p>(a: &'p [(TrialKey, ())], b: &'p [(TrialKey, ())]) -> Paired<'p, ()> {
        fn sides(of: &[(TrialKey, ())]) -> impl Iterator<Item = (&TrialKey, &())> + Clone {
            of.iter().map(|(key, of)| (key, of))
        }
        let pairing = Pairing::of(sides(a).map(|(key, _)| key), sides(b).map(|(key, _)| key));
        pairing.pair(sides(a), sides(b))
    }

    #[test]
    fn one_major_on_each_side_is_what_is_compared() {
        let a = [(key("base", "15"), ()), (key("empty", "15"), ())];
        let b = [(key("base", "17"), ()), (key("empty", "17"), ())];
        assert_eq!(paired(&a, &b).pairs.len(), 2);
        let pairing = Pairing::of(a.iter().map(|(k, ())| k), b.iter().map(|(k, ())| k));
        assert_eq!(pairing.differences().collect::<Vec<_>>(), [(&Axis::SERVER, "15", "17")]);
    }

    #[test]
    fn several_majors_on_a_side_are_trials_of_their_own() {
        let a = [(key("base", "15"), ())];
        let b = [(key("base", "16"), ()), (key("base", "15"), ())];
        let paired = paired(&a, &b);
        assert_eq!(paired.pairs.len(), 1);
        assert_eq!(paired.only_in_b, [&b[0].0]);
    }

    #[test]
    fn another_starting_state_is_another_trial() {
        let (a, b) = ([(key("base", "15"), ())], [(key("empty", "15"), ())]);
        let paired = paired(&a, &b);
        assert_eq!((paired.only_in_a, paired.only_in_b), (vec![&a[0].0], vec![&b[0].0]));
    }

    #[test]
    fn an_axis_that_nobody_knows_is_paired_like_the_others() {
        let on = |weather: &str| (key("base", "15").with(Axis::named("weather"), weather), ());
        let (a, b) = ([on("rain"), on("sun")], [on("sun"), on("snow")]);
        let paired = paired(&a, &b);
        assert_eq!(paired.pairs.len(), 1);
        assert_eq!((paired.only_in_a, paired.only_in_b), (vec![&a[0].0], vec![&b[1].0]));
    }
}
