//! What is said of a change: sentences and numbers, without a format.

use crate::clock::Micros;
use crate::explain::case_remedy;
use crate::pg::lex::one_line;
use crate::result::{
    Case, ChangeAssessment, CommandRow, Finding, Judgement, Limited, Lint, LintStanding, Matrix,
    RerunEnding, ResultFile, RetryOdds,
};
use crate::scenario::{ConditionKind, FindingKind, Outcome, Verdict};
use crate::stats::grouped;
use crate::trial::{Axis, TrialKey};

use super::super::grid::cut;
use super::super::holds_for::{self, NotTried};
use super::super::trial::{latency_rows, sent_from};

/// Findings beside the worst one, and those that only inform, that are shown.
const SHOWN_MAX: usize = 3;
/// Characters of a statement.
const STATEMENT_MAX: usize = 60;
/// Phases whose latency is shown: before, during and after the change.
const PHASES: usize = 3;

/// What is said of a change, whatever the format.
pub(super) struct Answer<'r> {
    pub change: &'r ChangeAssessment,
    /// Each with what tells it from the others, in their order.
    pub trials: Vec<(String, &'r Judgement)>,
    pub matrices: Vec<&'r Matrix>,
    /// Of all changes.
    retries: &'r [RetryOdds],
}

impl<'r> Answer<'r> {
    /// Of the only change of a result; None: there are several, or none.
    pub fn of_the_only(result: &'r ResultFile) -> Option<Answer<'r>> {
        match result.changes.as_slice() {
            [change] => Some(Answer::of(result, change)),
            _ => None,
        }
    }

    fn of(result: &'r ResultFile, change: &'r ChangeAssessment) -> Answer<'r> {
        let of_it = |key: &TrialKey| key.scenario == change.scenario;
        let trials = result.trials.iter().filter(|judgement| of_it(&judgement.trial.key));
        let varying = TrialKey::varying(change.trials.iter());
        let trials = trials.map(|judgement| {
            let key = &judgement.trial.key;
            let places = key.axes().filter(|(axis, _)| varying.contains(axis));
            let mut name: Vec<String> = places.map(|(_, value)| value.to_owned()).collect();
            if key.repetition > 1 {
                name.push(format!("#{}", key.repetition));
            }
            let name = if name.is_empty() { "observed".to_owned() } else { name.join(", ") };
            (name, judgement)
        });
        let matrices = result.crash_matrices.iter().filter(|m| of_it(&m.trial.key));
        let retries = &result.retries;
        Answer { change, trials: trials.collect(), matrices: matrices.collect(), retries }
    }

    /// The trial that decides, else the first.
    fn decisive(&self) -> Option<(&str, &'r Judgement)> {
        let decides = |judgement: &Judgement| {
            self.change.decided_by.as_ref().is_some_and(|key| *key == judgement.trial.key)
        };
        let decisive = self.trials.iter().find(|(_, judgement)| decides(judgement));
        decisive.or(self.trials.first()).map(|(name, judgement)| (name.as_str(), *judgement))
    }

    /// Of the trials with the worst verdict the one that cost the application most; the first of
    /// equals.
    fn dearest(&self) -> Option<(&str, &'r Judgement)> {
        let cost = |judgement: &Judgement| {
            (judgement.verdict, failed(judgement), judgement.measured.longest_stall_us)
        };
        let trials = self.trials.iter().rev();
        let dearest = trials.max_by_key(|(_, judgement)| cost(judgement))?;
        Some((dearest.0.as_str(), dearest.1))
    }

