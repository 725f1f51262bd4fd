//! One figure's table: for each interval between two bounds, the rows whose ranges of that figure hold there.
//!
//! Hot thread; made on the cold side. A look-up takes the interval from a cell, without a branch that hangs on the value,
//! and gives one bit a row.

use super::figure::{Figure, UNKNOWN};
use super::rule::{Range, Term};
use super::{CIRCLE, HUE_UNKNOWN};

/// Cells of a table at most. A figure whose values between its first bound and its last are no more has a cell for each.
const CELLS: usize = 16_384;
/// Bounds that are compared at once where a cell has several values.
const AT_ONCE: usize = 2;

/// A figure with one guard. Rows that ask for the same figure with another guard, or twice, have another table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) figure: Figure,
    /// Guard band, 0.001 standard uncertainties.
    pub(super) guard: i32,
    /// Bounds of the intervals, rising, and behind them [`AT_ONCE`] that no value reaches.
    bounds: Vec<i32>,
    /// Bits of the rows that hold in each interval, and behind them those of a figure that is not known: the rows that do not
    /// ask for it. All intervals of the first 64 rows come first, then those of the next.
    masks: Vec<u64>,
    intervals: usize,
    /// Runs of values from `first` on, each `1 << shift` long: how many bounds are at or below its first. The last cell has
    /// all values above.
    cells: Vec<u16>,
    first: i32,
    last: i32,
    shift: u32,
    way: Way,
}

/// How a value's interval is found from its cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// The cell has one value: it says it.
    Cell,
    /// A cell has [`AT_ONCE`] bounds at most, which are all compared so that no branch hangs on the value.
    Compare,
    /// The bounds are searched.
    Search,
}

/// Where a figure's guarded ends fall in its table.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Found {
    low: u16,
    middle: u16,
    high: u16,
}

/// The cells of values from the first bound on, the length of each as a shift, and what they are good for.
fn cells_of(bounds: &[i32]) -> (Vec<u16>, u32, Way) {
    let (Some(first), Some(last)) = (bounds.first(), bounds.last()) else {
        return (vec![0; 2], 0, Way::Cell);
    };
    let span = i64::from(*last) - i64::from(*first);
    let shift = (0..31).find(|shift| (span >> shift) < CELLS as i64 - 1).unwrap_or(31);
    let begin = |cell: i64| i64::from(*first) + (cell << shift);
    let count = (span >> shift) + 1;
    let mut passed = 0;
    let mut at_or_below = |cell: i64| {
        passed += bounds[passed..]
            .iter()
            .take_while(|bound| i64::from(**bound) <= begin(cell))
            .count();
        passed as u16
    };
    let cells = (0..=count).map(&mut at_or_below).collect::<Vec<_>>();
    let cell_of = |bound: &i32| (i64::from(*bound) - i64::from(*first)) >> shift;
    let inner = bounds
        .iter()
        .filter(|bound| begin(cell_of(bound)) != i64::from(**bound));
    let inner: Vec<i64> = inner.map(cell_of).collect();
    let most = inner.chunk_by(i64::eq).map(<[i64]>::len).max().unwrap_or(0);
    let way = match most {
        _ if shift == 0 => Way::Cell,
        0..=AT_ONCE => Way::Compare,
        _ => Way::Search,
    };
    // before them one for the values below the first bound
    ([0].into_iter().chain(cells).collect(), shift, way)
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
        let intervals = bounds.len() + 2;
        let mut masks = vec![0; intervals * words];
        for interval in 0..intervals {
            let mut mask = free.clone();
            if interval <= bounds.len() {
                let inside = if interval == 0 { i32::MIN } else { bounds[interval - 1] };
                for (row, _) in terms.iter().filter(|(_, range)| range.contains(inside)) {
                    set(&mut mask, *row);
                }
            }
            for (word, bits) in mask.into_iter().enumerate() {
                masks[word * intervals + interval] = bits;
            }
        }
        let (cells, shift, way) = cells_of(&bounds);
        let first = bounds.first().copied().unwrap_or(0);
        let last = bounds.last().copied().unwrap_or(0);
        Self {
            figure,
            guard,
            bounds: bounds.iter().copied().chain([i32::MAX; AT_ONCE]).collect(),
            masks,
            intervals,
            cells,
            first,
            last,
            shift,
            way,
        }
    }

    /// The interval of `value`: how many bounds are at or below it.
    #[inline(always)]
    fn interval(&self, value: i32) -> u16 {
        // Below the first bound is the first cell, and the last bound's is the last: none is beyond.
        let within = value.min(self.last);
        let below = within < self.first;
        let away = within.wrapping_sub(self.first).cast_unsigned() >> self.shift;
        let cell = if below { 0 } else { away as usize + 1 };
        let start = self.cells[cell];
        match self.way {
            Way::Cell => start,
            Way::Compare => {
                let near = &self.bounds[usize::from(start)..usize::from(start) + AT_ONCE];
                start + near.iter().map(|bound| u16::from(*bound <= value)).sum::<u16>()
            }
            Way::Search => self.bounds.partition_point(|bound| *bound <= value) as u16,
        }
    }

    /// Where a figure's ends fall.
    #[inline(always)]
    pub(super) fn find(&self, ends: Ends) -> Found {
        let last = (self.intervals - 1) as u16;
        if ends.is_unknown() {
            return Found {
                low: last,
                middle: last,
                high: last,
            };
        }
        let low = self.interval(ends.low);
        let high = if self.guard == 0 { low } else { self.interval(ends.high) };
        let middle = if self.guard < 0 {
            self.interval(ends.middle)
        } else {
            low
        };
        Found { low, middle, high }
    }

    /// Rows that hold, 64 of them by `word`.
    #[inline(always)]
    pub(super) fn rows(&self, found: Found, word: usize) -> u64 {
        let first = word * self.intervals;
        let mask = |interval: u16| self.masks[first + usize::from(interval)];
        if self.guard < 0 {
            mask(found.low) | mask(found.middle) | mask(found.high)
        } else {
            mask(found.low) & mask(found.high)
        }
    }
}

