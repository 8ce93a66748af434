//! Objects by name with their properties, and what of them a failed change left behind.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::difference::{self, Difference, Objects};

/// Name of an object, its kind first (`index public.ix_spans_task_id`), to its properties.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The objects.
    pub objects: Objects,
}

impl Fingerprint {
    /// Adds what a row of one of the [`queries`](super::queries()) said.
    pub fn insert(&mut self, kind: &str, object: &str, property: &str, value: &str) {
        let properties = self.objects.entry(format!("{kind} {object}")).or_default();
        properties.insert(property.to_owned(), value.to_owned());
    }

    /// What has to change in `self` to become `other`, in the order of the objects' names. An
    /// object that only one of them has is one difference, however many properties it has.
    pub fn diff(&self, other: &Fingerprint) -> Vec<Difference> {
        difference::differences(&self.objects, &other.objects)
    }

    /// Indexes that reads do not use, because a build of theirs did not finish. One of a
    /// partitioned table is never built: it is not valid as long as partitions have none attached,
    /// which is how `CREATE INDEX … ON ONLY` begins.
    pub fn invalid_indexes(&self) -> Vec<&str> {
        self.names("index", |index| {
            let is = |property, value| index.get(property).is_some_and(|v| v == value);
            let unfinished = is("indisvalid", "false") && !is("partitioned", "true");
            unfinished || is("indisready", "false")
        })
    }

    /// Constraints that hold for new rows only. One that is NOT ENFORCED holds for no row, and is
    /// meant to.
    pub fn not_valid_constraints(&self) -> Vec<&str> {
        self.names("constraint", |constraint| {
            let is_false = |property| constraint.get(property).is_some_and(|v| v == "false");
            is_false("convalidated") && !is_false("enforced")
        })
    }

    /// Partitions whose detaching has begun and not ended.
    pub fn pending_detaches(&self) -> Vec<&str> {
        self.names("table", |table| table.get("detach pending").is_some_and(|v| v == "true"))
    }

    /// Valid indexes that are the same but for their names: each group of several.
    pub fn same_indexes(&self) -> Vec<Vec<&str>> {
        let mut groups: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        let valid = self
            .names("index", |index| index.get("indisvalid").is_none_or(|value| value == "true"));
        for name in valid {
            let index = self.objects.get(&format!("index {name}"));
            let definition = index.and_then(|index| index.get("definition"));
            // `CREATE INDEX i ON public.t USING btree (a)`, without the name.
            if let Some((head, on)) = definition.and_then(|text| text.split_once(" ON ")) {
                let verb = head.rsplit_once(' ').map_or(head, |(verb, _)| verb);
                groups.entry((verb, on)).or_default().push(name);
            }
        }
        groups.into_values().filter(|same| same.len() > 1).collect()
    }

    /// Names, without the kind, of the objects of a kind that satisfy a condition.
    fn names(
        &self,
        kind: &str,
        condition: impl Fn(&BTreeMap<String, String>) -> bool,
    ) -> Vec<&str> {
        let of_kind = |object: &'_ str| -> Option<usize> {
            object.strip_prefix(kind)?.starts_with(' ').then_some(kind.len() + 1)
        };
        let mut names = Vec::new();
        for (object, properties) in &self.objects {
            match of_kind(object) {
                Some(start) if condition(properties) => names.push(&object[start..]),
                _ => {}
            }
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_debris() -> Fingerprint {
        let mut found = Fingerprint::default();
        found.insert("index", "public.ix", "indisvalid", "false");
        found.insert("index", "public.ix", "indisready", "false");
        found.insert("index", "public.t_pkey", "indisvalid", "true");
        found.insert("constraint", "public.t.fk", "convalidated", "false");
        found.insert("constraint", "public.t.t_pkey", "convalidated", "true");
        found
    }

    #[test]
    fn debris_is_named_without_its_kind() {
        assert_eq!(with_debris().invalid_indexes(), ["public.ix"]);
        assert_eq!(with_debris().not_valid_constraints(), ["public.t.fk"]);
    }

    #[test]
    fn an_index_that_is_valid_but_not_ready_counts_as_invalid() {
        let mut found = Fingerprint::default();
        found.insert("index", "public.ix", "indisvalid", "true");
        found.insert("index", "public.ix", "indisready", "false");
        assert_eq!(found.invalid_indexes(), ["public.ix"]);
    }

    #[test]
    fn indexes_that_differ_in_their_names_alone_are_the_same() {
        let mut found = Fingerprint::default();
        let definitions = [
            ("a", "CREATE INDEX a ON public.t USING btree (x)", "true"),
            ("b", "CREATE INDEX b ON public.t USING btree (x)", "true"),
            ("c", "CREATE INDEX c ON public.t USING btree (x)", "false"),
            ("d", "CREATE UNIQUE INDEX d ON public.t USING btree (x)", "true"),
            ("e", "CREATE INDEX e ON public.t USING btree (y)", "true"),
        ];
        for (name, definition, valid) in definitions {
            found.insert("index", name, "definition", definition);
            found.insert("index", name, "indisvalid", valid);
        }
        assert_eq!(found.same_indexes(), [["a", "b"]]);
    }

    #[test]
    fn an_index_of_a_partitioned_table_that_waits_for_its_partitions_is_no_debris() {
        let mut found = Fingerprint::default();
        found.insert("index", "public.ix", "partitioned", "true");
        found.insert("index", "public.ix", "indisvalid", "false");
        found.insert("index", "public.ix", "indisready", "true");
        assert_eq!(found.invalid_indexes(), [""; 0]);
        found.insert("index", "public.ix", "indisready", "false");
        assert_eq!(found.invalid_indexes(), ["public.ix"]);
    }

    #[test]
    fn a_constraint_that_is_not_enforced_is_no_debris() {
        let mut found = Fingerprint::default();
        found.insert("constraint", "public.t.fk", "convalidated", "false");
        assert_eq!(found.not_valid_constraints(), ["public.t.fk"]);
        found.insert("constraint", "public.t.fk", "enforced", "false");
        assert_eq!(found.not_valid_constraints(), [""; 0]);
    }

    #[test]
    fn a_fingerprint_survives_its_json() {
        let text = serde_json::to_string(&with_debris()).expect("json");
        assert_eq!(serde_json::from_str::<Fingerprint>(&text).expect("json"), with_debris());
    }
}
