//! Distances and lags: test pearls are shot at, at two belt speeds or more. Cold, no clock.

use std::collections::BTreeMap;

use line::LinePlan;
use setup::commission::{Configured, Distance, EdgeTrial, Lags, Landing, Level, Refusal, Sweep, distance, lags};
use units::{BoardId, LaneId, Micrometres};
use wire::{Setting, SettingKey};

use super::Selected;
use super::field::{Ask, Boards};
use super::operator::Operator;
use super::session::{KEEPS, Session};
use super::shots::{Aim, Pulse, Shooter, Shot, ticks};
use super::text;
use super::watch::Pearl;
use crate::exit::{Exit, Failure};

/// A jet by its lane and its number there.
pub(super) type JetAt = (LaneId, usize);

/// Edges are swept so far on both sides of where they should be, um: air that only grazes a pearl blows it anywhere, over
/// half of its length, and beyond that a sweep must still show sure hits and misses.
const SWEEP_UM: i32 = 8_000;
/// Offsets of a sweep on each side.
const SWEEP_STEPS: i32 = 10;

/// Offsets of one sweep.
const OFFSETS: u64 = 2 * SWEEP_STEPS as u64 + 1;

/// The jets that are to be calibrated; those without a drop eye, or with it on another board, can't be.
pub(super) fn selected(plan: &LinePlan, selected: &Selected) -> (Vec<JetAt>, Vec<(JetAt, &'static str)>) {
    let (mut can, mut not) = (Vec::new(), Vec::new());
    for (lane, lane_plan) in (0_u8..).zip(&plan.lanes) {
        for (jet, jet_plan) in lane_plan.jets.iter().enumerate() {
            if !selected.has(lane, jet) {
                continue;
            }
            let at = (LaneId(lane), jet);
            match jet_plan.drop_eye {
                None => not.push((at, text::NO_DROP_EYE)),
                Some(eye) if eye.eye.board != lane_plan.entry.board || jet_plan.board != lane_plan.entry.board => {
                    not.push((at, text::OTHER_BOARD));
                }
                Some(_) => can.push(at),
            }
        }
    }
    (can, not)
}

/// What is wanted at one belt speed, and what came of it.
struct Taking<'a> {
    plan: &'a LinePlan,
    speed: f64,
    wanted: u64,
    /// By lane and jet: shots that were settled, and shots that were aimed.
    shots: BTreeMap<(u8, usize), (u64, u64)>,
    taken: Vec<Shot<Edge>>,
    sweep: bool,
}

/// Which edge of the pulse is swept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    Opening,
    Closing,
    /// None: the pulse is wide.
    Wide,
}

impl Aim for Taking<'_> {
    type Note = Edge;

    fn aim(&mut self, lane: LaneId, jet: usize, pearl: &Pearl, speed: f64) -> Option<(Pulse, Edge)> {
        if (speed - self.speed).abs() > KEEPS * self.speed {
            return None;
        }
        let (settled, given) = self.shots.get_mut(&(lane.0, jet))?;
        if *settled >= self.wanted {
            return None;
        }
        let at = ticks(self.plan, self.plan.lanes[lane.index()].jets[jet].at_um);
        let width = ticks(self.plan, self.plan.tolerances.jet_width_um);
        // Half of a pulse that covers the pearl's whole passage through the air, wherever near its place the jet stands.
        let half = 0.5 * (pearl.length + width) + ticks(self.plan, self.plan.tolerances.station_um);
        if !self.sweep {
            return Some((
                Pulse {
                    on: at - half,
                    off: at + half,
                },
                Edge::Wide,
            ));
        }
        let (step, edge) = (
            (*given / 2) % OFFSETS,
            if *given % 2 == 0 { Edge::Opening } else { Edge::Closing },
        );
        // In steps of 8, which has no divisor in common with the number of offsets: drifts spread over the whole sweep.
        let step = (step * 8 % OFFSETS) as i32 - SWEEP_STEPS;
        let offset = at + ticks(self.plan, SWEEP_UM * step / SWEEP_STEPS);
        *given += 1;
        // The other edge lies beyond the passage and has no say.
        Some(match edge {
            Edge::Opening => (
                Pulse {
                    on: offset,
                    off: (at + half).max(offset + 1.0),
                },
                edge,
            ),
            Edge::Closing | Edge::Wide => (
                Pulse {
                    on: (at - half).min(offset - 1.0),
                    off: offset,
                },
                edge,
            ),
        })
    }

    fn settled(&mut self, shot: &Shot<Edge>) {
        let steady = (shot.speed - self.speed).abs() <= KEEPS * self.speed;
        // A wide pulse that blew nothing into the bin says nothing about the distance.
        if steady && (self.sweep || shot.landed.is_some()) {
            if let Some((settled, _)) = self.shots.get_mut(&(shot.lane.0, shot.jet)) {
                *settled += 1;
            }
            self.taken.push(*shot);
        }
    }
}

