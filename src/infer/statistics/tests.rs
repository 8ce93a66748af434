//! What becomes of statistics, column by column.

use rstest::rstest;

use super::super::catalogue::{Catalogue, Column, Table, Type};
use super::super::types;
use super::columns::{Likenesses, Spread};
use super::read::{ColumnStatistics, Statistics, TableStatistics};
use super::rows::Rows;
use crate::scenario::generate::{Drawer, stream};
use crate::scenario::{self, FakeKind, Generator, Sizes};

const ROWS: u64 = 10_000;

fn known(distinct: f64, frequencies: &[f64], bounds: Option<[&str; 2]>) -> ColumnStatistics {
    ColumnStatistics {
        distinct,
        width: 11.0,
        frequencies: frequencies.to_vec(),
        bounds: bounds.map(|bounds| bounds.map(str::to_owned)),
        correlation: Some(0.1),
        ..ColumnStatistics::default()
    }
}

/// The generator of a column with that type and those statistics, in a table of `ROWS` of `real`
/// rows.
fn natural(shown: &str, name: &str, statistics: ColumnStatistics) -> Option<Generator> {
    natural_of(shown, name, statistics, ROWS as f64)
}

fn natural_of(
    shown: &str,
    name: &str,
    statistics: ColumnStatistics,
    real: f64,
) -> Option<Generator> {
    let type_modifier = match shown {
        "numeric(6,2)" => (6 << 16) + 2 + 4,
        "character varying(20)" => 24,
        _ => -1,
    };
    let internal = match shown {
        "bigint" => "int8",
        "integer" => "int4",
        "smallint" => "int2",
        "double precision" => "float8",
        "numeric(6,2)" => "numeric",
        "character varying(20)" => "varchar",
        "boolean" => "bool",
        "timestamp with time zone" => "timestamptz",
        other => other,
    };
    let own = Type { oid: 7, name: internal.to_owned(), ..Type::default() };
    let column = Column {
        number: 1,
        name: name.to_owned(),
        type_oid: 7,
        type_modifier,
        type_name: shown.to_owned(),
        ..Column::default()
    };
    let (schema, table) = ("public".to_owned(), "t".to_owned());
    let columns = vec![column.clone()];
    let of = Table { oid: 1, schema, name: table, columns, ..Table::default() };
    let catalogue = Catalogue { tables: vec![of], types: vec![own], ..Catalogue::default() };
    let profile = types::profile(&catalogue, 7, type_modifier, name);
    let statistics = ColumnStatistics { name: name.to_owned(), ..statistics };
    let likenesses = likenesses(&catalogue, vec![statistics], real);
    likenesses.of(1, name).and_then(|likeness| likeness.natural(&profile, &column))
}

fn likenesses(catalogue: &Catalogue, columns: Vec<ColumnStatistics>, real: f64) -> Likenesses {
    let (schema, name) = ("public".to_owned(), "t".to_owned());
    let table =
        TableStatistics { schema, name, tuples: Some(real), columns, ..TableStatistics::default() };
    let statistics = Statistics { tables: vec![table], ..Statistics::default() };
    let rows = Rows { default: ROWS, ..Rows::default() };
    Likenesses::new(catalogue, Some(&statistics), &rows)
}

fn repeated(of: Generator, distinct: u64, skew: f64) -> Option<Generator> {
    Some(Generator::Repeated { of: Box::new(of), distinct, skew })
}

fn pattern(pattern: &str) -> Generator {
    Generator::Pattern { pattern: pattern.to_owned() }
}

