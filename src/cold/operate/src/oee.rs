//! Overall equipment effectiveness, and how long each state lasted.
//!
//! Cold, any thread. OEE = availability x performance x quality, over production mode alone:
//!
//! - **availability** = time in `Execute` / planned time. Planned is all time in production mode but the rest that
//!   somebody wished: stopped, idle or complete without a fault.
//! - **performance** = pearls that came in / (time in `Execute` x the pearls a second that the line was made for).
//! - **quality** = good pearls / pearls done. Good is a pearl that is where its figures put it: in its bin, or in the tray
//!   because no bin of the recipe takes it. Recirculated for a fault, lost or misplaced is not good.

use line::{Cause, Destination, Landing, Record};
use units::HostUs;

use crate::state::{Mode, State};

/// The factors, each 0 to 1 where the line keeps within what it was made for; `None` where nothing is known yet.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Factors {
    /// See the module.
    pub availability: Option<f64>,
    /// See the module.
    pub performance: Option<f64>,
    /// See the module.
    pub quality: Option<f64>,
    /// The product; `None` when a factor is.
    pub oee: Option<f64>,
}

/// See the module.
#[derive(Clone, Debug)]
pub struct Oee {
    times_us: [[i64; State::ALL.len()]; Mode::ALL.len()],
    planned_us: i64,
    looked: HostUs,
    /// Pearls that had come in at the latest look, and those that count.
    entered: Option<u64>,
    processed: u64,
    done: u64,
    good: u64,
}

impl Oee {
    pub(crate) const fn new(at: HostUs) -> Self {
        Self {
            times_us: [[0; State::ALL.len()]; Mode::ALL.len()],
            planned_us: 0,
            looked: at,
            entered: None,
            processed: 0,
            done: 0,
            good: 0,
        }
    }

    /// Time has passed in a state; `faulty` when it does not run for a fault.
    pub(crate) fn pass(&mut self, at: HostUs, mode: Mode, state: State, faulty: bool, entered: u64) {
        let us = at.since(self.looked).max(0);
        self.looked = self.looked.max(at);
        self.times_us[mode as usize - 1][state as usize] += us;
        let came = entered.saturating_sub(self.entered.replace(entered).unwrap_or(entered));
        if mode != Mode::Production {
            return;
        }
        let rests = matches!(state, State::Stopped | State::Idle | State::Complete | State::Aborted);
        if !rests || faulty {
            self.planned_us += us;
        }
        self.processed += came;
    }

    /// A pearl's story is complete.
    pub(crate) fn record(&mut self, mode: Mode, record: &Record) {
        if mode != Mode::Production {
            return;
        }
        let placed = matches!(record.landing, Landing::Seen | Landing::NoEye);
        let good = placed && matches!(record.sent, Destination::Bin(_) | Destination::Tray(Cause::NoBin));
        self.done += 1;
        self.good += u64::from(good);
    }

    /// Time in a state, in all modes, us.
    #[must_use]
    pub fn time_us(&self, state: State) -> i64 {
        self.times_us.iter().map(|times| times[state as usize]).sum()
    }

    /// Time in a mode and state, us.
    #[must_use]
    pub const fn time_in_us(&self, mode: Mode, state: State) -> i64 {
        self.times_us[mode as usize - 1][state as usize]
    }

    /// Planned time, us.
    #[must_use]
    pub const fn planned_us(&self) -> i64 {
        self.planned_us
    }

    /// Pearls that came in, in production (PackML: `ProdProcessedCount`).
    #[must_use]
    pub const fn processed(&self) -> u64 {
        self.processed
    }

    /// Pearls done that are not where their figures put them (PackML: `ProdDefectiveCount`).
    #[must_use]
    pub const fn defective(&self) -> u64 {
        self.done - self.good
    }

    /// The factors, for a line made for so many pearls a second.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "shares")]
    pub fn factors(&self, design_pearls_s: Option<u32>) -> Factors {
        let share = |of: f64, all: f64| (all > 0.0).then_some(of / all);
        let run_us = self.time_in_us(Mode::Production, State::Execute) as f64;
        let availability = share(run_us, self.planned_us as f64);
        let made_for = design_pearls_s.map_or(0.0, |design| f64::from(design) * run_us * 1e-6);
        let performance = share(self.processed as f64, made_for);
        let quality = share(self.good as f64, self.done as f64);
        let oee = availability.zip(performance).zip(quality).map(|((a, p), q)| a * p * q);
        Factors {
            availability,
            performance,
            quality,
            oee,
        }
    }
}
