//! One direction of a serial line in virtual time, and what can go wrong on it.
//!
//! Any thread. Bytes need their time at the line's speed and [`LATENCY_US`] beyond it, as an adapter and a kernel add them. They
//! arrive in the order in which they were sent unless a fault says otherwise.

use std::collections::VecDeque;

use units::BoardId;

use crate::chance::Chance;
use crate::faults::{Fault, FaultPlan};

/// Least and most time that a run of bytes is late beyond its own length, us.
pub(crate) const LATENCY_US: (f64, f64) = (1_000.0, 2_000.0);
const BITS_A_BYTE: u64 = 10;

/// What is wrong with a link at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Trouble {
    noise: Option<[f64; 3]>,
    delay_us: u32,
    reorder: f64,
    pub(crate) stalled_until_us: Option<u64>,
    pub(crate) cut: bool,
}

impl Trouble {
    /// What the timetable says of a link.
    pub(crate) fn at(faults: &FaultPlan, of: BoardId, us: u64) -> Self {
        let mut trouble = Self::default();
        for timed in faults.faults.iter().filter(|timed| timed.is_on(us)) {
            match timed.fault {
                Fault::LinkNoise {
                    board,
                    drop,
                    double,
                    flip,
                } if board == of => trouble.noise = Some([drop, double, flip]),
                Fault::LinkDelay { board, most_us } if board == of => trouble.delay_us = most_us,
                Fault::LinkReorder { board, share } if board == of => trouble.reorder = share,
                Fault::LinkStall { board } if board == of => trouble.stalled_until_us = Some(timed.until_us),
                Fault::LinkCut { board } if board == of => trouble.cut = true,
                _ => {}
            }
        }
        trouble
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Pipe {
    chance: Chance,
    byte_ns: u64,
    /// When the line has carried all that was sent.
    free_us: u64,
    latest_us: u64,
    runs: VecDeque<(u64, Vec<u8>)>,
    spare: Vec<Vec<u8>>,
}

impl Pipe {
    pub(crate) fn new(baud: u32, chance: Chance) -> Self {
        Self {
            chance,
            byte_ns: BITS_A_BYTE * 1_000_000_000 / u64::from(baud.max(1)),
            free_us: 0,
            latest_us: 0,
            runs: VecDeque::with_capacity(64),
            spare: Vec::new(),
        }
    }

    /// Bytes go onto the line.
    pub(crate) fn send(&mut self, now_us: u64, bytes: &[u8], trouble: &Trouble) {
        self.free_us = self.free_us.max(now_us) + (bytes.len() as u64 * self.byte_ns).div_ceil(1_000);
        if trouble.cut {
            return;
        }
        let mut run = self.spare.pop().unwrap_or_default();
        run.clear();
        match trouble.noise {
            None => run.extend_from_slice(bytes),
            Some(shares) => self.spoil(bytes, shares, &mut run),
        }
        let late_us = self
            .chance
            .within(LATENCY_US.0, LATENCY_US.1 + f64::from(trouble.delay_us));
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
    pub(crate) fn arrived(&mut self, now_us: u64) -> Option<Vec<u8>> {
        if self.runs.front()?.0 > now_us {
            return None;
        }
        self.runs.pop_front().map(|(_, run)| run)
    }

    /// When the next run of bytes arrives.
    pub(crate) fn next_us(&self) -> u64 {
        self.runs.front().map_or(u64::MAX, |(due_us, _)| *due_us)
    }

    /// Takes a run's room back.
    pub(crate) fn give_back(&mut self, run: Vec<u8>) {
        self.spare.push(run);
    }

    /// Everything on the way is lost.
    pub(crate) fn lose(&mut self) {
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
        let mut pipe = Pipe::new(1_000_000, Chance::new(1, 0));
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
        let mut pipe = Pipe::new(1_000_000, Chance::new(2, 0));
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
        let mut pipe = Pipe::new(1_000_000, Chance::new(3, 0));
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
        let mut pipe = Pipe::new(1_000_000, Chance::new(4, 0));
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
