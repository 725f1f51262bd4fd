//! A virtual line whose boards are the firmware, each in an emulator: in real time, for the program behind pseudo-terminals.
//!
//! Cold, with one thread (`qemu-line`). The world runs [`LAG_US`] behind the wall, so that what a board does has been heard
//! of when the world comes to it; the ticks that it shows to boards are those of their encoders all the same, as if the
//! hardware had latched them. At each interruption of an entry eye it waits for the board's flash: only the board knows
//! whether it takes it for one.

use std::collections::VecDeque;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use line::{ChannelPlan, SignalPlan};
use rt::clock::now_us;
use rt::poll::{Interest, Poller};
use sim::OrderSeen;
use sim::demo::Machine;
use sim::faults::{Fault, FaultPlan};
use sim::real_time::Taken;
use sim::world::{Shown, World, WorldOptions};
use stand::{FromStand, ToStand};
use units::{BoardId, EyeId, HostUs, ValveId};
use wire::{FromBoard, Samples, ToBoard};

use super::seat::{Seat, Told};

/// The world is so far behind the wall, us.
const LAG_US: u64 = 5_000;
/// It goes on so far beyond an interruption before it has heard of the flash, us: no pearl is through the eye so soon...
const FLASH_BY_US: u64 = 2_000;
/// ...and after so long on the wall it takes it that the board saw none, us.
const FLASH_GIVEN_UP_US: u64 = 60_000;
/// The thread waits no longer than this, us.
const LONGEST_WAIT_US: u64 = 2_000;
/// Boards must have clock and encoder within this.
const READY: Duration = Duration::from_secs(10);

/// What the thread tells.
#[derive(Debug, Default)]
struct Shared {
    taken: Mutex<Taken>,
    stop: AtomicBool,
    stop_feeding: AtomicBool,
    done: AtomicBool,
    fed: std::sync::atomic::AtomicU64,
    /// Longest by which word of a valve came after the world had passed it, us.
    late_us: std::sync::atomic::AtomicU64,
    stall_us: std::sync::atomic::AtomicU64,
    broken: Mutex<Option<String>>,
}

/// A line that runs; see the module.
#[derive(Debug)]
pub struct QemuLine {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    ports: Vec<PathBuf>,
    zero: HostUs,
}

impl QemuLine {
    /// Faults of a timetable that this rig can't bring about.
    #[must_use]
    pub fn can(fault: &Fault) -> bool {
        !matches!(fault, Fault::ClockSkew { .. } | Fault::ClockStep { .. })
    }

    /// Starts an emulator for each board of the machine, and the line when all of them have clock and encoder.
    ///
    /// # Errors
    /// When the timetable has a fault that this rig can't bring about, or an emulator does not run.
    pub fn start(machine: &Machine, options: WorldOptions, firmware: &Path) -> Result<Self> {
        if let Some(timed) = options.faults.faults.iter().find(|timed| !Self::can(&timed.fault)) {
            bail!("an emulated board's clock can't be disturbed: {:?}", timed.fault);
        }
        let seats = machine
            .plan
            .boards
            .iter()
            .map(|board| Seat::start(firmware, board.uid))
            .collect::<Result<Vec<Seat>>>()?;
        let ports = seats.iter().map(|seat| seat.path().clone()).collect();
        let shared = Arc::new(Shared::default());
        let mut runner = Runner::new(machine, options, seats, Arc::clone(&shared))?;
        runner.ready()?;
        let zero = runner.zero;
        let thread = std::thread::Builder::new()
            .name("qemu-line".to_owned())
            .spawn(move || {
                let shared = Arc::clone(&runner.shared);
                if let Err(error) = runner.run() {
                    *shared.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(format!("{error:#}"));
                }
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

    /// Pearls that the feeder has laid so far.
    #[must_use]
    pub fn fed(&self) -> u64 {
        self.shared.fed.load(Ordering::Relaxed)
    }

    /// The feeder lays no more pearls.
    pub fn stop_feeding(&self) {
        self.shared.stop_feeding.store(true, Ordering::Relaxed);
    }

    /// Whether the feeder has laid all its pearls and none is on the line any more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.shared.done.load(Ordering::Relaxed)
    }

    /// Longest time for which the line's own thread was kept from running, us.
    #[must_use]
    pub fn longest_stall_us(&self) -> u64 {
        self.shared.stall_us.load(Ordering::Relaxed)
    }

    /// Longest by which word of a valve came after the world had passed its time, us: 0 on a rig that keeps up.
    #[must_use]
    pub fn longest_late_us(&self) -> u64 {
        self.shared.late_us.load(Ordering::Relaxed)
    }

    /// Takes what has happened since it was last taken. The boards' own counts are not known here.
    ///
    /// # Errors
    /// When an emulator has ended or started anew by itself.
    pub fn take(&self) -> Result<Taken> {
        let broken = self
            .shared
            .broken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(why) = broken {
            bail!("the emulated line has stopped: {why}");
        }
        let mut taken = Taken::default();
        let mut told = self.shared.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.happened.take_over(&mut told.happened);
        taken.orders.append(&mut told.orders);
        (taken.now_us, taken.place) = (told.now_us, told.place);
        Ok(taken)
    }

    /// Ends the line and its emulators.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A thread that has panicked has said so; its emulators are gone either way.
            let _ended = thread.join();
        }
    }
}

