//! What the firmware costs: the worst fire order, in instructions, counted by the emulator. Cold.

use std::path::Path;

use anyhow::{Result, bail};
use stand::{Cost, FromStand, ToStand};

use super::emulator::{Emulator, Time, answers};
use crate::conformance::{Live, Subject};

/// In counted time an instruction takes a nanosecond, and a cycle of the board's 50 MHz twenty.
const INSTRUCTIONS_A_CYCLE: u32 = 20;
/// The measurement is over within this, us.
const PATIENCE_US: u64 = 10_000_000;

/// Instructions, each to within twenty, and what is left of the stack after it.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// See [`Cost`]; in instructions.
    pub instructions: Cost,
    /// Bytes of the stack never used.
    pub stack_left: u32,
}

/// Measures, in an emulator of its own.
///
/// # Errors
/// When the emulator or the firmware does not work.
pub fn cost(firmware: &Path) -> Result<Costs> {
    let emulator = Emulator::start(firmware, 1, Time::Counted)?;
    let mut live = Live::new(emulator.bus.try_clone()?, Some(emulator.stand.try_clone()?), true, 0)?;
    answers(&mut live)?;
    let failed = |stop| anyhow::anyhow!("the emulated board: {stop:?}");
    live.stand(&ToStand::Measure).map_err(failed)?;
    live.stand(&ToStand::Ping { token: 1 }).map_err(failed)?;
    let (mut bytes, mut told, mut cost) = (Vec::new(), Vec::new(), None);
    let until_us = live.now_us() + PATIENCE_US;
    while live.now_us() < until_us {
        live.receive(until_us, &mut bytes, &mut told).map_err(failed)?;
        for told in told.drain(..) {
            match (told, cost) {
                (FromStand::Cost(cycles), _) => cost = Some(cycles),
                (FromStand::Pong { token: 1, health, .. }, Some(cycles)) => {
                    return Ok(Costs {
                        instructions: in_instructions(cycles),
                        stack_left: health.stack_left,
                    });
                }
                _ => {}
            }
        }
    }
    bail!("the firmware did not say what it costs")
}

fn in_instructions(cycles: Cost) -> Cost {
    Cost {
        queued: cycles.queued,
        first: cycles.first * INSTRUCTIONS_A_CYCLE,
        last: cycles.last * INSTRUCTIONS_A_CYCLE,
        worst: cycles.worst * INSTRUCTIONS_A_CYCLE,
        poll: cycles.poll * INSTRUCTIONS_A_CYCLE,
    }
}
