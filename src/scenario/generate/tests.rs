//! What the generators promise, checked on the drawers.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::scenario::{Column, FakeKind, Generator, Sizes, Table};

const ROWS: u64 = 5_000;

fn column(name: &str, generator: Generator, null_fraction: f64) -> Column {
    Column { name: name.to_owned(), null_fraction, generator }
}

fn reference(hit_rate: f64, skew: f64, misses: u64) -> Generator {
    let (table, column) = ("tasks".to_owned(), "id".to_owned());
    Generator::Reference { table, column, hit_rate, skew, misses, newest: 1.0 }
}

fn tables() -> Vec<Table> {
    let tasks = vec![column("id", Generator::Uuid, 0.0), column("number", Generator::Serial, 0.0)];
    let table = |name: &str, columns| Table { name: name.to_owned(), rows: ROWS, columns };
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
    ]
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