    /// The price of the change in one sentence.
    pub fn cost(&self) -> Option<String> {
        // Where a prediction alone decides, what was tried cost less than the verdict says.
        let at_size = self.change.prediction.as_ref().and_then(|of| of.verdict);
        if at_size == Some(self.change.verdict) && self.change.decided_by.is_none() {
            return None;
        }
        let (name, judgement) = self.dearest()?;
        let measured = &judgement.measured;
        let took = match measured.attempts {
            0 => "the change did not begin".to_owned(),
            _ => format!("the change took {}", measured.change_us),
        };
        let application = measured.operations.scheduled > 0;
        let tried = judgement.trial.tried.as_ref().filter(|_| application);
        let at = [holds_for::rows_concerned(judgement), tried.map(holds_for::rate)];
        let at: Vec<String> = at.into_iter().flatten().collect();
        let beside = if self.trials.len() > 1 { format!(" ({name})") } else { String::new() };
        let at = match at.is_empty() {
            true => String::new(),
            false => format!("At {}{beside}: ", at.join(" and ")),
        };
        if !application {
            return Some(format!("{at}no application ran; {took}."));
        }
        let waited = match measured.stalled_operations {
            0 => "no operation waited for the change".to_owned(),
            1 => format!("1 operation waited for the change, {}", measured.longest_stall_us),
            n => {
                let longest = measured.longest_stall_us;
                format!("{} operations waited for the change, up to {longest}", grouped(n))
            }
        };
        let full = match measured.exhausted_us {
            Micros::ZERO => String::new(),
            full => format!("; the pool was full for {full}"),
        };
        let failed = grouped(failed(judgement));
        Some(format!("{at}{waited}, {failed} failed{full}; {took}."))
    }

