//! What the generators promise, checked on the drawers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::scenario::{Column, FakeKind, Generator, Sizes, Table};

const ROWS: u64 = 5_000;

fn column(name: &str, generator: Generator, null_fraction: f64) -> Column {
    Column { name: name.to_owned(), null_fraction, null_with: None, generator }
}

fn reference(hit_rate: f64, skew: f64, misses: u64) -> Generator {
    let (table, column) = ("tasks".to_owned(), "id".to_owned());
    let (newest, each, earlier, row) = (1.0, None, false, None);
    Generator::Reference {
        table,
        column,
        hit_rate,
        skew,
        misses,
        newest,
        each,
        earlier,
        row,
        nulls: None,
    }
}

fn tables() -> Vec<Table> {
    let tasks = vec![column("id", Generator::Uuid, 0.0), column("number", Generator::Serial, 0.0)];
    let table = |name: &str, columns| Table {
        name: name.to_owned(),
        rows: ROWS,
        columns,
        asked: None,
        unfilled: BTreeMap::new(),
        fitted: Vec::new(),
    };
    vec![table("tasks", tasks), table("spans", vec![])]
}

fn sizes(tasks: u64, spans: u64) -> Sizes {
    Sizes(BTreeMap::from([("tasks".to_owned(), tasks), ("spans".to_owned(), spans)]))
}

fn drawn(seed: u64, generator: Generator, null_fraction: f64, rows: u64) -> Vec<Value> {
    let column = column("c", generator, null_fraction);
    let drawer = Drawer::for_column(&tables(), &sizes(100, rows), seed, "spans", &column);
    let mut rng = stream(seed, "test", 0);
    (0..rows).map(|row| drawer.draw(&mut rng, row)).collect()
}

fn texts(values: &[Value]) -> Vec<String> {
    values.iter().filter_map(Value::to_text).collect()
}

fn any_generator() -> impl Strategy<Value = Generator> {
    let words = || vec!["a".to_owned(), "b".to_owned()];
    prop_oneof![
        Just(Generator::Uuid),
        Just(Generator::Serial),
        (any::<i64>(), any::<i64>())
            .prop_map(|(a, b)| Generator::Integer { min: a.min(b), max: a.max(b) }),
        (0.0..=1.0, 0.0..2.0, 0_u64..50).prop_map(|(hit, skew, n)| reference(hit, skew, n)),
        (0_i64..1 << 50, 0_i64..1 << 50, 0.0..=1.0).prop_map(|(from_us, length, hot_fraction)| {
            let to_us = from_us + length;
            Generator::Timestamp { from_us, to_us, hot_fraction, hot_span_us: length / 3 }
        }),
        any::<bool>().prop_map(|unique| Generator::Fake { kind: FakeKind::Email, unique }),
        (2_u32..500, 0_u32..500)
            .prop_map(|(min, more)| Generator::Json { min_bytes: min, max_bytes: min + more }),
        Just(Generator::Choice { values: words(), weights: vec![1.0, 2.0] }),
        Just(Generator::Constant { value: "x".to_owned() }),
        proptest::option::of(1_u64..9).prop_map(pool),
        Just(Generator::Pattern { pattern: "[A-Z]{2}-[0-9]{5}".to_owned() }),
        (any::<i64>(), any::<i64>(), 0_u32..19).prop_map(|(a, b, scale)| Generator::Decimal {
            min_units: a.min(b),
            max_units: a.max(b),
            scale
        }),
        Just(numbered("user-{n}@example.org")),
        (1_u64..50, 0.0..2.0).prop_map(|(distinct, skew)| repeated(
            Generator::Pattern { pattern: "[a-z]{6}".to_owned() },
            distinct,
            skew
        )),
        chosen(),
    ]
}

fn repeated(of: Generator, distinct: u64, skew: f64) -> Generator {
    Generator::Repeated { of: Box::new(of), distinct, skew }
}

