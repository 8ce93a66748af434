//! How the files of a directory are named. A naming alone is no tool's: several share each.

use super::listing::Listing;
use super::owner::{self, Owner};
use super::text::leading_digits;
use super::{flyway, golang_migrate, refinery};

/// A naming that tools share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `1_name.sql`
    Numbered,
    /// `1_name.up.sql`
    UpDown,
    /// `V1__name.sql`
    Versioned,
    /// `1_name/up.sql`
    UpDirectory,
    /// `1_name/migration.sql`
    MigrationDirectory,
    /// `0001_initial.py`: migrations in a programming language, or a changelog.
    Code,
}

/// Ends of files in which migrations are written that are no SQL.
const CODE: &[&str] =
    &["py", "rb", "js", "cjs", "mjs", "ts", "php", "exs", "kt", "cs", "xml", "yaml", "yml", "json"];

impl Shape {
    /// Tools that name their files so, the likeliest first.
    pub fn owners(self) -> &'static [Owner] {
        match self {
            Shape::Numbered => &[
                owner::SQLX,
                owner::TERN,
                owner::NODE_PG_MIGRATE,
                owner::SUPABASE,
                owner::ATLAS,
                owner::POSTGRES_MIGRATIONS,
            ],
            Shape::UpDown => &[owner::SQLX, owner::GOLANG_MIGRATE, owner::BUN],
            Shape::Versioned => &[owner::FLYWAY, owner::REFINERY],
            Shape::UpDirectory => &[owner::DIESEL, owner::HASURA],
            Shape::MigrationDirectory => &[owner::PRISMA, owner::DRIZZLE],
            Shape::Code => &[owner::ALEMBIC, owner::DJANGO, owner::RAILS, owner::KNEX],
        }
    }
}

/// Every naming that occurs in a directory. Code counts where there is no SQL.
pub(super) fn shapes(listing: &Listing) -> Vec<Shape> {
    let mut found = Vec::new();
    let mut add = |shape: Shape, is_there: bool| {
        if is_there {
            found.push(shape);
        }
    };
    let numbered = |name: &str| {
        name.ends_with(".sql") && leading_digits(name).is_some_and(|(_, r)| r != ".sql")
    };
    let up_down = |name: &str| golang_migrate::parse(name).is_some_and(|(_, _, end)| end == "sql");
    let names = || listing.files().map(|entry| entry.name.as_str());
    add(Shape::Numbered, names().any(|name| numbered(name) && !up_down(name)));
    add(Shape::UpDown, names().any(up_down));
    let versioned = |name: &str| {
        let stem = name.strip_suffix(".sql");
        stem.is_some_and(|s| {
            refinery::version(s).is_some()
                || matches!(flyway::name(s), Some(flyway::Name::Versioned(_)))
        })
    };
    add(Shape::Versioned, listing.files_below_visible().any(|entry| versioned(&entry.name)));
    let holds = |file: &str| listing.directories().any(|entry| entry.path.join(file).is_file());
    add(Shape::UpDirectory, holds("up.sql"));
    add(Shape::MigrationDirectory, holds("migration.sql"));
    let is_code = |name: &str| {
        name.rsplit_once('.').is_some_and(|(_, end)| CODE.contains(&end)) && !name.starts_with('.')
    };
    let code = names().any(is_code);
    add(Shape::Code, code);
    if found.len() > 1 {
        found.retain(|shape| *shape != Shape::Code);
    }
    found
}
