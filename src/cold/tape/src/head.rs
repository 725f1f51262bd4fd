//! A recording's first block: what the core was made of. Cold.

use crate::bytes::{Cursor, Put};

/// The machine whose core was recorded.
#[derive(Clone, Debug, PartialEq)]
pub enum Machine {
    /// That of a machine's file.
    File {
        /// Its path as it was given.
        name: String,
        /// Its text.
        text: String,
    },
    /// The virtual line's own.
    Virtual {
        /// Lanes of the belt.
        lanes: u8,
        /// Pearls a second in each lane for which the stations stand far enough apart.
        rate: f64,
        /// Belt speed for which they do, um/s.
        um_s: i32,
        /// Least gap between arrivals, as a share of their mean pitch.
        least_gap: f64,
        /// Whether its weigh cells stream samples.
        samples: bool,
    },
}

/// See the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Version of the program.
    pub program: String,
    /// The machine.
    pub machine: Machine,
    /// Fingerprint of the plan that was made of it: a program that makes another plan of the same text says so, instead of
    /// another replay.
    pub plan: u64,
    /// Hash of the recipe in force at the start.
    pub recipe: u64,
}

impl Head {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.text(&self.program);
        bytes.u64(self.plan);
        bytes.u64(self.recipe);
        match &self.machine {
            Machine::File { name, text } => {
                bytes.u8(0);
                bytes.text(name);
                bytes.text(text);
            }
            Machine::Virtual {
                lanes,
                rate,
                um_s,
                least_gap,
                samples,
            } => {
                bytes.u8(if *samples { 2 } else { 1 });
                bytes.u8(*lanes);
                bytes.u64(rate.to_bits());
                bytes.i32(*um_s);
                bytes.u64(least_gap.to_bits());
            }
        }
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let program = cursor.text()?;
        let (plan, recipe) = (cursor.u64()?, cursor.u64()?);
        let machine = match cursor.u8()? {
            0 => Machine::File {
                name: cursor.text()?,
                text: cursor.text()?,
            },
            kind @ (1 | 2) => Machine::Virtual {
                lanes: cursor.u8()?,
                rate: f64::from_bits(cursor.u64()?),
                um_s: cursor.i32()?,
                least_gap: f64::from_bits(cursor.u64()?),
                samples: kind == 2,
            },
            _ => return None,
        };
        cursor.rest.is_empty().then_some(Self {
            program,
            machine,
            plan,
            recipe,
        })
    }
}
