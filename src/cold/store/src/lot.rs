//! Lots: what is poured in, by whom, for whom, and what the tray still holds. Any thread; the changes run on the thread
//! that writes, each in one transaction with its audit entry.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

use crate::audit::{self, AuditEntry, AuditKind};
use crate::clock::Stamp;
use crate::error::Refusal;
use crate::limits::TEXT;
use crate::recipe::hash_name;
use crate::tally::Tally;

/// What people say of a lot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LotForm {
    /// The farm's or plant's number of the lot. It must not be empty; it may come twice.
    pub number: String,
    /// Farm.
    pub farm: String,
    /// Harvest date, `YYYY-MM-DD` or `YYYY-MM`; empty when not known.
    pub harvested: String,
    /// Customer.
    pub customer: String,
    /// Operator.
    pub operator: String,
    /// Anything else.
    pub note: String,
    /// Mass poured in, ug, by the plant's scale.
    pub mass_in_ug: Option<i64>,
    /// Pearls poured in, if they were counted.
    pub count_in: Option<u64>,
}

/// What the recirculate tray held when the lot was closed, as people counted or weighed it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// Pearls, if they were counted.
    pub count: Option<u64>,
    /// Mass, ug, if they were weighed.
    pub mass_ug: Option<i64>,
}

/// A lot as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lot {
    /// Its number in the store, from 1: records carry it.
    pub lot: u32,
    /// What people said of it.
    #[serde(flatten)]
    pub form: LotForm,
    /// Hash of the recipe in force when it was opened.
    #[serde(serialize_with = "hash_name")]
    pub recipe: u64,
    /// When it was opened.
    pub opened: Stamp,
    /// By whom.
    pub opened_by: String,
    /// When it was closed.
    pub closed: Option<Stamp>,
    /// By whom.
    pub closed_by: Option<String>,
    /// What the tray held then.
    pub left: Leftover,
}

impl Lot {
    /// Whether it is open.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.closed.is_none()
    }
}

/// The recirculate tray was poured back into the feeder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pour {
    /// When.
    pub stamp: Stamp,
    /// By whom.
    pub who: String,
    /// What had come to the tray since the lot was opened.
    pub recirculated: Tally,
}

/// Why a lot can't be opened, closed or changed like that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LotRefusal {
    /// The belt carries one lot at a time.
    #[error("lot {number} is open: close it first, the belt carries one lot at a time")]
    AnotherOpen {
        /// The open lot's number in the store.
        lot: u32,
        /// Its number as people gave it.
        number: String,
    },
    /// There is no such lot.
    #[error("there is no lot {lot} in this store")]
    NoSuch {
        /// The number that was asked for.
        lot: u32,
    },
    /// It is closed.
    #[error("lot {number} is closed: what was said of it stays")]
    Closed {
        /// Its number as people gave it.
        number: String,
    },
    /// It has no number.
    #[error("the lot has no number: give the one on its bag or slip")]
    NoNumber,
    /// The harvest date is none.
    #[error("\"{given}\" is no harvest date: write YYYY-MM-DD or YYYY-MM, or leave it empty")]
    Date {
        /// What was given.
        given: String,
    },
    /// A mass below nothing.
    #[error("a mass of {ug} ug is below nothing: weigh again with the scale at zero")]
    Mass {
        /// What was given.
        ug: i64,
    },
}

/// Whether the form can be kept.
pub(crate) fn check(form: &LotForm) -> Result<(), Refusal> {
    if form.number.trim().is_empty() {
        return Err(LotRefusal::NoNumber.into());
    }
    for (what, text) in [
        ("the lot's number", &form.number),
        ("the farm", &form.farm),
        ("the customer", &form.customer),
        ("the operator", &form.operator),
        ("the note", &form.note),
    ] {
        fits(what, text, TEXT)?;
    }
    if !is_date(&form.harvested) {
        return Err(LotRefusal::Date {
            given: form.harvested.chars().take(40).collect(),
        }
        .into());
    }
    match form.mass_in_ug {
        Some(ug) if ug < 0 => Err(LotRefusal::Mass { ug }.into()),
        _ => Ok(()),
    }
}

pub(crate) fn fits(what: &'static str, text: &str, most: usize) -> Result<(), Refusal> {
    let length = text.chars().count();
    if length > most {
        return Err(Refusal::TooLong { what, length, most });
    }
    Ok(())
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let number = |text: &str, digits: usize, least: u32, most: u32| {
        text.len() == digits
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && text.parse().is_ok_and(|n: u32| (least..=most).contains(&n))
    };
    match parts.as_slice() {
        [""] => true,
        [year, month] => number(year, 4, 1900, 2999) && number(month, 2, 1, 12),
        [year, month, day] => number(year, 4, 1900, 2999) && number(month, 2, 1, 12) && number(day, 2, 1, 31),
        _ => false,
    }
}

