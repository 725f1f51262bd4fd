//! The zero's bounds: how far from where it was at the start it may be, and how fast it may go. Hot thread.
//!
//! A zero that moves faster than its model allows shows first as a bias: on the empty platform the filter lags behind it,
//! and the residuals keep one sign. Masses are off by as much, so that is an alarm long before a band is left.

use super::{CALM_SAMPLES, Estimator};
use crate::weigh::filter::Innovation;

/// Where the zero was, to bound how far and how fast it goes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ZeroWatch {
    first: Option<f64>,
    earlier: f64,
    since: u64,
    fast: bool,
    /// Mean of the latest residuals of the empty platform, each over its standard deviation.
    bias: f64,
    lags: bool,
    pub(super) alarm: bool,
}

/// Time over which the zero's rate is taken, s.
const ZERO_RATE_S: f64 = 2.0;
/// Standard uncertainty below which the zero counts as known, mg.
const ZERO_KNOWN_MG: f64 = 1.0;
/// Residuals over which the bias is taken, and the bias from which the zero is too fast and below which it is not any more:
/// chance gives a standard deviation of 0.06.
const BIAS_SAMPLES: f64 = 128.0;
const BIAS: f64 = 0.5;
const BIAS_GONE: f64 = 0.2;

impl Estimator {
    pub(super) fn watch_zero(&mut self, at: u64, innovation: Option<Innovation>) {
        let Some(filter) = &self.filter else { return };
        // what no gate saw, and a hand, are no zero: it is looked at again when they have been gone for a while
        let calm = self.latest_trouble == 0 || at > self.latest_trouble + CALM_SAMPLES;
        if filter.zero_u_mg() > ZERO_KNOWN_MG || !calm {
            return;
        }
        let (zero, empty) = (filter.zero_mg(), filter.slots.iter().all(Option::is_none));
        if let Some(innovation) = innovation.filter(|_| empty) {
            let residual = innovation.residual_mg / innovation.variance_mg2.sqrt();
            self.zero.bias += (residual - self.zero.bias) / BIAS_SAMPLES;
            let most = if self.zero.lags { BIAS_GONE } else { BIAS };
            self.zero.lags = self.zero.bias.abs() > most;
        }
        let first = *self.zero.first.get_or_insert(zero);
        if self.zero.since == 0 {
            (self.zero.since, self.zero.earlier) = (at, zero);
        }
        let apart = (at - self.zero.since) as f64 / (self.per_us * 1e6);
        if apart >= ZERO_RATE_S {
            self.zero.fast = (zero - self.zero.earlier).abs() > self.checks.zero_rate_mg_s * apart;
            (self.zero.since, self.zero.earlier) = (at, zero);
        }
        let alarm = self.zero.lags || self.zero.fast || (zero - first).abs() > self.checks.zero_band_mg;
        self.counters.zero_alarms += u64::from(alarm && !self.zero.alarm);
        self.zero.alarm = alarm;
    }
}
