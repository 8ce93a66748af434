//! Conditions and their background sessions, as a file has them.

use super::super::background::{Beside, Disturbance, Sessions, Until};
use super::super::between::{Network, Pooler};
use super::super::condition::{Condition, HOLD_MS_DEFAULT};
use super::toml_text::{names, text};

pub fn condition_keys(condition: &Condition) -> Vec<(&'static str, String)> {
    let mut keys = vec![("name", text(&condition.name))];
    if let Some(known) = &condition.known {
        if known.kind.as_str() != condition.name {
            keys.push(("kind", text(known.kind.as_str())));
        }
        if !known.tables.is_empty() {
            let tables: Vec<String> = known.tables.iter().map(|table| text(table)).collect();
            keys.push(("tables", format!("[{}]", tables.join(", "))));
        }
        if known.hold_ms != HOLD_MS_DEFAULT {
            keys.push(("hold_ms", known.hold_ms.to_string()));
        }
    }
    if !condition.settings.is_empty() {
        keys.push(("settings", names(condition.settings.iter())));
    }
    keys
}

pub fn pooler_keys(pooler: &Pooler) -> Vec<(&'static str, String)> {
    let mut keys = vec![("mode", text(pooler.mode.as_str()))];
    keys.push(("before", text(pooler.before.as_str())));
    keys.extend(pooler.pool_size.map(|size| ("pool_size", size.to_string())));
    keys
}

pub fn network_keys(network: &Network) -> Vec<(&'static str, String)> {
    let mut keys = vec![("round_trip_ms", network.round_trip_ms.to_string())];
    keys.extend(network.cut_every_ms.map(|ms| ("cut_every_ms", ms.to_string())));
    keys
}

pub fn disturbance_keys(disturbance: &Disturbance) -> Vec<(&'static str, String)> {
    let mut keys = vec![("name", text(&disturbance.name))];
    keys.extend(disturbance.isolation.iter().map(|level| ("isolation", text(level))));
    let statements: Vec<String> = disturbance.statements.iter().map(|sql| text(sql)).collect();
    keys.push(("statements", format!("[{}]", statements.join(", "))));
    keys.push(("hold_ms", disturbance.hold_ms.to_string()));
    if disturbance.at != Beside::Change {
        keys.push(("at", text(disturbance.at.as_str())));
    }
    if disturbance.after_ms > 0 {
        keys.push(("after_ms", disturbance.after_ms.to_string()));
    }
    if disturbance.until != Until::Time {
        keys.push(("until", text(disturbance.until.as_str())));
    }
    keys.extend(disturbance.every_ms.map(|ms| ("every_ms", ms.to_string())));
    if !disturbance.transaction {
        keys.push(("transaction", "false".to_owned()));
    }
    match disturbance.sessions {
        Sessions::Count(1) => {}
        Sessions::Count(count) => keys.push(("sessions", count.to_string())),
        Sessions::All => keys.push(("sessions", text("all"))),
    }
    keys.extend(disturbance.role.iter().map(|role| ("role", text(role))));
    keys.extend(disturbance.database.iter().map(|name| ("database", text(name))));
    keys.extend(disturbance.in_place.iter().map(|sql| ("in_place", text(sql))));
    keys
}
