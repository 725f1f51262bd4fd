//! The line's state: links, arming, feeding, start, hold, stop and quarantine.
//!
//! Hot thread. States: **not ready** (a board is missing), **ready**, **starting** (boards arm, and agree about the
//! belt), **running**, **holding** (the belt runs empty), **held** (it is empty), **stopped** (and disarmed).
//!
//! What was decided:
//! - The first cause of a hold stays until `Acknowledge`; a hold by command needs none.
//! - A hold takes back every order that is out. What the board has begun to blow ends in its bin, rightly.
//! - Boards are fed in every state while they are armed, so that a hold does not end in a watchdog.
//! - A board that goes takes its orders with it: those beyond its watchdog's reach have surely not blown; of the others
//!   only eyes can tell, and without an eye the bin goes into quarantine.
//! - A signal that has never been told is not good: without it the line does not start.

use units::{BoardId, HostUs, Tick, Tick32, ValveId};
use wire::{Identity, Status, ToBoard};

use super::Core;
use crate::io::{DownCause, HoldCause, Notice, Output};
use crate::limits::{START_US, UNFED_US, WRITE_OFF_US};
use crate::pearl::Stage;
use crate::plan::{ChannelPlan, LinePlan};
use crate::record::{Cause, Destination, Landing};
use crate::sync::Trouble;

/// What the line is doing. See the module's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LineState {
    /// A board is missing.
    NotReady,
    /// All boards are up; waits for `Start`.
    Ready,
    /// Boards arm and align.
    Starting,
    /// Sorting.
    Running,
    /// Feeder off, the belt runs empty, everything recirculates.
    Holding,
    /// As `Holding`, and the belt is empty.
    Held,
    /// The belt is empty and the boards are disarmed.
    Stopped,
}

/// A board as the core deals with it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Link {
    pub(super) up: bool,
    /// Since when.
    pub(super) since: HostUs,
    /// The line wants it armed: it is fed.
    pub(super) wanted: bool,
    pub(super) armed: bool,
    fed: u16,
    dropped: Option<u16>,
    starts: Option<u16>,
    /// Line tick from which its eyes have told all that they saw: none until its first `Status`.
    pub(super) tells_from: Option<Tick>,
    /// Longest that its hardware lets a valve be open, us.
    pub(super) max_on_us: i64,
}

/// When the boards were fed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Feeds {
    at: HostUs,
    /// Where the line was then.
    tick: Tick,
    /// End of the latest stretch without feeds that no watchdog has borne, and where the line was at its beginning.
    starved: Option<(HostUs, Tick)>,
}

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Run {
    state: LineState,
    /// First cause of the hold, until it is acknowledged.
    cause: Option<HoldCause>,
    /// Whether the line is to stop once it is empty.
    stopping: bool,
    /// Whether the feeder runs while the line sorts.
    feeding: bool,
    started: HostUs,
    /// Whether all boards agreed when last asked.
    aligned: bool,
    /// Whether each signal of the plan is good; none until it is told.
    signals: Vec<Option<bool>>,
}

impl Run {
    pub(super) fn new(plan: &LinePlan) -> Self {
        Self {
            state: LineState::NotReady,
            cause: None,
            stopping: false,
            feeding: true,
            started: HostUs(0),
            aligned: false,
            signals: vec![None; plan.channels.signals.len()],
        }
    }

    pub(super) const fn state(&self) -> LineState {
        self.state
    }

    pub(super) fn signals(&self) -> &[Option<bool>] {
        &self.signals
    }

    /// Whether pearls that come now are sorted.
    pub(super) fn takes_pearls(&self) -> bool {
        self.state == LineState::Running && self.feeding
    }

    /// Whether time alone may change the state.
    pub(super) const fn is_changing(&self) -> bool {
        matches!(self.state, LineState::Starting | LineState::Holding)
    }

    const fn is_active(&self) -> bool {
        matches!(self.state, LineState::Starting | LineState::Running)
    }
}

