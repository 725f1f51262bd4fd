//! What eyes, cameras and weigh cells say of a pearl.
//!
//! Hot thread.

use units::{BoardId, EyeId, HostUs, Micrograms, PearlId, Tick, Tick32, TriggerSeq};
use wire::{Mass, MassStatus, Measurement, ViewStatus};

use super::Core;
use crate::io::{Notice, Output};
use crate::limits::{AHEAD_US, OLDEST_US, ON_THE_WAY_US};
use crate::pearl::{Awaited, Pearl, Stage};
use crate::record::{Cause, Destination, Landing, MassFigure};
use crate::track::{self, Numbered, Weighed};

/// A weighing on the line's scale, from a cell that weighs itself or from the estimator.
struct Weighing {
    /// Tick at which the pearl's centre was in the platform's middle.
    middle: Tick,
    status: MassStatus,
    figure: MassFigure,
}

impl Core {
    pub(super) fn trigger(
        &mut self,
        at: HostUs,
        board: BoardId,
        eye: EyeId,
        (seq, tick): (TriggerSeq, Tick32),
        out: &mut impl Output,
    ) {
        let Some(lane) = self.routes.entry(board, eye) else {
            self.accounts.unknown += 1;
            return;
        };
        let placed = self.sync.to_line(board, tick);
        // A board that has just started again is not placed yet: what it sees lies about where the belt is now.
        let tick = placed.unwrap_or_else(|| self.sync.now(at));
        match self.lanes[lane].triggers.follow(seq.0) {
            Numbered::Next => {}
            Numbered::Again => {
                self.accounts.doubled += 1;
                return;
            }
            Numbered::Gap(count) => self.gap(at, lane, tick, count, out),
            Numbered::Anew => self.gap(at, lane, tick, 1, out),
        }
        if placed.is_none() {
            self.enter_untracked(at, lane, (seq, tick), Cause::Link, out);
            return;
        }
        if !self.is_plausible(at, tick) {
            // Something has passed, and nobody knows where: as good as unseen.
            let now = self.sync.now(at);
            self.gap(at, lane, now, 1, out);
            return;
        }
        if self.is_same_interruption(lane, tick, out) {
            return;
        }
        let pearl = self.enter(at, (seq, tick));
        let Some(place) = self.lanes[lane].ring.push(pearl) else {
            self.put_aside(lane, &pearl, Cause::Overflow, out);
            return;
        };
        if self.run.takes_pearls() {
            self.set_waiting_due(lane, place);
            self.changed.push((lane, place));
        } else {
            self.spoil(lane, place, Cause::NotRunning, out);
        }
        let view = self.geometry.lanes[lane].view.unwrap_or(0) + self.geometry.station;
        if let Some(crowded) = track::crowded_ahead(&self.lanes[lane].ring, place, view) {
            self.judge_crowd(at, lane, crowded, false, out);
        }
    }

    /// A pearl has come in: it has its name and its recipe, and counts.
    fn enter(&mut self, at: HostUs, (seq, tick): (TriggerSeq, Tick)) -> Pearl {
        let id = self.next_pearl;
        self.next_pearl = PearlId(id.0.wrapping_add(1));
        let mut pearl = Pearl::new(id, seq, at, tick, self.geometry.most_half);
        pearl.lot = self.lot;
        (pearl.recipe, pearl.recipe_hash) = self.recipes.take();
        self.accounts.enter();
        pearl
    }

    /// A pearl has come in that can't be followed.
    fn enter_untracked(
        &mut self,
        at: HostUs,
        lane: usize,
        seen: (TriggerSeq, Tick),
        cause: Cause,
        out: &mut impl Output,
    ) {
        let pearl = self.enter(at, seen);
        self.put_aside(lane, &pearl, cause, out);
    }

    /// The pearl is not followed: it is recorded at once, and where it lies nothing is blown.
    fn put_aside(&mut self, lane: usize, pearl: &Pearl, cause: Cause, out: &mut impl Output) {
        self.recipes.release(pearl.recipe, out);
        self.lanes[lane].zones.add(pearl.centre, pearl.centre);
        self.put_on_record(lane, pearl, Destination::Tray(cause), Landing::NoEye, out);
    }

