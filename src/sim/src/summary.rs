//! What a run has shown: the figures that `demo` and the tests judge by.
//!
//! Cold.

use std::collections::BTreeMap;

use rt::histogram::Histogram;
use serde::Serialize;

/// Quantiles of a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct DecisionUs {
    /// Half are faster.
    pub p50: u64,
    /// 99 of 100 are faster.
    pub p99: u64,
    /// 999 of 1,000 are faster.
    pub p99_9: u64,
    /// The slowest.
    pub max: u64,
}

/// Leads of orders, from their arrival at the board to their tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LeadMs {
    /// The shortest.
    pub min: f64,
    /// 1 of 100 is shorter.
    pub p1: f64,
    /// Half are shorter.
    pub p50: f64,
}

impl DecisionUs {
    /// Of a histogram in microseconds.
    #[must_use]
    pub fn of(histogram: &Histogram) -> Self {
        let us = |q: f64| histogram.quantile(q).unwrap_or(0);
        Self {
            p50: us(0.5),
            p99: us(0.99),
            p99_9: us(0.999),
            max: histogram.max().unwrap_or(0),
        }
    }
}

impl LeadMs {
    /// Of a histogram in microseconds.
    #[must_use]
    pub fn of(histogram: &Histogram) -> Self {
        let ms = |q: f64| histogram.quantile(q).unwrap_or(0) as f64 * 1e-3;
        Self {
            min: ms(0.0),
            p1: ms(0.01),
            p50: ms(0.5),
        }
    }
}

/// How the host weighed by the samples of streaming cells, against the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Weighing {
    /// Pearls weighed that were alone in the eye.
    pub pearls: u64,
    /// Mean error, mg.
    pub mean_mg: f64,
    /// Standard deviation of the error, mg.
    pub sd_mg: f64,
    /// Share of errors within twice the stated uncertainty.
    pub within_2u: f64,
}

/// What the host's own eyes have done, where it has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Looking {
    /// Flashes measured.
    pub measured: u64,
    /// Flashes refused under the name of what is wrong with them.
    pub refused: u64,
    /// Flashes not looked at because they would have come too late.
    pub late: u64,
    /// Flashes or figures dropped.
    pub dropped: u64,
    /// From the flash to its figures.
    pub flash_to_figures_us: DecisionUs,
}

/// See the module. Pearls are true ones; each is in exactly one of `binned`, `recirculated` and `lost`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// Seed of the run.
    pub seed: u64,
    /// Lanes of the line.
    pub lanes: u8,
    /// Pearls that passed an entry eye and came to their end.
    pub pearls_in: u64,
    /// Pearls that came into a grade bin.
    pub binned: u64,
    /// Pearls that came into the tray, by the cause that their record names; `missed`: sent into a bin, not blown;
    /// `unseen`: no eye saw them, or no board could tell of them.
    pub recirculated: BTreeMap<&'static str, u64>,
    /// Pearls that came to neither.
    pub lost: u64,
    /// Pearls that records call lost.
    pub lost_recorded: u64,
    /// Records that call a pearl lost which is not, or do not call one lost which is (of two that touch: both).
    pub lost_wrong: u64,
    /// Interruptions that the core was told of and that have no record or several, and records of no interruption.
    pub unaccounted: u64,
    /// Pearls that no record stands for: missed by the eye, or their board's link was gone.
    pub unseen: u64,
    /// Pearls that landed where they were not sent.
    pub misrouted: u64,
    /// Those of them that landed in a grade bin.
    pub misrouted_into_bins: u64,
    /// Pearls in a bin that their measurements, as they were sent, did not earn.
    pub upgraded: u64,
    /// Those of them that no quarantine covers.
    pub upgraded_unquarantined: u64,
    /// Pearls in a bin that their true figures do not earn.
    pub overgraded_truth: u64,
    /// Records with the figures of another pearl.
    pub mixed_up: u64,
    /// Orders that boards refused as late.
    pub late: u64,
    /// Orders taken back in time.
    pub cancelled: u64,
    /// Frames that were sent again, both directions.
    pub repeats: u64,
    /// Frames refused for their checksum, both directions.
    pub crc_errors: u64,
    /// Times that a valve was open longer than it may.
    pub valve_overlong: u64,
    /// Times that a valve was open although its board's watchdog had not been fed.
    pub valve_unfed: u64,
    /// From the last figure on the line to the order at the board's end.
    pub decision_us: DecisionUs,
    /// From the order at the board to its tick.
    pub lead_ms: LeadMs,
    /// How the host weighed, where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weighing: Option<Weighing>,
    /// What the host's own eyes have done, where it has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looking: Option<Looking>,
    /// Pearls a second of wall time.
    pub pearls_per_s: f64,
    /// Allocations of the hot thread after its start, where they are counted.
    pub hot_allocations: u64,
    /// Digest of all orders and records; virtual time only.
    pub digest: Option<String>,
    /// Pearls with a destination, and those that came there.
    pub sent: u64,
    /// See `sent`.
    pub right: u64,
    /// Lower 95 % bound of the share that came to its destination.
    pub right_bound: f64,
    /// Of those, the ones that came singly.
    pub single_sent: u64,
    /// See `single_sent`.
    pub single_right: u64,
    /// Lower 95 % bound of their share that came to its destination.
    pub single_right_bound: f64,
    /// Pearls that came singly, and the share of them that was binned.
    pub single: u64,
    /// See `single`.
    pub binned_single_share: f64,
    /// Times that the line went into hold.
    pub holds: u64,
    /// Bins that were put in quarantine, each time.
    pub quarantines: u64,
    /// Time of the run, s.
    pub run_s: f64,
}

