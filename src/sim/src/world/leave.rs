//! The world behind the entry eye: weigh cell, jets, belt's end, drop eyes, and the end of each pearl's story.
//!
//! Any thread.

use line::DropEyePlan;
use units::{EyeId, LaneId};
use wire::{Mass, MassStatus};

use super::{Shown, World, ceil, later};
use crate::air::Air;
use crate::faults::Fault;
use crate::jet::{Effect, effect};
use crate::lane::{State, place_of};
use crate::queue::Event;
use crate::truth::Place;

impl World {
    pub(super) fn weigh(&mut self, lane: u8, number: u64, at_us: u64) -> Option<Shown> {
        let plan = self.plan.lanes[usize::from(lane)].weigh?;
        let at = &mut self.lanes[usize::from(lane)];
        let (begin, end) = at.stations.weigh?;
        let shared = at.weighs_two(number, end - begin);
        let weighing = at.weighings;
        let riding = at.pearl(number).filter(|riding| riding.state != State::Told)?;
        let silent = |fault: &Fault| matches!(fault, Fault::CellSilent { lane: dark } if dark.0 == lane);
        if self.faults.on(at_us).any(silent) {
            return None;
        }
        let (status, drift_ug) = self.faults.cell(lane, at_us);
        let status = if shared { MassStatus::Shared } else { status };
        let (mass_ug, u_mass_ug) = match status {
            MassStatus::Good => (
                riding.pearl.weighed_ug.0.saturating_add_signed(drift_ug),
                riding.pearl.weighed_ug.1,
            ),
            _ => (0, 0),
        };
        let mass = Mass {
            cell: plan.cell,
            number: weighing,
            entered: units::Tick32(0),
            left: units::Tick32(0),
            status,
            mass_ug,
            u_mass_ug,
        };
        riding.mass = Some(mass);
        let error = riding.pearl.gate_error_um.map(|um| self.belt.ticks(um));
        let places = [
            riding.place_at_weigh(begin) + error[0],
            riding.place_at_weigh(end) + error[1],
        ];
        at.weighings = weighing.wrapping_add(1);
        Some(Shown::Mass {
            board: plan.board.0,
            mass,
            places,
            of: (LaneId(lane), number),
        })
    }

    pub(super) fn rides(&mut self, lane: u8, number: u64) -> bool {
        self.lanes[usize::from(lane)]
            .pearl(number)
            .is_some_and(|riding| riding.state == State::Rides)
    }

    pub(super) fn air(&mut self, what: Air, jet: u16, at_us: u64) {
        let place = self.belt.place_at(at_us as f64);
        let (blown, again_us) = self.jets.air(what, jet, place, at_us);
        if let Some(us) = again_us {
            self.queue.plan(us, Event::AirHeld { jet });
        }
        let Some(blown) = blown else { return };
        let width = self.belt.ticks(f64::from(self.plan.tolerances.jet_width_um));
        let at = &mut self.lanes[usize::from(blown.lane)];
        let stand = at.stations.jets[usize::from(blown.jet)];
        for (index, riding) in at.pearls.iter_mut().enumerate() {
            let centre = riding.place_at_jet(stand);
            let reach = riding.half + 0.5 * width;
            if riding.state != State::Rides || centre + reach <= blown.from || centre - reach >= blown.to {
                continue;
            }
            let share = crate::jet::impulse(blown.from - centre, blown.to - centre, 2.0 * riding.half, width);
            match &mut riding.blown_by {
                Some((jet, sum)) if *jet == blown.jet => *sum += share,
                other => {
                    *other = Some((blown.jet, share));
                    let number = at.first + index as u64;
                    let us = self.belt.passes(centre + reach, at_us as f64).map_or(at_us, ceil);
                    let us = if centre + reach <= place { at_us } else { us };
                    self.queue.plan(
                        us,
                        Event::Passed {
                            lane: blown.lane,
                            number,
                        },
                    );
                }
            }
        }
    }

