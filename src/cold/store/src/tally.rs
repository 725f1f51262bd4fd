//! Sums over passes: what a batch adds to lots and minutes. The thread that writes.

use std::collections::HashMap;

use line::{Cause, Destination, Landing, Record};
use rusqlite::{Connection, Row, params};
use serde::{Serialize, Serializer};
use units::BinId;

use crate::classes::Classes;

/// Microseconds of a minute.
pub(crate) const MINUTE_US: i64 = 60_000_000;

/// Passes counted, and the mass of those that were weighed added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Passes.
    pub passes: u64,
    /// Passes with a mass.
    pub weighed: u64,
    /// Their mass together, ug.
    pub mass_ug: i64,
}

impl Tally {
    pub(crate) fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Self::from_row_at(row, 0)
    }

    pub(crate) fn from_row_at(row: &Row<'_>, at: usize) -> rusqlite::Result<Self> {
        Ok(Self {
            passes: row.get::<_, i64>(at)?.cast_unsigned(),
            weighed: row.get::<_, i64>(at + 1)?.cast_unsigned(),
            mass_ug: row.get(at + 2)?,
        })
    }

    fn add(&mut self, mass_ug: Option<i32>) {
        self.passes += 1;
        if let Some(ug) = mass_ug {
            self.weighed += 1;
            self.mass_ug += i64::from(ug);
        }
    }

    /// Both together. Saturating, as all sums over what a file has: a damaged one may have anything.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            passes: self.passes.saturating_add(other.passes),
            weighed: self.weighed.saturating_add(other.weighed),
            mass_ug: self.mass_ug.saturating_add(other.mass_ug),
        }
    }

    /// What is left without `other`, which is a part of it.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self {
            passes: self.passes.saturating_sub(other.passes),
            weighed: self.weighed.saturating_sub(other.weighed),
            mass_ug: self.mass_ug.saturating_sub(other.mass_ug),
        }
    }

    /// Mass of all its passes when those that were not weighed have the mean of those that were, ug; `None` when none was.
    #[must_use]
    pub fn estimated_mass_ug(&self) -> Option<i64> {
        if self.weighed == 0 {
            return (self.passes == 0).then_some(0);
        }
        let total = i128::from(self.mass_ug) * i128::from(self.passes) / i128::from(self.weighed);
        i64::try_from(total).ok()
    }
}

/// Where a pass ended, as the core's accounts have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// In a bin, its own or (seen by another bin's eye) another.
    Bin(BinId),
    /// In the recirculate tray.
    Tray(Cause),
    /// Nowhere that an eye saw.
    Lost,
}

impl Outcome {
    /// Of a record.
    #[must_use]
    pub const fn of(record: &Record) -> Self {
        match (record.sent, record.landing) {
            (_, Landing::Bin(bin)) => Self::Bin(bin),
            (_, Landing::Lost) => Self::Lost,
            (Destination::Bin(_), Landing::Tray) => Self::Tray(Cause::Missed),
            (Destination::Bin(bin), Landing::Seen | Landing::NoEye) => Self::Bin(bin),
            (Destination::Tray(cause), Landing::Seen | Landing::NoEye | Landing::Tray) => Self::Tray(cause),
        }
    }

    /// As it stands in the file: `bin/3`, `tray/no_bin`, `lost`.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::Bin(bin) => format!("bin/{}", bin.0),
            Self::Tray(cause) => format!("tray/{}", cause.name()),
            Self::Lost => "lost".to_owned(),
        }
    }

    /// From what stands in the file.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        match key.split_once('/') {
            Some(("bin", number)) => number.parse().ok().map(|number| Self::Bin(BinId(number))),
            Some(("tray", name)) => Cause::all().find(|cause| cause.name() == name).map(Self::Tray),
            _ => (key == "lost").then_some(Self::Lost),
        }
    }
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.key())
    }
}

/// What a lot's sum is over.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Over {
    Outcome(Outcome),
    Earned(Option<BinId>),
    /// Each class of the set; `true` for a pass that ended in a bin.
    Classes(Classes, bool),
}

