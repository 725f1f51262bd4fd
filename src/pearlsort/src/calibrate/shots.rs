//! Pulses at test pearls, and which of them blew their pearl into the bin. Cold, no clock.
//!
//! Words: a **shot** is one order with the pearl that it is meant for; it is **settled** when its drop eye has seen the
//! pearl or can't see it any more. A pearl is shot at only when it came alone, and a jet again only when its drop eye can
//! tell the next landing from this one.

use std::collections::VecDeque;

use line::{JetPlan, LinePlan};
use units::{BoardId, LaneId, Micrometres, OrderId, Tick32};
use wire::Fire;

use super::watch::{Event, Pearl, Watch};

/// A pulse, counted from the tick of the pearl's centre at the entry eye.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pulse {
    /// Opens at.
    pub(super) on: f64,
    /// Closes at.
    pub(super) off: f64,
}

/// A shot that is settled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shot<T> {
    /// Its lane.
    pub(super) lane: LaneId,
    /// Its jet in the lane.
    pub(super) jet: usize,
    /// What was ordered, as it went out: in whole ticks.
    pub(super) pulse: Pulse,
    /// Belt speed when it was settled, ticks/s.
    pub(super) speed: f64,
    /// Tick of its landing less that of its centre; `None` for a miss.
    pub(super) landed: Option<f64>,
    /// What the caller noted.
    pub(super) note: T,
}

/// Somebody who says what to shoot at a pearl, and gets what came of it.
pub(super) trait Aim {
    /// What is noted with a shot.
    type Note: Copy;
    /// The pulse for a pearl, if it is wanted at this jet now.
    fn aim(&mut self, lane: LaneId, jet: usize, pearl: &Pearl, speed: f64) -> Option<(Pulse, Self::Note)>;
    /// A shot is settled.
    fn settled(&mut self, shot: &Shot<Self::Note>);
}

#[derive(Clone, Copy, Debug)]
struct Open<T> {
    jet: usize,
    order: OrderId,
    centre: f64,
    pulse: Pulse,
    /// Least and most tick of its landing.
    window: (f64, f64),
    fired: bool,
    landings: u32,
    landed: f64,
    note: T,
}

#[derive(Clone, Debug)]
struct Lane<T> {
    /// Tick of the latest interruption.
    front: Option<f64>,
    /// The latest pearl, and the gap before it, while it is not known whether it came alone.
    waiting: Option<(Pearl, f64)>,
    /// Centre of the pearl before.
    before: f64,
    open: VecDeque<Open<T>>,
    next_jet: usize,
}

/// See the module.
pub(super) struct Shooter<T> {
    plan: LinePlan,
    lanes: Vec<Lane<T>>,
    orders: Vec<OrderId>,
    /// Least gap between the centres of pearls that came alone, ticks.
    alone: f64,
    /// Shots that were not fired, or could not be judged.
    pub(super) spoilt: u64,
}

/// Room beyond the least lead for the way from this thread to the board, us.
const LEAD_TO_SPARE_US: f64 = 25_000.0;
/// Farther ahead than this nothing is ordered, us: the belt's speed may change.
const FARTHEST_US: f64 = 10_000_000.0;

impl<T: Copy> Shooter<T> {
    /// A shooter for a line; pearls whose centres are closer than `alone_um` are left alone.
    pub(super) fn new(plan: &LinePlan, alone_um: i32) -> Self {
        let lane = Lane {
            front: None,
            waiting: None,
            before: f64::NEG_INFINITY,
            open: VecDeque::new(),
            next_jet: 0,
        };
        Self {
            lanes: vec![lane; plan.lanes.len()],
            orders: vec![OrderId(0); plan.boards.len()],
            alone: ticks(plan, alone_um),
            plan: plan.clone(),
            spoilt: 0,
        }
    }