    /// A pearl has passed a jet that had touched it.
    pub(super) fn passed(&mut self, lane: u8, number: u64, at_us: u64) {
        let at = &mut self.lanes[usize::from(lane)];
        let first = at.first;
        let Some(riding) = number
            .checked_sub(first)
            .and_then(|index| at.pearls.get_mut(index as usize))
        else {
            return;
        };
        if riding.state != State::Rides {
            return;
        }
        let Some((jet, share)) = riding.blown_by.take() else {
            return;
        };
        let leaves = match effect(share) {
            Effect::Stays => false,
            Effect::Blown => true,
            Effect::Strays if riding.pearl.stray < 0.5 => true,
            Effect::Strays if riding.pearl.stray < 0.75 => false,
            Effect::Strays => {
                self.tell(lane, number, Place::Lost, at_us);
                return;
            }
        };
        if leaves {
            let centre = riding.place_at_jet(at.stations.jets[usize::from(jet)]);
            let eye = self.plan.lanes[usize::from(lane)].jets[usize::from(jet)].drop_eye;
            self.drop(lane, number, Some(jet), centre, eye, at_us);
        }
    }

    pub(super) fn end(&mut self, lane: u8, number: u64, at_us: u64) {
        if self.rides(lane, number) {
            let at = &mut self.lanes[usize::from(lane)];
            let end = at.stations.end;
            let Some(riding) = at.pearl(number) else { return };
            let centre = riding.place_at_jet(end);
            let eye = self.plan.lanes[usize::from(lane)].tray_eye;
            self.drop(lane, number, None, centre, eye, at_us);
        }
    }

    /// A pearl leaves the belt at the place where its centre was, and falls towards an eye.
    fn drop(&mut self, lane: u8, number: u64, jet: Option<u8>, centre: f64, eye: Option<DropEyePlan>, at_us: u64) {
        let (least, most) = eye.map_or((50_000, 70_000), |eye| (eye.least_us, eye.most_us));
        let at = &mut self.lanes[usize::from(lane)];
        let Some(riding) = at.pearl(number) else { return };
        let met_us = riding.met_us.unwrap_or(0);
        riding.state = State::Falls(jet);
        let left_us = self.belt.passes(centre, met_us as f64).map_or(at_us, ceil).min(at_us);
        riding.left_us = left_us;
        let fall_us = 0.5 * f64::from(least + most) + riding.pearl.fall_z * f64::from(most - least) / 12.0;
        self.queue
            .plan(later(left_us, fall_us).max(at_us), Event::Land { lane, number });
    }

    pub(super) fn land(&mut self, lane: u8, number: u64, at_us: u64) -> Option<Shown> {
        let riding = self.lanes[usize::from(lane)].pearl(number)?;
        let State::Falls(jet) = riding.state else { return None };
        let length_um = riding.pearl.length_um;
        let plan = &self.plan.lanes[usize::from(lane)];
        let place = place_of(plan, jet);
        let eye = jet.map_or(plan.tray_eye, |jet| plan.jets[usize::from(jet)].drop_eye);
        self.tell(lane, number, place, at_us);
        let eye = eye?.eye;
        let (board, index) = (eye.board.0, eye.eye.index());
        let clear_us = later(at_us, length_um / self.nature.fall_um_s * 1e6);
        self.queue.plan(clear_us, Event::Clear { board, eye: eye.eye.0 });
        let falling = &mut self.falling[usize::from(board)][index];
        *falling += 1;
        let shows = *falling == 1 && !self.dead[usize::from(board)][index];
        let place = self.belt.place_at(at_us as f64);
        shows.then_some(Shown::Eye {
            board,
            eye: eye.eye,
            interrupted: true,
            place,
        })
    }

    pub(super) fn clear(&mut self, board: u8, eye: u8, at_us: u64) -> Option<Shown> {
        let falling = &mut self.falling[usize::from(board)][usize::from(eye)];
        *falling = falling.saturating_sub(1);
        let shows = *falling == 0 && !self.dead[usize::from(board)][usize::from(eye)];
        let place = self.belt.place_at(at_us as f64);
        shows.then_some(Shown::Eye {
            board,
            eye: EyeId(eye),
            interrupted: false,
            place,
        })
    }

    pub(super) fn tell(&mut self, lane: u8, number: u64, place: Place, at_us: u64) {
        if let Some(story) = self.lanes[usize::from(lane)].tell(lane, number, place, at_us, &self.belt) {
            self.happened.stories.push(story);
        }
    }
}
