//! A scale whose figures stand in Modbus registers, found by a mapping file. Cold; blocks.
//!
//! Registers have their numbers of the manuals, from 40001. A mass is a whole number of steps of its last digit in two
//! registers; how many digits stand behind the point is told by the division, in a register or in the file.

use serde::Deserialize;

use crate::limits::{READINGS, REGISTERS};
use crate::modbus::Modbus;
use crate::settle::Settling;
use crate::{Reading, Refusal, Scale, Unit, Weighing};

/// Number of the first holding register in manuals.
pub const FIRST: u16 = 40_001;

/// Which mass is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Which {
    /// All that lies on the scale.
    Gross,
    /// Without the tare.
    Net,
}

/// Options of this protocol: the mapping.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RegistersSetup {
    /// Address of the device, 1 to 247.
    pub address: u8,
    /// Which mass is taken.
    pub weigh: Which,
    /// First of the two registers of the gross mass.
    pub gross: u16,
    /// First of the two registers of the net mass.
    pub net: u16,
    /// Whether the first register is the higher half.
    pub high_first: bool,
    /// State of the scale; without it rest is told by equal readings.
    #[serde(default)]
    pub status: Option<StatusMap>,
    /// The division.
    pub division: DivisionMap,
    /// Equal readings in a row that mean rest, for scales without status.
    #[serde(default)]
    pub equal_readings: Option<u32>,
    /// Largest mass, in the scale's unit; for scales that do not tell over-range.
    #[serde(default)]
    pub most: Option<f64>,
    /// Commands.
    #[serde(default)]
    pub commands: Option<CommandMap>,
}

/// Bits of a status register, 0 the lowest.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StatusMap {
    /// The register.
    pub register: u16,
    /// Set at rest.
    pub stable: u8,
    /// Set when the gross mass is negative.
    pub gross_negative: u8,
    /// Set when the net mass is negative.
    pub net_negative: u8,
    /// Set when more lies on the scale than it can weigh.
    pub over: Vec<u8>,
    /// Set when the scale is faulty.
    pub faults: Vec<Fault>,
}

/// A fault and its bit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The bit.
    pub bit: u8,
    /// What it means.
    pub says: String,
}

/// Where the division comes from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case", untagged, deny_unknown_fields)]
pub enum DivisionMap {
    /// As set at the instrument, in the scale's unit.
    Fixed {
        /// The division: 1, 2 or 5 times a power of ten.
        step: f64,
    },
    /// From a register: low byte the division, high byte the unit, both as places in a list.
    Register {
        /// The register.
        register: u16,
        /// Divisions in the order of their numbers.
        steps: Vec<f64>,
        /// Units in the order of their numbers.
        units: Vec<String>,
    },
}

/// Commands by the value to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CommandMap {
    /// The register.
    pub register: u16,
    /// Value for zero.
    pub zero: u16,
    /// Value for tare.
    pub tare: u16,
}

/// Digits behind the point of a division: 2 for 0.05.
#[must_use]
pub fn decimals(step: f64) -> u8 {
    let (mut decimals, mut scaled) = (0, step);
    while decimals < 9 && (scaled - scaled.round()).abs() > 1e-6 * scaled.abs() {
        decimals += 1;
        scaled = step * 10_f64.powi(i32::from(decimals));
    }
    decimals
}

