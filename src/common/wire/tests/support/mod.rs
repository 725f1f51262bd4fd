//! A serial line in virtual time with the faults of a real one, and messages to send over it. For tests and examples.
#![allow(dead_code, reason = "each test uses its part")]

pub(crate) mod describe;
pub(crate) mod file;

use std::collections::VecDeque;

use units::{BoardUs32, EyeId, OrderId, Tick32, TriggerSeq, ValveId};
use wire::{
    Amend, Fault, FaultOf, Fire, FromBoard, Mass, MassStatus, Measurement, Samples, Status, ToBoard, ViewStatus,
};

/// Random numbers from a seed (SplitMix64).
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// Whether something that happens `per_million` times in a million happens now.
    pub(crate) fn happens(&mut self, per_million: u32) -> bool {
        self.below(1_000_000) < u64::from(per_million)
    }
}

/// How often what goes wrong, in a million bytes, and the line's delay.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    pub(crate) drop: u32,
    pub(crate) double: u32,
    pub(crate) flip: u32,
    /// Two bytes change places.
    pub(crate) swap: u32,
    /// The line stops for up to `stall_us`.
    pub(crate) stall: u32,
    pub(crate) stall_us: u64,
    pub(crate) latency_us: u64,
    /// Bytes come in pieces up to so late; their order stays.
    pub(crate) jitter_us: u64,
    /// Nothing comes through from and until these times.
    pub(crate) gone_us: Option<(u64, u64)>,
}

/// One direction of a line.
pub(crate) struct Line {
    byte_ns: u64,
    free_ns: u64,
    last_us: u64,
    on_the_way: VecDeque<(u64, u8)>,
    faults: Faults,
    rng: Rng,
}

impl Line {
    pub(crate) fn new(baud: u64, faults: Faults, seed: u64) -> Self {
        let byte_ns = 10_000_000_000 / baud;
        Self {
            byte_ns,
            free_ns: 0,
            last_us: 0,
            on_the_way: VecDeque::new(),
            faults,
            rng: Rng(seed),
        }
    }

    /// Whether the driver takes more: it buffers half a millisecond.
    pub(crate) fn has_room(&self, now_us: u64) -> bool {
        self.free_ns <= (now_us + 500) * 1_000
    }

    /// When it has room again.
    pub(crate) fn room_at_us(&self) -> u64 {
        (self.free_ns / 1_000).saturating_sub(499)
    }

    pub(crate) fn send(&mut self, now_us: u64, bytes: &[u8]) {
        let faults = self.faults;
        self.free_ns = self.free_ns.max(now_us * 1_000);
        let late_us = self.rng.below(faults.jitter_us + 1);
        for &byte in bytes {
            self.free_ns += self.byte_ns;
            if self.rng.happens(faults.stall) {
                self.free_ns += 1_000 * self.rng.below(faults.stall_us + 1);
            }
            let at_us = self
                .last_us
                .max(self.free_ns.div_ceil(1_000) + faults.latency_us + late_us);
            self.last_us = at_us;
            let gone = faults
                .gone_us
                .is_some_and(|(from_us, until_us)| (from_us..until_us).contains(&at_us));
            if gone || self.rng.happens(faults.drop) {
                continue;
            }
            let flip = if self.rng.happens(faults.flip) {
                1u8 << self.rng.below(8)
            } else {
                0
            };
            self.on_the_way.push_back((at_us, byte ^ flip));
            if self.rng.happens(faults.double) {
                self.on_the_way.push_back((at_us, byte));
            }
            let n = self.on_the_way.len();
            if n >= 2 && self.rng.happens(faults.swap) {
                let (a, b) = (self.on_the_way[n - 2].1, self.on_the_way[n - 1].1);
                (self.on_the_way[n - 2].1, self.on_the_way[n - 1].1) = (b, a);
            }
        }
    }

    pub(crate) fn next_us(&self) -> Option<u64> {
        self.on_the_way.front().map(|(at_us, _)| *at_us)
    }

    /// Bytes that have come by now.
    pub(crate) fn arrived(&mut self, now_us: u64, into: &mut Vec<u8>) {
        into.clear();
        let count = self.on_the_way.partition_point(|(at_us, _)| *at_us <= now_us);
        into.extend(self.on_the_way.drain(..count).map(|(_, byte)| byte));
    }
}

