//! What identifies a template: its key, its names, and the label on the database itself.
//!
//! Nothing here connects. A database is trusted only when its label holds the full key, so that
//! neither a half-made template nor another seed's can be taken for this one's.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::history::ShortTable;
use crate::scenario::{Script, Statement};

use super::Plan;

/// Every database that we create or drop is named so.
pub(super) const PREFIX: &str = "pgauntlet_";
const TEMPLATE: &str = "pgauntlet_template_";
const SEEDING: &str = "pgauntlet_seeding_";
const TRIAL: &str = "pgauntlet_trial_";

/// Changes when the same plan gives other rows: generators, encoders, or how tables are left.
const SEED_FORMAT: u32 = 3;

/// Characters of the key that are in names; the label has them all.
const SHORT: usize = 16;

/// Everything that shaped a seeded database, as one number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    hex: String,
    lock: i64,
}

impl Key {
    /// `role` owns the template: another role could neither copy nor drop it.
    pub fn of(plan: &Plan, server_version_num: u32, role: &str) -> Key {
        let scenario = plan.scenario;
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(&SEED_FORMAT.to_le_bytes());
        part(&server_version_num.to_le_bytes());
        part(role.as_bytes());
        part(&scenario.rng_seed.to_le_bytes());
        for script in [&scenario.schema, &scenario.indexes] {
            part(&(script.statements.len() as u64).to_le_bytes());
            script_parts(script).for_each(|text| part(text.as_bytes()));
        }
        part(&[u8::from(scenario.whole)]);
        for table in &scenario.tables {
            // Debug prints every field, floats to the last bit; serialising could fail.
            part(format!("{:?}", table.columns).as_bytes());
            part(table.name.as_bytes());
            part(&plan.sizes.rows(&table.name).to_le_bytes());
        }
        let digest: [u8; 32] = hash.finalize().into();
        let hex = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Key { hex, lock: lock_of(&digest) }
    }

    pub fn hex(&self) -> &str {
        &self.hex
    }

    pub fn template(&self) -> String {
        format!("{TEMPLATE}{}", &self.hex[..SHORT])
    }

    pub fn seeding(&self) -> String {
        format!("{SEEDING}{}", &self.hex[..SHORT])
    }

    /// The advisory lock that the maker of this template holds.
    pub fn lock(&self) -> i64 {
        self.lock
    }
}

/// The statements and the rows that they send.
fn script_parts(script: &Script) -> impl Iterator<Item = &str> {
    fn parts(statement: &Statement) -> [&str; 2] {
        [&statement.text, statement.rows()]
    }
    script.statements.iter().flat_map(parts)
}

fn lock_of(digest: &[u8]) -> i64 {
    let word = digest.first_chunk::<8>().copied().unwrap_or_default();
    i64::from_be_bytes(word)
}

/// The advisory lock of the maker of the database with this name; None when it is not half-made.
pub(super) fn lock_of_seeding(database: &str) -> Option<i64> {
    lock_in(database.strip_prefix(SEEDING)?)
}

/// `pgauntlet_trial_0123456789abcdef_1`: a database of the process that holds this lock.
pub(super) fn trial(lock: i64, number: u32) -> String {
    format!("{TRIAL}{:016x}_{number}", lock.cast_unsigned())
}

/// The advisory lock of the process whose trial's database has this name; None: it is none.
pub(super) fn lock_of_trial(database: &str) -> Option<i64> {
    let (lock, number) = database.strip_prefix(TRIAL)?.split_once('_')?;
    number.parse::<u32>().ok().and_then(|_| lock_in(lock))
}

fn lock_in(hex: &str) -> Option<i64> {
    let word = u64::from_str_radix(hex, 16).ok().filter(|_| hex.len() == SHORT)?;
    Some(word.cast_signed())
}

/// What a database that is not a template says of itself, as its comment: whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    /// Version of this label.
    pub pgauntlet_owner: u32,
    pub host: String,
    pub pid: u32,
    /// What tells the process from a later one of its pid: clock ticks from the boot to its start.
    pub started_ticks: Option<u64>,
    /// RFC 3339.
    pub created: String,
}

