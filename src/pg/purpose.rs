//! What a statement that an external tool sends is for: work, or the noise around it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lex::{self, Token, TokenKind};

/// What a statement is for. Ordered: of several statements the greatest counts.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// BEGIN, COMMIT, ROLLBACK, savepoints.
    Transaction,
    /// SET, SHOW, PREPARE, LOCK, temporary tables: about the session itself.
    Setting,
    /// SELECT, EXPLAIN, COPY TO.
    Read,
    /// Whatever changes the schema or data, or may.
    Work,
}

/// Tables in which migration tools remember what is applied, by default, as the catalogue has their
/// names.
pub const TOOLS_TABLES: &[&str] = &[
    "alembic_version",
    "django_migrations",
    "_sqlx_migrations",
    "schema_migrations", // dbmate, golang-migrate, Rails
    "knex_migrations",
    "pgmigrations",
    "flyway_schema_history",
    "goose_db_version",
    "__diesel_schema_migrations",
    "refinery_schema_history",
    "_prisma_migrations",
    "__drizzle_migrations",
    "gorp_migrations", // sql-migrate
    "atlas_schema_revisions",
    "databasechangelog",
    "SequelizeMeta",
    "seaql_migrations", // SeaORM
    "__EFMigrationsHistory",
    "_yoyo_migration",
    "doctrine_migration_versions",
    "phinxlog",
    "gopg_migrations",
    "bun_migrations",
    "play_evolutions",
];

/// Tables that tools have beside those, for their lock and their settings. No version is in them.
pub const BESIDE_VERSIONS: &[&str] = &[
    "ar_internal_metadata",
    "knex_migrations_lock",
    "databasechangeloglock",
    "kysely_migration_lock",
    "_yoyo_log",
    "_yoyo_version",
    "yoyo_lock",
    "bun_migration_locks",
];

/// Columns of the table `migrations` in which TypeORM, and Laravel, remember what is applied.
const OF_MIGRATIONS: [[&str; 3]; 2] = [["id", "timestamp", "name"], ["id", "migration", "batch"]];

/// Whether a table with these columns is a migration tool's own: by its name, or by a name that an
/// application might have too and the columns of a tool's.
pub fn is_tools_own<'c>(name: &str, columns: impl IntoIterator<Item = &'c str>) -> bool {
    let columns: Vec<&str> = columns.into_iter().collect();
    tools_own().any(|own| own.eq_ignore_ascii_case(name))
        || name == "migrations" && OF_MIGRATIONS.iter().any(|of| columns == of)
}

/// Every table of a migration tool's own, by default.
pub fn tools_own() -> impl Iterator<Item = &'static str> {
    TOOLS_TABLES.iter().chain(BESIDE_VERSIONS).copied()
}

/// More tables in which tools remember what is applied: not what the judge takes for bookkeeping,
/// as an application may have one of these names, but enough to tell that versions are kept.
const OTHERS_TABLES: &[&str] = &[
    "changelog", // MyBatis, Evolve
    "hdb_version",
    "kysely_migration",
    "migrations",       // Laravel, TypeORM, rambler, postgres-migrations
    "schema_migration", // pop
    "schema_version",   // tern, older Flyway
    "schemaversion",    // Postgrator
    "shmig_version",
];

/// Whether a statement is about a table in which a migration tool remembers what is applied: it
/// names one that tools use by default, or writes or creates one whose name says migration.
pub fn keeps_versions(sql: &str) -> bool {
    let tokens = lex::tokens(sql).unwrap_or_default();
    let is_name = |token: &&Token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent);
    let name = |token: &Token| token.text(sql).trim_matches('"').to_ascii_lowercase();
    let names: Vec<String> = tokens.iter().filter(is_name).map(name).collect();
    let first = names.first().map(String::as_str).unwrap_or_default();
    let writes = matches!(first, "insert" | "update" | "create");
    names.iter().any(|name| {
        let known = tools_own().any(|own| own.eq_ignore_ascii_case(name))
            || OTHERS_TABLES.contains(&name.as_str());
        known || (writes && name.contains("migration"))
    })
}

/// Whether a value of a timeout means none: `0`, `0s`.
pub fn is_zero(value: &str) -> bool {
    value.trim().trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ') == "0"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tools_table_of_versions_is_known_by_its_name() {
        for sql in [
            "SELECT alembic_version.version_num FROM alembic_version",
            "INSERT INTO \"django_migrations\" (app) VALUES ('x')",
            "CREATE TABLE IF NOT EXISTS app.our_migrations (id int)",
            "insert into drizzle.\"__drizzle_migrations\" values (1)",
        ] {
            assert!(keeps_versions(sql), "{sql}");
        }
        for sql in [
            "ALTER TABLE orders ADD COLUMN a int",
            "SELECT run_migration()",
            "SELECT 'alembic_version'",
            "UPDATE orders SET version = 2 -- schema_migrations",
        ] {
            assert!(!keeps_versions(sql), "{sql}");
        }
    }

    #[test]
    fn a_table_of_a_tools_own_is_known_by_its_columns_where_its_name_says_too_little() {
        assert!(is_tools_own("SequelizeMeta", ["name"]));
        assert!(is_tools_own("migrations", ["id", "timestamp", "name"]));
        assert!(!is_tools_own("migrations", ["id", "species", "name"]));
        assert!(!is_tools_own("orders", ["id", "timestamp", "name"]));
    }

    #[test]
    fn a_timeout_of_zero_is_none_in_every_unit() {
        assert!(["0", "0s", "0 ms"].into_iter().all(is_zero));
        assert!(!["10", "1s", "default", ""].into_iter().any(is_zero));
    }
}