/// The fire order of number `i` on a dense line: 16 lanes of 15 pearls a second at 1 m/s and 20,000 ticks a metre, eight
/// bins 120 mm apart. Orders come in the order of decision, so the jets' distances make the ticks jump.
pub(crate) fn dense_fire(i: u64, rng: &mut Rng) -> Fire {
    let lane = rng.below(16);
    let bin = rng.below(8);
    let decided = i * 20_000 / 240 + rng.below(80);
    Fire {
        order: OrderId(i as u16),
        valve: ValveId((lane * 8 + bin) as u8),
        on: Tick32((3_000_000_000 + decided + 8_000 + bin * 2_400) as u32),
        // 12 mm of blowing, with the pearls' sizes.
        length: (220 + rng.below(60)) as u16,
    }
}

/// Message of number `i` to the board: of every numbered kind, each unlike its neighbours.
pub(crate) fn to_board(i: u64) -> ToBoard {
    let mut rng = Rng(i);
    match rng.below(12) {
        0 => ToBoard::Feed { count: i as u16 },
        1 => ToBoard::Amend(Amend {
            order: OrderId(rng.next() as u16),
            length: rng.next() as u16,
        }),
        2 => ToBoard::Output {
            channel: i as u8,
            value: rng.next() as u16,
        },
        3 => ToBoard::Arm {
            settings_crc: rng.next() as u32,
        },
        4 => ToBoard::Pulse {
            valve: ValveId(i as u8),
            us: rng.next() as u16,
        },
        _ => ToBoard::Fire(dense_fire(i, &mut rng)),
    }
}

/// A good measurement, with figures from `seed`.
pub(crate) fn measurement(seed: u64) -> Measurement {
    let mut rng = Rng(seed);
    let mut word = || rng.next() as u16;
    Measurement {
        eye: EyeId(word() as u8),
        seq: TriggerSeq(word()),
        status: ViewStatus::Good,
        in_view: 1,
        d_max_um: word(),
        d_mid_um: word(),
        d_min_um: word(),
        u_diameter_um: word(),
        u_ddp: word(),
        residual_um: word(),
        taper: word(),
        lab_l: word(),
        lab_a: word().cast_signed(),
        lab_b: word().cast_signed(),
        u_lab: word(),
        overtone_a: word().cast_signed(),
        overtone_b: word().cast_signed(),
        lustre: word(),
        u_lustre: word(),
        blemishes: word() as u8,
        blemish_area: word(),
        u_blemish_area: word(),
        nacre_um: if seed.is_multiple_of(2) { Some(word()) } else { None },
    }
}

/// Message of number `i` from the board, `data` lending the samples' bytes.
pub(crate) fn from_board(i: u64, data: &[u8]) -> FromBoard<'_> {
    let mut rng = Rng(i);
    let tick = Tick32((i * 7 + rng.below(1_000)) as u32);
    let (eye, seq) = (EyeId(rng.below(64) as u8), TriggerSeq(i as u16));
    match rng.below(11) {
        0 => FromBoard::Trigger { eye, seq, tick },
        1 => FromBoard::Passed { eye, seq, tick },
        2 => FromBoard::Landed { eye, seq, tick },
        3 => FromBoard::Measurement(measurement(i)),
        4 => FromBoard::Fired {
            order: OrderId(i as u16),
            opened: tick,
            open_us: rng.next() as u32 >> 18,
        },
        5 => FromBoard::Late {
            order: OrderId(i as u16),
            tick,
        },
        6 => FromBoard::Fault {
            of: FaultOf::Order(OrderId(i as u16)),
            fault: Fault::Coil,
        },
        7 => FromBoard::Mass(Mass {
            cell: eye.0,
            number: seq.0,
            entered: tick,
            left: tick.wrapping_plus(900),
            status: MassStatus::Good,
            mass_ug: 485_000,
            u_mass_ug: 2_100,
        }),
        8 => FromBoard::Samples(Samples {
            cell: 1,
            first: i as u32,
            at: BoardUs32(i as u32),
            data: &data[..3 * (1 + rng.below(wire::limits::SAMPLES_MAX as u64) as usize)],
        }),
        9 => FromBoard::Channel {
            channel: eye.0,
            value: seq.0,
        },
        _ => FromBoard::Status(Status {
            at: BoardUs32(i as u32),
            tick,
            fed: seq.0,
            queued: 3,
            armed: i.is_multiple_of(2),
            blowing: i.is_multiple_of(3),
            dropped: 0,
        }),
    }
}
