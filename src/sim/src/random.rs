//! Timetables of faults drawn from a seed: every sort of fault, at any time, place and length.
//!
//! Cold.

use devices::faults::LinkFault;
use line::{JetPlan, LinePlan};
use units::{BoardId, LaneId};

use crate::belt::SpeedChange;
use crate::chance::Chance;
use crate::faults::{Fault, FaultPlan, TimedFault};

/// Stream of chance of random timetables.
const STREAM: u64 = 3;
/// Faults begin within this time, us.
const BEGINS_US: (f64, f64) = (3_000_000.0, 9_000_000.0);
/// Sorts of fault beside the belt's courses.
const SORTS: u32 = 25;
/// Courses of the belt's speed.
const COURSES: u32 = 3;

/// One to three faults of a line's timetable. They begin 3 to 9 s after the run's beginning and are over by 17 s.
#[must_use]
pub fn timetable(seed: u64, plan: &LinePlan, um_s: f64) -> FaultPlan {
    let mut chance = Chance::new(seed, STREAM);
    let mut faults = FaultPlan::none();
    let mut changes_speed = false;
    for _ in 0..=chance.below(3) {
        let from_us = whole(chance.within(BEGINS_US.0, BEGINS_US.1));
        let sort = chance.below(SORTS + COURSES);
        if sort < SORTS {
            let (fault, length_us) = draw(sort, &mut chance, plan);
            faults.faults.push(TimedFault {
                from_us,
                until_us: from_us + length_us,
                fault,
            });
        } else if !core::mem::replace(&mut changes_speed, true) {
            // Two courses of the belt's speed can't both hold.
            faults.faults.extend(course(sort - SORTS, from_us, um_s, &mut chance));
        }
    }
    faults
}

/// A fault and how long it is on, us.
fn draw(sort: u32, chance: &mut Chance, plan: &LinePlan) -> (Fault, u64) {
    let below = |chance: &mut Chance, count: usize| chance.below(u32::try_from(count).unwrap_or(1)) as u8;
    let board = BoardId(below(chance, plan.boards.len()));
    let lane = LaneId(below(chance, plan.lanes.len()));
    let of_lane = &plan.lanes[lane.index()];
    let jet = of_lane.jets[usize::from(below(chance, of_lane.jets.len()))];
    let share = chance.within(0.02, 0.2);
    let length_us = whole(chance.within(0.3e6, 5e6));
    let short_us = whole(chance.within(0.05e6, 2e6));
    let rate = chance.within(1e-4, 3e-3);
    let eye = |eye: line::EyePlan| Fault::EyeDead {
        board: eye.board,
        eye: eye.eye,
    };
    let signed = |chance: &mut Chance, most: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "small by its bounds")]
        let value = chance.within(-most, most) as i32;
        value
    };
    match sort {
        0..=6 => {
            let (fault, us) = draw_link(sort, chance, (share, rate), (length_us, short_us));
            (Fault::Link { board, fault }, us)
        }
        7 => (Fault::BoardReset { board }, short_us),
        8 => {
            let ticks = signed(chance, 400.0);
            (Fault::EncoderSlip { board, ticks }, 0)
        }
        9 => (Fault::EncoderStop { board }, short_us),
        10 => (Fault::EncoderReverse { board }, short_us),
        11 => {
            let ppm = signed(chance, 200.0);
            (Fault::ClockSkew { board, ppm }, length_us)
        }
        12 => {
            let us = signed(chance, 20_000.0).abs();
            (Fault::ClockStep { board, us }, 0)
        }
        13 => (Fault::TriggersMissing { lane, share }, length_us),
        14 => (Fault::TriggersDoubled { lane, share }, length_us),
        15..=17 => (draw_valve(sort, chance, &jet), length_us),
        18 => {
            let drop_eye = jet.drop_eye.or(of_lane.tray_eye).map_or(of_lane.entry, |drop| drop.eye);
            (eye(drop_eye), length_us)
        }
        19 => (eye(of_lane.tray_eye.map_or(of_lane.entry, |drop| drop.eye)), length_us),
        20 => (eye(of_lane.entry), short_us),
        21 => (Fault::CameraSilent { lane }, length_us),
        22 => {
            let sorts = [
                Fault::CellSilent { lane },
                Fault::CellStuck { lane },
                Fault::CellSaturated { lane },
                Fault::CellDrifting { lane, ug_s: 1_000.0 },
            ];
            (sorts[usize::from(below(chance, sorts.len()))], length_us)
        }
        23 => {
            let sorts = [Fault::SafetyOpen, Fault::HostStall];
            (sorts[usize::from(below(chance, sorts.len()))], short_us)
        }
        _ => {
            let um = chance.within(8_000.0, 25_000.0);
            (Fault::SlipUnseen { lane, share, um }, length_us)
        }
    }
}

