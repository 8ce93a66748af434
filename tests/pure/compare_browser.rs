//! The page of a comparison in a real browser: no complaint, both schemes, a phone, its links.

use pgauntlet::compare::{Baseline, Comparison, Options, TrialSamples, compare};
use pgauntlet::report::comparison_html;
use rand::SeedableRng as _;
use rand::rngs::ChaCha8Rng;
use rstest::rstest;
use serde_json::json;

use crate::browser::Browser;
use crate::synthetic::{METRICS, made, side};

/// Of text, by the guidelines for accessible content (level AA).
const CONTRAST_LEAST: f64 = 4.5;
const PHONE: u32 = 390;

fn named(name: &str, mut trial: TrialSamples) -> TrialSamples {
    name.clone_into(&mut trial.key.scenario);
    trial
}

/// One trial whose change takes twice as long, one that is the same, one in which B ran once.
fn several() -> Comparison {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut make = |change: f64, few: usize| -> Baseline {
        let slow = made(5, 0.02).change(change).trial(&mut rng);
        let same = made(5, 0.02).trial(&mut rng);
        let once = made(few, 0.02).trial(&mut rng);
        side([named("a-same", same), named("b-once", once), named("c-slow", slow)])
    };
    let (a, b) = (make(1.0, 5), make(2.0, 1));
    compare(("nights/before", &a), ("nights/<after>", &b), &Options::default())
}

fn opened(html: &str) -> Browser {
    let mut browser = Browser::start();
    browser.size(1_280, 900, false);
    browser.open(html);
    browser
}

#[test]
fn every_pair_and_number_is_there_and_the_worst_alone_is_open() {
    let mut browser = opened(&comparison_html(&several()));
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let pairs = browser.eval(
        "[...document.querySelectorAll('section.trial')].map((s) => [ \
         s.querySelector('summary b').textContent, s.querySelector('h2').textContent, \
         s.querySelector('details').open, s.querySelectorAll('.metrics tbody tr').length ])",
    );
    let wanted = json!([
        ["worse", "c-slow / base / pg 16", true, METRICS],
        ["undecided", "b-once / base / pg 16", false, METRICS],
        ["same", "a-same / base / pg 16", false, METRICS],
    ]);
    assert_eq!(pairs, wanted);
    let heading = browser.eval("document.querySelector('h1').textContent");
    assert_eq!(heading, json!("nights/<after> against nights/before"));
    // The dot of what takes twice as long lies right of 1, by half of the way to 4.
    let drawn = browser.eval(
        "(() => { const row = [...document.querySelectorAll('[open] .metrics tr')] \
         .find((r) => r.cells[1].textContent === 'the change'); \
         const x = (s, k) => parseFloat(row.querySelector(s).getAttribute(k)); \
         return [x('circle', 'cx'), x('.one', 'x1'), \
         row.querySelector('svg').getBoundingClientRect().width]; })()",
    );
    let number = |index: usize| drawn[index].as_f64().expect("a number");
    assert!((number(0) - number(1) - 37.0).abs() < 4.0 && number(2) > 100.0, "{drawn}");
}

#[test]
fn a_link_in_the_table_opens_its_pair() {
    let mut browser = opened(&comparison_html(&several()));
    browser.eval("document.querySelector('a[href=\"#trial-2\"]').click()");
    browser.until("document.querySelector('#trial-2 details').open");
}

#[rstest]
#[case("light")]
#[case("dark")]
fn every_text_can_be_read(#[case] scheme: &str) {
    let mut browser = Browser::start();
    browser.media(scheme, "");
    browser.open(&comparison_html(&several()));
    let (least, at, texts) = browser.contrast();
    println!("{scheme}: least contrast {least:.2} of {texts} texts, at {at}");
    assert!(texts > 200 && least >= CONTRAST_LEAST, "{scheme}: {least:.2} at {at}");
}

#[test]
fn a_phone_shows_it_without_scrolling_sideways() {
    let mut browser = Browser::start();
    browser.size(PHONE, 844, true);
    browser.open(&comparison_html(&several()));
    assert_eq!(browser.sticking_out(PHONE), Vec::<String>::new());
}
