//! From the last figure to the order, and back when a neighbour turns up.
//!
//! Hot thread. Words: to **spoil** a pearl is to keep it on the belt, for a cause, taking its order back if one is out.

use std::sync::Arc;

use units::{BoardId, HostUs, LaneId, Tick};
use wire::{Amend, Fire, ToBoard};

use super::{Core, LineState};
use crate::grade::{Figures, Recipe, Verdict};
use crate::io::Output;
use crate::limits::ON_THE_WAY_US;
use crate::pearl::{Awaited, NONE, Pearl, Stage};
use crate::plan::JetPlan;
use crate::record::Cause;
use crate::schedule::{self, Amendment, Leave, Order, Pulse};

impl Core {
    /// Puts a recipe in force for pearls that trigger from now on.
    pub(super) fn take_recipe(&mut self, recipe: Arc<Recipe>, out: &mut impl Output) {
        if let Err(oldest) = self.recipes.room() {
            // Somebody must go: the pearls of the recipe that was replaced the longest ago.
            for lane in 0..self.lanes.len() {
                for place in self.lanes[lane].ring.places() {
                    if self.lanes[lane].ring.get(place).recipe == oldest {
                        self.spoil(lane, place, Cause::Overflow, out);
                    }
                }
            }
        }
        self.recipes.replace(recipe, out);
    }

    /// The pearl of a jet's board and plan.
    pub(super) fn jet_plan(&self, lane: usize, jet: u8) -> Option<&JetPlan> {
        self.plan.lanes[lane].jets.get(usize::from(jet))
    }

    /// Distance of a jet from the eye, ticks.
    pub(super) fn jet_ticks(&self, lane: usize, jet: u8) -> i64 {
        self.geometry.lanes[lane]
            .jets
            .get(usize::from(jet))
            .copied()
            .unwrap_or(0)
    }

    /// Keeps a pearl on the belt. Whatever its figures, its story then ends in the tray unless it was too late.
    pub(super) fn spoil(&mut self, lane: usize, place: u32, cause: Cause, out: &mut impl Output) {
        match self.lanes[lane].ring.get(place).stage {
            Stage::Waiting | Stage::Graded => self.leave_on_belt(lane, place, cause, out),
            Stage::Ordered => self.cancel(lane, place, cause, out),
            Stage::Cancelling(_) | Stage::Fired | Stage::Unsure(_) | Stage::Tray(_) | Stage::Ended => {}
        }
    }

    /// The pearl stays on the belt, and no order is out for it.
    pub(super) fn leave_on_belt(&mut self, lane: usize, place: u32, cause: Cause, out: &mut impl Output) {
        self.release_recipe(lane, place, out);
        self.lanes[lane].ring.get_mut(place).stage = Stage::Tray(cause);
        self.set_due(lane, place);
        self.changed.push((lane, place));
    }

    pub(super) fn release_recipe(&mut self, lane: usize, place: u32, out: &mut impl Output) {
        let pearl = self.lanes[lane].ring.get_mut(place);
        let slot = std::mem::replace(&mut pearl.recipe, NONE);
        if slot != NONE {
            self.recipes.release(slot, out);
        }
    }

    /// Takes an order back; the board's answer decides. A board that is down has dropped its orders.
    fn cancel(&mut self, lane: usize, place: u32, cause: Cause, out: &mut impl Output) {
        let pearl = *self.lanes[lane].ring.get(place);
        let Some(board) = self.jet_plan(lane, pearl.jet).map(|jet| jet.board) else {
            return;
        };
        if !self.links[board.index()].up {
            return;
        }
        self.orders.amend(board, pearl.order, Amendment::Cancel(cause));
        let amend = Amend {
            order: pearl.order,
            length: 0,
        };
        out.send(board, ToBoard::Amend(amend));
        self.lanes[lane].ring.get_mut(place).stage = Stage::Cancelling(cause);
        self.set_due(lane, place);
        self.changed.push((lane, place));
    }

    /// Ends an order's pulse before a neighbour that has turned up behind it. Says whether that can be asked.
    fn shorten(&mut self, lane: usize, place: u32, out: &mut impl Output) -> bool {
        let pearl = *self.lanes[lane].ring.get(place);
        let Some(board) = self.jet_plan(lane, pearl.jet).map(|jet| jet.board) else {
            return false;
        };
        let off = pearl.off.plus(-self.geometry.margin);
        let Ok(length) = u16::try_from(off.since(pearl.on)) else {
            return false;
        };
        if length == 0 {
            return false;
        }
        self.orders.amend(board, pearl.order, Amendment::Shorten(off));
        let order = pearl.order;
        out.send(board, ToBoard::Amend(Amend { order, length }));
        self.lanes[lane].ring.get_mut(place).trim_off = true;
        true
    }

