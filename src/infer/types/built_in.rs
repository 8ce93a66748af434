//! Types of the server and of known extensions.

use super::profile::{Kind, Profile, choice, instants};
use super::words;
use crate::scenario::Generator;

/// Digits after the point where numeric has no modifier.
const SCALE: u32 = 2;
/// Digits after the point that values have at most, however many the type has room for.
const DIGITS_MAX: i32 = 6;
/// Lengths of JSON documents.
const JSON_BYTES: (u32, u32) = (40, 400);
/// Texts for a type that nobody knows: one of them may do.
const GUESSES: &[&str] = &[
    "1",
    "0",
    "1.5",
    "a",
    "abc",
    "",
    "t",
    "2024-01-01",
    "00:00:10",
    "(1,2)",
    "[1,2]",
    "{}",
    "[]",
    "{1,2}",
    "()",
    "(1,2),(3,4)",
    "10.0.0.1",
    "a=>1",
    "a.b",
    "<a/>",
    "POINT(1 2)",
    "1.2.3",
    "user@example.org",
    "https://example.org/",
    "\\x01",
];

/// Of a base type by its name in pg_type, for a column of that name.
pub(super) fn profile(type_name: &str, modifier: i32, column: &str) -> Profile {
    number(type_name, modifier, column)
        .or_else(|| text(type_name, modifier, column))
        .or_else(|| time(type_name))
        .or_else(|| network(type_name))
        .or_else(|| shape(type_name))
        .or_else(|| document(type_name))
        .or_else(|| system(type_name))
        .or_else(|| bits(type_name, modifier))
        .or_else(|| extension(type_name, modifier))
        .unwrap_or_else(|| Profile::new(GUESSES, &["{n}"]))
}

fn number(type_name: &str, modifier: i32, column: &str) -> Option<Profile> {
    let (min, max) = words::range_of(column);
    let integer = |least: i64, most: i64| {
        let (min, max) = (min.max(least), max.min(most));
        let values = [min, max, 1, 2, 3, 5, 10, 0, 100, 42];
        let texts: Vec<String> = values.iter().map(i64::to_string).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        Profile::new(&texts, &["{n}"])
            .of_kind(Kind::Integer { min: least, max: most })
            .with(Generator::Integer { min, max })
    };
    Some(match type_name {
        "int2" => integer(i64::from(i16::MIN), i64::from(i16::MAX)),
        "int4" => integer(i64::from(i32::MIN), i64::from(i32::MAX)),
        "int8" => integer(i64::MIN, i64::MAX),
        "numeric" => {
            let (precision, scale) = match modifier {
                4.. => (((modifier - 4) >> 16) & 0xffff, (modifier - 4) & 0x7ff),
                _ => (15, SCALE as i32),
            };
            // Since 15 a scale may be negative.
            let scale = if scale > 1023 { scale - 2048 } else { scale };
            decimal(precision - scale, scale.clamp(0, DIGITS_MAX).unsigned_abs(), min, max)
        }
        "float4" | "float8" => decimal(6, SCALE, min, max),
        "money" => Profile::new(&["1.00", "99.95", "0", "1000.00", "12.34"], &["{n}"])
            .of_kind(Kind::Decimal { scale: 2, below: 1e6 }),
        "bool" => Profile::new(&["true", "false"], &[])
            .with(choice(&["true".to_owned(), "false".to_owned()])),
        _ => return None,
    })
}

fn decimal(whole: i32, scale: u32, min: i64, max: i64) -> Profile {
    let below = 10_f64.powi(whole);
    let most = (below - 1.0).max(0.0);
    // 0.99 of numeric(2,2) is as large as it gets.
    let largest = match most < 1.0 {
        true => format!("0.{}", "9".repeat(scale as usize)),
        false => (max as f64).min(most).floor().to_string(),
    };
    let least = if most < 1.0 { 0 } else { min.max(-(most as i64)) };
    let candidates = [least.to_string(), largest.clone(), "0".to_owned(), "1".to_owned()];
    let more = ["0.5", "2", "10", "12.5", "99.9", "100"];
    let candidates: Vec<&str> = candidates.iter().map(String::as_str).chain(more).collect();
    let template = if most < 1.0 { format!("0.{{n:0{scale}}}") } else { "{n}".to_owned() };
    Profile::new(&candidates, &[&template])
        .of_kind(Kind::Decimal { scale, below })
        .with(units(least, &largest, scale))
}

/// Decimals between these, in units of the last digit.
fn units(least: i64, largest: &str, scale: u32) -> Generator {
    let unit = 10_f64.powi(scale as i32);
    let most = largest.parse::<f64>().unwrap_or(1.0);
    Generator::Decimal {
        min_units: (least as f64 * unit) as i64,
        max_units: (most * unit) as i64,
        scale,
    }
}

fn text(type_name: &str, modifier: i32, column: &str) -> Option<Profile> {
    let longest = match type_name {
        "text" | "citext" => usize::MAX,
        "varchar" | "bpchar" => match modifier {
            4.. => (modifier - 4).unsigned_abs() as usize,
            _ => usize::MAX,
        },
        "name" => 63,
        "char" => 1,
        _ => return None,
    };
    Some(words::text(column, longest))
}

