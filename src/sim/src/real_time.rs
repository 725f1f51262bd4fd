//! The virtual line in real time: world and boards in a thread of their own, each board behind a pseudo-terminal.
//!
//! Cold, with one thread (`sim`). The program under test opens the ports' paths as it would open serial ports. What is due on
//! the line happens at its own time even when the thread wakes late, as a board's hardware would have it; only what the
//! host sends counts from when it is read. Nothing that the host does waits for this thread but the ports.
//!
//! [`RealLine`] runs the line; [`RealJudge`] holds what happened against the records of the program.

use std::collections::{HashMap, VecDeque};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use devices::cameras::Shot;
use line::{Notice, Record};
use rt::clock::now_us;
use rt::histogram::Histogram;
use rt::poll::{Interest, Poller, Token, Transfer, read, set_nonblocking, write};
use rt::port::{PortError, Pty, open_pty};
use rt::ring::{Consumer, Producer, ring};
use units::{BoardId, EyeId, HostUs, LaneId, TriggerSeq};
use wire::{Counters, Measurement};

use crate::demo::Machine;
use crate::draw::Picture;
use crate::judge::Judge;
use crate::rig::Rig;
use crate::summary::{DecisionUs, LeadMs, Summary};
use crate::tap::OrderSeen;
use crate::truth::Happened;
use crate::world::WorldOptions;

/// The thread waits no longer than this, us.
const LONGEST_WAIT_US: u64 = 5_000;
/// Things due within this time are done in one go, us.
const SLACK_US: u64 = 50;
/// A thread that was kept from running for longer reads its ports before it lets time pass: a board would have.
const STALL_US: u64 = 10_000;
/// Time between two hand-overs of what has happened, us.
const TELL_US: u64 = 20_000;
/// A record is looked at so long after it came, us: what it is of has been told by then.
const RECORD_WAITS_US: i64 = 100_000;
const BUFFER_BYTES: usize = 4_096;
/// Pictures on their way to the painter at most.
const PICTURES: usize = 64;

const _: () = assert!(RECORD_WAITS_US > 2 * TELL_US as i64);

