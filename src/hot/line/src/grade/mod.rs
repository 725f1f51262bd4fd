//! Stage grade: figures become a bin by the recipe in force, first match wins.
//!
//! Hot thread; a recipe is made on the cold side and published whole. Words: a **row** is a set of conditions that must
//! all hold for a bin; a **guard** is how many standard uncertainties a figure must be within its range.
//!
//! A recipe is compiled to one table a figure ([`table`]), each giving one bit a row ([`tables`]); the first row whose bit is in
//! all tables is the pearl's. [`Recipe::grade_plainly`] reads the rows one by one and says the same.

mod angle;
mod figure;
mod rule;
mod table;
mod tables;

use std::fmt;

use units::{BinId, LaneId};
use wire::Measurement;

use crate::record::{Cause, MassFigure};

pub use angle::{CIRCLE, chroma, hue};
pub use figure::{FIGURES, Figure, UNKNOWN, ddp, ddp_of_smallest};
pub use rule::{Doubt, Range, Row, Rule, Term};

use figure::{Values, Wanted};
use tables::Tables;

/// Rows of a recipe at most.
pub const ROWS: usize = 256;
/// Tables of a recipe at most.
pub const TABLES: usize = 48;
/// An angle whose band is so wide, 0.01 degrees, is not known.
pub const HUE_UNKNOWN: i32 = 4_500;
/// A range of an angle leaves out at least so much, so that a band can't reach around what it leaves out.
pub const HUE_LEFT_OUT: i32 = 2 * HUE_UNKNOWN;

const WORDS: usize = ROWS / 64;
const _: () = assert!(ROWS.is_multiple_of(64) && ROWS <= u16::MAX as usize);
const _: () = assert!(crate::limits::LANES <= u64::BITS as usize, "a row's lanes are bits");

/// What is known of a pearl when it is graded. A figure that the recipe does not ask for may be absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures<'a> {
    /// A good measurement.
    pub view: Option<&'a Measurement>,
    /// A good mass.
    pub mass: Option<MassFigure>,
}

/// What a recipe asks of every pearl before it can be graded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// A measurement.
    pub view: bool,
    /// A mass.
    pub mass: bool,
}

/// The recipe's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has earned this bin.
    Bin(BinId),
    /// It has earned none, for this cause.
    Recirculate(Cause),
}

/// Why rows can't be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompileError {
    /// More than [`ROWS`] rows; it has so many.
    Rows(usize),
    /// More than [`TABLES`] pairs of a figure and a guard; it has so many.
    Tables(usize),
    /// A range of an angle leaves out less than [`HUE_LEFT_OUT`].
    Angle(Figure),
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => write!(f, "{rows} rows of alternatives; at most {ROWS} can be had"),
            Self::Tables(tables) => write!(f, "{tables} pairs of a figure and a guard; at most {TABLES} can be had"),
            Self::Angle(figure) => write!(
                f,
                "a range of {figure:?} leaves out less than {} degrees",
                HUE_LEFT_OUT / 100
            ),
        }
    }
}

impl std::error::Error for CompileError {}

/// A recipe: rows in order, first match wins; what none takes is recirculated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    hash: u64,
    doubt: Doubt,
    rows: Vec<Row>,
    /// With the guards; rows that hold here are earned beyond doubt.
    guarded: Tables,
    /// Without guards; `None` when there are none.
    plain: Option<Tables>,
    /// Figures that it asks for.
    wanted: Wanted,
    /// Per lane, what must be known.
    needs: Vec<Needs>,
}

impl Recipe {
    /// A recipe of `rules` for every lane, without guards, named by `hash`.
    ///
    /// # Panics
    /// When the rules can't be compiled: see [`CompileError`].
    #[must_use]
    pub fn new(hash: u64, rules: Vec<Rule>) -> Self {
        let row = |rule: Rule| Row {
            bin: rule.bin,
            lanes: u64::MAX,
            terms: rule.ranges.into_iter().map(|range| Term { range, guard: 0 }).collect(),
        };
        match Self::compile(hash, rules.into_iter().map(row).collect(), Doubt::default()) {
            Ok(recipe) => recipe,
            Err(error) => panic!("rules that can't be compiled: {error}"),
        }
    }

