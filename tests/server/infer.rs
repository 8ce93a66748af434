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
    open: &[
        "public.roles has 1998 of",
        "public.rooms has",
        "public.equipment has",
        "public.appointments has",
        "public.practitioner_shifts has",
        "public.prescriptions has",
        "public.prescription_items has",
    ],
};
const DJANGO: Known =
    Known { text: include_str!("../schemas/django.sql"), tables: 33, filled: 33, open: &[] };
const DUMP: Known = Known {
    text: include_str!("../schemas/dump.sql"),
    tables: 0,
    filled: 0,
    open: &["`app.claim_note.claim_id` is no key"],
};
const MUSIC: Known = Known {
    text: include_str!("../schemas/music.sql"),
    tables: 0,
    filled: 0,
    open: &["table `public.link_attribute_type` has no rows to refer to"],
};
const PRISMA: Known = Known {
    text: include_str!("../schemas/prisma.sql"),
    tables: 0,
    filled: 0,
    open: &["`insert-public--categorytopost` is not in kebab-case"],
};
const RAILS: Known =
    Known { text: include_str!("../schemas/rails.sql"), tables: 30, filled: 30, open: &[] };
const SAAS: Known = Known {
    text: include_str!("../schemas/saas.sql"),
    tables: 0,
    filled: 0,
    open: &["table `public.subscriptions` has no rows to refer to"],
};

// 14 does not know NULLS NOT DISTINCT of dump.sql, nor SET NULL (column) of saas.sql.
#[rstest]
#[case::alembic_14(14, ALEMBIC)]
#[case::alembic_15(15, ALEMBIC)]
#[case::alembic_18(18, ALEMBIC)]
#[case::django_14(14, DJANGO)]
#[case::django_15(15, DJANGO)]
#[case::django_18(18, DJANGO)]
#[case::dump_15(15, DUMP)]
#[case::dump_18(18, DUMP)]
#[case::music_14(14, MUSIC)]
#[case::music_15(15, MUSIC)]
#[case::music_18(18, MUSIC)]
#[case::prisma_14(14, PRISMA)]
#[case::prisma_15(15, PRISMA)]
#[case::prisma_18(18, PRISMA)]
#[case::rails_14(14, RAILS)]
#[case::rails_15(15, RAILS)]
#[case::rails_18(18, RAILS)]
#[case::saas_15(15, SAAS)]
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
