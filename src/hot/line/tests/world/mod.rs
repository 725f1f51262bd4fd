//! A small hand-made world around the core: a belt, pearls and boards, in steps of a millisecond of virtual time.
//!
//! The boards here are written for these tests, so that a rule of the core is not tested against itself. A pearl is
//! blown when its centre is at a jet while that jet's valve is open.

#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "each test file uses its own part of the world"
)]

mod machine;

use std::collections::BTreeMap;
use std::sync::Arc;

use line::grade::Recipe;
use line::{
    Cause, Command, Core, Destination, DownCause, HoldCause, Input, Landing, LinePlan, LineState, Notice, Output,
    Record,
};
use units::{BinId, BoardId, BoardUs32, EyeId, HostUs, OrderId, Tick32, TriggerSeq};
use wire::{Fault, FaultOf, Fire, FromBoard, Mass, MassStatus, Status, ToBoard, ViewStatus};

pub use machine::{identity, lane, measurement, plan, recipe, recipe_of};

/// Ticks a metre of the test belt: 50 um a tick.
pub const PER_METRE: i64 = 20_000;
/// Board of lane 0.
pub const B0: BoardId = BoardId(0);

/// Ticks of so many millimetres.
pub const fn mm(mm: i64) -> i64 {
    mm * PER_METRE / 1_000
}

/// Everything that the core gave out.
#[derive(Default)]
pub struct Heard {
    pub sent: Vec<(i64, BoardId, ToBoard)>,
    pub arms: Vec<(BoardId, bool)>,
    pub records: Vec<Record>,
    pub notices: Vec<Notice>,
    pub retired: Vec<Arc<Recipe>>,
    at: i64,
    new: Vec<(BoardId, ToBoard)>,
    new_arms: Vec<(BoardId, bool)>,
}

impl Output for Heard {
    fn send(&mut self, board: BoardId, message: ToBoard) {
        self.sent.push((self.at, board, message));
        self.new.push((board, message));
    }
    fn arm(&mut self, board: BoardId, on: bool) {
        self.arms.push((board, on));
        self.new_arms.push((board, on));
    }
    fn record(&mut self, record: &Record) {
        self.records.push(*record);
    }
    fn notice(&mut self, _at: HostUs, notice: Notice) {
        self.notices.push(notice);
    }
    fn retire(&mut self, recipe: Arc<Recipe>) {
        self.retired.push(recipe);
    }
}

/// A pearl of the test world. It behaves unless a field says otherwise.
#[derive(Clone, Debug)]
pub struct Bead {
    pub lane: usize,
    /// Tick at which its centre is at the entry eye.
    pub centre: i64,
    pub length_um: i64,
    /// Smallest and largest diameter that the camera tells: it decides the bin.
    pub diameter_um: u16,
    pub unseen_by_eye: bool,
    pub view: Option<ViewStatus>,
    pub view_after_ms: i64,
    pub in_view: u8,
    pub mass: Option<MassStatus>,
    /// Ticks that it has rolled before the weigh cell.
    pub rolled: i64,
    /// It falls off the belt behind the camera.
    pub falls: bool,
    /// No drop eye sees it.
    pub unseen_landing: bool,
    /// Seen by the drop eye together with the one before it.
    pub lands_with_previous: bool,
    triggered: Option<(TriggerSeq, i64)>,
    passed: bool,
    measured: bool,
    weighed: bool,
    next_jet: usize,
    leaves: Option<(Option<usize>, i64)>,
    /// Where it landed in truth: a bin, or none for the tray.
    pub landed: Option<Option<BinId>>,
}

/// A pearl of lane `lane` whose centre passes the eye at `centre`, for the bin of `bin`.
pub fn bead(lane: usize, centre: i64, bin: u8) -> Bead {
    Bead {
        lane,
        centre,
        length_um: 8_000,
        diameter_um: 7_500 + 1_000 * u16::from(bin),
        unseen_by_eye: false,
        view: Some(ViewStatus::Good),
        view_after_ms: 5,
        in_view: 1,
        mass: Some(MassStatus::Good),
        rolled: 0,
        falls: false,
        unseen_landing: false,
        lands_with_previous: false,
        triggered: None,
        passed: false,
        measured: false,
        weighed: false,
        next_jet: 0,
        leaves: None,
        landed: None,
    }
}

