//! The lines that peers speak, about 40 bytes each:
//!
//! ```text
//! T05 0000012345 0001203411                         trigger: lane, pearl, tick
//! M05 0000012345 08012 0035 2 087 1 0561234         measurement: lane, pearl, diameter um, DDP 0.01 %, colour, lustre,
//!                                                   surface, mass ug
//! F12 0001204411 0320 0000012345                    order: valve, tick, length, pearl
//! ```

use std::io::Write as _;

/// Ticks from the eye to the first jet, and from jet to jet, in the sorters of this package.
const FIRST_JET_TICKS: u64 = 1000;

/// The pearl that asks whether a contender is there; never counted.
pub const PROBE: u32 = u32::MAX;

/// Appends the trigger of `pearl`.
pub fn push_trigger(to: &mut Vec<u8>, pearl: u32) {
    let tick = u64::from(pearl) * 17;
    // Writing to a vector does not fail.
    let _ = writeln!(to, "T{:02} {pearl:010} {tick:010}", pearl % 16);
}

/// Appends the measurement of `pearl`.
pub fn push_measurement(to: &mut Vec<u8>, pearl: u32) {
    let (diameter_um, lustre) = (7000 + pearl % 2000, 80 + pearl % 20);
    let (colour, surface) = (pearl % 4, pearl % 3);
    let (lane, ddp, mass_ug) = (pearl % 16, pearl % 300, 500_000 + pearl % 100_000);
    let _ = writeln!(
        to,
        "M{lane:02} {pearl:010} {diameter_um:05} {ddp:04} {colour} {lustre:03} {surface} {mass_ug:07}"
    );
}

/// The pearl that an order line names; `None` for anything else.
#[must_use]
pub fn pearl_of_order(line: &[u8]) -> Option<u32> {
    if line.first() != Some(&b'F') {
        return None;
    }
    number(line.rsplit(|byte| *byte == b' ').next()?).and_then(|pearl| u32::try_from(pearl).ok())
}

fn number(digits: &[u8]) -> Option<u64> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    digits
        .iter()
        .try_fold(0_u64, |sum, byte| sum.checked_mul(10)?.checked_add(digit(byte)?))
}

/// Cuts a stream of bytes into lines, without allocating after the first.
#[derive(Debug, Default)]
pub struct Cutter {
    rest: Vec<u8>,
}

impl Cutter {
    /// A cutter with room for the longest batch.
    #[must_use]
    pub fn new() -> Self {
        Self {
            rest: Vec::with_capacity(2 * crate::limits::READ_BYTES),
        }
    }

    /// Takes `bytes` and calls `each` for every line that they complete.
    pub fn cut(&mut self, bytes: &[u8], mut each: impl FnMut(&[u8])) {
        self.rest.extend_from_slice(bytes);
        let mut start = 0;
        while let Some(length) = self.rest[start..].iter().position(|byte| *byte == b'\n') {
            each(&self.rest[start..start + length]);
            start += length + 1;
        }
        self.rest.drain(..start);
    }
}

/// What the contenders written in this package do with lines: the same little sorter as the peers', without tracking.
#[derive(Debug)]
pub struct LineSorter {
    /// The tick of each pearl whose measurement is awaited, by pearl modulo its length.
    ticks: Vec<u64>,
}

impl Default for LineSorter {
    fn default() -> Self {
        Self { ticks: vec![0; 1024] }
    }
}

impl LineSorter {
    /// Takes one line; appends the order it leads to.
    pub fn take(&mut self, line: &[u8], orders: &mut Vec<u8>) {
        let mut fields = line.split(|byte| *byte == b' ');
        let kind = fields.next().and_then(|field| field.first());
        let Some(pearl) = fields.next().and_then(number) else {
            return;
        };
        let slot = usize::try_from(pearl).unwrap_or(0) % self.ticks.len();
        match kind {
            Some(b'T') => self.ticks[slot] = fields.next().and_then(number).unwrap_or(0),
            Some(b'M') => {
                let mut next = || fields.next().and_then(number).unwrap_or(0);
                let (diameter_um, ddp, _colour, lustre, surface) = (next(), next(), next(), next(), next());
                let valve = valve_of(diameter_um, ddp, lustre, surface);
                let tick = self.ticks[slot] + FIRST_JET_TICKS * (valve + 1);
                let _ = writeln!(orders, "F{valve:02} {tick:010} 0320 {pearl:010}");
            }
            _ => {}
        }
    }
}

fn valve_of(diameter_um: u64, ddp: u64, lustre: u64, surface: u64) -> u64 {
    let round = ddp <= 200;
    let fine = lustre >= 90 && surface <= 1;
    match (round, fine) {
        (true, true) => (diameter_um.saturating_sub(7000) / 500).min(3),
        (true, false) => 4,
        (false, _) => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pearl_gets_one_order_that_names_it_however_its_bytes_are_cut() {
        let mut sent = Vec::new();
        for pearl in [0, 7, 4_000_000_000] {
            push_trigger(&mut sent, pearl);
            push_measurement(&mut sent, pearl);
        }
        for chunk in 1..50 {
            let (mut cutter, mut sorter, mut orders) = (Cutter::new(), LineSorter::default(), Vec::new());
            for bytes in sent.chunks(chunk) {
                cutter.cut(bytes, |line| sorter.take(line, &mut orders));
            }
            let pearls = orders
                .split(|byte| *byte == b'\n')
                .filter_map(pearl_of_order)
                .collect::<Vec<_>>();
            assert_eq!(pearls, [0, 7, 4_000_000_000]);
        }
    }

    #[test]
    fn what_is_no_line_of_ours_gives_no_order() {
        let (mut sorter, mut orders) = (LineSorter::default(), Vec::new());
        for line in [
            &b""[..],
            b"M05",
            b"M05 x",
            b"X05 0000000001",
            b"T05 99999999999999999999999",
        ] {
            sorter.take(line, &mut orders);
        }
        assert!(orders.is_empty());
        assert_eq!(pearl_of_order(b"M05 1"), None);
        assert_eq!(pearl_of_order(b"F05 12x"), None);
    }
}
