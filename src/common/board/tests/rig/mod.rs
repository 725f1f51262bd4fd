//! A board on a belt, with a host at the other end of its link: for the tests of each rule.

#![allow(dead_code, reason = "each test file uses its own part of the rig")]

use board::{Board, Description, Now, Outputs};
use units::{EyeId, OrderId, Tick32, TriggerSeq, ValveId};
use wire::settings::{at_start, canonical, settings_crc};
use wire::{
    Amend, Fault, FaultOf, Fire, FromBoard, Hello, HostEndpoint, Identity, Setting, SettingKey, Status, ToBoard,
};

/// Time between two readings of clock and encoder.
pub(crate) const STEP_US: u64 = 50;
/// A tick a step.
pub(crate) const SPEED: i64 = 20_000;
pub(crate) const BAUD: u32 = 12_000_000;

/// What the board has moved, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    Valve { valve: u8, open: bool, us: u64, tick: i64 },
    Channel { channel: u8, value: u16 },
    Flash { eye: u8, seq: u16, tick: u32 },
}

#[derive(Debug, Default)]
pub(crate) struct Pins {
    pub(crate) moved: Vec<Moved>,
    us: u64,
    tick: i64,
}

impl Outputs for Pins {
    fn valve(&mut self, valve: ValveId, open: bool) {
        self.moved.push(Moved::Valve {
            valve: valve.0,
            open,
            us: self.us,
            tick: self.tick,
        });
    }
    fn channel(&mut self, channel: u8, value: u16) {
        self.moved.push(Moved::Channel { channel, value });
    }
    fn flash(&mut self, eye: EyeId, seq: TriggerSeq, tick: Tick32) {
        self.moved.push(Moved::Flash {
            eye: eye.0,
            seq: seq.0,
            tick: tick.0,
        });
    }
}

/// A report that has come, `Status` and `Samples` apart.
pub(crate) type Report = FromBoard<'static>;

pub(crate) struct Rig {
    pub(crate) board: Board,
    pub(crate) pins: Pins,
    pub(crate) host: HostEndpoint<8>,
    pub(crate) us: u64,
    /// Place of the belt; the encoder shows its low 32 bits.
    pub(crate) tick: i64,
    /// Ticks a second.
    pub(crate) speed: i64,
    fraction: i64,
    pub(crate) identity: Option<Identity>,
    pub(crate) status: Option<Status>,
    pub(crate) statuses: u32,
    pub(crate) reports: Vec<Report>,
    pub(crate) settings: Vec<Setting>,
    pub(crate) feeding: bool,
    fed: u16,
    pub(crate) cut: bool,
}

impl Rig {
    /// A board whose belt runs at [`SPEED`], not connected; `tick` and `us` are where encoder and clock begin.
    pub(crate) fn at(tick: i64, us: u64) -> Self {
        Self::with(Description::standard(7), tick, us)
    }

    pub(crate) fn with(description: Description, tick: i64, us: u64) -> Self {
        let all = canonical(&description.limits).map(|(key, index)| Setting {
            key,
            index,
            value: at_start(key),
        });
        let mut rig = Self {
            board: Board::new(description, BAUD),
            pins: Pins::default(),
            host: HostEndpoint::new(BAUD),
            us,
            tick,
            speed: SPEED,
            fraction: 0,
            identity: None,
            status: None,
            statuses: 0,
            reports: Vec::new(),
            settings: all.collect(),
            feeding: true,
            fed: 0,
            cut: false,
        };
        rig.poll();
        rig
    }

    /// A board that is connected, set and armed. Valves 0 to 3 have no lags, up to 50 ms of air and 2 ms of least
    /// off-time.
    pub(crate) fn armed() -> Self {
        Self::armed_at(1_000, 0)
    }

    pub(crate) fn armed_at(tick: i64, us: u64) -> Self {
        let mut rig = Self::at(tick, us);
        rig.connect(1);
        for valve in 0..4 {
            rig.set(SettingKey::MaxOnUs, valve, 50_000);
            rig.set(SettingKey::MinOffUs, valve, 2_000);
        }
        rig.set(SettingKey::LeastSpeed, 0, 2_000);
        rig.arm();
        rig
    }

    /// Commits what was set, arms, and lets the belt's speed be measured.
    pub(crate) fn arm(&mut self) {
        self.send(ToBoard::Commit);
        self.send(ToBoard::Arm {
            settings_crc: self.crc(),
        });
        self.run_us(100_000);
        let reports = self.take();
        assert!(reports.contains(&FromBoard::Armed), "{reports:?}");
    }

    pub(crate) fn crc(&self) -> u32 {
        settings_crc(self.settings.iter().copied())
    }

    pub(crate) fn connect(&mut self, session: u16) {
        self.identity = None;
        self.host.reset(session);
        self.host
            .connect(&ToBoard::Hello(Hello {
                protocol: wire::PROTOCOL,
                session,
            }))
            .unwrap();
        self.run_us(1_000);
        assert!(self.identity.is_some(), "the board answers");
    }

