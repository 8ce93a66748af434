//! The migration tools whose files can be read.

use std::fmt;

use serde::Deserialize;

/// A migration tool whose files can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
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
}

impl Tool {
    /// All of them.
    pub const ALL: [Tool; 7] = [
        Tool::Sqlx,
        Tool::Flyway,
        Tool::Dbmate,
        Tool::Goose,
        Tool::GolangMigrate,
        Tool::Diesel,
        Tool::Refinery,
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
        }
    }
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
