//! The core hands the pearl from stage to stage.
//!
//! Hot thread. `arrive` takes what eyes, cameras and cells say of a pearl; `decide` grades it, asks its neighbours, orders
//! and takes back; `outcome` follows the boards' reports and `landing` the drop eyes to the record; `deadline` is what does
//! not come in time; `run` keeps the line's state, its links and its holds.

mod arrive;
mod deadline;
mod decide;
mod landing;
mod outcome;
mod routes;
mod run;
mod weigh;

use std::sync::Arc;

use units::{BinId, BoardId, HostUs, LaneId, PearlId, Speed, Tick};
use wire::{FromBoard, Mass};

use self::routes::Routes;
pub use self::run::LineState;
use self::run::{Feeds, Link, Run};
use self::weigh::Cell;
use crate::accounts::Accounts;
use crate::geometry::Geometry;
use crate::grade::Recipe;
use crate::io::{Command, Input, Notice, Output};
use crate::limits::{PEARLS_IN_LANE, SWEEP_US};
use crate::pearl::Lane;
use crate::plan::{LanePlan, LinePlan};
use crate::recipes::Recipes;
use crate::schedule::{Manifolds, Orders};
use crate::settle::{InARow, JetState, Lates};
use crate::sync::Sync;
use crate::track::{Numbers, Zones};
use crate::weigh::Gates;
use crate::weigh::limits::GIVEN;

/// A lane and what is remembered of its stations.
#[derive(Clone, Debug)]
struct LaneState {
    ring: Lane,
    zones: Zones,
    triggers: Numbers,
    masses: Numbers,
    /// The cell, where it streams samples.
    cell: Option<Box<Cell>>,
    jets: Vec<JetState>,
    tray_unseen: InARow,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bin {
    inhibited: bool,
    quarantined: bool,
    /// Pearls ordered into it.
    sent: u64,
}

/// The core of the line. See the crate.
#[derive(Clone, Debug)]
pub struct Core {
    plan: LinePlan,
    geometry: Geometry,
    routes: Routes,
    sync: Sync,
    lanes: Vec<LaneState>,
    orders: Orders,
    manifolds: Manifolds,
    bins: Vec<Bin>,
    lates: Lates,
    recipes: Recipes,
    links: Vec<Link>,
    run: Run,
    accounts: Accounts,
    /// Weighings on their way from a cell to their pearls.
    weighings: Vec<(Mass, Gates)>,
    /// Pearls whose neighbours must be asked again.
    changed: Vec<(usize, u32)>,
    now: HostUs,
    next_pearl: PearlId,
    lot: u32,
    next_sweep: HostUs,
    next_feed: HostUs,
    feeds: Feeds,
}

impl Core {
    /// A core for the line of `plan`, with the recipe that is in force first. All that it will ever need is allocated
    /// here.
    ///
    /// # Panics
    /// When the plan has more of something than [`crate::limits`] allow, or names a board or bin that it does not have.
    #[must_use]
    pub fn new(plan: LinePlan, recipe: Arc<Recipe>) -> Self {
        let geometry = Geometry::new(&plan);
        let boards = plan.boards.len();
        let lane = |of: &LanePlan| LaneState {
            ring: Lane::new(),
            zones: Zones::default(),
            triggers: Numbers::default(),
            masses: Numbers::default(),
            cell: Cell::new(of).map(Box::new),
            jets: vec![JetState::NEW; of.jets.len()],
            tray_unseen: InARow::NONE,
        };
        Self {
            routes: Routes::new(&plan),
            sync: Sync::new(&plan, &geometry),
            lanes: plan.lanes.iter().map(lane).collect(),
            orders: Orders::new(boards),
            manifolds: Manifolds::new(&plan),
            bins: vec![Bin::default(); usize::from(plan.bins)],
            lates: Lates::new(),
            recipes: Recipes::new(recipe),
            links: vec![Link::default(); boards],
            run: Run::new(&plan),
            accounts: Accounts::new(),
            weighings: Vec::with_capacity(GIVEN),
            changed: Vec::with_capacity(plan.lanes.len().max(1) * PEARLS_IN_LANE * 4),
            now: HostUs(i64::MIN),
            next_pearl: PearlId(1),
            lot: 0,
            next_sweep: HostUs(i64::MIN),
            next_feed: HostUs(i64::MIN),
            feeds: Feeds::default(),
            geometry,
            plan,
        }
    }