    /// Whether an eye or a cell can have seen something at `tick` that is told now.
    fn is_plausible(&self, at: HostUs, tick: Tick) -> bool {
        let ahead = tick.since(self.sync.now(at));
        ahead <= self.ticks_in(AHEAD_US) + self.geometry.most_reach() && ahead >= -self.ticks_in(OLDEST_US)
    }

    /// Numbers are missing: unseen pearls lie somewhere between the pearl before and this tick.
    fn gap(&mut self, at: HostUs, lane: usize, tick: Tick, count: u16, out: &mut impl Output) {
        self.accounts.gaps += u64::from(count);
        out.notice(at, Notice::Gap(Self::lane_id(lane), count));
        let ring = &self.lanes[lane].ring;
        let before = ring.newest().map(|place| ring.get(place).centre);
        let from = before.unwrap_or(tick.plus(-self.geometry.most_reach()));
        self.add_zone(lane, (from, tick), out);
    }

    /// Whether a trigger tells the interruption of the pearl before a second time. That pearl is spoilt: where it
    /// begins is not known.
    fn is_same_interruption(&mut self, lane: usize, tick: Tick, out: &mut impl Output) -> bool {
        let ring = &self.lanes[lane].ring;
        let Some(newest) = ring.newest() else { return false };
        let before = ring.get(newest);
        let same = !before.passed && tick.since(before.edge).saturating_abs() <= 2 * self.geometry.most_half;
        if same {
            self.accounts.doubled += 1;
            self.spoil(lane, newest, Cause::Length, out);
        }
        same
    }

    pub(super) fn passed(
        &mut self,
        at: HostUs,
        board: BoardId,
        eye: EyeId,
        (seq, tick): (TriggerSeq, Tick32),
        out: &mut impl Output,
    ) {
        let (Some(lane), Some(tick)) = (self.routes.entry(board, eye), self.sync.to_line(board, tick)) else {
            self.accounts.unknown += 1;
            return;
        };
        let Some(place) = track::by_number(&self.lanes[lane].ring, seq) else {
            self.accounts.unmatched += 1;
            return;
        };
        let pearl = self.lanes[lane].ring.get_mut(place);
        if pearl.passed {
            self.accounts.unmatched += 1;
            return;
        }
        let ticks = tick.since(pearl.edge);
        let length = self.geometry.per_metre.length(ticks);
        pearl.passed = true;
        pearl.length = length;
        let (edge, centre) = (pearl.edge, pearl.edge.plus(ticks / 2));
        let of = &self.plan.tolerances;
        if length.0 < of.least_length_um {
            self.spoil(lane, place, Cause::Length, out);
            return;
        }
        let touching = length.0 > of.most_length_um;
        if touching {
            self.spoil(lane, place, Cause::Touching, out);
        } else {
            pearl.centre = centre;
            pearl.half = ticks / 2;
            self.changed.push((lane, place));
            self.try_grade(at, lane, place, out);
        }
        self.foretell(lane, (edge, tick), touching);
    }

    pub(super) fn measured(&mut self, at: HostUs, board: BoardId, measurement: &Measurement, out: &mut impl Output) {
        let Some(lane) = self.routes.entry(board, measurement.eye) else {
            self.accounts.unknown += 1;
            return;
        };
        let Some(place) = track::by_number(&self.lanes[lane].ring, measurement.seq) else {
            self.accounts.unmatched += 1;
            return;
        };
        let pearl = self.lanes[lane].ring.get_mut(place);
        if pearl.view != Awaited::Due {
            self.accounts.unmatched += 1;
            return;
        }
        pearl.measurement = Some(*measurement);
        if measurement.status != ViewStatus::Good {
            let cause = Cause::View(measurement.status);
            pearl.view = Awaited::Bad(cause);
            self.spoil(lane, place, cause, out);
        } else if at.since(pearl.triggered) > i64::from(self.plan.tolerances.measure_us) {
            pearl.view = Awaited::Bad(Cause::NoMeasurement);
            self.spoil(lane, place, Cause::NoMeasurement, out);
        } else {
            pearl.view = Awaited::Good;
        }
        if measurement.in_view > 1 {
            self.judge_crowd(at, lane, place, false, out);
        }
        self.try_grade(at, lane, place, out);
    }

