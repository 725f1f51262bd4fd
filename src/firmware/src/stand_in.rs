//! What the test stand says, done.

use board::Board;
use stand::{Cause, FromStand, ToStand};
use wire::{Decoder, FromBoard, Host, Messages};

use crate::hardware::{self, BUS_IN, STAND_IN};
use crate::machine::Machine;

/// The stand's bytes in the making of a frame.
pub(crate) struct StandIn {
    decoder: Decoder,
}

impl StandIn {
    pub(crate) const fn new() -> Self {
        Self {
            decoder: Decoder::new(),
        }
    }

    /// Takes what has come, and does it.
    pub(crate) fn take(&mut self, board: &mut Board, machine: &mut Machine) {
        let mut bytes = [0; 64];
        loop {
            let count = STAND_IN.take(&mut bytes);
            if count == 0 {
                return;
            }
            let mut input = &bytes[..count];
            while let Some(frame) = self.decoder.next(&mut input) {
                match frame.ok().map(|frame| stand::decode_to(&frame)) {
                    Some(Ok(message)) => obey(message, board, machine),
                    _ => machine.health.stand_lost += 1,
                }
            }
        }
    }
}

fn obey(message: ToStand<'_>, board: &mut Board, machine: &mut Machine) {
    let now = machine.now();
    match message {
        ToStand::Ping { token } => {
            machine.health.bus_lost = BUS_IN.lost();
            machine.health.stack_left = hardware::stack_left();
            let mut health = machine.health;
            health.stand_lost += STAND_IN.lost() + machine.shaft.lost();
            machine.tell(&FromStand::Pong {
                token,
                us: now.us,
                tick: now.tick,
                health,
            });
        }
        ToStand::Clock { us } => {
            machine.clock.set(us);
            let set_us = machine.clock.now_us();
            machine.shaft.stand(now.us, set_us);
        }
        ToStand::Shaft(piece) => machine.shaft.take(piece, now.us),
        ToStand::Eye { eye, interrupted, tick } => {
            board.poll(now, machine);
            board.eye(eye, interrupted, tick, machine);
        }
        ToStand::Index { tick } => board.index(tick),
        ToStand::Channel { channel, value } => board.channel_input(channel, value),
        ToStand::Coil { valve } => board.coil_fault(valve),
        ToStand::Report(body) => report(body, board, machine),
        ToStand::Reset { dark_us } => hardware::start_anew(Cause::Asked, dark_us),
        ToStand::Panic => panic!("the stand asked for it"),
        ToStand::Hang => loop {
            core::hint::spin_loop();
        },
        ToStand::Measure => crate::cost::measure(board, machine),
    }
}

/// What a camera or a weigh cell has made.
fn report(body: &[u8], board: &mut Board, machine: &mut Machine) {
    for message in Messages::<Host>::numbered(body) {
        match message {
            Ok(FromBoard::Measurement(measurement)) => board.measurement(&measurement),
            Ok(FromBoard::Mass(mass)) => board.mass(&mass),
            Ok(FromBoard::Samples(samples)) => board.samples(&samples),
            _ => machine.health.stand_lost += 1,
        }
    }
}
