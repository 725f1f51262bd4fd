//! A whole run in virtual time: world, boards, links, core and judge in one thread, as fast as it goes.
//!
//! Cold. Everything happens at its own microsecond. A board's bytes are gathered for [`GATHER_US`], as an adapter's latency
//! timer does, so that several messages share a frame. The same options give the same run, to the byte.

use std::time::Instant;

use devices::faults::{Carriage, Pipe, Trouble};
use line::{Command, LineState, Notice};
use rt::histogram::Histogram;
use units::{BoardId, HostUs};

use crate::chance::Chance;
use crate::demo::{DemoOptions, Machine, machine};
use crate::faults::{Fault, FaultPlan};
use crate::host::Host;
pub use crate::host::{Listener, Nobody};
use crate::judge::Judge;
use crate::nature::Nature;
use crate::platform::models;
use crate::rig::Rig;
use crate::summary::{DecisionUs, LeadMs, Summary};
use crate::world::WorldOptions;

/// Time for which a board's bytes are gathered before they go onto the line, us.
pub const GATHER_US: u64 = 3_000;
/// Least and most time that a run of bytes is late beyond its own length, us: as an adapter and a kernel add them.
const LATENCY_US: (f64, f64) = (1_000.0, 2_000.0);
/// Speed of the virtual links, baud.
pub const BAUD: u32 = 1_000_000;
/// How often the operator looks at the line, us.
const OPERATOR_LOOKS_US: u64 = 20_000;
/// After the last pearl the core gets so long to close its records, us.
const DRAIN_US: u64 = 15_000_000;
/// Bytes handed over at once at most.
const RUN_BYTES: usize = 2_048;
const STREAM_PIPES: u64 = 100;

/// What a run is made of.
#[derive(Clone, Debug)]
pub struct VirtualOptions {
    /// Seed of everything that is left to chance.
    pub seed: u64,
    /// Lanes of the line.
    pub lanes: u8,
    /// Pearls a second in each lane.
    pub rate: f64,
    /// Belt speed, um/s.
    pub um_s: i32,
    /// The feeder lays so many pearls...
    pub pearls: u64,
    /// ...or stops after so much time, us.
    pub most_us: u64,
    /// Whether the weigh cells stream samples, which the core weighs by; else they weigh themselves.
    pub samples: bool,
    /// How the line behaves.
    pub nature: Nature,
    /// What goes wrong.
    pub faults: FaultPlan,
    /// After a hold, once the faults are over, an operator empties the bins in quarantine, acknowledges and starts again.
    pub operator: bool,
    /// So long after the faults he looks at a held line, so long he thinks, and so often he tries again, us.
    pub operator_us: u64,
    /// What else an operator does, at times in us of the run, in order. After a `Hold` or `Stop` of these the line stands until
    /// a `Start` of these.
    pub commands: Vec<(u64, Command)>,
}

impl Default for VirtualOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            lanes: 16,
            rate: 15.0,
            um_s: 1_000_000,
            pearls: u64::MAX,
            most_us: u64::MAX,
            samples: false,
            nature: Nature::default(),
            faults: FaultPlan::none(),
            operator: true,
            operator_us: 1_000_000,
            commands: Vec::new(),
        }
    }
}

/// What a run has shown.
#[derive(Clone, Debug)]
pub struct VirtualOutcome {
    /// The figures.
    pub summary: Summary,
    /// The first complaints of the checkers, in words.
    pub complaints: Vec<String>,
    /// The core's news with their times, us of the run.
    pub notices: Vec<(u64, Notice)>,
    /// The core's own accounts.
    pub accounts: line::Accounts,
    /// Whether all pearls came to their end and all records were closed.
    pub complete: bool,
}

/// Runs a line of the default machine in virtual time. `progress` is told the number of pearls so far, now and then.
pub fn run(options: &VirtualOptions, progress: impl FnMut(u64)) -> VirtualOutcome {
    let demo = DemoOptions {
        rate: options.rate,
        um_s: options.um_s,
        least_gap: options.nature.least_gap,
        samples: options.samples,
    };
    run_machine(&machine(options.lanes, demo), options, progress)
}