/// Shoots at pearls until every jet has `wanted` shots settled at each of `levels` speeds.
fn take<B: Boards, O: Operator>(
    session: &mut Session<'_, B, O>,
    jets: &[JetAt],
    levels: usize,
    wanted: u64,
    sweep: bool,
) -> Result<Vec<Vec<Shot<Edge>>>, Failure> {
    let plan = session.watch.plan().clone();
    let boards = boards_of(&plan, jets);
    session.start(&boards)?;
    let mut speeds: Vec<f64> = Vec::new();
    let mut taken = Vec::new();
    for _ in 0..levels {
        let speed = session.wait_level(boards[0], &speeds)?;
        speeds.push(speed);
        let shots = jets.iter().map(|(lane, jet)| ((lane.0, *jet), (0, 0))).collect();
        let taking = Taking {
            plan: &plan,
            speed,
            wanted,
            shots,
            taken: Vec::new(),
            sweep,
        };
        taken.push(take_level(session, taking)?);
    }
    session.stop()?;
    Ok(taken)
}

fn take_level<B: Boards, O: Operator>(
    session: &mut Session<'_, B, O>,
    mut taking: Taking<'_>,
) -> Result<Vec<Shot<Edge>>, Failure> {
    let limits = &taking.plan.tolerances;
    // No neighbour within the air of the widest pulse: half of two passages, and as far as the pulse goes beyond.
    let alone_um = limits.most_length_um + limits.jet_width_um + limits.station_um;
    let mut shooter = Shooter::new(taking.plan, alone_um);
    let total = taking.wanted * taking.shots.len() as u64;
    let (mut before, mut since) = (0, session.watch.now());
    loop {
        let event = session.hear()?;
        if let Some(event) = event {
            for (board, fire) in shooter.take(&event, &session.watch, &mut taking) {
                session.ask(Ask::Send(board, wire::ToBoard::Fire(fire)))?;
            }
        }
        let done: u64 = taking
            .shots
            .values()
            .map(|(settled, _)| (*settled).min(taking.wanted))
            .sum();
        if done != before {
            (before, since) = (done, session.watch.now());
            session.operator.progress(text::SHOTS, done, total);
        }
        if done >= total || session.operator.has_enough() {
            return Ok(taking.taken);
        }
        if session.patience_is_over(since) {
            session.operator.tell(&text::nothing_new(shooter.spoilt));
            return Ok(taking.taken);
        }
    }
}

fn boards_of(plan: &LinePlan, jets: &[JetAt]) -> Vec<BoardId> {
    let mut boards: Vec<BoardId> = jets
        .iter()
        .map(|(lane, jet)| plan.lanes[lane.index()].jets[*jet].board)
        .collect();
    boards.sort_unstable();
    boards.dedup();
    boards
}

/// What was found of each jet, or why it was refused.
pub(super) type Outcome<T> = Vec<(JetAt, Result<T, Refusal>)>;