/// What one batch adds.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    lots: HashMap<(u32, u64, Over), Tally>,
    minutes: HashMap<(i64, u32, Outcome), Tally>,
    /// The last record's keys are most often the next one's too: its outcome's texts are made once a batch.
    outcomes: HashMap<Outcome, String>,
}

impl Sums {
    /// Adds a record that came at `at_us`. Gives back its outcome as it stands in the file.
    pub(crate) fn add(&mut self, at_us: i64, record: &Record, classes: Option<&Classes>) -> &str {
        let outcome = Outcome::of(record);
        let mass = record.mass.map(|figure| figure.mass.0);
        let mut over = |over| {
            let key = (record.lot, record.recipe, over);
            self.lots.entry(key).or_default().add(mass);
        };
        over(Over::Outcome(outcome));
        over(Over::Earned(record.earned));
        if let Some(classes) = classes {
            over(Over::Classes(classes.clone(), matches!(outcome, Outcome::Bin(_))));
        }
        let minute = at_us.div_euclid(MINUTE_US);
        self.minutes.entry((minute, record.lot, outcome)).or_default().add(mass);
        self.outcomes.entry(outcome).or_insert_with(|| outcome.key())
    }

    /// Books everything.
    pub(crate) fn book(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut lots: HashMap<(u32, u64, &str, String), Tally> = HashMap::new();
        for ((lot, recipe, over), tally) in &self.lots {
            let mut put = |what, key| {
                let sum = lots.entry((*lot, *recipe, what, key)).or_default();
                *sum = sum.plus(*tally);
            };
            match over {
                Over::Outcome(outcome) => put("outcome", outcome.key()),
                Over::Earned(bin) => put(
                    "earned",
                    bin.map_or_else(|| "none".to_owned(), |bin| format!("bin/{}", bin.0)),
                ),
                Over::Classes(classes, binned) => {
                    let what = if *binned { "class" } else { "class_back" };
                    classes.pairs().for_each(|pair| put(what, pair.to_owned()));
                }
            }
        }
        for ((lot, recipe, what, key), tally) in lots {
            book_lot(connection, lot, recipe, what, &key, tally)?;
        }
        let mut statement = connection.prepare_cached(
            "INSERT INTO minute_sums VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET passes = passes + excluded.passes, weighed = weighed + excluded.weighed,
                 mass_ug = mass_ug + excluded.mass_ug",
        )?;
        for ((minute, lot, outcome), tally) in &self.minutes {
            statement.execute(params![
                minute,
                lot,
                outcome.key(),
                tally.passes.cast_signed(),
                tally.weighed.cast_signed(),
                tally.mass_ug
            ])?;
        }
        Ok(())
    }
}

/// Adds to one sum of a lot.
pub(crate) fn book_lot(
    connection: &Connection,
    lot: u32,
    recipe: u64,
    what: &str,
    key: &str,
    tally: Tally,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO lot_sums VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO UPDATE SET passes = passes + excluded.passes, weighed = weighed + excluded.weighed,
                 mass_ug = mass_ug + excluded.mass_ug",
        )?
        .execute(params![
            lot,
            recipe.cast_signed(),
            what,
            key,
            tally.passes.cast_signed(),
            tally.weighed.cast_signed(),
            tally.mass_ug
        ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_comes_back_from_its_key() {
        let outcomes =
            Cause::all()
                .map(Outcome::Tray)
                .chain([Outcome::Lost, Outcome::Bin(BinId(0)), Outcome::Bin(BinId(63))]);
        for outcome in outcomes {
            assert_eq!(Outcome::from_key(&outcome.key()), Some(outcome));
        }
        assert_eq!(Outcome::from_key("bin/x"), None);
        assert_eq!(Outcome::from_key("tray/unheard_of"), None);
    }

    #[test]
    fn passes_without_mass_are_estimated_by_the_mean_of_the_others() {
        let mut tally = Tally::default();
        tally.add(Some(400));
        tally.add(Some(600));
        tally.add(None);
        assert_eq!(tally.estimated_mass_ug(), Some(1_500));
        assert_eq!(Tally::default().estimated_mass_ug(), Some(0));
        let mut unweighed = Tally::default();
        unweighed.add(None);
        assert_eq!(unweighed.estimated_mass_ug(), None);
    }
}