/// Runs a line of any machine; of the options, `lanes` is the machine's.
pub fn run_machine(machine: &Machine, options: &VirtualOptions, progress: impl FnMut(u64)) -> VirtualOutcome {
    run_heard(machine, options, progress, &mut Nobody)
}

/// As [`run_machine`], with a listener to all that the core sees.
pub fn run_heard(
    machine: &Machine,
    options: &VirtualOptions,
    mut progress: impl FnMut(u64),
    listener: &mut dyn Listener,
) -> VirtualOutcome {
    let began = Instant::now();
    let mut run = Run::new(machine, options, listener);
    run.host.models(&models(
        &machine.plan,
        &options.nature,
        options.seed,
        f64::from(options.um_s),
    ));
    let mut done_us = None;
    let mut told_us = 0;
    loop {
        run.step();
        let now_us = run.now_us;
        if now_us >= options.most_us {
            run.rig.world_mut().stop_feeding();
        }
        if now_us >= told_us {
            told_us = now_us + 1_000_000;
            progress(run.rig.world().fed());
            if run.is_stuck() {
                break;
            }
        }
        if run.rig.world().is_done() {
            let done_us = *done_us.get_or_insert(now_us);
            let drained = now_us >= done_us + 200_000 && run.judge.open_cases() == 0;
            if drained || now_us > done_us + DRAIN_US {
                break;
            }
        }
    }
    run.finish(options, began)
}

struct Run<'a> {
    rig: Rig,
    host: Host<'a>,
    judge: Judge,
    to_board: Vec<Pipe>,
    to_host: Vec<Pipe>,
    faults: FaultPlan,
    faults_over_us: u64,
    cut: Vec<bool>,
    boards: u8,
    now_us: u64,
    operator: bool,
    thinks_us: u64,
    /// By falling time.
    commands: Vec<(u64, Command)>,
    /// An operator has held or stopped the line.
    by_hand: bool,
    started: bool,
    stalled: bool,
    look_us: Option<u64>,
    operator_us: u64,
    /// When the host next has something to do.
    host_due_us: u64,
    idle_us: u64,
    leads: Histogram,
    decisions: Histogram,
    notices: Vec<(u64, Notice)>,
    buffer: Vec<u8>,
}

impl<'a> Run<'a> {
    fn new(machine: &Machine, options: &VirtualOptions, listener: &'a mut dyn Listener) -> Self {
        let world = WorldOptions {
            seed: options.seed,
            rate: options.rate,
            um_s: f64::from(options.um_s),
            nature: options.nature,
            faults: options.faults.clone(),
            most_pearls: options.pearls,
        };
        let boards = u8::try_from(machine.plan.boards.len()).unwrap_or(u8::MAX);
        let pipes = |first: u64| {
            (0..u64::from(boards))
                .map(move |n| {
                    Pipe::new(
                        Carriage::line(BAUD, LATENCY_US),
                        Chance::new(options.seed, first + 2 * n),
                    )
                })
                .collect()
        };
        Self {
            rig: Rig::new(machine, world, BAUD),
            host: Host::new(machine, BAUD, listener),
            judge: Judge::new(machine, f64::from(options.um_s)),
            to_board: pipes(STREAM_PIPES),
            to_host: pipes(STREAM_PIPES + 1),
            faults: options.faults.clone(),
            faults_over_us: options.faults.over_us(),
            cut: vec![false; usize::from(boards)],
            boards,
            now_us: 0,
            operator: options.operator,
            thinks_us: options.operator_us,
            commands: options.commands.iter().rev().copied().collect(),
            by_hand: false,
            started: false,
            stalled: false,
            look_us: None,
            operator_us: 0,
            host_due_us: 0,
            idle_us: 0,
            leads: Histogram::new(),
            decisions: Histogram::new(),
            notices: Vec::new(),
            buffer: vec![0; RUN_BYTES],
        }
    }

