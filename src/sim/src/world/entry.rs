//! The world at the entry eye: what the eye sees, what the camera makes of it, and what is in store for the pearl.
//!
//! Any thread.

use units::{EyeId, LaneId, TriggerSeq};
use wire::{Measurement, ViewStatus};

use super::{Shown, World, ceil, later};
use crate::draw::{BODIES, Body, Flashed};
use crate::faults::Fault;
use crate::lane::{Riding, State};
use crate::queue::Event;
use crate::truth::Interruption;

/// Edges of two pearls closer than this are one body to the camera, ticks of 50 um.
const TOUCHING_TICKS: f64 = 6.0;

impl World {
    /// A board has confirmed an interruption of an entry eye and fires the flash.
    pub fn flash(&mut self, board: u8, eye: EyeId, seq: TriggerSeq, at_us: u64) {
        let Some(lane) = self.entry_lanes[usize::from(board)][eye.index()] else {
            return;
        };
        let at = &mut self.lanes[usize::from(lane)];
        let ordinal = at.interruptions;
        at.interruptions += 1;
        at.current = Some(ordinal);
        let mut main = None;
        for (index, riding) in at.pearls.iter_mut().enumerate() {
            if riding.in_eye() && !riding.pearl.missed && riding.interruption.is_none() {
                riding.interruption = Some(ordinal);
                riding.shared = main.is_some();
                main.get_or_insert(index);
            }
        }
        let interruption = Interruption {
            lane: LaneId(lane),
            ordinal,
            seq,
            at_us,
            spurious: main.is_none(),
        };
        self.happened.interruptions.push(interruption);
        let silent = |fault: &Fault| matches!(fault, Fault::CameraSilent { lane: dark } if dark.0 == lane);
        if self.plan.lanes[usize::from(lane)].camera.is_none() || self.faults.on(at_us).any(silent) {
            return;
        }
        if self.pictures.is_some() {
            self.picture(lane, main, (board, eye, seq), at_us);
            return;
        }
        let (measurement, after_us) = self.look(lane, main, eye, seq);
        let at = &mut self.lanes[usize::from(lane)];
        let of = main.map(|index| (LaneId(lane), at.first + index as u64));
        if let Some(index) = main {
            at.pearls[index].view = Some(measurement);
        }
        let slot = self.free_views.pop().unwrap_or_else(|| {
            self.views.push(None);
            u32::try_from(self.views.len() - 1).unwrap_or(0)
        });
        self.views[slot as usize] = Some((board, measurement, of));
        self.queue.plan(later(at_us, after_us), Event::View { slot });
    }

    /// Takes the picture of the pearl of this index in its lane, with the one nearest to it (none: of an empty belt).
    fn picture(&mut self, lane: u8, main: Option<usize>, (board, eye, seq): (u8, EyeId, TriggerSeq), at_us: u64) {
        let at = &self.lanes[usize::from(lane)];
        let mut bodies = [None; BODIES];
        let body = |index: usize, from: f64| {
            let riding = &at.pearls[index];
            Body {
                truth: riding.pearl.truth,
                behind_um: self.belt.um(riding.place - from),
                seed: (u64::from(lane) << 48) ^ (at.first + index as u64),
            }
        };
        if let Some(main) = main {
            let from = at.pearls[main].place;
            let distance = |index: &usize| (at.pearls[*index].place - from).abs();
            let mut others: Vec<usize> = (0..at.pearls.len())
                .filter(|&n| n != main && at.pearls[n].state == State::Rides)
                .collect();
            others.sort_by(|a, b| distance(a).total_cmp(&distance(b)));
            for (slot, index) in bodies.iter_mut().zip(core::iter::once(main).chain(others)) {
                *slot = Some(body(index, from));
            }
        }
        let of = main.map(|index| (LaneId(lane), at.first + index as u64));
        let flashed = Flashed {
            board,
            eye,
            seq,
            at_us,
            of,
            bodies,
        };
        self.pictures.iter_mut().for_each(|pictures| pictures.push(flashed));
    }

    /// What the camera reports of the pearl of this index in its lane (none: of one seen before), and after what time.
    fn look(&self, lane: u8, main: Option<usize>, eye: EyeId, seq: TriggerSeq) -> (Measurement, f64) {
        let lane = &self.lanes[usize::from(lane)];
        let nothing = Measurement { eye, seq, ..blank() };
        let Some(index) = main else {
            return (
                Measurement {
                    status: ViewStatus::Cut,
                    ..nothing
                },
                self.nature.camera_us.0,
            );
        };
        let own = &lane.pearls[index];
        let others = || {
            lane.pearls
                .iter()
                .enumerate()
                .filter(|(n, other)| *n != index && other.state == State::Rides)
        };
        let distance = |other: &Riding| (other.place - own.place).abs();
        let near = others()
            .filter(|(_, other)| distance(other) <= lane.stations.view)
            .count();
        let in_view = u8::try_from(near + 1).unwrap_or(u8::MAX);
        let touches = others().any(|(_, other)| distance(other) < own.half + other.half + TOUCHING_TICKS);
        let measurement = if touches {
            Measurement {
                status: ViewStatus::Several,
                in_view,
                ..nothing
            }
        } else {
            Measurement {
                eye,
                seq,
                in_view,
                ..own.pearl.seen
            }
        };
        (measurement, own.pearl.seen_after_us)
    }

