//! The jets of the world: a board's switching becomes air after the valve's true lag, unless the valve is stuck.
//!
//! Any thread.

use units::ValveId;
use wire::SettingKey;

use crate::chance::{Chance, Distributions as _};
use crate::demo::Machine;
use crate::faults::{Fault, FaultPlan};
use crate::nature::Nature;
use crate::queue::Event;

/// Air that lasts longer is looked at so often, us: before the first pearl that it blows can have come to its bin.
const HELD_US: u64 = 20_000;

/// What happens to the air at a jet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Air {
    On,
    Off,
    Held,
}

/// A stretch of belt under which a jet has blown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Blown {
    pub(crate) lane: u8,
    pub(crate) jet: u8,
    pub(crate) from: f64,
    pub(crate) to: f64,
}

#[derive(Clone, Debug)]
struct Jet {
    lane: u8,
    jet: u8,
    board: u8,
    valve: ValveId,
    lag_on_us: f64,
    lag_off_us: f64,
    /// What the board wants.
    wanted: bool,
    /// When air ends after the board's latest switching off.
    off_us: u64,
    /// Where the belt was when the air began, or was last looked at.
    since: Option<f64>,
    stuck_open: bool,
    stuck_shut: bool,
    /// Later to open than it should be, us.
    slow_us: f64,
}

/// All jets.
#[derive(Clone, Debug)]
pub(crate) struct Jets {
    jets: Vec<Jet>,
    /// Jet of each valve, by board.
    of_valve: Vec<[Option<u16>; 256]>,
    chance: Chance,
    jitter_us: f64,
}

impl Jets {
    pub(crate) fn new(machine: &Machine, nature: &Nature, mut chance: Chance) -> Self {
        let mut jets = Vec::new();
        let mut of_valve = vec![[None; 256]; machine.plan.boards.len()];
        for (lane, plan) in machine.plan.lanes.iter().enumerate() {
            for (number, jet) in plan.jets.iter().enumerate() {
                of_valve[jet.board.index()][jet.valve.index()] = u16::try_from(jets.len()).ok();
                let lag = |key: SettingKey| {
                    let is = |s: &&wire::Setting| s.key == key && s.index == jet.valve.0;
                    let setting = machine.settings[jet.board.index()].iter().find(is);
                    setting.map_or(0.0, |setting| f64::from(setting.value))
                };
                let mut error = || nature.lag_error_us * chance.within(-1.0, 1.0);
                jets.push(Jet {
                    lane: u8::try_from(lane).unwrap_or(u8::MAX),
                    jet: u8::try_from(number).unwrap_or(u8::MAX),
                    board: jet.board.0,
                    valve: jet.valve,
                    lag_on_us: (lag(SettingKey::LagOnUs) + error()).max(0.0),
                    lag_off_us: (lag(SettingKey::LagOffUs) + error()).max(0.0),
                    wanted: false,
                    off_us: 0,
                    since: None,
                    stuck_open: false,
                    stuck_shut: false,
                    slow_us: 0.0,
                });
            }
        }
        Self {
            jets,
            of_valve,
            chance,
            jitter_us: nature.valve_jitter_us,
        }
    }

    /// Lane and number there of a valve's jet.
    pub(crate) fn of(&self, board: u8, valve: ValveId) -> Option<(u8, u8)> {
        let jet = self.of_valve[usize::from(board)][valve.index()]?;
        let jet = &self.jets[usize::from(jet)];
        Some((jet.lane, jet.jet))
    }

    /// A board switches a valve: gives when air follows.
    pub(crate) fn switch(&mut self, board: u8, valve: ValveId, open: bool, at_us: u64) -> Option<(u64, Event)> {
        let jet = self.of_valve[usize::from(board)][valve.index()]?;
        let at = &mut self.jets[usize::from(jet)];
        at.wanted = open;
        let lag_us = if open { at.lag_on_us + at.slow_us } else { at.lag_off_us };
        let lag_us = (lag_us + self.jitter_us * self.chance.normal()).max(0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let air_us = at_us + lag_us as u64;
        if open {
            Some((air_us, Event::AirOn { jet }))
        } else {
            at.off_us = air_us;
            Some((air_us, Event::AirOff { jet }))
        }
    }

    /// Air begins, ends or lasts: gives the stretch of belt that it has blown on since it was last looked at, and when to look again.
    pub(crate) fn air(&mut self, what: Air, jet: u16, place: f64, at_us: u64) -> (Option<Blown>, Option<u64>) {
        let at = &mut self.jets[usize::from(jet)];
        if what == Air::On {
            // A pulse so short that its air would end before it begins gives none.
            let is_over = !at.wanted && at.off_us <= at_us;
            if at.stuck_shut || is_over || at.since.is_some() {
                return (None, None);
            }
            at.since = Some(place);
            return (None, Some(at_us + HELD_US));
        }
        let Some(since) = at.since else { return (None, None) };
        let goes_on = at.stuck_open || what == Air::Held && (at.wanted || at.off_us > at_us);
        at.since = goes_on.then_some(place);
        let again = goes_on && what == Air::Held;
        let blown = Blown {
            lane: at.lane,
            jet: at.jet,
            from: since.min(place),
            to: since.max(place),
        };
        (Some(blown), again.then_some(at_us + HELD_US))
    }

    /// Brings the valves to what the timetable says; gives what has to be looked at at once.
    pub(crate) fn apply_faults(&mut self, faults: &FaultPlan, place: f64, at_us: u64) -> Vec<(u64, Event)> {
        let mut events = Vec::new();
        for (number, jet) in self.jets.iter_mut().enumerate() {
            let number = u16::try_from(number).unwrap_or(u16::MAX);
            let is = |fault: &Fault, open: bool| match *fault {
                Fault::ValveOpen { board, valve } if open => board.0 == jet.board && valve == jet.valve,
                Fault::ValveShut { board, valve } if !open => board.0 == jet.board && valve == jet.valve,
                _ => false,
            };
            let opens = faults.on(at_us).any(|fault| is(fault, true));
            let shuts = faults.on(at_us).any(|fault| is(fault, false));
            if opens && !jet.stuck_open && jet.since.is_none() {
                jet.since = Some(place);
                events.push((at_us + HELD_US, Event::AirHeld { jet: number }));
            }
            if jet.stuck_open && !opens && !jet.wanted || shuts && !jet.stuck_shut && jet.since.is_some() {
                events.push((at_us, Event::AirOff { jet: number }));
            }
            jet.slow_us = faults.on(at_us).find_map(|fault| slow(fault, jet)).unwrap_or(0.0);
            jet.stuck_open = opens;
            jet.stuck_shut = shuts;
        }
        events
    }
}

/// How much later the valve of `jet` opens by this fault, us.
fn slow(fault: &Fault, jet: &Jet) -> Option<f64> {
    match *fault {
        Fault::ValveSlow { board, valve, us } if board.0 == jet.board && valve == jet.valve => Some(f64::from(us)),
        _ => None,
    }
}