/// Finds the distances of jets.
///
/// # Errors
/// When boards, belt or signals are not as they should be.
pub(super) fn distances<B: Boards, O: Operator>(
    session: &mut Session<'_, B, O>,
    jets: &[JetAt],
    levels: usize,
    pearls: u64,
) -> Result<Outcome<Distance>, Failure> {
    let taken = take(session, jets, levels, pearls, false)?;
    let plan = session.watch.plan();
    let per_metre = f64::from(plan.ticks_per_metre.get());
    let found = jets.iter().map(|at| {
        let level = |shots: &Vec<Shot<Edge>>| Level {
            landings: landings(shots, *at),
        };
        let levels: Vec<Level> = taken.iter().map(level).collect();
        let configured_um = f64::from(plan.lanes[at.0.index()].jets[at.1].at_um);
        (*at, distance(&levels, configured_um, per_metre))
    });
    Ok(found.collect())
}

/// Landings at one jet.
pub(super) fn landings(shots: &[Shot<Edge>], at: JetAt) -> Vec<Landing> {
    let of = shots.iter().filter(|shot| (shot.lane, shot.jet) == at);
    of.filter_map(|shot| {
        Some(Landing {
            speed: shot.speed,
            ticks: shot.landed?,
        })
    })
    .collect()
}

/// Landings at one jet at each of so many speeds, for ticks a metre.
///
/// # Errors
/// As [`distances`].
pub(super) fn landings_at<B: Boards, O: Operator>(
    session: &mut Session<'_, B, O>,
    at: JetAt,
    levels: usize,
    pearls: u64,
) -> Result<Vec<Level>, Failure> {
    let taken = take(session, &[at], levels, pearls, false)?;
    Ok(taken
        .iter()
        .map(|shots| Level {
            landings: landings(shots, at),
        })
        .collect())
}

/// Finds the lags of valves. `settings` are those of each board.
///
/// # Errors
/// As [`distances`].
pub(super) fn all_lags<B: Boards, O: Operator>(
    session: &mut Session<'_, B, O>,
    jets: &[JetAt],
    settings: &[Vec<Setting>],
    levels: usize,
    pulses: u64,
) -> Result<Outcome<Lags>, Failure> {
    let taken = take(session, jets, levels, pulses, true)?;
    let plan = session.watch.plan();
    let found = jets.iter().map(|at| {
        let of = |edge: Edge| taken.iter().map(|shots| trials(shots, *at, edge)).collect();
        let sweep = Sweep {
            opening: of(Edge::Opening),
            closing: of(Edge::Closing),
        };
        (*at, lags(&sweep, configured(plan, settings, *at)))
    });
    Ok(found.collect())
}

fn trials(shots: &[Shot<Edge>], at: JetAt, edge: Edge) -> Vec<EdgeTrial> {
    let of = shots
        .iter()
        .filter(|shot| (shot.lane, shot.jet) == at && shot.note == edge);
    let trial = |shot: &Shot<Edge>| EdgeTrial {
        speed: shot.speed,
        offset: if edge == Edge::Opening {
            shot.pulse.on
        } else {
            shot.pulse.off
        },
        hit: shot.landed.is_some(),
    };
    of.map(trial).collect()
}

/// What the file says of a jet.
pub(super) fn configured(plan: &LinePlan, settings: &[Vec<Setting>], at: JetAt) -> Configured {
    let jet = &plan.lanes[at.0.index()].jets[at.1];
    let setting = |key: SettingKey| {
        let is = |setting: &&Setting| setting.key == key && setting.index == jet.valve.0;
        settings[jet.board.index()]
            .iter()
            .find(is)
            .map_or(0.0, |setting| f64::from(setting.value))
    };
    Configured {
        on_us: setting(SettingKey::LagOnUs),
        off_us: setting(SettingKey::LagOffUs),
        at_um: f64::from(jet.at_um),
        ticks_per_metre: f64::from(plan.ticks_per_metre.get()),
    }
}

/// What is to be added to where the file has a jet, um.
pub(super) fn shift_um(plan: &LinePlan, at: JetAt, found_ticks: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
    let found = plan.ticks_per_metre.length(found_ticks.round() as i64);
    let Micrometres(found_um) = found;
    found_um - plan.lanes[at.0.index()].jets[at.1].at_um
}

/// A selection that has no jet at all.
pub(super) fn none_selected() -> Failure {
    Failure::new(Exit::Data, text::NO_JET)
}