    /// Grades a pearl once every figure that its recipe asks for is there.
    pub(super) fn try_grade(&mut self, at: HostUs, lane: usize, place: u32, out: &mut impl Output) {
        let pearl = *self.lanes[lane].ring.get(place);
        if pearl.stage != Stage::Waiting || !pearl.passed || pearl.view == Awaited::Crowded {
            return;
        }
        let lane_id = LaneId(u8::try_from(lane).unwrap_or(u8::MAX));
        let Some(recipe) = self.recipes.get(pearl.recipe) else {
            self.spoil(lane, place, Cause::Overflow, out);
            return;
        };
        let needs = recipe.needs(lane_id);
        for (needed, awaited) in [(needs.view, pearl.view), (needs.mass, pearl.mass)] {
            match awaited {
                Awaited::Due if needed => return self.set_waiting_due(lane, place),
                Awaited::Bad(cause) if needed => return self.spoil(lane, place, cause, out),
                _ => {}
            }
        }
        let good = pearl.view == Awaited::Good;
        let figures = Figures {
            view: pearl.measurement.as_ref().filter(|_| good),
            mass: pearl.figure,
        };
        match recipe.grade(lane_id, figures) {
            Verdict::Recirculate(cause) => self.spoil(lane, place, cause, out),
            Verdict::Bin(bin) => {
                self.lanes[lane].ring.get_mut(place).earned = Some(bin);
                self.graded(at, lane, place, bin, out);
            }
        }
    }

    /// The pearl has earned a bin: may it go there?
    fn graded(&mut self, at: HostUs, lane: usize, place: u32, bin: units::BinId, out: &mut impl Output) {
        let jets = &self.plan.lanes[lane].jets;
        let Some(jet) = jets.iter().position(|jet| jet.bin == bin) else {
            self.spoil(lane, place, Cause::NoBin, out);
            return;
        };
        let board = jets[jet].board;
        if let Some(cause) = self.obstacle(at, lane, board, bin) {
            self.spoil(lane, place, cause, out);
            return;
        }
        self.release_recipe(lane, place, out);
        let pearl = self.lanes[lane].ring.get_mut(place);
        pearl.jet = u8::try_from(jet).unwrap_or(NONE);
        pearl.stage = Stage::Graded;
        pearl.ready = at;
        self.changed.push((lane, place));
    }

    /// Why nothing may be sent into a bin now, if so.
    fn obstacle(&self, at: HostUs, lane: usize, board: BoardId, bin: units::BinId) -> Option<Cause> {
        let speed = i64::from(self.sync.speed().0);
        let entry = self.plan.lanes[lane].entry.board;
        let of = self.bins[bin.index()];
        let fresh = self.sync.is_known(at) && self.sync.is_fresh(at, board) && self.sync.is_fresh(at, entry);
        let agreed = fresh && self.links[board.index()].armed && self.sync.unaligned().is_none();
        if self.run.state() != LineState::Running {
            Some(Cause::Hold)
        } else if of.quarantined {
            Some(Cause::Quarantine)
        } else if of.inhibited {
            Some(Cause::Inhibited)
        } else if !agreed {
            Some(Cause::Link)
        } else if !(self.geometry.least_speed..=self.geometry.most_speed).contains(&speed) {
            Some(Cause::Speed)
        } else {
            None
        }
    }

    /// Asks the neighbours of every pearl that has changed. A pearl only ever goes on in its story, so this ends.
    pub(super) fn settle_changes(&mut self, at: HostUs, out: &mut impl Output) {
        while let Some((lane, place)) = self.changed.pop() {
            if !self.lanes[lane].ring.has(place) {
                continue;
            }
            self.review(at, lane, place, out);
            let centre = self.lanes[lane].ring.get(place).at(0);
            let far = self.geometry.most_reach() + 2 * self.geometry.station;
            for other in self.lanes[lane].ring.ahead(place) {
                if !self.review_near(at, lane, other, (centre, far), out) {
                    break;
                }
            }
            for other in self.lanes[lane].ring.behind(place) {
                if !self.review_near(at, lane, other, (centre, far), out) {
                    break;
                }
            }
        }
    }

