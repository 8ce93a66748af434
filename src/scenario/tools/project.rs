//! What the project around a directory says of the tool that owns it: configuration files and
//! declared dependencies, from the directory upward to the root of its repository.
//!
//! The nearest directory that says anything decides: a part of a repository has its own tools. A
//! dependency says that the tool is there, not that this directory is its; so it counts only for a
//! naming that is the tool's.

use std::path::{Path, PathBuf};

use super::super::problem::Source;
use super::owner::{self, Owner};
use super::shape::Shape::{
    self, Code, MigrationDirectory, Numbered, UpDirectory, UpDown, Versioned,
};

/// Directories looked into: `src/main/resources/db/migration` is six below its project's.
const LEVELS_MAX: usize = 7;
/// Manifests of a workspace that are read.
const MEMBERS_MAX: usize = 200;

/// Why a tool is the directory's.
pub(super) struct Sign {
    pub owner: Owner,
    /// The file that says so, for people.
    pub by: String,
}

/// A file whose name is a tool's alone.
const FILES: &[(&str, Owner, &[Shape])] = &[
    ("sqlx.toml", owner::SQLX, &[Numbered, UpDown]),
    (".sqlx", owner::SQLX, &[Numbered, UpDown]),
    ("diesel.toml", owner::DIESEL, &[UpDirectory]),
    ("movine.toml", owner::MOVINE, &[UpDirectory]),
    ("flyway.conf", owner::FLYWAY, &[Versioned]),
    ("flyway.toml", owner::FLYWAY, &[Versioned]),
    ("conf/flyway.conf", owner::FLYWAY, &[Versioned]),
    ("conf/flyway.toml", owner::FLYWAY, &[Versioned]),
    ("tern.conf", owner::TERN, &[Numbered]),
    ("atlas.sum", owner::ATLAS, &[Numbered, UpDown, Versioned]),
    ("atlas.hcl", owner::ATLAS, &[Numbered, UpDown, Versioned]),
    ("dbconfig.yml", owner::SQL_MIGRATE, &[Numbered]),
    ("rambler.json", owner::RAMBLER, &[Numbered]),
    ("drizzle.config.ts", owner::DRIZZLE, &[Numbered, MigrationDirectory]),
    ("drizzle.config.js", owner::DRIZZLE, &[Numbered, MigrationDirectory]),
    ("drizzle.config.mjs", owner::DRIZZLE, &[Numbered, MigrationDirectory]),
    ("drizzle.config.json", owner::DRIZZLE, &[Numbered, MigrationDirectory]),
    ("schema.prisma", owner::PRISMA, &[MigrationDirectory]),
    ("prisma/schema.prisma", owner::PRISMA, &[MigrationDirectory]),
    (".gmrc", owner::GRAPHILE_MIGRATE, &[Numbered]),
    (".gmrc.js", owner::GRAPHILE_MIGRATE, &[Numbered]),
    ("yoyo.ini", owner::YOYO, &[Numbered]),
    ("liquibase.properties", owner::LIQUIBASE, &[Numbered, Code]),
    ("knexfile.js", owner::KNEX, &[Code]),
    ("knexfile.cjs", owner::KNEX, &[Code]),
    ("knexfile.mjs", owner::KNEX, &[Code]),
    ("knexfile.ts", owner::KNEX, &[Code]),
    (".sequelizerc", owner::SEQUELIZE, &[Code]),
    ("alembic.ini", owner::ALEMBIC, &[Code]),
    ("manage.py", owner::DJANGO, &[Code]),
    ("config.ru", owner::RAILS, &[Code]),
    ("bin/rails", owner::RAILS, &[Code]),
    ("mix.exs", owner::ECTO, &[Code]),
    ("artisan", owner::LARAVEL, &[Code]),
    ("bin/console", owner::DOCTRINE, &[Code]),
];

/// A crate in a `Cargo.toml`.
const CRATES: &[(&str, Owner, &[Shape])] = &[
    ("sqlx", owner::SQLX, &[Numbered, UpDown]),
    ("diesel", owner::DIESEL, &[UpDirectory]),
    ("diesel_migrations", owner::DIESEL, &[UpDirectory]),
    ("diesel-async", owner::DIESEL, &[UpDirectory]),
    ("refinery", owner::REFINERY, &[Versioned]),
    ("refinery-core", owner::REFINERY, &[Versioned]),
];

