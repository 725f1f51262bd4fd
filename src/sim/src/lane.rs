//! One lane of the world: the pearls on its stretch of belt, and where its stations stand, in ticks.
//!
//! Any thread. Words: a pearl's **place** is where the belt is when the pearl's centre is at the entry eye; it passes a station
//! that stands `d` ticks on, `d` ticks of belt later, less what it has rolled forwards.

use std::collections::VecDeque;

use line::LanePlan;
use units::{BinId, LaneId};
use wire::{Mass, Measurement};

use crate::belt::Profile;
use crate::chance::Chance;
use crate::pearl::Pearl;
use crate::truth::{Place, Story};

/// Distances of a lane's stations from the entry eye, ticks.
#[derive(Clone, Debug)]
pub(crate) struct Stations {
    pub(crate) view: f64,
    /// Begin and end of the weigh platform.
    pub(crate) weigh: Option<(f64, f64)>,
    pub(crate) jets: Vec<f64>,
    pub(crate) end: f64,
}

impl Stations {
    pub(crate) fn new(plan: &LanePlan, belt: &Profile) -> Self {
        let ticks = |um: i32| belt.ticks(f64::from(um));
        Self {
            view: ticks(plan.camera.map_or(0, |camera| camera.view_um)),
            weigh: plan
                .weigh
                .map(|weigh| (ticks(weigh.at_um), ticks(weigh.at_um + weigh.length_um))),
            jets: plan.jets.iter().map(|jet| ticks(jet.at_um)).collect(),
            end: ticks(plan.end_um),
        }
    }
}

/// Where a pearl is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// On the belt, before or after the eye.
    Rides,
    /// On its way into a bin (by the jet of this number) or into the tray.
    Falls(Option<u8>),
    /// Its story is told.
    Told,
}

/// A pearl on the line.
#[derive(Clone, Debug)]
pub(crate) struct Riding {
    pub(crate) pearl: Pearl,
    /// See the module; ticks.
    pub(crate) place: f64,
    /// Half its length, ticks.
    pub(crate) half: f64,
    /// What it has rolled at the weigh cell and at the jets, ticks.
    pub(crate) rolled: [f64; 2],
    pub(crate) state: State,
    /// Whether its leading and its trailing edge have gone through the eye.
    pub(crate) through: [bool; 2],
    /// Whether it has been at the eye at all, and when its leading edge was.
    pub(crate) met_us: Option<u64>,
    pub(crate) interruption: Option<u64>,
    pub(crate) shared: bool,
    /// Distance to the nearest neighbour's centre, ticks.
    pub(crate) alone: f64,
    /// The jet that touches it, and the share of its passage that it has had of it.
    pub(crate) blown_by: Option<(u8, f64)>,
    /// When its centre left the belt.
    pub(crate) left_us: u64,
    pub(crate) view: Option<Measurement>,
    pub(crate) mass: Option<Mass>,
    /// When its last figures left its board.
    pub(crate) figures_us: Option<u64>,
}

impl Riding {
    pub(crate) fn new(pearl: Pearl, place: f64, belt: &Profile) -> Self {
        Self {
            half: belt.ticks(0.5 * pearl.length_um),
            rolled: pearl.rolled_um.map(|um| belt.ticks(um)),
            pearl,
            place,
            state: State::Rides,
            through: [false; 2],
            met_us: None,
            interruption: None,
            shared: false,
            alone: f64::INFINITY,
            blown_by: None,
            left_us: 0,
            view: None,
            mass: None,
            figures_us: None,
        }
    }

    pub(crate) fn in_eye(&self) -> bool {
        self.through == [true, false] && self.state == State::Rides
    }

    /// Where the belt is when its centre is at the weigh cell's place `at`.
    pub(crate) fn place_at_weigh(&self, at: f64) -> f64 {
        self.place + at - self.rolled[0]
    }

    /// Where the belt is when its centre is at a jet's place `at`, or the belt's end.
    pub(crate) fn place_at_jet(&self, at: f64) -> f64 {
        self.place + at - self.rolled[1]
    }
}

/// A lane.
#[derive(Clone, Debug)]
pub(crate) struct Lane {
    pub(crate) stations: Stations,
    pub(crate) chance: Chance,
    pub(crate) pearls: VecDeque<Riding>,
    /// Number of the first of `pearls`.
    pub(crate) first: u64,
    /// Place of the next arrival, ticks.
    pub(crate) next_place: f64,
    /// Whether the feeder's next pearl waits for the feeder to run.
    pub(crate) waits: bool,
    /// Pearls in the entry eye that it sees.
    pub(crate) dark: u32,
    /// Interruptions confirmed so far, and the one that lasts.
    pub(crate) interruptions: u64,
    pub(crate) current: Option<u64>,
    /// Weighings so far.
    pub(crate) weighings: u16,
}

impl Lane {
    pub(crate) fn new(stations: Stations, chance: Chance) -> Self {
        Self {
            stations,
            chance,
            pearls: VecDeque::with_capacity(64),
            first: 0,
            next_place: 0.0,
            waits: true,
            dark: 0,
            interruptions: 0,
            current: None,
            weighings: 0,
        }
    }

    pub(crate) fn pearl(&mut self, number: u64) -> Option<&mut Riding> {
        let index = number.checked_sub(self.first)?;
        self.pearls.get_mut(usize::try_from(index).ok()?)
    }

    /// Lays a pearl behind the others and gives its number.
    pub(crate) fn lay(&mut self, mut riding: Riding) -> u64 {
        if let Some(before) = self.pearls.back_mut() {
            let gap = riding.place - before.place;
            before.alone = before.alone.min(gap);
            riding.alone = gap;
        }
        self.pearls.push_back(riding);
        self.first + self.pearls.len() as u64 - 1
    }

    /// Whether another pearl's centre is on the platform, `length` ticks long, together with that of `number`.
    pub(crate) fn weighs_two(&self, number: u64, length: f64) -> bool {
        let centre = |riding: &Riding| riding.place - riding.rolled[0];
        let Some(own) = number
            .checked_sub(self.first)
            .and_then(|index| self.pearls.get(index as usize))
        else {
            return false;
        };
        let is_near = |(index, other): (usize, &Riding)| {
            self.first + index as u64 != number && (centre(other) - centre(own)).abs() < length
        };
        self.pearls.iter().enumerate().any(is_near)
    }

    /// Tells the story of a pearl that has come to its end, and makes room.
    pub(crate) fn tell(&mut self, lane: u8, number: u64, place: Place, at_us: u64, belt: &Profile) -> Option<Story> {
        let riding = self.pearl(number)?;
        riding.state = State::Told;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let story = Story {
            lane: LaneId(lane),
            number,
            interruption: riding.interruption,
            shared: riding.shared,
            entered_us: riding.met_us.unwrap_or(at_us),
            left_us: if riding.left_us == 0 { at_us } else { riding.left_us },
            ended_us: at_us,
            place,
            alone_um: belt.um(riding.alone) as u32,
            truth: riding.pearl.truth,
            view: riding.view,
            mass: riding.mass,
        };
        let told = self
            .pearls
            .iter()
            .take_while(|riding| riding.state == State::Told)
            .count();
        self.pearls.drain(..told);
        self.first += told as u64;
        Some(story)
    }
}

/// The place that a falling pearl comes to.
pub(crate) fn place_of(plan: &LanePlan, jet: Option<u8>) -> Place {
    jet.map_or(Place::Tray, |jet| Place::Bin(bin_of(plan, jet)))
}

fn bin_of(plan: &LanePlan, jet: u8) -> BinId {
    plan.jets[usize::from(jet)].bin
}
