//! What the worst fire order costs: the board's own code is driven as by a host, in a session of its own, with its queue
//! at the fullest, and SysTick counts the cycles. In an emulator that counts instructions as time these are instructions.
//!
//! Ends the connection that was.

use board::limits::{MAX_QUEUE, NUMBER_LISTS};
use board::{Board, Now};
use stand::{Cost, FromStand};
use units::{OrderId, Tick32, ValveId};
use wire::settings::{at_start, canonical, settings_crc};
use wire::{ENCODED_MAX, Fire, FrameWriter, Header, Hello, Kind, PROTOCOL, Setting, SettingKey, ToBoard};

use crate::hardware;
use crate::machine::Machine;

/// The session of the measurement.
const SESSION: u16 = 0xC057;
/// Orders in the standard board's queue.
const QUEUE: u16 = MAX_QUEUE as u16;
/// Orders whose numbers differ by this share a list of the queue's.
const SAME_LIST: u16 = NUMBER_LISTS as u16;
/// Ticks ahead of the belt of the first order.
const AHEAD: u32 = 10_000;

/// A host that only speaks.
struct Host<'a> {
    board: &'a mut Board,
    machine: &'a mut Machine,
    now: Now,
    seq: u8,
}

impl Host<'_> {
    /// Sends messages in a frame; gives the cycles that the board took for it.
    fn send(&mut self, messages: &[ToBoard]) -> u32 {
        let kind = match messages {
            [ToBoard::Hello(_)] => Kind::Connect,
            _ => Kind::Data,
        };
        let mut frame = FrameWriter::new(Header {
            version: PROTOCOL,
            kind,
            session: SESSION,
            seq: if kind == Kind::Data { self.seq } else { 0 },
            ack: 0,
        });
        for message in messages {
            assert!(frame.push(message).is_ok(), "the messages fit a frame");
        }
        let mut bytes = [0; ENCODED_MAX];
        let len = frame.finish(&mut bytes);
        if kind == Kind::Data {
            self.seq = self.seq.wrapping_add(1);
        }
        let (now, board, machine) = (self.now, &mut *self.board, &mut *self.machine);
        cycles(|| board.receive(now, &bytes[..len], machine))
    }

    /// Begins anew: connected, set, armed, the queue empty.
    fn connect(&mut self) {
        for session in [SESSION - 1, SESSION] {
            let mut hello = FrameWriter::new(Header {
                version: PROTOCOL,
                kind: Kind::Connect,
                session,
                seq: 0,
                ack: 0,
            });
            let message = ToBoard::Hello(Hello {
                protocol: PROTOCOL,
                session,
            });
            assert!(hello.push(&message).is_ok(), "a greeting fits a frame");
            let mut bytes = [0; ENCODED_MAX];
            let len = hello.finish(&mut bytes);
            self.board.receive(self.now, &bytes[..len], self.machine);
        }
        self.seq = 0;
        let limits = board::Description::standard(0).limits;
        let long = Setting {
            key: SettingKey::MaxOnUs,
            index: 0,
            value: limits.max_on_us,
        };
        let all = canonical(&limits).map(|(key, index)| {
            let is_set = key == long.key && index == long.index;
            Setting {
                key,
                index,
                value: if is_set { long.value } else { at_start(key) },
            }
        });
        let settings_crc = settings_crc(all);
        self.send(&[ToBoard::Set(long), ToBoard::Commit, ToBoard::Arm { settings_crc }]);
    }

    /// Gives one order; the cycles that it took.
    fn fire(&mut self, order: u16, on: u32) -> u32 {
        self.send(&[ToBoard::Fire(Fire {
            order: OrderId(order),
            valve: ValveId(0),
            on: Tick32(self.now.tick.0.wrapping_add(on)),
            length: 10,
        })])
    }
}

/// Measures, and tells the stand.
pub(crate) fn measure(board: &mut Board, machine: &mut Machine) {
    let now = machine.now();
    let mut host = Host {
        board,
        machine,
        now,
        seq: 0,
    };
    host.connect();
    let first = host.fire(0, AHEAD);
    for n in 1..QUEUE - 1 {
        host.fire(n, AHEAD + u32::from(n));
        host.machine.clock.feed_watchdog();
    }
    let last = host.fire(QUEUE - 1, AHEAD + u32::from(QUEUE));
    let poll = {
        let (board, machine) = (&mut *host.board, &mut *host.machine);
        cycles(|| board.poll(now, machine))
    };
    host.connect();
    let mut worst = 0;
    for n in 0..QUEUE {
        // Each before the one before it, all numbers in one list.
        worst = worst.max(host.fire(n.wrapping_mul(SAME_LIST), AHEAD + u32::from(QUEUE - n)));
        host.machine.clock.feed_watchdog();
    }
    machine.tell(&FromStand::Cost(Cost {
        queued: QUEUE,
        first,
        last,
        worst,
        poll,
    }));
}

/// Cycles of a call, at most a third of a second.
fn cycles(call: impl FnOnce()) -> u32 {
    let before = hardware::systick();
    call();
    before.wrapping_sub(hardware::systick()) & 0x00FF_FFFF
}
