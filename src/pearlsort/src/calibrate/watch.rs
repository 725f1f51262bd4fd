//! What happens on the line, made of what boards say: pearls, landings, the belt's speed, signals. Cold, no clock.
//!
//! Words: a **pearl** is a passage through an entry eye that may be one pearl; positions are a board's own ticks,
//! unwrapped.

use std::collections::{BTreeMap, VecDeque};

use line::LinePlan;
use setup::commission::signals::{At, Reading};
use units::{BoardId, HostUs, LaneId, OrderId, Tick32, TriggerSeq, Unwrap32};
use wire::Status;

use super::field::{Heard, Said};

/// Time over which the belt's speed is measured, us of the board's clock.
const SPEED_US: i64 = 300_000;

/// A passage through an entry eye.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pearl {
    /// The lane.
    pub lane: LaneId,
    /// Tick of its centre at the eye.
    pub centre: f64,
    /// Its length, ticks.
    pub length: f64,
}

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// An entry eye was interrupted, at this tick.
    Front(LaneId, f64),
    /// A pearl has passed its entry eye.
    Pearl(Pearl),
    /// A pearl's centre came onto the lane's weigh platform at this tick.
    Entered(LaneId, f64),
    /// A pearl came down in the bin of a jet (its number in the lane) at this tick.
    Landed(LaneId, usize, f64),
    /// An order of a board was carried out, or was not.
    Order(BoardId, OrderId, bool),
    /// A board told its state: time goes on.
    Beat(BoardId),
    /// A channel has a value.
    Channel(Reading),
    /// A board is ready.
    Ready(BoardId),
    /// A board can't be used any more.
    Lost(BoardId),
}

/// What is known of a board.
#[derive(Clone, Debug, Default)]
struct Track {
    ready: bool,
    ticks: Unwrap32,
    clock: Unwrap32,
    /// Latest states: board time and tick.
    states: VecDeque<(i64, i64)>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Watch {
    plan: LinePlan,
    boards: Vec<Track>,
    fronts: BTreeMap<u8, (TriggerSeq, f64)>,
    /// Latest value of each channel that was told.
    channels: BTreeMap<At, u16>,
    now: HostUs,
}

impl Watch {
    /// Nothing seen.
    #[must_use]
    pub fn new(plan: &LinePlan) -> Self {
        Self {
            boards: vec![Track::default(); plan.boards.len()],
            plan: plan.clone(),
            fronts: BTreeMap::new(),
            channels: BTreeMap::new(),
            now: HostUs(i64::MIN),
        }
    }

    /// The machine.
    #[must_use]
    pub const fn plan(&self) -> &LinePlan {
        &self.plan
    }

    /// Host time of what was heard last.
    #[must_use]
    pub const fn now(&self) -> HostUs {
        self.now
    }

    /// Whether every board is ready.
    #[must_use]
    pub fn all_ready(&self) -> bool {
        self.boards.iter().all(|track| track.ready)
    }

    /// Boards that are not ready.
    pub fn missing(&self) -> impl Iterator<Item = BoardId> + '_ {
        (0_u8..)
            .zip(&self.boards)
            .filter(|(_, track)| !track.ready)
            .map(|(n, _)| BoardId(n))
    }

    /// The latest tick that a board has told.
    #[must_use]
    pub fn tick(&self, board: BoardId) -> Option<f64> {
        self.boards[board.index()].states.back().map(|(_, tick)| *tick as f64)
    }

    /// The belt's speed by a board's own clock, ticks/s; `None` until it has been watched for long enough.
    #[must_use]
    pub fn speed(&self, board: BoardId) -> Option<f64> {
        let states = &self.boards[board.index()].states;
        let ((from_us, from), (to_us, to)) = (states.front()?, states.back()?);
        (to_us - from_us >= SPEED_US * 9 / 10).then(|| (to - from) as f64 * 1e6 / (to_us - from_us) as f64)
    }