fn time(type_name: &str) -> Option<Profile> {
    let day = [
        "2024-01-01",
        "2023-06-15",
        "2022-03-01",
        "2024-02-29",
        "2021-12-31",
        "2020-07-04",
        "2000-01-01",
        "1990-05-17",
    ];
    let instant = [
        "2024-01-01 00:00:00+00",
        "2023-06-15 12:30:00+00",
        "2022-03-01 08:00:00+00",
        "2023-06-15 13:30:00+00",
        "2021-12-31 23:59:59+00",
        "2020-07-04 06:15:00+00",
    ];
    Some(match type_name {
        "date" => Profile::new(&day, &["{n:date}"]).of_kind(Kind::Date).with(instants()),
        "timestamp" | "timestamptz" => Profile::new(&instant, &["{n*60:time}", "{n:time}"])
            .of_kind(Kind::Instant)
            .with(instants()),
        "time" => Profile::new(
            &["09:00:00", "12:30:00", "17:00:00", "00:00:00", "23:59:59"],
            &["{n/3600%24:02}:{n/60%60:02}:{n%60:02}"],
        ),
        "timetz" => Profile::new(
            &["09:00:00+00", "12:30:00+00", "17:00:00+02"],
            &["{n/3600%24:02}:{n/60%60:02}:{n%60:02}+00"],
        ),
        "interval" => Profile::new(
            &["1 hour", "30 minutes", "1 day", "7 days", "1 mon", "00:00:10", "0"],
            &["{n} seconds"],
        ),
        _ => return None,
    })
}

fn network(type_name: &str) -> Option<Profile> {
    Some(match type_name {
        "uuid" => Profile::new(
            &["6f1d3c1e-6b0a-4a5c-9d0e-2f6b8a1c4d01", "0b9f2f5e-3a47-4e0e-8f5d-7f1f0a2b3c04"],
            &["{n:08x}-0000-4000-8000-{n:012x}"],
        )
        .with(Generator::Uuid),
        "inet" => Profile::new(
            &["192.168.1.10", "10.0.0.1", "172.16.4.2", "2001:db8::1", "10.1.0.0/16"],
            &["10.{n/65536%256}.{n/256%256}.{n%256}"],
        ),
        "cidr" => Profile::new(
            &["10.0.0.0/8", "192.168.1.0/24", "2001:db8::/32"],
            &["10.{n/65536%256}.{n/256%256}.{n%256}/32"],
        ),
        "macaddr" => Profile::new(
            &["08:00:2b:01:02:03", "08:00:2b:0a:0b:0c"],
            &["08:00:2b:{n/65536%256:02x}:{n/256%256:02x}:{n%256:02x}"],
        ),
        "macaddr8" => Profile::new(
            &["08:00:2b:01:02:03:04:05", "08:00:2b:0a:0b:0c:0d:0e"],
            &["08:00:2b:01:02:{n/65536%256:02x}:{n/256%256:02x}:{n%256:02x}"],
        ),
        _ => return None,
    })
}

fn shape(type_name: &str) -> Option<Profile> {
    Some(match type_name {
        "point" => Profile::new(&["(1,2)", "(0,0)", "(13.4,52.5)"], &["({n},{n})"]),
        "line" => Profile::new(&["{1,-1,0}", "{1,2,3}"], &[]),
        "lseg" => Profile::new(&["[(0,0),(1,1)]", "[(1,2),(3,4)]"], &["[({n},0),({n},1)]"]),
        "box" => Profile::new(&["(1,1),(0,0)", "(3,4),(1,2)"], &["({n*2+1},1),({n*2},0)"]),
        "path" => Profile::new(&["[(0,0),(1,1),(2,0)]", "((0,0),(1,1),(2,0))"], &[]),
        "polygon" => {
            Profile::new(&["((0,0),(1,1),(2,0))"], &["(({n*4},0),({n*4+1},1),({n*4+2},0))"])
        }
        "circle" => Profile::new(&["<(0,0),1>", "<(1,2),3>"], &["<({n*4},0),1>"]),
        _ => return None,
    })
}

fn document(type_name: &str) -> Option<Profile> {
    let json = [
        "{}",
        "{\"a\": 1}",
        "[]",
        "{\"name\": \"a\", \"tags\": [\"x\", \"y\"], \"n\": 3}",
        "[1, 2]",
        "\"text\"",
        "1",
        "true",
        "null",
        "[{\"a\": 1}]",
    ];
    Some(match type_name {
        "json" | "jsonb" => Profile::new(&json, &["{{\"n\": {n}}}", "[{n}]", "{n}"])
            .of_kind(Kind::Json)
            .with(Generator::Json { min_bytes: JSON_BYTES.0, max_bytes: JSON_BYTES.1 }),
        "jsonpath" => Profile::new(&["$.a", "$.tags[*]"], &["$.a{n}"]),
        "xml" => Profile::new(&["<a/>", "<order><id>1</id></order>"], &[]),
        "tsvector" => Profile::new(&["'fat':2 'cat':3", "'order':1", ""], &["w{n}"]),
        "tsquery" => Profile::new(&["'fat' & 'cat'", "'order'"], &["w{n}"]),
        "bytea" => Profile::new(&["\\x", "\\x00", "\\xdeadbeef"], &["\\x{n:08x}", "\\x{n:064x}"])
            .of_kind(Kind::Bytes),
        _ => return None,
    })
}