impl Drop for QemuLine {
    fn drop(&mut self) {
        self.end();
    }
}

/// Something that happens to a board from outside, at a time.
#[derive(Clone, Copy, Debug)]
enum Mishap {
    Dark(u8, u64),
    Slip(u8, i32),
    Sense(u8, i8),
    Safety(bool),
}

/// An interruption whose flash has not been heard of.
#[derive(Clone, Copy, Debug)]
struct Awaited {
    board: u8,
    eye: EyeId,
    at_us: u64,
    shown_us: u64,
}

struct Runner {
    world: World,
    seats: Vec<Seat>,
    /// Open valves of each board, a bit each.
    open: Vec<u128>,
    feeder: Option<ChannelPlan>,
    /// The line's other signals; the first is the safety chain.
    signals: Vec<SignalPlan>,
    safe: bool,
    /// By falling time.
    mishaps: Vec<(u64, Mishap)>,
    awaited: Vec<Awaited>,
    /// What boards have done, until the world comes to its time.
    waits: VecDeque<(u8, Told)>,
    orders: Vec<OrderSeen>,
    poller: Poller,
    zero: HostUs,
    /// The world's time, us.
    world_us: u64,
    shared: Arc<Shared>,
}

impl Runner {
    fn new(machine: &Machine, options: WorldOptions, seats: Vec<Seat>, shared: Arc<Shared>) -> Result<Self> {
        let mut poller = Poller::new();
        for port in seats.iter().flat_map(Seat::ports) {
            poller.add(port.as_fd(), Interest::Read).context("the line's ports")?;
        }
        Ok(Self {
            mishaps: mishaps(&options.faults),
            world: World::new(machine, options),
            open: vec![0; seats.len()],
            seats,
            feeder: machine.plan.channels.feeder,
            signals: machine.plan.channels.signals.clone(),
            safe: true,
            awaited: Vec::new(),
            waits: VecDeque::new(),
            orders: Vec::new(),
            poller,
            zero: now_us(),
            world_us: 0,
            shared,
        })
    }

    fn now_us(&self) -> u64 {
        now_us().since(self.zero).max(0).unsigned_abs()
    }

    /// Waits until every board has clock and encoder; time begins then.
    fn ready(&mut self) -> Result<()> {
        let began = Instant::now();
        let mut told = Vec::new();
        while !self.seats.iter().all(Seat::runs) {
            let now_us = self.now_us();
            for seat in &mut self.seats {
                seat.carry(|_| ());
                seat.hear(now_us, &mut told)?;
                seat.is_alive()?;
            }
            if began.elapsed() > READY {
                bail!("an emulated board does not answer within {} s", READY.as_secs());
            }
            // An interrupted wait is a short one.
            let _ready = self.poller.wait(Some(LONGEST_WAIT_US));
        }
        // The line's time begins now.
        let passed_us = self.now_us();
        self.zero = self.zero.plus(i64::try_from(passed_us)?);
        for seat in &mut self.seats {
            seat.begin(passed_us);
        }
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        // Without the right the line runs all the same, a little less evenly.
        let _granted = rt::thread::set_fifo(60);
        let mut due_us = self.now_us();
        self.signals();
        while !self.shared.stop.load(Ordering::Relaxed) {
            let now_us = self.now_us();
            let stall_us = now_us.saturating_sub(due_us);
            self.shared.stall_us.fetch_max(stall_us, Ordering::Relaxed);
            if self.shared.stop_feeding.load(Ordering::Relaxed) {
                self.world.stop_feeding();
            }
            self.exchange(now_us)?;
            self.advance(now_us)?;
            self.tell();
            due_us = (self.world.next_us() + LAG_US).clamp(now_us, now_us + LONGEST_WAIT_US);
            let wait_us = due_us.saturating_sub(self.now_us());
            // An interrupted wait is a short one.
            let _ready = self.poller.wait(Some(wait_us));
        }
        Ok(())
    }