    fn review_near(
        &mut self,
        at: HostUs,
        lane: usize,
        place: u32,
        (centre, far): (Tick, i64),
        out: &mut impl Output,
    ) -> bool {
        let near = self.lanes[lane].ring.get(place).at(0).since(centre).saturating_abs() < far;
        if near {
            self.review(at, lane, place, out);
        }
        near
    }

    /// Asks whether a pearl that is to be blown may be, and orders it or takes its order back.
    pub(super) fn review(&mut self, at: HostUs, lane: usize, place: u32, out: &mut impl Output) {
        let pearl = *self.lanes[lane].ring.get(place);
        let ordered = pearl.stage == Stage::Ordered;
        if !ordered && pearl.stage != Stage::Graded {
            return;
        }
        let reach = self.geometry.reach(pearl.half, self.geometry.most_half);
        if self.lanes[lane].zones.near(pearl.at(0), reach) {
            self.spoil(lane, place, Cause::Intruder, out);
            return;
        }
        let ring = &self.lanes[lane].ring;
        match schedule::ask_neighbours(&self.geometry, ring, place, self.plan.neighbours) {
            Leave::Clash => self.spoil(lane, place, Cause::Neighbour, out),
            Leave::Wait => {
                let latest = self.latest_tick(lane, &pearl);
                self.lanes[lane].ring.set_due(place, latest);
            }
            Leave::Go { trim_on, trim_off } if ordered => {
                let too_late = trim_on && !pearl.trim_on;
                if too_late || (trim_off && !pearl.trim_off && !self.shorten(lane, place, out)) {
                    self.spoil(lane, place, Cause::Neighbour, out);
                } else {
                    self.set_due(lane, place);
                }
            }
            Leave::Go { trim_on, trim_off } => {
                let pearl = self.lanes[lane].ring.get_mut(place);
                (pearl.trim_on, pearl.trim_off) = (trim_on, trim_off);
                self.order(at, lane, place, out);
            }
        }
    }

    /// Tick at which an undecided neighbour has taken too long.
    fn latest_tick(&self, lane: usize, pearl: &Pearl) -> Tick {
        let (on, _) = schedule::pulse(&self.geometry, pearl, self.jet_ticks(lane, pearl.jet));
        let lead_us = i64::from(self.plan.tolerances.least_lead_us);
        on.plus(-self.ticks_in(lead_us + lead_us / 10))
    }

    /// Gives the order for a pearl that may go.
    fn order(&mut self, at: HostUs, lane: usize, place: u32, out: &mut impl Output) {
        let pearl = *self.lanes[lane].ring.get(place);
        let Some(jet) = self.jet_plan(lane, pearl.jet).copied() else {
            return;
        };
        if let Some(cause) = self.obstacle(at, lane, jet.board, jet.bin) {
            self.spoil(lane, place, cause, out);
            return;
        }
        let (on, off) = schedule::pulse(&self.geometry, &pearl, self.jet_ticks(lane, pearl.jet));
        let ahead = on.since(self.sync.now(at));
        let lead_us = schedule::lead_us(ahead, self.sync.speed()).unwrap_or(0);
        if let Some(cause) = self.refusal(lane, place, &jet, (on, off), (ahead, lead_us)) {
            self.spoil(lane, place, cause, out);
            return;
        }
        let (Some(wire_on), Ok(length)) = (self.sync.to_board(jet.board, on), u16::try_from(off.since(on))) else {
            self.spoil(lane, place, Cause::Valve, out);
            return;
        };
        let order = Order::new(lane, place, jet.valve, (on, off));
        let id = self.orders.give(jet.board, order);
        let valve = jet.valve;
        self.manifolds.add(jet.board, id, Pulse { valve, on, off });
        let fire = Fire {
            order: id,
            valve,
            on: wire_on,
            length,
        };
        out.send(jet.board, ToBoard::Fire(fire));
        self.accounts.orders += 1;
        self.bins[jet.bin.index()].sent += 1;
        let pearl = self.lanes[lane].ring.get_mut(place);
        pearl.stage = Stage::Ordered;
        pearl.order = id;
        (pearl.on, pearl.off) = (on, off);
        pearl.decision_us = Some(held_us(at.since(pearl.ready)));
        pearl.lead_us = Some(held_us(lead_us));
        self.set_due(lane, place);
    }

