//! Starting states: what the database is before the change.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Change, Expect, Sizes};

/// What the database is before the change. The first of a scenario's states is the reference:
/// every other one has to end with its schema.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// Kebab-case.
    pub name: String,
    /// What it is made from.
    pub from: Base,
    /// Applied first, before anything is measured and without traffic; its `stop` leaves it
    /// part-way. It must end as it says: finished, or stopped.
    pub path: Option<Change>,
    /// Rows of tables, where they are other ones than the tables declare.
    pub rows: BTreeMap<String, u64>,
    /// Differences from what the reference state ends with. One that does not occur is as wrong
    /// as one that is not named here.
    pub accept: Vec<Accepted>,
    /// Of this state alone; None: what the scenario expects.
    pub expect: Option<Expect>,
}

/// What a state is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Base {
    /// The scenario's schema and its seed.
    Base,
    /// A database without tables. No application runs on it, and no declared read is read before
    /// the change is over.
    Empty,
}

impl State {
    /// The state of a scenario that names none.
    pub fn base() -> State {
        State {
            name: "base".to_owned(),
            from: Base::Base,
            path: None,
            rows: BTreeMap::new(),
            accept: Vec::new(),
            expect: None,
        }
    }

    /// The declared sizes with the state's own.
    pub fn sizes(&self, declared: &Sizes) -> Sizes {
        let mut sizes = declared.clone();
        for (table, rows) in &self.rows {
            sizes.0.insert(table.clone(), *rows);
        }
        sizes
    }
}

/// A difference between two schemas that the user has named: an object, or one property of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Accepted {
    /// With its kind: `constraint public.spans.fk_spans_task_id_tasks`.
    pub object: String,
    /// None: any difference of the object.
    pub property: Option<String>,
}

impl Accepted {
    /// `KIND NAME` or `KIND NAME: PROPERTY`.
    pub fn parse(text: &str) -> Option<Accepted> {
        let (object, property) = match text.split_once(": ") {
            Some((object, property)) => (object, Some(property.trim().to_owned())),
            None => (text, None),
        };
        let object = object.trim().to_owned();
        let (kind, name) = object.split_once(' ')?;
        let named = !kind.is_empty() && !name.trim().is_empty();
        (named && property.as_deref() != Some("")).then_some(Accepted { object, property })
    }

    /// Whether the user has named this property of the object, or the object as a whole.
    pub fn covers(&self, object: &str, property: &str) -> bool {
        self.object == object && self.property.as_deref().is_none_or(|own| own == property)
    }
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.property {
            Some(property) => write!(f, "{}: {property}", self.object),
            None => f.write_str(&self.object),
        }
    }
}
