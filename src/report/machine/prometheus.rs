//! Prometheus' text format: what is worth a trend. Times are seconds, sizes bytes.

use std::fmt::Write;

use crate::clock::Micros;
use crate::history::TrialFacts;
use crate::result::{Judgement, Matrix};
use crate::scenario::Verdict;

use crate::result::ResultFile;
use crate::trial::Axis;

/// A metric and how one trial has it.
struct Gauge {
    name: &'static str,
    help: &'static str,
    samples: fn(&Judgement) -> Vec<Sample>,
}

/// Labels beyond the trial's, and the value.
type Sample = (Vec<(&'static str, String)>, f64);

const GAUGES: &[Gauge] = &[
    Gauge {
        name: "pgauntlet_trial_verdict",
        help: "1 for the verdict that the trial has, 0 for the others.",
        samples: |j| verdicts(j.verdict),
    },
    Gauge {
        name: "pgauntlet_trial_as_expected",
        help: "Whether the trial ended as its scenario expects.",
        samples: |j| one(f64::from(u8::from(j.as_expected))),
    },
    Gauge {
        name: "pgauntlet_trial_duration_seconds",
        help: "From the trial's begin to its end.",
        samples: |j| one(j.took_us.as_secs_f64()),
    },
    Gauge {
        name: "pgauntlet_change_duration_seconds",
        help: "How long the first application of the change took.",
        samples: |j| one(j.measured.change_us.as_secs_f64()),
    },
    Gauge {
        name: "pgauntlet_longest_stall_seconds",
        help: "The longest that an operation waited because of the change.",
        samples: |j| one(j.measured.longest_stall_us.as_secs_f64()),
    },
    Gauge {
        name: "pgauntlet_stalled_operations",
        help: "Operations that waited because of the change.",
        samples: |j| one(j.measured.stalled_operations as f64),
    },
    Gauge {
        name: "pgauntlet_queue_operations_max",
        help: "Most operations that waited for a connection at one moment.",
        samples: |j| one(j.measured.queue_max as f64),
    },
    Gauge {
        name: "pgauntlet_pool_exhausted_seconds",
        help: "How long every connection was checked out while operations waited.",
        samples: |j| one(j.measured.exhausted_us.as_secs_f64()),
    },
    Gauge {
        name: "pgauntlet_latency_seconds",
        help: "Latency of operations from when they were due, by phase and quantile.",
        samples: latency,
    },
    Gauge {
        name: "pgauntlet_operations",
        help: "Operations of the application by outcome.",
        samples: operations,
    },
    Gauge {
        name: "pgauntlet_recovery_seconds",
        help: "From the end of the change until latency was back; absent where it never was.",
        samples: |j| j.measured.recovery_us.map(|t| one(t.as_secs_f64())).unwrap_or_default(),
    },
    Gauge {
        name: "pgauntlet_wal_bytes",
        help: "WAL that the whole server wrote during the change's statements.",
        samples: |j| one(wal(j) as f64),
    },
    Gauge {
        name: "pgauntlet_control_seconds",
        help: "The machine control: how long a fixed piece of work took beside the trial.",
        samples: |j| j.measured.control_us.map(|t| one(t.as_secs_f64())).unwrap_or_default(),
    },
];

/// The whole file.
pub fn prometheus(result: &ResultFile) -> String {
    let mut out = String::new();
    for gauge in GAUGES {
        head(&mut out, gauge.name, gauge.help);
        for judgement in &result.trials {
            for (labels, value) in (gauge.samples)(judgement) {
                line(&mut out, gauge.name, &judgement.trial, &labels, value);
            }
        }
    }
    matrices(&mut out, &result.crash_matrices);
    out
}

fn matrices(out: &mut String, matrices: &[Matrix]) {
    let name = "pgauntlet_crash_deaths";
    head(out, name, "Cases of a crash matrix by outcome.");
    for matrix in matrices {
        for (outcome, count) in &matrix.outcomes {
            let labels = [("outcome", outcome.to_string())];
            line(out, name, &matrix.trial, &labels, *count as f64);
        }
    }
    let name = "pgauntlet_crash_as_expected";
    head(out, name, "Whether the crash matrix ended as its scenario expects.");
    for matrix in matrices {
        line(out, name, &matrix.trial, &[], f64::from(u8::from(matrix.as_expected)));
    }
    let name = "pgauntlet_crash_duration_seconds";
    head(out, name, "How long the crash matrix took.");
    for matrix in matrices {
        line(out, name, &matrix.trial, &[], matrix.took_us.as_secs_f64());
    }
}

fn one(value: f64) -> Vec<Sample> {
    vec![(Vec::new(), value)]
}

fn verdicts(of: Verdict) -> Vec<Sample> {
    let sample = |verdict: Verdict| {
        (vec![("verdict", verdict.to_string())], f64::from(u8::from(verdict == of)))
    };
    Verdict::ALL.into_iter().map(sample).collect()
}

fn latency(judgement: &Judgement) -> Vec<Sample> {
    let latency = &judgement.measured.latency;
    let phases = [
        ("before", &latency.before),
        ("during", &latency.during),
        ("after", &latency.after),
        ("rerun", &latency.rerun),
    ];
    let measured = phases.into_iter().filter(|(_, summary)| summary.count > 0);
    let of_phase = |(phase, summary): (&str, &crate::stats::Summary)| {
        let quantiles = [("0.5", summary.p50_us), ("0.99", summary.p99_us), ("1", summary.max_us)];
        let sample = |(quantile, time): (&str, Micros)| {
            let labels = vec![("phase", phase.to_owned()), ("quantile", quantile.to_owned())];
            (labels, time.as_secs_f64())
        };
        quantiles.map(sample)
    };
    measured.flat_map(of_phase).collect()
}

fn operations(judgement: &Judgement) -> Vec<Sample> {
    let counted = &judgement.measured.operations;
    [
        ("succeeded", counted.succeeded),
        ("failed", counted.failed),
        ("acquire-timeout", counted.acquire_timeouts),
        ("indeterminate", counted.indeterminate),
        ("unanswered", counted.unanswered),
    ]
    .map(|(outcome, count)| (vec![("outcome", outcome.to_owned())], count as f64))
    .into()
}

fn wal(judgement: &Judgement) -> u64 {
    judgement
        .measured
        .statements
        .iter()
        .filter(|s| s.attempt == 0)
        .filter_map(|s| s.wal_bytes)
        .sum()
}

fn head(out: &mut String, name: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
}

fn line(
    out: &mut String,
    name: &str,
    trial: &TrialFacts,
    labels: &[(&'static str, String)],
    value: f64,
) {
    let key = &trial.key;
    let axes = key.axes().filter(|(axis, _)| **axis != Axis::FAULT);
    let mut own = vec![("scenario", key.scenario.clone())];
    own.extend(axes.map(|(axis, value)| (axis.as_str(), value.to_owned())));
    own.push(("repetition", key.repetition.to_string()));
    let labels = labels.iter().map(|(name, value)| (*name, value.clone()));
    let all: Vec<String> = own
        .into_iter()
        .chain(labels)
        .map(|(name, value)| format!("{name}=\"{}\"", escaped(&value)))
        .collect();
    let _ = writeln!(out, "{name}{{{}}} {value}", all.join(","));
}

/// For a label's value.
pub fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