#[rstest::rstest]
#[case::texts(Generator::Pattern { pattern: "[a-z]{8}".to_owned() })]
#[case::keys(Generator::Uuid)]
#[case::numbers(Generator::Integer { min: i64::MIN, max: i64::MAX })]
#[case::times(Generator::Timestamp {
    from_us: 0,
    to_us: 1_000_000_000,
    hot_fraction: 0.0,
    hot_span_us: 0,
})]
fn repeated_values_are_so_many_and_the_same_in_rows_and_parameters(#[case] of: Generator) {
    const ROWS: u64 = 20_000;
    let generator = repeated(of, 40, 1.0);
    let rows = texts(&drawn(1, generator.clone(), 0.0, ROWS));
    let mut counts: BTreeMap<&String, u64> = BTreeMap::new();
    rows.iter().for_each(|text| *counts.entry(text).or_default() += 1);
    assert_eq!(counts.len(), 40);
    // Of 40 ranks with weights 1/k the first has 23 of 100.
    let most = *counts.values().max().expect("values") as f64 / ROWS as f64;
    assert!((0.21..0.26).contains(&most), "{most}");
    let drawer = Drawer::for_parameter(&tables(), &sizes(100, ROWS), 1, &generator, 0.0);
    let mut rng = stream(1, "parameters", 0);
    for number in 0..500 {
        let text = drawer.draw(&mut rng, number).to_text().expect("a value");
        assert!(counts.contains_key(&text), "{text}");
    }
}

fn pool(each: Option<u64>) -> Generator {
    let values = (0..7).map(|n| (n != 3).then(|| format!("line {n}"))).collect();
    let (file, column) = ("pools/t.tsv".to_owned(), "c".to_owned());
    Generator::Pool { file, column, values, each }
}

fn numbered(template: &str) -> Generator {
    Generator::Numbered { template: template.to_owned() }
}

/// A reference that is chosen in one of the new ways.
fn chosen() -> impl Strategy<Value = Generator> {
    (proptest::option::of(1_u64..9), any::<bool>(), any::<bool>())
        .prop_map(|(each, earlier, row)| choosing(each, earlier, row.then_some("one")))
}

