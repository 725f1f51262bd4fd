//! One direction of a link, and what can go wrong on it.
//!
//! Any thread; no clock. Bytes need the time that their [`Carriage`] says. They arrive in the order in which they were sent
//! unless a fault says otherwise.

use std::collections::VecDeque;

use super::{Chance, Trouble};

const BITS_A_BYTE: u64 = 10;

/// What a link takes by itself, without any fault.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Carriage {
    byte_ns: u64,
    latency_us: (f64, f64),
}

impl Carriage {
    /// A line of this speed whose adapter and kernel add so much, least and most, us.
    #[must_use]
    pub fn line(baud: u32, latency_us: (f64, f64)) -> Self {
        Self {
            byte_ns: BITS_A_BYTE * 1_000_000_000 / u64::from(baud.max(1)),
            latency_us,
        }
    }

    /// No time at all: something else carries the bytes.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            byte_ns: 0,
            latency_us: (0.0, 0.0),
        }
    }
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Pipe {
    chance: Chance,
    carriage: Carriage,
    /// When the line has carried all that was sent.
    free_us: u64,
    latest_us: u64,
    runs: VecDeque<(u64, Vec<u8>)>,
    spare: Vec<Vec<u8>>,
}

impl Pipe {
    /// An empty direction.
    #[must_use]
    pub fn new(carriage: Carriage, chance: Chance) -> Self {
        Self {
            chance,
            carriage,
            free_us: 0,
            latest_us: 0,
            runs: VecDeque::with_capacity(64),
            spare: Vec::new(),
        }
    }

    /// Bytes go onto the line.
    pub fn send(&mut self, now_us: u64, bytes: &[u8], trouble: &Trouble) {
        self.free_us = self.free_us.max(now_us) + (bytes.len() as u64 * self.carriage.byte_ns).div_ceil(1_000);
        if trouble.cut {
            return;
        }
        let mut run = self.spare.pop().unwrap_or_default();
        run.clear();
        match trouble.noise {
            None => run.extend_from_slice(bytes),
            Some(shares) => self.spoil(bytes, shares, &mut run),
        }
        let (least_us, most_us) = self.carriage.latency_us;
        let late_us = self.chance.within(least_us, most_us + f64::from(trouble.delay_us));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a cast of a float saturates"
        )]
        let due_us = self.free_us + late_us as u64;
        let due_us = due_us.max(trouble.stalled_until_us.unwrap_or(0)).max(self.latest_us);
        self.latest_us = due_us;
        self.runs.push_back((due_us, run));
        let last = self.runs.len() - 1;
        if last > 0 && trouble.reorder > 0.0 && self.chance.happens(trouble.reorder) {
            let (times, bytes) = (self.runs[last].0, self.runs[last - 1].0);
            self.runs.swap(last, last - 1);
            self.runs[last].0 = times;
            self.runs[last - 1].0 = bytes;
        }
    }

    /// The next run of bytes that has arrived, if any.
    pub fn arrived(&mut self, now_us: u64) -> Option<Vec<u8>> {
        if self.runs.front()?.0 > now_us {
            return None;
        }
        self.runs.pop_front().map(|(_, run)| run)
    }

    /// When the next run of bytes arrives.
    #[must_use]
    pub fn next_us(&self) -> u64 {
        self.runs.front().map_or(u64::MAX, |(due_us, _)| *due_us)
    }

    /// Takes a run's room back.
    pub fn give_back(&mut self, run: Vec<u8>) {
        self.spare.push(run);
    }

    /// Everything on the way is lost.
    pub fn lose(&mut self) {
        self.spare.extend(self.runs.drain(..).map(|(_, run)| run));
    }

    /// Each byte is dropped, doubled or has a bit flipped, with its share.
    fn spoil(&mut self, bytes: &[u8], [drop, double, flip]: [f64; 3], run: &mut Vec<u8>) {
        for byte in bytes {
            let u = self.chance.uniform();
            if u < drop {
                continue;
            }
            if u < drop + double {
                run.push(*byte);
            }
            let spoilt = u >= drop + double && u < drop + double + flip;
            run.push(if spoilt {
                byte ^ 1 << self.chance.below(8)
            } else {
                *byte
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pipe: &mut Pipe, until_us: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some(run) = pipe.arrived(until_us) {
            bytes.extend_from_slice(&run);
            pipe.give_back(run);
        }
        bytes
    }

    #[test]
    fn bytes_take_their_time_and_keep_their_order() {
        let mut pipe = Pipe::new(Carriage::line(1_000_000, (1_000.0, 2_000.0)), Chance::new(1, 0));
        for n in 0..100_u8 {
            pipe.send(1_000 * u64::from(n), &[n; 50], &Trouble::default());
        }
        assert!(
            all(&mut pipe, 1_499).is_empty(),
            "50 bytes need 500 us and 1 ms more at least"
        );
        let bytes = all(&mut pipe, u64::MAX);
        assert_eq!(bytes.len(), 5_000);
        assert!(bytes.is_sorted());
    }

    #[test]
    fn noise_drops_doubles_and_flips_in_its_shares() {
        let mut pipe = Pipe::new(Carriage::line(1_000_000, (1_000.0, 2_000.0)), Chance::new(2, 0));
        let trouble = Trouble {
            noise: Some([0.02, 0.01, 0.03]),
            ..Trouble::default()
        };
        for _ in 0..100 {
            pipe.send(0, &[0x55; 1_000], &trouble);
        }
        let bytes = all(&mut pipe, u64::MAX);
        assert!(bytes.len().abs_diff(99_000) < 200, "{}", bytes.len());
        let flipped = bytes.iter().filter(|byte| **byte != 0x55).count();
        assert!(flipped.abs_diff(3_000) < 200, "{flipped}");
    }

    #[test]
    fn a_stall_holds_everything_back_and_a_cut_loses_it() {
        let mut pipe = Pipe::new(Carriage::line(1_000_000, (1_000.0, 2_000.0)), Chance::new(3, 0));
        let stalled = Trouble {
            stalled_until_us: Some(50_000),
            ..Trouble::default()
        };
        pipe.send(0, b"late", &stalled);
        pipe.send(10, b"r", &Trouble::default());
        assert!(all(&mut pipe, 49_999).is_empty());
        assert_eq!(all(&mut pipe, 50_000), b"later");
        pipe.send(
            60_000,
            b"gone",
            &Trouble {
                cut: true,
                ..Trouble::default()
            },
        );
        assert!(all(&mut pipe, u64::MAX).is_empty());
    }

    #[test]
    fn reordered_runs_all_arrive() {
        let mut pipe = Pipe::new(Carriage::line(1_000_000, (1_000.0, 2_000.0)), Chance::new(4, 0));
        let trouble = Trouble {
            reorder: 0.5,
            ..Trouble::default()
        };
        for n in 0..50 {
            pipe.send(0, &[n], &trouble);
        }
        let mut bytes = all(&mut pipe, u64::MAX);
        assert!(!bytes.is_sorted());
        bytes.sort_unstable();
        assert_eq!(bytes, (0..50).collect::<Vec<u8>>());
    }
}