/// A board of the test world.
pub struct Board {
    pub up: bool,
    pub armed: bool,
    pub starts: u16,
    /// Line tick less its own.
    pub offset: i64,
    pub us_offset: i64,
    pub orders: BTreeMap<u16, Fire>,
    pub index_ticks: Option<i64>,
    pub silent: bool,
    pub refuses_late: bool,
    pub fault: Option<Fault>,
    pub forgets_reports: bool,
    /// What it answers to `Arm`.
    pub arms: bool,
    /// Delay of its messages, us.
    pub jitter_us: i64,
    pub dropped: u16,
    pub fed: u16,
    last_index: i64,
    seqs: [u16; 64],
    mass_number: [u16; 8],
}

pub struct World {
    pub core: Core,
    pub plan: LinePlan,
    pub heard: Heard,
    pub at: i64,
    /// Belt position in millionths of a tick.
    micro: i64,
    pub speed: i64,
    pub beads: Vec<Bead>,
    pub boards: Vec<Board>,
    pub shut: Vec<u8>,
    pub open: Vec<u8>,
    /// The host does nothing, and what boards say meanwhile is lost.
    pub stalled: bool,
    random: u64,
    steps: i64,
}

impl World {
    pub fn new(plan: LinePlan) -> Self {
        Self::with_recipe(plan, recipe())
    }

    pub fn with_recipe(plan: LinePlan, recipe: Arc<Recipe>) -> Self {
        let board = |index: usize| Board {
            up: false,
            armed: false,
            starts: 1,
            offset: -1_000 - 777 * index as i64,
            us_offset: 5_000_000 * index as i64,
            orders: BTreeMap::new(),
            index_ticks: plan.boards[index].index_ticks.map(i64::from),
            silent: false,
            refuses_late: false,
            fault: None,
            forgets_reports: false,
            arms: true,
            jitter_us: 0,
            dropped: 0,
            fed: 0,
            last_index: 0,
            seqs: [0; 64],
            mass_number: [0; 8],
        };
        Self {
            core: Core::new(plan.clone(), recipe),
            heard: Heard::default(),
            at: 1_000_000,
            micro: 0,
            speed: PER_METRE,
            beads: Vec::new(),
            boards: (0..plan.boards.len()).map(board).collect(),
            shut: Vec::new(),
            open: Vec::new(),
            stalled: false,
            random: 1,
            steps: 0,
            plan,
        }
    }

    /// A line that runs at 1 m/s, with all boards up.
    pub fn running(plan: LinePlan) -> Self {
        Self::run(Self::new(plan))
    }

    pub fn run(mut world: Self) -> Self {
        for board in 0..world.boards.len() {
            world.link_up(board);
        }
        let long = if world.boards.len() > 1 { 3_000 } else { 200 };
        world.steps(long);
        world.command(Command::Start);
        world.steps(300);
        assert_eq!(world.core.state(), LineState::Running);
        world
    }

    pub fn tick(&self) -> i64 {
        self.micro / 1_000_000
    }

    /// Puts the belt at a tick.
    pub fn put_at(&mut self, tick: i64) {
        self.micro = tick * 1_000_000;
    }

    /// Adds a pearl `ahead` ticks before the eye, and gives back its place in `beads`.
    pub fn add(&mut self, mut bead: Bead) -> usize {
        bead.centre += self.tick() + mm(20);
        self.beads.push(bead);
        self.beads.len() - 1
    }

    pub fn input(&mut self, input: Input<'_>) {
        if self.stalled {
            return;
        }
        self.heard.at = self.at;
        self.core.handle(HostUs(self.at), input, &mut self.heard);
        self.deliver();
        check_sum(&self.core);
    }

    pub fn command(&mut self, command: Command) {
        self.input(Input::Command(command));
    }

    pub fn say(&mut self, board: usize, message: FromBoard<'_>) {
        if self.boards[board].up {
            self.input(Input::Board {
                board: BoardId(board as u8),
                message,
            });
        }
    }

    pub fn link_up(&mut self, board: usize) {
        self.boards[board].up = true;
        let identity = identity(100 + board as u64, self.boards[board].starts);
        self.input(Input::LinkUp {
            board: BoardId(board as u8),
            identity,
        });
    }