    /// The camera saw several: does the lane know them all? `last`: everybody within the view has tripped the eye by
    /// now.
    pub(super) fn judge_crowd(&mut self, at: HostUs, lane: usize, place: u32, last: bool, out: &mut impl Output) {
        let Some(view) = self.geometry.lanes[lane].view else {
            return;
        };
        let ring = &self.lanes[lane].ring;
        let pearl = ring.get(place);
        let seen = pearl
            .measurement
            .map_or(0, |measurement| usize::from(measurement.in_view));
        let known = track::known_in_view(ring, place, view + self.geometry.station);
        let good = matches!(pearl.view, Awaited::Good | Awaited::Crowded);
        let centre = pearl.centre;
        if seen <= known {
            if good {
                self.lanes[lane].ring.get_mut(place).view = Awaited::Good;
                self.try_grade(at, lane, place, out);
            }
        } else if last || self.sync.now(at) > self.crowd_due(lane, place) {
            self.accounts.intruders += 1;
            out.notice(at, Notice::Intruder(Self::lane_id(lane)));
            self.lanes[lane].ring.get_mut(place).view = Awaited::Bad(Cause::Intruder);
            self.add_zone(lane, (centre.plus(-view), centre.plus(view)), out);
        } else {
            // Also of a pearl whose own figures do not hold: its neighbours must know.
            self.lanes[lane].ring.get_mut(place).view = Awaited::Crowded;
            let due = self.crowd_due(lane, place);
            self.lanes[lane].ring.set_due(place, due);
        }
    }

    /// Tick from which every pearl within a pearl's view has tripped the eye and been told.
    pub(super) fn crowd_due(&self, lane: usize, place: u32) -> Tick {
        let view = self.geometry.lanes[lane].view.unwrap_or(0) + self.geometry.station;
        let centre = self.lanes[lane].ring.get(place).centre;
        centre.plus(view + self.ticks_in(ON_THE_WAY_US / 2))
    }

    pub(super) fn mass(&mut self, at: HostUs, board: BoardId, mass: &Mass, out: &mut impl Output) {
        let Some(lane) = self.routes.cell(board, mass.cell) else {
            self.accounts.unknown += 1;
            return;
        };
        let entered = self.sync.to_line(board, mass.entered);
        let left = self.sync.to_line(board, mass.left);
        let (Some(entered), Some(left)) = (entered, left) else {
            self.accounts.unknown += 1;
            return;
        };
        if !self.is_plausible(at, entered) || !self.is_plausible(at, left) {
            self.accounts.unmatched += 1;
            return;
        }
        match self.lanes[lane].masses.follow(mass.number) {
            Numbered::Next | Numbered::Anew => {}
            Numbered::Again => {
                self.accounts.doubled += 1;
                return;
            }
            Numbered::Gap(count) => {
                self.accounts.gaps += u64::from(count);
                out.notice(at, Notice::Gap(Self::lane_id(lane), count));
            }
        }
        let ug = |value: u32| Micrograms(i32::try_from(value).unwrap_or(i32::MAX));
        let figure = MassFigure {
            mass: ug(mass.mass_ug),
            u: ug(mass.u_mass_ug),
        };
        let middle = entered.plus(left.since(entered) / 2);
        let weighing = Weighing {
            middle,
            status: mass.status,
            figure,
        };
        self.weighed(at, lane, &weighing, out);
    }