impl Core {
    pub(super) fn link_up(&mut self, at: HostUs, board: BoardId, identity: &Identity, out: &mut impl Output) {
        let Some(link) = self.links.get(board.index()) else {
            self.accounts.unknown += 1;
            return;
        };
        if link.up {
            self.link_down(at, board, DownCause::Reset, out);
        }
        let anew = self.links[board.index()].starts != Some(identity.starts);
        self.links[board.index()] = Link {
            up: true,
            since: at,
            starts: Some(identity.starts),
            max_on_us: i64::from(identity.limits.max_on_us),
            ..Link::default()
        };
        self.sync.up(at, board, identity.starts);
        self.orders
            .set_limits(board, identity.limits.queue, identity.limits.horizon_ticks);
        if anew {
            self.forget_numbers(board);
        }
        out.notice(at, Notice::BoardUp(board));
    }

    /// A board that has started again counts its eyes and cells anew.
    fn forget_numbers(&mut self, board: BoardId) {
        for (lane, of) in self.lanes.iter_mut().zip(&self.plan.lanes) {
            if of.entry.board == board {
                lane.triggers.forget();
            }
            if of.weigh.is_some_and(|weigh| weigh.board == board) {
                lane.masses.forget();
            }
        }
        for eye in self.routes.drop_eyes.iter_mut().filter(|eye| eye.board == board) {
            eye.numbers.forget();
        }
    }

    pub(super) fn link_down(&mut self, at: HostUs, board: BoardId, cause: DownCause, out: &mut impl Output) {
        let Some(link) = self.links.get_mut(board.index()).filter(|link| link.up) else {
            self.accounts.unknown += 1;
            return;
        };
        link.up = false;
        link.armed = false;
        link.wanted = false;
        let opens = self.opens_until(at);
        self.sync.down(at, board);
        out.notice(at, Notice::BoardDown(board, cause));
        for lane in 0..self.lanes.len() {
            let of = &self.plan.lanes[lane];
            let concerned = of.entry.board == board || of.weigh.is_some_and(|weigh| weigh.board == board);
            if concerned || of.jets.iter().any(|jet| jet.board == board) {
                self.spoil_lane(lane, Cause::Link, out);
            }
        }
        self.hold(at, HoldCause::Link(board), out);
        self.end_cells(at, board, out);
        self.drop_orders(at, board, opens, Cause::Link, out);
    }

    /// Line tick up to which a board whose watchdog has closed everything may have opened a valve. After a stall of the
    /// host the board's word of it comes when the core has fed again: the feed before the stall counts.
    fn opens_until(&self, at: HostUs) -> Tick {
        let starved = self.feeds.starved.filter(|(until, _)| at.since(*until) <= 5 * UNFED_US);
        let last_feed = starved.map_or(self.feeds.tick, |(_, tick)| tick).min(self.sync.now(at));
        last_feed.plus(self.ticks_in(UNFED_US))
    }

    /// The board has forgotten its orders. Those whose pulse begins behind `opens` have surely not blown.
    fn drop_orders(&mut self, at: HostUs, board: BoardId, opens: Tick, cause: Cause, out: &mut impl Output) {
        let mut from = 0;
        while let Some((id, next)) = self.orders.next_open(board, from) {
            from = next;
            let Some(order) = self.orders.close(board, id) else {
                continue;
            };
            self.manifolds.remove(board, id, order.valve);
            let ring = &mut self.lanes[order.lane].ring;
            let pearl = ring.get_mut(order.place);
            let open = matches!(pearl.stage, Stage::Ordered | Stage::Cancelling(_)) && pearl.order == id;
            if !ring.has(order.place) || !open {
                continue;
            }
            if order.on > opens {
                self.leave_on_belt(order.lane, order.place, cause, out);
            } else {
                self.accounts.unanswered += 1;
                self.doubt(at, (order.lane, order.place), cause, out);
            }
        }
    }

    fn spoil_lane(&mut self, lane: usize, cause: Cause, out: &mut impl Output) {
        for place in self.lanes[lane].ring.places() {
            if self.lanes[lane].ring.has(place) {
                self.spoil(lane, place, cause, out);
            }
        }
    }

