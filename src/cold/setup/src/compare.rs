//! What two recipes do with the same pearls: where each sends a pearl by its figures alone, and the sums over many.
//!
//! Cold. Both grade with the tables that the core uses. Words: a **slot** is where a recipe sends a pearl by its figures:
//! conflicts at the jets are the line's, and not in the tables; the **old** recipe is the one that is compared with.

use line::grade::{CompileError, Doubt, Figures, Needs, Recipe, Row, Term, Verdict};
use line::limits::BINS;
use line::{Cause, Destination, Record};
use units::{BinId, LaneId};
use wire::ViewStatus;

/// Slots: the bins, and four ways round again.
pub const SLOTS: usize = BINS + 4;

/// Where a recipe sends a pearl by its figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// Into a bin.
    Bin(BinId),
    /// Round again: no bin takes it.
    NoBin,
    /// Round again: for doubt.
    Doubt,
    /// Round again: a figure that the recipe asks for is not there.
    Unmeasured,
    /// Round again for a cause of the line, before any recipe was asked.
    Line,
}

impl Slot {
    /// Every slot.
    pub fn all() -> impl Iterator<Item = Self> {
        let bins = (0..=u8::MAX).take(BINS).map(|bin| Self::Bin(BinId(bin)));
        bins.chain([Self::NoBin, Self::Doubt, Self::Unmeasured, Self::Line])
    }

    /// Its place in a table of [`SLOTS`].
    #[must_use]
    pub fn place(self) -> usize {
        match self {
            Self::Bin(bin) => bin.index().min(BINS - 1),
            Self::NoBin => BINS,
            Self::Doubt => BINS + 1,
            Self::Unmeasured => BINS + 2,
            Self::Line => BINS + 3,
        }
    }
}

/// The figures of a pearl that a recipe may grade; `None` where the line kept it back before any recipe was asked.
#[must_use]
pub fn figures_of(record: &Record) -> Option<Figures<'_>> {
    let asked = matches!(
        record.sent,
        Destination::Bin(_)
            | Destination::Tray(
                Cause::NoBin | Cause::Doubt | Cause::NoMass | Cause::NoMeasurement | Cause::Mass(_) | Cause::View(_)
            )
    );
    (asked || record.earned.is_some()).then_some(Figures {
        view: record.view.as_ref().filter(|view| view.status == ViewStatus::Good),
        mass: record.mass,
    })
}

/// Where a recipe sends a pearl.
#[must_use]
pub fn slot_of(recipe: &Recipe, lane: LaneId, figures: Figures<'_>) -> Slot {
    if !is_measured(recipe.needs(lane), figures) {
        return Slot::Unmeasured;
    }
    match recipe.grade(lane, figures) {
        Verdict::Bin(bin) => Slot::Bin(bin),
        Verdict::Recirculate(Cause::Doubt) => Slot::Doubt,
        Verdict::Recirculate(_) => Slot::NoBin,
    }
}

/// Where a recipe sends a pearl that was recorded.
#[must_use]
pub fn slot_by(recipe: &Recipe, record: &Record) -> Slot {
    figures_of(record).map_or(Slot::Line, |figures| slot_of(recipe, record.lane, figures))
}

/// Whether all that a recipe needs of a pearl was measured.
fn is_measured(needs: Needs, figures: Figures<'_>) -> bool {
    (!needs.view || figures.view.is_some()) && (!needs.mass || figures.mass.is_some())
}

/// A recipe without its guards: what it would do if every figure were certain.
///
/// # Errors
/// When its rows can't be compiled again.
pub fn unguarded(recipe: &Recipe) -> Result<Recipe, CompileError> {
    let plain = |row: &Row| Row {
        terms: row.terms.iter().map(|term| Term { guard: 0, ..*term }).collect(),
        ..row.clone()
    };
    Recipe::compile(recipe.hash(), recipe.rows().iter().map(plain).collect(), Doubt::Lower)
}

