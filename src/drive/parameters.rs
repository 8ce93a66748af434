//! Values for the parameters of operations, drawn in the order of the schedule.
//!
//! Every generated parameter has a random stream of its own, so that a value which depends on the
//! server's answers (one that follows an earlier operation) shifts no other value.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::clock::Micros;
use crate::scenario::generate::{Drawer, Rng, stream};
use crate::scenario::{Generator, Parameter, Scenario, Sizes};

use super::plan::Plan;

/// Acknowledged operations kept for their followers, per followed operation; the oldest goes.
const FED_MAX: usize = 100_000;

/// One text per parameter, in the plan's order; None is NULL.
pub type Values = Vec<Option<String>>;

/// What acknowledged operations leave for those that follow them. A queue per followed
/// operation: the taker of an entry uses all parameters of one and the same operation, and each
/// entry is taken once.
pub struct Feeds {
    queues: Vec<Mutex<VecDeque<Fed>>>,
}

struct Fed {
    acknowledged: Micros,
    /// In the order of the plan's `fed`.
    values: Values,
}

impl Feeds {
    pub fn new(plan: &Plan) -> Feeds {
        Feeds { queues: plan.operations.iter().map(|_| Mutex::default()).collect() }
    }

    /// Leaves the followed parameters of an operation that was acknowledged at `acknowledged`.
    pub fn feed(&self, plan: &Plan, kind: u16, values: &Values, acknowledged: Micros) {
        let kind = usize::from(kind);
        let fed = &plan.operations[kind].fed;
        if fed.is_empty() {
            return;
        }
        let values = fed.iter().map(|index| values[*index].clone()).collect();
        let mut queue = self.queues[kind].lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() == FED_MAX {
            queue.pop_front();
        }
        queue.push_back(Fed { acknowledged, values });
    }

    /// The oldest entry, if it is at least `age` old.
    fn take(&self, kind: usize, age: Micros, now: Micros) -> Option<Values> {
        let mut queue = self.queues[kind].lock().unwrap_or_else(PoisonError::into_inner);
        let old_enough = queue.front().is_some_and(|fed| fed.acknowledged + age <= now);
        if old_enough { queue.pop_front().map(|fed| fed.values) } else { None }
    }
}

/// Draws values. One per worker that draws: streams are not shared.
pub struct Drawing {
    operations: Vec<DrawnOperation>,
}

struct DrawnOperation {
    parameters: Vec<Drawn>,
    /// Followed kinds and the least age of what is taken from each.
    follows: Vec<(usize, Micros)>,
}

struct Drawn {
    drawer: Drawer,
    rng: Rng,
    /// Position among the operation's followed kinds, and in what that kind feeds.
    follow: Option<(usize, usize)>,
}

impl Drawing {
    /// `worker` tells the streams of several drawings apart.
    pub fn new(scenario: &Scenario, sizes: &Sizes, plan: &Plan, worker: u64) -> Drawing {
        // Workers are far fewer than the streams between two of them.
        let mut next_stream = worker << 32;
        let mut drawer = |generator: &Generator, null_fraction: f64| {
            let rng = stream(scenario.rng_seed, "parameters", next_stream);
            next_stream += 1;
            let (tables, rng_seed) = (&scenario.tables, scenario.rng_seed);
            (Drawer::for_parameter(tables, sizes, rng_seed, generator, null_fraction), rng)
        };
        let mut operations = Vec::with_capacity(plan.operations.len());
        for spec in &scenario.traffic.operations {
            let mut drawn = DrawnOperation { parameters: Vec::new(), follows: Vec::new() };
            for parameter in spec.parameters.values() {
                let ((drawer, rng), follow) = match parameter {
                    Parameter::Generated { generator, null_fraction } => {
                        (drawer(generator, *null_fraction), None)
                    }
                    Parameter::Follow(follow) => {
                        let source = plan.feed_position(&follow.operation, &follow.parameter);
                        let age = Micros::from_millis(follow.after_ms);
                        let place = source.map(|(kind, at)| (drawn.follow(kind, age), at));
                        (drawer(&follow.otherwise, 0.0), place)
                    }
                };
                drawn.parameters.push(Drawn { drawer, rng, follow });
            }
            operations.push(drawn);
        }
        Drawing { operations }
    }

    /// The parameters of operation number `seq`, scheduled for `now`.
    pub fn draw(&mut self, kind: u16, seq: u64, now: Micros, feeds: &Feeds) -> Values {
        let operation = &mut self.operations[usize::from(kind)];
        let mut taken: Vec<Option<Values>> =
            operation.follows.iter().map(|(kind, age)| feeds.take(*kind, *age, now)).collect();
        let draw = |parameter: &mut Drawn| match parameter.follow {
            Some((source, at)) => match &mut taken[source] {
                // Cloned, because two parameters may follow the same one.
                Some(values) => values[at].clone(),
                None => parameter.drawer.draw(&mut parameter.rng, seq).to_text(),
            },
            None => parameter.drawer.draw(&mut parameter.rng, seq).to_text(),
        };
        operation.parameters.iter_mut().map(draw).collect()
    }
}

impl DrawnOperation {
    /// Position of `kind` among the followed; the greatest age that a parameter asks for counts.
    fn follow(&mut self, kind: usize, age: Micros) -> usize {
        match self.follows.iter().position(|(known, _)| *known == kind) {
            Some(at) => {
                self.follows[at].1 = self.follows[at].1.max(age);
                at
            }
            None => {
                self.follows.push((kind, age));
                self.follows.len() - 1
            }
        }
    }
}
