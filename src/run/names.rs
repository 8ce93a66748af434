//! What pieces of a plan are called, in result.json and to people.

pub fn trials(scenario: &str, repetition: u32) -> String {
    match repetition {
        0 | 1 => scenario.to_owned(),
        n => format!("{scenario}, repetition {n}"),
    }
}

pub fn matrix(scenario: &str) -> String {
    format!("{scenario}, crash matrix")
}
