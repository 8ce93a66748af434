//! What a server of ours runs with: production's habits, in proportion to the machine.
//!
//! fsync, full_page_writes, autovacuum, synchronous_commit and all else stay the server's own
//! defaults, because a change that is only safe without them is not safe.

use std::collections::BTreeMap;

use rand::RngExt;

use super::Error;

/// A quarter of the memory is the manual's advice; more only slows the start.
const SHARED_BUFFERS_BYTES_MAX: u64 = 4 << 30;
const MAINTENANCE_WORK_MEM_BYTES_MAX: u64 = 256 << 20;
/// Enough for two pools, the observer and a change's workers.
const CONNECTIONS_MAX: u32 = 200;

/// Settings that say where the server is; a scenario that set one would lose it.
const OWN: &[(&str, &str)] = &[
    ("data_directory", "it says where the cluster is"),
    ("config_file", "it says where the cluster is"),
    ("hba_file", "it keeps other users of the machine out"),
    ("ident_file", "it keeps other users of the machine out"),
    ("listen_addresses", "it keeps other machines out"),
    ("port", "it is a free one, chosen at the start"),
    ("unix_socket_directories", "it keeps other users of the machine out"),
    ("unix_socket_permissions", "it keeps other users of the machine out"),
    ("logging_collector", "the log must be where pgauntlet reads it"),
    ("log_destination", "the log must be where pgauntlet reads it"),
    ("log_line_prefix", "the log must be what pgauntlet can read"),
    ("lc_messages", "the log must be what pgauntlet can read"),
];

/// In proportion to the machine's memory.
pub fn for_memory(bytes: u64) -> BTreeMap<String, String> {
    let megabytes = |bytes: u64| format!("{}MB", (bytes >> 20).max(16));
    let shared_buffers = (bytes / 4).min(SHARED_BUFFERS_BYTES_MAX);
    let maintenance = (bytes / 16).min(MAINTENANCE_WORK_MEM_BYTES_MAX);
    [
        ("shared_buffers", megabytes(shared_buffers)),
        ("effective_cache_size", megabytes(bytes / 5 * 3)),
        ("maintenance_work_mem", megabytes(maintenance)),
        ("max_connections", CONNECTIONS_MAX.to_string()),
        ("log_lock_waits", "on".to_owned()),
        ("lc_messages", "C".to_owned()),
        // When, who, when in seconds since the epoch, which session in which database, and last
        // its application_name, which may be any text.
        ("log_line_prefix", "%m [%p] %n %c %d %a ".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// A trial's settings in one spelling; refuses those that are ours.
pub fn checked(settings: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Error> {
    let lowered = settings.iter().map(|(name, value)| (name.to_lowercase(), value.clone()));
    let lowered: BTreeMap<String, String> = lowered.collect();
    for (name, why) in OWN {
        if lowered.contains_key(*name) {
            return Err(Error::OwnSetting { name: (*name).to_owned(), why });
        }
    }
    Ok(lowered)
}

/// `-c name=value` for each.
pub fn arguments(settings: &BTreeMap<String, String>) -> Vec<String> {
    settings.iter().flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")]).collect()
}

/// Whether two texts of a value mean the same: `1s` and `1000ms`, `on` and `true`, `1GB` and
/// `1024MB`. A unit that is left out is `unit`, as pg_settings tells it.
pub fn same_value(left: &str, right: &str, unit: Option<&str>) -> bool {
    let (left, right) = (left.trim().to_lowercase(), right.trim().to_lowercase());
    if left == right {
        return true;
    }
    if let (Some(left), Some(right)) = (truth(&left), truth(&right)) {
        return left == right;
    }
    match (quantity(&left, unit), quantity(&right, unit)) {
        (Some(left), Some(right)) => (left - right).abs() <= f64::EPSILON * left.abs(),
        _ => false,
    }
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "on" | "true" | "yes" => Some(true),
        "off" | "false" | "no" => Some(false),
        _ => None,
    }
}

/// In bytes or in microseconds.
fn quantity(text: &str, unit: Option<&str>) -> Option<f64> {
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let number: f64 = text[..end].trim().parse().ok()?;
    let written = text[end..].trim();
    let scale =
        if written.is_empty() { unit_scale(unit.unwrap_or(""))? } else { unit_scale(written)? };
    Some(number * scale)
}

fn unit_scale(unit: &str) -> Option<f64> {
    let unit = unit.to_lowercase();
    // pg_settings has units such as `8kB`.
    let end = unit.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(unit.len());
    let times: f64 = if end == 0 { 1.0 } else { unit[..end].parse().ok()? };
    let one = match &unit[end..] {
        "" | "b" | "us" => 1.0,
        "kb" => 1_024.0,
        "mb" => 1_024.0 * 1_024.0,
        "gb" => 1_024.0 * 1_024.0 * 1_024.0,
        "tb" => 1_024.0 * 1_024.0 * 1_024.0 * 1_024.0,
        "ms" => 1e3,
        "s" => 1e6,
        "min" => 60e6,
        "h" => 3_600e6,
        "d" => 86_400e6,
        _ => return None,
    };
    Some(times * one)
}

/// For a server of ours, which no user types.
pub fn random_password() -> String {
    const CHARACTERS: usize = 32;
    let mut random = rand::rng();
    (0..CHARACTERS).map(|_| char::from(random.sample(rand::distr::Alphanumeric))).collect()
}

/// For messages.
pub fn listed(settings: &BTreeMap<String, String>) -> String {
    let all: Vec<String> = settings.iter().map(|(k, v)| format!("{k} = {v}")).collect();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(1 << 30, "256MB", "64MB")]
    #[case(24 << 30, "4096MB", "256MB")]
    fn memory_is_in_proportion_and_has_a_limit(
        #[case] bytes: u64,
        #[case] shared_buffers: &str,
        #[case] maintenance: &str,
    ) {
        let settings = for_memory(bytes);
        assert_eq!(settings["shared_buffers"], shared_buffers);
        assert_eq!(settings["maintenance_work_mem"], maintenance);
    }

    #[test]
    fn habits_of_production_are_left_to_the_server() {
        let settings = for_memory(8 << 30);
        for name in ["fsync", "full_page_writes", "autovacuum", "synchronous_commit"] {
            assert!(!settings.contains_key(name), "{name}");
        }
    }

    #[rstest]
    #[case("1s", "1000ms", Some("ms"), true)]
    #[case("1000", "1s", Some("ms"), true)]
    #[case("on", "true", None, true)]
    #[case("1GB", "131072", Some("8kB"), true)]
    #[case("1GB", "1000MB", Some("8kB"), false)]
    #[case("0", "off", None, false)]
    #[case("replica", "logical", None, false)]
    fn two_texts_of_one_value_are_the_same(
        #[case] left: &str,
        #[case] right: &str,
        #[case] unit: Option<&str>,
        #[case] same: bool,
    ) {
        assert_eq!(same_value(left, right, unit), same);
    }

    #[test]
    fn a_setting_that_says_where_the_server_is_cannot_be_set_by_a_scenario() {
        let asked = BTreeMap::from([("Port".to_owned(), "5432".to_owned())]);
        let text = checked(&asked).unwrap_err().to_string();
        assert!(text.starts_with("set port: pgauntlet sets it itself"), "{text}");
    }
}