    pub(crate) fn set(&mut self, key: SettingKey, index: u8, value: u32) {
        self.send(ToBoard::Set(Setting { key, index, value }));
        let known = self
            .settings
            .iter_mut()
            .find(|s| s.key == key && s.index == index)
            .unwrap();
        known.value = value;
    }

    pub(crate) fn send(&mut self, message: ToBoard) {
        self.host.push(&message).unwrap();
        self.host.flush();
        self.exchange();
    }

    pub(crate) fn fire(&mut self, order: u16, valve: u8, on: i64, length: u16) {
        let on = encoder(on);
        self.send(ToBoard::Fire(Fire {
            order: OrderId(order),
            valve: ValveId(valve),
            on,
            length,
        }));
    }

    pub(crate) fn amend(&mut self, order: u16, length: u16) {
        self.send(ToBoard::Amend(Amend {
            order: OrderId(order),
            length,
        }));
    }

    /// Lets time pass, and the belt run.
    pub(crate) fn run_us(&mut self, us: u64) {
        for _ in 0..us.div_ceil(STEP_US) {
            self.us += STEP_US;
            let moved = self.speed * i64::try_from(STEP_US).unwrap() + self.fraction;
            self.tick += moved.div_euclid(1_000_000);
            self.fraction = moved.rem_euclid(1_000_000);
            if self.feeding && self.us % 20_000 < STEP_US {
                self.fed = self.fed.wrapping_add(1);
                let _ = self.host.push(&ToBoard::Feed { count: self.fed });
                self.host.flush();
            }
            self.poll();
        }
    }

    /// Lets the belt run until it stands at `tick`.
    pub(crate) fn run_to(&mut self, tick: i64) {
        while self.tick < tick {
            self.run_us(STEP_US);
        }
    }

    pub(crate) fn poll(&mut self) {
        self.hand_pins();
        self.board.poll(self.now(), &mut self.pins);
        self.exchange();
    }

    pub(crate) fn eye(&mut self, eye: u8, interrupted: bool) {
        self.board
            .eye(EyeId(eye), interrupted, encoder(self.tick), &mut self.pins);
        self.exchange();
    }

    /// Carries bytes both ways until nobody has more to say.
    pub(crate) fn exchange(&mut self) {
        if self.cut {
            return;
        }
        self.hand_pins();
        let mut bytes = [0; 1024];
        loop {
            let len = self.host.poll_transmit(self.us, &mut bytes);
            let now = self.now();
            self.board.receive(now, &bytes[..len], &mut self.pins);
            let back = self.board.transmit(self.us, &mut bytes);
            let (identity, status, reports) = (&mut self.identity, &mut self.status, &mut self.reports);
            let statuses = &mut self.statuses;
            self.host.receive(self.us, &bytes[..back], |message| match message {
                FromBoard::Identity(found) => *identity = Some(found),
                FromBoard::Status(found) => {
                    *status = Some(found);
                    *statuses += 1;
                }
                message => reports.extend(message.detached()),
            });
            if len == 0 && back == 0 {
                return;
            }
        }
    }

    /// The reports since the last call, channels apart.
    pub(crate) fn take(&mut self) -> Vec<Report> {
        let mut reports = std::mem::take(&mut self.reports);
        reports.retain(|report| !matches!(report, FromBoard::Channel { .. }));
        reports
    }

    /// Ticks at which the valve was switched on and off since the last call.
    pub(crate) fn switched(&mut self, valve: u8) -> Vec<(bool, i64)> {
        let of = |moved: &Moved| match *moved {
            Moved::Valve {
                valve: found,
                open,
                tick,
                ..
            } if found == valve => Some((open, tick)),
            _ => None,
        };
        let found = self.pins.moved.iter().filter_map(of).collect();
        self.pins.moved.retain(|moved| of(moved).is_none());
        found
    }

    pub(crate) fn now(&self) -> Now {
        Now {
            us: self.us,
            tick: encoder(self.tick),
        }
    }

    fn hand_pins(&mut self) {
        self.pins.us = self.us;
        self.pins.tick = self.tick;
    }
}

/// What the encoder shows at a place of the belt.
pub(crate) fn encoder(tick: i64) -> Tick32 {
    Tick32(u32::try_from(tick.rem_euclid(1 << 32)).unwrap())
}

pub(crate) fn order_fault(order: u16, fault: Fault) -> Report {
    FromBoard::Fault {
        of: FaultOf::Order(OrderId(order)),
        fault,
    }
}

pub(crate) fn valve_fault(valve: u8, fault: Fault) -> Report {
    FromBoard::Fault {
        of: FaultOf::Valve(ValveId(valve)),
        fault,
    }
}

pub(crate) fn board_fault(fault: Fault) -> Report {
    FromBoard::Fault {
        of: FaultOf::Board,
        fault,
    }
}

pub(crate) fn fired(order: u16, opened: i64, open_us: u32) -> Report {
    FromBoard::Fired {
        order: OrderId(order),
        opened: encoder(opened),
        open_us,
    }
}

pub(crate) fn done(order: u16) -> Report {
    FromBoard::Done { order: OrderId(order) }
}

pub(crate) fn gone(order: u16) -> Report {
    FromBoard::Gone { order: OrderId(order) }
}