    /// Takes an event; gives the orders that follow from it.
    pub(super) fn take(&mut self, event: &Event, watch: &Watch, aim: &mut impl Aim<Note = T>) -> Vec<(BoardId, Fire)> {
        match *event {
            Event::Front(lane, tick) => self.lanes[lane.index()].front = Some(tick),
            Event::Pearl(pearl) => {
                let at = &mut self.lanes[pearl.lane.index()];
                let gap = pearl.centre - at.before;
                at.before = pearl.centre;
                at.waiting = Some((pearl, gap));
            }
            Event::Order(board, order, fired) => self.ordered(board, order, fired),
            Event::Landed(lane, jet, tick) => {
                for shot in self.lanes[lane.index()].open.iter_mut().filter(|shot| shot.jet == jet) {
                    if tick >= shot.window.0 && tick <= shot.window.1 {
                        shot.landings += 1;
                        shot.landed = tick - shot.centre;
                    }
                }
            }
            Event::Beat(board) => return self.beat(board, watch, aim),
            Event::Entered(..) | Event::Channel(_) | Event::Ready(_) | Event::Lost(_) => {}
        }
        Vec::new()
    }

    fn ordered(&mut self, board: BoardId, order: OrderId, fired: bool) {
        for (lane, plan) in self.lanes.iter_mut().zip(&self.plan.lanes) {
            let of = |shot: &Open<T>| shot.order == order && plan.jets[shot.jet].board == board;
            if fired {
                lane.open
                    .iter_mut()
                    .filter(|shot| of(shot))
                    .for_each(|shot| shot.fired = true);
            } else {
                let before = lane.open.len();
                lane.open.retain(|shot| !of(shot));
                self.spoilt += (before - lane.open.len()) as u64;
            }
        }
    }

    /// Time has passed: settles what can't land any more, and shoots at what came alone.
    fn beat(&mut self, board: BoardId, watch: &Watch, aim: &mut impl Aim<Note = T>) -> Vec<(BoardId, Fire)> {
        let (Some(now), Some(speed)) = (watch.tick(board), watch.speed(board)) else {
            return Vec::new();
        };
        let mut orders = Vec::new();
        for index in 0..self.lanes.len() {
            if self.plan.lanes[index].entry.board != board {
                continue;
            }
            let lane = LaneId(index as u8);
            self.settle(lane, now, speed, aim);
            let at = &self.lanes[index];
            let Some((pearl, gap)) = at.waiting else { continue };
            let clear = pearl.centre + self.alone;
            let followed = at.front.is_some_and(|front| front > pearl.centre && front < clear);
            if now < clear && !followed {
                continue;
            }
            self.lanes[index].waiting = None;
            if !followed && gap >= self.alone && self.is_one(&pearl) {
                orders.extend(self.shoot(lane, &pearl, now, speed, aim));
            }
        }
        orders
    }

    fn is_one(&self, pearl: &Pearl) -> bool {
        let limits = &self.plan.tolerances;
        pearl.length >= ticks(&self.plan, limits.least_length_um)
            && pearl.length <= ticks(&self.plan, limits.most_length_um)
    }

    fn settle(&mut self, lane: LaneId, now: f64, speed: f64, aim: &mut impl Aim<Note = T>) {
        let open = &mut self.lanes[lane.index()].open;
        // Jets fall into their eyes at different times, so the oldest need not be the first.
        let mut at = 0;
        while at < open.len() {
            // A tenth of a second more, for a report that is repeated on the link.
            if now <= open[at].window.1 + 0.1 * speed {
                at += 1;
                continue;
            }
            let Some(shot) = open.remove(at) else { break };
            if !shot.fired || shot.landings > 1 {
                self.spoilt += 1;
                continue;
            }
            let landed = (shot.landings == 1).then_some(shot.landed);
            let Open { jet, pulse, note, .. } = shot;
            aim.settled(&Shot {
                lane,
                jet,
                pulse,
                speed,
                landed,
                note,
            });
        }
    }