/// A package in a `package.json`.
const PACKAGES: &[(&str, Owner, &[Shape])] = &[
    ("drizzle-kit", owner::DRIZZLE, &[Numbered, MigrationDirectory]),
    ("drizzle-orm", owner::DRIZZLE, &[Numbered, MigrationDirectory]),
    ("prisma", owner::PRISMA, &[MigrationDirectory]),
    ("@prisma/client", owner::PRISMA, &[MigrationDirectory]),
    ("node-pg-migrate", owner::NODE_PG_MIGRATE, &[Numbered]),
    ("node-pg-migrate", owner::NODE_PG_MIGRATE_CODE, &[Code]),
    ("postgres-migrations", owner::POSTGRES_MIGRATIONS, &[Numbered]),
    ("graphile-migrate", owner::GRAPHILE_MIGRATE, &[Numbered]),
    ("postgrator", owner::POSTGRATOR, &[Numbered]),
    ("postgrator-cli", owner::POSTGRATOR, &[Numbered]),
    ("supabase", owner::SUPABASE, &[Numbered]),
    ("db-migrate", owner::DB_MIGRATE, &[Numbered, Code]),
    ("knex", owner::KNEX, &[Code]),
    ("typeorm", owner::TYPEORM, &[Code]),
    ("sequelize", owner::SEQUELIZE, &[Code]),
];

/// A module in a `go.mod`.
const MODULES: &[(&str, Owner, &[Shape])] = &[
    ("github.com/golang-migrate/migrate", owner::GOLANG_MIGRATE, &[UpDown]),
    ("github.com/uptrace/bun", owner::BUN, &[UpDown]),
    ("github.com/go-pg/migrations", owner::GO_PG, &[UpDown]),
    ("github.com/gobuffalo/pop", owner::POP, &[UpDown]),
    ("github.com/ory/x", owner::POP, &[UpDown]),
    ("github.com/jackc/tern", owner::TERN, &[Numbered]),
    ("github.com/rubenv/sql-migrate", owner::SQL_MIGRATE, &[Numbered]),
    ("github.com/pressly/goose", owner::GOOSE, &[Numbered]),
    ("ariga.io/atlas", owner::ATLAS, &[Numbered]),
];

/// A word in a build file of the JVM's, or in a Python project's requirements.
const WORDS: &[(&[&str], &str, Owner, &[Shape])] = &[
    (JVM, "flyway", owner::FLYWAY, &[Versioned]),
    (JVM, "liquibase", owner::LIQUIBASE, &[Numbered, Code]),
    (PYTHON, "yoyo-migrations", owner::YOYO, &[Numbered]),
    (PYTHON, "alembic", owner::ALEMBIC, &[Code]),
];
const JVM: &[&str] = &["pom.xml", "build.gradle", "build.gradle.kts", "build.sbt"];
const PYTHON: &[&str] = &["pyproject.toml", "requirements.txt"];

/// What the nearest directory says that says anything of these namings.
pub(super) fn signs(dir: &Path, shapes: &[Shape]) -> Vec<Sign> {
    let Ok(dir) = dir.canonicalize() else { return Vec::new() };
    let mut found = Vec::new();
    if dir.ends_with("resources/db/migration") && shapes.contains(&Versioned) {
        found.push(Sign { owner: owner::FLYWAY, by: "resources/db/migration".to_owned() });
    }
    for place in dir.ancestors().take(LEVELS_MAX) {
        if found.is_empty() {
            found = of_place(place, shapes);
        }
        if !found.is_empty() || [".git", ".hg"].iter().any(|root| place.join(root).exists()) {
            break;
        }
    }
    found
}