    pub(super) fn disarmed(&mut self, at: HostUs, board: BoardId, by_watchdog: bool, out: &mut impl Output) {
        let wanted = self.links[board.index()].wanted;
        let link = &mut self.links[board.index()];
        link.armed = false;
        if by_watchdog {
            link.wanted = false;
        }
        let opens = self.opens_until(at);
        self.drop_orders(at, board, opens, Cause::OrderFault, out);
        if by_watchdog || (wanted && self.run.state == LineState::Running) {
            self.hold(at, HoldCause::Watchdog(board), out);
        }
        self.end_cells(at, board, out);
    }

    pub(super) fn status(&mut self, at: HostUs, board: BoardId, status: &Status, out: &mut impl Output) {
        let trouble = self.sync.status(at, board, status);
        let link = &mut self.links[board.index()];
        link.armed |= status.armed && link.wanted && self.run.state == LineState::Starting;
        let dropped = link
            .dropped
            .replace(status.dropped)
            .is_some_and(|before| before != status.dropped);
        if dropped || link.tells_from.is_none() {
            link.tells_from = Some(self.sync.now(at));
        }
        self.trouble(at, board, trouble, out);
        if dropped {
            self.hold(at, HoldCause::Dropped(board), out);
        }
    }

    pub(super) fn index(&mut self, at: HostUs, board: BoardId, tick: Tick32, out: &mut impl Output) {
        let trouble = self.sync.index(board, tick);
        self.trouble(at, board, trouble, out);
    }

    /// What a message showed of the belt.
    fn trouble(&mut self, at: HostUs, board: BoardId, trouble: Option<Trouble>, out: &mut impl Output) {
        if let Some(Trouble::Misaligned(ticks)) = trouble {
            let um = self.geometry.per_metre.length(ticks).0;
            out.notice(at, Notice::Misaligned(board, um));
        }
        let unaligned = self.sync.unaligned();
        if unaligned.is_none() && !self.run.aligned {
            out.notice(at, Notice::Aligned);
        }
        self.run.aligned = unaligned.is_none();
        if self.run.state == LineState::Running {
            if trouble.is_some() {
                self.hold(at, HoldCause::Alignment(board), out);
            } else if let Some(board) = unaligned {
                self.hold(at, HoldCause::Alignment(board), out);
            }
        }
    }

    pub(super) fn channel(&mut self, at: HostUs, board: BoardId, channel: u8, value: u16, out: &mut impl Output) {
        out.notice(at, Notice::Channel(board, channel, value));
        let mut lost = false;
        for (good, signal) in self.run.signals.iter_mut().zip(&self.plan.channels.signals) {
            if signal.at == (ChannelPlan { board, channel }) {
                *good = Some((signal.least..=signal.most).contains(&value));
                lost |= *good == Some(false);
            }
        }
        if lost {
            self.hold(at, HoldCause::Signal(board, channel), out);
        }
    }

    /// What keeps the line from starting, if anything.
    fn start_obstacle(&self) -> Option<HoldCause> {
        let unacknowledged = self.run.cause.filter(|cause| *cause != HoldCause::Command);
        let down = || self.links.iter().position(|link| !link.up);
        let board = |index: usize| BoardId(u8::try_from(index).unwrap_or(u8::MAX));
        unacknowledged
            .or_else(|| down().map(|index| HoldCause::Link(board(index))))
            .or_else(|| self.bad_signal())
    }

    fn bad_signal(&self) -> Option<HoldCause> {
        let mut signals = self.run.signals.iter().zip(&self.plan.channels.signals);
        let (_, signal) = signals.find(|(good, _)| **good != Some(true))?;
        Some(HoldCause::Signal(signal.at.board, signal.at.channel))
    }

