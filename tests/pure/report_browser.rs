//! The page in a real browser: it loads without a complaint, its charts hold the data, a stall
//! opens its graph, the keyboard reaches everything, both schemes can be read, a phone fits.

use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::page::{Run, hostile, long, matrix, stalled};

/// Of text, by the guidelines for accessible content (level AA).
const CONTRAST_LEAST: f64 = 4.5;
const PHONE: u32 = 390;
/// What is measured is told; a busy machine is no reason to fail.
const LOAD_MS_MAX: f64 = 3_000.0;

fn everything() -> Run {
    let mut run = Run::one(stalled());
    let (scenario, history) = long(60, 50);
    run.add(scenario, history);
    run.result.crash_matrices.push(matrix());
    run
}

fn opened(html: &str) -> Browser {
    let mut browser = Browser::start();
    browser.size(1_280, 900, false);
    browser.open(html);
    browser
}

fn centre(browser: &mut Browser, selector: &str) -> (f64, f64) {
    let place = browser.eval(&format!(
        "(() => {{ const e = document.querySelector('{selector}'); \
         e.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
         const r = e.getBoundingClientRect(); \
         return [r.left + r.width / 2, r.top + r.height / 2]; }})()"
    ));
    (place[0].as_f64().expect("a place"), place[1].as_f64().expect("a place"))
}

#[rstest]
#[case::of_everything(everything())]
#[case::of_hostile_texts(Run::one(hostile()))]
fn a_page_loads_without_a_complaint_and_asks_for_nothing_else(#[case] run: Run) {
    let mut browser = opened(&run.page());
    assert_eq!(browser.complaints(), Vec::<String>::new());
    assert_eq!(browser.eval("document.images.length"), json!(0));
    assert_eq!(browser.eval("document.scripts.length"), json!(run.timelines.len() + 1));
}

#[test]
fn pointing_at_a_stall_shows_its_values_and_leaving_shows_the_whole_again() {
    let run = Run::one(stalled());
    let mut browser = opened(&run.page());
    let course = run.timelines[0].as_ref().expect("a course");
    // A moment within the stall.
    let at = 5_250_000;
    let step = course.steps.iter().rfind(|step| step.from_us.0 <= at).expect("a step");
    let (_, y) = centre(&mut browser, ".plot");
    let place = browser.eval(
        "(() => { const r = document.querySelector('.ruler').getBoundingClientRect(); \
         return [r.left, r.width]; })()",
    );
    let (left, width) = (place[0].as_f64().expect("left"), place[1].as_f64().expect("width"));
    browser.move_to(left + width * at as f64 / course.end_us.0 as f64, y);
    browser.until("!document.querySelector('.cross').hidden");
    let output = |browser: &mut Browser, key: &str| {
        let selector = format!("document.querySelector('[data-key={key}]').textContent");
        browser.eval(&selector).as_str().expect("a text").to_owned()
    };
    assert_eq!(output(&mut browser, "p99"), step.p99_us.to_string());
    assert_eq!(output(&mut browser, "max"), step.max_us.to_string());
    assert_eq!(output(&mut browser, "in_use"), step.in_use.to_string());
    assert_eq!(output(&mut browser, "lock_waits"), "3");
    let now = browser.eval("document.querySelector('.now').textContent");
    let now = now.as_str().expect("a text").to_owned();
    assert!(now.contains("5.2 s to 5.3 s · change · UPDATE spans"), "{now}");
    let cross = "document.querySelector('.cross').getBoundingClientRect().left";
    let cross = browser.eval(cross).as_f64().expect("a place");
    assert!((cross - left - width * 5.25 / 23.1).abs() < 2.0, "{cross}");
    browser.move_to(2.0, 2.0);
    browser.until("document.querySelector('.cross').hidden");
    assert_eq!(output(&mut browser, "p99"), "2.90 s");
}