/// What a pearl of a bin is worth; `None` where the recipe does not say.
#[must_use]
pub fn value(recipe: &config::Recipe, bin: BinId, lane: LaneId, mass_g: f64) -> Option<f64> {
    let serves = |of: &&config::RecipeBin| of.bin == bin && lane.index() < 64 && of.lanes & (1 << lane.index()) != 0;
    match recipe.bins.iter().find(serves)?.value {
        config::Value::PerGram(value) => Some(value * mass_g),
        config::Value::PerPearl(value) => Some(value),
        config::Value::Unknown => None,
    }
}

/// Mass of a pearl, g; 0 where it is not known.
#[must_use]
pub fn mass_g(record: &Record) -> f64 {
    record.mass.map_or(0.0, |mass| f64::from(mass.mass.0) * 1e-6)
}

/// One slot's pearls.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sum {
    /// Pearls.
    pub pearls: u64,
    /// Their mass, g.
    pub mass_g: f64,
    /// Their worth, in the recipe's currency.
    pub value: f64,
}

/// Sums of two recipes over the same pearls.
#[derive(Clone, Debug)]
pub struct Tally {
    sums: [Vec<Sum>; 2],
    /// Pearls by old and new slot.
    moves: Vec<u64>,
    pearls: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            sums: [vec![Sum::default(); SLOTS], vec![Sum::default(); SLOTS]],
            moves: vec![0; SLOTS * SLOTS],
            pearls: 0,
        }
    }
}

impl Tally {
    /// Takes a pearl: its mass, and for the old and the new recipe its slot and its worth there.
    pub fn take(&mut self, mass_g: f64, slots: [Slot; 2], values: [f64; 2]) {
        self.pearls += 1;
        for ((sums, slot), value) in self.sums.iter_mut().zip(slots).zip(values) {
            let sum = &mut sums[slot.place()];
            sum.pearls += 1;
            sum.mass_g += mass_g;
            sum.value += value;
        }
        let [from, to] = slots;
        self.moves[from.place() * SLOTS + to.place()] += 1;
    }

    /// Pearls that were taken.
    #[must_use]
    pub const fn pearls(&self) -> u64 {
        self.pearls
    }

    /// A slot's pearls by the old and the new recipe.
    #[must_use]
    pub fn sums(&self, slot: Slot) -> [Sum; 2] {
        [0, 1].map(|n| self.sums[n][slot.place()])
    }

    /// All pearls by the old and the new recipe.
    #[must_use]
    pub fn totals(&self) -> [Sum; 2] {
        [0, 1].map(|n| {
            self.sums[n].iter().fold(Sum::default(), |total: Sum, sum| Sum {
                pearls: total.pearls + sum.pearls,
                mass_g: total.mass_g + sum.mass_g,
                value: total.value + sum.value,
            })
        })
    }

    /// Pearls that the old recipe sends to `from` and the new one to `to`.
    #[must_use]
    pub fn moved(&self, from: Slot, to: Slot) -> u64 {
        self.moves[from.place() * SLOTS + to.place()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_has_a_place_of_its_own() {
        let places: Vec<usize> = Slot::all().map(Slot::place).collect();
        assert!(places.into_iter().eq(0..SLOTS));
    }

    #[test]
    fn sums_and_moves_have_the_same_pearls() {
        let mut tally = Tally::default();
        let (one, two) = (Slot::Bin(BinId(0)), Slot::Bin(BinId(1)));
        tally.take(0.5, [one, two], [5.0, 2.0]);
        tally.take(0.25, [one, one], [2.5, 2.5]);
        tally.take(0.0, [Slot::Line, Slot::Line], [0.0, 0.0]);
        assert_eq!(tally.pearls(), 3);
        let [old, new] = tally.sums(one);
        assert_eq!((old.pearls, new.pearls), (2, 1));
        assert_eq!(
            (tally.moved(one, two), tally.moved(one, one), tally.moved(two, one)),
            (1, 1, 0)
        );
        let [old, new] = tally.totals();
        assert_eq!((old.pearls, new.pearls), (3, 3));
        assert!((old.value - 7.5).abs() < 1e-9 && (new.value - 4.5).abs() < 1e-9);
    }
}
