//! A lot's report and the minutes' sums. Any thread.
//!
//! Passes and pearls are counted apart, as `docs/decisions/0005-passes-and-pearls.md` has it:
//! passes = binned + recirculated + lost; pearls = passes - re-fed, where re-fed is what had come to the tray when it was
//! last poured back; mass in = binned + left in the tray + lost.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde::Serialize;
use units::BinId;

use crate::audit::{self, AuditLink, Head};
use crate::lot::{self, Lot, Pour};
use crate::recipe::{BinWorth, RecipeText, Worth, bin_number, hash_name};
use crate::recipe_table;
use crate::tally::{MINUTE_US, Outcome, Tally};

/// Passes of one minute with one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MinuteSum {
    /// The minute's beginning, own time, us since 1970.
    pub from_us: i64,
    /// Lot; 0 for none.
    pub lot: u32,
    /// Where the passes ended.
    pub outcome: Outcome,
    /// How many.
    #[serde(flatten)]
    pub tally: Tally,
}

/// What one recipe put into one bin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BinSum {
    /// The bin.
    #[serde(serialize_with = "bin_number")]
    pub bin: BinId,
    /// The recipe.
    #[serde(serialize_with = "hash_name")]
    pub recipe: u64,
    /// The grade's names, where the recipe was kept.
    pub name_en: Option<String>,
    /// See `name_en`.
    pub name_zh: Option<String>,
    /// How much.
    #[serde(flatten)]
    pub tally: Tally,
    /// What it is worth, in a millionth of the currency's unit, where the recipe says so.
    pub value_micro: Option<i64>,
    /// The currency.
    pub currency: Option<String>,
}

/// Passes recirculated for one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CauseSum {
    /// The cause's name.
    pub cause: String,
    /// How many.
    #[serde(flatten)]
    pub tally: Tally,
}

/// Passes whose figures earned one bin, wherever they ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EarnedSum {
    /// The bin, or none.
    pub bin: Option<u8>,
    /// How many.
    #[serde(flatten)]
    pub tally: Tally,
}

/// Binned pearls of one class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassSum {
    /// The property, such as `shape`.
    pub property: String,
    /// The class.
    pub class: String,
    /// How many.
    #[serde(flatten)]
    pub tally: Tally,
}

/// A recipe that graded passes of the lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecipeUse {
    /// Its hash.
    #[serde(serialize_with = "hash_name")]
    pub hash: u64,
    /// Its name, where it was kept.
    pub name: Option<String>,
    /// Passes that it graded.
    pub passes: u64,
}

/// Mass in against mass out, ug. Where passes were not weighed they have the mean mass of those that were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MassBalance {
    /// Poured in, by the plant's scale.
    pub in_ug: Option<i64>,
    /// In the bins.
    pub binned_ug: Option<i64>,
    /// In the tray: by the scale where it was weighed at the end, else as the cells had it.
    pub left_ug: Option<i64>,
    /// Lost.
    pub lost_ug: Option<i64>,
    /// In less all three: what nobody can account for.
    pub open_ug: Option<i64>,
}

/// Everything that can be answered for a lot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LotReport {
    /// The lot.
    pub lot: Lot,
    /// Every pass: binned + recirculated + lost.
    pub passes: Tally,
    /// Passes that ended in a bin.
    pub binned: Tally,
    /// Passes that ended in the tray.
    pub recirculated: Tally,
    /// Passes that ended nowhere.
    pub lost: Tally,
    /// Passes whose record found no room: in none of the sums.
    pub unkept: u64,
    /// Of the recirculated, those that were poured back and passed again.
    pub refed: Tally,
    /// Of the recirculated, those that the tray should hold.
    pub left: Tally,
    /// Pearls: passes less those that were poured back.
    pub pearls: u64,
    /// Pearls that were counted in, less those in the bins, left in the tray (as counted at the end, where they were) and
    /// lost: what nobody can account for.
    pub open_pearls: Option<i64>,
    /// Mass in against mass out.
    pub mass: MassBalance,
    /// By bin.
    pub bins: Vec<BinSum>,
    /// Recirculated by cause.
    pub causes: Vec<CauseSum>,
    /// By the bin that the figures alone earned.
    pub earned: Vec<EarnedSum>,
    /// Binned pearls by class.
    pub classes: Vec<ClassSum>,
    /// Recipes.
    pub recipes: Vec<RecipeUse>,
    /// Records that retention has removed since: the sums still have them.
    pub removed: u64,
    /// When the tray was poured back.
    pub pours: Vec<Pour>,
    /// Calibrations in force when it was closed, or now.
    pub calibrations: Vec<AuditLink>,
    /// The lot's audit entries.
    pub audit: Vec<AuditLink>,
    /// The end of the audit trail when the report was made.
    pub trail: Head,
}