/// Why a line can't be had in real time.
#[derive(Debug, thiserror::Error)]
pub enum RealError {
    /// No pseudo-terminal.
    #[error(transparent)]
    Port(#[from] PortError),
    /// No thread, or a port that can't be made to return at once.
    #[error("the virtual line can't be set up: {0}")]
    System(#[from] std::io::Error),
}

/// What has happened since it was last taken.
#[derive(Debug, Default)]
struct Told {
    happened: Happened,
    orders: Vec<OrderSeen>,
    counters: Vec<Counters>,
    fed: u64,
    done: bool,
    now_us: u64,
    place: f64,
    longest_stall_us: u64,
}

/// Flashes whose pictures went out, and what the host has made of them.
#[derive(Debug, Default)]
struct Eyes {
    flashed: HashMap<(u8, EyeId, TriggerSeq), (LaneId, u64)>,
    seen: Vec<((LaneId, u64), Measurement)>,
}

#[derive(Debug, Default)]
struct Shared {
    told: Mutex<Told>,
    eyes: Mutex<Eyes>,
    stop: AtomicBool,
    stop_feeding: AtomicBool,
}

/// A virtual line that runs.
#[derive(Debug)]
pub struct RealLine {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    ports: Vec<PathBuf>,
    zero: HostUs,
}

impl RealLine {
    /// Opens a pseudo-terminal for each board and starts the line. `baud` is what the boards are told of their line's
    /// speed; `priority` is that of SCHED_FIFO, where the rights are there.
    ///
    /// # Errors
    /// When the system has no pseudo-terminal or thread left.
    pub fn start(machine: &Machine, options: WorldOptions, baud: u32, priority: Option<u8>) -> Result<Self, RealError> {
        Self::start_with(machine, options, baud, priority, None)
    }

    /// As [`Self::start`], but the line's cameras send pictures to the host: they come out of the ring that is returned.
    /// What the host makes of them is to be told with [`Self::seen`].
    ///
    /// # Errors
    /// As [`Self::start`].
    pub fn start_seen(
        machine: &Machine,
        options: WorldOptions,
        baud: u32,
        priority: Option<u8>,
    ) -> Result<(Self, Consumer<Picture>), RealError> {
        let (pictures, taken) = ring(PICTURES);
        let line = Self::start_with(machine, options, baud, priority, Some(pictures))?;
        Ok((line, taken))
    }

    fn start_with(
        machine: &Machine,
        options: WorldOptions,
        baud: u32,
        priority: Option<u8>,
        pictures: Option<Producer<Picture>>,
    ) -> Result<Self, RealError> {
        let ptys = machine
            .plan
            .boards
            .iter()
            .map(|_| open_pty())
            .collect::<Result<Vec<Pty>, _>>()?;
        for pty in &ptys {
            set_nonblocking(&pty.board)?;
        }
        let ports = ptys.iter().map(|pty| pty.path.clone()).collect();
        let shared = Arc::new(Shared::default());
        let zero = now_us();
        let mut rig = Rig::new(machine, options, baud);
        if pictures.is_some() {
            rig.world_mut().send_pictures();
        }
        let runner = Runner {
            pictures,
            ..Runner::new(rig, ptys, zero, Arc::clone(&shared))
        };
        let thread = std::thread::Builder::new().name("sim".to_owned()).spawn(move || {
            if let Some(priority) = priority {
                // Without the right the line runs all the same, a little less evenly.
                let _granted = rt::thread::set_fifo(priority);
            }
            runner.run();
        })?;
        Ok(Self {
            shared,
            thread: Some(thread),
            ports,
            zero,
        })
    }

    /// The boards' device paths, in the plan's order.
    #[must_use]
    pub fn ports(&self) -> &[PathBuf] {
        &self.ports
    }

    /// Host time at the run's time 0.
    #[must_use]
    pub fn zero(&self) -> HostUs {
        self.zero
    }

    /// What the host has made of the picture of a flash on this board.
    pub fn seen(&self, board: BoardId, measurement: &Measurement) {
        let mut eyes = self.shared.eyes.lock().unwrap_or_else(PoisonError::into_inner);
        let flash = (board.0, measurement.eye, measurement.seq);
        if let Some(of) = eyes.flashed.remove(&flash) {
            eyes.seen.push((of, *measurement));
        }
    }

    /// Pearls that the feeder has laid so far.
    #[must_use]
    pub fn fed(&self) -> u64 {
        self.told(|told| told.fed)
    }

    /// The feeder lays no more pearls.
    pub fn stop_feeding(&self) {
        self.shared.stop_feeding.store(true, Ordering::Relaxed);
    }

    /// Whether the feeder has laid all its pearls and none is on the line any more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.told(|told| told.done)
    }

    /// Longest time for which the line's own thread was kept from running, us.
    #[must_use]
    pub fn longest_stall_us(&self) -> u64 {
        self.told(|told| told.longest_stall_us)
    }

    /// Takes what has happened since it was last taken. Call it some times a second.
    #[must_use]
    pub fn take(&self) -> Taken {
        self.told(|told| {
            let mut taken = Taken::default();
            taken.happened.take_over(&mut told.happened);
            taken.orders.append(&mut told.orders);
            taken.counters.clone_from(&told.counters);
            (taken.now_us, taken.place) = (told.now_us, told.place);
            taken
        })
    }

    /// Ends the line: its boards fall silent and its ports close.
    pub fn stop(mut self) {
        self.end();
    }

    fn told<T>(&self, look: impl FnOnce(&mut Told) -> T) -> T {
        look(&mut self.shared.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn end(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that has panicked has said so; its ports are closed either way.
            let _ended = thread.join();
        }
    }
}

impl Drop for RealLine {
    fn drop(&mut self) {
        self.end();
    }
}

/// The line's thread.
struct Runner {
    rig: Rig,
    ptys: Vec<Pty>,
    tokens: Vec<Token>,
    poller: Poller,
    /// Bytes of each board that its port has not taken yet.
    unsent: Vec<Vec<u8>>,
    buffer: Vec<u8>,
    zero: HostUs,
    shared: Arc<Shared>,
    /// Where pictures go, when the host looks at them.
    pictures: Option<Producer<Picture>>,
    longest_stall_us: u64,
    told_us: u64,
}

/// What has happened on a line since it was last taken.
#[derive(Debug, Default)]
pub struct Taken {
    /// What truly happened.
    pub happened: Happened,
    /// Orders that came to boards.
    pub orders: Vec<OrderSeen>,
    /// What the boards' ends of the links have counted since each board last started.
    pub counters: Vec<Counters>,
    /// Until when, us of the run.
    pub now_us: u64,
    /// Where the belt was then, ticks.
    pub place: f64,
}

impl Runner {
    fn new(rig: Rig, ptys: Vec<Pty>, zero: HostUs, shared: Arc<Shared>) -> Self {
        let mut poller = Poller::new();
        let add = |pty: &Pty| {
            poller
                .add(pty.board.as_fd(), Interest::Read)
                .expect("a line has fewer boards than can be polled")
        };
        let tokens = ptys.iter().map(add).collect();
        Self {
            unsent: vec![Vec::with_capacity(BUFFER_BYTES); ptys.len()],
            rig,
            tokens,
            poller,
            ptys,
            buffer: vec![0; BUFFER_BYTES],
            zero,
            shared,
            pictures: None,
            longest_stall_us: 0,
            told_us: 0,
        }
    }

    fn run(mut self) {
        let mut due_us = 0;
        while !self.shared.stop.load(Ordering::Relaxed) {
            let now_us = self.now_us();
            if self.shared.stop_feeding.load(Ordering::Relaxed) {
                self.rig.world_mut().stop_feeding();
            }
            let stalled_us = now_us.saturating_sub(due_us);
            self.longest_stall_us = self.longest_stall_us.max(stalled_us);
            if stalled_us > STALL_US {
                let before = self.rig.orders().len();
                self.read_ports();
                for order in &mut self.rig.orders()[before..] {
                    order.at_us = now_us;
                }
            }
            self.rig.advance(now_us + SLACK_US / 2);
            self.show_pictures();
            self.read_ports();
            self.write_ports();
            if now_us >= self.told_us + TELL_US {
                self.told_us = now_us;
                self.tell();
            }
            due_us = self.rig.next_us().min(self.now_us() + LONGEST_WAIT_US);
            self.wait(due_us);
        }
    }

    fn now_us(&self) -> u64 {
        now_us().since(self.zero).max(0).unsigned_abs()
    }

    /// Sends out the pictures of flashes, and takes what has been made of earlier ones.
    fn show_pictures(&mut self) {
        let Some(pictures) = &mut self.pictures else { return };
        let mut eyes = self.shared.eyes.lock().unwrap_or_else(PoisonError::into_inner);
        for (of, measurement) in eyes.seen.drain(..) {
            self.rig.world_mut().seen(of, measurement);
        }
        for flash in self.rig.world_mut().pictures() {
            if let Some(of) = flash.of {
                eyes.flashed.insert((flash.board, flash.eye, flash.seq), of);
            }
            let shot = Shot {
                board: BoardId(flash.board),
                eye: flash.eye,
                seq: flash.seq,
                fired: self.zero.plus(i64::try_from(flash.at_us).unwrap_or(i64::MAX)),
            };
            // A full ring means that the painter is behind: the pearl is seen by nobody.
            let _shown = pictures.push(Picture {
                shot,
                bodies: flash.bodies,
            });
        }
    }

    /// Waits for bytes, or until the time given.
    fn wait(&mut self, until_us: u64) {
        let wait_us = until_us.saturating_sub(self.now_us());
        // An interrupted wait is a short one.
        let _ready = self.poller.wait(Some(wait_us));
    }

    fn read_ports(&mut self) {
        for n in 0..self.ptys.len() {
            while let Transfer::Done(bytes) = read(&self.ptys[n].board, &mut self.buffer) {
                if bytes == 0 {
                    break;
                }
                let board = BoardId(u8::try_from(n).unwrap_or(u8::MAX));
                self.rig.receive(board, &self.buffer[..bytes]);
                if bytes < self.buffer.len() {
                    break;
                }
            }
        }
    }

    fn write_ports(&mut self) {
        for n in 0..self.ptys.len() {
            let board = BoardId(u8::try_from(n).unwrap_or(u8::MAX));
            while self.unsent[n].is_empty() && self.rig.wants_line_us(board).is_some() {
                let bytes = self.rig.transmit(board, &mut self.buffer);
                if bytes == 0 {
                    break;
                }
                self.unsent[n].extend_from_slice(&self.buffer[..bytes]);
                self.push_out(n);
            }
            self.push_out(n);
            let interest = if self.unsent[n].is_empty() {
                Interest::Read
            } else {
                Interest::ReadWrite
            };
            self.poller.set_interest(self.tokens[n], interest);
        }
    }

    fn push_out(&mut self, n: usize) {
        if self.unsent[n].is_empty() {
            return;
        }
        if let Transfer::Done(bytes) = write(&self.ptys[n].board, &self.unsent[n]) {
            self.unsent[n].drain(..bytes);
        }
    }

    fn tell(&mut self) {
        let mut told = self.shared.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.happened.take_over(&mut self.rig.world_mut().happened);
        told.orders.append(self.rig.orders());
        told.counters.clear();
        for n in 0..self.ptys.len() {
            told.counters
                .push(*self.rig.counters(BoardId(u8::try_from(n).unwrap_or(u8::MAX))));
        }
        told.fed = self.rig.world().fed();
        told.done = self.rig.world().is_done();
        told.now_us = self.rig.now_us();
        told.place = self.rig.world().belt().place_at(told.now_us as f64);
        told.longest_stall_us = self.longest_stall_us;
    }
}

/// Holds a line in real time against what the program says of it.
#[derive(Debug)]
pub struct RealJudge {
    judge: Judge,
    zero: HostUs,
    leads: Histogram,
    decisions: Histogram,
    counters: Vec<Counters>,
    /// Records with the time at which they came, host us, until what they are of has surely been told.
    records: VecDeque<(HostUs, Record)>,
    now_us: u64,
}

impl RealJudge {
    /// A judge of a line that runs; `um_s` is its belt's speed.
    #[must_use]
    pub fn new(machine: &Machine, line: &RealLine, um_s: f64) -> Self {
        Self {
            judge: Judge::new(machine, um_s).in_real_time(line.zero()),
            zero: line.zero(),
            leads: Histogram::new(),
            decisions: Histogram::new(),
            counters: Vec::new(),
            records: VecDeque::new(),
            now_us: 0,
        }
    }

    /// The judge of a line whose program keeps its records to itself.
    #[must_use]
    pub fn without_records(mut self) -> Self {
        self.judge = self.judge.without_records();
        self
    }

    /// Takes what has happened on the line. Call it some times a second.
    pub fn gather(&mut self, line: &RealLine) {
        let taken = line.take();
        self.hear(&taken);
    }

    /// Takes what was taken from the line.
    pub fn hear(&mut self, taken: &Taken) {
        self.counters.clone_from(&taken.counters);
        self.now_us = taken.now_us;
        self.judge.hear(&taken.happened, self.now_us);
        let told = now_us() - RECORD_WAITS_US;
        let ready = self.records.partition_point(|(at, _)| *at <= told);
        for (_, record) in self.records.drain(..ready) {
            self.judge.record(&record, self.now_us);
        }
        for order in &taken.orders {
            self.leads.record(order.lead_whole_us());
            if let Some(figures_us) = order.figures_us {
                self.decisions.record(order.at_us.saturating_sub(figures_us));
            }
        }
    }

    /// A record of the program.
    pub fn record(&mut self, record: &Record) {
        self.records.push_back((now_us(), *record));
    }

    /// News of the program's core, with its host time.
    pub fn notice(&mut self, at: HostUs, notice: &Notice) {
        self.judge.notice(notice, at.since(self.zero).max(0).unsigned_abs());
    }

    /// Interruptions that have no record yet.
    #[must_use]
    pub fn open_cases(&self) -> usize {
        self.judge.open_cases()
    }

    /// The figures so far that need no end: pearls at their end, and those in bins.
    #[must_use]
    pub fn progress(&self) -> &Summary {
        self.judge.so_far()
    }

    /// Closes everything. `host` are the counts of the host's ends of the links. What only the program knows (late,
    /// cancelled, allocations, seed) is left for it to fill in.
    #[must_use]
    pub fn finish<'a>(mut self, host: impl Iterator<Item = &'a Counters>) -> (Summary, Vec<String>) {
        for (_, record) in self.records.drain(..) {
            self.judge.record(&record, self.now_us);
        }
        let (mut summary, complaints) = self.judge.finish();
        let mut count = |counters: &Counters| {
            summary.repeats += u64::from(counters.repeats);
            summary.crc_errors += u64::from(counters.crc);
        };
        self.counters.iter().for_each(&mut count);
        host.for_each(count);
        summary.decision_us = DecisionUs::of(&self.decisions);
        summary.lead_ms = LeadMs::of(&self.leads);
        summary.run_s = self.now_us as f64 * 1e-6;
        summary.pearls_per_s = summary.pearls_in as f64 / summary.run_s.max(1e-6);
        (summary, complaints)
    }
}

#[cfg(test)]
mod tests {
    use rt::port::open;

