//! World and boards together: what hangs on the other end of the links. Both depths of the simulator run this.
//!
//! Any thread; no clock. Times are in microseconds of the run and never run backwards. Everything due until the time given
//! happens at its own time, in order, however late the caller is: as a board's hardware would have it.

use line::{ChannelPlan, SignalPlan};
use units::{BoardId, BoardUs32, LaneId};
use wire::{Counters, Samples, Setting, SettingKey, ToBoard};

use crate::demo::Machine;
use crate::faults::{Fault, FaultPlan};
use crate::field::{Done, Field, Hands};
use crate::tap::{OrderSeen, Tap};
use crate::truth::{Edge, Happened};
use crate::world::{Shown, World, WorldOptions};

/// Something that happens to a board from outside, at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mishap {
    Dark(u8),
    Restart(u8),
    Slip(u8, i32),
    /// Ticks counted a tick of the belt.
    Sense(u8, i8),
    /// The clock jumps by so many us, and runs fast by so many millionths more.
    Clock(u8, i32, i32),
    Safety(bool),
}

/// See the module.
#[derive(Debug)]
pub struct Rig {
    world: World,
    fields: Vec<Field>,
    taps: Vec<Tap>,
    done: Vec<Done>,
    feeder: Option<ChannelPlan>,
    /// The line's other signals; the first is the safety chain.
    signals: Vec<SignalPlan>,
    /// By falling time.
    mishaps: Vec<(u64, Mishap)>,
    /// Pearls whose figures wait to go out, by board.
    figures: Vec<Vec<(LaneId, u64)>>,
    orders: Vec<OrderSeen>,
    /// Eyes confirm at once, so that an edge of one makes a report and plans nothing.
    eyes_confirm_at_once: bool,
    now_us: u64,
}

impl Rig {
    /// World and boards at time 0; the links run at `baud`.
    #[must_use]
    pub fn new(machine: &Machine, options: WorldOptions, baud: u32) -> Self {
        let mishaps = mishaps(&options.faults);
        let boards = machine.plan.boards.len();
        let field =
            |(n, plan): (usize, &line::BoardPlan)| Field::new(u8::try_from(n).unwrap_or(u8::MAX), plan.uid, baud);
        let mut rig = Self {
            world: World::new(machine, options),
            fields: machine.plan.boards.iter().enumerate().map(field).collect(),
            taps: (0..boards).map(|_| Tap::new()).collect(),
            done: Vec::with_capacity(64),
            feeder: machine.plan.channels.feeder,
            signals: machine.plan.channels.signals.clone(),
            mishaps,
            figures: vec![Vec::with_capacity(64); boards],
            orders: Vec::with_capacity(64),
            eyes_confirm_at_once: !machine.settings.iter().flatten().any(confirms_later),
            now_us: 0,
        };
        rig.safety(true);
        rig
    }

    /// When something is next due, us.
    #[must_use]
    pub fn next_us(&self) -> u64 {
        let boards = self
            .fields
            .iter()
            .filter(|field| !field.dark)
            .map(|field| field.wake_us);
        let mishap = self.mishaps.last().map(|(us, _)| *us);
        boards.chain(mishap).min().unwrap_or(u64::MAX).min(self.world.next_us())
    }

    /// Lets everything happen that is due until `to_us`.
    pub fn advance(&mut self, to_us: u64) {
        loop {
            let mut next_us = self.world.next_us();
            let mut of = None;
            for (n, field) in self.fields.iter().enumerate() {
                if field.wake_us < next_us && !field.dark {
                    next_us = field.wake_us;
                    of = Some(n);
                }
            }
            if let Some(&(us, mishap)) = self.mishaps.last()
                && us <= next_us.min(to_us)
            {
                self.mishaps.pop();
                self.now_us = us;
                self.mishap(mishap);
                continue;
            }
            if next_us > to_us {
                break;
            }
            self.now_us = next_us.max(self.now_us);
            match of {
                Some(n) => self.poll(n),
                None => self.step_world(),
            }
        }
        self.now_us = self.now_us.max(to_us);
    }

    /// Bytes come from the host to a board, now.
    pub fn receive(&mut self, board: BoardId, bytes: &[u8]) {
        let n = board.index();
        if self.fields[n].dark {
            return;
        }
        let field = &mut self.fields[n];
        let now = field.now(self.now_us, self.world.belt());
        self.taps[n].look(bytes, |message| {
            if let ToBoard::Feed { .. } = message {
                self.world.happened.fed.push((board.0, self.now_us));
            }
            if let ToBoard::Fire(fire) = message {
                let place = self.world.belt().place_at(self.now_us as f64);
                let on = field.place_of(fire.on, place);
                let um_s = self.world.belt().um_s_at(self.now_us as f64);
                let lead_us = self.world.belt().um(on - place) / um_s * 1e6;
                let middle = on + 0.5 * f64::from(fire.length);
                let figures_us = self.world.figures_of(board.0, fire.valve, middle);
                self.orders.push(OrderSeen {
                    board,
                    valve: fire.valve,
                    length_ticks: fire.length.into(),
                    at_us: self.now_us,
                    lead_us,
                    figures_us,
                });
            }
        });
        field.board.receive(now, bytes, &mut Hands(&mut self.done));
        self.settle(n, false);
    }

