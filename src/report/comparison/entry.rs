//! A pair of trials or of crash matrices, as the formats for people tell it.

use crate::compare::{Comparison, CrashPair, Delta, Fact, MetricRow, Pair, tally};

pub struct Entry<'a> {
    pub name: String,
    pub delta: Delta,
    /// `safe`, or `safe → unsafe`.
    pub verdict: String,
    /// `2 worse, 12 same`.
    pub counts: String,
    /// How often it ran, and on machines of which speed; of cases, how many end alike.
    pub text: String,
    pub facts: &'a [Fact],
    metrics: &'a [MetricRow],
    /// Cases that one side does not have.
    pub alone: Vec<String>,
    /// It is the only one: then what is the same is worth its room.
    whole: bool,
}

/// The worst first, otherwise trials, then crash matrices, in the order of the comparison.
pub fn entries(comparison: &Comparison) -> Vec<Entry<'_>> {
    let whole = comparison.pairs.len() + comparison.crash_matrices.len() == 1;
    let trials = comparison.pairs.iter().map(|pair| of_trials(pair, whole));
    let matrices = comparison.crash_matrices.iter().map(|pair| of_matrices(pair, whole));
    let mut all: Vec<Entry<'_>> = trials.chain(matrices).collect();
    all.sort_by_key(|entry| std::cmp::Reverse(entry.delta));
    all
}

fn of_trials(pair: &Pair, whole: bool) -> Entry<'_> {
    let (a, b) = (pair.repetitions_a, pair.repetitions_b);
    Entry {
        name: pair.name.clone(),
        delta: pair.delta,
        verdict: verdict(&pair.facts),
        counts: counts(&pair.facts, pair.metrics.iter().map(|row| row.delta)),
        text: format!("A ran {}, B {}; {}", times(a), times(b), pair.machine.text),
        facts: &pair.facts,
        metrics: &pair.metrics,
        alone: Vec::new(),
        whole,
    }
}

fn of_matrices(pair: &CrashPair, whole: bool) -> Entry<'_> {
    let label = |side: &'static str| move |case: &String| format!("case only in {side}: {case}");
    let in_a = pair.cases_only_in_a.iter().map(label("A"));
    let alike = std::iter::repeat_n(Delta::Same, pair.cases_same as usize);
    Entry {
        name: format!("{}, crash matrix", pair.name),
        delta: pair.delta,
        verdict: verdict(&pair.facts),
        counts: counts(&pair.facts, alike),
        text: format!("{} cases end alike", pair.cases_same),
        facts: &pair.facts,
        metrics: &[],
        alone: in_a.chain(pair.cases_only_in_b.iter().map(label("B"))).collect(),
        whole,
    }
}

impl<'a> Entry<'a> {
    /// There is something to say beyond that nothing differs.
    pub fn is_shown(&self) -> bool {
        self.whole || self.delta != Delta::Same || !self.alone.is_empty()
    }

    pub fn rows(&self) -> Vec<&'a MetricRow> {
        let is_shown = |row: &&MetricRow| self.whole || row.delta != Delta::Same;
        self.metrics.iter().filter(is_shown).collect()
    }

    /// Every row, for a format in which room is no matter.
    pub fn all_rows(&self) -> &'a [MetricRow] {
        self.metrics
    }

    /// Each reason once, with the numbers that it is about.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons: Vec<&str> = Vec::new();
        for row in self.metrics.iter().filter(|row| !row.why.is_empty()) {
            if !reasons.contains(&row.why.as_str()) {
                reasons.push(&row.why);
            }
        }
        let named = |why: &&str| {
            let rows = self.metrics.iter().filter(|row| row.why == *why);
            let names: Vec<&str> = rows.map(|row| row.name.as_str()).collect();
            match names.len() == self.metrics.len() {
                true => format!("every number: {why}"),
                false => format!("{}: {why}", names.join(", ")),
            }
        };
        reasons.iter().map(named).collect()
    }
}

fn verdict(facts: &[Fact]) -> String {
    match facts.iter().find(|fact| fact.what == "verdict") {
        Some(fact) if fact.a == fact.b => fact.a.clone(),
        Some(fact) => format!("{} → {}", fact.a, fact.b),
        None => String::new(),
    }
}

/// Facts that are the same are no news and do not count.
fn counts(facts: &[Fact], others: impl Iterator<Item = Delta>) -> String {
    let facts = facts.iter().map(|fact| fact.delta).filter(|s| *s != Delta::Same);
    let all: Vec<Delta> = facts.chain(others).collect();
    tally(&all)
}

fn times(n: u64) -> String {
    match n {
        1 => "once".to_owned(),
        n => format!("{n} times"),
    }
}
