//! Where faults can be injected, at statements and at random moments.

use std::collections::BTreeSet;

use crate::history::History;
use crate::judge::crash::{self as judged, FeasibleFault, Span};
use crate::scenario::Crash;
use crate::trial::FaultKind;

/// Kinds that make sense at any moment, the gentlest first.
const KINDS: [FaultKind; 3] = [FaultKind::Cancel, FaultKind::KillBackend, FaultKind::CutBefore];

/// Where faults can be injected, as the undisturbed run shows it.
pub struct InjectionPoints {
    pub faults: Vec<FeasibleFault>,
    pub spans: Vec<Span>,
    /// Faults at random moments.
    pub random: u32,
}

impl InjectionPoints {
    /// Statements of the undisturbed run at which a fault can be injected, by their numbers.
    pub fn statements(undisturbed: &History, crash: &Crash) -> Vec<u32> {
        let faults = judged::faults(undisturbed, &crash.faults);
        let numbers: BTreeSet<u32> = faults.iter().map(|fault| fault.fault.at.statement).collect();
        numbers.into_iter().collect()
    }

    /// `statement`: only faults at this one.
    pub fn of(undisturbed: &History, crash: &Crash, statement: Option<u32>) -> InjectionPoints {
        let mut faults = judged::faults(undisturbed, &crash.faults);
        let at = |fault: &FeasibleFault, id| fault.fault.at.statement == id;
        faults.retain(|fault| statement.is_none_or(|id| at(fault, id)));
        let spans = judged::spans(undisturbed);
        let can_be = total(&spans) > 0 && !kinds(crash).is_empty();
        let random = if can_be { crash.random } else { 0 };
        InjectionPoints { faults, spans, random }
    }

    /// As the keys of the cases name them.
    pub fn labels(&self) -> Vec<String> {
        self.faults.iter().map(|fault| fault.fault.label()).collect()
    }
}

/// Those of `KINDS` that the matrix has.
pub fn kinds(crash: &Crash) -> Vec<FaultKind> {
    KINDS.into_iter().filter(|kind| crash.faults.contains(kind)).collect()
}

/// How long all statements took together.
pub fn total(spans: &[Span]) -> u64 {
    spans.iter().map(|span| span.took.0).sum()
}