    /// Since when a board has bytes to send, us of the run.
    #[must_use]
    pub fn wants_line_us(&self, board: BoardId) -> Option<u64> {
        let field = &self.fields[board.index()];
        field.wants_line_us.filter(|_| !field.dark)
    }

    /// Writes the bytes that a board sends now into `out` and gives their number.
    pub fn transmit(&mut self, board: BoardId, out: &mut [u8]) -> usize {
        let n = board.index();
        let field = &mut self.fields[n];
        if field.dark {
            return 0;
        }
        let bytes = field.board.transmit(field.clock(self.now_us), out);
        field.wants_line_us = None;
        field.plan(self.now_us, self.world.belt(), true);
        if bytes > 0 {
            for of in self.figures[n].drain(..) {
                self.world.figures_sent(of, self.now_us);
            }
        }
        bytes
    }

    /// The time up to which everything has happened, us.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.now_us
    }

    /// The world.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The world, to take what has happened.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// Orders that have come to boards since they were last taken; whoever looks at them clears them.
    pub fn orders(&mut self) -> &mut Vec<OrderSeen> {
        &mut self.orders
    }

    /// What has happened, and the orders that have come to boards, since either was last taken.
    #[must_use]
    pub fn news(&self) -> (&Happened, &[OrderSeen]) {
        (&self.world.happened, &self.orders)
    }

    /// What a board's end of its link has counted since the board last started.
    #[must_use]
    pub fn counters(&self, board: BoardId) -> &Counters {
        self.fields[board.index()].board.counters()
    }

    /// Whether a board's valves may fire.
    #[must_use]
    pub fn is_armed(&self, board: BoardId) -> bool {
        let field = &self.fields[board.index()];
        !field.dark && field.board.is_armed()
    }

    fn step_world(&mut self) {
        let Some(shown) = self.world.step() else { return };
        match shown {
            Shown::Eye {
                board,
                eye,
                interrupted,
                place,
            } => {
                let n = usize::from(board);
                self.world.happened.edges.push(Edge {
                    board,
                    eye: eye.0,
                    interrupted,
                    at_us: self.now_us,
                });
                let field = &mut self.fields[n];
                if !field.dark {
                    let tick = field.tick(place);
                    field.board.eye(eye, interrupted, tick, &mut Hands(&mut self.done));
                    self.report(n);
                }
            }
            Shown::Index { place } => {
                for n in 0..self.fields.len() {
                    let field = &mut self.fields[n];
                    if !field.dark {
                        let tick = field.tick(place);
                        field.board.index(tick);
                        self.report(n);
                    }
                }
            }
            Shown::Measurement { board, measurement, of } => {
                let n = usize::from(board);
                if !self.fields[n].dark {
                    self.fields[n].board.measurement(&measurement);
                    self.figures[n].extend(of);
                    self.report(n);
                }
            }
            Shown::Mass {
                board,
                mut mass,
                places,
                of,
            } => {
                let n = usize::from(board);
                let field = &mut self.fields[n];
                if !field.dark {
                    [mass.entered, mass.left] = places.map(|place| field.tick(place));
                    field.board.mass(&mass);
                    self.figures[n].push(of);
                    self.report(n);
                }
            }
            Shown::Samples {
                board,
                cell,
                first,
                at_us,
                data,
            } => self.stream(usize::from(board), cell, (first, at_us), &data),
        }
    }

    /// Samples of a cell come to its board, which passes them on once it has a connection.
    fn stream(&mut self, n: usize, cell: u8, (first, at_us): (u32, u64), data: &[u8]) {
        let field = &mut self.fields[n];
        if field.dark || field.board.session() == 0 {
            return;
        }
        #[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are wanted")]
        let at = BoardUs32(field.clock(at_us) as u32);
        field.board.samples(&Samples { cell, first, at, data });
        self.report(n);
    }

    /// A board has been told something that it will report: it wants the line, and nothing else has changed.
    fn report(&mut self, n: usize) {
        if self.eyes_confirm_at_once && self.fields[n].board.session() != 0 {
            self.carry_out(n);
            self.fields[n].want_line(self.now_us);
        } else {
            self.settle(n, false);
        }
    }

    fn poll(&mut self, n: usize) {
        let field = &mut self.fields[n];
        let now = field.now(self.now_us, self.world.belt());
        field.board.poll(now, &mut Hands(&mut self.done));
        self.settle(n, true);
        // What could not be done at its time is tried again a moment later, never at the same.
        let field = &mut self.fields[n];
        field.wake_us = field.wake_us.max(self.now_us + 1);
    }

    /// Carries out what a board has done, and works out when it next wants to be looked at.
    fn settle(&mut self, n: usize, polled: bool) {
        self.carry_out(n);
        self.fields[n].plan(self.now_us, self.world.belt(), polled);
    }

    fn carry_out(&mut self, n: usize) {
        let board = u8::try_from(n).unwrap_or(u8::MAX);
        for done in self.done.drain(..) {
            match done {
                Done::Valve { valve, open } => {
                    let bit = 1_u128 << valve.0;
                    let field = &mut self.fields[n];
                    field.open = if open { field.open | bit } else { field.open & !bit };
                    self.world.valve(board, valve, open, self.now_us);
                }
                Done::Channel { channel, value } => {
                    if self
                        .feeder
                        .is_some_and(|at| at.board.0 == board && at.channel == channel)
                    {
                        self.world.feeder(value != 0, self.now_us);
                    }
                }
                Done::Flash { eye, seq } => self.world.flash(board, eye, seq, self.now_us),
            }
        }
    }

    fn mishap(&mut self, mishap: Mishap) {
        match mishap {
            Mishap::Dark(board) => {
                let n = usize::from(board);
                let open = core::mem::take(&mut self.fields[n].open);
                self.fields[n].dark = true;
                self.figures[n].clear();
                for valve in (0..128).filter(|valve| open >> valve & 1 == 1) {
                    self.world.valve(board, units::ValveId(valve), false, self.now_us);
                }
                if self.feeder.is_some_and(|at| at.board.0 == board) {
                    self.world.feeder(false, self.now_us);
                }
            }
            Mishap::Restart(board) => {
                self.fields[usize::from(board)].restart(self.now_us);
                self.poll(usize::from(board));
                self.safety(true);
            }
            Mishap::Slip(board, ticks) => {
                self.fields[usize::from(board)].slip(ticks);
                self.poll(usize::from(board));
            }
            Mishap::Sense(board, sense) => {
                let place = self.world.belt().place_at(self.now_us as f64);
                self.fields[usize::from(board)].count_in_sense(f64::from(sense), place);
                self.poll(usize::from(board));
            }
            Mishap::Clock(board, step_us, more_ppm) => {
                self.fields[usize::from(board)].set_clock(self.now_us, step_us, more_ppm);
                self.poll(usize::from(board));
            }
            Mishap::Safety(closed) => self.safety(closed),
        }
    }

    /// Shows the boards the line's other signals, all of them good but for the first, the safety chain, when it is open.
    fn safety(&mut self, closed: bool) {
        for n in 0..self.signals.len() {
            let signal = self.signals[n];
            let good = signal.least + (signal.most - signal.least) / 2;
            let value = if n > 0 || closed { good } else { 0 };
            let board = signal.at.board.index();
            self.fields[board].board.channel_input(signal.at.channel, value);
            self.settle(board, false);
        }
    }
}

