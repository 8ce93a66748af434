//! Where a trial ran, and what its limits were: what has to be known to read its numbers.

use std::fmt::Write;

use crate::clock::Micros;
use crate::report::bytes;
use crate::report::server::log_words;
use crate::result::Judgement;
use crate::scenario::Scenario;
use crate::stats::grouped;
use crate::trial::Axis;

use super::html::{list, text};

pub fn environment(judgement: &Judgement) -> String {
    let trial = &judgement.trial;
    let (server, machine) = (&trial.server, &trial.machine);
    let sizes = trial.sizes.iter().map(|(table, rows)| format!("{} in {table}", grouped(*rows)));
    let settings = server.settings.iter().map(|(name, value)| format!("{name} = {value}"));
    let mut hardware = vec![machine.system.clone(), machine.kernel.clone()];
    hardware.push(machine.processor.clone());
    if machine.cores > 0 {
        hardware.push(format!("{} cores", machine.cores));
    }
    if machine.memory_bytes > 0 {
        hardware.push(format!("{} of memory", bytes(machine.memory_bytes)));
    }
    hardware.retain(|word| !word.is_empty());
    let control = judgement.measured.control_us;
    let key = &trial.key;
    let known = [Axis::STATE, Axis::SERVER, Axis::FAULT];
    let more = key.axes().filter(|(axis, _)| !known.contains(axis));
    let more: Vec<(&str, String)> = more.map(|(a, value)| (a.as_str(), value.to_owned())).collect();
    let applied = trial.applied.as_ref().map(ToString::to_string);
    let rows = [
        ("migrations of", applied.unwrap_or_default()),
        ("server", format!("PostgreSQL {} ({})", server.version, server.source)),
        ("roles", trial.roles.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("settings", settings.collect::<Vec<_>>().join(", ")),
        ("rows", sizes.collect::<Vec<_>>().join(", ")),
        ("machine", hardware.join(", ")),
        ("a fixed piece of work took", control.map(|took| took.to_string()).unwrap_or_default()),
        ("starting state", key.state().to_owned()),
        ("rng_seed", trial.rng_seed.to_string()),
        ("repetition", key.repetition.to_string()),
        ("began", trial.started_at.clone()),
        ("pgauntlet", trial.tool.clone()),
    ];
    let mut out = String::from("<h3>Environment</h3>\n<dl class=\"facts\">\n");
    for (name, value) in rows.iter().chain(&more).filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(out, "<dt>{name}</dt><dd>{}</dd>", text(value));
    }
    out.push_str("</dl>\n");
    out
}

/// What the verdict was held against, and how well the measurement kept to its own.
pub fn limits(judgement: &Judgement, scenario: Option<&Scenario>) -> String {
    let mut lines: Vec<String> = scenario.map(declared).unwrap_or_default();
    let sampler = &judgement.measured.sampler;
    if sampler.samples > 0 {
        let mut sentence = format!(
            "{} samples of the lock table, one every {}; each took {} (median), at most {}",
            grouped(sampler.samples),
            sampler.interval_us,
            sampler.took_us_p50,
            sampler.took_us_max
        );
        for (count, what) in [(sampler.missed, "came too late"), (sampler.failed, "failed")] {
            if count > 0 {
                let _ = write!(sentence, "; {} {what}", grouped(count));
            }
        }
        if let Some(longest) = sampler.longest_gap() {
            let gaps = grouped(sampler.gaps.len() as u64);
            let _ = write!(sentence, "; gaps between two of them: {gaps}, at most {longest}");
        }
        lines.push(sentence);
    }
    let measured = &judgement.measured;
    lines.extend(measured.log.as_ref().map(log_words));
    if measured.operations.scheduled > 0 {
        let lag = measured.generator_lag_p99_us;
        lines.push(format!("operations were sent at most {lag} (p99) after they were due"));
    }
    if let Some(ledger) = &measured.ledger {
        lines.push(match ledger.acknowledged {
            0 => "no write was acknowledged, so none was looked for in the tables".to_owned(),
            n => format!("{} acknowledged writes were looked for in the tables", grouped(n)),
        });
    }
    format!("<h3>Limits</h3>\n{}", list("facts", &lines))
}

fn declared(scenario: &Scenario) -> Vec<String> {
    let limits = &scenario.limits;
    let time = |ms: u64| Micros::from_millis(ms);
    let mut lines = vec![
        format!("an operation may wait {} because of the change", time(limits.stall_ms_max)),
        format!(
            "{} acquire timeouts and {} failed operations may come of it",
            grouped(limits.acquire_timeouts_max),
            grouped(limits.failed_operations_max)
        ),
        format!(
            "p99 latency during the change may be {} times that before it, or {}",
            limits.p99_ratio_max,
            time(limits.p99_ms_floor)
        ),
        format!(
            "a second run may hold a lock that stops writers for {}",
            time(limits.rerun_lock_ms_max)
        ),
    ];
    let pool = &scenario.pool;
    let (size, overflow) = (pool.size, pool.overflow);
    let gives_up = time(pool.acquire_timeout_ms);
    lines.push(format!(
        "the pool has {size} connections and {overflow} under pressure, and gives up after \
         {gives_up}"
    ));
    lines
}