/// Sums of minutes.
pub(crate) fn minutes(
    connection: &Connection,
    from_us: i64,
    to_us: i64,
    lot: Option<u32>,
) -> rusqlite::Result<Vec<MinuteSum>> {
    let first = from_us.div_euclid(MINUTE_US) + i64::from(from_us.rem_euclid(MINUTE_US) > 0);
    let end = to_us.div_euclid(MINUTE_US) + i64::from(to_us.rem_euclid(MINUTE_US) > 0);
    connection
        .prepare_cached(
            "SELECT minute, lot, outcome, passes, weighed, mass_ug FROM minute_sums
             WHERE minute >= ?1 AND minute < ?2 AND (?3 IS NULL OR lot = ?3) ORDER BY minute, lot, outcome",
        )?
        .query_map(params![first, end, lot], |row| {
            Ok(MinuteSum {
                from_us: row.get::<_, i64>(0)?.saturating_mul(MINUTE_US),
                lot: row.get(1)?,
                outcome: outcome(&row.get::<_, String>(2)?, 2)?,
                tally: Tally::from_row_at(row, 3)?,
            })
        })?
        .collect()
}

fn outcome(key: &str, at: usize) -> rusqlite::Result<Outcome> {
    Outcome::from_key(key).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(
            at,
            rusqlite::types::Type::Text,
            format!("\"{key}\" is no outcome that this program knows").into(),
        )
    })
}

/// A lot's sums as they stand in the file.
#[derive(Default)]
struct Sums {
    outcomes: BTreeMap<(u64, String), Tally>,
    earned: BTreeMap<String, Tally>,
    classes: BTreeMap<String, Tally>,
    removed: u64,
    unkept: u64,
}

fn sums_of(connection: &Connection, lot: u32) -> rusqlite::Result<Sums> {
    let mut sums = Sums::default();
    let mut statement =
        connection.prepare_cached("SELECT recipe, what, key, passes, weighed, mass_ug FROM lot_sums WHERE lot = ?1")?;
    let mut rows = statement.query([lot])?;
    while let Some(row) = rows.next()? {
        let recipe = row.get::<_, i64>(0)?.cast_unsigned();
        let (what, key): (String, String) = (row.get(1)?, row.get(2)?);
        let tally = Tally::from_row_at(row, 3)?;
        let add = |sum: &mut Tally| *sum = sum.plus(tally);
        match what.as_str() {
            "outcome" => add(sums.outcomes.entry((recipe, key)).or_default()),
            "earned" => add(sums.earned.entry(key).or_default()),
            "class" => add(sums.classes.entry(key).or_default()),
            "removed" => sums.removed = sums.removed.saturating_add(tally.passes),
            "unkept" => sums.unkept = sums.unkept.saturating_add(tally.passes),
            _ => {}
        }
    }
    Ok(sums)
}

/// A lot's passes by where they ended.
#[derive(Default)]
struct Ends {
    binned: Tally,
    recirculated: Tally,
    lost: Tally,
    bins: Vec<BinSum>,
    causes: BTreeMap<String, Tally>,
    recipes: Vec<RecipeUse>,
}

fn ends_of(connection: &Connection, outcomes: &BTreeMap<(u64, String), Tally>) -> rusqlite::Result<Ends> {
    let mut ends = Ends::default();
    let mut text: Option<RecipeText> = None;
    // By recipe, then by key.
    for ((hash, key), tally) in outcomes {
        if ends.recipes.last().is_none_or(|of| of.hash != *hash) {
            text = recipe_table::find(connection, *hash)?;
            ends.recipes.push(RecipeUse {
                hash: *hash,
                name: text.as_ref().map(|text| text.name.clone()),
                passes: 0,
            });
        }
        if let Some(of) = ends.recipes.last_mut() {
            of.passes = of.passes.saturating_add(tally.passes);
        }
        match outcome(key, 2)? {
            Outcome::Bin(bin) => {
                ends.binned = ends.binned.plus(*tally);
                ends.bins.push(bin_sum(bin, *hash, text.as_ref(), *tally));
            }
            Outcome::Tray(cause) => {
                ends.recirculated = ends.recirculated.plus(*tally);
                let sum = ends.causes.entry(cause.name().to_owned()).or_default();
                *sum = sum.plus(*tally);
            }
            Outcome::Lost => ends.lost = ends.lost.plus(*tally),
        }
    }
    ends.bins.sort_by_key(|sum| (sum.bin, sum.recipe));
    Ok(ends)
}

