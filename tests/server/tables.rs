//! The catalogue as the scenario's maker reads it, on the oldest and the newest major.

use pgauntlet::connect::Session;
use pgauntlet::infer::{Catalogue, Column, ConstraintKind, Table, TypeKind};
use pgauntlet::observe;
use rstest::rstest;

use crate::common;

const SCHEMA: &str = "
    CREATE SCHEMA sales;
    CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    CREATE TYPE state AS ENUM ('new', 'paid');
    CREATE TYPE address AS (street text, number positive);
    CREATE TABLE customer (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        email varchar(80) NOT NULL UNIQUE CHECK (email LIKE '%@%'),
        state state DEFAULT 'new',
        home address,
        tags text[],
        points positive,
        twice int GENERATED ALWAYS AS (points * 2) STORED,
        dropped int,
        CHECK (points < 100 OR state = 'paid')
    );
    ALTER TABLE customer DROP COLUMN dropped;
    CREATE TABLE sales.booking (
        id serial,
        customer_id bigint REFERENCES customer ON DELETE CASCADE,
        room int,
        during tstzrange,
        EXCLUDE USING gist (during WITH &&)
    );
    CREATE UNIQUE INDEX low ON customer (lower(email), points) WHERE points > 3;
    CREATE TABLE event (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE event_2024 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE event_rest PARTITION OF event DEFAULT;
    CREATE TABLE seen (id int, at date, FOREIGN KEY (id, at) REFERENCES event);
    ";

async fn read(major: u32) -> Catalogue {
    let address = common::fresh_database_of(major).await;
    let session = Session::open(&address, "test", &[].into()).await.expect("a session");
    session.batch(SCHEMA).await.expect("the schema");
    observe::tables(&session).await.expect("a catalogue")
}

fn table<'c>(catalogue: &'c Catalogue, name: &str) -> &'c Table {
    catalogue.tables.iter().find(|t| t.name == name).expect("the table")
}

fn column<'t>(table: &'t Table, name: &str) -> &'t Column {
    table.columns.iter().find(|c| c.name == name).expect("the column")
}

#[rstest]
#[case::oldest(14)]
#[case::newest(18)]
#[tokio::test]
async fn a_catalogue_says_what_rows_have_to_be(#[case] major: u32) {
    let catalogue = read(major).await;
    assert_eq!(catalogue.version_num / 10_000, major);
    let names: Vec<&str> = catalogue.tables.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["customer", "event", "event_2024", "event_rest", "seen", "booking"]);

    let customer = table(&catalogue, "customer");
    let id = column(customer, "id");
    assert!(id.numbered && id.identity_always && id.not_null && !id.generated);
    let twice = column(customer, "twice");
    assert!(twice.generated && twice.default.is_none());
    assert_eq!(twice.generated_as.as_deref(), Some("((points)::integer * 2)"));
    assert_eq!(column(customer, "email").type_name, "character varying(80)");

    let low = customer.indexes.iter().find(|i| i.name == "low").expect("the index");
    let points = column(customer, "points").number;
    assert_eq!(low.columns, [0, points]);
    assert_eq!(low.definitions, ["lower(email::text)", "points"]);
    assert_eq!(low.predicate.as_deref(), Some("((points)::integer > 3)"));

    let booking = table(&catalogue, "booking");
    assert!(column(booking, "id").numbered && booking.primary_key().is_none());
    let key = booking.constraints.iter().find(|c| c.kind == ConstraintKind::ForeignKey);
    let refers = key.and_then(|k| k.refers.as_ref()).expect("a foreign key");
    assert_eq!((refers.table, &refers.columns, refers.cascades), (customer.oid, &vec![1], true));
    let excluded = booking.constraints.iter().find(|c| c.kind == ConstraintKind::Exclusion);
    assert_eq!(excluded.expect("an exclusion").operators, ["&&"]);

    assert!(table(&catalogue, "event").partitioned);
    let rest = table(&catalogue, "event_rest");
    assert_eq!(rest.bound.as_deref(), Some("DEFAULT"));
    assert_eq!(rest.parents, [table(&catalogue, "event").oid]);
    let admits = table(&catalogue, "event_2024").admits.as_deref().unwrap_or_default();
    assert!(admits.contains("(at >= '2024-01-01'::date)"), "{admits}");
    let keys = table(&catalogue, "seen").constraints.len();
    assert_eq!(keys, 1, "a foreign key to a partitioned table is one");
}

#[tokio::test]
async fn types_are_read_with_what_they_are_made_of() {
    let catalogue = read(18).await;
    let of = |column: &Column| catalogue.type_of(column.type_oid).expect("its type");
    let customer = table(&catalogue, "customer");
    assert_eq!(of(column(customer, "state")).labels, ["new", "paid"]);
    let tags = of(column(customer, "tags"));
    let element = tags.element.and_then(|oid| catalogue.type_of(oid)).expect("the element");
    assert_eq!(element.name, "text");
    let points = of(column(customer, "points"));
    assert_eq!(points.kind, TypeKind::Domain);
    assert_eq!(points.checks.values().collect::<Vec<_>>(), ["(VALUE > 0)"]);
    let home = of(column(customer, "home"));
    assert_eq!((home.kind, home.attributes.len()), (TypeKind::Composite, 2));
    let during = of(column(table(&catalogue, "booking"), "during"));
    assert_eq!(
        during.base.and_then(|oid| catalogue.type_of(oid)).expect("bounds").shown,
        "timestamp with time zone"
    );
}
