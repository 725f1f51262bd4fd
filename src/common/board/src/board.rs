//! The whole board: its controls behind the field bus.
//!
//! Any thread. Whoever runs it (a microcontroller's main loop, the simulator) brings bytes, edges and the moment, carries
//! bytes away, and calls [`Board::poll`] at least at [`Board::next_deadline_us`] and [`Board::next_match_tick`].

use units::{EyeId, Tick32, ValveId};
use wire::{BoardEndpoint, Counters, Fault, FaultOf, FromBoard, Mass, Measurement, PushError, Samples, ToBoard};

use crate::belt::Now;
use crate::controls::Controls;
use crate::description::Description;
use crate::limits::{RECEIVE_CHUNK, WINDOW};
use crate::outputs::Outputs;

/// A field board.
#[derive(Debug)]
pub struct Board {
    controls: Controls,
    endpoint: BoardEndpoint<WINDOW>,
}

impl Board {
    /// A board that has just started: no connection, everything closed, settings as [`wire::settings::at_start`] has
    /// them. `baud` is the speed of its line.
    ///
    /// # Panics
    /// When the description claims more than [`crate::limits`] allow.
    #[must_use]
    pub fn new(description: Description, baud: u32) -> Self {
        let mut board = Self::blank(baud);
        board.start(&description);
        board
    }

    /// A board that has nothing yet and so does nothing: for a `static`, because a microcontroller's stack has no room to
    /// hand a board about. [`Self::start`] makes it what [`Self::new`] gives.
    #[must_use]
    pub const fn blank(baud: u32) -> Self {
        Self {
            controls: Controls::blank(),
            endpoint: BoardEndpoint::new(baud),
        }
    }

    /// Makes a blank board what it is; once, before anything else.
    ///
    /// # Panics
    /// When the description claims more than [`crate::limits`] allow.
    pub fn start(&mut self, description: &Description) {
        self.controls.start(description);
    }

    /// Takes bytes from the line, and does what they say.
    pub fn receive(&mut self, now: Now, bytes: &[u8], outputs: &mut impl Outputs) {
        self.controls.advance(now, outputs);
        // In pieces, so that the answers to one piece are on their way before the next makes more.
        for piece in bytes.chunks(RECEIVE_CHUNK) {
            let mut hello = None;
            let controls = &mut self.controls;
            self.endpoint.receive(now.us, piece, |message| match message {
                ToBoard::Hello(asked) => hello = Some(asked),
                message => controls.obey(&message, outputs),
            });
            if let Some(hello) = hello {
                self.connect(hello.session, outputs);
            }
            self.carry();
        }
    }

    /// Writes the bytes that are to go out now into `out` and gives their number: whole frames, so `out` has room for
    /// [`wire::ENCODED_MAX`] and one more at least.
    pub fn transmit(&mut self, now_us: u64, out: &mut [u8]) -> usize {
        self.endpoint.poll_transmit(now_us, out)
    }

    /// Takes a reading of clock and encoder and does what is due: compare-matches, guards, watchdog, status.
    pub fn poll(&mut self, now: Now, outputs: &mut impl Outputs) {
        self.controls.advance(now, outputs);
        self.carry();
    }

    /// Takes an edge of an eye with the tick that the hardware latched at it.
    pub fn eye(&mut self, eye: EyeId, interrupted: bool, tick: Tick32, outputs: &mut impl Outputs) {
        self.controls.eye(eye, interrupted, tick, outputs);
        self.carry();
    }

    /// Takes the encoder's index pulse with the tick latched at it.
    pub fn index(&mut self, tick: Tick32) {
        self.report(FromBoard::Index { tick });
    }

    /// Takes the value of an input channel.
    pub fn channel_input(&mut self, channel: u8, value: u16) {
        self.controls.channel_input(channel, value);
        self.carry();
    }

    /// The valve's coil draws no current or too much.
    pub fn coil_fault(&mut self, valve: ValveId) {
        self.report(FromBoard::Fault {
            of: FaultOf::Valve(valve),
            fault: Fault::Coil,
        });
    }

    /// Passes on what the camera of an entry eye has measured.
    pub fn measurement(&mut self, measurement: &Measurement) {
        self.report(FromBoard::Measurement(*measurement));
    }

    /// Passes on what a cell that weighs itself has weighed.
    pub fn mass(&mut self, mass: &Mass) {
        self.report(FromBoard::Mass(*mass));
    }

    /// Passes on samples of a weigh cell; dropped and counted when the window is full.
    pub fn samples(&mut self, samples: &Samples<'_>) {
        if self.endpoint.push(&FromBoard::Samples(*samples)).is_err() {
            self.controls.outbox.count_dropped();
        }
        self.endpoint.flush();
    }

    /// Time at which [`Self::poll`] or [`Self::transmit`] next has something to do; at once when it lies in the past.
    #[must_use]
    pub fn next_deadline_us(&self) -> Option<u64> {
        [self.controls.next_deadline_us(), self.endpoint.next_deadline()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Tick at which [`Self::poll`] next has something to do, as far as the belt's present speed tells.
    #[must_use]
    pub fn next_match_tick(&self) -> Option<Tick32> {
        self.controls.next_match_tick()
    }

    /// Whether valves may fire.
    #[must_use]
    pub const fn is_armed(&self) -> bool {
        self.controls.is_armed()
    }

    /// The session of the connection; 0 before the first.
    #[must_use]
    pub const fn session(&self) -> u16 {
        self.endpoint.session()
    }

    /// What its end of the link has counted.
    #[must_use]
    pub const fn counters(&self) -> &Counters {
        self.endpoint.counters()
    }

    /// Answers `Hello`; one of another session than the present begins it.
    fn connect(&mut self, session: u16, outputs: &mut impl Outputs) {
        if session != self.endpoint.session() {
            self.endpoint.reset(session);
            self.controls.connect(outputs);
        }
        let identity = FromBoard::Identity(self.controls.identity());
        if self.endpoint.connect(&identity).is_err() {
            self.controls.outbox.count_dropped();
        }
    }

    fn report(&mut self, report: FromBoard<'static>) {
        self.controls.outbox.push(report);
        self.carry();
    }

    /// Hands reports to the link as far as its window has room; what has none waits in the outbox.
    fn carry(&mut self) {
        if !self.controls.has_reports() || self.endpoint.session() == 0 {
            return;
        }
        while let Some(report) = self.controls.outbox.front() {
            match self.endpoint.push(report) {
                Ok(()) => self.controls.outbox.pop(),
                Err(PushError::Full) => return,
                Err(PushError::Invalid) => {
                    self.controls.outbox.pop();
                    self.controls.outbox.count_dropped();
                }
            }
        }
        while let Some(report) = self.controls.channels().report() {
            if self.endpoint.push(&report).is_err() {
                break;
            }
            self.controls.channels().reported();
        }
        self.endpoint.flush();
    }
}
