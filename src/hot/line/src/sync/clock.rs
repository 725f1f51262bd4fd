//! One board's clock against the host's, by messages whose delay is never less than a least one.
//!
//! Hot thread. A message of board time `u` that reaches the host at `h` shows `h - u`, which is the clocks' offset plus
//! that message's delay. Of each second the least is kept: there the delay was nearest to the link's own. A straight
//! line through those of the latest [`POINTS`] seconds is the fit, so that two boards on links with 1 to 3 ms of jitter
//! are compared within some tens of microseconds.

use units::HostUs;

/// Seconds in the fit.
const POINTS: usize = 16;
/// Board time for which one least delay is kept, us.
const BUCKET_US: i64 = 1_000_000;
/// Farthest that a clock's rate is believed to be off, in parts of 10^9.
const MOST_RATE_PPB: i64 = 1_000_000;
/// A message that comes so much earlier than the line allows moves it at once, us.
const EARLY_US: i64 = 200;
/// A message so much too early, or a least delay so far off the line, tells of a step of either clock, us.
const STEP_US: i64 = 5_000;
/// Farthest from the fit's middle that the rate is carried on, us: eleven days.
const FARTHEST_US: i64 = 1_000_000_000_000;
/// Messages after which the least delay is good enough to compare boards by.
const READY_SAMPLES: u32 = 32;

const _: () = assert!(FARTHEST_US.checked_mul(MOST_RATE_PPB).is_some());

#[derive(Clone, Copy, Debug, Default)]
struct Point {
    us: i64,
    /// Host time less board time.
    offset: i64,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    /// The line: `offset = at.offset + rate * (us - at.us)`.
    at: Point,
    rate_ppb: i64,
    points: [Point; POINTS],
    len: usize,
    oldest: usize,
    /// The running second: its beginning and least offset.
    bucket: Option<(i64, Point)>,
    samples: u32,
}

impl Clock {
    /// Takes a message of board time `us` that came at `at`.
    pub(super) fn sample(&mut self, at: HostUs, us: i64) {
        let point = Point {
            us,
            offset: at.0.saturating_sub(us),
        };
        if self.samples == 0 || self.residual(point) < -STEP_US {
            self.begin(point);
        }
        self.samples = self.samples.saturating_add(1);
        let residual = self.residual(point);
        if residual < if self.len < 2 { 0 } else { -EARLY_US } {
            self.at.offset = self.at.offset.saturating_add(residual);
        }
        match self.bucket {
            None => self.bucket = Some((us, point)),
            Some((start, least)) => {
                let least = if self.residual(point) < self.residual(least) {
                    point
                } else {
                    least
                };
                self.bucket = Some((start, least));
                if us.saturating_sub(start) >= BUCKET_US {
                    self.bucket = None;
                    self.keep(least);
                }
            }
        }
    }

    /// Whether boards may be compared by it.
    pub(super) const fn is_ready(&self) -> bool {
        self.samples >= READY_SAMPLES
    }

    /// Host time at which the board's clock showed `us`.
    pub(super) fn host_of(&self, us: i64) -> HostUs {
        HostUs(us.saturating_add(self.offset_at(us)))
    }

    /// What the board's clock showed at `at`.
    pub(super) fn us_of(&self, at: HostUs) -> i64 {
        let near = at.0.saturating_sub(self.at.offset);
        at.0.saturating_sub(self.offset_at(near))
    }

    /// Farthest that a point of the fit lies off its line, us; `None` before there is a fit.
    pub(super) fn off_by_us(&self) -> Option<i64> {
        if self.len < 3 {
            return None;
        }
        let kept = self.points[..self.len].iter();
        kept.map(|point| self.residual(*point).saturating_abs()).max()
    }

    fn offset_at(&self, us: i64) -> i64 {
        let since = us.saturating_sub(self.at.us).clamp(-FARTHEST_US, FARTHEST_US);
        let drift = since * self.rate_ppb / 1_000_000_000;
        self.at.offset.saturating_add(drift)
    }

