//! The migration tools whose files can be read.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose files the migrations of a change are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// The tool by whose rules they are read.
    pub tool: Tool,
    /// By what it was recognised, for people; None: the user named it.
    pub by: Option<String>,
}

/// A migration tool whose files can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// sqlx-cli
    Sqlx,
    /// Flyway
    Flyway,
    /// dbmate
    Dbmate,
    /// goose
    Goose,
    /// golang-migrate
    GolangMigrate,
    /// Diesel
    Diesel,
    /// Refinery
    Refinery,
    /// Prisma Migrate
    Prisma,
    /// Drizzle
    Drizzle,
    /// The Supabase CLI
    Supabase,
    /// node-pg-migrate
    NodePgMigrate,
    /// sql-migrate
    SqlMigrate,
    /// tern
    Tern,
    /// Atlas
    Atlas,
    /// Liquibase
    Liquibase,
    /// No tool: psql runs the files in their order
    Plain,
}

impl Tool {
    /// All of them.
    pub const ALL: [Tool; 16] = [
        Tool::Sqlx,
        Tool::Flyway,
        Tool::Dbmate,
        Tool::Goose,
        Tool::GolangMigrate,
        Tool::Diesel,
        Tool::Refinery,
        Tool::Prisma,
        Tool::Drizzle,
        Tool::Supabase,
        Tool::NodePgMigrate,
        Tool::SqlMigrate,
        Tool::Tern,
        Tool::Atlas,
        Tool::Liquibase,
        Tool::Plain,
    ];

    /// The name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Tool::Sqlx => "sqlx",
            Tool::Flyway => "flyway",
            Tool::Dbmate => "dbmate",
            Tool::Goose => "goose",
            Tool::GolangMigrate => "golang-migrate",
            Tool::Diesel => "diesel",
            Tool::Refinery => "refinery",
            Tool::Prisma => "prisma",
            Tool::Drizzle => "drizzle",
            Tool::Supabase => "supabase",
            Tool::NodePgMigrate => "node-pg-migrate",
            Tool::SqlMigrate => "sql-migrate",
            Tool::Tern => "tern",
            Tool::Atlas => "atlas",
            Tool::Liquibase => "liquibase",
            Tool::Plain => "plain",
        }
    }

    /// The program that runs its files, for people.
    pub fn applier(self) -> &'static str {
        match self {
            Tool::Plain => "psql",
            tool => tool.as_str(),
        }
    }

    /// For which statements the tool opens a transaction.
    pub fn transaction_rule(self) -> &'static str {
        match self {
            Tool::Sqlx => "one transaction per file, none where it begins with -- no-transaction",
            Tool::Flyway => {
                "one transaction per file, none where all of its statements need none or its .conf \
                 says executeInTransaction=false"
            }
            Tool::Dbmate => "one transaction per file, none where it says transaction:false",
            Tool::Goose => "one transaction per file, none where it says NO TRANSACTION",
            Tool::GolangMigrate => {
                "no transaction of the tool's; a file is one message, whose statements the server \
                 runs in one"
            }
            Tool::Diesel => {
                "one transaction per file, none where metadata.toml says run_in_transaction = false"
            }
            Tool::Refinery => "one transaction per file, none where it says refinery:noTransaction",
            Tool::Prisma => {
                "no transaction of the tool's; up to 7.3 a file is one message, whose statements \
                 the server runs in one, from 7.4 each statement is sent by itself"
            }
            Tool::Drizzle => "one transaction for all pending files",
            Tool::Supabase => {
                "one transaction per file with its version row; from 2.109 what cannot run in one \
                 runs alone, between two"
            }
            Tool::NodePgMigrate => {
                "one transaction for all pending files (--single-transaction, the default)"
            }
            Tool::SqlMigrate => "one transaction per file, none where its Up says notransaction",
            Tool::Tern => "one transaction per file, none where it says tern: disable-tx",
            Tool::Atlas => "one transaction per file, none where it says atlas:txmode none",
            Tool::Liquibase => {
                "one transaction per changeset, none where it says runInTransaction:false"
            }
            Tool::Plain => "no transaction: every statement by itself, as psql runs a file",
        }
    }

    /// What one of its files looks like.
    pub(super) fn pattern(self) -> &'static str {
        match self {
            Tool::Sqlx => "1_name.sql or 1_name.up.sql",
            Tool::Flyway => "V1__name.sql",
            Tool::Dbmate => "1_name.sql with -- migrate:up",
            Tool::Goose => "1_name.sql with -- +goose Up",
            Tool::GolangMigrate => "1_name.up.sql",
            Tool::Diesel => "1_name/up.sql",
            Tool::Refinery => "V1__name.sql or U1__name.sql",
            Tool::Prisma => "20240102030405_name/migration.sql",
            Tool::Drizzle => {
                "0000_name.sql, listed in meta/_journal.json, or 20240102030405_name/migration.sql"
            }
            Tool::Supabase => "20240102030405_name.sql",
            Tool::NodePgMigrate => "1700000000000_name.sql with -- Up Migration",
            Tool::SqlMigrate => "1_name.sql with -- +migrate Up",
            Tool::Tern => "001_name.sql",
            Tool::Atlas => "20240102030405_name.sql beside atlas.sum",
            Tool::Liquibase => "name.sql with --liquibase formatted sql",
            Tool::Plain => "001_name.sql",
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