    /// Goes on to the next moment at which bytes move or the host has something to do.
    fn step(&mut self) {
        let now_us = self.next_us();
        self.now_us = now_us;
        self.rig.advance(now_us);
        let host = HostUs(now_us.cast_signed());
        let stalled = self.faults.on(now_us).any(|fault| *fault == Fault::HostStall);
        self.stalled = stalled;
        for n in 0..self.boards {
            let board = BoardId(n);
            let trouble = self.trouble(board);
            self.cut_or_mend(board, trouble.cut, host, stalled);
            self.carry_to_board(board);
            if self
                .rig
                .wants_line_us(board)
                .is_some_and(|since_us| now_us >= since_us + GATHER_US)
            {
                let bytes = self.rig.transmit(board, &mut self.buffer);
                if bytes > 0 {
                    self.to_host[board.index()].send(now_us, &self.buffer[..bytes], &trouble);
                }
            }
            if !stalled {
                self.carry_to_host(board, host);
            }
        }
        if now_us >= self.operator_us && !stalled {
            self.operator_us = now_us + OPERATOR_LOOKS_US;
            self.operate(host);
            self.host_due_us = now_us;
        }
        if self.host_due_us <= now_us && !stalled {
            self.host.poll(host);
            for n in 0..self.boards {
                self.send_to_board(BoardId(n), host);
            }
            self.host_due_us = self.host.next_due().0.max(0).unsigned_abs();
        }
        self.hear();
    }

    /// The next moment, never farther than a board's bytes are gathered for: a board may want the line until then.
    fn next_us(&self) -> u64 {
        let mut next_us = self.now_us + GATHER_US;
        for n in 0..self.boards {
            let board = BoardId(n);
            if let Some(since_us) = self.rig.wants_line_us(board) {
                next_us = next_us.min(since_us + GATHER_US);
            }
            next_us = next_us.min(self.to_board[board.index()].next_us());
            if !self.stalled {
                next_us = next_us.min(self.to_host[board.index()].next_us()).min(self.host_due_us);
            }
        }
        next_us.max(self.now_us + 1)
    }

    fn trouble(&self, board: BoardId) -> Trouble {
        if self.faults.faults.is_empty() {
            Trouble::default()
        } else {
            self.faults.trouble(board, self.now_us)
        }
    }

    fn cut_or_mend(&mut self, board: BoardId, cut: bool, host: HostUs, stalled: bool) {
        if cut == self.cut[board.index()] || stalled {
            return;
        }
        self.cut[board.index()] = cut;
        self.host_due_us = self.now_us;
        self.to_board[board.index()].lose();
        self.to_host[board.index()].lose();
        self.host.port(host, board, !cut);
    }

    fn carry_to_board(&mut self, board: BoardId) {
        while let Some(run) = self.to_board[board.index()].arrived(self.now_us) {
            self.rig.receive(board, &run);
            self.to_board[board.index()].give_back(run);
        }
    }

    fn carry_to_host(&mut self, board: BoardId, host: HostUs) {
        while let Some(run) = self.to_host[board.index()].arrived(self.now_us) {
            self.host.receive(host, board, &run);
            self.host_due_us = self.now_us;
            self.to_host[board.index()].give_back(run);
        }
    }

    fn send_to_board(&mut self, board: BoardId, host: HostUs) {
        let bytes = self.host.transmit(host, board, &mut self.buffer);
        if bytes > 0 {
            let trouble = self.trouble(board);
            self.to_board[board.index()].send(self.now_us, &self.buffer[..bytes], &trouble);
        }
    }

