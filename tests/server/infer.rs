//! Schemas of real shape, of which nothing but the text is known: which of their tables get rows,
//! and that the rows satisfy every constraint.

use rstest::rstest;

use crate::inferred;

/// Rows of each table.
const ROWS: u64 = 2_000;

/// A schema of tests/schemas and what came of it when it was last measured.
struct Known {
    text: &'static str,
    tables: usize,
    /// Tables that get rows, at least.
    filled: usize,
    /// What is known to be missing: each fault that is found has one of these texts. A schema that
    /// is met in full has none, and none may be added.
    open: &'static [&'static str],
}

const ALEMBIC: Known = Known {
    text: include_str!("../schemas/alembic.sql"),
    tables: 18,
    filled: 18,
    open: &["public.roles has 1998 of"],
};
const DJANGO: Known =
    Known { text: include_str!("../schemas/django.sql"), tables: 33, filled: 33, open: &[] };
const DUMP: Known =
    Known { text: include_str!("../schemas/dump.sql"), tables: 32, filled: 31, open: &[] };
const MUSIC: Known = Known {
    text: include_str!("../schemas/music.sql"),
    tables: 228,
    filled: 228,
    open: &["public.artist_type has 1994 of", "art_archive.image_type has"],
};
const PRISMA: Known =
    Known { text: include_str!("../schemas/prisma.sql"), tables: 24, filled: 24, open: &[] };
const RAILS: Known =
    Known { text: include_str!("../schemas/rails.sql"), tables: 30, filled: 30, open: &[] };
const SAAS: Known =
    Known { text: include_str!("../schemas/saas.sql"), tables: 27, filled: 27, open: &[] };

// 14 does not know NULLS NOT DISTINCT of dump.sql, nor SET NULL (column) of saas.sql.
#[rstest]
#[case::alembic_14(14, ALEMBIC)]
#[case::alembic_18(18, ALEMBIC)]
#[case::django_15(15, DJANGO)]
#[case::dump_15(15, DUMP)]
#[case::dump_18(18, DUMP)]
#[case::music_18(18, MUSIC)]
#[case::prisma_14(14, PRISMA)]
#[case::rails_15(15, RAILS)]
#[case::saas_18(18, SAAS)]
#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_filled_from_its_text_alone(#[case] major: u32, #[case] known: Known) {
    let is_open = |fault: &&String| known.open.iter().any(|open| fault.contains(open));
    let outcome = match inferred::outcome(major, known.text, ROWS).await {
        Ok(outcome) => outcome,
        Err(error) => return assert!(is_open(&&error), "{error}"),
    };
    assert_eq!(outcome.violated, [""; 0]);
    assert_eq!(outcome.changed, [""; 0]);
    let faults = outcome.faults(ROWS);
    let new: Vec<&String> = faults.iter().filter(|fault| !is_open(fault)).collect();
    assert_eq!(new, [""; 0]);
    assert!(outcome.made.tables.len() >= known.tables);
    assert!(outcome.filled() >= known.filled, "{}: {:#?}", outcome.filled(), outcome.made.remarks);
}