#[test]
fn few_values_are_listed_with_their_frequencies() {
    let of = known(4.0, &[0.7, 0.2], None);
    let Some(Generator::Choice { values, weights }) = natural("text", "tier", of) else {
        panic!("a list")
    };
    assert_eq!(values, ["tier-00001", "tier-00002", "tier-00003", "tier-00004"]);
    assert_eq!(weights, [0.7, 0.2, 0.05, 0.05]);
    // Of those that are not NULL, half of the rows.
    let of = ColumnStatistics { null_fraction: 0.5, ..known(2.0, &[0.4, 0.1], None) };
    let Some(Generator::Choice { weights, .. }) = natural("boolean", "active", of) else {
        panic!("a list")
    };
    assert_eq!(weights, [0.8, 0.2]);
    let of = known(3.0, &[0.5, 0.3, 0.2], Some(["10", "20"]));
    let Some(Generator::Choice { values, .. }) = natural("integer", "region", of) else {
        panic!("a list")
    };
    assert_eq!(values, ["10", "15", "20"]);
    // Codes, of which no end is known.
    let Some(Generator::Choice { values, .. }) =
        natural("smallint", "kind", known(3.0, &[0.9], None))
    else {
        panic!("a list")
    };
    assert_eq!(values, ["0", "1", "2"]);
}

#[test]
fn typical_values_are_kept_where_they_suffice() {
    let of = || known(3.0, &[0.9], None);
    let Some(Generator::Choice { values, .. }) = natural("text", "status", of()) else {
        panic!("a list")
    };
    assert_eq!(values, ["active", "pending", "done"]);
    let short = ColumnStatistics { width: 2.0, ..known(30.0, &[], None) };
    let Some(Generator::Choice { values, .. }) = natural("text", "code_of_a_tier", short) else {
        panic!("a list")
    };
    assert_eq!((values.len(), values[0].as_str()), (30, "01"));
}

#[test]
fn many_values_are_as_many_as_uneven_and_as_long() {
    let text = |distinct, frequencies: &[f64]| {
        natural_of("text", "code", known(distinct, frequencies, None), 1e6)
    };
    assert_eq!(text(500.0, &[]), repeated(pattern("[a-z0-9]{5,15}"), 500, 0.0));
    assert_eq!(text(100.0, &[0.192_776]), repeated(pattern("[a-z0-9]{5,15}"), 100, 1.0));
    assert_eq!(text(-1.0, &[]), Some(pattern("[a-z0-9]{5,15}")));
    // Half of all rows, and all of those that have a value.
    let of = ColumnStatistics { null_fraction: 0.5, ..known(-0.5, &[], None) };
    assert_eq!(natural("text", "code", of), Some(pattern("[a-z0-9]{5,15}")));
    let of = ColumnStatistics { width: 21.0, ..known(-1.0, &[], None) };
    let fixed = natural("character varying(20)", "code", of);
    assert_eq!(fixed, Some(pattern("[a-z0-9]{20}")));
    let of = ColumnStatistics { width: 404.0, ..known(-1.0, &[], None) };
    assert_eq!(natural("text", "note", of), Some(pattern("[a-z ]{200,600}")));
    let name = natural("text", "email", known(800.0, &[], None));
    let fake = Generator::Fake { kind: FakeKind::Email, unique: false };
    let Some(Generator::Repeated { of, distinct, .. }) = name else { panic!("repeated") };
    assert_eq!((*of, distinct), (fake, 800));
    let name = natural("text", "email", known(-1.0, &[], None));
    assert_eq!(name, Some(Generator::Fake { kind: FakeKind::Email, unique: true }));
}

#[test]
fn numbers_lie_between_the_ends() {
    let of = |shown, bounds| natural(shown, "n", known(-1.0, &[], Some(bounds)));
    let integer = |min, max| Some(Generator::Integer { min, max });
    assert_eq!(of("bigint", ["-5", "900000"]), integer(-5, 900_000));
    assert_eq!(of("smallint", ["1", "99999"]), integer(1, 32_767));
    let nearly_all = known(900.0, &[], Some(["1", "1000"]));
    assert_eq!(natural("integer", "n", nearly_all), integer(1, 1_000));
    let decimal =
        |min_units, max_units, scale| Some(Generator::Decimal { min_units, max_units, scale });
    assert_eq!(of("numeric(6,2)", ["0.50", "99.99"]), decimal(50, 9_999, 2));
    // A small range has room for as many values behind the point.
    assert_eq!(of("double precision", ["0.001", "0.25"]), decimal(1_000, 250_000, 6));
}