    /// Why the pulse can't be had, if so.
    fn refusal(
        &self,
        lane: usize,
        place: u32,
        jet: &JetPlan,
        pulse: (Tick, Tick),
        (ahead, lead_us): (i64, i64),
    ) -> Option<Cause> {
        let of = &self.plan.tolerances;
        if lead_us < i64::from(of.least_lead_us) {
            return Some(Cause::TooLate);
        }
        let recovery = self.ticks_in(i64::from(of.valve_recovery_us));
        let (first, last) = schedule::bridged(&self.lanes[lane].ring, place, pulse, recovery);
        let open_us = self.sync.speed().us_for(last.since(first)).unwrap_or(i64::MAX);
        let most_us = i64::from(of.max_on_us).min(self.links[jet.board.index()].max_on_us);
        if open_us > most_us {
            return Some(Cause::Valve);
        }
        let (on, off) = pulse;
        let valve = jet.valve;
        if !self.manifolds.allows(jet.board, Pulse { valve, on, off }) {
            return Some(Cause::Manifold);
        }
        if !self.orders.has_room(jet.board, ahead) {
            return Some(Cause::Overflow);
        }
        None
    }

    /// Notes when a pearl must be looked at again, by its stage.
    pub(super) fn set_due(&mut self, lane: usize, place: u32) {
        let pearl = *self.lanes[lane].ring.get(place);
        let due = match pearl.stage {
            Stage::Waiting => return self.set_waiting_due(lane, place),
            Stage::Graded => self.latest_tick(lane, &pearl),
            Stage::Ordered | Stage::Cancelling(_) => pearl.off.plus(self.ticks_in(ON_THE_WAY_US)),
            Stage::Fired | Stage::Unsure(_) => self.landing_due(lane, &pearl),
            Stage::Tray(_) => self.tray_due(lane, &pearl),
            Stage::Ended => return,
        };
        let crowd = if pearl.view == Awaited::Crowded {
            self.crowd_due(lane, place).min(due)
        } else {
            due
        };
        self.lanes[lane].ring.set_due(place, crowd);
    }

    /// Notes the earliest deadline of the figures that are due.
    pub(super) fn set_waiting_due(&mut self, lane: usize, place: u32) {
        let due = self
            .waiting_dues(lane, place)
            .into_iter()
            .flatten()
            .map(|(due, _)| due)
            .min();
        // Nothing is due and it is not graded yet: a look at the next sweep.
        let due = due.unwrap_or(self.lanes[lane].ring.get(place).edge);
        self.lanes[lane].ring.set_due(place, due);
    }

    /// The deadlines of a waiting pearl, with the cause that each stands for.
    pub(super) fn waiting_dues(&self, lane: usize, place: u32) -> [Option<(Tick, Cause)>; 4] {
        let pearl = self.lanes[lane].ring.get(place);
        let of = &self.plan.tolerances;
        let needs = self
            .recipes
            .get(pearl.recipe)
            .map(|recipe| recipe.needs(Self::lane_id(lane)));
        let needs = needs.unwrap_or_default();
        let longest = pearl
            .edge
            .plus(2 * self.geometry.most_half + self.ticks_in(ON_THE_WAY_US / 2));
        let passed = (!pearl.passed).then_some((longest, Cause::Length));
        let measured = pearl.edge.plus(match self.geometry.lanes[lane].view {
            Some(_) => self.ticks_in(i64::from(of.measure_us)),
            None => 0,
        });
        let view = (needs.view && pearl.view == Awaited::Due).then_some((measured, Cause::NoMeasurement));
        let crowd = (pearl.view == Awaited::Crowded).then(|| (self.crowd_due(lane, place), Cause::Intruder));
        // A cell that streams samples says itself when its platform was empty.
        let (weighed, cause) = match (self.geometry.lanes[lane].weigh, &self.lanes[lane].cell) {
            (Some((_, to)), cell) => (
                pearl.at(to + self.geometry.station + self.ticks_in(i64::from(of.weigh_us))),
                cell.as_ref().map_or(Cause::Missing, |_| Cause::NoMass),
            ),
            (None, _) => (pearl.edge, Cause::NoMass),
        };
        let mass = (needs.mass && pearl.mass == Awaited::Due).then_some((weighed, cause));
        [passed, view, crowd, mass]
    }
}

/// Microseconds as a record keeps them.
fn held_us(us: i64) -> i32 {
    i32::try_from(us).unwrap_or(if us < 0 { i32::MIN } else { i32::MAX })
}
