//! Rig `virtual`: core, links and the virtual line in one thread, in virtual time. Cold.

use anyhow::{Context, Result};
use sim::virtual_time::{VirtualOptions, VirtualOutcome, run_heard};

use super::Job;
use crate::broken::Between;
use crate::measure::Observed;
use crate::scenario::Scenario;
use crate::trace::Trace;

/// How long an operator waits after the trouble, thinks, and waits before he tries again, us.
pub(crate) const OPERATOR_US: u64 = 300_000;
/// Runs up to this length are run twice, so that they are seen to be the same, s.
const TWICE_S: f64 = 30.0;

/// Runs a scenario.
///
/// # Errors
/// When its traces can't be written.
pub fn run(job: &Job<'_>) -> Result<Observed> {
    let Job { scenario, seed, .. } = *job;
    let breaks = job.breaks.or(scenario.breaks);
    let options = options(scenario, seed);
    let trace = job.trace.as_ref().map(|_| Trace::default());
    let mut between = Between::new(&scenario.machine.plan, breaks, trace);
    let outcome = run_heard(&scenario.machine, &options, |_| {}, &mut between);
    if let (Some(folder), Some(trace)) = (&job.trace, &between.trace) {
        trace
            .write(folder, &job.file_name(), &scenario.machine.plan)
            .with_context(|| format!("traces can't be written to {}", folder.display()))?;
    }
    let mut observed = observed(scenario, &options, outcome);
    if scenario.length.seconds <= TWICE_S {
        let mut again = Between::new(&scenario.machine.plan, breaks, None);
        let digest = run_heard(&scenario.machine, &options, |_| {}, &mut again)
            .summary
            .digest;
        let same = observed
            .summary
            .as_ref()
            .is_some_and(|summary| summary.digest == digest);
        observed.others.insert("replay-differs", if same { 0.0 } else { 1.0 });
    }
    Ok(observed)
}

/// What a run in virtual time is made of.
#[must_use]
pub fn options(scenario: &Scenario, seed: u64) -> VirtualOptions {
    VirtualOptions {
        seed,
        rate: scenario.rate,
        um_s: scenario.um_s,
        pearls: scenario.most_pearls,
        most_us: whole_us(scenario.length.seconds),
        nature: scenario.nature,
        faults: scenario.faults.clone(),
        operator_us: OPERATOR_US,
        commands: scenario.commands.clone(),
        ..VirtualOptions::default()
    }
}

fn observed(scenario: &Scenario, options: &VirtualOptions, outcome: VirtualOutcome) -> Observed {
    let mut observed = Observed {
        summary: Some(outcome.summary),
        complaints: outcome.complaints,
        notices: Some(outcome.notices),
        trouble_us: scenario.trouble_us(),
        until_us: options.most_us,
        boards: vec![format!(
            "virtual boards, the code of crate board {}",
            env!("CARGO_PKG_VERSION")
        )],
        ..Observed::default()
    };
    observed
        .others
        .insert("incomplete", if outcome.complete { 0.0 } else { 1.0 });
    let accounts = &outcome.accounts;
    let ends = accounts.binned_total() + accounts.recirculated_total() + accounts.lost + accounts.in_flight;
    observed
        .others
        .insert("accounts-off", accounts.entered.abs_diff(ends) as f64);
    observed
}

/// Seconds in whole microseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates"
)]
pub(crate) fn whole_us(seconds: f64) -> u64 {
    (seconds * 1e6).round() as u64
}