    use super::*;
    use crate::demo::{DemoOptions, machine};
    use crate::faults::FaultPlan;
    use crate::host::{Host, Nobody};
    use crate::nature::Nature;

    /// A program of the plainest sort at the other end of the ports: waits, reads, runs links and core, writes.
    struct Program<'a> {
        host: Host<'a>,
        ports: Vec<std::os::fd::OwnedFd>,
        poller: Poller,
        started: bool,
    }

    impl<'a> Program<'a> {
        fn new(machine: &Machine, line: &RealLine, listener: &'a mut Nobody) -> Self {
            let ports: Vec<_> = line
                .ports()
                .iter()
                .map(|path| open(path).expect("the port is there"))
                .collect();
            let mut poller = Poller::new();
            for port in &ports {
                set_nonblocking(port).expect("a terminal");
                poller.add(port.as_fd(), Interest::Read).expect("room for two");
            }
            Self {
                host: Host::new(machine, 3_000_000, listener),
                ports,
                poller,
                started: false,
            }
        }

        fn round(&mut self, judge: &mut RealJudge) {
            self.poller.wait(Some(2_000)).expect("a wait");
            let now = now_us();
            let mut bytes = [0; BUFFER_BYTES];
            for (n, port) in self.ports.iter().enumerate() {
                let board = BoardId(u8::try_from(n).unwrap());
                while let Transfer::Done(count @ 1..) = read(port, &mut bytes) {
                    self.host.receive(now, board, &bytes[..count]);
                }
                self.host.poll(now);
                let count = self.host.transmit(now, board, &mut bytes[..2_048]);
                assert!(count == 0 || matches!(write(port, &bytes[..count]), Transfer::Done(all) if all == count));
            }
            if !self.started && self.host.is_ready() {
                self.started = true;
                self.host.command(now, line::Command::Start);
            }
            for record in self.host.given().records.drain(..) {
                judge.record(&record);
            }
            for (at, notice) in self.host.given().notices.drain(..) {
                judge.notice(at, &notice);
            }
        }
    }