fn of_place(place: &Path, shapes: &[Shape]) -> Vec<Sign> {
    let fits = |wanted: &[Shape]| wanted.iter().any(|shape| shapes.contains(shape));
    let mut found: Vec<Sign> = Vec::new();
    let mut add = |owner: Owner, file: &str, of: &[Shape]| {
        let known = found.iter().any(|sign| sign.owner == owner);
        if fits(of) && !known {
            found.push(Sign { owner, by: shown(&place.join(file)) });
        }
    };
    for (file, owner, of) in FILES {
        if place.join(file).exists() {
            add(*owner, file, of);
        }
    }
    if is_supabase(place) {
        add(owner::SUPABASE, "config.toml", &[Numbered]);
    }
    if text(&place.join("config.yaml")).contains("metadata_directory") {
        add(owner::HASURA, "config.yaml", &[UpDirectory]);
    }
    let crates = crates(place);
    for (name, owner, of) in CRATES.iter().filter(|(name, ..)| crates.iter().any(|c| c == name)) {
        add(*owner, &format!("Cargo.toml: {name}"), of);
    }
    let package = packages(&place.join("package.json"));
    for (name, owner, of) in PACKAGES.iter().filter(|(name, ..)| package.iter().any(|p| p == name))
    {
        add(*owner, &format!("package.json: {name}"), of);
    }
    let modules = text(&place.join("go.mod"));
    for (name, owner, of) in MODULES.iter().filter(|(name, ..)| requires(&modules, name)) {
        add(*owner, &format!("go.mod: {name}"), of);
    }
    for (files, word, owner, of) in WORDS {
        if let Some(file) = files.iter().find(|file| text(&place.join(file)).contains(word)) {
            add(*owner, file, of);
        }
    }
    found
}

/// A path as it would be typed here.
fn shown(path: &Path) -> String {
    let here = std::env::current_dir().and_then(|here| here.canonicalize());
    let relative = here.ok().and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    relative.unwrap_or_else(|| path.to_owned()).display().to_string()
}

/// Its own directory is named so; a configuration elsewhere has its sections.
fn is_supabase(place: &Path) -> bool {
    let config = place.join("config.toml");
    let config = text(&config);
    let by_name = place.ends_with("supabase") && !config.is_empty();
    by_name || (config.contains("project_id") && config.contains("[db"))
}

/// A file that is not there, or cannot be read, says nothing.
fn text(path: &Path) -> String {
    if !path.is_file() {
        return String::new();
    }
    Source::open(path).map(|source| source.text).unwrap_or_default()
}

/// A module, with any major version behind it.
fn requires(modules: &str, name: &str) -> bool {
    let is_module = |word: &str| {
        word.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    modules.lines().any(|line| {
        let line = line.split("//").next().unwrap_or_default();
        line.split_whitespace().any(is_module)
    })
}

/// The names of the dependencies of a package.
fn packages(path: &Path) -> Vec<String> {
    let Ok(manifest) = serde_json::from_str::<serde_json::Value>(&text(path)) else {
        return Vec::new();
    };
    let sections = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];
    let of = |section: &str| manifest.get(section)?.as_object().cloned();
    sections.iter().filter_map(|section| of(section)).flatten().map(|(name, _)| name).collect()
}

/// The crates that a manifest depends on, and those of its workspace's members.
fn crates(place: &Path) -> Vec<String> {
    let Ok(manifest) = text(&place.join("Cargo.toml")).parse::<toml::Table>() else {
        return Vec::new();
    };
    let mut found = dependencies(&manifest);
    for member in members(place, &manifest) {
        if let Ok(manifest) = text(&member.join("Cargo.toml")).parse::<toml::Table>() {
            found.extend(dependencies(&manifest));
        }
    }
    found
}

fn dependencies(manifest: &toml::Table) -> Vec<String> {
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let mut tables = vec![manifest];
    tables.extend(manifest.get("workspace").and_then(toml::Value::as_table));
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    tables.extend(targets.into_iter().flat_map(|t| t.values()).filter_map(toml::Value::as_table));
    let sections = tables.into_iter().flat_map(|table| kinds.iter().filter_map(|k| table.get(*k)));
    let declared = sections.filter_map(toml::Value::as_table).flatten();
    let name = |(name, value): (&String, &toml::Value)| {
        let renamed = value.get("package").and_then(toml::Value::as_str);
        renamed.unwrap_or(name).to_owned()
    };
    declared.map(name).collect()
}

/// The directories of `members = ["app", "crates/*"]`.
fn members(place: &Path, manifest: &toml::Table) -> Vec<PathBuf> {
    let listed = manifest.get("workspace").and_then(|w| w.get("members")?.as_array());
    let mut found = Vec::new();
    for member in listed.into_iter().flatten().filter_map(toml::Value::as_str) {
        match member.strip_suffix("/*") {
            None => found.push(place.join(member)),
            Some(above) => {
                let entries = std::fs::read_dir(place.join(above)).into_iter().flatten().flatten();
                found.extend(entries.map(|entry| entry.path()));
            }
        }
    }
    found.truncate(MEMBERS_MAX);
    found
}