    pub fn link_down(&mut self, board: usize, cause: DownCause) {
        self.boards[board].up = false;
        self.boards[board].armed = false;
        self.boards[board].orders.clear();
        self.input(Input::LinkDown {
            board: BoardId(board as u8),
            cause,
        });
    }

    /// Lets so many milliseconds pass.
    pub fn steps(&mut self, count: i64) {
        for _ in 0..count {
            self.step();
        }
    }

    /// Runs until every pearl must have landed.
    pub fn finish(&mut self) {
        self.steps(1_500);
    }

    /// As a board counts ticks.
    fn wire(&self, board: usize, tick: i64) -> Tick32 {
        Tick32((tick - self.boards[board].offset) as u32)
    }

    fn deliver(&mut self) {
        for (board, on) in std::mem::take(&mut self.heard.new_arms) {
            let board = board.index();
            if on && self.boards[board].arms {
                self.boards[board].armed = true;
                self.say(board, FromBoard::Armed);
            } else if !on {
                self.boards[board].armed = false;
                self.boards[board].orders.clear();
                self.say(board, FromBoard::Disarmed { by_watchdog: false });
            }
        }
        for (board, message) in std::mem::take(&mut self.heard.new) {
            let board = board.index();
            match message {
                ToBoard::Fire(fire) => self.take_order(board, fire),
                ToBoard::Amend(amend) => {
                    let now = self.wire(board, self.tick());
                    let order = amend.order;
                    let opened = self.boards[board]
                        .orders
                        .get(&order.0)
                        .map(|fire| fire.on.since(now) <= 0);
                    match opened {
                        Some(false) if amend.length == 0 => {
                            self.boards[board].orders.remove(&order.0);
                            self.say(board, FromBoard::Done { order });
                        }
                        Some(false) => {
                            if let Some(fire) = self.boards[board].orders.get_mut(&order.0) {
                                fire.length = amend.length;
                            }
                            self.say(board, FromBoard::Done { order });
                        }
                        _ => self.say(board, FromBoard::Gone { order }),
                    }
                }
                ToBoard::Feed { count } => self.boards[board].fed = count,
                _ => {}
            }
        }
    }

    fn take_order(&mut self, board: usize, fire: Fire) {
        let now = self.wire(board, self.tick());
        let of = &mut self.boards[board];
        let order = fire.order;
        if of.refuses_late || fire.on.since(now) < 0 {
            self.say(board, FromBoard::Late { order, tick: now });
        } else if let Some(fault) = of.fault {
            let of = FaultOf::Order(order);
            self.say(board, FromBoard::Fault { of, fault });
        } else {
            of.orders.insert(order.0, fire);
        }
    }

    fn next_seq(&mut self, board: usize, eye: EyeId) -> TriggerSeq {
        let seq = &mut self.boards[board].seqs[eye.index()];
        *seq = seq.wrapping_add(1);
        TriggerSeq(*seq)
    }

    pub fn skip_seq(&mut self, lane: usize) {
        let eye = self.plan.lanes[lane].entry;
        self.next_seq(eye.board.index(), eye.eye);
    }

    fn step(&mut self) {
        self.at += 1_000;
        self.micro += self.speed * 1_000;
        self.steps += 1;
        for board in 0..self.boards.len() {
            self.status(board);
        }
        for bead in 0..self.beads.len() {
            self.eye(bead);
            self.camera(bead);
            self.scale(bead);
            self.air(bead);
            self.fall(bead);
        }
        for board in 0..self.boards.len() {
            self.reports(board);
        }
        if self.core.next_deadline().is_some_and(|deadline| deadline.0 <= self.at) {
            self.input(Input::Clock);
        }
    }

    fn status(&mut self, board: usize) {
        let tick = self.tick();
        if let Some(turn) = self.boards[board].index_ticks {
            let index = tick.div_euclid(turn) * turn;
            if index != self.boards[board].last_index {
                self.boards[board].last_index = index;
                let tick = self.wire(board, index);
                self.say(board, FromBoard::Index { tick });
            }
        }
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let of = &self.boards[board];
        if of.silent || (self.steps + 7 * board as i64) % 20 != 0 {
            return;
        }
        // A message that was on the way for a while tells of an earlier moment.
        let delay = if of.jitter_us == 0 {
            0
        } else {
            (self.random >> 33) as i64 % of.jitter_us
        };
        let then = (self.micro - self.speed * delay) / 1_000_000;
        let status = Status {
            at: BoardUs32((self.at - delay + of.us_offset) as u32),
            tick: self.wire(board, then),
            fed: of.fed,
            queued: of.orders.len() as u16,
            armed: of.armed,
            blowing: false,
            dropped: of.dropped,
        };
        self.say(board, FromBoard::Status(status));
    }

