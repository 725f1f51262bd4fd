//! One figure's table: for each interval between two bounds, the rows whose ranges of that figure hold there.
//!
//! Hot thread; made on the cold side. A look-up takes the interval by a bucket and a few steps, never a search of all
//! bounds, and gives one bit a row.

use super::figure::{Figure, UNKNOWN};
use super::rule::{Range, Term};
use super::{CIRCLE, HUE_UNKNOWN};

/// Buckets of a table at most.
const BUCKETS: usize = 256;
/// Bounds that are compared in one step.
const STEP: usize = 2;
/// Bounds behind the last.
const SPARE: usize = STEP;

/// A figure with one guard. Rows that ask for the same figure with another guard, or twice, have another table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) figure: Figure,
    /// Guard band, 0.001 standard uncertainties.
    pub(super) guard: i32,
    /// Bounds of the intervals, rising, and behind them [`SPARE`] that no value reaches.
    bounds: Vec<i32>,
    /// Words of bits, `words` for each interval, and behind them those of a figure that is not known: the rows that do
    /// not ask for it.
    masks: Vec<u64>,
    words: usize,
    /// For each bucket, the number of bounds below its first value; the last bucket has all values above.
    buckets: Vec<u16>,
    first: i32,
    shift: u32,
}

/// Where a figure's guarded ends fall in its table.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    low: u16,
    middle: u16,
    high: u16,
}

impl Table {
    /// A table of `terms`, each with the row that asks it, among `rows` rows.
    pub(super) fn new(figure: Figure, guard: i32, terms: &[(usize, Range)], rows: usize) -> Self {
        let words = rows.div_ceil(64);
        let mut bounds: Vec<i32> = terms.iter().flat_map(|(_, range)| [range.least, range.most]).collect();
        bounds.sort_unstable();
        bounds.dedup();
        // An open end is no bound.
        bounds.retain(|bound| *bound != i32::MIN && *bound != i32::MAX);
        let mut free = vec![0u64; words];
        (0..rows).for_each(|row| set(&mut free, row));
        for (row, _) in terms {
            free[row / 64] &= !(1 << (row % 64));
        }
        let mut masks = Vec::with_capacity((bounds.len() + 2) * words);
        for interval in 0..=bounds.len() {
            let inside = if interval == 0 { i32::MIN } else { bounds[interval - 1] };
            let mut mask = free.clone();
            for (row, _) in terms.iter().filter(|(_, range)| range.contains(inside)) {
                set(&mut mask, *row);
            }
            masks.extend(mask);
        }
        masks.extend(free);
        let first = bounds.first().copied().unwrap_or(0);
        let span = i64::from(bounds.last().copied().unwrap_or(0)) - i64::from(first);
        let shift = (0..31).find(|shift| (span >> shift) < BUCKETS as i64).unwrap_or(31);
        let count = (span >> shift) as usize + 1;
        let below = |bucket: usize| {
            let value = i64::from(first) + ((bucket as i64) << shift);
            bounds.partition_point(|bound| i64::from(*bound) < value) as u16
        };
        let buckets = (0..=count).map(below).collect();
        let bounds = bounds.iter().copied().chain([i32::MAX; SPARE]).collect();
        Self {
            figure,
            guard,
            bounds,
            masks,
            words,
            buckets,
            first,
            shift,
        }
    }

    /// The interval of `value`: how many bounds are at or below it.
    #[inline(always)]
    fn interval(&self, value: i32) -> u16 {
        let away = value.saturating_sub(self.first).max(0);
        let bucket = ((away >> self.shift) as usize).min(self.buckets.len() - 1);
        let mut interval = self.buckets[bucket];
        loop {
            // Comparisons without branches: most buckets have no bound or one.
            let at = usize::from(interval);
            let passed: u16 = self.bounds[at..at + STEP]
                .iter()
                .map(|bound| u16::from(*bound <= value))
                .sum();
            interval += passed;
            if usize::from(passed) < STEP {
                return interval;
            }
        }
    }

    /// Where a value with its uncertainty falls.
    #[inline(always)]
    pub(super) fn find(&self, figure: Option<(i32, i32)>) -> Found {
        let last = (self.bounds.len() - SPARE) as u16 + 1;
        let unknown = Found {
            low: last,
            middle: last,
            high: last,
        };
        let Some((value, u)) = figure else { return unknown };
        let value = below_open(value);
        let band = band(self.guard, u);
        if band == 0 {
            let at = self.interval(value);
            return Found {
                low: at,
                middle: at,
                high: at,
            };
        }
        let (low, high) = match ends(self.figure, value, band) {
            Some(ends) => ends,
            None => return unknown,
        };
        let (low, high) = (self.interval(low), self.interval(high));
        let middle = if self.guard < 0 { self.interval(value) } else { low };
        Found { low, middle, high }
    }

    /// Rows that hold, 64 of them by `word`.
    #[inline(always)]
    pub(super) fn rows(&self, found: Found, word: usize) -> u64 {
        let mask = |interval: u16| self.masks[usize::from(interval) * self.words + word];
        if self.guard < 0 {
            mask(found.low) | mask(found.middle) | mask(found.high)
        } else {
            mask(found.low) & mask(found.high)
        }
    }
}

fn set(mask: &mut [u64], row: usize) {
    mask[row / 64] |= 1 << (row % 64);
}

/// Half width of the band around a value: `guard` (0.001 sigmas, negative for a band in the pearl's favour) times `u`, rounded
/// up.
pub(super) fn band(guard: i32, u: i32) -> i32 {
    let wide = (i64::from(guard).abs() * i64::from(u) + 999) / 1_000;
    i32::try_from(wide).unwrap_or(UNKNOWN).min(UNKNOWN)
}

/// A value below an open end, which `i32::MAX` stands for.
const fn below_open(value: i32) -> i32 {
    if value == i32::MAX { i32::MAX - 1 } else { value }
}

/// The two ends of a value's band. `None` when an angle's band is so wide that it says nothing.
pub(super) fn ends(figure: Figure, value: i32, band: i32) -> Option<(i32, i32)> {
    if !figure.is_angle() {
        return Some((value.saturating_sub(band), below_open(value.saturating_add(band))));
    }
    if band >= HUE_UNKNOWN {
        return None;
    }
    Some(((value - band).rem_euclid(CIRCLE), (value + band).rem_euclid(CIRCLE)))
}

/// Whether one term holds, without tables.
pub(super) fn holds(term: &Term, value: Option<i32>, u: i32) -> bool {
    let Some(value) = value.map(below_open) else {
        return false;
    };
    let band = band(term.guard, u);
    let Some((low, high)) = ends(term.range.figure, value, band) else {
        return false;
    };
    let range = term.range;
    if term.guard < 0 {
        range.contains(low) || range.contains(value) || range.contains(high)
    } else {
        range.contains(low) && range.contains(high)
    }
}