    fn residual(&self, point: Point) -> i64 {
        point.offset.saturating_sub(self.offset_at(point.us))
    }

    /// Begins the fit anew.
    fn begin(&mut self, point: Point) {
        *self = Self {
            at: point,
            ..Self::default()
        };
    }

    fn keep(&mut self, point: Point) {
        if self.residual(point).saturating_abs() > STEP_US {
            self.begin(point);
        }
        let slot = (self.oldest + self.len) % POINTS;
        self.points[slot] = point;
        if self.len < POINTS {
            self.len += 1;
        } else {
            self.oldest = (self.oldest + 1) % POINTS;
        }
        if self.len >= 3 {
            self.fit();
        }
    }

    /// Least squares over the points, relative to the first of them.
    fn fit(&mut self) {
        let origin = self.points[self.oldest];
        let used = self.points.iter().take(self.len);
        let relative = used.map(|p| {
            let x = i128::from(p.us) - i128::from(origin.us);
            (x, i128::from(p.offset) - i128::from(origin.offset))
        });
        let count = self.len as i128;
        let (sum_x, sum_y) = relative.clone().fold((0, 0), |(sx, sy), (x, y)| (sx + x, sy + y));
        let (mean_x, mean_y) = (sum_x / count, sum_y / count);
        let (xx, xy) = relative.fold((0_i128, 0_i128), |(xx, xy), (x, y)| {
            let dx = x - mean_x;
            (
                xx.saturating_add(dx.saturating_mul(dx)),
                xy.saturating_add(dx.saturating_mul(y - mean_y)),
            )
        });
        if xx <= 0 {
            return;
        }
        let rate = saturate(xy.saturating_mul(1_000_000_000) / xx);
        self.rate_ppb = rate.clamp(-MOST_RATE_PPB, MOST_RATE_PPB);
        self.at = Point {
            us: saturate(i128::from(origin.us) + mean_x),
            offset: saturate(i128::from(origin.offset) + mean_y),
        };
    }
}

/// The value, held within 64 bits.
fn saturate(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fixed sequence of numbers below `below`.
    fn jitter(state: &mut u64, below: u64) -> i64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        i64::try_from((*state >> 33) % below).unwrap()
    }

    #[test]
    fn a_clock_that_runs_100_ppm_fast_is_followed_through_milliseconds_of_jitter() {
        let (mut clock, mut state) = (Clock::default(), 1);
        for step in 0..1_000_i64 {
            let true_us = step * 20_000;
            let board_us = true_us + true_us / 10_000 + 77_000;
            clock.sample(HostUs(true_us + 1_000 + jitter(&mut state, 2_000)), board_us);
        }
        let true_us = 999 * 20_000;
        let host = clock.host_of(true_us + true_us / 10_000 + 77_000);
        let error = host.0 - (true_us + 1_000);
        assert!((-20..120).contains(&error), "off by {error} us");
        assert!((clock.us_of(host) - (true_us + true_us / 10_000 + 77_000)).abs() <= 2);
    }

    #[test]
    fn a_step_of_the_boards_clock_begins_the_fit_anew() {
        let mut clock = Clock::default();
        for step in 0..300_i64 {
            let stepped = if step > 150 { 40_000 } else { 0 };
            clock.sample(HostUs(step * 20_000 + 500), step * 20_000 + stepped);
        }
        assert!((clock.host_of(299 * 20_000 + 40_000).0 - (299 * 20_000 + 500)).abs() < 50);
    }

    #[test]
    fn times_from_the_ends_of_the_range_do_no_harm() {
        let mut clock = Clock::default();
        for at in [i64::MIN, i64::MAX, 0, -1, i64::MAX] {
            for us in [0, 3_000_000, 1 << 40, -(1 << 40)] {
                clock.sample(HostUs(at), us);
                let _ = clock.us_of(HostUs(at));
                let _ = clock.host_of(us);
            }
        }
    }
}
