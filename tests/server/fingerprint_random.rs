//! Random schemas: equal ones have equal fingerprints, whatever the order in which they were made,
//! and every single change is named. PROPTEST_CASES sets how many are tried.

use std::collections::{BTreeMap, BTreeSet};

use pgauntlet::connect::Session;
use pgauntlet::observe;
use pgauntlet::schema::Fingerprint;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::common;
use crate::ddl;
use crate::ddl::Object;

/// Objects of a schema, at most.
const OBJECTS_MAX: usize = 8;

/// As many cases as fit a test run, or as PROPTEST_CASES says.
fn cases(by_default: u32) -> Config {
    let cases = match std::env::var_os("PROPTEST_CASES") {
        Some(_) => Config::default().cases,
        None => by_default,
    };
    Config { cases, failure_persistence: None, max_shrink_iters: 64, ..Config::default() }
}

/// Each case awaits servers, on a runtime of its own test.
fn hold<S: Strategy>(
    by_default: u32,
    strategy: S,
    mut holds: impl AsyncFnMut(S::Value) -> Result<(), TestCaseError>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let holds = std::cell::RefCell::new(&mut holds);
    let tried = TestRunner::new(cases(by_default))
        .run(&strategy, |value| runtime.block_on((*holds.borrow_mut())(value)));
    tried.unwrap_or_else(|error| panic!("{error}"));
}

async fn database() -> Session {
    let address = common::fresh_database().await;
    let session = Session::open(&address, "test", &BTreeMap::new()).await.expect("a session");
    session.batch(ddl::ROLES).await.expect("the roles");
    session.batch(ddl::GROUND).await.expect("the ground");
    session
}

async fn run(session: &Session, sql: &str) {
    session.batch(sql).await.unwrap_or_else(|error| panic!("failed to {error}\n{sql}"));
}

async fn fingerprint(session: &Session) -> Fingerprint {
    observe::fingerprint(session).await.unwrap_or_else(|e| panic!("failed to {e}"))
}

fn objects() -> impl Strategy<Value = Vec<Object>> {
    prop::collection::vec((0..ddl::kinds(), 0..9_usize), 1..=OBJECTS_MAX).prop_map(|chosen| {
        let numbered = chosen.into_iter().enumerate();
        numbered.map(|(number, (kind, varied))| ddl::object(kind, number, varied)).collect()
    })
}

/// Equal sequences of DDL, of which the order means nothing.
#[test]
fn one_schema_has_one_fingerprint_whatever_the_order_of_its_objects() {
    let orders = objects().prop_flat_map(|made| (Just(made.clone()), Just(made).prop_shuffle()));
    hold(10, orders, async |(one, other)| {
        let (left, right) = (database().await, database().await);
        for (session, objects) in [(&left, &one), (&right, &other)] {
            // Ids that are wasted, and that no fingerprint tells.
            run(session, "CREATE TABLE wasted (); DROP TABLE wasted").await;
            for object in objects {
                run(session, &object.make).await;
            }
        }
        let (left, right) = (fingerprint(&left).await, fingerprint(&right).await);
        let told: Vec<String> = left.diff(&right).iter().map(ToString::to_string).collect();
        prop_assert_eq!(told, [""; 0]);
        prop_assert_eq!(left, right);
        Ok(())
    });
}

/// Making, changing and dropping; each of them, at whatever place of a sequence.
#[test]
fn a_further_statement_changes_the_fingerprint_and_the_diff_names_its_object() {
    let picked = (objects(), prop::collection::vec(any::<prop::sample::Index>(), OBJECTS_MAX));
    hold(10, picked, async |(objects, picks)| {
        let session = database().await;
        let mut before = fingerprint(&session).await;
        let mut steps: Vec<(&str, &str)> = Vec::new();
        steps.extend(objects.iter().map(|object| (&*object.make, &*object.name)));
        for (object, pick) in objects.iter().zip(&picks) {
            let (sql, named) = pick.get(&object.changes);
            steps.push((sql, named));
        }
        steps.extend(objects.iter().map(|object| (&*object.drop, &*object.name)));
        for (sql, named) in steps {
            run(&session, sql).await;
            let after = fingerprint(&session).await;
            let told: Vec<String> = before.diff(&after).iter().map(ToString::to_string).collect();
            let is_named = before.diff(&after).iter().any(|d| d.object == named);
            prop_assert!(is_named, "{} does not name {}: {:#?}", sql, named, told);
            before = after;
        }
        Ok(())
    });
}

/// What chance would leave out: every change of every kind of object, once.
#[tokio::test]
async fn every_change_to_every_kind_of_object_is_named() {
    let session = database().await;
    let mut before = fingerprint(&session).await;
    let ground = before.clone();
    let mut missed = BTreeSet::new();
    for kind in 0..ddl::kinds() {
        let object = ddl::object(kind, 0, 1);
        let made = std::iter::once((&object.make, &object.name));
        let changed = object.changes.iter().map(|(sql, named)| (sql, named));
        for (sql, named) in made.chain(changed) {
            run(&session, sql).await;
            let after = fingerprint(&session).await;
            if !before.diff(&after).iter().any(|d| d.object == *named) {
                missed.insert(format!("{sql} does not name {named}"));
            }
            before = after;
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
    // Nothing of it changed what it was made upon, but for what it was made of.
    let gone: Vec<String> =
        ground.diff(&before).iter().filter(|d| d.to.is_none()).map(ToString::to_string).collect();
    assert_eq!(gone, [""; 0]);
}
