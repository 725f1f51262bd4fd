//! What the firmware costs: the worst fire order, in instructions, counted by the emulator. Cold.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail};
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

impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cost {
            queued,
            first,
            last,
            worst,
            poll,
        } = self.instructions;
        writeln!(
            f,
            "one frame with one fire order, from its bytes to the valve's list, in instructions:"
        )?;
        writeln!(f, "  {first:>6}  into an empty queue")?;
        writeln!(f, "  {last:>6}  behind {} others, as hosts give orders", queued - 1)?;
        writeln!(
            f,
            "  {worst:>6}  before {} others, every number in one list: the worst",
            queued - 1
        )?;
        writeln!(
            f,
            "  {poll:>6}  a poll in which nothing is due, with {queued} orders in the queue"
        )?;
        write!(f, "stack never used: {} bytes", self.stack_left)
    }
}

/// Bytes of the program by section: `.text` (with constants), `.data`, `.bss`, `.stack`.
///
/// # Errors
/// When the file can't be read or is no 32-bit ELF file.
pub fn sizes(firmware: &Path) -> Result<Vec<(String, u32)>> {
    let elf = std::fs::read(firmware).with_context(|| format!("{} can't be read", firmware.display()))?;
    let flaw = || format!("{} is no 32-bit ELF file", firmware.display());
    let u16_at = |at: usize| {
        elf.get(at..at + 2)
            .map(|b| usize::from(u16::from_le_bytes([b[0], b[1]])))
    };
    let u32_at = |at: usize| {
        elf.get(at..at + 4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    };
    let read = || -> Option<Vec<(String, u32)>> {
        if elf.get(..5)? != b"\x7fELF\x01" {
            return None;
        }
        let (table, size, count, names) = (u32_at(32)? as usize, u16_at(46)?, u16_at(48)?, u16_at(50)?);
        let names = u32_at(table + size * names + 16)? as usize;
        let mut sizes = Vec::new();
        for n in 0..count {
            let header = table + size * n;
            let name = elf.get(names + u32_at(header)? as usize..)?;
            let name = String::from_utf8_lossy(name.split(|byte| *byte == 0).next()?).into_owned();
            if [".text", ".data", ".bss", ".stack"].contains(&name.as_str()) {
                sizes.push((name, u32_at(header + 20)?));
            }
        }
        Some(sizes)
    };
    read().with_context(flaw)
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
