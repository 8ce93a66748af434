//! What differs between two fingerprints, for a person to read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

type Properties = BTreeMap<String, String>;

/// One property of one object that is not the same, or a whole object that only one side has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// With its kind: `column public.spans.task_id`.
    pub object: String,
    /// `object` where the object itself is new or gone; from and to then hold its properties.
    pub property: String,
    /// Value on the first side; None: the property or object is not there.
    pub from: Option<String>,
    /// Value on the second side; None: the property or object is not there.
    pub to: Option<String>,
}

/// The property of a difference that is a whole object.
const WHOLE: &str = "object";

/// Properties by name, of each object by name.
pub type Objects = BTreeMap<String, Properties>;

/// What has to change in one catalogue for it to become the other, as [`Fingerprint::diff`] has it:
/// both maps are sorted, and so are the differences.
///
/// [`Fingerprint::diff`]: super::Fingerprint::diff
pub fn differences(from: &Objects, to: &Objects) -> Vec<Difference> {
    let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    names
        .into_iter()
        .flat_map(|object| match (from.get(object), to.get(object)) {
            (Some(from), Some(to)) => of_properties(object, from, to),
            (from, to) => vec![Difference {
                object: object.clone(),
                property: WHOLE.to_owned(),
                from: from.map(summary),
                to: to.map(summary),
            }],
        })
        .collect()
}

fn of_properties(object: &str, from: &Properties, to: &Properties) -> Vec<Difference> {
    let names: BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    names
        .into_iter()
        .filter(|name| from.get(*name) != to.get(*name))
        .map(|name| Difference {
            object: object.to_owned(),
            property: name.clone(),
            from: from.get(name).cloned(),
            to: to.get(name).cloned(),
        })
        .collect()
}

fn summary(properties: &Properties) -> String {
    let named: Vec<String> = properties.iter().map(|(name, v)| format!("{name}: {v}")).collect();
    named.join("; ")
}

/// `column public.t.n: type was integer, is bigint`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { object, property, from, to } = self;
        match (property.as_str(), from, to) {
            (WHOLE, None, Some(to)) => write!(f, "{object}: is new ({to})"),
            (WHOLE, Some(from), None) => write!(f, "{object}: is gone (was {from})"),
            (_, None, Some(to)) => write!(f, "{object}: {property} was not set, is {to}"),
            (_, Some(from), None) => write!(f, "{object}: {property} was {from}, is not set"),
            (_, Some(from), Some(to)) => write!(f, "{object}: {property} was {from}, is {to}"),
            (_, None, None) => write!(f, "{object}: {property} is the same"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::schema::Fingerprint;

    fn fingerprint(rows: &[(&str, &str, &str)]) -> Fingerprint {
        let mut found = Fingerprint::default();
        for (object, property, value) in rows {
            found.insert("table", object, property, value);
        }
        found
    }

    #[test]
    fn a_changed_property_names_its_object_and_both_values() {
        let before = fingerprint(&[("public.t", "persistence", "permanent")]);
        let after = fingerprint(&[("public.t", "persistence", "unlogged")]);
        let shown: Vec<String> = before.diff(&after).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["table public.t: persistence was permanent, is unlogged"]);
    }

    #[test]
    fn a_new_object_is_one_difference_that_tells_all_its_properties() {
        let before = Fingerprint::default();
        let after = fingerprint(&[("public.t", "a", "1"), ("public.t", "b", "2")]);
        let shown: Vec<String> = before.diff(&after).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["table public.t: is new (a: 1; b: 2)"]);
        let shown: Vec<String> = after.diff(&before).iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["table public.t: is gone (was a: 1; b: 2)"]);
    }

    #[test]
    fn a_property_that_appears_or_goes_is_told_as_set_or_not() {
        let before = fingerprint(&[("public.t", "a", "1")]);
        let after = fingerprint(&[("public.t", "a", "1"), ("public.t", "b", "2")]);
        assert_eq!(before.diff(&after)[0].to_string(), "table public.t: b was not set, is 2");
        assert_eq!(after.diff(&before)[0].to_string(), "table public.t: b was 2, is not set");
    }

    fn any_fingerprint() -> impl Strategy<Value = Fingerprint> {
        let row = ("[ab]", "[xy]", "[01]");
        prop::collection::vec(row, 0..6).prop_map(|rows| {
            let mut found = Fingerprint::default();
            for (object, property, value) in rows {
                found.insert("table", &object, &property, &value);
            }
            found
        })
    }

    proptest! {
        #[test]
        fn fingerprints_differ_exactly_when_they_are_not_equal(
            a in any_fingerprint(),
            b in any_fingerprint(),
        ) {
            prop_assert_eq!(a.diff(&b).is_empty(), a == b);
            prop_assert!(a.diff(&a).is_empty());
        }

        #[test]
        fn the_way_back_is_the_same_differences_turned_round(
            a in any_fingerprint(),
            b in any_fingerprint(),
        ) {
            let turned: Vec<Difference> = b
                .diff(&a)
                .into_iter()
                .map(|d| Difference { from: d.to, to: d.from, ..d })
                .collect();
            prop_assert_eq!(a.diff(&b), turned);
        }
    }
}