/// Types of the catalogue, which tables of users have now and then.
fn system(type_name: &str) -> Option<Profile> {
    Some(match type_name {
        "oid" | "xid" | "cid" | "xid8" => Profile::new(&["1", "2", "100"], &["{n}"]),
        "tid" => Profile::new(&["(0,1)", "(1,2)"], &["({n},1)"]),
        "pg_lsn" => Profile::new(&["0/1", "0/16B3748"], &["0/{n:x}"]),
        "pg_snapshot" | "txid_snapshot" => Profile::new(&["1:1:", "10:20:10,14"], &[]),
        "regclass" => Profile::new(&["pg_class", "pg_type"], &[]),
        "regtype" => Profile::new(&["integer", "text"], &[]),
        "regproc" => Profile::new(&["array_append", "pg_backend_pid"], &[]),
        "regprocedure" => Profile::new(&["abs(integer)", "lower(text)"], &[]),
        "regoper" => Profile::new(&["||/", "!~~*"], &[]),
        "regoperator" => Profile::new(&["+(integer,integer)", "=(text,text)"], &[]),
        "regrole" => Profile::new(&["pg_monitor", "pg_read_all_stats"], &[]),
        "regnamespace" => Profile::new(&["pg_catalog", "public"], &[]),
        "regcollation" => Profile::new(&["\"C\"", "\"POSIX\""], &[]),
        "regconfig" => Profile::new(&["english", "simple"], &[]),
        "regdictionary" => Profile::new(&["simple", "english_stem"], &[]),
        "regdatabase" => Profile::new(&["postgres", "template1"], &[]),
        "refcursor" => Profile::new(&["c1", "c2"], &["c{n}"]),
        "int2vector" | "oidvector" => Profile::new(&["1 2", "", "3"], &["{n}"]),
        "aclitem" => Profile::new(&["=r/postgres", "=U/postgres"], &[]),
        _ => return None,
    })
}

fn bits(type_name: &str, modifier: i32) -> Option<Profile> {
    let longest = if modifier > 0 { modifier.unsigned_abs() as usize } else { 1 };
    let texts = match type_name {
        "bit" => vec!["0".repeat(longest), "1".repeat(longest)],
        "varbit" => vec!["1".to_owned(), "0".to_owned(), "1".repeat(longest), String::new()],
        _ => return None,
    };
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    Some(Profile::new(&texts, &[]))
}

fn extension(type_name: &str, modifier: i32) -> Option<Profile> {
    let dimensions = if modifier > 0 { modifier.unsigned_abs() as usize } else { 3 };
    let vector = |step: usize| {
        let parts: Vec<String> =
            (0..dimensions).map(|i| format!("0.{}", (i * step + 1) % 10)).collect();
        format!("[{}]", parts.join(","))
    };
    Some(match type_name {
        "hstore" => Profile::new(&["a=>1", "a=>1,b=>2", ""], &["a=>{n}"]),
        "ltree" => Profile::new(&["top", "top.science", "top.science.astronomy"], &["top.n{n}"]),
        "lquery" => Profile::new(&["top.*", "*.science"], &[]),
        "ltxtquery" => Profile::new(&["science & astronomy"], &[]),
        "vector" | "halfvec" => {
            let texts = [vector(1), vector(3), vector(7)];
            Profile::new(&texts.each_ref().map(String::as_str), &[])
        }
        "sparsevec" => Profile::new(&[&format!("{{1:0.5}}/{dimensions}")], &[]),
        "cube" => Profile::new(&["(1,2,3)", "(0,0,0),(1,1,1)"], &["({n},0,0)"]),
        "seg" => Profile::new(&["1 .. 2", "5"], &["{n}"]),
        "lo" => Profile::new(&["1", "2"], &["{n}"]),
        "isbn13" => Profile::new(&["978-0-393-04002-9"], &[]),
        "isbn" => Profile::new(&["0-393-04002-X"], &[]),
        "issn13" => Profile::new(&["977-1436-452-00-8"], &[]),
        "issn" => Profile::new(&["1436-4522"], &[]),
        "ismn13" | "ismn" => Profile::new(&["979-0-2600-0043-8", "M-2600-0043-8"], &[]),
        "ean13" => Profile::new(&["978-0-393-04002-9", "400-638133393-1"], &[]),
        "upc" => Profile::new(&["220356483481", "036000291452"], &[]),
        "geometry" | "geography" => Profile::new(
            &[
                "POINT(13.4 52.5)",
                "POINT(1 2)",
                "LINESTRING(0 0,1 1)",
                "POLYGON((0 0,0 1,1 1,0 0))",
            ],
            &[],
        ),
        _ => return None,
    })
}