    fn eye(&mut self, index: usize) {
        let (bead, tick) = (self.beads[index].clone(), self.tick());
        let entry = self.plan.lanes[bead.lane].entry;
        let (board, eye) = (entry.board.index(), entry.eye);
        let half = bead.length_um / 100;
        if bead.triggered.is_none() && bead.centre - half <= tick {
            if bead.unseen_by_eye {
                self.beads[index].triggered = Some((TriggerSeq(0), self.at));
            } else {
                let seq = self.next_seq(board, eye);
                self.beads[index].triggered = Some((seq, self.at));
                let tick = self.wire(board, bead.centre - half);
                self.say(board, FromBoard::Trigger { eye, seq, tick });
            }
        }
        if let Some((seq, _)) = self.beads[index].triggered
            && !bead.passed
            && bead.centre + half <= tick
        {
            self.beads[index].passed = true;
            if !bead.unseen_by_eye {
                let tick = self.wire(board, bead.centre + half);
                self.say(board, FromBoard::Passed { eye, seq, tick });
            }
        }
    }

    fn camera(&mut self, index: usize) {
        let bead = self.beads[index].clone();
        let Some((seq, at)) = bead.triggered else { return };
        let entry = self.plan.lanes[bead.lane].entry;
        if bead.measured || bead.unseen_by_eye || self.at < at + bead.view_after_ms * 1_000 {
            return;
        }
        self.beads[index].measured = true;
        if let Some(status) = bead.view {
            let measurement = measurement(entry.eye, seq, status, bead.diameter_um, bead.in_view);
            self.say(entry.board.index(), FromBoard::Measurement(measurement));
        }
    }

    fn scale(&mut self, index: usize) {
        let bead = self.beads[index].clone();
        let Some(weigh) = self.plan.lanes[bead.lane].weigh else {
            return;
        };
        let from = bead.centre + bead.rolled + i64::from(weigh.at_um) / 50;
        let to = from + i64::from(weigh.length_um) / 50;
        if bead.weighed || bead.falls || self.tick() < to + mm(5) {
            return;
        }
        self.beads[index].weighed = true;
        let Some(status) = bead.mass else { return };
        let board = weigh.board.index();
        let number = &mut self.boards[board].mass_number[usize::from(weigh.cell)];
        *number = number.wrapping_add(1);
        let mass = Mass {
            cell: weigh.cell,
            number: *number,
            entered: self.wire(board, from),
            left: self.wire(board, to),
            status,
            mass_ug: 500_000,
            u_mass_ug: 500,
        };
        self.say(board, FromBoard::Mass(mass));
    }

    /// Whether a pearl at a jet is blown there, and when it reaches the belt's end.
    fn air(&mut self, index: usize) {
        let bead = self.beads[index].clone();
        if bead.falls || bead.leaves.is_some() {
            return;
        }
        let lane = &self.plan.lanes[bead.lane];
        let at_um = lane.jets.get(bead.next_jet).map_or(lane.end_um, |jet| jet.at_um);
        let there = bead.centre + bead.rolled + i64::from(at_um) / 50;
        if self.tick() < there {
            return;
        }
        let Some(jet) = lane.jets.get(bead.next_jet).copied() else {
            self.beads[index].leaves = Some((None, there));
            return;
        };
        self.beads[index].next_jet += 1;
        let board = jet.board.index();
        let tick = self.wire(board, there);
        let blows = |fire: &Fire| {
            fire.valve == jet.valve && tick.since(fire.on) >= 0 && tick.since(fire.on) <= i32::from(fire.length)
        };
        let ordered = self.boards[board].orders.values().any(blows) && !self.shut.contains(&jet.valve.0);
        if ordered || self.open.contains(&jet.valve.0) {
            self.beads[index].leaves = Some((Some(bead.next_jet), there));
        }
    }