    /// Offers the pearl to the lane's jets in turn; the first that wants it and may shoot gets it.
    fn shoot(
        &mut self,
        lane: LaneId,
        pearl: &Pearl,
        now: f64,
        speed: f64,
        aim: &mut impl Aim<Note = T>,
    ) -> Option<(BoardId, Fire)> {
        let jets = self.plan.lanes[lane.index()].jets.len();
        let first = self.lanes[lane.index()].next_jet;
        let lead_us = f64::from(self.plan.tolerances.least_lead_us) + LEAD_TO_SPARE_US;
        for jet in (0..jets).map(|n| (first + n) % jets) {
            let plan = self.plan.lanes[lane.index()].jets[jet];
            let Some(drop_eye) = plan.drop_eye else { continue };
            let window = |from: f64, least_us: i32| from + f64::from(least_us) * 1e-6 * speed;
            let centre = pearl.centre;
            let at = centre + ticks(&self.plan, plan.at_um);
            // The jet may stand elsewhere than the file says, which is what is to be found out.
            let slack = ticks(&self.plan, self.plan.tolerances.station_um) + 0.01 * speed;
            let window = (
                window(at, drop_eye.least_us) - slack,
                window(at, drop_eye.most_us) + slack,
            );
            let apart = self.lanes[lane.index()].open.iter().filter(|shot| shot.jet == jet);
            if !apart.clone().all(|shot| shot.window.1 < window.0) {
                continue;
            }
            let Some((pulse, note)) = aim.aim(lane, jet, pearl, speed) else {
                continue;
            };
            let pulse = Pulse {
                on: (centre + pulse.on).round() - centre,
                off: (centre + pulse.off).round() - centre,
            };
            let ahead_us = (centre + pulse.on - now) / speed * 1e6;
            if ahead_us < lead_us
                || ahead_us > FARTHEST_US
                || !self.has_air(&plan, centre + pulse.on, centre + pulse.off)
            {
                continue;
            }
            let order = &mut self.orders[plan.board.index()];
            *order = order.next();
            let order = *order;
            self.lanes[lane.index()].next_jet = (jet + 1) % jets;
            self.lanes[lane.index()].open.push_back(Open {
                jet,
                order,
                centre,
                pulse,
                window,
                fired: false,
                landings: 0,
                landed: 0.0,
                note,
            });
            return Some((plan.board, fire(order, &plan, centre, pulse)));
        }
        None
    }

    /// Whether the valve's manifold has air for one more pulse from `on` to `off`.
    fn has_air(&self, jet: &JetPlan, on: f64, off: f64) -> bool {
        let manifolds = self
            .plan
            .manifolds
            .iter()
            .filter(|manifold| manifold.board == jet.board);
        manifolds
            .filter(|manifold| manifold.valves.contains(&jet.valve))
            .all(|manifold| {
                let lanes = self.lanes.iter().zip(&self.plan.lanes);
                let open =
                    lanes.flat_map(|(lane, plan)| lane.open.iter().map(move |shot| (shot, &plan.jets[shot.jet])));
                let blows = open.filter(|(shot, plan)| {
                    plan.board == jet.board
                        && manifold.valves.contains(&plan.valve)
                        && shot.centre + shot.pulse.on < off
                        && shot.centre + shot.pulse.off > on
                });
                blows.count() < usize::from(manifold.most_open)
            })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the low 32 bits are wanted; a pulse is short"
)]
fn fire(order: OrderId, jet: &JetPlan, centre: f64, pulse: Pulse) -> Fire {
    let on = (centre + pulse.on).round() as i64;
    let off = (centre + pulse.off).round() as i64;
    Fire {
        order,
        valve: jet.valve,
        on: Tick32(on as u32),
        length: (off - on).clamp(1, i64::from(u16::MAX)) as u16,
    }
}

/// A length as ticks.
pub(super) fn ticks(plan: &LinePlan, um: i32) -> f64 {
    plan.ticks_per_metre.ticks(Micrometres(um)) as f64
}