/// A fault of a jet's valve.
fn draw_valve(sort: u32, chance: &mut Chance, jet: &JetPlan) -> Fault {
    let (board, valve) = (jet.board, jet.valve);
    match sort {
        15 => Fault::ValveShut { board, valve },
        16 => Fault::ValveOpen { board, valve },
        _ => {
            let us = 2_000 + chance.below(18_000);
            Fault::ValveSlow { board, valve, us }
        }
    }
}

/// A fault of a board's link, of one of the first seven sorts, and how long it lasts, us.
fn draw_link(
    sort: u32,
    chance: &mut Chance,
    (share, rate): (f64, f64),
    (length_us, short_us): (u64, u64),
) -> (LinkFault, u64) {
    let noise = |drop, double, flip| LinkFault::Noise { drop, double, flip };
    match sort {
        0 => (noise(rate, 0.0, 0.0), length_us),
        1 => (noise(0.0, rate, 0.0), length_us),
        2 => (noise(0.0, 0.0, rate), length_us),
        3 => {
            let most_us = 2_000 + chance.below(18_000);
            (LinkFault::Delay { most_us }, length_us)
        }
        4 => (LinkFault::Reorder { share }, length_us),
        5 => (LinkFault::Stall, short_us),
        _ => (LinkFault::Cut, short_us),
    }
}

/// A course of the belt: slower and back, a stop, or a turn backwards and on.
fn course(which: u32, from_us: u64, um_s: f64, chance: &mut Chance) -> Vec<TimedFault> {
    let waits_us = whole(chance.within(0.3e6, 2e6));
    let ramp_us = whole(chance.within(0.1e6, 1e6));
    let change = |from_us: u64, to_um_s: f64| TimedFault {
        from_us,
        until_us: from_us + ramp_us,
        fault: Fault::Speed(SpeedChange {
            at_us: 0,
            ramp_us,
            um_s: to_um_s,
        }),
    };
    let step_us = ramp_us + waits_us;
    match which {
        0 => vec![
            change(from_us, chance.within(0.4, 0.9) * um_s),
            change(from_us + step_us, um_s),
        ],
        1 => vec![change(from_us, 0.0), change(from_us + step_us, um_s)],
        _ => vec![
            change(from_us, 0.0),
            change(from_us + step_us, -0.1 * um_s),
            change(from_us + 2 * step_us, um_s),
        ],
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates"
)]
fn whole(value: f64) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{DemoOptions, demo_plan};

    #[test]
    fn a_seed_gives_the_same_timetable_and_all_sorts_come() {
        let plan = demo_plan(16, DemoOptions::default());
        let draw = |seed| timetable(seed, &plan, 1e6);
        assert_eq!(draw(9), draw(9));
        let mut sorts = std::collections::BTreeSet::new();
        for seed in 0..500 {
            let faults = draw(seed);
            assert!(!faults.faults.is_empty() || seed > 0);
            assert!(faults.over_us() <= 17_000_000);
            for timed in faults.faults {
                assert!(timed.from_us >= 3_000_000 && timed.from_us <= timed.until_us);
                sorts.insert(
                    format!("{:?}", timed.fault)
                        .split([' ', '('])
                        .next()
                        .unwrap_or_default()
                        .to_owned(),
                );
            }
        }
        // Links count as one sort here.
        assert_eq!(sorts.len(), 22, "{sorts:?}");
    }
}