    pub(super) fn start(&mut self, at: HostUs, out: &mut impl Output) {
        if self.run.is_active() {
            return;
        }
        if let Some(cause) = self.start_obstacle() {
            out.notice(at, Notice::StartRefused(cause));
            return;
        }
        self.run.state = LineState::Starting;
        self.run.cause = None;
        self.run.stopping = false;
        self.run.started = at;
        self.lates.clear();
        for board in 0..self.links.len() {
            let link = &mut self.links[board];
            link.wanted = true;
            if !link.armed {
                out.arm(BoardId(u8::try_from(board).unwrap_or(u8::MAX)), true);
            }
        }
        self.next_feed = at;
        self.feeds = Feeds {
            at,
            tick: self.sync.now(at),
            starved: None,
        };
        self.switch(self.plan.channels.belt, true, out);
    }

    /// Feeder on or off; see [`crate::Command::Feed`].
    pub(super) fn feed_pearls(&mut self, on: bool, out: &mut impl Output) {
        self.run.feeding = on;
        if self.run.state == LineState::Running {
            self.switch(self.plan.channels.feeder, on, out);
        }
    }

    pub(super) fn switch(&self, channel: Option<ChannelPlan>, on: bool, out: &mut impl Output) {
        if let Some(ChannelPlan { board, channel }) = channel
            && self.links[board.index()].up
        {
            let value = u16::from(on);
            out.send(board, ToBoard::Output { channel, value });
        }
    }

    /// What the state makes of time and events.
    pub(super) fn run_on(&mut self, at: HostUs, out: &mut impl Output) {
        match self.run.state {
            LineState::NotReady | LineState::Ready => {
                let up = self.links.iter().all(|link| link.up);
                self.run.state = if up { LineState::Ready } else { LineState::NotReady };
            }
            LineState::Starting => self.go_on_starting(at, out),
            LineState::Holding if self.accounts.in_flight == 0 => self.run_empty(at, out),
            LineState::Holding | LineState::Held | LineState::Running | LineState::Stopped => {}
        }
    }

    fn go_on_starting(&mut self, at: HostUs, out: &mut impl Output) {
        let unarmed = self.links.iter().position(|link| !link.armed);
        let unarmed = unarmed.map(|index| HoldCause::Watchdog(BoardId(u8::try_from(index).unwrap_or(u8::MAX))));
        let unaligned = || self.sync.unaligned().map(HoldCause::Alignment);
        match unarmed.or_else(unaligned).or_else(|| self.slow_belt()) {
            None => {
                self.run.state = LineState::Running;
                self.switch(self.plan.channels.feeder, self.run.feeding, out);
                out.notice(at, Notice::Running);
            }
            Some(cause) if at.since(self.run.started) > START_US => {
                out.notice(at, Notice::StartRefused(cause));
                self.run.state = LineState::Ready;
            }
            Some(_) => {}
        }
    }

    /// The drive that the line switched on has not brought the belt to its least speed yet: the feeder waits for it.
    fn slow_belt(&self) -> Option<HoldCause> {
        let drive = self.plan.channels.belt?;
        let slow = i64::from(self.speed().0) < self.geometry.least_speed;
        slow.then_some(HoldCause::Signal(drive.board, drive.channel))
    }

    /// The belt has run empty.
    fn run_empty(&mut self, at: HostUs, out: &mut impl Output) {
        if self.run.stopping {
            self.disarm_all(at, out);
        } else if self.run.cause.is_none() {
            self.run.state = LineState::Ready;
        } else {
            self.run.state = LineState::Held;
        }
    }

    fn disarm_all(&mut self, at: HostUs, out: &mut impl Output) {
        self.switch(self.plan.channels.belt, false, out);
        for board in 0..self.links.len() {
            let link = &mut self.links[board];
            link.wanted = false;
            if link.up {
                out.arm(BoardId(u8::try_from(board).unwrap_or(u8::MAX)), false);
            }
        }
        self.run.state = LineState::Stopped;
        self.run.stopping = false;
        out.notice(at, Notice::Stopped);
    }

