//! What differs between majors of PostgreSQL.

use crate::result::evidence::{DifferingMajors, OfMajors};

use super::words::listed;

/// `PostgreSQL 14, 15: unsafe (stall, latency); 17, 18: safe`.
pub fn differ(of: &DifferingMajors) -> String {
    let outcomes: Vec<String> = of.outcomes.iter().map(outcome).collect();
    format!("majors differ: PostgreSQL {}", outcomes.join("; "))
}

fn outcome(of: &OfMajors) -> String {
    let majors: Vec<String> = of.majors.iter().map(u32::to_string).collect();
    let kinds: Vec<&str> = of.findings.iter().map(|kind| kind.as_str()).collect();
    let why = match kinds.is_empty() {
        true => String::new(),
        false => format!(" ({})", kinds.join(", ")),
    };
    format!("{}: {}{why}", listed(&majors), of.verdict)
}
