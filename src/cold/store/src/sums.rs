//! Sums against records: counts everything again. Any thread.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Serialize;

use crate::tally::Tally;

/// A sum that does not agree with its records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SumFault {
    /// Which sum, for people.
    pub sum: String,
    /// What stands in it, less what retention removed.
    pub stands: Tally,
    /// What the records have.
    pub counted: Tally,
}

type Tallies = BTreeMap<(i64, i64, String), Tally>;

/// What does not agree.
pub(crate) fn verify(connection: &Connection) -> rusqlite::Result<Vec<SumFault>> {
    let mut faults = Vec::new();
    let counted = tallies(
        connection,
        "SELECT lot, recipe, outcome, count(*), count(mass_ug), coalesce(sum(mass_ug), 0) FROM records GROUP BY 1, 2, 3",
    )?;
    let mut stands = tallies(
        connection,
        "SELECT lot, recipe, key, passes, weighed, mass_ug FROM lot_sums WHERE what = 'outcome'",
    )?;
    let removed = tallies(
        connection,
        "SELECT lot, recipe, key, passes, weighed, mass_ug FROM lot_sums WHERE what = 'removed'",
    )?;
    for (key, tally) in &removed {
        let sum = stands.entry(key.clone()).or_default();
        *sum = sum.minus(*tally);
    }
    compare(stands, &counted, &mut faults, |(lot, recipe, key)| {
        format!("lot {lot}, recipe {:016x}, {key}", recipe.cast_unsigned())
    });
    // Of the first record's minute some may have been removed, and of earlier ones all.
    let from = if removed.is_empty() {
        "0".to_owned()
    } else {
        "(SELECT coalesce(min(at_us) / 60000000 + 1, 0x7fffffffffffffff) FROM records)".to_owned()
    };
    let counted = tallies(
        connection,
        &format!(
            "SELECT at_us / 60000000, lot, outcome, count(*), count(mass_ug), coalesce(sum(mass_ug), 0) FROM records
             WHERE at_us / 60000000 >= {from} GROUP BY 1, 2, 3"
        ),
    )?;
    let stands = tallies(
        connection,
        &format!("SELECT minute, lot, outcome, passes, weighed, mass_ug FROM minute_sums WHERE minute >= {from}"),
    )?;
    compare(stands, &counted, &mut faults, |(minute, lot, key)| {
        format!("minute {minute}, lot {lot}, {key}")
    });
    Ok(faults)
}

fn tallies(connection: &Connection, query: &str) -> rusqlite::Result<Tallies> {
    connection
        .prepare(query)?
        .query_map([], |row| {
            let key = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok((key, Tally::from_row_at(row, 3)?))
        })?
        .collect()
}

fn compare(
    mut stands: Tallies,
    counted: &Tallies,
    faults: &mut Vec<SumFault>,
    name: impl Fn(&(i64, i64, String)) -> String,
) {
    for key in counted.keys() {
        stands.entry(key.clone()).or_default();
    }
    for (key, stands) in stands {
        let counted = counted.get(&key).copied().unwrap_or_default();
        if stands != counted {
            faults.push(SumFault {
                sum: name(&key),
                stands,
                counted,
            });
        }
    }
}