    /// Takes one event. Time never runs backwards: an event that is older than the one before counts as of its time.
    pub fn handle(&mut self, at: HostUs, input: Input<'_>, out: &mut impl Output) {
        let at = at.max(self.now);
        self.now = at;
        match input {
            Input::Board { board, message } => {
                if self.links.get(board.index()).is_some_and(|link| link.up) {
                    self.message(at, board, message, out);
                } else {
                    self.accounts.unknown += 1;
                }
            }
            Input::LinkUp { board, identity } => self.link_up(at, board, &identity, out),
            Input::LinkDown { board, cause } => self.link_down(at, board, cause, out),
            Input::Command(command) => self.command(at, command, out),
            Input::Recipe(recipe) => self.take_recipe(recipe, out),
            Input::Model { lane, model } => self.take_model(at, lane, model, out),
            Input::Clock => {}
        }
        self.settle_changes(at, out);
        self.pass_time(at, out);
        self.accounts.check();
    }

    /// When [`Input::Clock`] is due if nothing else comes before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<HostUs> {
        let feed = self.links.iter().any(|link| link.wanted).then_some(self.next_feed);
        let busy = self.accounts.in_flight > 0 || self.run.is_changing();
        feed.into_iter().chain(busy.then_some(self.next_sweep)).min()
    }

    /// What has been counted.
    #[must_use]
    pub const fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// What the line is doing.
    #[must_use]
    pub const fn state(&self) -> LineState {
        self.run.state()
    }

    /// The belt's speed, ticks a second.
    #[must_use]
    pub fn speed(&self) -> Speed {
        self.sync.speed()
    }

    /// Whether all boards are up and agree about the belt.
    #[must_use]
    pub fn is_aligned(&self) -> bool {
        self.sync.unaligned().is_none()
    }

    /// Whether pearls that come now are sorted: the line runs, and its feeder too.
    #[must_use]
    pub fn takes_pearls(&self) -> bool {
        self.run.takes_pearls()
    }

    /// Whether the board's link is up.
    #[must_use]
    pub fn is_up(&self, board: BoardId) -> bool {
        self.links.get(board.index()).is_some_and(|link| link.up)
    }

    /// Whether each watched signal of the plan is good, in the plan's order; `None` before it is told.
    #[must_use]
    pub fn signals(&self) -> &[Option<bool>] {
        self.run.signals()
    }

    /// Farthest that the board's clock was off its fit over the latest seconds, us; `None` before there is a fit.
    #[must_use]
    pub fn clock_fit_us(&self, board: BoardId) -> Option<i64> {
        self.sync.clock_fit_us(board)
    }

    /// Whether the bin is in quarantine.
    #[must_use]
    pub fn is_quarantined(&self, bin: BinId) -> bool {
        self.bins.get(bin.index()).is_some_and(|bin| bin.quarantined)
    }

    fn message(&mut self, at: HostUs, board: BoardId, message: FromBoard<'_>, out: &mut impl Output) {
        match message {
            FromBoard::Trigger { eye, seq, tick } => self.trigger(at, board, eye, (seq, tick), out),
            FromBoard::Passed { eye, seq, tick } => self.passed(at, board, eye, (seq, tick), out),
            FromBoard::Measurement(measurement) => self.measured(at, board, &measurement, out),
            FromBoard::Mass(mass) => self.mass(at, board, &mass, out),
            FromBoard::Fired { order, opened, .. } => self.fired(at, board, order, opened, out),
            FromBoard::Late { order, .. } => self.late(at, board, order, out),
            FromBoard::Fault { of, fault } => self.fault(at, board, of, fault, out),
            FromBoard::Done { order } => self.amend_done(at, board, order, out),
            FromBoard::Gone { order } => self.amend_gone(at, board, order, out),
            FromBoard::Landed { eye, seq, tick } => self.landed(at, board, eye, (seq, tick), out),
            FromBoard::Status(status) => self.status(at, board, &status, out),
            FromBoard::Index { tick } => self.index(at, board, tick, out),
            FromBoard::Armed => self.links[board.index()].armed = true,
            FromBoard::Disarmed { by_watchdog } => self.disarmed(at, board, by_watchdog, out),
            FromBoard::Channel { channel, value } => self.channel(at, board, channel, value, out),
            FromBoard::Pulsed { valve } => out.notice(at, Notice::Pulsed(board, valve)),
            FromBoard::Samples(samples) => self.samples(at, board, &samples, out),
            // The link has dealt with these.
            FromBoard::Identity(_) | FromBoard::Settings { .. } => {}
        }
    }