impl Owner {
    pub const VERSION: u32 = 1;

    /// This process.
    pub fn own() -> Owner {
        let pid = std::process::id();
        Owner {
            pgauntlet_owner: Owner::VERSION,
            host: host(),
            pid,
            started_ticks: started_ticks(pid),
            created: jiff::Timestamp::now().to_string(),
        }
    }

    /// None when it is no label of ours.
    pub fn parse(comment: &str) -> Option<Owner> {
        let owner: Owner = serde_json::from_str(comment).ok()?;
        (owner.pgauntlet_owner == Owner::VERSION).then_some(owner)
    }

    /// Whether the process is on this machine and lives, which is known only where /proc is.
    pub fn lives_here(&self) -> bool {
        let ticks = started_ticks(self.pid);
        self.is_here() && ticks.is_some() && ticks == self.started_ticks
    }

    /// Whether the process was on this machine.
    pub fn is_here(&self) -> bool {
        self.host == host()
    }

    /// `pid 4711 on build-3, since 2026-11-28T12:00:00Z`.
    pub fn to_text(&self) -> String {
        format!("pid {} on {}, since {}", self.pid, self.host, self.created)
    }
}

fn host() -> String {
    let read = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match read.trim().is_empty() {
        true => std::env::var("HOSTNAME").unwrap_or_default(),
        false => read.trim().to_owned(),
    }
}

/// Field 22 of /proc/PID/stat. The second field is a name in brackets that may hold anything.
fn started_ticks(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// What a template says of itself, as the comment on its database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Label {
    /// Version of this label.
    pub pgauntlet_template: u32,
    pub key: String,
    pub scenario: String,
    pub bytes: u64,
    /// Tables that have fewer rows than they were to have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub short: Vec<ShortTable>,
    /// RFC 3339, as is `last_used`.
    pub created: String,
    pub last_used: String,
}

impl Label {
    pub const VERSION: u32 = 1;

    /// None when it is no label of ours.
    pub fn parse(comment: &str) -> Option<Label> {
        let label: Label = serde_json::from_str(comment).ok()?;
        (label.pgauntlet_template == Label::VERSION).then_some(label)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_made_database_names_the_lock_of_its_maker() {
        let digest = [0xfe_u8; 32];
        let hex = "fe".repeat(32);
        let key = Key { hex, lock: lock_of(&digest) };
        assert_eq!(lock_of_seeding(&key.seeding()), Some(key.lock()));
        assert_eq!(lock_of_seeding(&key.template()), None);
        assert_eq!(lock_of_seeding("pgauntlet_seeding_1"), None);
    }

    #[test]
    fn a_trials_database_names_the_lock_of_its_process() {
        for lock in [0, 1, -1, i64::MIN, i64::MAX] {
            assert_eq!(lock_of_trial(&trial(lock, 12)), Some(lock));
        }
        let others = ["pgauntlet_trial_keepme", "pgauntlet_trial_17_00c0ffee", "pgauntlet_prod"];
        for database in others {
            assert_eq!(lock_of_trial(database), None, "{database}");
        }
    }

    #[test]
    fn a_process_lives_as_long_as_its_pid_has_its_start() {
        let own = Owner::own();
        assert!(own.lives_here());
        let text = serde_json::to_string(&own).unwrap();
        assert_eq!(Owner::parse(&text), Some(own.clone()));
        assert!(!Owner { started_ticks: Some(1), ..own.clone() }.lives_here());
        assert!(!Owner { host: "another".to_owned(), ..own }.lives_here());
    }

    #[test]
    fn a_comment_that_is_no_label_is_not_trusted() {
        for comment in ["", "{}", "my database", r#"{"pgauntlet_template":2}"#] {
            assert_eq!(Label::parse(comment), None, "{comment}");
        }
    }
}
