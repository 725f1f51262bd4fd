//! The zero's bounds: how far from where it was at the start it may be, and how fast it may go. Hot thread.

use super::Estimator;

/// Where the zero was, to bound how far and how fast it goes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ZeroWatch {
    first: Option<f64>,
    earlier: f64,
    since: u64,
    fast: bool,
    pub(super) alarm: bool,
}

/// Time over which the zero's rate is taken, s.
const ZERO_RATE_S: f64 = 2.0;
/// Standard uncertainty below which the zero counts as known, mg.
const ZERO_KNOWN_MG: f64 = 1.0;

impl Estimator {
    pub(super) fn watch_zero(&mut self, at: u64) {
        let Some(filter) = &self.filter else { return };
        if filter.zero_u_mg() > ZERO_KNOWN_MG {
            return;
        }
        let zero = filter.zero_mg();
        let first = *self.zero.first.get_or_insert(zero);
        if self.zero.since == 0 {
            (self.zero.since, self.zero.earlier) = (at, zero);
        }
        let apart = (at - self.zero.since) as f64 / (self.per_us * 1e6);
        if apart >= ZERO_RATE_S {
            self.zero.fast = (zero - self.zero.earlier).abs() > self.checks.zero_rate_mg_s * apart;
            (self.zero.since, self.zero.earlier) = (at, zero);
        }
        let alarm = self.zero.fast || (zero - first).abs() > self.checks.zero_band_mg;
        self.counters.zero_alarms += u64::from(alarm && !self.zero.alarm);
        self.zero.alarm = alarm;
    }
}
