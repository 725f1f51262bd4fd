//! Any bytes, edges and encoder jumps at a board in any order: no panic, and a board that is not armed has no valve open.

#![no_main]

use board::{Board, Description, Now, Outputs};
use libfuzzer_sys::fuzz_target;
use units::{EyeId, Tick32, TriggerSeq, ValveId};

/// Which valves are open.
#[derive(Default)]
struct Valves(u128);

impl Outputs for Valves {
    fn valve(&mut self, valve: ValveId, open: bool) {
        let bit = 1_u128 << (valve.0 & 127);
        self.0 = if open { self.0 | bit } else { self.0 & !bit };
    }

    fn channel(&mut self, _channel: u8, _value: u16) {}

    fn flash(&mut self, _eye: EyeId, _seq: TriggerSeq, _tick: Tick32) {}
}

fuzz_target!(|bytes: &[u8]| {
    let mut board = Board::new(Description::standard(7), 1_000_000);
    let mut valves = Valves::default();
    let mut now = Now { us: 0, tick: Tick32(0) };
    let mut rest = bytes;
    let mut out = [0; 1024];
    while let [kind, value, tail @ ..] = rest {
        rest = tail;
        now.us += u64::from(*value) * 64;
        match kind % 6 {
            0 => {
                let (chunk, tail) = rest.split_at(rest.len().min(usize::from(*value)));
                rest = tail;
                board.receive(now, chunk, &mut valves);
            }
            1 => now.tick = now.tick.wrapping_plus(i32::from(*value) * 8 - 256),
            2 => board.eye(EyeId(*value), kind & 64 != 0, now.tick, &mut valves),
            3 => board.channel_input(*value, u16::from(*kind)),
            4 => {
                board.transmit(now.us, &mut out);
            }
            _ => board.index(now.tick),
        }
        board.poll(now, &mut valves);
        assert!(board.is_armed() || valves.0 == 0, "a valve is open on a board that is not armed");
    }
});