    /// Matches a weighing to its pearl. This is where the estimator's results come in as well as the cells' own.
    fn weighed(&mut self, at: HostUs, lane: usize, weighing: &Weighing, out: &mut impl Output) {
        let Some((from, to)) = self.geometry.lanes[lane].weigh else {
            return;
        };
        let ticks = from + (to - from) / 2;
        let station = self.geometry.station;
        match track::by_tick(&self.lanes[lane].ring, weighing.middle, ticks, station) {
            Weighed::One(place) => {
                let pearl = self.lanes[lane].ring.get(place);
                let again = matches!(pearl.mass, Awaited::Good) || pearl.figure.is_some();
                let place_now = weighing.middle.plus(-ticks);
                if again {
                    self.strange_mass(at, lane, place_now, out);
                } else {
                    self.give_mass(at, lane, place, weighing, out);
                }
            }
            Weighed::Either(first, second) => {
                for place in [first, second] {
                    let cause = Cause::Mass(MassStatus::Shared);
                    self.lanes[lane].ring.get_mut(place).mass = Awaited::Bad(cause);
                    self.spoil(lane, place, cause, out);
                }
            }
            Weighed::Nobody => {
                let of_a_pearl = matches!(
                    weighing.status,
                    MassStatus::Good | MassStatus::Shared | MassStatus::Saturated | MassStatus::Disturbed
                );
                if of_a_pearl {
                    self.strange_mass(at, lane, weighing.middle.plus(-ticks), out);
                } else {
                    self.accounts.unmatched += 1;
                }
            }
        }
    }

    /// Something was weighed where no pearl is expected.
    fn strange_mass(&mut self, at: HostUs, lane: usize, centre: Tick, out: &mut impl Output) {
        self.accounts.intruders += 1;
        out.notice(at, Notice::Intruder(Self::lane_id(lane)));
        let station = self.geometry.station;
        self.add_zone(lane, (centre.plus(-station), centre.plus(station)), out);
    }

    fn give_mass(&mut self, at: HostUs, lane: usize, place: u32, weighing: &Weighing, out: &mut impl Output) {
        let Some((from, to)) = self.geometry.lanes[lane].weigh else {
            return;
        };
        let pearl = self.lanes[lane].ring.get_mut(place);
        match weighing.status {
            MassStatus::Good if pearl.mass == Awaited::Due => {
                pearl.figure = Some(weighing.figure);
                pearl.mass = Awaited::Good;
                // Where it was weighed tells how far it has rolled since the eye.
                if pearl.stage == Stage::Waiting {
                    pearl.shift += weighing.middle.since(pearl.at(from + (to - from) / 2));
                    self.changed.push((lane, place));
                }
                self.try_grade(at, lane, place, out);
            }
            // Too late: it stays missing.
            MassStatus::Good => self.accounts.unmatched += 1,
            MassStatus::Empty => {
                pearl.mass = Awaited::Bad(Cause::Missing);
                self.missing(at, lane, place, out);
            }
            status => {
                let cause = Cause::Mass(status);
                pearl.mass = Awaited::Bad(cause);
                self.spoil(lane, place, cause, out);
            }
        }
    }

    /// A pearl was not where it was expected.
    pub(super) fn missing(&mut self, at: HostUs, lane: usize, place: u32, out: &mut impl Output) {
        self.accounts.missing += 1;
        let id = self.lanes[lane].ring.get(place).id;
        out.notice(at, Notice::Missing(Self::lane_id(lane), id));
        self.spoil(lane, place, Cause::Missing, out);
    }

    /// Notes that an unseen pearl may lie between two ticks: whoever could blow it along is spoilt.
    pub(super) fn add_zone(&mut self, lane: usize, (from, to): (Tick, Tick), out: &mut impl Output) {
        let state = &mut self.lanes[lane];
        state.zones.add(from, to);
        let (from, to) = (from.min(to), from.max(to));
        for place in self.lanes[lane].ring.places() {
            let pearl = self.lanes[lane].ring.get(place);
            let reach = self.geometry.reach(pearl.half, self.geometry.most_half);
            let near = pearl.at(reach) > from && pearl.at(-reach) < to;
            if near && matches!(pearl.stage, Stage::Waiting | Stage::Graded | Stage::Ordered) {
                self.spoil(lane, place, Cause::Intruder, out);
            }
        }
    }
}