impl Summary {
    /// Pearls in the tray.
    #[must_use]
    pub fn recirculated_total(&self) -> u64 {
        self.recirculated.values().sum()
    }

    /// What is wrong beyond what any fault excuses; empty when every checker is content.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut must_be_none = |count: u64, what: &str| {
            if count > 0 {
                complaints.push(format!("{count} {what}"));
            }
        };
        must_be_none(self.unaccounted, "unaccounted");
        must_be_none(
            self.upgraded_unquarantined,
            "upgraded without a quarantine that covers them",
        );
        must_be_none(self.mixed_up, "records with another pearl's figures");
        must_be_none(self.valve_overlong, "times a valve was open too long");
        must_be_none(self.valve_unfed, "times a valve was open with its watchdog unfed");
        let ends = self.binned + self.recirculated_total() + self.lost;
        must_be_none(
            self.pearls_in.abs_diff(ends),
            "pearls of difference between those in and their ends",
        );
        complaints
    }
}

/// Lower 95 % bound of a share, when `wrong` of `all` failed: by Poisson's distribution, on the safe side.
#[must_use]
pub fn lower_bound(wrong: u64, all: u64) -> f64 {
    if all == 0 {
        return 0.0;
    }
    // The mean at which `wrong` or fewer are seen once in twenty, by halving.
    let unlikely = |mean: f64| {
        let (mut term, mut sum) = (crate::chance::exp(-mean.min(700.0)), 0.0);
        for n in 0..=wrong {
            sum += term;
            term *= mean / (n + 1) as f64;
        }
        sum < 0.05
    };
    let (mut least, mut most) = (0.0, 10.0 + 3.0 * wrong as f64);
    for _ in 0..60 {
        let middle = 0.5 * (least + most);
        if unlikely(middle) {
            most = middle
        } else {
            least = middle
        }
    }
    (1.0 - most / all as f64).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_the_textbooks() {
        // "Rule of three": none of n gives 3/n.
        assert!((lower_bound(0, 30_000) - (1.0 - 2.9957 / 30_000.0)).abs() < 1e-8);
        // Poisson's upper limit for 3 is 7.754.
        assert!((lower_bound(3, 10_000) - (1.0 - 7.754 / 10_000.0)).abs() < 1e-6);
        assert_eq!(lower_bound(0, 0), 0.0);
    }
}
