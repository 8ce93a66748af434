//! Shows progress while a run goes on: a live line on a terminal, a plain log elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::history::{Listener, Phase, Progress, TrafficGauge};
use crate::pg::lex::one_line;
use crate::stats::grouped;

/// How often the spinner turns.
const TICK: Duration = Duration::from_millis(120);
/// A plain log says how far seeding is this often.
const LOG_INTERVAL: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A live line where standard error is a terminal, else a log.
    Auto,
    Quiet,
}

/// The display of one run, on standard error.
pub struct Live {
    state: Mutex<State>,
}

struct State {
    bar: Option<ProgressBar>,
    quiet: bool,
    trial: String,
    phase: String,
    statement: String,
    seeding: Option<(String, Instant, u64)>,
    logged: Option<Instant>,
}

impl Live {
    pub fn start(mode: Mode) -> Arc<Live> {
        let quiet = mode == Mode::Quiet;
        let bar = (!quiet && std::io::stderr().is_terminal()).then(spinner);
        let state = State {
            bar,
            quiet,
            trial: String::new(),
            phase: String::new(),
            statement: String::new(),
            seeding: None,
            logged: None,
        };
        Arc::new(Live { state: Mutex::new(state) })
    }

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
                let _ = writeln!(out, "{text}");
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

    fn with(&self, act: impl FnOnce(&mut State)) {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    // The template is a constant; one that did not parse would leave the default spinner.
    if let Ok(style) = ProgressStyle::with_template("{spinner} [{elapsed_precise}] {wide_msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    bar
}

impl State {
    fn hear(&mut self, progress: Progress) {
        match progress {
            Progress::Server(sentence) | Progress::SeedStep(sentence) => {
                self.seeding = None;
                self.say(&sentence);
            }
            Progress::Seeding { table, rows, of } => self.seeding(&table, rows, of),
            Progress::Trial { scenario, number, of } => {
                self.trial = format!("{number}/{of} {scenario}");
                self.phase.clear();
                self.statement.clear();
                let trial = self.trial.clone();
                self.say(&trial);
            }
            Progress::Phase(phase) => {
                self.phase = phase_words(phase).to_owned();
                self.statement.clear();
                let text = format!("{}: {}", self.trial, self.phase);
                self.say(&text);
            }
            Progress::Cell { done, of, way, statement } => {
                let statement = one_line(&statement);
                let text = format!("{}: {done} of {of} deaths · {way}: {statement}", self.trial);
                match self.bar {
                    Some(_) => self.show_only(&text),
                    None => self.say_at_intervals(&text),
                }
            }
            Progress::Statement { text, .. } => {
                self.statement = one_line(&text);
                self.show_only(&format!("{}: {} · {}", self.trial, self.phase, self.statement));
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

    fn traffic(&mut self, gauge: &TrafficGauge) {
        let mut text = format!(
            "{}: {} · {} operations, p99 {}, {} waiting, {} in use",
            self.trial,
            self.phase,
            grouped(gauge.finished),
            gauge.p99,
            grouped(gauge.waiting),
            gauge.in_use
        );
        if !self.statement.is_empty() {
            text.push_str(" · ");
            text.push_str(&self.statement);
        }
        self.show_only(&text);
    }

    /// On a terminal only.
    fn show_only(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }

    fn say(&mut self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None if self.quiet => {}
            // Standard error that is closed must not end a measurement.
            None => drop(writeln!(std::io::stderr(), "{text}")),
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