    fn fall(&mut self, index: usize) {
        let bead = self.beads[index].clone();
        let Some((jet, left)) = bead.leaves else { return };
        let lane = &self.plan.lanes[bead.lane];
        let drop_eye = jet.map_or(lane.tray_eye, |jet| lane.jets[jet].drop_eye);
        let tick = left + self.speed * 30_000 / 1_000_000;
        if bead.landed.is_some() || self.tick() < tick {
            return;
        }
        self.beads[index].landed = Some(jet.map(|jet| lane.jets[jet].bin));
        if let Some(eye) = drop_eye
            && !bead.unseen_landing
            && !bead.lands_with_previous
        {
            let (board, eye) = (eye.eye.board.index(), eye.eye.eye);
            let seq = self.next_seq(board, eye);
            let tick = self.wire(board, tick);
            self.say(board, FromBoard::Landed { eye, seq, tick });
        }
    }

    fn reports(&mut self, board: usize) {
        let now = self.wire(board, self.tick());
        let over = |fire: &Fire| now.since(fire.on) > i32::from(fire.length);
        while let Some(order) = self.boards[board]
            .orders
            .values()
            .find(|fire| over(fire))
            .map(|fire| fire.order)
        {
            let fire = self.boards[board].orders.remove(&order.0).unwrap();
            if self.boards[board].forgets_reports {
                continue;
            }
            let opened = fire.on.wrapping_plus(-20);
            let open_us = u32::from(fire.length) * 50;
            self.say(board, FromBoard::Fired { order, opened, open_us });
        }
    }

    /// The record of the pearl that was added as number `index`, by its centre.
    pub fn record(&self, index: usize) -> Record {
        let found = self.heard.records.iter().find(|record| self.is(record, index));
        *found.unwrap_or_else(|| panic!("no record of pearl {index}: {:?}", self.heard.records))
    }

    fn is(&self, record: &Record, index: usize) -> bool {
        let bead = &self.beads[index];
        // The first board's first tick is the line's zero.
        let zero = self.boards[0].offset;
        record.lane.index() == bead.lane && (record.centre.0 + zero - bead.centre).abs() <= mm(7)
    }

    pub fn sent(&self, index: usize) -> Destination {
        self.record(index).sent
    }

    pub fn cause(&self, index: usize) -> Cause {
        match self.sent(index) {
            Destination::Tray(cause) => cause,
            Destination::Bin(bin) => panic!("pearl {index} was sent to {bin:?}"),
        }
    }

    /// The pearl was sent to a bin, and was seen there.
    pub fn binned(&self, index: usize) -> BinId {
        let record = self.record(index);
        match (record.sent, record.landing) {
            (Destination::Bin(bin), Landing::Seen | Landing::NoEye) => bin,
            other => panic!("pearl {index}: {other:?}"),
        }
    }

    pub fn held(&self) -> Option<HoldCause> {
        self.heard.notices.iter().rev().find_map(|notice| match notice {
            Notice::Held(cause) => Some(*cause),
            _ => None,
        })
    }

    pub fn fires(&self) -> Vec<Fire> {
        let fire = |(_, _, message): &(i64, BoardId, ToBoard)| match message {
            ToBoard::Fire(fire) => Some(*fire),
            _ => None,
        };
        self.heard.sent.iter().filter_map(fire).collect()
    }

    pub fn cancels(&self) -> Vec<OrderId> {
        let amend = |(_, _, message): &(i64, BoardId, ToBoard)| match message {
            ToBoard::Amend(amend) if amend.length == 0 => Some(amend.order),
            _ => None,
        };
        self.heard.sent.iter().filter_map(amend).collect()
    }
}

/// In = binned + recirculated + lost + in flight, written out once more beside the core's own sum.
pub fn check_sum(core: &Core) {
    let of = core.accounts();
    let binned: u64 = of.binned.iter().sum();
    let recirculated: u64 = Cause::all().map(|cause| of.recirculated(cause)).sum();
    assert_eq!(of.entered, binned + recirculated + of.lost + of.in_flight);
}

impl Bead {
    /// The pearl is smaller than every bin's.
    pub fn with_no_bin(mut self) -> Self {
        self.diameter_um = 3_000;
        self
    }
}