    /// The operator starts the line when it is ready, and after a hold when the faults are over.
    fn operate(&mut self, host: HostUs) {
        if !self.started {
            if self.host.is_ready() {
                self.started = true;
                self.host.command(host, Command::Start);
            }
            return;
        }
        while let Some((_, command)) = self.commands.pop_if(|(at_us, _)| *at_us <= self.now_us) {
            match command {
                Command::Hold | Command::Stop => self.by_hand = true,
                Command::Start => self.by_hand = false,
                _ => {}
            }
            self.host.command(host, command);
        }
        if self.by_hand || !self.operator || self.faults.is_within(self.now_us, self.thinks_us) {
            return;
        }
        match self.host.state() {
            LineState::Running | LineState::Starting | LineState::Holding => self.look_us = None,
            LineState::NotReady | LineState::Ready | LineState::Held | LineState::Stopped => {
                let look_us = *self.look_us.get_or_insert(self.now_us + self.thinks_us);
                if self.now_us >= look_us {
                    self.look_us = Some(self.now_us + self.thinks_us);
                    self.host.resume(host);
                }
            }
        }
    }

    /// The judge hears what has happened and what was said.
    fn hear(&mut self) {
        let Self { rig, host, judge, .. } = self;
        let place = rig.world().belt().place_at(self.now_us as f64);
        let (happened, orders) = rig.news();
        host.show(self.now_us, happened, orders, place);
        let world = rig.world_mut();
        judge.hear(&world.happened, self.now_us);
        for (board, eye, seq) in host.given().told.drain(..) {
            if let Some(lane) = world.lane_of_entry(board.0, eye) {
                judge.told(lane, seq);
            }
        }
        world.happened.clear();
        let mut records = core::mem::take(&mut host.given().records);
        for record in records.drain(..) {
            if host.tell(&record) {
                judge.record(&record, self.now_us);
            }
        }
        host.given().records = records;
        for order in rig.orders().drain(..) {
            self.leads.record(order.lead_whole_us());
            if let Some(figures_us) = order.figures_us {
                self.decisions.record(order.at_us - figures_us.min(order.at_us));
            }
        }
        let mut notices = core::mem::take(&mut host.given().notices);
        for (at, notice) in notices.drain(..) {
            let at_us = at.0.max(0).unsigned_abs();
            if let Notice::Quarantined { bin, .. } = notice {
                host.quarantined(bin);
            }
            judge.notice(&notice, at_us);
            self.notices.push((at_us, notice));
        }
        host.given().notices = notices;
    }

    /// Whether the line stands for good: nothing has come to its end for long, and nobody will start it again.
    fn is_stuck(&mut self) -> bool {
        const STUCK_US: u64 = 60_000_000;
        if self.host.state() == LineState::Running {
            self.idle_us = self.now_us;
        }
        self.now_us > self.idle_us.max(self.faults_over_us) + STUCK_US
    }

    fn finish(self, options: &VirtualOptions, began: Instant) -> VirtualOutcome {
        let complete = self.rig.world().is_done() && self.judge.open_cases() == 0;
        let (mut summary, complaints) = self.judge.finish();
        let accounts = self.host.accounts().clone();
        let boards = (0..self.boards).map(|n| self.rig.counters(BoardId(n)));
        let (repeats, crc) = boards
            .chain(self.host.wire_counters())
            .fold((0, 0), |(r, c), of| (r + u64::from(of.repeats), c + u64::from(of.crc)));
        summary.seed = options.seed;
        summary.late = accounts.late;
        summary.cancelled = accounts.cancelled;
        summary.repeats = repeats;
        summary.crc_errors = crc;
        summary.decision_us = DecisionUs::of(&self.decisions);
        summary.lead_ms = LeadMs::of(&self.leads);
        summary.pearls_per_s = summary.pearls_in as f64 / began.elapsed().as_secs_f64();
        summary.digest = Some(format!("{:016x}", self.host.digest().value()));
        summary.run_s = self.now_us as f64 * 1e-6;
        VirtualOutcome {
            summary,
            complaints,
            notices: self.notices,
            accounts,
            complete,
        }
    }
}
