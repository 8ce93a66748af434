//! The judge on constraints that a change takes from tables that stay, or makes others of.

use pgauntlet::scenario::{Accepted, FindingKind, Meant, Verdict};
use rstest::rstest;

use crate::judge_contents::{Objects, catalogue, found};
use crate::made::Made;

type Named = (&'static str, &'static str);

const EMAIL: Named = ("constraint public.users.users_email_key", "UNIQUE (email)");
const SPAN: Named = ("constraint public.users.span", "EXCLUDE USING gist (during WITH &&)");
const KEY: Named = ("constraint public.users.team_fk", "FOREIGN KEY (team) REFERENCES teams(id)");
const CASCADES: Named = (
    "constraint public.users.team_fk2",
    "FOREIGN KEY (team) REFERENCES teams(id) ON DELETE CASCADE",
);
const BY_TEAM: Named =
    ("index public.by_team", "CREATE INDEX by_team ON public.users USING btree (team, email)");
const BY_SOME: Named = (
    "index public.by_team",
    "CREATE INDEX by_team ON public.users USING btree (team) WHERE (email IS NULL)",
);
const EMAILS: Named =
    ("index public.emails", "CREATE UNIQUE INDEX emails ON public.users USING btree (email)");
const SOME_EMAILS: Named = (
    "index public.emails",
    "CREATE UNIQUE INDEX emails ON public.users USING btree (email) WHERE active",
);
const PLAIN: Named =
    ("index public.emails", "CREATE INDEX emails ON public.users USING btree (email)");

fn with_table(of: &[Named]) -> Objects {
    let users = ("table public.users", Vec::new());
    let of = of.iter().map(|(name, definition)| (*name, vec![("definition", *definition)]));
    std::iter::once(users).chain(of).collect()
}

fn judged(before: Objects, after: Objects) -> Made {
    let mut made = Made::with_change();
    made.statement(0, 5_000, 5_010, "ALTER TABLE users ADD note text", false);
    catalogue(&mut made, None, before);
    catalogue(&mut made, Some(0), after);
    made
}

#[rstest]
#[case::a_key(&[EMAIL], &[], Some("nothing enforces users_email_key any more: UNIQUE (email)"))]
#[case::a_key_for_an_index(&[EMAIL], &[EMAILS], None)]
#[case::a_key_for_an_index_of_some(&[EMAIL], &[SOME_EMAILS], Some("users_email_key"))]
#[case::an_index_for_a_key(&[EMAILS], &[EMAIL], None)]
#[case::an_index_that_is_unique_no_more(&[EMAILS], &[PLAIN], Some("nothing enforces emails"))]
#[case::an_exclusion(&[SPAN], &[], Some("EXCLUDE USING gist"))]
#[case::another_name(&[SPAN], &[("constraint public.users.other", SPAN.1)], None)]
#[case::a_cascade(
    &[KEY, BY_TEAM],
    &[CASCADES, BY_TEAM],
    Some("team_fk2 acts otherwise: ON DELETE CASCADE, before: no action")
)]
#[case::a_new_key(
    &[],
    &[KEY],
    Some("no index begins with team: each DELETE of a row of teams reads all of public.users")
)]
#[case::a_new_key_with_an_index(&[], &[KEY, BY_TEAM], None)]
#[case::a_new_key_with_an_index_of_some(&[], &[KEY, BY_SOME], Some("no index begins with team"))]
#[case::nothing(&[EMAIL, KEY], &[EMAIL, KEY], None)]
fn what_a_table_promises_no_more_is_told(
    #[case] before: &[Named],
    #[case] after: &[Named],
    #[case] said: Option<&str>,
) {
    let judgement = judged(with_table(before), with_table(after)).judge();
    let finding = found(&judgement, FindingKind::ConstraintChanged);
    assert_eq!(finding.is_some(), said.is_some(), "{finding:?}");
    if let (Some(finding), Some(said)) = (finding, said) {
        assert_eq!((finding.verdict, judgement.verdict), (Verdict::Safe, Verdict::Safe));
        assert!(finding.sentence.contains(said), "{}", finding.sentence);
    }
}

#[test]
fn a_table_that_is_gone_promises_nothing() {
    let judgement = judged(with_table(&[EMAIL]), Vec::new()).judge();
    assert_eq!(found(&judgement, FindingKind::ConstraintChanged), None);
}

#[test]
fn what_is_accepted_is_not_told() {
    let mut made = judged(with_table(&[EMAIL]), with_table(&[]));
    let difference = Accepted::parse(EMAIL.0);
    made.scenario.accept = vec![Meant { difference, ..Meant::default() }];
    assert_eq!(found(&made.judge(), FindingKind::ConstraintChanged), None);
}