#[test]
fn few_numbers_of_a_wide_range_repeat() {
    let of = known(300.0, &[0.1], Some(["1000", "900000"]));
    let plain = Generator::Integer { min: 1_000, max: 900_000 };
    let found = natural("integer", "n", of);
    let Some(Generator::Repeated { of, distinct, skew }) = found else { panic!("{found:?}") };
    assert_eq!((*of, distinct), (plain, 300));
    assert!((0.6..0.9).contains(&skew), "{skew}");
}

#[test]
fn what_no_number_bounds_is_left_as_it_is() {
    assert_eq!(natural("double precision", "n", known(-1.0, &[], Some(["0", "Infinity"]))), None);
    assert_eq!(natural("numeric(6,2)", "n", known(-1.0, &[], None)), None);
    assert_eq!(natural("integer", "n", known(0.0, &[], Some(["0", "9"]))), None);
    assert_eq!(natural("inet", "n", known(-1.0, &[], None)), None);
}

#[rstest]
#[case::steps(-1.0, ["5", "50005"], 10_000)]
#[case::every_number(-1.0, ["0", "9999"], 10_000)]
#[case::negative(-1.0, ["-90000", "-10"], 10_000)]
#[case::repeating(-0.25, ["100", "20000000"], 2_500)]
#[case::a_small_range(-0.5, ["1", "500"], 500)]
fn numbers_ascend_with_the_rows(
    #[case] distinct: f64,
    #[case] bounds: [&str; 2],
    #[case] values: usize,
) {
    let ascends = Some(0.99);
    let of = ColumnStatistics { correlation: ascends, ..known(distinct, &[], Some(bounds)) };
    let generator = natural("bigint", "n", of).expect("a generator");
    assert!(matches!(generator, Generator::Numbered { .. }), "{generator:?}");
    let column =
        scenario::Column { name: "n".to_owned(), null_fraction: 0.0, null_with: None, generator };
    let drawer = Drawer::for_column(&[], &Sizes::default(), 1, "t", &column);
    let mut rng = stream(1, "test", 0);
    let drawn = (0..ROWS).map(|row| drawer.draw(&mut rng, row).to_text().expect("a value"));
    let drawn: Vec<i64> = drawn.map(|text| text.parse().expect("a number")).collect();
    let [least, most] = bounds.map(|text| text.parse::<i64>().expect("a number"));
    assert!(drawn.is_sorted());
    assert!(drawn.iter().all(|n| (least..=most).contains(n)), "{} {}", drawn[0], drawn[9_999]);
    let mut different = drawn;
    different.dedup();
    let ratio = different.len() as f64 / values as f64;
    assert!((0.5..2.0).contains(&ratio), "{} of {values}", different.len());
}

#[test]
fn numbers_that_would_leave_their_type_do_not_ascend() {
    let bounds = Some(["0", "2147483000"]);
    let of = ColumnStatistics { correlation: Some(1.0), ..known(-1.0, &[], bounds) };
    let plain = Generator::Integer { min: 0, max: 2_147_483_000 };
    assert_eq!(natural("integer", "n", of), Some(plain));
}

#[test]
fn times_ascend_where_the_real_ones_do() {
    let bounds = Some(["2024-01-01 00:00:00+00", "2024-01-31 12:00:00.5+00"]);
    let of = |correlation| ColumnStatistics { correlation, ..known(-1.0, &[], bounds) };
    let times = Generator::Timestamp {
        from_us: 1_704_067_200_000_000,
        to_us: 1_706_702_400_500_000,
        hot_fraction: 0.0,
        hot_span_us: 0,
    };
    let shown = "timestamp with time zone";
    assert_eq!(natural(shown, "at", of(Some(0.95))), Some(times.clone()));
    assert_eq!(natural(shown, "at", of(None)), Some(times.clone()));
    assert_eq!(natural(shown, "at", of(Some(0.9))), repeated(times, 80_000, 0.0));
    let days = ColumnStatistics {
        correlation: Some(-1.0),
        ..known(60.0, &[], Some(["1950-01-01", "2010-12-31"]))
    };
    let found = natural("date", "born", days);
    let Some(Generator::Repeated { distinct: 60, .. }) = found else { panic!("{found:?}") };
    let endless = known(-1.0, &[], Some(["2024-01-01 00:00:00+00", "infinity"]));
    let found = natural(shown, "at", endless);
    let usual = matches!(&found, Some(Generator::Repeated { of, .. })
        if matches!(**of, Generator::Timestamp { from_us: 1_672_531_200_000_000, .. }));
    assert!(usual, "{found:?}");
}