    fn command(&mut self, at: HostUs, command: Command, out: &mut impl Output) {
        match command {
            Command::Start => self.start(at, out),
            Command::Hold => self.hold(at, crate::io::HoldCause::Command, out),
            Command::Stop => self.stop(at, out),
            Command::Acknowledge => self.acknowledge(),
            Command::Inhibit { bin, on } => match self.bins.get_mut(bin.index()) {
                Some(bin) => bin.inhibited = on,
                None => self.accounts.unknown += 1,
            },
            Command::Release { bin } => match self.bins.get_mut(bin.index()) {
                Some(of) => {
                    if std::mem::take(&mut of.quarantined) {
                        out.notice(at, Notice::Released(bin));
                    }
                    self.prove_bin(at, bin);
                }
                None => self.accounts.unknown += 1,
            },
            Command::Pulse { board, valve, us } => self.test_pulse(board, valve, us, out),
            Command::Lot { lot } => self.lot = lot,
            Command::Feed { on } => self.feed_pearls(on, out),
            Command::Belt { on } => self.switch(self.plan.channels.belt, on, out),
        }
    }

    /// Deadlines that have passed, feeds that are due, and what the line's state makes of it all.
    fn pass_time(&mut self, at: HostUs, out: &mut impl Output) {
        if at >= self.next_sweep {
            self.next_sweep = at.plus(SWEEP_US);
            self.sweep(at, out);
            self.settle_changes(at, out);
        }
        self.run_on(at, out);
        if at >= self.next_feed && self.links.iter().any(|link| link.wanted) {
            self.next_feed = at.plus(i64::from(self.plan.tolerances.feed_us.max(1)));
            self.feed(at, out);
        }
    }

    /// Looks at the pearls that are due.
    fn sweep(&mut self, at: HostUs, out: &mut impl Output) {
        if self.accounts.in_flight == 0 {
            return;
        }
        let now = self.sync.now(at);
        for lane in 0..self.lanes.len() {
            if !self.lanes[lane].ring.any_due(now) {
                continue;
            }
            for place in self.lanes[lane].ring.places() {
                if self.lanes[lane].ring.has(place) && self.lanes[lane].ring.is_due(place, now) {
                    self.due(at, now, lane, place, out);
                }
            }
            let state = &mut self.lanes[lane];
            state.ring.find_next_due();
            let behind = self.geometry.lanes[lane].end + self.geometry.most_reach();
            state.zones.forget_before(now.plus(-2 * behind));
        }
        self.write_off(at, out);
    }

    /// Ticks that the belt runs in `us`, at least as many as at the least speed: a deadline never comes early because
    /// the belt has stopped.
    fn ticks_in(&self, us: i64) -> i64 {
        let fastest = self.sync.speeds().1.0;
        let speed = i64::from(fastest).max(self.geometry.least_speed);
        speed.saturating_mul(us) / 1_000_000 + 1
    }

    fn lane_id(lane: usize) -> LaneId {
        LaneId(u8::try_from(lane).unwrap_or(u8::MAX))
    }

    /// Whether an eye's board is up, and has been since `from`: what it saw before was lost with its connection, or
    /// dropped.
    fn tells(&self, board: BoardId, from: Tick) -> bool {
        let link = &self.links[board.index()];
        link.up && link.tells_from.is_some_and(|since| since <= from)
    }

    /// Whether all that the board saw up to `tick` has come.
    fn has_told(&self, board: BoardId, tick: Tick) -> bool {
        self.sync.heard(board).is_none_or(|heard| heard >= tick)
    }
}