/// A value's place with its band: both ends, and the value itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) low: i32,
    pub(super) middle: i32,
    pub(super) high: i32,
}

impl Ends {
    /// Of a figure that is not known: outside of every range that asks.
    pub(super) const UNKNOWN: Self = Self {
        low: i32::MIN,
        middle: i32::MIN,
        high: i32::MAX,
    };

    const fn is_unknown(self) -> bool {
        self.low == i32::MIN
    }

    /// Of a value with its uncertainty, with a guard.
    #[inline(always)]
    pub(super) fn of(figure: Figure, guard: i32, value: Option<(i32, i32)>) -> Self {
        let Some((value, u)) = value else { return Self::UNKNOWN };
        let middle = held(value);
        if guard == 0 {
            return Self {
                low: middle,
                middle,
                high: middle,
            };
        }
        match ends(figure, middle, band(guard, u)) {
            Some((low, high)) => Self { low, middle, high },
            None => Self::UNKNOWN,
        }
    }
}

fn set(mask: &mut [u64], row: usize) {
    mask[row / 64] |= 1 << (row % 64);
}

/// Half width of the band around a value: `guard` (0.001 sigmas, negative for a band in the pearl's favour) times `u`, rounded
/// up.
pub(super) fn band(guard: i32, u: i32) -> i32 {
    let wide = (u64::from(guard.unsigned_abs()) * u64::from(u.unsigned_abs())).div_ceil(1_000);
    wide.min(UNKNOWN as u64) as i32
}

/// Farthest from 0 that a value is told from others: with its band it stays within the type.
const FARTHEST: i32 = i32::MAX / 4;
const _: () = assert!(FARTHEST + UNKNOWN < i32::MAX, "no end is an open one");

/// A value within the farthest.
#[inline(always)]
const fn held(value: i32) -> i32 {
    if value > FARTHEST {
        FARTHEST
    } else if value < -FARTHEST {
        -FARTHEST
    } else {
        value
    }
}

/// The two ends of a value's band. `None` when an angle's band is so wide that it says nothing.
#[inline(always)]
pub(super) fn ends(figure: Figure, value: i32, band: i32) -> Option<(i32, i32)> {
    if !figure.is_angle() {
        return Some((value - band, value + band));
    }
    if band >= HUE_UNKNOWN {
        return None;
    }
    Some(((value - band).rem_euclid(CIRCLE), (value + band).rem_euclid(CIRCLE)))
}

/// Whether one term holds, without tables.
pub(super) fn holds(term: &Term, value: Option<i32>, u: i32) -> bool {
    let Some(value) = value.map(held) else {
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