impl RegistersSetup {
    /// What is wrong with the mapping, if anything.
    ///
    /// # Errors
    /// The first fault.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=247).contains(&self.address) {
            return Err(format!("address is {}, must be 1 to 247", self.address));
        }
        let commands = self.commands.map(|commands| commands.register);
        if let Some(wrong) = self
            .registers()
            .chain(commands)
            .find(|register| !(FIRST..=49_999).contains(register))
        {
            return Err(format!(
                "register {wrong} is no holding register; they are 40001 to 49999"
            ));
        }
        let (first, count) = self.span();
        if count > REGISTERS {
            return Err(format!(
                "registers {first} to {} are {count}, at most {REGISTERS} can be read at once",
                first + count - 1
            ));
        }
        let steps = match &self.division {
            DivisionMap::Fixed { step } => std::slice::from_ref(step),
            DivisionMap::Register { steps, .. } => steps,
        };
        if let Some(wrong) = steps.iter().find(|step| !(1e-9..=1e6).contains(*step)) {
            return Err(format!("a division of {wrong} can't be"));
        }
        if let Some(status) = &self.status {
            let bits = [status.stable, status.gross_negative, status.net_negative];
            let faults = status.faults.iter().map(|fault| fault.bit);
            if let Some(bit) = bits
                .into_iter()
                .chain(status.over.iter().copied())
                .chain(faults)
                .find(|bit| *bit > 15)
            {
                return Err(format!("status bit {bit} can't be; they are 0 to 15"));
            }
        } else if self.equal_readings.is_none_or(|count| count < 2) || self.most.is_none() {
            return Err("without [status], write equal-readings (2 or more) and most".to_owned());
        }
        Ok(())
    }

    fn mass(&self) -> u16 {
        match self.weigh {
            Which::Gross => self.gross,
            Which::Net => self.net,
        }
    }

    /// Registers that a weighing reads.
    fn registers(&self) -> impl Iterator<Item = u16> {
        let division = match &self.division {
            DivisionMap::Fixed { .. } => None,
            DivisionMap::Register { register, .. } => Some(*register),
        };
        let status = self.status.as_ref().map(|status| status.register);
        let mass = self.mass();
        [mass, mass.saturating_add(1)].into_iter().chain(division).chain(status)
    }

    /// First register and count of one query that brings them all, so that they belong together.
    fn span(&self) -> (u16, u16) {
        let first = self.registers().min().unwrap_or(FIRST);
        let last = self.registers().max().unwrap_or(FIRST);
        (first, last - first + 1)
    }

    /// The figure of one query, and its division.
    fn read(&self, registers: &[u16], unit: Unit) -> Result<(Reading, f64), Refusal> {
        let (first, _) = self.span();
        let word = |register: u16| registers[usize::from(register - first)];
        let step = match &self.division {
            DivisionMap::Fixed { step } => *step,
            DivisionMap::Register { register, steps, units } => {
                let [high, low] = word(*register).to_be_bytes();
                let found = units.get(usize::from(high)).map_or("an unknown unit", String::as_str);
                unit.expect(found)?;
                let garbled = || Refusal::Garbled {
                    what: "a division that the file does not know",
                    heard: low.to_string(),
                };
                *steps.get(usize::from(low)).ok_or_else(garbled)?
            }
        };
        let (a, b) = (word(self.mass()), word(self.mass() + 1));
        let (high, low) = if self.high_first { (a, b) } else { (b, a) };
        let mut digits = i64::from((u32::from(high) << 16 | u32::from(low)).cast_signed());
        if let Some(status) = &self.status {
            let bits = word(status.register);
            let is = |bit: u8| bits >> bit & 1 == 1;
            if let Some(fault) = status.faults.iter().find(|fault| is(fault.bit)) {
                return Err(Refusal::Faulty(fault.says.clone()));
            }
            if status.over.iter().any(|bit| is(*bit)) {
                return Err(Refusal::OverRange);
            }
            if !is(status.stable) {
                return Err(Refusal::Unstable);
            }
            let negative = is(if self.weigh == Which::Gross {
                status.gross_negative
            } else {
                status.net_negative
            });
            if digits < 0 && !negative {
                return Err(Refusal::Garbled {
                    what: "a negative mass whose sign bit is not set",
                    heard: digits.to_string(),
                });
            }
            // some firmware gives size and sign, some the complement too: both read the same
            digits = if negative { -digits.abs() } else { digits };
        }
        let reading = Reading {
            digits,
            decimals: decimals(step),
        };
        let limit_mg = self.most.map(|most| most * unit.mg());
        if limit_mg.is_some_and(|limit| reading.weighing(unit, None).mass_mg.abs() > limit) {
            return Err(Refusal::OverRange);
        }
        Ok((reading, step))
    }
}

/// A scale behind registers.
#[derive(Debug)]
pub(crate) struct Registers {
    modbus: Modbus,
    unit: Unit,
    setup: RegistersSetup,
}

impl Registers {
    pub(crate) const fn new(modbus: Modbus, unit: Unit, setup: RegistersSetup) -> Self {
        Self { modbus, unit, setup }
    }

    fn command(&mut self, name: &'static str, value: impl Fn(&CommandMap) -> u16) -> Result<(), Refusal> {
        let commands = self.setup.commands.ok_or(Refusal::NoCommand(name))?;
        self.modbus.write(commands.register - FIRST, &[value(&commands)])
    }
}

impl Scale for Registers {
    fn weigh(&mut self) -> Result<Weighing, Refusal> {
        let (first, count) = self.setup.span();
        let mut settling = Settling::new(self.setup.equal_readings.unwrap_or(1));
        let most = if self.setup.equal_readings.is_some() {
            READINGS.min(100)
        } else {
            1
        };
        for _ in 0..most {
            let registers = self.modbus.read(first - FIRST, count)?;
            let (reading, step) = self.setup.read(&registers, self.unit)?;
            if settling.take(reading) {
                return Ok(reading.weighing(self.unit, Some(step)));
            }
        }
        Err(Refusal::Unstable)
    }

    fn zero(&mut self) -> Result<(), Refusal> {
        self.command("zero", |commands| commands.zero)
    }

    fn tare(&mut self) -> Result<(), Refusal> {
        self.command("tare", |commands| commands.tare)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_of_divisions() {
        let found = [100.0, 1.0, 0.5, 0.05, 0.02, 0.001, 0.0001].map(decimals);
        assert_eq!(found, [0, 0, 1, 2, 2, 3, 4]);
    }
}
