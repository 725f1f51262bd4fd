//! What a recipe is made of: ranges, rows, and what is done with the doubtful.
//!
//! Any thread.

use units::BinId;

use super::figure::Figure;

/// `least <= figure < most`; `i32::MIN` and `i32::MAX` leave an end open. Of an angle `least` may be above `most`: the range then crosses 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Of which figure.
    pub figure: Figure,
    /// Least value that is in.
    pub least: i32,
    /// Least value that is out again.
    pub most: i32,
}

impl Range {
    /// Whether `value` is in.
    #[must_use]
    pub const fn contains(&self, value: i32) -> bool {
        if self.figure.is_angle() && self.least > self.most {
            value >= self.least || value < self.most
        } else {
            self.least <= value && value < self.most
        }
    }
}

/// One bin's conditions: all must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The bin.
    pub bin: BinId,
    /// The conditions.
    pub ranges: Vec<Range>,
}

/// One condition with its guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// The range.
    pub range: Range,
    /// Guard band in 0.001 standard uncertainties: the figure must be in by so much. Negative, it may be out by so much.
    pub guard: i32,
}

/// A row: conditions that must all hold for a bin. A bin with alternatives has several rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The bin.
    pub bin: BinId,
    /// Lanes that it serves, a bit each.
    pub lanes: u64,
    /// The conditions.
    pub terms: Vec<Term>,
}

/// What is done with pearls that a guard band keeps out of the bin that their figures alone would have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Doubt {
    /// The next bin that they have earned in spite of the guard; without one they go round again.
    #[default]
    Lower,
    /// They go round again.
    Recirculate,
    /// As `Lower`, but nothing goes round for doubt: without such a bin, the last one that their figures alone earn.
    FinalPass,
}