    /// Feeder off; what is on the belt recirculates.
    pub(super) fn hold(&mut self, at: HostUs, cause: HoldCause, out: &mut impl Output) {
        let held = matches!(self.run.state, LineState::Holding | LineState::Held);
        if !self.run.is_active() && !held {
            return;
        }
        let first = self
            .run
            .cause
            .is_none_or(|known| known == HoldCause::Command && cause != known);
        if first {
            self.run.cause = Some(cause);
            out.notice(at, Notice::Held(cause));
        }
        if held {
            return;
        }
        self.run.state = LineState::Holding;
        self.switch(self.plan.channels.feeder, false, out);
        for lane in 0..self.lanes.len() {
            self.spoil_lane(lane, Cause::Hold, out);
        }
    }

    pub(super) fn stop(&mut self, at: HostUs, out: &mut impl Output) {
        if self.run.state == LineState::Stopped {
            return;
        }
        self.hold(at, HoldCause::Command, out);
        self.run.stopping = true;
        if self.run.state != LineState::Holding {
            self.disarm_all(at, out);
        }
    }

    pub(super) fn acknowledge(&mut self) {
        self.run.cause = None;
        if self.run.state == LineState::Held {
            self.run.state = LineState::Ready;
        }
    }

    /// Strangers may be in a jet's bin since its last proof.
    pub(super) fn suspect(&mut self, at: HostUs, lane: usize, jet: u8, why: HoldCause, out: &mut impl Output) {
        let Some(bin) = self.jet_plan(lane, jet).map(|jet| jet.bin) else {
            return;
        };
        let state = self.lanes[lane].jets[usize::from(jet)];
        let of = &mut self.bins[bin.index()];
        if !std::mem::replace(&mut of.quarantined, true) {
            self.accounts.quarantines += 1;
            let since = state.proof;
            let pearls = u32::try_from(of.sent.saturating_sub(state.sent_at_proof)).unwrap_or(u32::MAX);
            out.notice(at, Notice::Quarantined { bin, since, pearls });
        }
        self.hold(at, why, out);
    }

    pub(super) fn test_pulse(&mut self, board: BoardId, valve: ValveId, us: u16, out: &mut impl Output) {
        let up = self.links.get(board.index()).is_some_and(|link| link.up);
        if up && !self.run.is_active() && self.run.state != LineState::Holding {
            out.send(board, ToBoard::Pulse { valve, us });
        } else {
            self.accounts.unknown += 1;
        }
    }

    /// Feeds the watchdogs: this core has run.
    pub(super) fn feed(&mut self, at: HostUs, out: &mut impl Output) {
        if at.since(self.feeds.at) > UNFED_US {
            self.feeds.starved = Some((at, self.feeds.tick));
        }
        self.feeds.at = at;
        self.feeds.tick = self.sync.now(at);
        for (board, link) in (0_u8..).zip(&mut self.links) {
            if link.up && link.wanted {
                link.fed = link.fed.wrapping_add(1);
                out.send(BoardId(board), ToBoard::Feed { count: link.fed });
            }
        }
    }

    /// No board has told where the belt is for so long that nobody will learn what became of its pearls.
    pub(super) fn write_off(&mut self, at: HostUs, out: &mut impl Output) {
        let Some(since) = self.sync.unknown_since() else { return };
        if at.since(since) <= WRITE_OFF_US {
            return;
        }
        for lane in 0..self.lanes.len() {
            for place in self.lanes[lane].ring.places() {
                let pearl = *self.lanes[lane].ring.get(place);
                let (sent, landing) = match pearl.stage {
                    Stage::Ended => continue,
                    Stage::Tray(cause) => (Destination::Tray(cause), Landing::NoEye),
                    Stage::Waiting | Stage::Graded => (Destination::Tray(Cause::Link), Landing::NoEye),
                    Stage::Ordered | Stage::Cancelling(_) | Stage::Fired | Stage::Unsure(_) => {
                        let bin = self.jet_plan(lane, pearl.jet).map(|jet| jet.bin);
                        (
                            bin.map_or(Destination::Tray(Cause::Link), Destination::Bin),
                            Landing::Lost,
                        )
                    }
                };
                if self.lanes[lane].ring.has(place) {
                    self.end(lane, place, sent, landing, out);
                }
            }
        }
    }
}
