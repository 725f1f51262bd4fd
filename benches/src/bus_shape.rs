//! The hot side's one thread over the field bus: framing, CRC, numbering, acknowledgement and repetition in both
//! directions, a fixed rule in place of tracking, grading and scheduling. What the bus alone costs.

use std::os::fd::{AsFd as _, OwnedFd};

use rt::{
    clock,
    poll::{Interest, Poller, Token, Transfer, read, set_nonblocking, write},
};
use units::{OrderId, Tick32};
use wire::{Fire, FromBoard, Hello, HostEndpoint, Measurement, ToBoard};

use crate::{
    belt::{Belt, LANES, PEARL_TICKS, PTY_BAUD, bin_of, valve_of},
    bus_far_end::BusFarEnd,
    contender::{Conditions, Contender, FarEnd, Trouble},
    floor::{Threads, hot_core, open_claimed_pty, start_thread},
    limits::READ_BYTES,
};

/// Time between two feeds of the board's watchdog, in microseconds.
const FEED_US: u64 = 20_000;
/// Length of a pulse: a pearl, the jet's width and a margin.
const PULSE_TICKS: u16 = 300;
/// Triggers remembered for each eye.
const TRIGGERS: usize = 256;

/// One hot thread that speaks the field bus.
pub struct BusThread;

impl Contender for BusThread {
    fn name(&self) -> &str {
        "one hot thread, field bus"
    }

    fn what(&self) -> &str {
        "the same thread over the field bus: CRC, numbering, acknowledgement, repetition; no tracking, no scheduling"
    }

    fn start(&self, conditions: &Conditions) -> Result<Box<dyn FarEnd>, Trouble> {
        let (pty, host) = open_claimed_pty()?;
        let failed = |source| Trouble::Failed { what: "port", source };
        set_nonblocking(&host).map_err(failed)?;
        let belt = conditions.belt;
        let thread = start_thread("bus-hot", hot_core(), move || {
            // Ends with its port; whatever it saw of that is over with it.
            let _ = Host::new(host, belt).map(|mut host| host.run());
        })?;
        Ok(Box::new(BusFarEnd::new(pty, belt, Box::new(Threads(vec![thread])))?))
    }
}

/// The port is gone.
struct Gone;

struct Host {
    port: OwnedFd,
    poller: Poller,
    token: Token,
    endpoint: HostEndpoint<16>,
    sorter: Sorter,
    buffer: Vec<u8>,
    frames: Vec<u8>,
    unsent: Vec<u8>,
    connected: bool,
    next_us: u64,
    feeds: u16,
}

/// What stands in for the core.
struct Sorter {
    belt: Belt,
    ticks: Vec<[Tick32; TRIGGERS]>,
    order: OrderId,
    orders: Vec<Fire>,
    settings_crc: Option<u32>,
}

impl Sorter {
    fn take(&mut self, message: &FromBoard<'_>) {
        match message {
            FromBoard::Identity(identity) => self.settings_crc = Some(identity.settings_crc),
            FromBoard::Trigger { eye, seq, tick } => {
                if let Some(ticks) = self.ticks.get_mut(eye.index()) {
                    ticks[seq.index() % TRIGGERS] = *tick;
                }
            }
            FromBoard::Measurement(measurement) => self.order(measurement),
            _ => {}
        }
    }

    fn order(&mut self, measurement: &Measurement) {
        let Some(ticks) = self.ticks.get(measurement.eye.index()) else {
            return;
        };
        let bin = bin_of(measurement);
        let middle = ticks[measurement.seq.index() % TRIGGERS].wrapping_plus((PEARL_TICKS / 2).cast_signed());
        #[expect(clippy::cast_possible_truncation, reason = "ticks wrap at 2^32")]
        let jet = self.belt.jet_ticks(bin) as i32;
        self.order = self.order.next();
        self.orders.push(Fire {
            order: self.order,
            valve: valve_of(measurement.eye.0, bin),
            on: middle.wrapping_plus(jet).wrapping_plus(-i32::from(PULSE_TICKS / 2)),
            length: PULSE_TICKS,
        });
    }
}

impl Host {
    fn new(port: OwnedFd, belt: Belt) -> Option<Self> {
        let mut poller = Poller::new();
        let token = poller.add(port.as_fd(), Interest::Read).ok()?;
        let mut endpoint = HostEndpoint::new(PTY_BAUD);
        endpoint.reset(1);
        Some(Self {
            port,
            poller,
            token,
            endpoint,
            sorter: Sorter {
                belt,
                ticks: vec![[Tick32(0); TRIGGERS]; usize::from(LANES)],
                order: OrderId(0),
                orders: Vec::with_capacity(1024),
                settings_crc: None,
            },
            buffer: vec![0; READ_BYTES],
            frames: vec![0; READ_BYTES],
            unsent: Vec::with_capacity(READ_BYTES),
            connected: false,
            next_us: 0,
            feeds: 0,
        })
    }

    fn run(&mut self) -> Result<(), Gone> {
        loop {
            let now_us = clock::now_us().0.unsigned_abs();
            let due_us = self
                .endpoint
                .next_deadline()
                .map_or(self.next_us, |at| at.min(self.next_us));
            self.poller
                .wait(Some(due_us.saturating_sub(now_us)))
                .map_err(|_| Gone)?;
            let now_us = clock::now_us().0.unsigned_abs();
            match read(&self.port, &mut self.buffer) {
                Transfer::Done(count) => {
                    let sorter = &mut self.sorter;
                    self.endpoint
                        .receive(now_us, &self.buffer[..count], |message| sorter.take(&message));
                }
                Transfer::WouldBlock => {}
                Transfer::Closed | Transfer::Failed(_) => return Err(Gone),
            }
            self.keep_up(now_us);
            self.carry(now_us)?;
        }
    }

    /// Connects, arms and feeds when it is time.
    fn keep_up(&mut self, now_us: u64) {
        if let (false, Some(settings_crc)) = (self.connected, self.sorter.settings_crc) {
            self.connected = self.endpoint.push(&ToBoard::Arm { settings_crc }).is_ok();
        }
        if now_us < self.next_us {
            return;
        }
        self.next_us = now_us + FEED_US;
        if self.connected {
            self.feeds = self.feeds.wrapping_add(1);
            // A full window means that the board is being fed by what is in it.
            let _ = self.endpoint.push(&ToBoard::Feed { count: self.feeds });
        } else {
            let hello = Hello {
                protocol: wire::PROTOCOL,
                session: 1,
            };
            // Refused only without a session, and there is one.
            let _ = self.endpoint.connect(&ToBoard::Hello(hello));
        }
    }

    fn carry(&mut self, now_us: u64) -> Result<(), Gone> {
        let fits = |fire: &Fire| self.endpoint.push(&ToBoard::Fire(*fire)).is_ok();
        let pushed = self.sorter.orders.iter().map(fits).take_while(|fits| *fits).count();
        self.sorter.orders.drain(..pushed);
        self.endpoint.flush();
        loop {
            if self.unsent.is_empty() {
                let count = self.endpoint.poll_transmit(now_us, &mut self.frames);
                if count == 0 {
                    self.poller.set_interest(self.token, Interest::Read);
                    return Ok(());
                }
                self.unsent.extend_from_slice(&self.frames[..count]);
            }
            match write(&self.port, &self.unsent) {
                Transfer::Done(count) => drop(self.unsent.drain(..count)),
                Transfer::WouldBlock => {
                    self.poller.set_interest(self.token, Interest::ReadWrite);
                    return Ok(());
                }
                Transfer::Closed | Transfer::Failed(_) => return Err(Gone),
            }
        }
    }
}
