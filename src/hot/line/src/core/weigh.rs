//! Cells that stream samples: pearls are foretold to the estimator, its weighings handed to them.
//!
//! Hot thread. A cell without a model weighs nothing; its pearls wait in vain and are recirculated.

use units::{BoardId, HostUs, LaneId, Tick};
use wire::{Mass, Samples};

use super::Core;
use crate::io::{Notice, Output};
use crate::limits::{MISFIT, MISFIT_GONE};
use crate::plan::{LanePlan, WeighPlan, WeighSource};
use crate::weigh::limits::GIVEN;
use crate::weigh::{CellStream, Checks, Gate, Gates, Model};

/// Room for a gate that is told late, beyond the time to roll on, us.
const GATE_DELAY_US: f64 = 4_000.0;

/// A streaming cell, and what has been told of it.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    stream: CellStream,
    zero_told: bool,
    misfit_told: bool,
}

impl Cell {
    /// The lane's cell, if it streams samples.
    pub(super) fn new(lane: &LanePlan) -> Option<Self> {
        let weigh = lane.weigh.filter(|weigh| weigh.source == WeighSource::Samples)?;
        Some(Self {
            stream: CellStream::new(weigh.cell),
            zero_told: false,
            misfit_told: false,
        })
    }
}

impl Core {
    /// A pearl from `front` to `rear` has passed the eye: its passage over the platform is foretold to a cell that streams
    /// samples. What is longer than a pearl is two that touch: their mass is not asked for, but their load is known.
    pub(super) fn foretell(&mut self, lane: usize, (front, rear): (Tick, Tick), touching: bool) {
        let platform = self.geometry.lanes[lane].weigh;
        let (Some(cell), Some((from, to))) = (&mut self.lanes[lane].cell, platform) else {
            return;
        };
        let length = rear.since(front);
        let parts: &[i64] = if touching { &[1, 3] } else { &[2] };
        for quarters in parts {
            let centre = front.plus(length * quarters / 4);
            cell.stream.expect(centre.plus(from), centre.plus(to), !touching);
        }
    }

    /// Samples have come.
    pub(super) fn samples(&mut self, at: HostUs, board: BoardId, message: &Samples<'_>, out: &mut impl Output) {
        let lane = self.routes.cell(board, message.cell);
        let Some(lane) = lane.filter(|lane| self.lanes[*lane].cell.is_some()) else {
            self.accounts.unknown += 1;
            return;
        };
        out.samples(Self::lane_id(lane), message);
        let Self {
            lanes, sync, weighings, ..
        } = self;
        if let Some(cell) = &mut lanes[lane].cell {
            let gate = |tick| sync.moment(board, tick).map(|(tick, at)| Gate { tick, at });
            cell.stream.samples(message, gate, &mut keep(weighings));
        }
        self.hand_over(at, board, lane, out);
        self.watch_cell(at, lane, out);
    }

    /// A model takes effect.
    pub(super) fn take_model(&mut self, at: HostUs, lane: LaneId, model: &Model, out: &mut impl Output) {
        let plan = self.plan.lanes.get(lane.index()).and_then(|of| of.weigh);
        let Some(weigh) = plan.filter(|weigh| weigh.source == WeighSource::Samples) else {
            self.accounts.unknown += 1;
            return;
        };
        let checks = self.checks(&weigh, model);
        let Self { lanes, weighings, .. } = self;
        let Some(cell) = &mut lanes[lane.index()].cell else {
            return;
        };
        let taken = cell.stream.set_model(model, &checks, &mut keep(weighings));
        if taken.is_ok() {
            (cell.zero_told, cell.misfit_told) = (false, false);
        }
        self.hand_over(at, weigh.board, lane.index(), out);
        out.notice(
            at,
            taken.map_or_else(|fault| Notice::ModelRefused(lane, fault), |()| Notice::Model(lane)),
        );
    }

    /// What is refused on a lane's platform: dwells that no speed of the belt gives, and for the rest the usual.
    fn checks(&self, weigh: &WeighPlan, model: &Model) -> Checks {
        let of = &self.plan.tolerances;
        let dwell_us = |um_s: i32| i64::from(weigh.length_um) * 1_000_000 / i64::from(um_s.max(1));
        let delay_us = model.platform.roll_us + model.platform.lag_us.abs() + GATE_DELAY_US;
        #[expect(clippy::cast_possible_truncation, reason = "`as` holds it within the range")]
        let gate_delay_us = delay_us as i64;
        Checks {
            dwell_us: (
                (dwell_us(of.most_speed_um_s) / 2).max(1),
                dwell_us(of.least_speed_um_s).saturating_mul(2).max(2),
            ),
            gate_delay_us,
            ..Checks::default()
        }
    }

    /// A board's cells tell nothing that goes on from here: what is on their platforms is refused.
    pub(super) fn end_cells(&mut self, at: HostUs, board: BoardId, out: &mut impl Output) {
        for lane in 0..self.lanes.len() {
            if self.plan.lanes[lane].weigh.is_none_or(|weigh| weigh.board != board) {
                continue;
            }
            let Self { lanes, weighings, .. } = self;
            if let Some(cell) = &mut lanes[lane].cell {
                cell.stream.end(&mut keep(weighings));
                self.hand_over(at, board, lane, out);
            }
        }
    }

    /// Hands weighings to their pearls.
    fn hand_over(&mut self, at: HostUs, board: BoardId, lane: usize, out: &mut impl Output) {
        let mut weighings = std::mem::take(&mut self.weighings);
        for (mass, gates) in weighings.drain(..) {
            out.passage(Self::lane_id(lane), gates.entered.at, gates.left.at);
            if gates.asked {
                self.mass(at, board, &mass, out);
            } else {
                self.lanes[lane].masses.follow(mass.number);
            }
        }
        self.weighings = weighings;
    }

    /// Tells when the zero leaves its band or the residuals grow.
    fn watch_cell(&mut self, at: HostUs, lane: usize, out: &mut impl Output) {
        let Some(cell) = &mut self.lanes[lane].cell else { return };
        let Some(estimator) = cell.stream.estimator() else {
            return;
        };
        let (alarm, misfit) = (estimator.zero_alarm(), estimator.misfit());
        if alarm != cell.zero_told {
            cell.zero_told = alarm;
            out.notice(at, Notice::Zero(Self::lane_id(lane), alarm));
        }
        if misfit > MISFIT && !cell.misfit_told {
            cell.misfit_told = true;
            out.notice(at, Notice::Misfit(Self::lane_id(lane)));
        } else if misfit < MISFIT_GONE {
            cell.misfit_told = false;
        }
    }
}

/// Keeps weighings; what finds no room is seen as a gap in their numbers.
fn keep(weighings: &mut Vec<(Mass, Gates)>) -> impl FnMut(Mass, Gates) {
    |mass, gates| {
        if weighings.len() < GIVEN {
            weighings.push((mass, gates));
        }
    }
}
