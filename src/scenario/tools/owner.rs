//! Whose a directory may be: a tool that is read here, or one that is known and is not.
//!
//! A tool that is known and not read has its name and its command here, so that its directory is
//! never run as another's. Commands are the tools' own documentation's.

use std::fmt;

use super::super::tool::Tool;

/// A migration tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Read(Tool),
    Other(Other),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::Read(tool) => f.pad(tool.as_str()),
            Owner::Other(other) => f.pad(other.name),
        }
    }
}

/// A tool whose files are not read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Other {
    pub name: &'static str,
    /// What its user types to apply what is pending.
    pub command: &'static str,
}

macro_rules! others {
    ($($id:ident: $name:literal, $command:literal;)+) => {
        $(pub(super) const $id: Owner = Owner::Other(Other { name: $name, command: $command });)+
    };
}

others! {
    ALEMBIC: "Alembic", "alembic upgrade head";
    BUN: "Bun", "go run ./cmd/bun db migrate";
    DB_MIGRATE: "db-migrate", "npx db-migrate up";
    DJANGO: "Django", "python manage.py migrate";
    DOCTRINE: "Doctrine", "php bin/console doctrine:migrations:migrate --no-interaction";
    ECTO: "Ecto", "mix ecto.migrate";
    GO_PG: "go-pg/migrations", "go run ./migrations up";
    GRAPHILE_MIGRATE: "graphile-migrate", "npx graphile-migrate migrate";
    HASURA: "Hasura", "hasura migrate apply";
    KNEX: "Knex", "npx knex migrate:latest";
    LARAVEL: "Laravel", "php artisan migrate --force";
    MOVINE: "Movine", "movine up";
    MYBATIS: "MyBatis Migrations", "migrate up";
    NODE_PG_MIGRATE_CODE: "node-pg-migrate", "npx node-pg-migrate up";
    PLAY: "Play evolutions", "sbt run";
    POP: "pop", "soda migrate up";
    POSTGRATOR: "Postgrator", "npx postgrator";
    POSTGRES_MIGRATIONS: "postgres-migrations", "npx pg-migrations";
    RAILS: "Rails", "bin/rails db:migrate";
    RAMBLER: "rambler", "rambler apply --all";
    SEA_ORM: "SeaORM", "sea-orm-cli migrate up";
    SEQUELIZE: "Sequelize", "npx sequelize-cli db:migrate";
    SHMIG: "shmig", "shmig up";
    SQITCH: "Sqitch", "sqitch deploy";
    TYPEORM: "TypeORM", "npx typeorm migration:run -d data-source.js";
    YOYO: "yoyo", "yoyo apply --batch";
}

pub(super) const SQLX: Owner = Owner::Read(Tool::Sqlx);
pub(super) const FLYWAY: Owner = Owner::Read(Tool::Flyway);
pub(super) const DBMATE: Owner = Owner::Read(Tool::Dbmate);
pub(super) const GOOSE: Owner = Owner::Read(Tool::Goose);
pub(super) const GOLANG_MIGRATE: Owner = Owner::Read(Tool::GolangMigrate);
pub(super) const DIESEL: Owner = Owner::Read(Tool::Diesel);
pub(super) const REFINERY: Owner = Owner::Read(Tool::Refinery);
pub(super) const PRISMA: Owner = Owner::Read(Tool::Prisma);
pub(super) const DRIZZLE: Owner = Owner::Read(Tool::Drizzle);
pub(super) const SUPABASE: Owner = Owner::Read(Tool::Supabase);
pub(super) const NODE_PG_MIGRATE: Owner = Owner::Read(Tool::NodePgMigrate);
pub(super) const SQL_MIGRATE: Owner = Owner::Read(Tool::SqlMigrate);
pub(super) const TERN: Owner = Owner::Read(Tool::Tern);
pub(super) const ATLAS: Owner = Owner::Read(Tool::Atlas);
pub(super) const LIQUIBASE: Owner = Owner::Read(Tool::Liquibase);