    /// Whether the belt has kept its speed over the time over which it is measured, within `share`.
    #[must_use]
    pub fn is_steady(&self, board: BoardId, share: f64) -> bool {
        let (Some(speed), states) = (self.speed(board), &self.boards[board.index()].states) else {
            return false;
        };
        let half = states.len() / 2;
        let (Some(from), Some(middle), Some(to)) = (states.front(), states.get(half), states.back()) else {
            return false;
        };
        let of = |a: &(i64, i64), b: &(i64, i64)| (b.1 - a.1) as f64 * 1e6 / ((b.0 - a.0).max(1)) as f64;
        (of(from, middle) - of(middle, to)).abs() <= share * speed.abs() && speed > 0.0
    }

    /// Latest value of every channel.
    #[must_use]
    pub fn readings(&self) -> Vec<Reading> {
        self.channels
            .iter()
            .map(|(at, value)| Reading { at: *at, value: *value })
            .collect()
    }

    /// Takes what was heard; gives what it means.
    pub fn take(&mut self, heard: &Heard) -> Option<Event> {
        self.now = self.now.max(heard.at);
        let board = heard.board;
        match heard.said {
            Said::Ready => {
                self.boards[board.index()] = Track {
                    ready: true,
                    ..Track::default()
                };
                Some(Event::Ready(board))
            }
            Said::Down(_) | Said::Disarmed { by_watchdog: true } => {
                self.boards[board.index()].ready = false;
                Some(Event::Lost(board))
            }
            Said::Status(status) => {
                self.state(board, &status);
                Some(Event::Beat(board))
            }
            Said::Channel { channel, value } => {
                let at = At { board, channel };
                self.channels.insert(at, value);
                Some(Event::Channel(Reading { at, value }))
            }
            Said::Fired { order } => Some(Event::Order(board, order, true)),
            Said::NotFired { order } => Some(Event::Order(board, order, false)),
            Said::Trigger { eye, seq, tick } => {
                let lane = self.lane(|lane| lane.entry.board == board && lane.entry.eye == eye)?;
                let tick = self.unwrapped(board, tick);
                self.fronts.insert(lane.0, (seq, tick));
                Some(Event::Front(lane, tick))
            }
            Said::Passed { eye, seq, tick } => {
                let lane = self.lane(|lane| lane.entry.board == board && lane.entry.eye == eye)?;
                let (front_seq, front) = self.fronts.remove(&lane.0)?;
                let rear = self.unwrapped(board, tick);
                let pearl = Pearl {
                    lane,
                    centre: 0.5 * (front + rear),
                    length: rear - front,
                };
                (front_seq == seq).then_some(Event::Pearl(pearl))
            }
            Said::Entered { cell, tick } => {
                let lane = self.lane(|lane| {
                    lane.weigh
                        .is_some_and(|weigh| weigh.board == board && weigh.cell == cell)
                })?;
                Some(Event::Entered(lane, self.unwrapped(board, tick)))
            }
            Said::Landed { eye, tick } => {
                let is_it = |jet: &line::JetPlan| {
                    jet.drop_eye
                        .is_some_and(|drop| drop.eye.board == board && drop.eye.eye == eye)
                };
                let lane = self.lane(|lane| lane.jets.iter().any(is_it))?;
                let jet = self.plan.lanes[lane.index()].jets.iter().position(is_it)?;
                Some(Event::Landed(lane, jet, self.unwrapped(board, tick)))
            }
            Said::Armed | Said::Disarmed { by_watchdog: false } => None,
        }
    }

    fn state(&mut self, board: BoardId, status: &Status) {
        let track = &mut self.boards[board.index()];
        let (us, tick) = (track.clock.follow(status.at.0), track.ticks.follow(status.tick.0));
        track.states.push_back((us, tick));
        // The oldest that is not needed for the whole time goes.
        while track.states.get(1).is_some_and(|(second, _)| us - second >= SPEED_US) {
            track.states.pop_front();
        }
    }

    fn lane(&self, is_it: impl Fn(&line::LanePlan) -> bool) -> Option<LaneId> {
        let at = self.plan.lanes.iter().position(is_it)?;
        u8::try_from(at).ok().map(LaneId)
    }

    fn unwrapped(&self, board: BoardId, tick: Tick32) -> f64 {
        self.boards[board.index()].ticks.peek(tick.0) as f64
    }
}