fn confirms_later(setting: &Setting) -> bool {
    setting.key == SettingKey::LeastTicks && setting.value > 0
}

/// The timetable of what happens to boards, by falling time.
fn mishaps(faults: &FaultPlan) -> Vec<(u64, Mishap)> {
    let mut mishaps = Vec::new();
    for timed in &faults.faults {
        match timed.fault {
            Fault::BoardReset { board } => {
                mishaps.push((timed.from_us, Mishap::Dark(board.0)));
                mishaps.push((timed.until_us, Mishap::Restart(board.0)));
            }
            Fault::EncoderSlip { board, ticks } => mishaps.push((timed.from_us, Mishap::Slip(board.0, ticks))),
            Fault::EncoderStop { board } => {
                mishaps.push((timed.from_us, Mishap::Sense(board.0, 0)));
                mishaps.push((timed.until_us, Mishap::Sense(board.0, 1)));
            }
            Fault::EncoderReverse { board } => {
                mishaps.push((timed.from_us, Mishap::Sense(board.0, -1)));
                mishaps.push((timed.until_us, Mishap::Sense(board.0, 1)));
            }
            Fault::ClockStep { board, us } => mishaps.push((timed.from_us, Mishap::Clock(board.0, us, 0))),
            Fault::ClockSkew { board, ppm } => {
                mishaps.push((timed.from_us, Mishap::Clock(board.0, 0, ppm)));
                mishaps.push((timed.until_us, Mishap::Clock(board.0, 0, -ppm)));
            }
            Fault::SafetyOpen => {
                mishaps.push((timed.from_us, Mishap::Safety(false)));
                mishaps.push((timed.until_us, Mishap::Safety(true)));
            }
            _ => {}
        }
    }
    mishaps.sort_by_key(|(us, _)| core::cmp::Reverse(*us));
    mishaps
}
