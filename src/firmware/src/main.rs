//! A field board on an LM3S6965: the crates `board` and `wire` between UART0 and the valves.
//!
//! One main loop; two interrupts that only move bytes from a port into a ring; no allocation. A round of the loop takes
//! bytes and the stand's messages, lets the board do what is due, sends, and sleeps until the next byte, edge or
//! deadline. A panic, a fault or a hanging loop shuts the valves and starts anew. Encoder, eyes and inputs come from the
//! test stand (UART1): what a board on a line has in their place is in `docs/PORTING.md`.

#![no_std]
#![no_main]

mod clock;
mod cost;
mod hardware;
mod machine;
mod port;
mod ring;
mod stand_in;

use board::limits::RECEIVE_CHUNK;
use board::{Board, Description};
use stand::FromStand;

use crate::clock::Clock;
use crate::hardware::{BUS_IN, LONGEST_SLEEP_US, Port, STAND_IN};
use crate::machine::Machine;
use crate::port::Out;
use crate::stand_in::StandIn;

/// Bytes to the host that wait for the port: two frames and a zero.
const BUS_OUT: usize = 2 * wire::ENCODED_MAX + 2;

/// The program. Called once, when memory is ready.
fn run() -> ! {
    let (cause, starts) = hardware::start();
    let description = Description {
        firmware: 0x00_01_00,
        starts,
        ..Description::standard(hardware::uid())
    };
    let board = hardware::board();
    board.start(&description);
    let mut machine = Machine::new(Clock::start());
    let mut stand = StandIn::new();
    let mut bus = Out::<BUS_OUT>::new(Port::Bus);
    machine.tell(&FromStand::Started {
        uid: description.uid,
        starts,
        cause,
    });
    loop {
        stand.take(board, &mut machine);
        let mut bytes = [0; RECEIVE_CHUNK];
        let count = BUS_IN.take(&mut bytes);
        let now = machine.now();
        if count > 0 {
            board.receive(now, &bytes[..count], &mut machine);
        }
        board.poll(now, &mut machine);
        bus.fill(|out| board.transmit(now.us, out));
        bus.pump();
        let told = machine.pump();
        machine.clock.feed_watchdog();
        let all_sent = bus.is_empty() && told;
        let due_us = next_us(board, &machine, now.us, all_sent);
        let wait_us = due_us.saturating_sub(machine.clock.now_us());
        if wait_us > 0 {
            hardware::sleep(|| BUS_IN.is_empty() && STAND_IN.is_empty(), wait_us);
        }
    }
}

/// When the board next has something to do. While bytes wait for a port, the port wakes the loop.
fn next_us(board: &Board, machine: &Machine, now_us: u64, all_sent: bool) -> u64 {
    let longest_us = now_us + LONGEST_SLEEP_US;
    let deadline_us = board
        .next_deadline_us()
        .filter(|us| all_sent || *us > now_us)
        .unwrap_or(longest_us);
    let match_us = board
        .next_match_tick()
        .and_then(|tick| machine.shaft.comes_us(tick, now_us))
        .unwrap_or(longest_us);
    deadline_us.min(match_us).min(longest_us)
}
