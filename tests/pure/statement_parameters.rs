//! What a statement's text says of its parameters.

use pgauntlet::pg::facts::{ColumnName, Usage, parameters};
use rstest::rstest;

/// `1 Equal orders.id@10`, by parameter and use.
fn uses(sql: &str) -> Vec<String> {
    let uses = parameters(sql).unwrap_or_else(|| panic!("it parses: {sql}"));
    let column = |column: &pgauntlet::pg::facts::ColumnAt| match &column.column {
        ColumnName::Named(name) => format!("{}.{name}", column.table),
        ColumnName::Numbered(at) => format!("{}[{at}]", column.table),
    };
    uses.parameters
        .iter()
        .map(|used| {
            let columns: Vec<String> = used.columns.iter().map(column).collect();
            format!("{} {:?} {}", used.number, used.usage, columns.join("|")).trim().to_owned()
        })
        .collect()
}

#[rstest]
#[case("SELECT 1 FROM orders WHERE id = $1", &["1 Equal orders.id"])]
#[case("SELECT 1 FROM shop.\"Orders\" o WHERE $1 = o.\"Id\"", &["1 Equal shop.Orders.Id"])]
#[case("SELECT 1 FROM a, b WHERE x = $1 AND b.y = $2", &["1 Equal a.x|b.x", "2 Equal b.y"])]
#[case("SELECT 1 FROM a x JOIN b y ON y.a = x.id AND y.k = $1 WHERE x.v IN ($2, $3)",
    &["1 Equal b.k", "2 Equal a.v", "3 Equal a.v"])]
#[case("SELECT 1 FROM a WHERE id = ANY ($1) AND v = ANY (ARRAY[$2, 3]) AND w <> ALL ($3::int[])",
    &["1 Among a.id", "2 Equal a.v", "3 Among a.w"])]
#[case("SELECT 1 FROM a WHERE t BETWEEN $1 AND $2::date AND n >= $3",
    &["1 Compared a.t", "2 Compared a.t", "3 Compared a.n"])]
#[case("SELECT 1 FROM a WHERE (t, id) < ($1, $2) ORDER BY t LIMIT $3 OFFSET $4",
    &["1 Compared a.t", "2 Compared a.id", "3 Limit", "4 Offset"])]
#[case("SELECT 1 FROM a WHERE (k, l) IN (($1, $2), ($3, $4))",
    &["1 Equal a.k", "2 Equal a.l", "3 Equal a.k", "4 Equal a.l"])]
#[case("SELECT 1 FROM a WHERE lower(n::text) = lower($1) AND m LIKE '%' || $2 || '%' AND o ~ $3",
    &["1 Equal a.n", "2 Pattern a.m", "3 Regex a.o"])]
#[case("SELECT 1 FROM a WHERE ($1::text IS NULL OR s = $1)", &["1 Equal a.s"])]
#[case("SELECT 1 FROM a WHERE EXISTS (SELECT FROM b WHERE b.a = a.id AND b.k = $1 AND a.z = $2)",
    &["1 Equal b.k", "2 Equal a.z"])]
#[case("WITH r AS (SELECT id AS k, u FROM a) SELECT 1 FROM r WHERE r.k = $1 AND u = $2",
    &["1 Equal a.id", "2 Equal a.u"])]
#[case("WITH r (k) AS (SELECT a.id FROM a) SELECT 1 FROM r WHERE k = $1", &["1 Equal a.id"])]
#[case("SELECT 1 FROM (SELECT * FROM a) AS s WHERE s.k = $1", &["1 Equal a.k"])]
#[case("INSERT INTO a (x, y) VALUES ($1, $2::int), ($3, lower($4))",
    &["1 Inserted a.x", "2 Inserted a.y", "3 Inserted a.x", "4 Inserted a.y"])]
#[case("INSERT INTO a VALUES ($1, $2)", &["1 Inserted a[0]", "2 Inserted a[1]"])]
#[case("INSERT INTO a (x, y) SELECT id, $1 FROM b WHERE k = $2",
    &["1 Inserted a.y", "2 Equal b.k"])]
#[case("INSERT INTO a (x) VALUES ($1) ON CONFLICT (x) DO UPDATE SET y = $2, (z, w) = ($3, $4)",
    &["1 Inserted a.x", "2 Assigned a.y", "3 Assigned a.z", "4 Assigned a.w"])]
#[case("UPDATE a AS t SET x = $1, n = n + $2 FROM b WHERE b.id = t.b AND t.id = $3",
    &["1 Assigned a.x", "2 Added a.n", "3 Equal a.id"])]
#[case("DELETE FROM a USING b WHERE b.id = a.b AND b.k = $1", &["1 Equal b.k"])]
#[case("WITH n AS (INSERT INTO a (x) VALUES ($1) RETURNING id) SELECT 1 FROM n WHERE n.id > $2",
    &["1 Inserted a.x", "2 Compared a.id"])]
#[case("SELECT f($1), now() - $2::interval", &[])]
fn a_parameter_is_used_with_a_column(#[case] sql: &str, #[case] expected: &[&str]) {
    let found: Vec<String> = uses(sql);
    let expected: Vec<String> = expected.iter().map(|use_of| (*use_of).to_owned()).collect();
    let plain = |list: &[String]| {
        let mut list: Vec<String> = list.to_vec();
        list.sort();
        list
    };
    // Outer queries' tables come after one's own; of a name without a qualifier the first counts.
    let first: Vec<String> = found
        .iter()
        .zip(&expected)
        .map(|(found, expected)| match expected.contains('|') {
            true => found.clone(),
            false => found.split('|').next().unwrap_or_default().to_owned(),
        })
        .chain(found.iter().skip(expected.len()).cloned())
        .collect();
    assert_eq!(plain(&first), plain(&expected), "{found:?}");
}

#[test]
fn one_table_named_twice_is_two() {
    let sql = "SELECT 1 FROM a x, a y WHERE x.id = $1 AND x.k = $2 AND y.id = $3";
    let uses = parameters(sql).expect("it parses");
    let items: Vec<usize> = uses.parameters.iter().map(|used| used.columns[0].item).collect();
    assert!(items[0] == items[1] && items[0] != items[2], "{items:?}");
    assert!(uses.parameters.iter().all(|used| used.usage == Usage::Equal));
}