    /// What the verdict rests on most; None: the change is safe, or the crash matrix decides.
    pub fn worst(&self) -> Option<&'r Finding> {
        let worst = |f: &&Finding| f.verdict == self.change.verdict && f.verdict > Verdict::Safe;
        self.change.findings.iter().find(worst)
    }

    /// Kinds of other findings that are worse than safe, each once.
    pub fn also(&self) -> Option<String> {
        let worst = self.worst()?;
        let mut others: Vec<String> = Vec::new();
        let decides = |f: &&Finding| f.verdict > Verdict::Safe && f.kind != worst.kind;
        for finding in self.change.findings.iter().filter(decides) {
            let other = format!("{} ({})", finding.kind, finding.verdict);
            if !others.contains(&other) {
                others.push(other);
            }
        }
        (!others.is_empty()).then(|| others.join(", "))
    }

    /// The trials that show a finding, where not all do.
    pub fn shown_by(&self, finding: &Finding) -> Option<String> {
        let shows = |judgement: &Judgement| finding.trials.contains(&judgement.trial.key);
        let by = self.trials.iter().filter(|(_, judgement)| shows(judgement));
        let by: Vec<&str> = by.map(|(name, _)| name.as_str()).collect();
        (by.len() < self.trials.len() && !by.is_empty()).then(|| by.join(", "))
    }

    /// What is accepted, and of a change that is not unsafe what else decides nothing, the first
    /// few.
    pub fn notes(&self) -> Vec<&'r Finding> {
        let notes = self.change.findings.iter().filter(|f| f.verdict == Verdict::Safe);
        let (mut shown, others): (Vec<_>, Vec<_>) =
            notes.partition(|f| f.accepted.is_some() || f.kind.is_of_all_trials());
        if self.change.verdict != Verdict::Unsafe {
            shown.extend(others.into_iter().take(SHOWN_MAX));
        }
        shown
    }

    /// Warnings of the linter that the trials confirm; the others are in the full report.
    pub fn confirmed_lints(&self) -> impl Iterator<Item = &'r Lint> {
        let is_shown = |lint: &&Lint| match &lint.standing {
            // A note says it already.
            LintStanding::Confirmed { by, .. } => *by != FindingKind::NoTimeout,
            _ => false,
        };
        self.change.lints.iter().filter(is_shown).take(SHOWN_MAX)
    }

    /// For what it holds: rows, server, rate, conditions; and what was not tried.
    pub fn holds_for(&self) -> Option<(String, String)> {
        let (_, judgement) = self.decisive()?;
        let tried = judgement.trial.tried.as_ref()?;
        let mut parts = vec![
            holds_for::rows(judgement, tried),
            format!("PostgreSQL {}", judgement.trial.server.version),
            holds_for::rate(tried),
        ];
        let conditions = self.trials.iter().filter_map(|(_, j)| j.trial.key.get(&Axis::CONDITION));
        let conditions: Vec<&str> = conditions.collect();
        if !conditions.is_empty() {
            parts.push(conditions.join(", "));
        }
        if self
            .trials
            .iter()
            .any(|(_, j)| j.ending.rerun.is_some_and(|of| of != RerunEnding::LeftOut))
        {
            parts.push("a rerun".to_owned());
        }
        let cases: usize = self.matrices.iter().map(|matrix| matrix.cases.len()).sum();
        if cases > 0 {
            parts.push(format!("{} faults", grouped(cases as u64)));
        }
        let trials = || self.trials.iter().map(|(_, judgement)| *judgement);
        let not_tried = NotTried::of_all(trials()).but_for_interruption(cases > 0);
        let mut untried: Vec<String> = not_tried.words().into_iter().map(str::to_owned).collect();
        if !conditions.is_empty() {
            let other = ConditionKind::ALL.iter().map(|kind| kind.as_str());
            let other: Vec<&str> = other.filter(|name| !conditions.contains(name)).collect();
            untried.push(format!("the conditions {}", other.join(", ")));
        }
        Some((parts.join("; "), untried.join(", ")))
    }

    /// By whose rules the migrations are applied, and as whom. None: a command applies them.
    pub fn applied(&self) -> Option<String> {
        let (_, judgement) = self.decisive()?;
        let applied = judgement.trial.applied.as_ref()?;
        Some(format!("as {applied}"))
    }

    /// How the commands of the deciding trial ended, where one that failed is what is found.
    pub fn commands(&self) -> &'r [CommandRow] {
        let kinds = [FindingKind::CommandFailed, FindingKind::RerunFailed];
        match self.worst().filter(|worst| kinds.contains(&worst.kind)) {
            Some(_) => self.decisive().map_or(&[], |(_, judgement)| &judgement.measured.commands),
            None => &[],
        }
    }

    /// A row per phase of each trial, with p50, p99, max and the operations.
    pub fn latency(&self) -> Vec<[String; 5]> {
        let several = self.trials.len() > 1;
        let ran = self.trials.iter().filter(|(_, j)| j.measured.operations.scheduled > 0);
        let rows = ran.flat_map(|(name, judgement)| {
            latency_rows(&judgement.measured).into_iter().take(PHASES).map(move |mut row| {
                if several {
                    row[0] = format!("{name}, {}", row[0]);
                }
                row
            })
        });
        rows.collect()
    }

    /// What came of a retry policy, by condition.
    pub fn retries(&self) -> impl Iterator<Item = &'r RetryOdds> {
        let of_it = |odds: &&RetryOdds| odds.scenario == self.change.scenario;
        self.retries.iter().filter(of_it)
    }

    /// What the crash matrices say.
    pub fn matrices(&self) -> impl Iterator<Item = Killed> {
        self.matrices.iter().map(|matrix| {
            let rows = matrix.trial.sizes.values().max().copied().unwrap_or(0);
            let worst = matrix.outcomes.keys().next_back().filter(|of| **of != Outcome::Clean);
            let mut cases = matrix.cases.iter();
            let case = worst.and_then(|worst| cases.find(|c| c.outcome == Some(*worst)));
            let at = case.map_or(String::new(), |case| format!(". First {}", place(matrix, case)));
            Killed {
                verdict: matrix.verdict,
                word: match matrix.accepted {
                    Some(_) => "accepted",
                    None => matrix.verdict.as_str(),
                },
                said: format!("at {} rows {}{at}", grouped(rows), matrix.reason),
                instead: case.and_then(case_remedy),
            }
        })
    }
}

/// What a crash matrix says.
pub(super) struct Killed {
    pub verdict: Verdict,
    /// The verdict, or that what it was is accepted.
    pub word: &'static str,
    pub said: String,
    /// What to write instead, where there is a known way.
    pub instead: Option<String>,
}

/// `lock-timeout at CREATE INDEX … (20_index.sql:3)`.
fn place(matrix: &Matrix, case: &Case) -> String {
    let fault = &case.fault;
    let row = matrix.rows.iter().find(|row| row.id == fault.at.statement);
    let place = row.map_or(String::new(), |row| format!(" ({})", sent_from(&row.statement)));
    format!("{} at {}{place}", fault.kind, cut(&one_line(&fault.at.text), STATEMENT_MAX))
}

/// Operations that failed once the change had begun.
fn failed(judgement: &Judgement) -> u64 {
    let mut margins = judgement.margins.iter();
    let failed = margins.find(|margin| margin.of == Limited::FailedOperations);
    failed.map_or(0, |margin| margin.observed)
}
