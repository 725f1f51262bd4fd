//! A board in code at the other end of a link, and a line between them that can be cut or damaged.

#![allow(dead_code, reason = "each test file uses its own part of the bench")]

use board::{Board, Description, Now, Outputs};
use devices::{DownReason, HostLink, LinkEvent, LinkPlan, Needs};
use units::{BoardId, EyeId, HostUs, Tick32, TriggerSeq, ValveId};
use wire::{FromBoard, Identity, Setting, SettingKey, ToBoard};

pub(crate) const BAUD: u32 = 1_000_000;
pub(crate) const UID: u64 = 0xB0A2D;
/// Time of one step, in microseconds: the delay of the line too.
pub(crate) const STEP_US: i64 = 500;

/// Valves that do nothing.
#[derive(Debug, Default)]
pub(crate) struct NoPins;

impl Outputs for NoPins {
    fn valve(&mut self, _: ValveId, _: bool) {}
    fn channel(&mut self, _: u8, _: u16) {}
    fn flash(&mut self, _: EyeId, _: TriggerSeq, _: Tick32) {}
}

pub(crate) fn set(key: SettingKey, index: u8, value: u32) -> Setting {
    Setting { key, index, value }
}

pub(crate) fn settings() -> Vec<Setting> {
    let valves = (0..16).map(|valve| set(SettingKey::MaxOnUs, valve, 50_000));
    valves
        .chain([set(SettingKey::EyeKind, 100, 1), set(SettingKey::WatchdogUs, 0, 80_000)])
        .collect()
}

pub(crate) fn plan() -> LinkPlan {
    let needs = Needs {
        valves: 16,
        eyes: 8,
        queue: 200,
        horizon_ticks: 100_000,
        ..Needs::default()
    };
    LinkPlan::new(BoardId(3), UID, BAUD, 100_000, needs, &settings())
}

/// What a link has told, without borrowed bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Told {
    Up,
    Ready { restarted: bool },
    Down(DownReason),
    Armed,
    Disarmed { by_watchdog: bool },
    Channel(u8, u16),
    Trigger(u16),
    Other,
}

pub(crate) fn told(event: LinkEvent<'_>) -> Option<Told> {
    Some(match event {
        LinkEvent::Up { .. } => Told::Up,
        LinkEvent::Ready { restarted, .. } => Told::Ready { restarted },
        LinkEvent::Down { reason } => Told::Down(reason),
        LinkEvent::Message(FromBoard::Status(_)) => return None,
        LinkEvent::Message(FromBoard::Armed) => Told::Armed,
        LinkEvent::Message(FromBoard::Disarmed { by_watchdog }) => Told::Disarmed { by_watchdog },
        LinkEvent::Message(FromBoard::Channel { channel, value }) => Told::Channel(channel, value),
        LinkEvent::Message(FromBoard::Trigger { seq, .. }) => Told::Trigger(seq.0),
        LinkEvent::Message(_) => Told::Other,
    })
}

/// Bytes of one direction on their way.
type Damage = Box<dyn FnMut(&mut Vec<u8>)>;

pub(crate) struct Bench {
    pub(crate) link: HostLink,
    pub(crate) board: Board,
    pub(crate) now: i64,
    /// The board's clock began at this host time.
    pub(crate) board_began: i64,
    pub(crate) told: Vec<Told>,
    pub(crate) identity: Option<Identity>,
    pub(crate) to_board_cut: bool,
    pub(crate) to_host_cut: bool,
    pub(crate) damage: Damage,
    pub(crate) feeding: bool,
    fed: u16,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(Description::standard(UID), plan())
    }

    pub(crate) fn with(description: Description, plan: LinkPlan) -> Self {
        Self {
            link: HostLink::new(plan, 0xFFFE),
            board: Board::new(description, BAUD),
            now: 5_000_000,
            board_began: 0,
            told: Vec::new(),
            identity: None,
            to_board_cut: false,
            to_host_cut: false,
            damage: Box::new(|_| {}),
            feeding: true,
            fed: 0,
        }
    }

    /// A bench whose link is ready.
    pub(crate) fn ready() -> Self {
        let mut bench = Self::new();
        bench.link.open(bench.host_now());
        bench.run_us(100_000);
        assert!(bench.link.is_ready());
        bench.take();
        bench
    }

    /// The board starts anew.
    pub(crate) fn restart_board(&mut self) {
        let description = Description {
            starts: 2,
            ..Description::standard(UID)
        };
        self.board = Board::new(description, BAUD);
        self.board_began = self.now;
    }

    pub(crate) fn host_now(&self) -> HostUs {
        HostUs(self.now)
    }

    pub(crate) fn board_now(&self) -> Now {
        let us = u64::try_from(self.now - self.board_began).unwrap();
        Now {
            us,
            tick: Tick32(u32::try_from(us / 50 % (1 << 32)).unwrap()),
        }
    }

    pub(crate) fn run_us(&mut self, us: i64) {
        let end = self.now + us;
        while self.now < end {
            self.now += STEP_US;
            self.step();
        }
    }

    fn step(&mut self) {
        let (host_now, board_now) = (self.host_now(), self.board_now());
        let mut bytes = [0; 2_048];
        if self.feeding && self.link.is_ready() && self.now % 20_000 < STEP_US {
            self.fed = self.fed.wrapping_add(1);
            let _ = self.link.send(&ToBoard::Feed { count: self.fed });
        }
        let len = self.link.transmit(host_now, &mut bytes);
        let mut to_board = bytes[..len].to_vec();
        (self.damage)(&mut to_board);
        if !self.to_board_cut {
            self.board.receive(board_now, &to_board, &mut NoPins);
        }
        self.board.poll(board_now, &mut NoPins);
        let len = self.board.transmit(board_now.us, &mut bytes);
        let mut to_host = bytes[..len].to_vec();
        (self.damage)(&mut to_host);
        let (told_so_far, identity) = (&mut self.told, &mut self.identity);
        let mut sink = |event: LinkEvent<'_>| {
            if let LinkEvent::Ready { identity: found, .. } = event {
                *identity = Some(found);
            }
            told_so_far.extend(told(event));
        };
        if !self.to_host_cut {
            self.link.receive(host_now, &to_host, &mut sink);
        }
        self.link.poll(host_now, &mut sink);
    }

    /// What was told since the last call, channels apart.
    pub(crate) fn take(&mut self) -> Vec<Told> {
        let mut told = std::mem::take(&mut self.told);
        told.retain(|told| !matches!(told, Told::Channel(..)));
        told
    }
}