const COLUMNS: &str = "lot, number, farm, harvested, customer, operator, note, mass_in_ug, count_in, recipe,
    opened_at_us, opened_wall_us, opened_by, closed_at_us, closed_wall_us, closed_by, left_count, left_mass_ug";

fn from_row(row: &Row<'_>) -> rusqlite::Result<Lot> {
    let closed = row.get::<_, Option<i64>>(13)?.zip(row.get(14)?);
    Ok(Lot {
        lot: row.get(0)?,
        form: LotForm {
            number: row.get(1)?,
            farm: row.get(2)?,
            harvested: row.get(3)?,
            customer: row.get(4)?,
            operator: row.get(5)?,
            note: row.get(6)?,
            mass_in_ug: row.get(7)?,
            count_in: row.get::<_, Option<i64>>(8)?.map(i64::cast_unsigned),
        },
        recipe: row.get::<_, i64>(9)?.cast_unsigned(),
        opened: Stamp {
            at_us: row.get(10)?,
            wall_us: row.get(11)?,
        },
        opened_by: row.get(12)?,
        closed: closed.map(|(at_us, wall_us)| Stamp { at_us, wall_us }),
        closed_by: row.get(15)?,
        left: Leftover {
            count: row.get::<_, Option<i64>>(16)?.map(i64::cast_unsigned),
            mass_ug: row.get(17)?,
        },
    })
}

/// The lot of this number.
pub(crate) fn find(connection: &Connection, lot: u32) -> rusqlite::Result<Option<Lot>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM lots WHERE lot = ?1"))?
        .query_row([lot], from_row)
        .optional()
}

/// The lot that is open.
pub(crate) fn find_open(connection: &Connection) -> rusqlite::Result<Option<Lot>> {
    connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM lots WHERE closed_at_us IS NULL"))?
        .query_row([], from_row)
        .optional()
}

/// The lots below `before`, newest first.
pub(crate) fn list(connection: &Connection, before: Option<u32>, most: u32) -> rusqlite::Result<Vec<Lot>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM lots WHERE lot < ?1 ORDER BY lot DESC LIMIT ?2"
        ))?
        .query_map([before.map_or(i64::MAX, i64::from), i64::from(most)], from_row)?
        .collect()
}

/// The pours of a lot, in order.
pub(crate) fn pours(connection: &Connection, lot: u32) -> rusqlite::Result<Vec<Pour>> {
    connection
        .prepare_cached(
            "SELECT at_us, wall_us, who, passes, weighed, mass_ug FROM pours WHERE lot = ?1 ORDER BY rowid",
        )?
        .query_map([lot], |row| {
            Ok(Pour {
                stamp: Stamp {
                    at_us: row.get(0)?,
                    wall_us: row.get(1)?,
                },
                who: row.get(2)?,
                recirculated: Tally {
                    passes: row.get::<_, i64>(3)?.cast_unsigned(),
                    weighed: row.get::<_, i64>(4)?.cast_unsigned(),
                    mass_ug: row.get(5)?,
                },
            })
        })?
        .collect()
}