fn choosing(each: Option<u64>, earlier: bool, row: Option<&str>) -> Generator {
    let (table, column, row) = ("tasks".to_owned(), "number".to_owned(), row.map(str::to_owned));
    let (hit_rate, skew, misses, newest) = (1.0, 0.0, 10, 1.0);
    Generator::Reference {
        table,
        column,
        hit_rate,
        skew,
        misses,
        newest,
        each,
        earlier,
        row,
        nulls: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_same_seed_draws_the_same_values(generator in any_generator(), seed in any::<u64>()) {
        let first = drawn(seed, generator.clone(), 0.2, 200);
        prop_assert_eq!(first, drawn(seed, generator, 0.2, 200));
    }

    #[test]
    fn integers_stay_within_their_limits(a in any::<i64>(), b in any::<i64>()) {
        let (min, max) = (a.min(b), a.max(b));
        for value in drawn(1, Generator::Integer { min, max }, 0.0, 50) {
            prop_assert!(matches!(value, Value::Int(n) if (min..=max).contains(&n)));
        }
    }

    #[test]
    fn instants_ascend_within_their_range(
        from_us in -1_i64 << 50..1 << 50, length in 0_i64..1 << 50, hot_fraction in 0.0..=1.0,
    ) {
        let (to_us, hot_span_us) = (from_us + length, length / 10);
        let generator = Generator::Timestamp { from_us, to_us, hot_fraction, hot_span_us };
        let mut last = from_us;
        for value in drawn(1, generator, 0.0, 500) {
            let Value::Instant(at) = value else { panic!("{value:?} is no instant") };
            prop_assert!((last..=to_us).contains(&at), "{} after {}", at, last);
            last = at;
        }
    }

    #[test]
    fn documents_parse_and_keep_to_their_sizes(min in 2_u32..2_000, more in 0_u32..2_000) {
        let generator = Generator::Json { min_bytes: min, max_bytes: min + more };
        for text in texts(&drawn(1, generator, 0.0, 20)) {
            prop_assert!((min as usize..=(min + more) as usize).contains(&text.len()));
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
        }
    }

    #[test]
    fn nulls_come_as_often_as_asked(null_fraction in 0.0..=1.0, seed in any::<u64>()) {
        let values = drawn(seed, Generator::Uuid, null_fraction, ROWS);
        let nulls = values.iter().filter(|value| **value == Value::Null).count();
        prop_assert!(close(nulls, null_fraction), "{} of {}", nulls, ROWS);
    }

    #[test]
    fn references_hit_rows_as_often_as_asked(hit_rate in 0.0..=1.0, skew in 0.0..1.5) {
        let keys: BTreeSet<String> = (0..100).map(|row| key(7, "tasks", "id", row)).collect();
        let values = texts(&drawn(7, reference(hit_rate, skew, 20), 0.0, ROWS));
        let (hits, misses): (Vec<_>, Vec<_>) = values.iter().partition(|v| keys.contains(*v));
        prop_assert!(close(hits.len(), hit_rate), "{} of {}", hits.len(), ROWS);
        prop_assert!(misses.into_iter().collect::<BTreeSet<_>>().len() <= 20);
    }

    #[test]
    fn choices_come_as_often_as_their_weights_say(first in 0.0..10.0, second in 0.1..10.0) {
        let values = vec!["a".to_owned(), "b".to_owned()];
        let generator = Generator::Choice { values, weights: vec![first, second] };
        let chosen = texts(&drawn(3, generator, 0.0, ROWS));
        let count = chosen.iter().filter(|text| *text == "a").count();
        prop_assert!(close(count, first / (first + second)), "{} of {}", count, ROWS);
    }
}

/// Within five standard deviations of a binomial count over `ROWS`.
fn close(count: usize, share: f64) -> bool {
    let deviation = (ROWS as f64 * share * (1.0 - share)).sqrt();
    (count as f64 - ROWS as f64 * share).abs() <= 5.0 * deviation + 1.0
}

#[test]
fn a_key_is_a_uuid_that_never_changes() {
    // A change here is a change of every seeded database: seed's format version must follow.
    assert_eq!(key(1, "tasks", "id", 0), "f8b1185e-47a4-420d-901c-6f42fb770455");
    assert_eq!(math::below(&mut stream(1, "purpose", 2), 1 << 32), 6_732_538_178_595_832_852 >> 32);
}

#[test]
fn keys_differ_by_row_column_table_and_seed() {
    let keys: BTreeSet<String> = (0..10_000)
        .map(|row| key(1, "tasks", "id", row))
        .chain([key(2, "tasks", "id", 0), key(1, "spans", "id", 0), key(1, "tasks", "name", 0)])
        .collect();
    assert_eq!(keys.len(), 10_003);
}

#[test]
fn a_skewed_reference_has_few_heavy_rows_and_not_the_first() {
    let mut counts = BTreeMap::<String, usize>::new();
    for text in texts(&drawn(5, reference(1.0, 1.0, 1), 0.0, ROWS)) {
        *counts.entry(text).or_default() += 1;
    }
    let heaviest = counts.values().max().copied().unwrap_or(0);
    let first = counts.get(&key(5, "tasks", "id", 0)).copied().unwrap_or(0);
    assert!(heaviest > 10 * ROWS as usize / 100 && first < heaviest, "{heaviest} {first}");
}

#[test]
fn a_reference_to_a_serial_counts_from_one_and_dangles_below_zero() {
    let generator = Generator::Reference {
        table: "tasks".to_owned(),
        column: "number".to_owned(),
        hit_rate: 0.5,
        skew: 0.0,
        misses: 3,
        newest: 0.1,
        each: None,
        earlier: false,
        row: None,
        nulls: None,
    };
    let found: BTreeSet<i64> = drawn(5, generator, 0.0, ROWS)
        .into_iter()
        .filter_map(|value| if let Value::Int(n) = value { Some(n) } else { None })
        .collect();
    assert_eq!(found, (-3..0).chain(91..=100).collect());
}

#[test]
fn parameters_refer_to_the_rows_and_the_strays_that_columns_refer_to() {
    let (tables, sizes) = (tables(), sizes(10, 0));
    let generator = reference(0.5, 1.0, 2);
    let drawer = Drawer::for_parameter(&tables, &sizes, 9, &generator, 0.0);
    let as_column = column("trace_id", generator, 0.0);
    let column = Drawer::for_column(&tables, &sizes, 9, "spans", &as_column);
    let values = |drawer: &Drawer| -> BTreeSet<String> {
        let mut rng = stream(9, "either", 0);
        (0..1_000).filter_map(|row| drawer.draw(&mut rng, row).to_text()).collect()
    };
    assert_eq!(values(&drawer), values(&column));
}

#[test]
fn a_parameter_never_repeats_a_unique_value_of_a_row() {
    let (tables, sizes) = (tables(), sizes(100, 100));
    for generator in [
        Generator::Uuid,
        Generator::Serial,
        Generator::Fake { kind: FakeKind::Email, unique: true },
        Generator::Fake { kind: FakeKind::Word, unique: true },
        numbered("user-{n}@example.org"),
    ] {
        let named = column("c", generator.clone(), 0.0);
        let rows = Drawer::for_column(&tables, &sizes, 1, "spans", &named);
        let parameters = Drawer::for_parameter(&tables, &sizes, 1, &generator, 0.0);
        let mut rng = stream(1, "unique", 0);
        let mut seen = BTreeSet::new();
        for number in 0..100 {
            seen.extend(rows.draw(&mut rng, number).to_text());
            seen.extend(parameters.draw(&mut rng, number).to_text());
        }
        assert_eq!(seen.len(), 200, "{generator:?}");
    }
}

#[test]
fn a_reference_into_an_empty_table_dangles() {
    let (tables, sizes) = (tables(), sizes(0, 10));
    let drawer = Drawer::for_parameter(&tables, &sizes, 9, &reference(1.0, 1.0, 0), 0.0);
    let value = drawer.draw(&mut stream(9, "empty", 0), 0).to_text();
    assert!(value.is_some_and(|text| text != key(9, "tasks", "id", 0)));
}

#[test]
fn every_value_has_the_text_that_postgres_reads() {
    let values = [
        Value::Null,
        Value::Bool(true),
        Value::Int(-5),
        Value::Text("it's".to_owned()),
        Value::Instant(1_700_000_000_000_001),
    ];
    let texts: Vec<Option<String>> = values.iter().map(Value::to_text).collect();
    let expected = ["true", "-5", "it's", "2023-11-14T22:13:20.000001Z"].map(str::to_owned);
    assert_eq!(texts, [None].into_iter().chain(expected.map(Some)).collect::<Vec<_>>());
}

#[test]
fn columns_of_one_pool_hold_the_same_line_and_lines_come_in_turn() {
    let lines = |each, file: &str| {
        let values = (0..7).map(|n| Some(format!("{n}"))).collect();
        let (file, column) = (file.to_owned(), "c".to_owned());
        drawn(1, Generator::Pool { file, column, values, each }, 0.0, 700)
    };
    assert_eq!(lines(None, "a"), lines(None, "a"));
    assert_ne!(lines(None, "a"), lines(None, "b"));
    let counts = texts(&lines(None, "a")).into_iter().fold(BTreeMap::new(), |mut counts, text| {
        *counts.entry(text).or_insert(0) += 1;
        counts
    });
    assert!(counts.len() == 7 && counts.values().all(|count| (60..140).contains(count)));
    let in_turn = texts(&lines(Some(2), "a"));
    assert_eq!(in_turn[..16].concat(), "0011223344556600");
}

#[test]
fn references_of_one_row_point_at_one_row_and_are_null_together() {
    let (tables, sizes) = (tables(), sizes(100, 500));
    let draw = |name: &str, to: &str, row: Option<&str>| {
        let mut generator = choosing(None, false, row);
        if let Generator::Reference { column, skew, .. } = &mut generator {
            *column = to.to_owned();
            *skew = 0.5;
        }
        let column = column(name, generator, 0.3);
        let drawer = Drawer::for_column(&tables, &sizes, 4, "spans", &column);
        let mut rng = stream(4, name, 0);
        (0..500).map(|row| drawer.draw(&mut rng, row).to_text()).collect::<Vec<_>>()
    };
    let (ids, numbers) = (draw("a", "id", Some("task")), draw("b", "number", Some("task")));
    let mut nulls = 0;
    for (id, number) in ids.iter().zip(&numbers) {
        let row = number.as_ref().map(|n| n.parse::<u64>().expect("a number") - 1);
        assert_eq!(*id, row.map(|row| key(4, "tasks", "id", row)));
        nulls += usize::from(row.is_none());
    }
    assert!((100..200).contains(&nulls), "{nulls}");
    assert_ne!(numbers, draw("b", "number", Some("other")));
    assert_ne!(numbers, draw("b", "number", None));
}

#[test]
fn references_in_turn_make_unique_pairs() {
    let (tables, sizes) = (tables(), sizes(40, 1_000));
    let draw = |each| {
        let column = column("c", choosing(Some(each), false, None), 0.0);
        let drawer = Drawer::for_column(&tables, &sizes, 4, "spans", &column);
        let mut rng = stream(4, "turn", 0);
        texts(&(0..1_000).map(|row| drawer.draw(&mut rng, row)).collect::<Vec<_>>())
    };
    let pairs: BTreeSet<_> = draw(1).into_iter().zip(draw(40)).collect();
    assert_eq!(pairs.len(), 1_000);
}

#[test]
fn an_earlier_row_is_earlier_and_the_first_has_none() {
    for generator in [choosing(None, true, None), choosing(Some(3), true, None)] {
        let values = drawn(1, generator, 0.0, 500);
        assert_eq!(values[0], Value::Null);
        for (row, value) in (0_i64..).zip(&values).skip(1) {
            // A serial is the row and one more.
            assert!(matches!(value, Value::Int(n) if (1..=row).contains(n)), "{row}: {value:?}");
        }
    }
}

#[test]
fn a_reference_to_any_function_of_a_row_is_that_rows_value() {
    let by_row = [
        Generator::Uuid,
        Generator::Serial,
        numbered("t-{n:04}"),
        pool(Some(1)),
        choosing(Some(3), false, None),
        choosing(None, false, Some("pair")),
    ];
    for generator in by_row {
        let mut tables = tables();
        tables[1].columns = vec![column("key", generator.clone(), 0.0)];
        let sizes = Sizes(BTreeMap::from([
            ("tasks".to_owned(), 100),
            ("spans".to_owned(), 60),
            ("marks".to_owned(), 60),
        ]));
        let referring = Generator::Reference {
            table: "spans".to_owned(),
            column: "key".to_owned(),
            hit_rate: 1.0,
            skew: 0.0,
            misses: 1,
            newest: 1.0,
            each: Some(1),
            earlier: false,
            row: None,
            nulls: None,
        };
        let draw = |table: &str, column: &Column| {
            let drawer = Drawer::for_column(&tables, &sizes, 8, table, column);
            let mut rng = stream(8, table, 0);
            (0..60).map(|row| drawer.draw(&mut rng, row)).collect::<Vec<_>>()
        };
        let target = draw("spans", &tables[1].columns[0]);
        assert_eq!(draw("marks", &column("of", referring, 0.0)), target, "{generator:?}");
    }
}

#[test]
fn columns_of_one_group_are_null_in_the_same_rows() {
    let draw = |name: &str, with: Option<&str>| {
        let mut column = column(name, Generator::Serial, 0.4);
        column.null_with = with.map(str::to_owned);
        let drawer = Drawer::for_column(&tables(), &sizes(9, 300), 1, "spans", &column);
        let mut rng = stream(1, name, 0);
        (0..300).map(|row| drawer.draw(&mut rng, row) == Value::Null).collect::<Vec<_>>()
    };
    assert_eq!(draw("a", Some("g")), draw("b", Some("g")));
    assert_ne!(draw("a", Some("g")), draw("a", Some("h")));
    assert_ne!(draw("a", None), draw("b", None));
}

#[test]
fn decimals_have_their_scale_and_stay_within_their_limits() {
    let generator = Generator::Decimal { min_units: -5, max_units: 120, scale: 2 };
    let drawn = texts(&drawn(1, generator, 0.0, ROWS));
    let seen: BTreeSet<&str> = drawn.iter().map(String::as_str).collect();
    assert_eq!(seen.len(), 126);
    assert!(["-0.05", "0.00", "0.07", "1.20"].iter().all(|text| seen.contains(text)), "{seen:?}");
}