    #[test]
    fn a_line_behind_ptys_is_sorted_and_judged() {
        let machine = machine(16, DemoOptions::default());
        let options = WorldOptions {
            seed: 1,
            rate: 15.0,
            um_s: 1e6,
            nature: Nature::default(),
            faults: FaultPlan::none(),
            most_pearls: 150,
        };
        let line = RealLine::start(&machine, options, 3_000_000, None).expect("a pty");
        let mut judge = RealJudge::new(&machine, &line, 1e6);
        let mut listener = Nobody;
        let mut program = Program::new(&machine, &line, &mut listener);
        let give_up = now_us() + 20_000_000;
        while !(line.is_done() && judge.progress().pearls_in >= 150 && judge.open_cases() == 0) {
            program.round(&mut judge);
            judge.gather(&line);
            assert!(now_us() < give_up, "{:?}", judge.progress());
        }
        let (summary, complaints) = judge.finish(program.host.wire_counters());
        assert_eq!(summary.complaints(), Vec::<String>::new(), "{complaints:#?}");
        assert_eq!(summary.pearls_in, 150);
        assert_eq!(
            (summary.misrouted_into_bins, summary.upgraded),
            (0, 0),
            "{complaints:#?}"
        );
        assert!(
            summary.binned > 0 && summary.decision_us.p50 > 0 && summary.lead_ms.p50 > 0.0,
            "{summary:#?}"
        );
        line.stop();
    }
}
