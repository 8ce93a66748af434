//! Asks a server which types the parameters of statements have, and whether it takes them.

use std::collections::BTreeMap;

use tokio_postgres::error::ErrorPosition;
use tokio_postgres::types::{Kind, Type as Described};

use crate::connect::{self, Session, server_error};
use crate::infer::{Catalogue, Oid, Query, QueryStatement, Type, TypeKind};

use super::Error;

/// Why a server does not take a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The statement's position in its query.
    pub statement: usize,
    /// Byte of the statement's text that the server means; None: it does not say.
    pub at: Option<usize>,
    /// What the server said.
    pub message: String,
}

/// Types of a query's parameters by statement, or why the server refused one.
pub type Types = Result<Vec<Vec<Oid>>, Refusal>;

/// Prepares each statement, in a database with the tables. Types that no column has are added to
/// the catalogue.
///
/// # Errors
/// The session is gone.
pub async fn describe(
    session: &Session,
    catalogue: &mut Catalogue,
    queries: &[Query],
) -> Result<Vec<Types>, Error> {
    let mut found = Vec::with_capacity(queries.len());
    for query in queries {
        found.push(of_query(session, catalogue, query).await?);
    }
    Ok(found)
}

async fn of_query(
    session: &Session,
    catalogue: &mut Catalogue,
    query: &Query,
) -> Result<Types, Error> {
    let mut types = Vec::new();
    for (at, statement) in query.statements.iter().enumerate() {
        match session.client().prepare(&statement.sql).await {
            Ok(prepared) => {
                for known in prepared.params() {
                    add(&mut catalogue.types, known);
                }
                let described = prepared.params().iter().map(Described::oid).collect::<Vec<_>>();
                if described.len() != statement.parameters.len() {
                    let message = format!(
                        "it has {} parameters, and the server knows {}",
                        statement.parameters.len(),
                        described.len()
                    );
                    return Ok(Err(Refusal { statement: at, at: None, message }));
                }
                types.push(described);
            }
            Err(error) => return refused(at, statement, &error).map(Err),
        }
    }
    Ok(Ok(types))
}

/// What the server says is an answer; anything else is none.
fn refused(
    at: usize,
    statement: &QueryStatement,
    error: &tokio_postgres::Error,
) -> Result<Refusal, Error> {
    let Some(db) = error.as_db_error() else {
        return Err(connect::Error::query(&statement.sql, error).into());
    };
    let character = match db.position() {
        Some(ErrorPosition::Original(position)) => Some(*position as usize),
        _ => None,
    };
    let byte = character.and_then(|number| {
        statement.sql.char_indices().nth(number.checked_sub(1)?).map(|(byte, _)| byte)
    });
    let said = server_error(error);
    let hint = said.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    Ok(Refusal { statement: at, at: byte, message: format!("{}{hint}", said.message) })
}

/// Adds a type, and what it is made of.
fn add(known: &mut Vec<Type>, described: &Described) {
    if known.iter().any(|known| known.oid == described.oid()) {
        return;
    }
    let mut made = Type {
        oid: described.oid(),
        schema: described.schema().to_owned(),
        name: described.name().to_owned(),
        shown: described.name().to_owned(),
        binary: true,
        type_modifier: -1,
        category: category(described).to_owned(),
        ..Type::default()
    };
    match described.kind() {
        Kind::Enum(labels) => {
            made.kind = TypeKind::Enum;
            made.labels.clone_from(labels);
        }
        Kind::Array(element) => {
            made.element = Some(element.oid());
            made.shown = format!("{}[]", element.name());
        }
        Kind::Range(bounds) => {
            (made.kind, made.base) = (TypeKind::Range, Some(bounds.oid()));
        }
        Kind::Multirange(ranges) => {
            (made.kind, made.base) = (TypeKind::Multirange, Some(ranges.oid()));
        }
        Kind::Domain(base) => {
            (made.kind, made.base) = (TypeKind::Domain, Some(base.oid()));
        }
        _ => {}
    }
    known.push(made);
    if let Kind::Array(part) | Kind::Range(part) | Kind::Multirange(part) | Kind::Domain(part) =
        described.kind()
    {
        add(known, part);
    }
}

/// `typcategory`, as far as values are chosen by it.
fn category(described: &Described) -> &'static str {
    let by_name: BTreeMap<&str, &str> = [
        ("text", "S"),
        ("varchar", "S"),
        ("bpchar", "S"),
        ("name", "S"),
        ("citext", "S"),
        ("int2", "N"),
        ("int4", "N"),
        ("int8", "N"),
        ("numeric", "N"),
        ("float4", "N"),
        ("float8", "N"),
        ("money", "N"),
    ]
    .into();
    match described.kind() {
        Kind::Array(_) => "A",
        Kind::Enum(_) => "E",
        _ => by_name.get(described.name()).copied().unwrap_or("U"),
    }
}