/// A change's failure: the database's, or a refusal.
pub(crate) enum Failed {
    Sql(rusqlite::Error),
    Refused(Refusal),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<LotRefusal> for Failed {
    fn from(refusal: LotRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

/// Opens a lot.
pub(crate) fn open(
    connection: &Connection,
    stamp: Stamp,
    first_record: i64,
    form: &LotForm,
    recipe: u64,
    who: &str,
) -> Result<Lot, Failed> {
    check(form)?;
    if let Some(open) = find_open(connection)? {
        let (lot, number) = (open.lot, open.form.number);
        return Err(LotRefusal::AnotherOpen { lot, number }.into());
    }
    let lot: u32 = connection.query_row("SELECT coalesce(max(lot), 0) + 1 FROM lots", [], |row| row.get(0))?;
    connection.execute(
        "INSERT INTO lots (lot, number, farm, harvested, customer, operator, note, mass_in_ug, count_in, recipe,
             first_record, opened_at_us, opened_wall_us, opened_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            lot,
            form.number,
            form.farm,
            form.harvested,
            form.customer,
            form.operator,
            form.note,
            form.mass_in_ug,
            form.count_in.map(u64::cast_signed),
            recipe.cast_signed(),
            first_record,
            stamp.at_us,
            stamp.wall_us,
            who
        ],
    )?;
    put_on_trail(
        connection,
        stamp,
        who,
        lot,
        String::new(),
        format!("opened: {}", told(form)),
    )?;
    kept(connection, lot)
}

/// Changes what is said of an open lot.
pub(crate) fn edit(connection: &Connection, stamp: Stamp, lot: u32, form: &LotForm, who: &str) -> Result<Lot, Failed> {
    check(form)?;
    let before = open_one(connection, lot)?;
    connection.execute(
        "UPDATE lots SET number = ?2, farm = ?3, harvested = ?4, customer = ?5, operator = ?6, note = ?7,
             mass_in_ug = ?8, count_in = ?9 WHERE lot = ?1",
        params![
            lot,
            form.number,
            form.farm,
            form.harvested,
            form.customer,
            form.operator,
            form.note,
            form.mass_in_ug,
            form.count_in.map(u64::cast_signed)
        ],
    )?;
    put_on_trail(connection, stamp, who, lot, told(&before.form), told(form))?;
    kept(connection, lot)
}

/// Closes a lot.
pub(crate) fn close(connection: &Connection, stamp: Stamp, lot: u32, left: Leftover, who: &str) -> Result<Lot, Failed> {
    if let Some(ug) = left.mass_ug.filter(|ug| *ug < 0) {
        return Err(LotRefusal::Mass { ug }.into());
    }
    open_one(connection, lot)?;
    connection.execute(
        "UPDATE lots SET closed_at_us = ?2, closed_wall_us = ?3, closed_by = ?4, left_count = ?5, left_mass_ug = ?6
         WHERE lot = ?1",
        params![
            lot,
            stamp.at_us,
            stamp.wall_us,
            who,
            left.count.map(u64::cast_signed),
            left.mass_ug
        ],
    )?;
    let after = format!(
        "closed; left in the tray: {} pearls, {} ug",
        left.count.map_or_else(|| "not counted".to_owned(), |n| n.to_string()),
        left.mass_ug
            .map_or_else(|| "not weighed".to_owned(), |ug| ug.to_string())
    );
    put_on_trail(connection, stamp, who, lot, "open".to_owned(), after)?;
    kept(connection, lot)
}

/// The tray was poured back into the feeder: what came to it so far comes again.
pub(crate) fn pour(connection: &Connection, stamp: Stamp, lot: u32, who: &str) -> Result<Pour, Failed> {
    open_one(connection, lot)?;
    let recirculated = connection.query_row(
        "SELECT coalesce(sum(passes), 0), coalesce(sum(weighed), 0), coalesce(sum(mass_ug), 0) FROM lot_sums
         WHERE lot = ?1 AND what = 'outcome' AND key LIKE 'tray/%'",
        [lot],
        Tally::from_row,
    )?;
    connection.execute(
        "INSERT INTO pours VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            lot,
            stamp.at_us,
            stamp.wall_us,
            who,
            recirculated.passes.cast_signed(),
            recirculated.weighed.cast_signed(),
            recirculated.mass_ug
        ],
    )?;
    let after = format!("tray poured back after {} recirculated passes", recirculated.passes);
    put_on_trail(connection, stamp, who, lot, String::new(), after)?;
    Ok(Pour {
        stamp,
        who: who.to_owned(),
        recirculated,
    })
}

fn open_one(connection: &Connection, lot: u32) -> Result<Lot, Failed> {
    let found = find(connection, lot)?.ok_or(LotRefusal::NoSuch { lot })?;
    if !found.is_open() {
        let number = found.form.number;
        return Err(LotRefusal::Closed { number }.into());
    }
    Ok(found)
}

fn kept(connection: &Connection, lot: u32) -> Result<Lot, Failed> {
    Ok(find(connection, lot)?.ok_or(LotRefusal::NoSuch { lot })?)
}

fn put_on_trail(
    connection: &Connection,
    stamp: Stamp,
    who: &str,
    lot: u32,
    before: String,
    after: String,
) -> Result<(), Failed> {
    let entry = AuditEntry {
        who: who.to_owned(),
        kind: AuditKind::Lot,
        subject: format!("lot {lot}"),
        before,
        after,
        lot,
    };
    audit::append(connection, stamp, &entry)?;
    Ok(())
}

/// The form in one line, for the trail.
fn told(form: &LotForm) -> String {
    let number = |value: Option<i64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
    format!(
        "number={} farm={} harvested={} customer={} operator={} mass_in_ug={} count_in={} note={}",
        form.number,
        form.farm,
        form.harvested,
        form.customer,
        form.operator,
        number(form.mass_in_ug),
        number(form.count_in.map(u64::cast_signed)),
        form.note
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harvest_dates_are_dates() {
        for good in ["", "2026-11", "2026-11-24"] {
            assert!(is_date(good), "{good}");
        }
        for bad in [
            "2026",
            "2026-13",
            "2026-11-32",
            "24.11.2026",
            "2026-1-2",
            "x",
            "2026-11-24-1",
            "+026-11",
        ] {
            assert!(!is_date(bad), "{bad}");
        }
    }
}