#[test]
fn common_values_are_used_where_they_were_read() {
    let common = |type_name: &str, common: &[&str]| ColumnStatistics {
        type_name: type_name.to_owned(),
        common: common.iter().map(|text| (*text).to_owned()).collect(),
        ..known(2.0, &[0.6, 0.4], None)
    };
    let listed = |values: &[&str]| Generator::Choice {
        values: values.iter().map(|text| (*text).to_owned()).collect(),
        weights: vec![0.6, 0.4],
    };
    let found = natural("text", "tier", common("text", &["gold", "iron"]));
    assert_eq!(found, Some(listed(&["gold", "iron"])));
    let found = natural("boolean", "active", common("boolean", &["f", "t"]));
    assert_eq!(found, Some(listed(&["false", "true"])));
    // A column of another type takes other values.
    let found = natural("integer", "tier", common("text", &["gold", "iron"]));
    assert!(!format!("{found:?}").contains("gold"), "{found:?}");
    let some = ColumnStatistics { distinct: 4.0, ..common("text", &["gold", "iron"]) };
    let some = ColumnStatistics { frequencies: vec![0.5, 0.3], ..some };
    let Some(Generator::Choice { values, weights }) = natural("text", "tier", some) else {
        panic!("a list")
    };
    assert_eq!(values, ["gold", "iron", "tier-00001", "tier-00002"]);
    assert_eq!(weights, [0.5, 0.3, 0.1, 0.1]);
}

#[test]
fn references_are_as_uneven_as_the_real_ones() {
    let table = |oid, name: &str| Table {
        oid,
        schema: "public".to_owned(),
        name: name.to_owned(),
        ..Table::default()
    };
    let tables = vec![table(1, "t"), table(2, "other")];
    let catalogue = Catalogue { tables, ..Catalogue::default() };
    let spread = |distinct, frequencies: &[f64]| {
        let named = known(distinct, frequencies, None);
        let named = ColumnStatistics { name: "other_id".to_owned(), ..named };
        let likenesses = likenesses(&catalogue, vec![named], 1e6);
        likenesses.spread(1, "other_id", 2).expect("known")
    };
    assert_eq!(spread(9_000.0, &[]), Spread { skew: 0.0, newest: 1.0 });
    assert_eq!(spread(20.0, &[0.05]), Spread { skew: 0.0, newest: 0.002 });
    let Spread { skew, newest } = spread(9_000.0, &[0.1]);
    assert!((0.9..1.1).contains(&skew) && newest == 1.0, "{skew} {newest}");
}

#[test]
fn a_share_of_nulls_has_three_digits_and_is_whole_only_where_the_real_one_is() {
    let table =
        Table { oid: 1, schema: "public".to_owned(), name: "t".to_owned(), ..Table::default() };
    let catalogue = Catalogue { tables: vec![table], ..Catalogue::default() };
    let share = |null_fraction| {
        let named =
            ColumnStatistics { name: "n".to_owned(), null_fraction, ..known(1.0, &[], None) };
        likenesses(&catalogue, vec![named], 1e6).of(1, "n").expect("known").null_fraction()
    };
    assert_eq!([0.0, 0.123_44, 0.999_9, 1.0].map(share), [0.0, 0.123, 0.999, 1.0]);
}