    /// Carries bytes, hears what boards have done, gives them the belt's way.
    fn exchange(&mut self, now_us: u64) -> Result<()> {
        let mut told = Vec::new();
        for n in 0..self.seats.len() {
            let board = BoardId(u8::try_from(n).unwrap_or(u8::MAX));
            let mut messages = Vec::new();
            self.seats[n].carry(|message| messages.push(*message));
            for message in messages {
                self.overhear(board, &message, now_us);
            }
            told.clear();
            self.seats[n].hear(now_us, &mut told)?;
            for told in told.drain(..) {
                self.done(board.0, told);
            }
            self.seats[n].turn(self.world.belt(), now_us);
            self.seats[n].is_alive()?;
        }
        Ok(())
    }

    /// What the host says to a board.
    fn overhear(&mut self, board: BoardId, message: &ToBoard, now_us: u64) {
        match message {
            ToBoard::Feed { .. } => self.world.happened.fed.push((board.0, now_us)),
            ToBoard::Fire(fire) => {
                let place = self.world.belt().place_at(now_us as f64);
                let on = self.seats[board.index()].place_of(fire.on, place);
                let um_s = self.world.belt().um_s_at(now_us as f64);
                let middle = on + 0.5 * f64::from(fire.length);
                self.orders.push(OrderSeen {
                    board,
                    valve: fire.valve,
                    length_ticks: u32::from(fire.length),
                    at_us: now_us,
                    lead_us: self.world.belt().um(on - place) / um_s * 1e6,
                    figures_us: self.world.figures_of(board.0, fire.valve, middle),
                });
            }
            _ => {}
        }
    }

    /// What a board has done.
    fn done(&mut self, board: u8, told: Told) {
        match told.what {
            FromStand::Valve { .. } | FromStand::Output { .. } => self.wait_for(board, told),
            FromStand::Flash { eye, seq, .. } => {
                self.awaited
                    .retain(|awaited| (awaited.board, awaited.eye) != (board, eye));
                self.world.flash(board, eye, seq, self.world_us);
            }
            FromStand::Started { .. } => {
                self.dark(board);
                self.signals();
            }
            FromStand::Pong { .. } | FromStand::Cost(_) => {}
        }
    }

    /// Keeps what a board has done until the world comes to its time; at once, when word of it came too late.
    fn wait_for(&mut self, board: u8, told: Told) {
        let late_us = self.world_us.saturating_sub(told.at_us);
        self.shared.late_us.fetch_max(late_us, Ordering::Relaxed);
        let at_us = told.at_us.max(self.world_us);
        let behind = self.waits.partition_point(|(_, waits)| waits.at_us <= at_us);
        self.waits.insert(behind, (board, Told { at_us, ..told }));
    }

    /// What a board has done takes effect in the world.
    fn take_effect(&mut self, board: u8, told: Told) {
        match told.what {
            FromStand::Valve { valve, open, .. } => self.switch(board, valve, open, told.at_us),
            FromStand::Output { channel, value, .. } => {
                let is_feeder = |at: ChannelPlan| at.board.0 == board && at.channel == channel;
                if self.feeder.is_some_and(is_feeder) {
                    self.world.feeder(value != 0, told.at_us);
                }
            }
            _ => {}
        }
    }

    fn switch(&mut self, board: u8, valve: ValveId, open: bool, at_us: u64) {
        let bit = 1_u128 << valve.0;
        let set = &mut self.open[usize::from(board)];
        *set = if open { *set | bit } else { *set & !bit };
        self.world.valve(board, valve, open, at_us);
    }

    /// A board has no supply: its valves close, its feeder stops.
    fn dark(&mut self, board: u8) {
        let at_us = self.world_us;
        self.waits.retain(|(of, _)| *of != board);
        let open = self.open[usize::from(board)];
        for valve in (0..128).filter(|valve| open >> valve & 1 == 1) {
            self.switch(board, ValveId(valve), false, at_us);
        }
        if self.feeder.is_some_and(|at| at.board.0 == board) {
            self.world.feeder(false, at_us);
        }
    }

    /// Lets everything happen that is due, as far as the world may go.
    fn advance(&mut self, now_us: u64) -> Result<()> {
        self.awaited
            .retain(|awaited| now_us < awaited.shown_us + FLASH_GIVEN_UP_US);
        loop {
            let may_us = self.awaited.iter().map(|awaited| awaited.at_us + FLASH_BY_US).min();
            let to_us = now_us.saturating_sub(LAG_US).min(may_us.unwrap_or(u64::MAX));
            let next_us = self.world.next_us().min(to_us);
            if let Some(&(board, told)) = self.waits.front()
                && told.at_us <= next_us
            {
                self.waits.pop_front();
                self.world_us = self.world_us.max(told.at_us);
                self.take_effect(board, told);
                continue;
            }
            if let Some(&(us, mishap)) = self.mishaps.last()
                && us <= next_us
            {
                self.mishaps.pop();
                self.world_us = self.world_us.max(us);
                self.mishap(mishap, us);
                continue;
            }
            if self.world.next_us() > to_us {
                self.world_us = self.world_us.max(to_us);
                return Ok(());
            }
            self.world_us = self.world_us.max(self.world.next_us());
            if let Some(shown) = self.world.step() {
                self.show(shown, now_us)?;
            }
        }
    }

