//! A recording through the estimator of the line: gates and samples in the order of their times.
//!
//! Cold threads.

use super::files::{Gate, Recording};
use line::weigh::{Checks, Estimator, Innovation, Model, ModelFault, Refusal};
use units::BoardUs;

/// Why a row has no mass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flag {
    /// The estimator refused.
    Refused(Refusal),
    /// The entering gate is missing.
    NoEnter,
}

impl Flag {
    /// The name that stands in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused(why) => why.name(),
            Self::NoEnter => "no-enter",
        }
    }
}

/// What became of one row of gates.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The entering gate as given.
    pub enter_text: String,
    /// Mass and standard uncertainty, mg.
    pub mass: Result<(f64, f64), Flag>,
}

/// Checks for a recording: dwells around the usual one, and the estimator's defaults for the rest.
#[must_use]
pub fn default_checks(recording: &Recording) -> Checks {
    let mut dwells: Vec<f64> = recording
        .gates
        .iter()
        .filter_map(dwell_s)
        .filter(|dwell| *dwell > 0.0)
        .collect();
    dwells.sort_by(f64::total_cmp);
    let mut checks = Checks::default();
    if let Some(usual) = dwells.get(dwells.len() / 2) {
        #[expect(clippy::cast_possible_truncation, reason = "`as` holds it within the range")]
        let usual_us = (usual * 1e6) as i64;
        checks.dwell_us = (usual_us / 2, usual_us.saturating_mul(3) / 2 + 1);
    }
    #[expect(clippy::cast_possible_truncation, reason = "checked when read: at most 100 ms")]
    let roll_us = (recording.roll_on_ms * 1e3) as i64;
    checks.gate_delay_us = roll_us + 4_000;
    checks
}

fn dwell_s(gate: &Gate) -> Option<f64> {
    Some(gate.leave_s? - gate.enter_s?)
}

/// A gate as the estimator is told it.
#[derive(Clone, Copy, Debug)]
struct Event {
    at: BoardUs,
    leaves: bool,
    row: usize,
}

/// Rows whose gates are out of order, and the gates of all others by time.
struct Plan {
    faults: Vec<Option<Flag>>,
    events: Vec<Event>,
}

fn plan(gates: &[Gate]) -> Plan {
    let mut plan = Plan {
        faults: vec![None; gates.len()],
        events: Vec::new(),
    };
    let (mut latest_enter, mut latest_leave) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    let order = Some(Flag::Refused(Refusal::GateOrder));
    for (row, gate) in gates.iter().enumerate() {
        match (gate.enter_s, gate.leave_s) {
            (None, _) => plan.faults[row] = Some(Flag::NoEnter),
            (Some(_), None) => plan.faults[row] = Some(Flag::Refused(Refusal::NoLeave)),
            (Some(enter), Some(leave)) => {
                // pearls can't overtake: a gate that is earlier than the one before it is wrong
                if leave <= enter || enter < latest_enter || leave < latest_leave {
                    plan.faults[row] = order;
                }
            }
        }
        let inverted = matches!((gate.enter_s, gate.leave_s), (Some(enter), Some(leave)) if leave <= enter);
        latest_enter = gate.enter_s.map_or(latest_enter, |enter| enter.max(latest_enter));
        if !inverted {
            latest_leave = gate.leave_s.map_or(latest_leave, |leave| leave.max(latest_leave));
        }
        let times = [(gate.enter_s, false), (gate.leave_s.filter(|_| !inverted), true)];
        for (time, leaves) in times {
            if let Some(time) = time {
                plan.events.push(Event {
                    at: microseconds(time),
                    leaves,
                    row,
                });
            }
        }
    }
    plan.events.sort_by_key(|event| (event.at, event.leaves, event.row));
    plan
}

fn microseconds(seconds: f64) -> BoardUs {
    #[expect(clippy::cast_possible_truncation, reason = "times were checked when read")]
    BoardUs((seconds * 1e6).round() as i64)
}

/// Samples after which a sample's innovation no longer changes by a second pass.
const SETTLED: u64 = 384;

/// Runs the samples `range` through an estimator. `seen` gets each settled innovation with its sample's index.
pub(super) fn run(
    recording: &Recording,
    range: std::ops::Range<usize>,
    model: &Model,
    checks: &Checks,
    mut seen: impl FnMut(usize, Innovation),
) -> Result<Vec<Reading>, ModelFault> {
    let plan = plan(&recording.gates);
    let period_us = 1e6 / recording.sample_hz;
    let start = microseconds(range.start as f64 / recording.sample_hz);
    let mut estimator = Estimator::new(model, checks, start)?;
    let mut readings: Vec<Reading> = recording
        .gates
        .iter()
        .zip(&plan.faults)
        .map(|(gate, fault)| Reading {
            enter_text: gate.enter_text.clone(),
            mass: Err(fault.unwrap_or(Flag::Refused(Refusal::Lost))),
        })
        .collect();
    let mut rows = Vec::new();
    let mut note = |rows: &[usize], weighing: line::weigh::Weighing| {
        let row = rows[weighing.passage as usize];
        if plan.faults[row].is_none() {
            readings[row].mass = match weighing.mass {
                Ok((mass, u)) => Ok((f64::from(mass.0) / 1e3, f64::from(u.0) / 1e3)),
                Err(why) => Err(Flag::Refused(why)),
            };
        }
    };
    let from_s = range.start as f64 / recording.sample_hz;
    let inside = |event: &&Event| recording.gates[event.row].enter_s.is_some_and(|enter| enter >= from_s);
    let mut events = plan.events.iter().filter(inside).peekable();
    for (seq, (index, &code)) in (0_u32..).zip(range.clone().zip(&recording.samples[range.clone()])) {
        let now_us = index as f64 * period_us;
        while let Some(event) = events.next_if(|event| event.at.0 as f64 <= now_us) {
            if event.leaves {
                estimator.left(event.at);
            } else {
                rows.push(event.row);
                estimator.entered(event.at);
            }
        }
        if let Some(weighing) = estimator.sample(seq, code) {
            note(&rows, weighing);
        }
        if let Some(settled) = u64::from(seq).checked_sub(SETTLED)
            && let Some(innovation) = estimator.innovation(settled)
        {
            #[expect(clippy::cast_possible_truncation, reason = "below the recording's length")]
            seen(range.start + settled as usize, innovation);
        }
    }
    while let Some(weighing) = estimator.drain() {
        note(&rows, weighing);
    }
    Ok(readings)
}

/// Weighs every pearl of a recording.
///
/// # Errors
/// The figure of the model that can't be used.
pub fn weigh(recording: &Recording, model: &Model, checks: &Checks) -> Result<Vec<Reading>, ModelFault> {
    run(recording, 0..recording.samples.len(), model, checks, |_, _| ())
}