#[test]
fn charts_are_drawn_over_one_time_axis() {
    let mut browser = opened(&Run::one(stalled()).page());
    let boxes = browser.eval(
        "[...document.querySelectorAll('.plot svg, .track, .ruler, .over')].map((e) => { \
         const r = e.getBoundingClientRect(); return [r.left, r.right, r.height]; })",
    );
    let boxes = boxes.as_array().expect("boxes").clone();
    assert_eq!(boxes.len(), 6 + 5 + 2, "six charts, five lanes, a ruler, what lies over them");
    for one in &boxes {
        let near = |a: &Value, b: &Value| (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 0.5;
        assert!(near(&one[0], &boxes[0][0]) && near(&one[1], &boxes[0][1]), "{boxes:?}");
        assert!(one[2].as_f64().is_some_and(|height| height > 10.0), "{boxes:?}");
    }
    // Ink: a path of each line has a length, and reaches as high as its values do.
    let ink = browser.eval(
        "[...document.querySelectorAll('.plot path[fill=none]')].map((p) => p.getTotalLength())",
    );
    let ink = ink.as_array().expect("lengths").clone();
    assert!(ink.len() >= 9 && ink.iter().all(|length| length.as_f64() > Some(1.0)), "{ink:?}");
    let least = browser
        .eval("Math.min(...[...document.querySelectorAll('.bar')].map((b) => b.offsetWidth))");
    assert!(least.as_f64() >= Some(2.0), "{least}");
}

#[test]
fn a_click_on_a_stall_shows_the_graph_and_the_statement_and_escape_closes_it() {
    let mut browser = opened(&Run::one(stalled()).page());
    let (x, y) = centre(&mut browser, ".bar.stall");
    browser.click(x, y);
    browser.until("document.querySelector('dialog').matches(':modal')");
    let text = browser.eval("document.querySelector('dialog').innerText");
    let text = text.as_str().expect("a text");
    for told in ["Stall 1", "3 × insert-span asked for", "UPDATE spans SET", "ALTER TABLE spans"] {
        assert!(text.contains(told), "no {told:?} in {text}");
    }
    let graph = browser.eval(
        "(() => { const r = document.querySelector('dialog .graph').getBoundingClientRect(); \
         return [r.width, r.height, \
         document.querySelectorAll('dialog .graph .edge').length]; })()",
    );
    assert!(graph[0].as_f64() > Some(300.0) && graph[2] == json!(1), "{graph}");
    browser.press("Escape", 27, "");
    browser.until("!document.querySelector('dialog').open");
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn the_keyboard_reaches_a_stall_the_bars_and_the_moment() {
    let mut browser = opened(&Run::one(stalled()).page());
    let mut reached = Vec::new();
    // Once around: behind the last stop comes the first.
    while reached.len() < 200 && !reached.get(1..).is_some_and(|r| r.contains(&reached[0])) {
        browser.press("Tab", 9, "");
        let name = browser.eval(
            "(() => { const e = document.activeElement; \
             return [e.className, e.tagName, e.getAttribute('aria-label') || ''].join(' '); })()",
        );
        let name = name.as_str().expect("a name").to_owned();
        if name.starts_with("bar stall") {
            browser.press("Enter", 13, "\r");
            browser.until("document.querySelector('dialog').open");
            browser.press("Escape", 27, "");
            browser.until("!document.querySelector('dialog').open");
            // The focus is where it was.
            let back = browser.eval("document.activeElement.className");
            assert_eq!(back, json!("bar stall"));
        }
        if name.starts_with("ruler") {
            browser.press("End", 35, "");
            browser.press("ArrowLeft", 37, "");
            let told = browser.eval("document.activeElement.getAttribute('aria-valuetext')");
            assert!(told.as_str().is_some_and(|t| t.starts_with("22.9 s to 23 s")), "{told}");
        }
        reached.push(name);
    }
    for wanted in ["skip", " BUTTON change the", "bar statement", "bar lock", "bar stall", "ruler"]
    {
        assert!(reached.iter().any(|name| name.contains(wanted)), "no {wanted:?}: {reached:#?}");
    }
    // One stop per lane: a lane's other bars are reached by the arrow keys.
    assert!(reached.iter().filter(|name| name.starts_with("bar statement")).count() <= 2);
}

#[rstest]
#[case::as_the_reader_has_it("light", false)]
#[case::as_the_reader_has_it("dark", false)]
#[case::by_the_button("light", true)]
#[case::by_the_button("dark", true)]
fn every_text_can_be_read_in_both_schemes(#[case] scheme: &str, #[case] button: bool) {
    let mut browser = Browser::start();
    let other = if scheme == "dark" { "light" } else { "dark" };
    browser.media(if button { other } else { scheme }, "");
    browser.open(&everything().page());
    if button {
        let (x, y) = centre(&mut browser, "#scheme");
        browser.click(x, y);
        browser.until(&format!("document.documentElement.dataset.theme === '{scheme}'"));
    }
    let (least, at, texts) = browser.contrast();
    println!("{scheme}: least contrast {least:.2} of {texts} texts, at {at}");
    assert!(texts > 200 && least >= CONTRAST_LEAST, "{scheme}: {least:.2} at {at}");
    let paper = if scheme == "dark" { "rgb(21, 24, 28)" } else { "rgb(255, 255, 255)" };
    let shown = browser.eval("getComputedStyle(document.body).backgroundColor");
    assert_eq!(shown, json!(paper));
    // The charts follow: a line has another colour in the other scheme.
    let line = "getComputedStyle(document.querySelector('.plot path[fill=none]')).stroke";
    let wanted = if scheme == "dark" { "rgb(95, 194, 154)" } else { "rgb(43, 122, 91)" };
    assert_eq!(browser.eval(line), json!(wanted));
}

#[test]
fn a_phone_shows_the_page_without_scrolling_sideways() {
    let mut browser = Browser::start();
    browser.size(PHONE, 844, true);
    browser.open(&everything().page());
    assert_eq!(browser.sticking_out(PHONE), Vec::<String>::new());
    // A finger on a chart shows values, and they stay.
    let (x, y) = centre(&mut browser, "[open] .plot");
    browser.tap(x, y);
    browser.until("!document.querySelector('.cross').hidden");
    let (x, y) = centre(&mut browser, ".bar.stall");
    browser.tap(x, y);
    browser.until("document.querySelector('dialog').open");
    let dialog = "document.querySelector('dialog').getBoundingClientRect().right";
    assert!(browser.eval(dialog).as_f64() <= Some(f64::from(PHONE)));
}

#[test]
fn a_link_to_a_trial_opens_it() {
    let mut browser = opened(&everything().page());
    let open = "[...document.querySelectorAll('details.whole')].map((d) => d.open)";
    assert_eq!(browser.eval(open), json!([false, true, false]));
    let (x, y) = centre(&mut browser, "a[href=\"#trial-3\"]");
    browser.click(x, y);
    browser.until("document.querySelector('#trial-3 details').open");
}

#[test]
fn on_paper_everything_is_open_and_no_button_is_left() {
    let mut browser = opened(&everything().page());
    browser.media("dark", "print");
    // What a closed section holds is laid out with the next frame.
    browser.until(
        "[...document.querySelectorAll('.trial h3, .stall-body p, .matrix')] \
         .every((e) => e.checkVisibility())",
    );
    assert_eq!(browser.eval("getComputedStyle(document.body).color"), json!("rgb(27, 32, 38)"));
    let button = "getComputedStyle(document.getElementById('scheme')).display";
    assert_eq!(browser.eval(button), json!("none"));
    let pdf = browser.call("Page.printToPDF", json!({ "printBackground": false }));
    assert!(pdf["data"].as_str().is_some_and(|data| data.len() > 50_000));
}

#[test]
fn an_hour_and_thirty_trials_open_within_a_second() {
    let hour = Run::of(vec![long(3_600, 20)]).page();
    let mut many = Run::default();
    let (scenario, history) = long(120, 20);
    (0..30).for_each(|_| many.add(scenario.clone(), history.clone()));
    let mut browser = Browser::start();
    for (name, html) in [("an hour", hour), ("thirty trials", many.page())] {
        let mut took: Vec<f64> = (0..3)
            .map(|_| {
                browser.open(&html);
                // Until a frame with all of it has been made.
                let frame = "new Promise((done) => requestAnimationFrame(() => \
                             requestAnimationFrame(() => done(performance.now()))))";
                browser.eval(frame).as_f64().expect("a time")
            })
            .collect();
        took.sort_by(f64::total_cmp);
        println!("{name}: {} kB, loaded in {:.0} ms", html.len() / 1_000, took[1]);
        assert!(took[1] < LOAD_MS_MAX, "{name}: {took:?}");
    }
}
