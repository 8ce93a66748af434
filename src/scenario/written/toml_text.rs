//! Values as TOML has them.

pub fn text(value: &str) -> String {
    toml::Value::String(value.to_owned()).to_string()
}

pub fn names<'a>(map: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let keys: Vec<(String, String)> = map.map(|(name, value)| (key(name), text(value))).collect();
    inline(keys.iter().map(|(key, value)| (&**key, value.clone())).collect())
}

/// A key as TOML has it: bare where it can be.
pub fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !name.is_empty() && name.chars().all(bare) {
        true => name.to_owned(),
        // A text on one line: a key has no other form.
        false => serde_json::Value::String(name.to_owned()).to_string(),
    }
}

pub fn inline(keys: Vec<(&str, String)>) -> String {
    if keys.is_empty() {
        return "{}".to_owned();
    }
    let keys: Vec<String> = keys.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    format!("{{ {} }}", keys.join(", "))
}
