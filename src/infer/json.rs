//! JSON objects that conditions and keys ask for: with the keys that they name, and with a number
//! where two rows have to differ.

use serde_json::{Map, Value};

use crate::pg::expression::Expression;

use super::condition::Condition;

/// Constants of conditions that are combined, each as a key and as a value.
const CONSTANTS_MAX: usize = 10;
/// Objects that a number is put into.
const OBJECTS_MAX: usize = 6;
/// Stands for the number in an object that is not written yet.
const NUMBER: &str = "\u{1}";

/// Objects that have all constants of the conditions as keys, each in turn with each constant as
/// its value.
pub(super) fn objects(conditions: &[&Condition]) -> Vec<String> {
    let mut constants: Vec<&str> = Vec::new();
    for condition in conditions {
        let texts = match condition {
            Condition::Hint { constants, .. } => constants.as_slice(),
            _ => &[],
        };
        for text in texts {
            if !constants.contains(&text.as_str()) && constants.len() < CONSTANTS_MAX {
                constants.push(text);
            }
        }
    }
    let with = |key: &str, value: Value| {
        let plain = constants.iter().map(|own| ((*own).to_owned(), Value::from("a")));
        let mut object: Map<String, Value> = plain.collect();
        object.insert(key.to_owned(), value);
        Value::Object(object).to_string()
    };
    let mut found = Vec::new();
    for key in &constants {
        for value in constants.iter().filter(|value| *value != key) {
            found.push(with(key, Value::from(*value)));
        }
        found.push(with(key, Value::from(1)));
    }
    found
}

/// Templates of objects in which what a key's expression reads is the row's number; `texts`: what
/// conditions ask for beside it.
pub(super) fn templates(expressions: &[&str], texts: &[String]) -> Vec<String> {
    let objects = texts.iter().filter_map(|text| match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    });
    let objects: Vec<Map<String, Value>> = objects.take(OBJECTS_MAX).chain([Map::new()]).collect();
    let mut found = Vec::new();
    for expression in expressions.iter().filter_map(|text| Expression::read(text)) {
        let path = expression.constants();
        for object in &objects {
            let mut object = Value::Object(object.clone());
            put(&mut object, &path);
            let text = object.to_string().replace('{', "{{").replace('}', "}}");
            let number = Value::from(NUMBER).to_string();
            found.push(text.replace(&number, "\"n{n}\""));
            found.push(text.replace(&number, "{n}"));
        }
    }
    found
}

/// Puts the number at the end of a path of keys.
fn put(into: &mut Value, path: &[&str]) {
    let Some((key, rest)) = path.split_first() else {
        *into = Value::from(NUMBER);
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    if let Value::Object(object) = into {
        put(object.entry(*key).or_insert(Value::Null), rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_inside_json_is_numbered() {
        let found = templates(&["(body ->> 'external_id'::text)"], &[]);
        assert_eq!(found, ["{{\"external_id\":\"n{n}\"}}", "{{\"external_id\":{n}}}"]);
        let found = templates(&["((body -> 'a'::text) ->> 'b'::text)"], &["{\"t\": 1}".to_owned()]);
        assert_eq!(found[0], "{{\"a\":{{\"b\":\"n{n}\"}},\"t\":1}}");
    }

    #[test]
    fn objects_have_every_key_and_one_of_the_values() {
        let constants = ["type", "a", "b"].map(str::to_owned).to_vec();
        let condition = Condition::Hint { column: "body".to_owned(), constants };
        let found = objects(&[&condition]);
        assert!(found.contains(&r#"{"a":"a","b":"a","type":"b"}"#.to_owned()), "{found:?}");
    }
}