    fn show(&mut self, shown: Shown, now_us: u64) -> Result<()> {
        match shown {
            Shown::Eye {
                board,
                eye,
                interrupted,
                place,
            } => {
                let seat = &mut self.seats[usize::from(board)];
                if seat.runs() {
                    seat.edge(eye, interrupted, place);
                    if interrupted && self.world.lane_of_entry(board, eye).is_some() {
                        self.awaited.push(Awaited {
                            board,
                            eye,
                            at_us: self.world_us,
                            shown_us: now_us,
                        });
                    }
                }
            }
            Shown::Index { place } => {
                for seat in self.seats.iter_mut().filter(|seat| seat.runs()) {
                    let tick = seat.tick(place);
                    seat.say(&ToStand::Index { tick });
                }
            }
            Shown::Measurement { board, measurement, of } => {
                let seat = &mut self.seats[usize::from(board)];
                if seat.runs() {
                    seat.report(&FromBoard::Measurement(measurement))?;
                    if let Some(of) = of {
                        self.world.figures_sent(of, now_us);
                    }
                }
            }
            Shown::Mass {
                board,
                mut mass,
                places,
                of,
            } => {
                let seat = &mut self.seats[usize::from(board)];
                if seat.runs() {
                    [mass.entered, mass.left] = places.map(|place| seat.tick(place));
                    seat.report(&FromBoard::Mass(mass))?;
                    self.world.figures_sent(of, now_us);
                }
            }
            Shown::Samples {
                board,
                cell,
                first,
                at_us,
                data,
            } => {
                let seat = &mut self.seats[usize::from(board)];
                if seat.runs() {
                    let at = seat.board_time(at_us);
                    let samples = Samples {
                        cell,
                        first,
                        at,
                        data: &data,
                    };
                    seat.report(&FromBoard::Samples(samples))?;
                }
            }
        }
        Ok(())
    }

    fn mishap(&mut self, mishap: Mishap, at_us: u64) {
        match mishap {
            Mishap::Dark(board, dark_us) => {
                self.seats[usize::from(board)].reset(dark_us);
                self.dark(board);
            }
            Mishap::Slip(board, ticks) => self.seats[usize::from(board)].slip(ticks),
            Mishap::Sense(board, sense) => {
                let place = self.world.belt().place_at(at_us as f64);
                self.seats[usize::from(board)].count_in_sense(f64::from(sense), place);
            }
            Mishap::Safety(closed) => {
                self.safe = closed;
                self.signals();
            }
        }
    }

    /// Shows the boards the line's other signals, all of them good but for the safety chain when it is open.
    fn signals(&mut self) {
        for (n, signal) in self.signals.iter().enumerate() {
            let good = signal.least + (signal.most - signal.least) / 2;
            let value = if n > 0 || self.safe { good } else { 0 };
            self.seats[signal.at.board.index()].say(&ToStand::Channel {
                channel: signal.at.channel,
                value,
            });
        }
    }

    fn tell(&mut self) {
        let mut taken = self.shared.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.happened.take_over(&mut self.world.happened);
        taken.orders.append(&mut self.orders);
        taken.now_us = self.world_us;
        taken.place = self.world.belt().place_at(self.world_us as f64);
        self.shared.fed.store(self.world.fed(), Ordering::Relaxed);
        self.shared.done.store(self.world.is_done(), Ordering::Relaxed);
    }
}

/// The timetable of what happens to boards, by falling time.
fn mishaps(faults: &FaultPlan) -> Vec<(u64, Mishap)> {
    let mut mishaps = Vec::new();
    for timed in &faults.faults {
        let mut at = |us, mishap| mishaps.push((us, mishap));
        match timed.fault {
            Fault::BoardReset { board } => {
                at(timed.from_us, Mishap::Dark(board.0, timed.until_us - timed.from_us));
            }
            Fault::EncoderSlip { board, ticks } => at(timed.from_us, Mishap::Slip(board.0, ticks)),
            Fault::EncoderStop { board } => {
                at(timed.from_us, Mishap::Sense(board.0, 0));
                at(timed.until_us, Mishap::Sense(board.0, 1));
            }
            Fault::EncoderReverse { board } => {
                at(timed.from_us, Mishap::Sense(board.0, -1));
                at(timed.until_us, Mishap::Sense(board.0, 1));
            }
            Fault::SafetyOpen => {
                at(timed.from_us, Mishap::Safety(false));
                at(timed.until_us, Mishap::Safety(true));
            }
            _ => {}
        }
    }
    mishaps.sort_by_key(|(us, _)| core::cmp::Reverse(*us));
    mishaps
}