    /// Compiles `rows` to a recipe that is named by `hash`.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn compile(hash: u64, rows: Vec<Row>, doubt: Doubt) -> Result<Self, CompileError> {
        if rows.len() > ROWS {
            return Err(CompileError::Rows(rows.len()));
        }
        for term in rows.iter().flat_map(|row| &row.terms) {
            let Range { figure, least, most } = term.range;
            if figure.is_angle() && (most - least).rem_euclid(CIRCLE) > CIRCLE - HUE_LEFT_OUT {
                return Err(CompileError::Angle(figure));
            }
        }
        let guards = rows.iter().flat_map(|row| &row.terms).any(|term| term.guard != 0);
        let guarded = Tables::new(&rows, true)?;
        let plain = if guards { Some(Tables::new(&rows, false)?) } else { None };
        let needs = (0..crate::limits::LANES).map(|lane| needs_of(&rows, lane)).collect();
        let wanted = |term: &Term| Wanted::figure(term.range.figure, term.guard != 0);
        let wanted = rows
            .iter()
            .flat_map(|row| &row.terms)
            .map(wanted)
            .fold(Wanted::default(), Wanted::and);
        Ok(Self {
            hash,
            doubt,
            guarded,
            plain,
            wanted,
            needs,
            rows,
        })
    }

    /// Hash of its text; every record names it.
    #[must_use]
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Its rows, in order.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Figures that must be there.
    #[must_use]
    pub fn needs(&self, lane: LaneId) -> Needs {
        self.needs
            .get(lane.index())
            .copied()
            .unwrap_or(Needs { view: true, mass: true })
    }

    /// The bin that a pearl has earned, by the recipe's order and its policy for doubt.
    #[must_use]
    pub fn grade(&self, lane: LaneId, figures: Figures<'_>) -> Verdict {
        let values = Values::of(self.wanted, figures);
        let earned = self.guarded.first(lane, &values);
        let plain = self.plain.as_ref();
        self.decide(
            earned,
            || plain.map_or(earned, |plain| plain.first(lane, &values)),
            || plain.and_then(|plain| plain.last(lane, &values)),
        )
    }

    /// The same answer, by reading the rows one by one.
    #[must_use]
    pub fn grade_plainly(&self, lane: LaneId, figures: Figures<'_>) -> Verdict {
        let holds = |row: &Row, guarded: bool| {
            let holds = |term: &Term| {
                let guard = if guarded { term.guard } else { 0 };
                term_holds(&Term { guard, ..*term }, figures)
            };
            lane.index() < 64 && row.lanes & (1 << lane.index()) != 0 && row.terms.iter().all(holds)
        };
        self.decide(
            self.rows.iter().position(|row| holds(row, true)),
            || self.rows.iter().position(|row| holds(row, false)),
            || self.rows.iter().rposition(|row| holds(row, false)),
        )
    }

    /// The policy for doubt: `earned` is the first row with the guards, `first` and `last` those without.
    fn decide(
        &self,
        earned: Option<usize>,
        first: impl FnOnce() -> Option<usize>,
        last: impl FnOnce() -> Option<usize>,
    ) -> Verdict {
        let bin = |row: usize| Verdict::Bin(self.rows[row].bin);
        match (self.doubt, earned) {
            (Doubt::Lower | Doubt::FinalPass, Some(row)) => bin(row),
            (Doubt::Recirculate, Some(row)) => match first() {
                Some(other) if self.rows[other].bin != self.rows[row].bin => Verdict::Recirculate(Cause::Doubt),
                _ => bin(row),
            },
            (Doubt::FinalPass, None) => last().map_or(Verdict::Recirculate(Cause::NoBin), bin),
            (Doubt::Lower | Doubt::Recirculate, None) => {
                Verdict::Recirculate(first().map_or(Cause::NoBin, |_| Cause::Doubt))
            }
        }
    }
}

/// Whether one condition holds, read plainly.
#[must_use]
pub fn term_holds(term: &Term, figures: Figures<'_>) -> bool {
    let figure = term.range.figure;
    table::holds(term, figure.value(figures), figure.uncertainty(figures))
}

fn needs_of(rows: &[Row], lane: usize) -> Needs {
    let served = rows.iter().filter(|row| row.lanes & (1 << lane) != 0);
    let mut needs = Needs::default();
    for term in served.flat_map(|row| &row.terms) {
        needs.view |= term.range.figure.needs_view();
        needs.mass |= term.range.figure.needs_mass();
    }
    needs
}

#[cfg(test)]
mod test_support;
#[cfg(test)]
mod tests;