/// The report of a lot.
pub(crate) fn of_lot(connection: &Connection, number: u32) -> rusqlite::Result<Option<LotReport>> {
    let Some(lot) = lot::find(connection, number)? else {
        return Ok(None);
    };
    let sums = sums_of(connection, number)?;
    let ends = ends_of(connection, &sums.outcomes)?;
    let (binned, recirculated, lost) = (ends.binned, ends.recirculated, ends.lost);
    let pours = lot::pours(connection, number)?;
    let refed = pours.last().map_or_else(Tally::default, |pour| pour.recirculated);
    let left = recirculated.minus(refed);
    let passes = binned.plus(recirculated).plus(lost);
    let closed_us = lot.closed.map_or(i64::MAX, |closed| closed.at_us);
    Ok(Some(LotReport {
        mass: balance(&lot, binned, left, lost),
        open_pearls: open_pearls(&lot, binned, left, lost),
        pearls: passes.passes.saturating_sub(refed.passes),
        passes,
        binned,
        recirculated,
        lost,
        unkept: sums.unkept,
        refed,
        left,
        bins: ends.bins,
        causes: ends
            .causes
            .into_iter()
            .map(|(cause, tally)| CauseSum { cause, tally })
            .collect(),
        earned: sums.earned.into_iter().map(earned_sum).collect(),
        classes: sums.classes.into_iter().map(class_sum).collect(),
        recipes: ends.recipes,
        removed: sums.removed,
        pours,
        calibrations: audit::calibrations(connection, closed_us)?,
        audit: audit::of_lot(connection, number)?,
        trail: audit::head(connection)?,
        lot,
    }))
}

fn bin_sum(bin: BinId, recipe: u64, text: Option<&RecipeText>, tally: Tally) -> BinSum {
    let worth = text.and_then(|text| text.bins.iter().find(|of| of.bin == bin));
    BinSum {
        bin,
        recipe,
        name_en: worth.map(|of| of.name_en.clone()),
        name_zh: worth.map(|of| of.name_zh.clone()),
        tally,
        value_micro: worth.and_then(|of| value_micro(of, tally)),
        currency: text.map(|text| text.currency.clone()).filter(|text| !text.is_empty()),
    }
}

/// What passes in a bin are worth; `None` where the recipe says nothing or none was weighed.
fn value_micro(of: &BinWorth, tally: Tally) -> Option<i64> {
    let value = match of.worth {
        Worth::Unknown => return None,
        Worth::PerGramMicro(worth) => i128::from(worth) * i128::from(tally.estimated_mass_ug()?) / 1_000_000,
        Worth::PerPearlMicro(worth) => i128::from(worth) * i128::from(tally.passes),
    };
    i64::try_from(value).ok()
}

fn open_pearls(lot: &Lot, binned: Tally, left: Tally, lost: Tally) -> Option<i64> {
    let left = lot.left.count.unwrap_or(left.passes);
    let out = binned.passes.saturating_add(left).saturating_add(lost.passes);
    Some(lot.form.count_in?.cast_signed().saturating_sub(out.cast_signed()))
}

fn balance(lot: &Lot, binned: Tally, left: Tally, lost: Tally) -> MassBalance {
    let in_ug = lot.form.mass_in_ug;
    // A lost pearl is weighed more seldom than others: without a mass of its own it has the lot's mean.
    let all = binned.plus(left).plus(lost);
    let of = |tally: Tally| {
        let mean = |_: ()| {
            let total = i128::from(all.mass_ug) * i128::from(tally.passes) / i128::from(all.weighed.max(1));
            i64::try_from(total).ok()
        };
        let own = tally.estimated_mass_ug();
        own.or_else(|| (all.weighed > 0).then_some(()).and_then(mean))
    };
    let (binned_ug, left_ug, lost_ug) = (of(binned), lot.left.mass_ug.or_else(|| of(left)), of(lost));
    let out_ug = binned_ug
        .zip(left_ug)
        .zip(lost_ug)
        .map(|((binned, left), lost)| binned.saturating_add(left).saturating_add(lost));
    MassBalance {
        in_ug,
        binned_ug,
        left_ug,
        lost_ug,
        open_ug: in_ug.zip(out_ug).map(|(in_ug, out)| in_ug.saturating_sub(out)),
    }
}

fn earned_sum((key, tally): (String, Tally)) -> EarnedSum {
    let bin = key.strip_prefix("bin/").and_then(|number| number.parse().ok());
    EarnedSum { bin, tally }
}

fn class_sum((key, tally): (String, Tally)) -> ClassSum {
    let (property, class) = key.split_once('=').unwrap_or((&key, ""));
    ClassSum {
        property: property.to_owned(),
        class: class.to_owned(),
        tally,
    }
}
