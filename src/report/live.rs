//! Shows progress while a run goes on: a live line on a terminal, a plain log elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::history::{Listener, Phase, Progress, TrafficGauge};
use crate::pg::lex::one_line;
use crate::stats::grouped;

use super::live_words::{figures, phase_left, run_left};
use super::plain::plain;

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(120);
/// A plain log says how far seeding is this often.
const LOG_INTERVAL: Duration = Duration::from_secs(5);

/// How much of a run's progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A live line where standard error is a terminal, else a log.
    Auto,
    /// A log, also on a terminal: every event in a line with its time.
    Verbose,
    /// Nothing.
    Quiet,
}

/// The display of one run, on standard error.
pub struct Live {
    state: Mutex<LiveState>,
}

struct LiveState {
    bar: Option<ProgressBar>,
    quiet: bool,
    verbose: bool,
    began: Instant,
    /// Trials before this one, and how many there are.
    done: (usize, usize),
    trial: String,
    phase: String,
    phase_began: Instant,
    /// How long it takes at most, and whether that is exact.
    phase_length: Option<(Duration, bool)>,
    statement: String,
    /// The last figures of the traffic, for the rate.
    gauge: Option<TrafficGauge>,
    lock_queue: usize,
    seeding: Option<(String, Instant, u64)>,
    logged: Option<Instant>,
}

impl Live {
    /// Starts the display.
    pub fn start(mode: Mode) -> Arc<Live> {
        let quiet = mode == Mode::Quiet;
        let verbose = mode == Mode::Verbose;
        let bar = (!quiet && !verbose && std::io::stderr().is_terminal()).then(spinner);
        let state = LiveState {
            bar,
            quiet,
            verbose,
            began: Instant::now(),
            done: (0, 0),
            trial: String::new(),
            phase: String::new(),
            phase_began: Instant::now(),
            phase_length: None,
            statement: String::new(),
            gauge: None,
            lock_queue: 0,
            seeding: None,
            logged: None,
        };
        Arc::new(Live { state: Mutex::new(state) })
    }

    /// The listener that feeds the display.
    pub fn listener(self: &Arc<Live>) -> Listener {
        let live = Arc::clone(self);
        Arc::new(move |progress| live.with(|state| state.hear(progress)))
    }

    /// Prints to standard output without tearing the live line.
    pub fn print(&self, text: &str) {
        self.with(|state| {
            let write = || {
                let mut out = anstream::stdout().lock();
                // A closed pipe is the reader's wish; the exit code still tells the outcome.
                let _ = writeln!(out, "{}", plain(text));
                let _ = out.flush();
            };
            match &state.bar {
                Some(bar) => bar.suspend(write),
                None => write(),
            }
        });
    }

    /// Takes the live line away.
    pub fn end(&self) {
        self.with(|state| {
            if let Some(bar) = state.bar.take() {
                bar.finish_and_clear();
            }
        });
    }

