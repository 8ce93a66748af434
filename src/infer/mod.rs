//! From a database's catalogue to a scenario: rows that its constraints take, and an application
//! that uses its tables. Pure: what only a server can say is asked by whoever has one.

mod catalogue;

pub use catalogue::{
    Attribute, CATALOGUE, Catalogue, Column, Constraint, ConstraintKind, Index, Oid, Referred,
    Statistics, Table, Type, TypeKind,
};
