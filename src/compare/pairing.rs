//! Which trial of A is compared with which of B.

use std::collections::{BTreeMap, BTreeSet};

use super::baseline::Identity;

/// Who is compared with whom, who stands alone, and what has to be said of it.
#[derive(Debug, Default)]
pub struct Paired<'p, T> {
    pub pairs: Vec<(String, &'p T, &'p T)>,
    pub only_in_a: Vec<String>,
    pub only_in_b: Vec<String>,
}

/// What of an identity is left out of a pairing: one scenario on each side are an original and its
/// fix, one major on each side an old server and a new one.
pub struct Rule {
    scenario: Option<(String, String)>,
    major: Option<(u32, u32)>,
}

impl Rule {
    pub fn of<'i>(
        a: impl Iterator<Item = &'i Identity> + Clone,
        b: impl Iterator<Item = &'i Identity> + Clone,
    ) -> Rule {
        let scenario = single(a.clone().map(|i| &i.scenario), b.clone().map(|i| &i.scenario));
        let major = single(a.map(|i| &i.server_major), b.map(|i| &i.server_major));
        Rule {
            scenario: scenario.map(|(a, b)| (a.clone(), b.clone())),
            major: major.map(|(a, b)| (*a, *b)),
        }
    }

    /// What was left out, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let scenario = self
            .scenario
            .as_ref()
            .map(|(a, b)| format!("two scenarios are compared: {a} (A) and {b} (B)"));
        let major = self
            .major
            .map(|(a, b)| format!("two majors are compared: PostgreSQL {a} (A) and {b} (B)"));
        scenario.into_iter().chain(major).collect()
    }

    fn key(&self, identity: &Identity) -> Identity {
        let mut key = identity.clone();
        if self.scenario.is_some() {
            key.scenario.clear();
        }
        if self.major.is_some() {
            key.server_major = 0;
        }
        key
    }

    /// What both are, without what they differ in.
    fn name(&self, a: &Identity, b: &Identity) -> String {
        let both = |a: String, b: String| if a == b { a } else { format!("{a} and {b}") };
        let scenario = both(a.scenario.clone(), b.scenario.clone());
        let major = both(a.server_major.to_string(), b.server_major.to_string());
        format!("{scenario} / {} / pg {major}", a.state)
    }

    pub fn pair<'p, T>(
        &self,
        a: &'p BTreeMap<String, T>,
        b: &'p BTreeMap<String, T>,
        identity: impl Fn(&T) -> &Identity,
    ) -> Paired<'p, T> {
        let mut paired = Paired { pairs: Vec::new(), only_in_a: Vec::new(), only_in_b: Vec::new() };
        let mut met = BTreeSet::new();
        for one in a.values() {
            let key = self.key(identity(one));
            match b.values().find(|other| self.key(identity(other)) == key) {
                Some(other) => {
                    let name = self.name(identity(one), identity(other));
                    paired.pairs.push((name, one, other));
                    met.insert(key);
                }
                None => paired.only_in_a.push(identity(one).name()),
            }
        }
        let alone = b.values().filter(|other| !met.contains(&self.key(identity(other))));
        paired.only_in_b = alone.map(|other| identity(other).name()).collect();
        paired
    }
}

/// The only value of each side, where there is one and they differ.
fn single<T: PartialEq>(
    mut a: impl Iterator<Item = T>,
    mut b: impl Iterator<Item = T>,
) -> Option<(T, T)> {
    let (first_a, first_b) = (a.next()?, b.next()?);
    let alone = a.all(|other| other == first_a) && b.all(|other| other == first_b);
    (alone && first_a != first_b).then_some((first_a, first_b))
}