    fn with(&self, act: impl FnOnce(&mut LiveState)) {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    // The template is a constant; one that did not parse would leave the default spinner.
    let template = "{spinner} [{elapsed_precise}] {prefix}\n  {wide_msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}

impl LiveState {
    fn hear(&mut self, progress: Progress) {
        match progress {
            Progress::Server(sentence) | Progress::SeedStep(sentence) => {
                self.seeding = None;
                self.say(&sentence);
            }
            Progress::Seeding { table, rows, of } => self.seeding(&table, rows, of),
            Progress::Trial { scenario, number, of } => {
                self.trial = format!("{number}/{of} {scenario}");
                self.done = (number.saturating_sub(1), of);
                self.enter("");
                let trial = self.trial.clone();
                self.say(&trial);
            }
            Progress::Phase(phase) => {
                self.enter(phase_words(phase));
                let text = format!("{}: {}", self.trial, self.phase);
                match self.bar {
                    Some(_) => self.show_only(""),
                    None => self.say(&text),
                }
            }
            Progress::PhaseLength { most, exactly } => {
                self.phase_length = Some((most.duration(), exactly));
            }
            Progress::LockQueue(waiting) => {
                self.lock_queue = waiting;
                self.detail(&format!("lock queue {waiting}"));
            }
            Progress::Case { done, of, kind, statement } => {
                let statement = one_line(&statement);
                let text = format!("{done} of {of} cases · {kind}: {statement}");
                match self.bar {
                    Some(_) => self.show_only(&text),
                    None => self.say_or_detail(&format!("{}: {text}", self.trial)),
                }
            }
            Progress::Round { done, of, policy } => {
                let text = format!("{done} of {of} rounds of {policy}");
                match self.bar {
                    Some(_) => self.show_only(&text),
                    None => self.say_or_detail(&format!("{}: {text}", self.trial)),
                }
            }
            Progress::Statement { attempt, text } => {
                self.statement = one_line(&text);
                let text = self.statement.clone();
                self.show_only(&text);
                self.detail(&format!("attempt {}: {text}", attempt + 1));
            }
            Progress::Traffic(gauge) => self.traffic(&gauge),
            Progress::Note(line) => self.say(&line),
        }
    }

    fn seeding(&mut self, table: &str, rows: u64, of: u64) {
        let fresh = self.seeding.as_ref().is_none_or(|(known, ..)| known != table);
        if fresh {
            self.seeding = Some((table.to_owned(), Instant::now(), rows));
        }
        let Some((_, since, from)) = &self.seeding else { return };
        let rate = (rows - from.min(&rows)) as f64 / since.elapsed().as_secs_f64().max(0.001);
        let left = match rate > 0.0 {
            true => format!("{:.0} s left", (of - rows.min(of)) as f64 / rate),
            false => "…".to_owned(),
        };
        let text = format!(
            "seeding {table}: {} of {} rows, {} rows/s, {left}",
            grouped(rows),
            grouped(of),
            grouped(rate as u64)
        );
        match self.bar {
            Some(_) => self.show_only(&text),
            None => self.say_at_intervals(&text),
        }
    }

    fn enter(&mut self, phase: &str) {
        self.phase = phase.to_owned();
        (self.phase_began, self.phase_length) = (Instant::now(), None);
        self.statement.clear();
        (self.gauge, self.lock_queue) = (None, 0);
    }

    fn traffic(&mut self, gauge: &TrafficGauge) {
        let before = self.gauge.replace(*gauge).unwrap_or_default();
        let seconds = (gauge.at - before.at).as_secs_f64();
        let finished = gauge.finished.saturating_sub(before.finished) as f64;
        let per_s = if seconds > 0.0 { finished / seconds } else { 0.0 };
        let mut text = figures(gauge, per_s, self.lock_queue);
        if !self.statement.is_empty() {
            text.push_str(" · ");
            text.push_str(&self.statement);
        }
        self.show_only(&text);
        if self.verbose {
            self.say_at_intervals(&text);
        }
    }

    /// On a terminal only: the trial and what is left of it, and below that what goes on.
    fn show_only(&self, text: &str) {
        let Some(bar) = &self.bar else { return };
        bar.set_prefix(self.headline());
        bar.set_message(text.to_owned());
    }

    fn headline(&self) -> String {
        let elapsed = self.phase_began.elapsed();
        let length = self.phase_length;
        let parts = [
            Some(self.trial.clone()).filter(|trial| !trial.is_empty()),
            Some(self.phase.clone()).filter(|phase| !phase.is_empty()),
            length.and_then(|(most, exactly)| phase_left(most, exactly, elapsed)),
            run_left(self.began.elapsed(), self.done.0, self.done.1),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }

    fn say(&mut self, text: &str) {
        match &self.bar {
            Some(_) => self.show_only(if text == self.trial { "" } else { text }),
            None if self.quiet => {}
            // Standard error that is closed must not end a measurement.
            None if self.verbose => {
                let at = self.began.elapsed().as_secs_f64();
                drop(writeln!(std::io::stderr(), "[{at:9.3} s] {}", plain(text)));
            }
            None => drop(writeln!(std::io::stderr(), "{}", plain(text))),
        }
    }

    /// What is too much for any but a verbose log.
    fn detail(&mut self, text: &str) {
        if self.verbose {
            self.say(text);
        }
    }

    fn say_or_detail(&mut self, text: &str) {
        match self.verbose {
            true => self.say(text),
            false => self.say_at_intervals(text),
        }
    }

    fn say_at_intervals(&mut self, text: &str) {
        if self.logged.is_none_or(|at| at.elapsed() >= LOG_INTERVAL) {
            self.logged = Some(Instant::now());
            self.say(text);
        }
    }
}

fn phase_words(phase: Phase) -> &'static str {
    match phase {
        Phase::Baseline => "baseline",
        Phase::Change => "the change",
        Phase::Recovery => "recovery",
        Phase::Rerun => "applying it again",
        Phase::Checks => "checks",
        Phase::End => "done",
    }
}