    /// An edge of a pearl (0 leading, 1 trailing) goes through the entry eye.
    pub(super) fn edge(&mut self, lane: u8, number: u64, edge: usize, at_us: u64) -> Option<Shown> {
        let first_time = self.meet(lane, number, at_us)?;
        if first_time {
            self.plan_way(lane, number, at_us);
        }
        let eye_error_um = self.lanes[usize::from(lane)].pearl(number)?.pearl.eye_error_um[edge];
        let error = self.belt.ticks(eye_error_um);
        let at = &mut self.lanes[usize::from(lane)];
        let current = at.current.filter(|_| at.dark > 0);
        let riding = at.pearl(number)?;
        let was_in_eye = riding.in_eye();
        riding.through[edge] = !riding.through[edge];
        let is_in_eye = riding.in_eye();
        let true_place = if edge == 0 {
            riding.place - riding.half
        } else {
            riding.place + riding.half
        };
        let event = if edge == 0 {
            Event::Front { lane, number }
        } else {
            Event::Rear { lane, number }
        };
        let missed = riding.pearl.missed;
        if is_in_eye && !missed && riding.interruption.is_none() && current.is_some() {
            riding.interruption = current;
            riding.shared = true;
        }
        if self.belt.turns_after(at_us as f64) {
            self.plan_at(true_place, at_us + 1, event);
        }
        if missed || was_in_eye == is_in_eye {
            return None;
        }
        let at = &mut self.lanes[usize::from(lane)];
        let was_dark = at.dark > 0;
        at.dark = if is_in_eye {
            at.dark + 1
        } else {
            at.dark.saturating_sub(1)
        };
        let is_dark = at.dark > 0;
        if is_dark == was_dark {
            return None;
        }
        if !is_dark {
            at.current = None;
        }
        self.entry_edge(lane, is_dark, true_place + error)
    }

    /// The eye sees light in the middle of a pearl that it sees twice.
    pub(super) fn flicker(&mut self, lane: u8, dark: bool, at_us: u64) -> Option<Shown> {
        if self.lanes[usize::from(lane)].dark != 1 {
            return None;
        }
        self.entry_edge(lane, dark, self.belt.place_at(at_us as f64))
    }

    fn entry_edge(&self, lane: u8, interrupted: bool, place: f64) -> Option<Shown> {
        let entry = self.plan.lanes[usize::from(lane)].entry;
        let (board, eye) = (entry.board.0, entry.eye);
        let dead = self.dead[entry.board.index()][eye.index()];
        (!dead).then_some(Shown::Eye {
            board,
            eye,
            interrupted,
            place,
        })
    }

    /// Notes that a pearl is at the eye, with what faults make of it there; says whether for the first time.
    fn meet(&mut self, lane: u8, number: u64, at_us: u64) -> Option<bool> {
        let riding = self.lanes[usize::from(lane)].pearl(number)?;
        if riding.state != State::Rides {
            return None;
        }
        if riding.met_us.is_some() {
            return Some(false);
        }
        riding.met_us = Some(at_us);
        for fault in self.faults.on(at_us) {
            match *fault {
                Fault::TriggersMissing { lane: of, share } if of.0 == lane => {
                    riding.pearl.missed |= self.fault_chance.happens(share);
                }
                Fault::TriggersDoubled { lane: of, share } if of.0 == lane => {
                    riding.pearl.doubled |= self.fault_chance.happens(share);
                }
                Fault::SlipUnseen { lane: of, share, um } if of.0 == lane && self.fault_chance.happens(share) => {
                    riding.rolled[1] -= self.belt.ticks(um);
                }
                _ => {}
            }
        }
        Some(true)
    }

    /// Plans a pearl's way from the eye on.
    fn plan_way(&mut self, lane: u8, number: u64, at_us: u64) {
        let streams = self.platforms[usize::from(lane)].is_some();
        let at = &mut self.lanes[usize::from(lane)];
        let (weigh, first_jet, end) = (at.stations.weigh, at.stations.jets.first().copied(), at.stations.end);
        let Some(riding) = at.pearl(number) else { return };
        let (place, half) = (riding.place, riding.half);
        let end = riding.place_at_jet(end);
        let weighed = weigh
            .filter(|_| !streams)
            .map(|(_, end)| (riding.place_at_weigh(end), riding.pearl.weighed_after_us));
        let falls = riding
            .pearl
            .falls
            .map(|share| place + share * (first_jet.unwrap_or(end) - 2.0 * half));
        let doubled = riding.pearl.doubled && !riding.pearl.missed;
        self.plan_at(place + half, at_us, Event::Rear { lane, number });
        if doubled {
            self.plan_at(place - 0.1 * half, at_us, Event::Flicker { lane, dark: false });
            self.plan_at(place + 0.1 * half, at_us, Event::Flicker { lane, dark: true });
        }
        if let Some((left, after_us)) = weighed
            && let Some(us) = self.belt.passes(left, at_us as f64)
        {
            self.queue.plan(later(ceil(us), after_us), Event::Mass { lane, number });
        }
        if let Some(place) = falls {
            self.plan_at(place, at_us, Event::Fall { lane, number });
        }
        self.plan_at(end, at_us, Event::End { lane, number });
    }
}

/// A report without figures.
fn blank() -> Measurement {
    Measurement {
        eye: EyeId(0),
        seq: TriggerSeq(0),
        status: ViewStatus::Empty,
        in_view: 0,
        d_max_um: 0,
        d_mid_um: 0,
        d_min_um: 0,
        u_diameter_um: 0,
        u_ddp: 0,
        residual_um: 0,
        taper: 0,
        lab_l: 0,
        lab_a: 0,
        lab_b: 0,
        u_lab: 0,
        overtone_a: 0,
        overtone_b: 0,
        lustre: 0,
        u_lustre: 0,
        blemishes: 0,
        blemish_area: 0,
        u_blemish_area: 0,
        nacre_um: None,
    }
}
